# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as a user describes it, turned into an envelope with its bytes. Everything is checked here, before any
connection is opened."""

from __future__ import annotations

import secrets
import time
import typing as t
from dataclasses import dataclass, field
from email.utils import formatdate

from .addresses import Mailbox, unique_addresses
from .errors import InvalidMessage
from .headers import encode_text, header_field
from .mime import Attachment, Part, attachment_part, multipart, text_part

#: Fields that the composer writes itself; a second one would contradict the first (RFC 5322 section 3.6).
MANAGED_HEADERS = frozenset(
    {
        "from",
        "sender",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
    }
)


@dataclass(frozen=True)
class Message:
    """What to say, to whom.

    :param envelope_sender: where bounces go; None takes the address of ``sender``, empty is the null sender.
    :param body: plain text; None for none.
    :param html: the same as HTML; None for none.
    :param headers: further header fields, not encoded yet.
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
    headers: t.Mapping[str, str] = field(default_factory=dict)
    envelope_sender: str | None = None


class Composed(t.NamedTuple):
    """A message ready for a session; the fields are those of an envelope."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    message_id: str


def compose(message: Message, *, now: float | None = None, message_id: str | None = None) -> Composed:
    """Write the message.

    :param now: seconds since the epoch for Date; None takes the clock.
    :param message_id: with angle brackets; None makes a new one in the sender's domain.
    :raises InvalidMessage: nobody to send to, or a header that is the composer's own.
    :raises InvalidHeader: a header that cannot be written.
    """
    recipients = unique_addresses([*message.to, *message.cc, *message.bcc])
    if not recipients:
        raise InvalidMessage("the message has no recipient; name at least one in to, cc or bcc")
    message_id = message_id or new_message_id(message.sender.domain or "localhost")
    part = _body(message)
    content = b"".join(_header(message, now, message_id)) + b"MIME-Version: 1.0\r\n" + part.to_bytes()
    sender = message.sender.address if message.envelope_sender is None else message.envelope_sender
    return Composed(sender, recipients, content if content.endswith(b"\r\n") else content + b"\r\n", message_id)


def new_message_id(domain: str) -> str:
    """A globally unique identifier (RFC 5322 section 3.6.4)."""
    return f"<{int(time.time()):x}.{secrets.token_hex(10)}@{domain}>"


def _header(message: Message, now: float | None, message_id: str) -> t.Iterator[bytes]:
    yield header_field("Date", formatdate(now, localtime=True))
    yield header_field("From", message.sender.header())
    for name, mailboxes in (("To", message.to), ("Cc", message.cc), ("Reply-To", message.reply_to)):
        if mailboxes:
            yield header_field(name, ", ".join(mailbox.header() for mailbox in mailboxes))
    yield header_field("Subject", encode_text(message.subject))
    yield header_field("Message-ID", message_id)
    names = {name.lower() for name in message.headers}
    if "auto-submitted" not in names:
        yield header_field("Auto-Submitted", "auto-generated")  # RFC 3834 section 5: no vacation notes in return
    for name, value in message.headers.items():
        if name.lower() in MANAGED_HEADERS:
            raise InvalidMessage(f"the header {name} is written by this module; use its option in place of headers")
        yield header_field(name, encode_text(value))


def _body(message: Message) -> Part:
    texts = [text_part(message.body, "plain")] if message.body is not None else []
    if message.html is not None:
        texts.append(text_part(message.html, "html"))
    if not texts:
        texts = [text_part("", "plain")]
    return multipart("mixed", [multipart("alternative", texts), *map(attachment_part, message.attachments)])
