# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composed messages, read back with the parser of the standard library."""

from __future__ import annotations

import time
import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import Mailbox, parse_mailbox
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import (
    InvalidHeader,
    InvalidMessage,
    MessageError,
)
from ansible_collections.mailops.smtp.tests.unit.support.messages import (
    RECIPIENT,
    any_text,
    composed,
    header_text,
    parse,
    read_back,
    text_of,
    with_line_ends,
    written,
)


def test_plain_ascii_stays_readable() -> None:
    content = written(sender=parse_mailbox("a@a.test"), body="one\ntwo")
    assert content.endswith(b"Content-Transfer-Encoding: 7bit\r\n\r\none\r\ntwo\r\n")
    assert b"Subject: Hello\r\n" in content
    assert b"Cc:" not in content


BODIES = [
    "",
    "short",
    "line\r\nline\rline\n",
    ".leading dot\n..two\n",
    "From here\n",
    "häufig ein Umlaut",
    "部署完成" * 500,
    "x" * 1500,
    "trailing space \n\ttab\n",
    "nul \0 byte",
    "\n\n\n",
]


@pytest.mark.parametrize("text", BODIES)
def test_text_reads_back_unchanged(text: str) -> None:
    parsed = read_back(body=text)
    assert parsed.get_content_type() == "text/plain"
    assert text_of(parsed) == with_line_ends(text)


@pytest.mark.parametrize("html", BODIES)
def test_html_reads_back_unchanged(html: str) -> None:
    parsed = read_back(body=None, html=html)
    is_shown = bool(html.strip())
    assert parsed.get_content_type() == ("multipart/alternative" if is_shown else "text/html")
    part = parsed.get_body(("html",))
    assert part is not None
    assert part.get_content_type() == "text/html"
    assert text_of(part) == with_line_ends(html)


@given(any_text)
def test_any_text_reads_back_unchanged(text: str) -> None:
    assert text_of(read_back(body=text)).rstrip("\n") == with_line_ends(text).rstrip("\n")


@given(any_text, any_text)
def test_any_html_reads_back_unchanged(html: str, body: str) -> None:
    parsed = read_back(html=html, body=body)
    part = parsed.get_body(("html",))
    assert part is not None
    assert text_of(part).rstrip("\n") == with_line_ends(html).rstrip("\n")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        ("ascii", "7bit"),
        ("häufig ein Umlaut", "quoted-printable"),
        ("部署完成", "base64"),
        ("Grüße", "base64"),
        ("ü" * 600, "base64"),  # one line of 1200 octets
        ("x" * 999, "quoted-printable"),
        ("x" * 998, "7bit"),
        ("nul \0 byte", "quoted-printable"),
    ],
)
def test_text_has_the_shortest_transfer_encoding(body: str, encoding: str) -> None:
    """Only ASCII in short lines is sent unencoded, so that the server does not need 8BITMIME."""
    result = composed(body=body)
    parsed = parse(result.content)
    assert parsed["Content-Transfer-Encoding"] == encoding
    assert result.content.isascii()
    assert text_of(parsed) == body + "\n"


