# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as a user describes it."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

if t.TYPE_CHECKING:
    from .addresses import Mailbox
    from .invitation import Invitation
    from .mime import Attachment


class Priority(str, enum.Enum):
    """How urgent a message calls itself."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True)
class Message:
    """What to say, to whom.

    Objects that many messages share, an Attachment above all, are encoded once.

    :param sender: the author, for From.
    :param subject: free text.
    :param body: plain text; None for none.
    :param html: the same as HTML; None for none. HTML alone gets a text beside it that is derived from it.
    :param cc: further recipients, named in the message.
    :param bcc: further recipients, named nowhere.
    :param reply_to: where answers go.
    :param attachments: files; those with a content_id go beside the HTML that shows them.
    :param headers: further header fields, not encoded yet; several values write the field several times.
    :param envelope_sender: where bounces go; None takes the address of ``sender``, empty or ``<>`` is the null sender.
    :param sent_by: who sends in the name of the author, for Sender (RFC 5322 section 3.6.2); None for the author.
    :param invitation: an event, as one more alternative.
    :param in_reply_to: identifiers of the messages that this one answers.
    :param references: identifiers of the thread, oldest first; those of ``in_reply_to`` are added.
    :param list_unsubscribe: URIs, ``mailto:`` or ``https:`` (RFC 2369 section 3.2).
    :param one_click: whether a POST to the https URI unsubscribes without asking (RFC 8058).
    :param priority: None says nothing.
    :param auto_submitted: ``auto-generated``, ``auto-replied``, or ``no`` to omit the field (RFC 3834 section 5).
    :param date: None takes the clock; without an offset it is local time.
    :param message_id: None makes one; angle brackets may be left out.
    :param idempotency_key: makes the identifier follow from this text.
    :param message_id_domain: what stands behind its @; empty takes the domain of ``sender``.
    :param charset: of body, HTML and headers.
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
        """Whether an address that the header names can only be written in UTF-8 (RFC 6532)."""
        named = [self.sender, *self.to, *self.cc, *self.reply_to]
        if self.sent_by:
            named.append(self.sent_by)
        return not "".join([mailbox.local for mailbox in named]).isascii()
