# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: the forms that are accepted, and the errors for those that are refused.

Covers _message/addresses.py and _message/mistakes.py.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import (
    _BLANKS,
    Mailbox,
    header_list,
    parse_mailbox,
    parse_mailboxes,
    unique_addresses,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidAddress
from ansible_collections.mailops.smtp.plugins.module_utils._message.mistakes import advice_for
from ansible_collections.mailops.smtp.tests.unit.support.messages import header_text

GOOD = [
    ("a@example.com", Mailbox("", "a", "example.com")),
    (" a@example.com ", Mailbox("", "a", "example.com")),
    ("<a@example.com>", Mailbox("", "a", "example.com")),
    ("Jo Doe <jo@example.com>", Mailbox("Jo Doe", "jo", "example.com")),
    ('"Doe, Jo" <jo@example.com>', Mailbox("Doe, Jo", "jo", "example.com")),
    (r'"Jo \"x\" Doe" <jo@example.com>', Mailbox('Jo "x" Doe', "jo", "example.com")),
    ("Jürgen <j@example.com>", Mailbox("Jürgen", "j", "example.com")),
    ("info@bücher.example", Mailbox("", "info", "xn--bcher-kva.example")),
    ("用户@例子.example", Mailbox("", "用户", "xn--fsqu00a.example")),
    ("a+b=c@[192.0.2.1]", Mailbox("", "a+b=c", "[192.0.2.1]")),
    ('"a b"@example.com', Mailbox("", '"a b"', "example.com")),
    ("root", Mailbox("", "root", "")),
    ("root@localhost", Mailbox("", "root", "localhost")),
    ("Jo <root>", Mailbox("Jo", "root", "")),
    ("jo@example.com (Jo Doe)", Mailbox("Jo Doe", "jo", "example.com")),
    ("Backup (prod) <b@example.com>", Mailbox("Backup (prod)", "b", "example.com")),
    ('"" <jo@example.com>', Mailbox("", "jo", "example.com")),
    (r'"a\\" <jo@example.com>', Mailbox("a\\", "jo", "example.com")),
    ("info@BÜCHER.example", Mailbox("", "info", "xn--bcher-kva.example")),
    ("info@bücher。example", Mailbox("", "info", "xn--bcher-kva.example")),
    ("a@Example.COM", Mailbox("", "a", "Example.COM")),
    ("o'hara@example.com", Mailbox("", "o'hara", "example.com")),
]
#: Not RFC 5322, or hardly, and with only one meaning.
UNDERSTOOD = [
    # names with characters that have a meaning elsewhere
    ("Server: db1 <a@b.test>", Mailbox("Server: db1", "a", "b.test")),
    ("Server: db1 <a@b.test>;", Mailbox("Server: db1", "a", "b.test")),
    ("J. R. Doe <a@b.test>", Mailbox("J. R. Doe", "a", "b.test")),
    ("O'Hara <a@b.test>", Mailbox("O'Hara", "a", "b.test")),
    ("a@b.test <a@b.test>", Mailbox("a@b.test", "a", "b.test")),
    ('"a@b.test" <a@b.test>', Mailbox("a@b.test", "a", "b.test")),
    ("[ops] Jo (x@y) <a@b.test>", Mailbox("[ops] Jo (x@y)", "a", "b.test")),
    ('"Doe" "Jo" <a@b.test>', Mailbox("Doe Jo", "a", "b.test")),
    ('Jo "Ace" Doe <a@b.test>', Mailbox("Jo Ace Doe", "a", "b.test")),
    # quotes of other kinds
    ("'Doe, Jo' <a@b.test>", Mailbox("Doe, Jo", "a", "b.test")),
    ("'O'Hara, Jo'<a@b.test>", Mailbox("O'Hara, Jo", "a", "b.test")),
    ("'a@b.test' <a@b.test>", Mailbox("a@b.test", "a", "b.test")),
    ("'Jo' Doe <a@b.test>", Mailbox("'Jo' Doe", "a", "b.test")),
    ("\u201cDoe, Jo\u201d <a@b.test>", Mailbox("Doe, Jo", "a", "b.test")),
    ("„Doe, Jo\u201c <a@b.test>", Mailbox("Doe, Jo", "a", "b.test")),
    ("«Doe, Jo» <a@b.test>", Mailbox("Doe, Jo", "a", "b.test")),
    ("\u2018Doe, Jo\u2019 <a@b.test>", Mailbox("Doe, Jo", "a", "b.test")),
    (r"\"Doe, Jo\" <a@b.test>", Mailbox("Doe, Jo", "a", "b.test")),
    ('"a@b.test"', Mailbox("", "a", "b.test")),
    ("'a@b.test'", Mailbox("", "a", "b.test")),
    ('"Doe, Jo <a@b.test>"', Mailbox("Doe, Jo", "a", "b.test")),
    ("'Doe, Jo <a@b.test>'", Mailbox("Doe, Jo", "a", "b.test")),
    ("\u201cJo Doe <a@b.test>\u201d", Mailbox("Jo Doe", "a", "b.test")),
    ('"root"', Mailbox("", "root", "")),
    # comments
    ("jo@b.test (Doe, Jo)", Mailbox("Doe, Jo", "jo", "b.test")),
    ("jo@b.test(Jo)", Mailbox("Jo", "jo", "b.test")),
    ("(Jo) jo@b.test", Mailbox("Jo", "jo", "b.test")),
    ("<jo@b.test> (Jo; x (y))", Mailbox("Jo; x (y)", "jo", "b.test")),
    ("Jo <jo@b.test> (ops)", Mailbox("Jo (ops)", "jo", "b.test")),
    # names that are already encoded
    ("=?utf-8?Q?J=C3=BCrgen?= <a@b.test>", Mailbox("Jürgen", "a", "b.test")),
    ("=?UTF-8?b?SsO8cmdlbg==?= Doe <a@b.test>", Mailbox("Jürgen Doe", "a", "b.test")),
    ("=?utf-8?B?SsM=?= =?utf-8?B?vHJnZW4=?= <a@b.test>", Mailbox("Jürgen", "a", "b.test")),
    ("=?utf-8?Q?J=C3=BCrgen?= =?iso-8859-1?Q?_D=F6?= <a@b.test>", Mailbox("Jürgen Dö", "a", "b.test")),
    ("=?iso-8859-1*de?Q?J=FCrgen?= <a@b.test>", Mailbox("Jürgen", "a", "b.test")),
    ('"=?utf-8?Q?Doe,_J=C3=BCrgen?=" <a@b.test>', Mailbox("Doe, Jürgen", "a", "b.test")),
    ("=?utf-8?Q?Doe,_J=C3=BCrgen?= <a@b.test>", Mailbox("Doe, Jürgen", "a", "b.test")),
    ("=?utf-8?B?IkrDvHJnZW4i?= <a@b.test>", Mailbox("Jürgen", "a", "b.test")),
    ("a@b.test (=?utf-8?Q?J=C3=BCrgen?=)", Mailbox("Jürgen", "a", "b.test")),
    ("=?blah?= <a@b.test>", Mailbox("=?blah?=", "a", "b.test")),
    # what is pasted along
    ("a@b.test,", Mailbox("", "a", "b.test")),
    ("Jo <a@b.test>;", Mailbox("Jo", "a", "b.test")),
    ("a@b.test\n", Mailbox("", "a", "b.test")),
    ("a@b.test.", Mailbox("", "a", "b.test")),
    ("mailto:a@b.test", Mailbox("", "a", "b.test")),
    ("Jo <MAILTO:a@b.test>", Mailbox("Jo", "a", "b.test")),
    ("SMTP:a@b.test", Mailbox("", "a", "b.test")),
    ("a@b.test<mailto:a@b.test>", Mailbox("a@b.test", "a", "b.test")),
    ("\ufeffa@b.test\u200b", Mailbox("", "a", "b.test")),
    ("\u202aJo\u00a0<\u00a0a@b.test\u202c>", Mailbox("Jo", "a", "b.test")),
    ("a＠b.test", Mailbox("", "a", "b.test")),
    ("张三\u3000＜a＠b.test＞", Mailbox("张三", "a", "b.test")),
    ("张三，李四 <a@b.test>", Mailbox("张三，李四", "a", "b.test")),
]
REFUSED = [
    ("", "is not a valid address; expected one such as ops@example.com"),
    ("a@", "is not a valid address: .* is not a valid domain"),
    ("ops@straße.test", "to different domains"),
    ("@example.com", "is not a valid address; expected one such as ops@example.com"),
    ("a@exa mple.com", "is not a valid address: .* is not a valid domain"),
    ("a@-example.com", "is not a valid address: .* is not a valid domain"),
    ("a@example..com", "is not a valid address: .* is not a valid domain"),
    ("a@example.com..", "expected only the address: a@example.com"),
    ("a@example.com\r\nBcc: x@y", "control character"),
    ("a@b.test, c@d.test", "2 addresses"),
    ("friends: a@b.test, c@d.test;", "2 addresses"),
    ("a@straße.example", "xn--"),
    ("a@x\u200db.test", "xn--"),
    ("a\tb@b.test", "control character"),
    ("a\x85@b.test", "control character"),
    ("a\udc80@b.test", "control character"),
    ('"<"@b.test', "is not a valid address; expected one such as ops@example.com"),
    ('"Jo Doe"', "'Jo Doe' is not a valid address; expected one such as ops@example.com"),
    ("http://a@b.test;", "is not a valid address"),
    ("mailto:a%20b@b.test", "is not a valid address; expected one such as ops@example.com"),
    ("mailto:a@b.test?subject=x", "expected only the address: a@b.test"),
    ("a@b.test?subject=x", "expected only the address: a@b.test"),
    ("a@b.test\u2019", "expected only the address: a@b.test"),
    # encoded names
    ("=?unknown?Q?x?= <a@b.test>", "cannot be decoded; write it as plain text"),
    ("=?utf-8?Q?J=FC?= <a@b.test>", "cannot be decoded; write it as plain text"),
    ("=?utf-8?B?SsO8c?= <a@b.test>", "cannot be decoded; write it as plain text"),
    ("=?utf-8?Q?x=0D=0ABcc:_y?= <a@b.test>", "cannot be decoded; write it as plain text"),
    # what to write
    ("Doe, John <a@b.test>", '"Doe, John" <a@b.test>'),
    ("A, B, C <d@e.test>", '"A, B, C" <d@e.test>'),
    ("Doe; John <a@b.test>", "put a name that contains a comma in quotes"),
    ("Doe, John a@b.test", '"Doe, John" <a@b.test>'),
    ('Doe, "John" (x) <a@b.test>', r'"Doe, John \(x\)" <a@b.test>'),
    ("Jo Doe a@b.test", r"angle brackets around the address, .*: Jo Doe <a@b.test>"),
    ('"Doe, Jo" a@b.test', '"Doe, Jo" <a@b.test>'),
    ("J. Doe a@b.test", '"J. Doe" <a@b.test>'),
    ("Jo Doe (a@b.test)", "Jo Doe <a@b.test>"),
    ("Jo Doe [a@b.test]", "Jo Doe <a@b.test>"),
    ("Jo: a@b.test", "Jo <a@b.test>"),
    ("Jo - a@b.test", "Jo <a@b.test>"),
    ("a b@example.com", "a <b@example.com>"),
    ("a\u00a0b@b.test", r"the invisible character U\+00A0; type it again without it"),
    ("Jo\u00a0Doe a@b.test", r"<a@b.test>"),
    ("a@b.test c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a@b.test c@d.test and e@f.test", "expected commas between addresses: a@b.test, c@d.test, e@f.test"),
    ("a@b.test & c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("['a@b.test', 'c@d.test']", "expected a list, not a list that was turned into text"),
    ("a @ b.test", "expected no blank beside the @: a@b.test"),
    ("a@ b.test", "expected no blank beside the @: a@b.test"),
    ("a at b.test", "expected an @: a@b.test"),
    ("a(at)b.test", "expected an @: a@b.test"),
    ("Jo <a@b.test", "never closed; expected Jo <a@b.test>"),
    ("a@b.test>", "was never opened"),
    ('"Doe <a@b.test>', "is never closed"),
    ("Jo <a@b.test> Al <c@d.test>", "has text after an address in angle brackets; put a comma between addresses"),
    ("Jo <<a@b.test>>", "has text after an address"),
    ("x@y.test <a@b.test>", '"x@y.test" <a@b.test>; if it is an address of its own, put a comma after it'),
    ("Doe (x) <y> <a@b.test>", "quotes around a name that contains an angle bracket"),
    ("missing-at-sign.net", "with an @, .*; for a user of the server, write missing-at-sign.net@localhost"),
    ("first.last", "for a user of the server, write first.last@localhost"),
    ("Jo <first.last>", "for a user of the server, write first.last@localhost"),
    ("a..b@b.test", 'write "a..b"@b.test'),
    (".a@b.test", 'write ".a"@b.test'),
    ("a.@b.test", 'write "a."@b.test'),
    # what is pasted along, or typed in place of something else
    ("To: a@b.test", "name of a header field; expected only a@b.test"),
    ("reply-to : Jo <a@b.test>", "name of a header field; expected only Jo <a@b.test>"),
    ("E-Mail: a@b.test", "name of a header field; expected only a@b.test"),
    ("http://a@b.test", "expected only the address: a@b.test"),
    ("//a@b.test", "expected only the address: a@b.test"),
    ("http://user:word@b.test", "is not a valid address; expected one such as ops@example.com"),
    ("- a@b.test", "expected only the address: a@b.test"),
    ("1. a@b.test", "expected only the address: a@b.test"),
    ("* a@b.test", "expected only the address: a@b.test"),
    ("\u2022 a@b.test", "expected only the address: a@b.test"),
    ("a@b.test \u2039", "expected only the address: a@b.test"),
    ("\u2039a@b.test\u203a", "expected only the address: a@b.test"),
    ("[a@b.test]", "expected only the address: a@b.test"),
    ("(a@b.test)", "expected only the address: a@b.test"),
    ("[a@b.test](mailto:a@b.test)", "expected only the address: a@b.test"),
    ("[mailto:a@b.test]", "expected only the address: a@b.test"),
    ("Jo Doe [mailto:a@b.test]", "angle brackets around the address, .*: Jo Doe <a@b.test>"),
    ("Jo Doe (mailto:a@b.test)", "angle brackets around the address, .*: Jo Doe <a@b.test>"),
    ("a@b.test\tc@d.test", "commas between addresses, or a list: a@b.test, c@d.test"),
    ("a@b.test or c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a@b.test|c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a@b.test - c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a@b.test \u2022 c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a@b.test und c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a@b.test / c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a@b.test:c@d.test", "expected commas between addresses: a@b.test, c@d.test"),
    ("a [at] b [dot] test", "expected an @: a@b.test"),
    ("a(at)b(dot)test", "expected an @: a@b.test"),
    ("a.b AT c dot test", "expected an @: a.b@c.test"),
    ("a[@]b.test", "expected an @: a@b.test"),
    ("a%40b.test", "expected an @: a@b.test"),
    ("a@b dot test", "expected dots: a@b.test"),
    ("a@b. test", "expected no blank beside the dot: a@b.test"),
    ("a@b .test", "expected no blank beside the dot: a@b.test"),
    ("Doe, Jo [mailto:a@b.test]", '"Doe, Jo" <a@b.test>'),
    (r"Doe\, Jo <a@b.test>", '"Doe, Jo" <a@b.test>'),
    ("$MAIL", "is not a valid address; expected one such as ops@example.com"),
    ("Jo <a@b,test>", "is a comma meant as a dot.*: a@b.test"),
    # names in other systems
    ("/o=Exchange/ou=First/cn=Recipients/cn=jdoe", "not a path, or a name in Exchange or a directory"),
    ("Jo <cn=jdoe>", "not a path, or a name in Exchange or a directory"),
    ("/dev/null", "not a path"),
    ("|sort", "is not a valid address; expected one such as ops@example.com"),
    ("host!jo", "is not a valid address; expected one such as ops@example.com"),
    ("*", "is not a valid address; expected one such as ops@example.com"),
    ("a(x)@b.test", "expected a comment only before or after the address"),
    ("a@b.test (x", "expected a comment only before or after the address"),
    ("a\u200bb@b.test", r"the invisible character U\+200B"),
    ("a@b\u00adb.test", r"the invisible character U\+00AD"),
    # RFC 5321 section 4.5.3.1
    ("a" * 65 + "@b.test", "what stands before the @ has 65 octets; expected at most 64"),
    ("ü" * 33 + "@b.test", "what stands before the @ has 66 octets; expected at most 64"),
    ('"' + "a" * 63 + '"@b.test', "what stands before the @ has 65 octets"),
    ("a" * 65, "has 65 octets"),
    ("a@" + "b" * 64 + ".test", "has 64 octets; expected at most 63"),
    ("a@" + "ü" * 60 + ".test", "is not a valid address: .* is not a valid domain"),
    ("a@" + ".".join(["b" * 63] * 4) + ".t", "the domain has 257 octets; expected at most 255"),
    ("a@" + ".".join(["b" * 60] * 4) + ".test.test", "the whole has 255 octets; expected at most 254"),
]


@pytest.mark.parametrize(("text", "mailbox"), GOOD + UNDERSTOOD)
def test_valid_address(text: str, mailbox: Mailbox) -> None:
    assert parse_mailbox(text) == mailbox


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_invalid_address_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidAddress, match=words):
        parse_mailbox(text)


#: Kinds in which public suites differ; docs/decisions/message.md has the reasons.
DIFFERENCES = [
    ("root", "root"),
    ("a@b.test.", "a@b.test"),
    ("\r\na@b.test\r\n", "a@b.test"),
    (",a@b.test,", "a@b.test"),
    ("Jo (ops) <a@b.test>", "a@b.test"),
    ("a@b(x).test", None),
    ('"a\r\n b"@b.test', None),
    ("a@[IPv6:1:2:3:4:5:6:7::]", None),
    ('"<"@b.test', None),
    ("a@b!c.test", None),
    ("a" * 65 + "@b.test", None),
    ("a@xn--example.test", "a@xn--example.test"),
    (r'\\"x" <a@b.test>', "a@b.test"),
]


@pytest.mark.parametrize(("text", "address"), DIFFERENCES)
def test_differences_from_public_suites_are_intended(text: str, address: str | None) -> None:
    with nullcontext() if address else pytest.raises(InvalidAddress):
        assert parse_mailbox(text).address == address


def test_longest_addresses_are_accepted() -> None:
    assert parse_mailbox("a" * 64 + "@b.test").local == "a" * 64
    assert len(parse_mailbox("a@" + ".".join(["b" * 60] * 4) + ".testtest").address) == 254


LISTS = [
    ("", []),
    (" , ;,", []),
    ('a@b.test, "Doe, Jo" <jo@c.test>,root,', ["a@b.test", "jo@c.test", "root"]),
    (["a@b.test", "", '"Doe, Jo" <jo@c.test>, x@y.test'], ["a@b.test", "jo@c.test", "x@y.test"]),
    ("a@b.test; c@d.test", ["a@b.test", "c@d.test"]),
    ("a@b.test;c@d.test , e@f.test;", ["a@b.test", "c@d.test", "e@f.test"]),
    ("a@b.test,,;; c@d.test", ["a@b.test", "c@d.test"]),
    ("a@b.test (Doe, Jo), c@d.test (x; y)", ["a@b.test", "c@d.test"]),
    ("'Doe, Jo' <a@b.test>; 'Roe, Al' <c@d.test>", ["a@b.test", "c@d.test"]),
    ("'a@b.test'; 'c@d.test'", ["a@b.test", "c@d.test"]),
    ("'Jo <a@b.test>', 'Al <c@d.test>'", ["a@b.test", "c@d.test"]),
    ("Server: db1 <a@b.test>; Server: db2 <c@d.test>", ["a@b.test", "c@d.test"]),
    ("Hi :( <a@b.test>, Ho :) <c@d.test>", ["a@b.test", "c@d.test"]),
    ("张三 <a@b.test>，李四 <c@d.test>；e@f.test、g＠h.test", ["a@b.test", "c@d.test", "e@f.test", "g@h.test"]),
    ("mailto:a@b.test,c@d.test", ["a@b.test", "c@d.test"]),
    ("=?utf-8?Q?Doe,_Jo?= <a@b.test>, root", ["a@b.test", "root"]),
    ("a@[IPv6:2001:db8::1]; c@d.test", ["a@[IPv6:2001:db8::1]", "c@d.test"]),
    # groups
    ("friends: a@b.test;", ["a@b.test"]),
    ("friends: a@b.test, c@d.test;", ["a@b.test", "c@d.test"]),
    ('"My, friends": Jo <a@b.test>, Al <c@d.test>;', ["a@b.test", "c@d.test"]),
    ("x@y.test, friends: a@b.test, c@d.test;, z@y.test", ["x@y.test", "a@b.test", "c@d.test", "z@y.test"]),
    ("undisclosed-recipients:;", []),
    ("friends: root, admin;, x@y.test", ["root", "admin", "x@y.test"]),
    ("friends: a@b.test, c@d.test; foes: e@f.test; root", ["a@b.test", "c@d.test", "e@f.test", "root"]),
    ("Team: a@b.test; c@d.test", ["a@b.test", "c@d.test"]),
    # between semicolons, a comma belongs to a name
    ("Doe, Jo <jo@b.test>; Roe, Ann <ann@b.test>", ["jo@b.test", "ann@b.test"]),
    ("Doe, Jo <jo@b.test>;", ["jo@b.test"]),
    ("Doe, J., Jr. (ops) <jo@b.test>; root; x@y.test", ["jo@b.test", "root", "x@y.test"]),
    ("x@y.test, z@y.test; Doe, Jo <jo@b.test>", ["x@y.test", "z@y.test", "jo@b.test"]),
    ("root; admin", ["root", "admin"]),
    ("root@localhost,admin", ["root@localhost", "admin"]),
    ("jo@b.test,root", ["jo@b.test", "root"]),
    ("jo@db1, root", ["jo@db1", "root"]),
    ("root@db1,root@db2", ["root@db1", "root@db2"]),
]


@pytest.mark.parametrize(("value", "addresses"), LISTS)
def test_lists_of_addresses(value: str | list[str], addresses: list[str]) -> None:
    assert [mailbox.address for mailbox in parse_mailboxes(value)] == addresses


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Doe, John <a@b.test>", '"Doe, John" <a@b.test>'),  # community.general.mail sends it to Doe alone
        ("x@y.test, A, B, C <d@e.test>", '"A, B, C" <d@e.test>'),
        ("root, Jo <a@b.test>", "If 'root' is an address, write the addresses as a list"),
        ("a@b.test\nc@d.test", "with commas between addresses, or a list"),
        ("friends: a@b.test", "friends <a@b.test>"),
        ("Doe, Jo; Roe, Ann", "'Doe, Jo' reads as a name without an address; expected one such as Doe, Jo <jo@"),
        ("x@y.test; Doe, Jo", "'Doe, Jo' reads as a name without an address"),
        ("friends: root, Jo <a@b.test>;", '"root, Jo" <a@b.test>'),
        ("root, admin;", "use the same separator between all: root; admin"),
        ("x@y.test, Doe, Jo <jo@b.test>; z@y.test", '"Doe, Jo" <jo@b.test>'),
        ("jo@b,example", "is a comma meant as a dot.* jo@b.example, or .* blank behind the comma: jo@b, example"),
        ("x@y.test; jo@mail,example.test", "is a comma meant as a dot.* jo@mail.example.test, or"),
        ("Team: a@b.test, c@d.test", "begins with a name; expected only the addresses: a@b.test, c@d.test"),
        ("To: a@b.test, c@d.test", "begins with the name of a header field; expected only a@b.test, c@d.test"),
        ("Jo: a@b.test, Al: c@d.test", "Jo <a@b.test>"),
        ("a@b.test, and c@d.test", "expected only a comma between addresses: c@d.test"),
        ("a@b.test\n  c@d.test", "commas between addresses, or a list: a@b.test, c@d.test"),
        (["Doe, Jo <jo@b.test>"], "in quotes: \"Doe, Jo\" <jo@b.test>. If 'Doe' is an address, make it an item"),
        ("'a@b.test, c@d.test'", "expected only the address: c@d.test"),
    ],
)
def test_ambiguous_list_is_refused(text: str | list[str], words: str) -> None:
    with pytest.raises(InvalidAddress, match=words):
        parse_mailboxes(text)


