# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: what is taken, what is refused, and with which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import (
    Mailbox,
    parse_mailbox,
    parse_mailboxes,
    unique_addresses,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import InvalidAddress

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
]
BAD = [
    ("", "no address"),
    ("a@", "no valid domain"),
    ("ops@straße.test", "ASCII form"),
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


def test_each_recipient_once_in_order() -> None:
    mailboxes = [parse_mailbox(text) for text in ("b@x.test", "A <a@x.test>", "b@x.test")]
    assert unique_addresses(mailboxes) == ("b@x.test", "a@x.test")
