# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIME parts, from content to bytes (RFC 2045, RFC 2046, RFC 2183, RFC 2387, RFC 2392)."""

from __future__ import annotations

import functools
import re
import secrets
import typing as t
from dataclasses import dataclass

from .charsets import UTF_8, Charset
from .errors import InvalidMediaType, InvalidMessage
from .headers import header_field, parameter
from .transfer import Encoded, as_it_is, encode_base64, encode_text_body, with_crlf

_NAME = r"[A-Za-z0-9!#$&^_.+-]+"
_MEDIA_TYPE = re.compile(rf"({_NAME}/{_NAME})((?:\s*;\s*{_NAME}=(?:{_NAME}|\"[ !#-\[\]-~]*\"))*)\Z")
_CONTENT_ID = re.compile(r"[!-;=?-~]+\Z")
_DISPOSITIONS = ("attachment", "inline")


class Part(t.NamedTuple):
    """One entity: its header fields and its body, both as they stand in the message.

    :param body: in pieces, so that a large attachment is copied once, into the message.
    """

    header: bytes
    body: tuple[bytes, ...]

    def pieces(self) -> tuple[bytes, ...]:
        return (self.header, b"\r\n", *self.body)


@dataclass(frozen=True)
class Attachment:
    """A file to send along.

    :param name: file name as the reader sees it; empty for none.
    :param content: octets.
    :param media_type: ``type/subtype``, with or without parameters.
    :param content_id: what the HTML calls it after ``cid:``, with or without angle brackets; empty for none.
    :param disposition: ``attachment`` or ``inline``; empty is inline for what has a content_id.
    :param charset: of text; empty is found in the content.
    :raises InvalidMediaType: from construction.
    :raises InvalidMessage: from construction; the content_id or the disposition is none.
    """

    name: str
    content: bytes
    media_type: str = "application/octet-stream"
    content_id: str = ""
    disposition: str = ""
    charset: str = ""

    def __post_init__(self) -> None:
        if not _MEDIA_TYPE.match(self.media_type):
            raise InvalidMediaType(f"{self.media_type!r} is no media type; expected something like text/csv")
        if self.content_id and not _CONTENT_ID.match(self.bare_content_id):
            raise InvalidMessage(f"{self.content_id!r} is no content id; expected a word such as logo")
        if self.disposition and self.disposition not in _DISPOSITIONS:
            raise InvalidMessage(f"{self.disposition!r} is no disposition; expected attachment or inline")

    @property
    def bare_content_id(self) -> str:
        cid = self.content_id
        return cid[1:-1] if cid.startswith("<") and cid.endswith(">") else cid

    @property
    def is_message(self) -> bool:
        return self.media_type.partition(";")[0].strip().lower() == "message/rfc822"

    @functools.cached_property
    def part(self) -> Part:
        """The entity, encoded once however many messages carry it."""
        return _file_part(self, encode_base64(self.content), _typed(self))


def text_part(
    text: str, subtype: str, charset: Charset = UTF_8, eight_bit: bool = False, parameters: str = "", what: str = "body"
) -> Part:
    """A body part of text, as it is where a server takes that, encoded the shorter way otherwise.

    :param parameters: further parameters of Content-Type, written already.
    :param what: what the text is, for an error.
    :raises InvalidMessage: a character that the charset lacks.
    """
    if len(text) > _LARGE:
        return _text_part(text, subtype, charset, eight_bit, parameters, what)
    return _remembered_text_part(text, subtype, charset, eight_bit, parameters, what)


def _text_part(text: str, subtype: str, charset: Charset, eight_bit: bool, parameters: str, what: str) -> Part:
    content = charset.encode(with_crlf(text), f"the {what}")
    encoding, body = encode_text_body(content, eight_bit)
    label = "us-ascii" if text.isascii() else charset.label
    return Part(_text_header(subtype, label, parameters, encoding), (body,))


#: The same text often goes to many recipients; this many characters are worth keeping.
_LARGE = 256 * 1024
_remembered_text_part = functools.lru_cache(maxsize=8)(_text_part)


@functools.lru_cache(maxsize=64)
def _text_header(subtype: str, label: str, parameters: str, encoding: str) -> bytes:
    header = header_field("Content-Type", f"text/{subtype}{parameter('charset', label)}{parameters}")
    return header + header_field("Content-Transfer-Encoding", encoding)


def attachment_part(attachment: Attachment, eight_bit: bool = False) -> Part:
    """An attachment in base64, except for a message, which stays readable to servers (RFC 2046 section 5.2.1).

    A message that this transport would need encoded goes as a file of unknown type: a type that readers can save beats
    one that breaks the rules.
    """
    if not attachment.is_message:
        return attachment.part
    content = with_crlf(attachment.content.decode("latin-1")).encode("latin-1")
    plain = as_it_is(content, eight_bit)
    if plain:
        return _file_part(attachment, plain, attachment.media_type)
    return _file_part(attachment, encode_base64(attachment.content), "application/octet-stream")


def multipart(subtype: str, parts: t.Sequence[Part], parameters: str = "") -> Part:
    """Several parts in one, or the only part itself (RFC 2046 section 5.1)."""
    if len(parts) == 1:
        return parts[0]
    # "=_" cannot occur in base64 or quoted-printable, and 96 random bits not elsewhere
    boundary = f"=_{secrets.token_hex(12)}"
    delimiter = f"--{boundary}\r\n".encode("ascii")
    body: list[bytes] = []
    for part in parts:
        body += (delimiter, *part.pieces(), b"\r\n")
    body.append(f"--{boundary}--\r\n".encode("ascii"))
    return Part(
        header_field("Content-Type", f"multipart/{subtype}{parameters}{parameter('boundary', boundary)}"), tuple(body)
    )


def related(html: Part, images: t.Sequence[Part]) -> Part:
    """HTML with the images it shows (RFC 2387 section 3)."""
    return multipart("related", [html, *images], parameter("type", "text/html"))


def _typed(attachment: Attachment) -> str:
    """The media type; with a charset for text, which readers would otherwise guess."""
    media_type = attachment.media_type
    if not media_type.lower().startswith("text/") or "charset=" in media_type.lower():
        return media_type
    charset = attachment.charset or _charset_of(attachment.content)
    return media_type + (parameter("charset", charset) if charset else "")


def _charset_of(content: bytes) -> str:
    if content.isascii():
        return "us-ascii"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "utf-8"


def _file_part(attachment: Attachment, encoded: Encoded, media_type: str) -> Part:
    """A file, named in both fields, since readers look at either."""
    name = attachment.name.encode("utf-8", "replace").decode("utf-8")  # not all file names are text
    disposition = attachment.disposition or ("inline" if attachment.content_id else "attachment")
    header = [
        header_field("Content-Type", media_type + (parameter("name", name) if name else "")),
        header_field("Content-Transfer-Encoding", encoded.encoding),
        header_field("Content-Disposition", disposition + (parameter("filename", name) if name else "")),
    ]
    if attachment.content_id:
        header.append(header_field("Content-ID", f"<{attachment.bare_content_id}>"))
    return Part(b"".join(header), (encoded.body,))
