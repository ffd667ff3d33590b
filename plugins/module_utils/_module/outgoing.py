# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a task, composed on access, so that only a few are in memory at a time."""

from __future__ import annotations

import os
import typing as t

from .._message.errors import InvalidMessage, RowError
from .message import Composer
from .source import are_many, messages_source

if t.TYPE_CHECKING:
    from .._smtp.delivery import Envelope

Options = t.Mapping[str, t.Any]

#: Octets of composed messages that are kept after the check, so that these are composed only once.
_KEPT = 1 << 24


class Totals(t.NamedTuple):
    """Totals over all messages.

    :param size: octets of content.
    :param recipients: number of recipients.
    :param some: the recipients of the first few messages.
    """

    size: int
    recipients: int
    some: tuple[str, ...]


class Outgoing(t.Sequence["Envelope"]):
    """The messages that the options describe.

    A message is composed identically each time, including its Message-ID, for further attempts and, with a journal,
    further runs.

    :param run: identifies this run.
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
        """Return the envelope of a message.

        :raises ValueError: the message cannot be sent; the text names the message.
        """
        return self._checked.pop(number, None) or self._composed(number)

    def _composed(self, number: int) -> Envelope:
        try:
            return self._composer.envelope(self._source[number], None if self._journal else f"{self._run} {number}")
        except RowError:  # its text names the row
            raise
        except ValueError as error:
            where = self._source.where(number)
            raise ValueError(f"{where}: {error}" if where else str(error)) from error

    @property
    def name(self) -> str:
        """How errors name the list or the file of the messages."""
        return f"messages_file {self._source.label}" if self._source.label else "messages"

    def where(self, number: int) -> str:
        """Return how errors name a message; empty for the only one."""
        return self._source.where(number)

    @property
    def stamp(self) -> list[int]:
        """Size and modification time of ``messages_file``, which show whether message numbers are still valid."""
        if self._file is None:
            return []
        status = os.stat(self._file)
        return [status.st_size, status.st_mtime_ns]

    def check(self) -> Totals:
        """Compose each message once.

        :raises ValueError: a message cannot be sent, or two have the same Message-ID; the text names them.
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
                    "would count as one message; give each its own idempotency_key"
                )
        return Totals(size, recipients, tuple(some))
