# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIME parts, from content to bytes (RFC 2045, RFC 2046, RFC 2183)."""

from __future__ import annotations

import binascii
import re
import secrets
import typing as t
from dataclasses import dataclass

from .errors import InvalidMediaType
from .headers import header_field, parameter

#: RFC 5322 section 2.1.1.
_MAX_LINE = 998
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+\Z")


class Part(t.NamedTuple):
    """One entity: its header fields and its body, both as they stand in the message."""

    header: bytes
    body: bytes

    def to_bytes(self) -> bytes:
        return self.header + b"\r\n" + self.body


@dataclass(frozen=True)
class Attachment:
    """A file to send along.

    :param name: file name as the reader sees it.
    :param content: octets.
    :param media_type: ``type/subtype``.
    :raises InvalidMediaType: from construction.
    """

    name: str
    content: bytes
    media_type: str = "application/octet-stream"

    def __post_init__(self) -> None:
        if not _MEDIA_TYPE.match(self.media_type):
            raise InvalidMediaType(f"{self.media_type!r} is no media type; expected something like text/csv")


def text_part(text: str, subtype: str) -> Part:
    """A body part of text in UTF-8, as it is where it is short-lined ASCII, encoded the shorter way otherwise."""
    content = _with_crlf(text)
    encoding, body = _encode_text(content)
    charset = "us-ascii" if content.isascii() else "utf-8"
    header = header_field("Content-Type", f"text/{subtype}{parameter('charset', charset)}")
    return Part(header + header_field("Content-Transfer-Encoding", encoding), body)


def attachment_part(attachment: Attachment) -> Part:
    """An attachment in base64, named in both fields, since readers look at either."""
    name = attachment.name
    header = (
        header_field("Content-Type", attachment.media_type + parameter("name", name))
        + header_field("Content-Transfer-Encoding", "base64")
        + header_field("Content-Disposition", "attachment" + parameter("filename", name))
    )
    return Part(header, _base64_lines(attachment.content))


def multipart(subtype: str, parts: t.Sequence[Part]) -> Part:
    """Several parts in one, or the only part itself (RFC 2046 section 5.1)."""
    if len(parts) == 1:
        return parts[0]
    # "=_" cannot occur in base64 or quoted-printable, and 96 random bits not elsewhere
    boundary = f"=_{secrets.token_hex(12)}"
    delimiter = f"--{boundary}\r\n".encode("ascii")
    body = b"".join(delimiter + part.to_bytes() + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode("ascii")
    return Part(header_field("Content-Type", f"multipart/{subtype}{parameter('boundary', boundary)}"), body)


def _with_crlf(text: str) -> bytes:
    """Line ends as RFC 5322 section 2.3 wants them, the last line ended."""
    content = re.sub(r"\r\n|\r|\n", "\r\n", text).encode("utf-8")
    return content if content.endswith(b"\r\n") or not content else content + b"\r\n"


def _encode_text(content: bytes) -> tuple[str, bytes]:
    short_lines = all(len(line) <= _MAX_LINE for line in content.split(b"\r\n"))
    if content.isascii() and short_lines and b"\0" not in content:
        return "7bit", content
    quoted = binascii.b2a_qp(content, istext=True)
    encoded = _base64_lines(content)
    if len(quoted) <= len(encoded):
        return "quoted-printable", quoted
    return "base64", encoded


def _base64_lines(content: bytes) -> bytes:
    """Base64 in lines of 76 characters (RFC 2045 section 6.8)."""
    return b"".join(
        binascii.b2a_base64(content[start : start + 57], newline=False) + b"\r\n"
        for start in range(0, len(content), 57)
    )