def test_single_address_has_no_advice_about_lists() -> None:
    with pytest.raises(InvalidAddress, match=r'in quotes: "Doe, Jo" <jo@b\.test>\Z'):
        parse_mailbox("Doe, Jo <jo@b.test>")


@pytest.mark.parametrize("text", [text for text, _words in REFUSED])
def test_address_that_is_proposed_is_accepted(text: str) -> None:
    advice = advice_for(text)
    proposal = advice.rpartition(": ")[2] if "expected" in advice.lower() else ""
    if "@" in proposal and "write" not in proposal and "expected" not in proposal:
        assert parse_mailboxes(proposal)


def test_encoded_name_is_encoded_once() -> None:
    assert parse_mailbox("=?utf-8?Q?J=C3=BCrgen?= <a@b.test>").header() == "=?utf-8?Q?J=C3=BCrgen?= <a@b.test>"


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        mailbox = parse_mailbox(text)
    except InvalidAddress:
        return
    assert not set(mailbox.address) & set("\r\n\0<>")
    assert parse_mailbox(mailbox.address).address == mailbox.address


LOCALS = st.one_of(
    st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True).filter(
        lambda local: not local.startswith("//")
    ),
    st.sampled_from(["用户", "jürgen", '"a b"', '"a@b"', '"a,b"', '"a\\"b"', '""']),
)
DOMAINS = st.sampled_from(["b.test", "xn--bcher-kva.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
#: Without names that look encoded, and without blanks at the ends, which are dropped.
NAMES = header_text.map(lambda name: name.strip(_BLANKS)).filter(
    lambda name: "=?" not in name and len(name) <= 400 and "\t" not in name
)


@given(NAMES, LOCALS, DOMAINS)
def test_written_mailboxes_parse_back_to_the_same(name: str, local: str, domain: str) -> None:
    mailbox = Mailbox(name, local, domain)
    assert parse_mailbox(mailbox.header(None)) == mailbox
    assert parse_mailboxes(header_list((mailbox, mailbox), None)) == [mailbox, mailbox]


@given(st.text(max_size=60))
def test_any_list_is_parsed_or_refused(text: str) -> None:
    with suppress(InvalidAddress):
        assert parse_mailboxes(f"a@b.test,{text}")[0].address == "a@b.test"


def test_each_recipient_occurs_once_in_the_given_order() -> None:
    mailboxes = [parse_mailbox(text) for text in ("b@x.test", "A <a@x.test>", "b@x.test")]
    assert unique_addresses(mailboxes) == ("b@x.test", "a@x.test")
