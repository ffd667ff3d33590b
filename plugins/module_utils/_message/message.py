# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as the user describes it, before it is composed."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

if t.TYPE_CHECKING:
    from .addresses import Mailbox
    from .attachments import Attachment, Invitation


class Priority(str, enum.Enum):
    """Importance that mail programs show."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True)
class Message:
    """A message to compose.

    An Attachment that many messages share is encoded once.

    :param sender: author, for From.
    :param subject: free text, not encoded.
    :param body: plain text; None for none.
    :param html: the same as HTML; None for none. HTML without a body also gets a text that is derived from it.
    :param cc: recipients of a copy, shown in the header.
    :param bcc: recipients of a copy, not shown.
    :param reply_to: addresses for replies.
    :param attachments: files; those with a content ID go beside the HTML that shows them.
    :param headers: further header fields, not encoded; a field with several values is written several times.
    :param envelope_sender: address for bounces; None for that of ``sender``, empty or ``<>`` for the null sender.
    :param sent_by: who sends on behalf of the author, for Sender (RFC 5322 section 3.6.2); None for the author.
    :param invitation: calendar event, sent as a further alternative.
    :param in_reply_to: Message-IDs of the messages that this one answers.
    :param references: Message-IDs of the thread, oldest first; those of ``in_reply_to`` are added.
    :param list_unsubscribe: URIs, ``mailto:`` or ``https:`` (RFC 2369 section 3.2).
    :param one_click: whether a POST to the https URI unsubscribes without confirmation (RFC 8058).
    :param priority: None for no field.
    :param auto_submitted: ``auto-generated``, ``auto-replied``, or ``no`` for no field (RFC 3834 section 5).
    :param date: None for the current time; without an offset, it is local time.
    :param message_id: Message-ID, with or without angle brackets; None for a new one.
    :param idempotency_key: text from which the Message-ID is derived.
    :param message_id_domain: domain of a new Message-ID; empty for the domain of ``sender``.
    :param charset: charset of body, HTML and headers.
    """

    sender: Mailbox
    to: t.Sequence[Mailbox]
    subject: str
    body: str | None = None
    html: str | None = None
    cc: t.Sequence[Mailbox] = ()
    bcc: t.Sequence[Mailbox] = ()
    reply_to: t.Sequence[Mailbox] = ()
    attachments: t.Sequence[Attachment] = ()
    headers: t.Mapping[str, str | t.Sequence[str]] = field(default_factory=dict)
    envelope_sender: str | None = None
    sent_by: Mailbox | None = None
    invitation: Invitation | None = None
    in_reply_to: str | t.Sequence[str] = ()
    references: str | t.Sequence[str] = ()
    list_unsubscribe: t.Sequence[str] = ()
    one_click: bool = False
    priority: Priority | None = None
    auto_submitted: str = "auto-generated"
    date: datetime | None = None
    message_id: str | None = None
    idempotency_key: str | None = None
    message_id_domain: str = ""
    charset: str = "utf-8"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the header has an address that can only be written in UTF-8 (RFC 6532)."""
        named = [self.sender, *self.to, *self.cc, *self.reply_to]
        if self.sent_by:
            named.append(self.sent_by)
        return not "".join([mailbox.local for mailbox in named]).isascii()
