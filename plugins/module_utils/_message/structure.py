# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nesting of a message's parts, so that each reader shows the best one it can (RFC 2046 section 5.1)::

    mixed( alternative( text, related( HTML, its images ), invitation ), attachments )

A level with a single part is left out: a message of plain text is one part.
"""

from __future__ import annotations

import functools
import typing as t

from .attachments import Attachment, attachment_part
from .charsets import Charset
from .errors import InvalidMessage
from .message import Message
from .mime import Part, multipart, related, text_part


def body_part(message: Message, charset: Charset) -> Part:
    """Return everything below the header of the message.

    :raises InvalidMessage: a character that the charset cannot represent, or two files with the same content ID.
    """
    files = [*message.attachments]
    images: list[Attachment] = []
    if files:
        _check_content_ids(files)
        images = [file for file in files if message.html is not None and _is_shown(file)]
        files = [file for file in files if file not in images] if images else files
    texts = _alternatives(message, charset, images)
    return multipart("mixed", [multipart("alternative", texts), *(attachment_part(file) for file in files)])


def _alternatives(message: Message, charset: Charset, images: t.Sequence[Attachment]) -> list[Part]:
    """Return the alternatives from the plainest to the richest (RFC 2046 section 5.1.4)."""
    parts = []
    if message.body is not None:
        parts.append(text_part(message.body, "plain", charset))
    elif message.html is not None:
        text = _derived_text(message.html)
        if text:  # no text can be derived from HTML that shows only images
            parts.append(text_part(text, "plain", charset, what="html"))
    if message.html is not None:
        html = text_part(message.html, "html", charset, what="html")
        parts.append(related(html, [image.part for image in images]) if images else html)
    if message.invitation:
        parts.append(message.invitation.part())
    return parts or [text_part("", "plain")]


@functools.lru_cache(maxsize=4)  # the same HTML often goes to many recipients
def _derived_text(html: str) -> str:
    from .html_text import html_to_text

    return html_to_text(html)


def _is_shown(file: Attachment) -> bool:
    return bool(file.content_id) and not file.is_message


def _check_content_ids(files: t.Sequence[Attachment]) -> None:
    seen: set[str] = set()
    for file in files:
        if file.content_id and file.bare_content_id in seen:
            raise InvalidMessage(f"two attachments have the content ID {file.content_id!r}; give each its own cid")
        seen.add(file.bare_content_id)
