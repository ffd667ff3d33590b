# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a task, from its options, from a file on this host, or from the controller's spool."""

from __future__ import annotations

import typing as t

from .._mailing.handover import SPOOL
from .._message.errors import InvalidMessage
from .._message.forms import message_list
from .message import MESSAGE_ARGUMENTS

Options = t.Mapping[str, t.Any]


class MessageSource(t.Protocol):
    """The options of each message by index, as they were given, and read again on each access."""

    def __len__(self) -> int:
        """Return the number of messages."""

    def __getitem__(self, index: int) -> Options:
        """Return the options of one message."""

    def __iter__(self) -> t.Iterator[Options]:
        """Iterate over the options of all messages; can be repeated."""

    label: str  #: how errors name the file; empty for a list

    def where(self, index: int) -> str:
        """Return how errors name a message: its index in ``messages`` or its line in a file; empty for the only one."""


def messages_source(options: Options) -> MessageSource:
    """Return the messages that the options describe; one without own options if the task itself describes it.

    :raises ValueError: a file cannot be read (RowError). Access to a message raises it, with the line, if its row is
        not a valid message.
    """
    listed, file = message_list(options["messages"]), options["messages_file"]
    if listed is not None and file is not None:
        raise InvalidMessage("messages and messages_file are mutually exclusive; choose one")
    if file is None:
        return _Listed(listed)
    from .._message.rows import Names, Spool, open_messages

    if options.get(SPOOL):
        return Spool(file)
    return open_messages(file, options["messages_format"], Names.of(MESSAGE_ARGUMENTS))


def are_many(options: Options) -> bool:
    """Return whether the task sends a list of messages, of any length, so that its result is a list."""
    return message_list(options["messages"]) is not None or options["messages_file"] is not None


class _Listed(list[Options]):
    def __init__(self, messages: t.Sequence[t.Any] | None) -> None:
        super().__init__([{}] if messages is None else messages)
        self._only = messages is None

    label = ""

    def where(self, index: int) -> str:
        return "" if self._only else f"messages[{index}]"
