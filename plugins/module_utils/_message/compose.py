# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as a user describes it, turned into an envelope with its bytes. Everything is checked here, before any
connection is opened."""

from __future__ import annotations

import time
import typing as t

from .addresses import ascii_domain, parse_mailbox, unique_addresses
from .charsets import find_charset
from .errors import InvalidMessage
from .fields import header_fields
from .identity import new_message_id, parse_message_id, stable_message_id
from .message import Message
from .structure import body_part

__all__ = ["Composed", "Message", "compose"]


class Composed(t.NamedTuple):
    """A message ready for a session; the fields are those of an envelope."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    message_id: str

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server with SMTPUTF8 can take it: an address or a header field in UTF-8 (RFC 6531)."""
        if not all(address.isascii() for address in (self.sender, *self.recipients)):
            return True
        return not self.content[: self.content.index(b"\r\n\r\n")].isascii()

    @property
    def needs_8bitmime(self) -> bool:
        """Whether only a server with 8BITMIME can take it (RFC 6152)."""
        return not self.content.isascii()


def compose(
    message: Message, *, now: float | None = None, message_id: str | None = None, eight_bit: bool = False
) -> Composed:
    """Write the message.

    :param now: seconds since the epoch for Date, where the message has none; None takes the clock.
    :param message_id: goes before the message's own.
    :param eight_bit: whether text may go as it is in 8 bits, which takes a server with 8BITMIME.
    :raises MessageError: the message cannot be written; says why.
    """
    recipients = unique_addresses([*message.to, *message.cc, *message.bcc])
    if not recipients:
        raise InvalidMessage("the message has no recipient; name at least one in to, cc or bcc")
    charset = find_charset(message.charset)
    identifier = _message_id(message, message_id)
    fields = header_fields(message, None if message.needs_smtputf8 else charset, identifier, _second(message, now))
    part = body_part(message, charset, eight_bit)
    content = b"".join([*fields, b"MIME-Version: 1.0\r\n", *part.pieces()])
    return Composed(_reverse_path(message), recipients, content, identifier)


def _reverse_path(message: Message) -> str:
    path = message.envelope_sender
    if path is None:
        return message.sender.address
    return "" if path.strip() in ("", "<>") else parse_mailbox(path).address


def _message_id(message: Message, message_id: str | None) -> str:
    given = message_id or message.message_id
    if given:
        return parse_message_id(given)
    domain = message.message_id_domain or message.sender.domain or "localhost"
    if message.idempotency_key is not None:
        return stable_message_id(message.idempotency_key, domain)
    return new_message_id(ascii_domain(domain))


def _second(message: Message, now: float | None) -> int:
    if message.date:
        return int(message.date.timestamp())
    return int(time.time() if now is None else now)
