# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's output while the lab comes up: one line for each play; for a failure the host, the task and the reason."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: steps
type: stdout
short_description: One line for each play
description: Prints the duration of each play, and for a failure the host, the task and the reason.
"""


class CallbackModule(CallbackBase):
    """Times the plays; explains failures with the host's log (journald)."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "steps"

    def __init__(self) -> None:
        """Start without a play."""
        super().__init__()
        self._play = ""
        self._began = 0.0

    def _close(self) -> None:
        if self._play:
            self._display.display(f"{time.monotonic() - self._began:6.1f}s {self._play}")

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Print the time of the previous play and start this one."""
        self._close()
        self._play, self._began = play.get_name(), time.monotonic()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the time of the last play."""
        self._close()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Explain a failed task."""
        if not ignore_errors:
            self._explain(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Print a failed item of a loop; the failure of the task, with the log, follows."""
        self._print(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Explain an unreachable host."""
        self._explain(result)

    def _print(self, result: Any) -> None:
        values = result.result
        item = values.get(values.get("ansible_loop_var", "item"), "")
        words = [str(values[key]).strip() for key in ("msg", "stderr", "stdout") if values.get(key)]
        if values.get("censored"):
            item, words = "", ["the output holds secrets and is hidden"]
        task = f"{result.task.get_name()} {item}".strip()
        self._display.display(f"FAILED {result.host.get_name()}: {task}: {' '.join(words)}")

    def _explain(self, result: Any) -> None:
        self._print(result)
        host = result.host.get_name()
        if host == "localhost":
            return
        # The host may be unreachable over ssh, so podman reads its log.
        container = f"mailops-{os.environ.get('LAB_NAME', 'lab')}-{host}"
        command = ["podman", "exec", container, "journalctl", "--no-pager", "--lines=15", "--output=cat"]
        try:
            tail = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            self._display.display(f"  {host}: cannot read its log: {error}")
            return
        for line in (tail.stdout or tail.stderr).splitlines():
            self._display.display(f"  {host} | {line}")
