# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: what is taken, what is refused, and with which words."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import (
    Mailbox,
    header_list,
    parse_mailbox,
    parse_mailboxes,
    unique_addresses,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidAddress
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
    ("jo@example.com (Jo Doe)", Mailbox("Jo Doe", "jo", "example.com")),
    ("Backup (prod) <b@example.com>", Mailbox("Backup (prod)", "b", "example.com")),
    ('"" <jo@example.com>', Mailbox("", "jo", "example.com")),
    (r'"a\\" <jo@example.com>', Mailbox("a\\", "jo", "example.com")),
    ("a@[IPv6:2001:db8::1]", Mailbox("", "a", "[IPv6:2001:db8::1]")),
    ("info@BÜCHER.example", Mailbox("", "info", "xn--bcher-kva.example")),
    ("info@bücher。example", Mailbox("", "info", "xn--bcher-kva.example")),
    ("a@Example.COM", Mailbox("", "a", "Example.COM")),
    ("o'hara@example.com", Mailbox("", "o'hara", "example.com")),
]
BAD = [
    ("", "no address"),
    ("a@", "no valid domain"),
    ("ops@straße.test", "different domains"),
    ("@example.com", "no address"),
    ("a b@example.com", "no address"),
    ("a..b@example.com", "no address"),
    ("a@exa mple.com", "no valid domain"),
    ("a@-example.com", "no valid domain"),
    ("a@example..com", "no valid domain"),
    ("a@example.com\r\nBcc: x@y", "control character"),
    ("a@b.test, c@d.test", "2 addresses"),
    ("Doe, John <a@b.test>", "in quotes"),
    ('"Doe <a@b.test>', "never closes"),
    ("a@b.test>", "never opened"),
    ("Doe (x) <y> <a@b.test>", "needs quotes"),
    ("a" * 65 + "@b.test", "no address"),
    ("a@" + "b" * 64 + ".test", "no valid domain"),
    ("ü" * 33 + "@b.test", "no address"),
    ("a@straße.example", "xn--"),
    ("a@" + "ü" * 60 + ".test", "no valid domain"),
    ("a@x\u200db.test", "xn--"),
    ("a\u00a0b@b.test", "no address"),
    ("a\tb@b.test", "control character"),
    ("a\x85@b.test", "control character"),
    ("a\udc80@b.test", "control character"),
    ("friends: a@b.test, c@d.test;", "2 addresses"),
    ("friends: a@b.test;", "no group"),
    ("a@b.test; c@d.test", "commas between"),
    ("a@b.test;", "no group"),
    ("mailto:a@b.test", "no URI"),
    ("(x) a@b.test", "no address"),
    ("a(x)@b.test", "no address"),
    ('"Doe" "Jo" <a@b.test>', "needs quotes"),
    ('"<"@b.test', "no address"),
    (".a@b.test", "no address"),
    ("a.@b.test", "no address"),
]


@pytest.mark.parametrize(("text", "mailbox"), GOOD)
def test_good(text: str, mailbox: Mailbox) -> None:
    assert parse_mailbox(text) == mailbox


@pytest.mark.parametrize(("text", "words"), BAD)
def test_bad(text: str, words: str) -> None:
    with pytest.raises(InvalidAddress, match=words):
        parse_mailbox(text)


def test_lists() -> None:
    found = parse_mailboxes('a@b.test, "Doe, Jo" <jo@c.test>,root,')
    assert [mailbox.address for mailbox in found] == ["a@b.test", "jo@c.test", "root"]
    assert parse_mailboxes("") == []
    assert parse_mailboxes(" , ,") == []
    found = parse_mailboxes(["a@b.test", "", '"Doe, Jo" <jo@c.test>, x@y.test'])
    assert [mailbox.address for mailbox in found] == ["a@b.test", "jo@c.test", "x@y.test"]


def test_the_comma_that_loses_a_recipient() -> None:
    """community.general.mail sends this one to ``Doe`` and drops the address."""
    with pytest.raises(InvalidAddress, match='"Doe, John" <a@b.test>'):
        parse_mailboxes("Doe, John <a@b.test>")


@given(st.text(max_size=60))
def test_anything_is_taken_or_refused(text: str) -> None:
    try:
        mailbox = parse_mailbox(text)
    except InvalidAddress:
        return
    assert not set(mailbox.address) & set("\r\n\0<>")
    assert parse_mailbox(mailbox.address).address == mailbox.address


LOCALS = st.one_of(
    st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True),
    st.sampled_from(["用户", "jürgen", '"a b"', '"a@b"', '"a,b"', '"a\\"b"', '""']),
)
DOMAINS = st.sampled_from(["", "b.test", "xn--bcher-kva.example", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
#: What looks encoded is written encoded, and only a mail program decodes it.
NAMES = header_text.map(str.strip).filter(lambda name: "=?" not in name and len(name) <= 400 and "\t" not in name)


@given(NAMES, LOCALS, DOMAINS)
def test_what_is_written_is_read_again(name: str, local: str, domain: str) -> None:
    mailbox = Mailbox(name, local, domain)
    assert parse_mailbox(mailbox.header(None)) == mailbox
    assert parse_mailboxes(header_list((mailbox, mailbox), None)) == [mailbox, mailbox]


@given(st.text(max_size=60))
def test_any_list_is_taken_or_refused(text: str) -> None:
    with suppress(InvalidAddress):
        assert parse_mailboxes(f"a@b.test,{text}")[0].address == "a@b.test"


def test_each_recipient_once_in_order() -> None:
    mailboxes = [parse_mailbox(text) for text in ("b@x.test", "A <a@x.test>", "b@x.test")]
    assert unique_addresses(mailboxes) == ("b@x.test", "a@x.test")
