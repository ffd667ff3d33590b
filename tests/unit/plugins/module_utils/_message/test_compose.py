# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages: what is written is what another parser reads."""

from __future__ import annotations

import typing as t
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import Mailbox, parse_mailbox
from ansible_collections.mailops.smtp.plugins.module_utils._message.attachments import from_content, from_file
from ansible_collections.mailops.smtp.plugins.module_utils._message.compose import Message, compose
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import (
    InvalidHeader,
    InvalidMediaType,
    InvalidMessage,
    MessageError,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.headers import encode_text, header_field
from ansible_collections.mailops.smtp.plugins.module_utils._message.mime import Attachment

SENDER = parse_mailbox("Jürgen <j@a.test>")
RECIPIENT = parse_mailbox("r@b.test")


def message(**changes: t.Any) -> Message:
    defaults: dict[str, t.Any] = {"sender": SENDER, "to": [RECIPIENT], "subject": "Hello", "body": "text"}
    return Message(**{**defaults, **changes})


def written(**changes: t.Any) -> bytes:
    return compose(message(**changes)).content


def read_back(**changes: t.Any) -> EmailMessage:
    content = written(**changes)
    check_lines(content)
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not parsed.defects
    return parsed


def text_of(part: t.Any) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def check_lines(content: bytes) -> None:
    """RFC 5321 section 4.5.3.1.6, RFC 5322 section 2.3: CRLF only, no line over 998 octets."""
    assert content.endswith(b"\r\n")
    lines = content.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 998


def test_plain_ascii_stays_readable() -> None:
    content = written(sender=parse_mailbox("a@a.test"), body="one\ntwo")
    assert content.endswith(b"Content-Transfer-Encoding: 7bit\r\n\r\none\r\ntwo\r\n")
    assert b"Subject: Hello\r\n" in content
    assert b"Cc:" not in content


SUBJECTS = [
    "Hello",
    "",
    "Grüße aus Köln 🎉",
    "部署完成:生产环境 " * 8,
    "a " * 120 + "end",
    "x" * 2000,
    "looks =?utf-8?q?encoded?= but is not",
    "tab\there",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subject(subject: str) -> None:
    assert read_back(subject=subject)["Subject"] == subject


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=300))
def test_any_subject_comes_back(subject: str) -> None:
    field = header_field("Subject", encode_text(subject))
    parsed = message_from_bytes(field + b"\r\n", policy=policy.default)
    assert parsed["Subject"].strip() == subject.strip()
    assert max(map(len, field.split(b"\r\n"))) <= 998


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
]


@pytest.mark.parametrize("kind", ["body", "html"])
@pytest.mark.parametrize("text", BODIES)
def test_text(text: str, kind: str) -> None:
    parsed = read_back(**{"body": None, kind: text})
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    expected = expected if expected.endswith("\n") or not expected else expected + "\n"
    assert parsed.get_content_type() == ("text/plain" if kind == "body" else "text/html")
    assert text_of(parsed) == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=2000))
def test_any_text_comes_back(text: str) -> None:
    parsed = read_back(body=text)
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    assert text_of(parsed).rstrip("\n") == expected.rstrip("\n")


def test_alternative_with_attachments() -> None:
    files = [Attachment("a.bin", bytes(range(256)) * 10), from_content("ü,1\n".encode(), "zahlen für köln.csv")]
    parsed = read_back(html="<p>text</p>", attachments=files)
    assert parsed.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in parsed.iter_parts()] == [
        "multipart/alternative",
        "application/octet-stream",
        "text/csv",
    ]
    attached = list(parsed.iter_attachments())
    assert [part.get_filename() for part in attached] == ["a.bin", "zahlen für köln.csv"]
    assert [part.get_payload(decode=True) for part in attached] == [file.content for file in files]
    body, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert body is not None
    assert html is not None
    assert (text_of(body), text_of(html)) == ("text\n", "<p>text</p>\n")


NAMES = [
    "a.txt",
    "with space.txt",
    'quo"te\\.txt',
    "ü.txt",
    "很长的文件名" * 20 + ".pdf",
    "x" * 200 + ".log",
    "semi;colon=.txt",
]


@pytest.mark.parametrize("name", NAMES)
def test_attachment_names(name: str) -> None:
    parsed = read_back(attachments=[Attachment(name, b"x")])
    assert next(parsed.iter_attachments()).get_filename() == name


def test_headers_of_a_machine() -> None:
    parsed = read_back()
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Message-ID"].endswith("@a.test>")
    assert parsed["Date"].datetime.tzinfo is not None
    assert parsed["MIME-Version"] == "1.0"
    assert read_back(headers={"Auto-Submitted": "no"}).get_all("Auto-Submitted") == ["no"]


def test_address_headers() -> None:
    people = [Mailbox("Doe, Jo", "jo", "x.test"), Mailbox("Jörg 日本", "j", "x.test"), Mailbox("", "p", "x.test")] * 5
    parsed = read_back(cc=people, reply_to=people[:1], bcc=[parse_mailbox("hidden@x.test")])
    assert [(a.display_name, a.addr_spec) for a in parsed["Cc"].addresses] == [(p.name, p.address) for p in people]
    assert parsed["Reply-To"].addresses[0].display_name == "Doe, Jo"
    assert parsed["From"].addresses[0].display_name == "Jürgen"
    assert b"hidden" not in parsed.as_bytes()


def test_envelope() -> None:
    composed = compose(message(cc=[RECIPIENT], bcc=[parse_mailbox("hidden@x.test")]))
    assert composed.recipients == ("r@b.test", "hidden@x.test")
    assert composed.sender == "j@a.test"
    assert compose(message(envelope_sender="")).sender == ""


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"to": []}, InvalidMessage, "no recipient"),
        ({"headers": {"subject": "again"}}, InvalidMessage, "use its option"),
        ({"headers": {"X-A\r\nBcc": "x"}}, InvalidHeader, "no header name"),
        ({"headers": {"X-A": "x\r\nBcc: y@z"}}, InvalidHeader, "control character"),
        ({"subject": "a\nBcc: x@y"}, InvalidHeader, "line break"),
    ],
)
def test_refused(changes: dict[str, t.Any], error: type[MessageError], words: str) -> None:
    with pytest.raises(error, match=words):
        written(**changes)


def test_attachment_files(tmp_path: Path) -> None:
    (tmp_path / "build.log").write_bytes(b"all good")
    assert from_file(str(tmp_path / "build.log"), media_type="text/plain") == Attachment(
        "build.log", b"all good", "text/plain"
    )
    with pytest.raises(InvalidMessage, match=r"missing\.log cannot be read: No such file"):
        from_file(str(tmp_path / "missing.log"))
    with pytest.raises(InvalidMediaType, match="media type"):
        from_content(b"", "x", "text")
