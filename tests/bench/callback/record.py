# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record arguments, duration and steps of each task of a play as JSON, for the benchmarks."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: aggregate
short_description: Record arguments, duration and steps of each task
description: Writes a JSON list to the file named by BENCH_RECORD. The file holds secrets.
"""


class CallbackModule(CallbackBase):
    """Keeps all entries in memory until the end of the run, so that recording costs next to nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"

    def __init__(self) -> None:
        """Start without entries."""
        super().__init__()
        self._began: dict[tuple[str, str], float] = {}
        self._done: list[dict[str, t.Any]] = []

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        """Note when a host starts a task."""
        self._began[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Add the entry of a successful task; skipped and failed tasks are not needed."""
        host, task = result.host.get_name(), result.task
        entry = {
            "host": host,
            "name": task.get_name(),
            "action": task.action,
            "args": {
                key: value for key, value in result.task_fields["args"].items() if not key.startswith("_ansible_")
            },
            "delegate_to": result.task_fields.get("delegate_to"),
            "seconds": time.monotonic() - self._began[host, task._uuid],
            "steps": result.result.get("seconds", {}),
        }
        self._done.append(json.loads(json.dumps(entry, default=str)))

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Write all entries."""
        path = os.environ["BENCH_RECORD"]
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(self._done, file)