@pytest.mark.parametrize(
    ("changes", "sender", "recipients"),
    [
        ({}, "j@a.test", ("r@b.test",)),
        ({"bcc": [parse_mailbox("hidden@x.test")], "cc": [RECIPIENT]}, "j@a.test", ("r@b.test", "hidden@x.test")),
        ({"envelope_sender": ""}, "", ("r@b.test",)),
        ({"envelope_sender": "<>"}, "", ("r@b.test",)),
        ({"envelope_sender": "bounces+r=b.test@a.test"}, "bounces+r=b.test@a.test", ("r@b.test",)),
        ({"to": [], "bcc": [RECIPIENT]}, "j@a.test", ("r@b.test",)),
        ({"sender": parse_mailbox("root"), "to": [parse_mailbox("root")]}, "root", ("root",)),
    ],
)
def test_envelope_sender_and_recipients(changes: dict[str, t.Any], sender: str, recipients: tuple[str, ...]) -> None:
    result = composed(**changes)
    assert (result.sender, result.recipients) == (sender, recipients)
    assert b"hidden" not in result.content


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"to": []}, InvalidMessage, "no recipient"),
        ({"envelope_sender": "a b"}, MessageError, "envelope_from: 'a b' is not a valid address"),
        ({"headers": {"X-A\r\nBcc": "x"}}, InvalidHeader, "is not a valid header name"),
        ({"headers": {"": "x"}}, InvalidHeader, "is not a valid header name"),
        ({"headers": {"X-A": "x\r\nBcc: y@z"}}, InvalidHeader, "X-A: .* control character"),
        ({"headers": {"X-A": "x\u2028y"}}, InvalidHeader, "line break"),
        ({"subject": "a\nBcc: x@y"}, InvalidHeader, "subject: .* line break"),
        ({"subject": "a\udc80"}, InvalidHeader, "subject: "),
        ({"sender": Mailbox("a\nb", "a", "a.test")}, InvalidHeader, "line break"),
        ({"message_id": "<a b>"}, InvalidMessage, "'<a b>' is not a valid Message-ID"),
        ({"message_id_domain": "a b"}, MessageError, "'a b' is not a valid domain"),
    ],
)
def test_invalid_message_is_refused(changes: dict[str, t.Any], error: type[MessageError], words: str) -> None:
    with pytest.raises(error, match=words):
        written(**changes)


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, False),
        ({"to": [parse_mailbox("info@bücher.example")]}, False),
        ({"to": [parse_mailbox("用户@例子.example")]}, True),
        ({"sender": parse_mailbox("用户@例子.example")}, True),
        ({"reply_to": [parse_mailbox("用户@例子.example")]}, True),
        ({"sent_by": parse_mailbox("用户@例子.example")}, True),
        ({"bcc": [parse_mailbox("用户@例子.example")]}, True),
        ({"envelope_sender": "用户@例子.example"}, True),
    ],
)
def test_only_local_parts_beyond_ascii_need_smtputf8(changes: dict[str, t.Any], needed: bool) -> None:
    """RFC 6531. A domain has A-labels."""
    result = composed(**changes, subject="Grüße", body="ü")
    assert result.needs_smtputf8 is needed
    assert result.content.isascii() or needed
    assert parse(result.content)["Subject"] == "Grüße"


def test_a_message_for_smtputf8_has_headers_in_utf8() -> None:
    """RFC 6532 section 3.2."""
    content = written(to=[parse_mailbox("Jürgen Groß <用户@例子.example>")], subject="Grüße aus " + "Köln " * 40 + "x")
    assert "To: Jürgen Groß <用户@xn--fsqu00a.example>\r\n".encode() in content
    assert "Subject: Grüße aus Köln".encode() in content
    assert b"=?" not in content


@given(header_text, header_text)
def test_any_header_for_smtputf8_reads_back_unchanged(subject: str, name: str) -> None:
    try:
        parsed = read_back(subject=subject, to=[Mailbox(name, "用户", "x.test")])
    except InvalidHeader:
        assert "\t" in name  # a long name without a space to fold at
        return
    assert parsed["Subject"] == subject


def test_date_is_the_given_or_the_current_time(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = timezone(timedelta(hours=-3))
    moment = datetime(2026, 11, 21, 10, 0, 1, tzinfo=zone)
    assert read_back(date=moment)["Date"].datetime == moment
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.9)
    parsed = read_back()
    assert parsed["Date"].datetime.timestamp() == 1_700_000_000
    assert parsed["Date"].datetime.tzinfo is not None


def test_message_ids_are_unique_and_in_the_given_domain() -> None:
    ids = {composed().message_id for index in range(100)}
    assert len(ids) == 100
    assert all(identifier.endswith("@a.test>") for identifier in ids)
    assert composed(message_id_domain="bücher.example").message_id.endswith("@xn--bcher-kva.example>")
    assert composed(sender=parse_mailbox("root")).message_id.endswith("@localhost>")
    assert composed(message_id="a.b@c").message_id == "<a.b@c>"


def test_idempotency_key_gives_the_same_id_each_time() -> None:
    first, again = composed(idempotency_key="deploy 7"), composed(idempotency_key="deploy 7", subject="other")
    assert first.message_id == again.message_id
    assert composed(idempotency_key="deploy 8").message_id != first.message_id
    assert f"Message-ID: {first.message_id}\r\n".encode() in first.content
