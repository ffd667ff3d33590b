# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attachments from files and from content."""

from __future__ import annotations

import mimetypes
import os

from .errors import InvalidMessage
from .mime import Attachment

_UNKNOWN = "application/octet-stream"


def from_file(path: str, name: str | None = None, media_type: str | None = None) -> Attachment:
    """Read a file now, so that a missing one is found before anything is sent.

    :raises InvalidMessage: it cannot be read; says which and why.
    """
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise InvalidMessage(f"the attachment {path} cannot be read: {error.strerror}") from error
    return from_content(content, name or os.path.basename(path), media_type)


def from_content(content: bytes, name: str, media_type: str | None = None) -> Attachment:
    """An attachment made of octets; the type follows the name where none is given."""
    guessed, encoding = mimetypes.guess_type(name)
    return Attachment(name, content, media_type or (_UNKNOWN if encoding else guessed or _UNKNOWN))
