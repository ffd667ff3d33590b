# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message carries beside its texts: files and a calendar invitation, each with its MIME part."""

from __future__ import annotations

import functools
import mimetypes
import os
import re
from dataclasses import dataclass

from .charsets import UTF_8
from .errors import InvalidMediaType, InvalidMessage
from .files import read_file, why_unreadable
from .headers import header_field, parameter
from .mime import Encoded, Part, as_it_is, encode_base64, text_part, with_crlf

_NAME = r"[A-Za-z0-9!#$&^_.+-]+"
_MEDIA_TYPE = re.compile(rf"({_NAME}/{_NAME})((?:\s*;\s*{_NAME}=(?:{_NAME}|\"[ !#-\[\]-~]*\"))*)\Z")
_CONTENT_ID = re.compile(r"[!-;=?-~]+\Z")
_METHOD = re.compile(r"^METHOD(?:;[^:\r\n]*)?:[ \t]*([A-Za-z0-9-]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)

_UNKNOWN = "application/octet-stream"
#: Types that the system's tables may lack, so that every host sends the same one.
_TYPES = {".eml": "message/rfc822", ".ics": "text/calendar", ".log": "text/plain", ".md": "text/markdown"}
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


@dataclass(frozen=True)
class Attachment:
    """A file to send with a message.

    :param name: file name that the reader sees; empty for none.
    :param content: octets.
    :param media_type: ``type/subtype``, with or without parameters.
    :param content_id: name by which the HTML refers to it after ``cid:``, with or without angle brackets; empty for
        none. A file with a content ID is inline, any other is an attachment (RFC 2183 section 2, RFC 2392).
    :param charset: charset of a text; if empty, it is detected from the content.
    :raises InvalidMediaType: from construction.
    :raises InvalidMessage: from construction; the content ID is not valid.
    """

    name: str
    content: bytes
    media_type: str = _UNKNOWN
    content_id: str = ""
    charset: str = ""

    def __post_init__(self) -> None:
        if not _MEDIA_TYPE.match(self.media_type):
            raise InvalidMediaType(f"{self.media_type!r} is not a valid media type; expected one such as text/csv")
        if self.content_id and not _CONTENT_ID.match(self.bare_content_id):
            raise InvalidMessage(f"{self.content_id!r} is not a valid content ID; expected a word such as logo")

    @property
    def bare_content_id(self) -> str:
        cid = self.content_id
        return cid[1:-1] if cid.startswith("<") and cid.endswith(">") else cid

    @property
    def is_message(self) -> bool:
        return self.media_type.partition(";")[0].strip().lower() == "message/rfc822"

    @functools.cached_property
    def part(self) -> Part:
        """The MIME part in base64, encoded once for all messages that carry it."""
        return _file_part(self, encode_base64(self.content), _typed(self))


@dataclass(frozen=True)
class Invitation:
    """A calendar event that the reader can accept from the message (RFC 5545, RFC 6047 section 2.4).

    :param content: an iCalendar object with a METHOD such as REQUEST or CANCEL.
    :raises InvalidMessage: from construction; the content is not an iCalendar object, or has no method.
    """

    content: str

    def __post_init__(self) -> None:
        if not self.content.lstrip().upper().startswith("BEGIN:VCALENDAR"):
            raise InvalidMessage(
                "invitation: the text is not an iCalendar object; expected text that starts with BEGIN:VCALENDAR"
            )
        if not _METHOD.search(self.content):
            raise InvalidMessage("invitation: the event has no method; add a line such as METHOD:REQUEST")

    @property
    def method(self) -> str:
        """The iCalendar method; RFC 6047 section 2.4 wants the same one in Content-Type and in the content."""
        match = _METHOD.search(self.content)
        return match.group(1).upper() if match else ""

    def part(self) -> Part:
        """Return the event as an alternative to the texts. iCalendar is UTF-8 (RFC 5545 section 3.1.4)."""
        method = parameter("method", self.method)
        return text_part(self.content.strip(), "calendar", parameters=method, what="invitation")


def from_file(path: str, name: str | None = None, media_type: str | None = None, content_id: str = "") -> Attachment:
    """Read a file at once, so that a missing one is found before anything is sent.

    :raises InvalidMessage: the file cannot be read; has path and reason.
    """
    try:
        content = read_file(path)
    except OSError as error:
        raise InvalidMessage(f"the attachment {path} {why_unreadable(path, error)}") from error
    return from_content(content, name or os.path.basename(path), media_type, content_id)


def from_content(content: bytes, name: str, media_type: str | None = None, content_id: str = "") -> Attachment:
    """Make an attachment of octets; the type defaults to the one that the name suggests."""
    return Attachment(name, content, media_type or guess_type(name), content_id)


def from_text(text: str, name: str, media_type: str | None = None, content_id: str = "") -> Attachment:
    """Make an attachment of text, in UTF-8 and with unchanged line ends.

    :raises InvalidMessage: the text contains half of a surrogate pair.
    """
    content = UTF_8.encode(text, f"the attachment {name}")
    return Attachment(name, content, media_type or guess_type(name), content_id, UTF_8.label)


def guess_type(name: str) -> str:
    """Return the media type that a file name suggests."""
    known = _TYPES.get(os.path.splitext(name)[1].lower())
    guessed, encoding = mimetypes.guess_type(name)
    return known or (_COMPRESSED.get(encoding, _UNKNOWN) if encoding else guessed or _UNKNOWN)


def attachment_part(attachment: Attachment) -> Part:
    """Return an attachment in base64; a message goes unencoded, as RFC 2046 section 5.2.1 requires.

    A message that would need an encoding goes as application/octet-stream, which complies and which readers can save.
    """
    if not attachment.is_message:
        return attachment.part
    content = with_crlf(attachment.content.decode("latin-1")).encode("latin-1")
    plain = as_it_is(content)
    if plain:
        return _file_part(attachment, plain, attachment.media_type)
    return _file_part(attachment, encode_base64(attachment.content), _UNKNOWN)


def _typed(attachment: Attachment) -> str:
    """Return the media type; a text gets a charset, which readers would otherwise guess."""
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
    """Return the part of a file, with its name in both fields: readers use one or the other."""
    name = attachment.name.encode("utf-8", "replace").decode("utf-8")  # names may contain octets that are not UTF-8
    disposition = "inline" if attachment.content_id else "attachment"
    header = [
        header_field("Content-Type", media_type + (parameter("name", name) if name else "")),
        header_field("Content-Transfer-Encoding", encoded.encoding),
        header_field("Content-Disposition", disposition + (parameter("filename", name) if name else "")),
    ]
    if attachment.content_id:
        header.append(header_field("Content-ID", f"<{attachment.bare_content_id}>"))
    return Part(b"".join(header), (encoded.body,))
