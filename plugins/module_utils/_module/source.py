# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a task, from its options, from a file on this host, or from the controller's spool."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._mailing.handover import SPOOL
from .._message.errors import InvalidMessage
from .message import MESSAGE_ARGUMENTS, MESSAGE_RULES

Options = t.Mapping[str, t.Any]

#: Options that need no conversion: free text, text with choices, and values that are parsed later.
_TEXT = frozenset(name for name, spec in MESSAGE_ARGUMENTS.items() if spec["type"] == "str" and "choices" not in spec)
_CHOICES: t.Mapping[str, t.Collection[str]] = {
    name: spec["choices"] for name, spec in MESSAGE_ARGUMENTS.items() if spec["type"] == "str" and "choices" in spec
}
_RAW = frozenset(name for name, spec in MESSAGE_ARGUMENTS.items() if spec["type"] == "raw")
_VALIDATOR = ArgumentSpecValidator(MESSAGE_ARGUMENTS, **MESSAGE_RULES)


class MessageSource(t.Protocol):
    """The options of each message by index, validated, and read again on each access."""

    def __len__(self) -> int:
        """Return the number of messages."""

    def __getitem__(self, index: int) -> Options:
        """Return the options of one message."""

    def __iter__(self) -> t.Iterator[Options]:
        """Iterate over the options of all messages; can be repeated."""

    def where(self, index: int) -> str:
        """Return how errors name a message: its index in ``messages`` or its line in a file; empty for the only one."""


def messages_source(options: Options) -> MessageSource:
    """Return the messages that the options describe; one without own options if the task itself describes it.

    :raises ValueError: a file cannot be read (RowError). Access to a message raises it, with the line, if its row is
        not a valid message.
    """
    if options["messages_file"] is None:
        return _Listed(options["messages"])
    from .._message.rows import Names, Spool, open_messages

    if options[SPOOL]:
        return _Filed(Spool(options["messages_file"]))
    names = Names.of(MESSAGE_ARGUMENTS)
    return _Filed(open_messages(options["messages_file"], options["messages_format"], names))


def are_many(options: Options) -> bool:
    """Return whether the task sends a list of messages, of any length, so that its result is a list."""
    return options["messages"] is not None or options["messages_file"] is not None


class _Listed(list[Options]):
    def __init__(self, messages: t.Sequence[Options] | None) -> None:
        super().__init__([{}] if messages is None else messages)
        self._only = messages is None

    def where(self, index: int) -> str:
        return "" if self._only else f"messages[{index}]"


class _Filed(t.Sequence[Options]):
    def __init__(self, rows: t.Any) -> None:
        self._rows = rows
        self.where: t.Callable[[int], str] = rows.where

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: t.Any) -> t.Any:
        row = self._rows[index]
        return row if _is_valid(row) else _validated(row)


def _is_valid(row: Options) -> bool:
    """Return whether the row is valid as it is, without the validator, which takes fifty times as long."""
    for name, value in row.items():
        if name in _TEXT:
            if value.__class__ is not str:
                return False
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                return False
        elif name == "vars":
            if value.__class__ is not dict:
                return False
        elif name not in _RAW:
            return False
    return True


def _validated(row: Options) -> dict[str, t.Any]:
    """Validate a row like an element of ``messages``.

    :raises InvalidMessage: the row is not valid.
    """
    result = _VALIDATOR.validate(row)
    if result.unsupported_parameters:
        names = (name if isinstance(name, str) else ".".join(name) for name in result.unsupported_parameters)
        unknown = ", ".join(sorted(names))
        raise InvalidMessage(f"unknown option {unknown}; see the documentation of smtp_send")
    if result.error_messages:
        raise InvalidMessage("; ".join(result.error_messages))
    return t.cast("dict[str, t.Any]", result.validated_parameters)
