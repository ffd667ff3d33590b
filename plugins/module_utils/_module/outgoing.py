# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a task, composed when they are asked for: however many there are, few are in memory."""

from __future__ import annotations

import os
import typing as t

from .._message.errors import InvalidMessage, RowError
from .message import Composer
from .source import are_many, messages_source

if t.TYPE_CHECKING:
    from .._smtp.delivery import Envelope

Options = t.Mapping[str, t.Any]

#: Octets of messages that are kept from their check to their turn, which saves composing them twice.
_KEPT = 1 << 24


class Totals(t.NamedTuple):
    """What all messages come to.

    :param size: octets of their contents.
    :param recipients: how many, over all messages.
    :param some: the addresses of the first few.
    """

    size: int
    recipients: int
    some: tuple[str, ...]


class Outgoing(t.Sequence["Envelope"]):
    """The messages that the options mean.

    The same message is the same each time, its Message-ID included: another attempt, or another run with a journal,
    sends nothing new.

    :param run: what tells this run from others.
    :raises ValueError: a file of messages cannot be read.
    """

    def __init__(self, options: Options, run: str) -> None:
        self._source = messages_source(options)
        self._composer = Composer(options, are_many(options))
        self._run = run
        self._journal = options["journal"] is not None
        self._named = any(options[name] is not None for name in ("journal", "message_id", "idempotency_key"))
        self._file = options["messages_file"]
        self._checked: dict[int, Envelope] = {}

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, number: t.Any) -> t.Any:
        """:raises ValueError: the message cannot be sent; says which."""
        return self._checked.pop(number, None) or self._composed(number)

    def _composed(self, number: int) -> Envelope:
        try:
            return self._composer.envelope(self._source[number], None if self._journal else f"{self._run} {number}")
        except RowError:  # it says where
            raise
        except ValueError as error:
            where = self._source.where(number)
            raise ValueError(f"{where}: {error}" if where else str(error)) from error

    def where(self, number: int) -> str:
        """What to call a message; empty where it is the only one."""
        return self._source.where(number)

    @property
    def stamp(self) -> list[int]:
        """What changes when the file of messages does, and a message's place may be another one's."""
        if self._file is None:
            return []
        status = os.stat(self._file)
        return [status.st_size, status.st_mtime_ns]

    def check(self) -> Totals:
        """Compose each message once.

        :raises ValueError: one of them cannot be sent, or two would be taken for one; says which.
        """
        size, recipients = 0, 0
        some: list[str] = []
        places: dict[str, int] = {}
        for number in range(len(self)):
            envelope = self._composed(number)
            size += len(envelope.content)
            if size < _KEPT:
                self._checked[number] = envelope
            recipients += len(envelope.recipients)
            some += envelope.recipients if number < 5 else ()
            if self._named and places.setdefault(envelope.message_id, number) != number:
                raise InvalidMessage(
                    f"{self.where(number)} and {self.where(places[envelope.message_id])} have the same Message-ID and "
                    "would be taken for one message; give each its own idempotency_key"
                )
        return Totals(size, recipients, tuple(some))
