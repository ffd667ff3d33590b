# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by all benchmarks: a description of the machine, contestants that take turns, medians and ratios."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".build/bench"
Contestants = t.Mapping[str, t.Callable[[], float]]


def describe_machine() -> None:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    print(f"{os.cpu_count()} cores, {memory_gb:.0f} GiB, {platform.machine()}, Linux {platform.release()}")
    core = importlib.metadata.version("ansible-core")
    print(f"Python {platform.python_version()}, ansible-core {core}, load {os.getloadavg()[0]:.1f}", flush=True)


def compare(rounds: int, contestants: Contestants, unit: str = "") -> dict[str, float]:
    """Let the contestants take turns, then print and return their medians; single values go to standard error."""
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, run in contestants.items():
            seen[name].append(run())
            print(f"    {number + 1} of {rounds}: {name} {seen[name][-1]:,.6g}", file=sys.stderr, flush=True)
    medians = {name: statistics.median(values) for name, values in seen.items()}
    for name, median in medians.items():
        spread = f"{min(seen[name]):,.6g} to {max(seen[name]):,.6g}"
        print(f"  {name:40s} {median:12,.6g} {unit:3s} ({spread})", flush=True)
    return medians


def ratio(figures: t.Mapping[str, float], ours: str, theirs: str, goal: str) -> None:
    print(f"  {ours} / {theirs}: {figures[ours] / figures[theirs]:.2f}x (goal: {goal})", flush=True)
