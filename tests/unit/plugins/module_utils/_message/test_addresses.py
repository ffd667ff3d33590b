# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: the forms that are accepted, and the errors for those that are refused."""

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
    ("", "is not a valid address; expected one such as ops@example.com"),
    ("a@", "is not a valid address: .* is not a valid domain"),
    ("ops@straße.test", "to different domains"),
    ("@example.com", "is not a valid address; expected one such as ops@example.com"),
    ("a b@example.com", "is not a valid address; expected one such as ops@example.com"),
    ("a..b@example.com", "is not a valid address; expected one such as ops@example.com"),
    ("a@exa mple.com", "is not a valid address: .* is not a valid domain"),
    ("a@-example.com", "is not a valid address: .* is not a valid domain"),
    ("a@example..com", "is not a valid address: .* is not a valid domain"),
    ("a@example.com\r\nBcc: x@y", "control character"),
    ("a@b.test, c@d.test", "2 addresses"),
    ("Doe, John <a@b.test>", "name that contains a comma in quotes"),
    ('"Doe <a@b.test>', "is never closed"),
    ("a@b.test>", "was never opened"),
    ("Doe (x) <y> <a@b.test>", "needs quotes"),
    ("a" * 65 + "@b.test", "is not a valid address; expected one such as ops@example.com"),
    ("a@" + "b" * 64 + ".test", "is not a valid address: .* is not a valid domain"),
    ("ü" * 33 + "@b.test", "is not a valid address; expected one such as ops@example.com"),
    ("a@straße.example", "xn--"),
    ("a@" + "ü" * 60 + ".test", "is not a valid address: .* is not a valid domain"),
    ("a@x\u200db.test", "xn--"),
    ("a\u00a0b@b.test", "is not a valid address; expected one such as ops@example.com"),
    ("a\tb@b.test", "control character"),
    ("a\x85@b.test", "control character"),
    ("a\udc80@b.test", "control character"),
    ("friends: a@b.test, c@d.test;", "2 addresses"),
    ("friends: a@b.test;", "not a group or a URI"),
    ("a@b.test; c@d.test", "with commas between"),
    ("a@b.test;", "not a group or a URI"),
    ("mailto:a@b.test", "not a group or a URI"),
    ("(x) a@b.test", "is not a valid address; expected one such as ops@example.com"),
    ("a(x)@b.test", "is not a valid address; expected one such as ops@example.com"),
    ('"Doe" "Jo" <a@b.test>', "needs quotes"),
    ('"<"@b.test', "is not a valid address; expected one such as ops@example.com"),
    (".a@b.test", "is not a valid address; expected one such as ops@example.com"),
    ("a.@b.test", "is not a valid address; expected one such as ops@example.com"),
]


@pytest.mark.parametrize(("text", "mailbox"), GOOD)
def test_valid_address(text: str, mailbox: Mailbox) -> None:
    assert parse_mailbox(text) == mailbox


@pytest.mark.parametrize(("text", "words"), BAD)
def test_invalid_address_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidAddress, match=words):
        parse_mailbox(text)


def test_lists_of_addresses() -> None:
    found = parse_mailboxes('a@b.test, "Doe, Jo" <jo@c.test>,root,')
    assert [mailbox.address for mailbox in found] == ["a@b.test", "jo@c.test", "root"]
    assert parse_mailboxes("") == []
    assert parse_mailboxes(" , ,") == []
    found = parse_mailboxes(["a@b.test", "", '"Doe, Jo" <jo@c.test>, x@y.test'])
    assert [mailbox.address for mailbox in found] == ["a@b.test", "jo@c.test", "x@y.test"]


def test_unquoted_comma_in_a_name_is_refused() -> None:
    """community.general.mail sends this message to ``Doe`` and drops the address."""
    with pytest.raises(InvalidAddress, match='"Doe, John" <a@b.test>'):
        parse_mailboxes("Doe, John <a@b.test>")


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
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
#: Without names that look encoded: these are written encoded, and only a mail program decodes them.
NAMES = header_text.map(str.strip).filter(lambda name: "=?" not in name and len(name) <= 400 and "\t" not in name)


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
