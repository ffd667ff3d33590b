# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A long task is several short runs of the module, so that the controller can show how far it is in between."""

from __future__ import annotations

import json
import os
import typing as t

if t.TYPE_CHECKING:
    from .._smtp.backlog import Backlog
    from .report import Report


class Slice(t.NamedTuple):
    """One of these runs.

    :param run: what all runs of the task have in common.
    :param seconds: how long to begin with messages; None without limit.
    :param path: file that keeps what one run leaves to the next, or None.
    """

    run: str
    seconds: float | None
    path: str | None

    @classmethod
    def of(cls, options: t.Mapping[str, t.Any]) -> Slice:
        """What the action plugin asks for; the whole task where it asks for nothing."""
        given = options["_slice"]
        if given is None:
            return cls(os.urandom(16).hex(), None, None)
        return cls(given["run"], float(given["seconds"]), given["journal"])

    @property
    def continued(self) -> bool:
        """Whether another run began."""
        return self.path is not None and os.path.exists(self.path) and os.path.getsize(self.path) > 0

    def state(self) -> dict[str, t.Any] | None:
        """What the run before left; None when there was none."""
        if self.path is None or not self.continued:
            return None
        with open(self.path, encoding="utf-8") as file:
            state: dict[str, t.Any] = json.load(file)
        return state

    def check(self, stamp: list[int]) -> None:
        """:raises ValueError: the messages are no longer those that the run before knew."""
        state = self.state()
        if state and state["stamp"] != stamp:
            raise ValueError("the file of messages was changed meanwhile; leave it alone while the task runs")

    def restore(self, backlog: Backlog, report: Report) -> None:
        """Go on where the run before left off."""
        state = self.state()
        if state:
            backlog.restore(state["backlog"])
            report.restore(state["report"])

    def keep(self, backlog: Backlog, report: Report, stamp: list[int]) -> None:
        """Leave the rest to the next run.

        :param stamp: tells whether the messages are still the same.
        """
        if self.path is not None:
            state = {"total": report.total, "stamp": stamp, "backlog": backlog.state(), "report": report.state()}
            with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(state, file)
