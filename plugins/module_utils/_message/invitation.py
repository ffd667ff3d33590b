# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calendar invitations (RFC 5545, RFC 6047 section 2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import InvalidMessage
from .headers import parameter
from .mime import Attachment, Part, text_part
from .transfer import with_crlf

_METHOD = re.compile(r"^METHOD(?:;[^:\r\n]*)?:[ \t]*([A-Za-z0-9-]+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Invitation:
    """An event that the reader can accept from the message.

    :param content: an iCalendar object with a METHOD such as REQUEST or CANCEL.
    :param attach_as: file name under which it is attached too, for readers that know no invitations; empty for not.
    :raises InvalidMessage: from construction; it is no iCalendar object, or names no method.
    """

    content: str
    attach_as: str = ""

    def __post_init__(self) -> None:
        if not self.content.lstrip().upper().startswith("BEGIN:VCALENDAR"):
            raise InvalidMessage(
                "the invitation is no iCalendar object; expected text that starts with BEGIN:VCALENDAR"
            )
        if not _METHOD.search(self.content):
            raise InvalidMessage("the invitation names no method; expected a line such as METHOD:REQUEST")

    @property
    def method(self) -> str:
        """What the reader is asked; the part must say the same as the content (RFC 6047 section 2.4)."""
        match = _METHOD.search(self.content)
        return match.group(1).upper() if match else ""

    def part(self, eight_bit: bool = False) -> Part:
        """The alternative to the texts that a calendar understands. iCalendar is UTF-8 (RFC 5545 section 3.1.4)."""
        method = parameter("method", self.method)
        return text_part(self.content.strip(), "calendar", eight_bit=eight_bit, parameters=method, what="invitation")

    def attachments(self) -> tuple[Attachment, ...]:
        """The same as a file, where asked for."""
        if not self.attach_as:
            return ()
        return (Attachment(self.attach_as, with_crlf(self.content.strip()).encode("utf-8"), "application/ics"),)
