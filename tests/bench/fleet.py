# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare twenty relays in one play with two, and measure the memory of Ansible's forks."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.tests.bench.measure import compare
from ansible_collections.mailops.smtp.tests.bench.plays import ROLE, run_play

TWO, TWENTY = "bench01,bench02", "fleet"
FORKS = (10, 20)


def measure_fleet(rounds: int) -> None:
    """Measure first runs and their memory; then unchanged runs, with the fastest number of forks."""
    print("\nTwenty relays in one play, all with the role's complete configuration", flush=True)
    scale = Scale()
    first = run_play(ROLE, TWENTY, "--forks=20", wrap=scale.run)
    print(f"  first run, with all packages to install: {first.seconds:.1f} s")
    print(f"  memory: {scale}")
    trials = {forks: run_play(ROLE, TWENTY, f"--forks={forks}").seconds for forks in FORKS}
    print("  forks: " + ", ".join(f"{forks} {seconds:.1f} s" for forks, seconds in trials.items()), flush=True)
    best = f"--forks={min(trials, key=lambda forks: trials[forks])}"
    print(f"Unchanged, wall-clock seconds with {best} (median of {rounds})")
    wall = compare(
        rounds,
        {
            "2 relays": lambda: run_play(ROLE, TWO, best).seconds,
            "20 relays": lambda: run_play(ROLE, TWENTY, best).seconds,
        },
        unit="s",
    )
    print(f"  20 relays / 2 relays: {wall['20 relays'] / wall['2 relays']:.2f}x (goal: at most 6x)")


class Scale:
    """Measures the private and the resident memory, in MB, of ansible-playbook and its forks while they run."""

    def __init__(self) -> None:
        self._own: dict[int, float] = {}
        self._resident: dict[int, float] = {}
        self._parent = 0
        self._most = 0

    def __str__(self) -> str:
        """Summarize the measurements."""
        forks = [pid for pid in self._own if pid != self._parent]
        own = [self._own[pid] for pid in forks]
        resident = [self._resident[pid] for pid in forks]
        return (
            f"ansible-playbook {self._resident[self._parent]:.0f} MB; a fork {statistics.median(resident):.0f} MB, of "
            f"which {statistics.median(own):.0f} MB private (at most {max(own):.0f}); {self._most} forks at once"
        )

    def run(self, command: list[str], *, check: bool, **options: t.Any) -> subprocess.CompletedProcess[bytes]:
        """Replace ``subprocess.run``: run the command and sample its memory every 0.5 s."""
        with subprocess.Popen(command, **options) as process:
            self._parent = process.pid
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    output = process.communicate(timeout=0.5)[0]
                    return subprocess.CompletedProcess(command, process.returncode, output)
                self._look(process.pid)

    def _look(self, parent: int) -> None:
        children = Path(f"/proc/{parent}/task/{parent}/children")
        with contextlib.suppress(OSError):
            forks = [int(pid) for pid in children.read_text().split()]
            seen = 0
            for pid in (parent, *forks):
                with contextlib.suppress(OSError):
                    if pid != parent and os.readlink(f"/proc/{pid}/exe") != os.readlink(f"/proc/{parent}/exe"):
                        continue
                    sizes = dict(re.findall(r"^(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M))
                    own = (int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"])) / 1024
                    self._own[pid] = max(own, self._own.get(pid, 0))
                    self._resident[pid] = max(int(sizes["Rss"]) / 1024, self._resident.get(pid, 0))
                    seen += pid != parent
            self._most = max(self._most, seen)
