# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reload of the signer. Its tables are covered by test_choice.py."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._signing import signer

#: What each process says of its signals, by turns; the main process afterwards, which is another one after a restart;
#: and whether the signer has its tables in the end.
RELOADS: list[tuple[dict[str, list[str]], str, bool]] = [
    ({"1": ["0"], "2": ["0", "0", "800"], "3": ["0", ""]}, "1", True),
    ({"1": ["0"], "2": ["800"], "3": ["0", "0", "0", "4a03", ""]}, "1", True),
    ({"1": ["0"], "2": ["0"], "3": ["800"]}, "1", False),
    ({"1": ["100", "100", "0"]}, "1", True),
    ({"1": ["100"]}, "1", False),
    ({"1": ["100"], "2": ["0"]}, "5", True),
    ({}, "1", True),
]


@pytest.mark.parametrize(("processes", "after", "expected"), RELOADS)
def test_a_reload_ends_when_no_process_with_the_old_table_takes_mail(
    processes: dict[str, list[str]], after: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A main process has taken its signal, and each worker blocks the one that told it to stop, or has ended."""

    def say(turn: int) -> bool:
        for number, turns in processes.items():
            now = turns[min(turn, len(turns) - 1)]
            file = tmp_path / number / "status"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{'ShdPnd' if number == '1' else 'SigBlk'}:\t{now:0>16}\nSigCgt:\t{'f' * 16}\n")
            if not now:
                file.unlink()
        return turn < 9

    calls: list[list[str]] = []
    monkeypatch.setattr(signer, "PROC", str(tmp_path))
    mains = iter(["1", after])
    monkeypatch.setattr(signer, "_main", lambda _unit: next(mains))
    monkeypatch.setattr(subprocess, "run", lambda argv, **_options: calls.append(argv))
    children = tmp_path / "1/task/1"
    children.mkdir(parents=True)
    (children / "children").write_text(" ".join(number for number in processes if number != "1") + "\n")
    turns = iter(range(100))
    say(next(turns))
    monkeypatch.setattr(time, "sleep", lambda _seconds: say(next(turns)))
    monkeypatch.setattr(time, "monotonic", lambda: 0 if next(turns) < 50 else 100)
    assert signer.reload("rspamd.service") is expected
    assert calls == [["systemctl", "try-reload-or-restart", "--", "rspamd.service"]]
