# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the action plugin and the module of ``smtp_send`` share a long task.

The options and return values whose names begin with an underscore are this protocol; no user sets or sees them.

1. The plugin renders and validates many messages on the controller, writes them to a file
   (:class:`.._message.rows.SpoolWriter`), copies it to the host, and calls the module with ``messages_file`` and
   ``_spool: true``, so that the module reads that file and not one of the user's.
2. The plugin calls the module repeatedly with the same options and a ``_slice``, so that it can show progress in
   between: :class:`Slice` names the time during which new messages may be started, and the file in which one call
   leaves its state to the next.
3. A call that leaves messages to the next one returns ``_unfinished: true`` and ``_progress``, the number of messages
   by status (:func:`unfinished`). The last call returns the result of the task.
"""

from __future__ import annotations

import json
import os
import typing as t

if t.TYPE_CHECKING:
    from .backlog import Backlog

#: Arguments of the module that only the action plugin sets. They are not options: Ansible does not see them.
SPOOL, SLICE = "_spool", "_slice"
#: Return values of the module that only the action plugin reads.
UNFINISHED, PROGRESS = "_unfinished", "_progress"


def take(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """Remove the protocol's arguments from those of the module, and return them; None for one that is not set."""
    return {name: arguments.pop(name, None) for name in (SPOOL, SLICE)}


class Resumable(t.Protocol):
    """The report on the messages so far, which one call leaves to the next besides the backlog."""

    total: int

    def state(self) -> t.Any:
        """Return the state as JSON values."""

    def restore(self, state: t.Any) -> None:
        """Continue from a state that :meth:`state` returned."""


class Slice(t.NamedTuple):
    """One of the calls that make up a task.

    :param run: identifies the task; the same for all its calls.
    :param seconds: how long new messages may be started; None for no limit.
    :param path: the file on the host that keeps the state between two calls; None if there is only one.
    """

    run: str
    seconds: float | None
    path: str | None

    @classmethod
    def of(cls, options: t.Mapping[str, t.Any]) -> Slice:
        """Return the slice that the action plugin requests, or the whole task if it requests none."""
        given = options.get(SLICE)
        if given is None:
            return cls(os.urandom(16).hex(), None, None)
        return cls(given["run"], float(given["seconds"]), given["path"])

    def option(self) -> dict[str, t.Any]:
        """Return the value of the option, from which :meth:`of` makes the slice again."""
        return self._asdict()

    @property
    def continued(self) -> bool:
        """Whether there was a call before this one."""
        return self.path is not None and os.path.exists(self.path) and os.path.getsize(self.path) > 0

    def state(self) -> dict[str, t.Any] | None:
        """Return the state that the previous call left; None if there was no call before."""
        if self.path is None or not self.continued:
            return None
        with open(self.path, encoding="utf-8") as file:
            state: dict[str, t.Any] = json.load(file)
        return state

    def check(self, stamp: list[int]) -> None:
        """Compare the messages with those of the previous call.

        :param stamp: identifies the contents of ``messages_file``.
        :raises ValueError: the messages have changed.
        """
        state = self.state()
        if state and state["stamp"] != stamp:
            raise ValueError("messages_file was changed during the task; leave it unchanged until the task has ended")

    def restore(self, backlog: Backlog, report: Resumable) -> None:
        """Continue where the previous call stopped."""
        state = self.state()
        if state:
            backlog.restore(state["backlog"])
            report.restore(state["report"])

    def keep(self, backlog: Backlog, report: Resumable, stamp: list[int]) -> None:
        """Leave the remaining messages to the next call.

        :param stamp: identifies the contents of ``messages_file``, for :meth:`check`.
        """
        if self.path is not None:
            state = {"total": report.total, "stamp": stamp, "backlog": backlog.state(), "report": report.state()}
            with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(state, file)


def unfinished(counts: t.Mapping[str, int], total: int) -> dict[str, t.Any]:
    """Return the result of a call that leaves messages to the next one.

    :param counts: messages by the value of their status.
    :param total: all messages of the task.
    """
    return {UNFINISHED: True, PROGRESS: {**counts, "total": total}}


def take_unfinished(result: dict[str, t.Any]) -> dict[str, int] | None:
    """Remove the protocol's values from the result of a call.

    :returns: the progress, or None if this was the last call.
    """
    progress: dict[str, int] = result.pop(PROGRESS, {})
    return progress if result.pop(UNFINISHED, False) else None
