# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attachments and invitations: types, encodings, and the errors for invalid ones."""

from __future__ import annotations

import typing as t
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._message.attachments import (
    Attachment,
    Invitation,
    from_content,
    from_file,
    from_text,
)
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import (
    InvalidMediaType,
    InvalidMessage,
    MessageError,
)
from ansible_collections.mailops.smtp.tests.unit.support.messages import (
    any_text,
    composed,
    read_back,
    text_of,
    written,
)

ICS = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Übung\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


@given(st.lists(st.tuples(st.sampled_from(["a.bin", "b.csv", "c.eml.gz"]), st.binary(max_size=400)), min_size=1))
def test_any_content_reads_back_unchanged(files: list[tuple[str, bytes]]) -> None:
    parsed = read_back(attachments=[from_content(content, name) for name, content in files])
    attached = list(parsed.iter_attachments())
    assert [(part.get_filename(), part.get_payload(decode=True)) for part in attached] == files


@pytest.mark.parametrize(
    ("attachment", "content_type"),
    [
        (from_content(b"x", "a.csv"), "text/csv; charset=us-ascii; name=a.csv"),
        (from_content("ü".encode(), "a.csv"), "text/csv; charset=utf-8; name=a.csv"),
        (from_content("ü".encode("latin-1"), "a.csv"), "text/csv; name=a.csv"),
        (from_text("ü", "a.csv"), "text/csv; charset=utf-8; name=a.csv"),
        (from_text("x", "a.csv"), "text/csv; charset=utf-8; name=a.csv"),
        (from_content(b"x", "a", "text/csv; charset=utf-16; header=no"), "text/csv; charset=utf-16; header=no; name=a"),
        (from_content(b"x", "backup.tar.gz"), "application/gzip; name=backup.tar.gz"),
        (from_content(b"x", "unknown.thing"), "application/octet-stream; name=unknown.thing"),
        (from_content(b"x", "a.png", "image/x-mine"), "image/x-mine; name=a.png"),
    ],
)
def test_content_type_follows_name_content_and_option(attachment: Attachment, content_type: str) -> None:
    assert f"Content-Type: {content_type}\r\n".encode() in written(attachments=[attachment])


MAIL = b"From: a@b.test\nSubject: inner\n\nGr\xc3\xbc\xc3\x9fe\n"


@pytest.mark.parametrize(
    ("content", "content_type", "encoding"),
    [
        (MAIL.replace(b"\xc3", b"").replace(b"\xbc", b"u").replace(b"\x9f", b"ss"), "message/rfc822", "7bit"),
        (MAIL, "application/octet-stream", "base64"),
        (b"Subject: " + b"x" * 1000 + b"\n\n", "application/octet-stream", "base64"),
    ],
)
def test_attached_message_is_never_in_base64(content: bytes, content_type: str, encoding: str) -> None:
    """RFC 2046 section 5.2.1: a message that needs an encoding goes as a file of unknown type."""
    result = composed(attachments=[from_content(content, "inner.eml")])
    part = next(iter(message_from_bytes(result.content, policy=policy.default).iter_attachments()))
    assert (part.get_content_type(), part["Content-Transfer-Encoding"]) == (content_type, encoding)
    assert part.get_filename() == "inner.eml"
    if encoding == "base64":
        assert part.get_payload(decode=True) == content
    else:
        assert content.replace(b"\n", b"\r\n") in result.content
        assert part.get_content()["Subject"] == "inner"


def test_an_attachment_is_encoded_once() -> None:
    file = Attachment("a.bin", b"x" * 1000)
    for index in range(3):
        written(attachments=[file], subject=str(index))
    assert file.part is file.part


def test_invitation_has_the_method_of_its_content() -> None:
    """RFC 6047 section 2.4."""
    parsed = read_back(invitation=Invitation(ICS.replace("REQUEST", "cancel").replace("\r\n", "\n")))
    calendar = next(part for part in parsed.walk() if part.get_content_type() == "text/calendar")
    assert calendar["Content-Type"].params == {"charset": "utf-8", "method": "CANCEL"}
    assert text_of(calendar) == ICS.replace("REQUEST", "cancel").replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Invitation("hello"), InvalidMessage, "BEGIN:VCALENDAR"),
        (lambda: Invitation(ICS.replace("METHOD", "X-METHOD")), InvalidMessage, "METHOD:REQUEST"),
        (lambda: from_content(b"", "x", "text"), InvalidMediaType, "text/csv"),
        (lambda: from_content(b"", "x", "text/csv\r\nX: y"), InvalidMediaType, "text/csv"),
        (lambda: from_content(b"", "x", "text/csv; a"), InvalidMediaType, "text/csv"),
        (lambda: from_content(b"", "x", content_id="a b"), InvalidMessage, "'a b' is not a valid content ID"),
        (lambda: from_content(b"", "x", content_id="<>"), InvalidMessage, "'<>' is not a valid content ID"),
        (lambda: from_text("a\udc80", "x.txt"), InvalidMessage, "the attachment x.txt is not valid text"),
        (lambda: written(attachments=[Attachment("a\nb", b"")]), MessageError, "line break"),
    ],
)
def test_invalid_attachment_or_invitation_is_refused(
    make: t.Callable[[], object], error: type[MessageError], words: str
) -> None:
    with pytest.raises(error, match=words):
        make()


def test_file_is_read_at_once_and_a_missing_one_named(tmp_path: Path) -> None:
    (tmp_path / "build.log").write_bytes(b"all good")
    assert from_file(str(tmp_path / "build.log")) == Attachment("build.log", b"all good", "text/plain")
    with pytest.raises(InvalidMessage, match=r"missing\.log cannot be read: No such file"):
        from_file(str(tmp_path / "missing.log"))


@given(any_text)
def test_any_text_file_reads_back_unchanged(text: str) -> None:
    """Every octet, including line ends."""
    part = next(read_back(attachments=[from_text(text, "a.txt")]).iter_attachments())
    assert part.get_payload(decode=True) == text.encode()
