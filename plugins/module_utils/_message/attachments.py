# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attachments from files, from octets and from text."""

from __future__ import annotations

import mimetypes
import os

from .charsets import UTF_8
from .errors import InvalidMessage
from .mime import Attachment
from .texts import read_file

_UNKNOWN = "application/octet-stream"
#: What the name says where the system's tables may not know it, so that every host sends the same type.
_TYPES = {".eml": "message/rfc822", ".ics": "text/calendar", ".log": "text/plain", ".md": "text/markdown"}
_COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


def from_file(path: str, name: str | None = None, media_type: str | None = None, content_id: str = "") -> Attachment:
    """Read a file now, so that a missing one is found before anything is sent.

    :raises InvalidMessage: it cannot be read; says which and why.
    """
    try:
        content = read_file(path)
    except OSError as error:
        raise InvalidMessage(f"the attachment {path} cannot be read: {error.strerror}") from error
    return from_content(content, name or os.path.basename(path), media_type, content_id)


def from_content(content: bytes, name: str, media_type: str | None = None, content_id: str = "") -> Attachment:
    """An attachment made of octets; the type follows the name where none is given."""
    return Attachment(name, content, media_type or guess_type(name), content_id)


def from_text(text: str, name: str, media_type: str | None = None, content_id: str = "") -> Attachment:
    """An attachment made of text, in UTF-8; its line ends stay as they are.

    :raises InvalidMessage: the text holds half a surrogate pair.
    """
    content = UTF_8.encode(text, f"the attachment {name}")
    return Attachment(name, content, media_type or guess_type(name), content_id, UTF_8.label)


def guess_type(name: str) -> str:
    """The media type that a file name suggests."""
    known = _TYPES.get(os.path.splitext(name)[1].lower())
    guessed, encoding = mimetypes.guess_type(name)
    return known or (_COMPRESSED.get(encoding, _UNKNOWN) if encoding else guessed or _UNKNOWN)
