# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a message into an envelope and its content. Everything is checked here, before any connection is opened."""

from __future__ import annotations

import time
import typing as t

from .addresses import parse_mailbox, unique_addresses
from .charsets import find_charset
from .domains import ascii_domain
from .errors import InvalidMessage, in_option
from .fields import header_fields
from .identity import new_message_id, parse_message_id, stable_message_id
from .message import Message
from .structure import body_part


class Composed(t.NamedTuple):
    """A message ready for a session; its fields are those of an envelope."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    message_id: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the message needs a server with SMTPUTF8: for an address or a header field in UTF-8 (RFC 6531)."""
        if not all(address.isascii() for address in (self.sender, *self.recipients)):
            return True
        return not self.content[: self.content.index(b"\r\n\r\n")].isascii()


def compose(message: Message) -> Composed:
    """Compose the message. Its parts are ASCII, as it is not yet known whether the server offers 8BITMIME (RFC 6152).

    :raises MessageError: the message cannot be composed; has the reason.
    """
    recipients = unique_addresses([*message.to, *message.cc, *message.bcc])
    if not recipients:
        raise InvalidMessage("the message has no recipient; set at least one of to, cc and bcc")
    charset = find_charset(message.charset)
    identifier = _message_id(message)
    fields = header_fields(message, None if message.needs_smtputf8 else charset, identifier, _second(message))
    part = body_part(message, charset)
    content = b"".join([*fields, b"MIME-Version: 1.0\r\n", *part.pieces()])
    return Composed(_reverse_path(message), recipients, content, identifier)


def _reverse_path(message: Message) -> str:
    path = message.envelope_sender
    if path is None:
        return message.sender.address
    return "" if path.strip() in ("", "<>") else in_option("envelope_from", parse_mailbox, path).address


def _message_id(message: Message) -> str:
    if message.message_id:
        return in_option("message_id", parse_message_id, message.message_id)
    domain = message.sender.domain or "localhost"
    if message.message_id_domain:
        domain = in_option("message_id_domain", ascii_domain, _without_dot(message.message_id_domain))
    if message.idempotency_key is not None:
        return stable_message_id(message.idempotency_key, domain)
    return new_message_id(ascii_domain(domain))


def _without_dot(domain: str) -> str:
    """Return a domain without the final dot that DNS writes, and mail does not (RFC 5321 section 4.1.2)."""
    return domain[:-1] if domain.endswith(".") else domain


def _second(message: Message) -> int:
    return int(message.date.timestamp() if message.date else time.time())
