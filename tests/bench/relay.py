# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the role with plain tasks, its relay with the distribution's, and twenty relays with two; and audits of them.

Needs the lab up, with bare hosts (``tests/bench/relay`` ensures that). Contestants take turns.
"""

from __future__ import annotations

import collections
import itertools
import statistics
import sys
import typing as t

from ansible_collections.mailops.smtp.tests.bench.audit import measure_audit
from ansible_collections.mailops.smtp.tests.bench.fleet import measure_fleet
from ansible_collections.mailops.smtp.tests.bench.measure import compare, describe_machine, ratio
from ansible_collections.mailops.smtp.tests.bench.plays import (
    PLAIN,
    ROLE,
    TRANSACTION,
    Play,
    run_play,
    write_plain_play,
)
from ansible_collections.mailops.smtp.tests.bench.roles import measure_roles
from ansible_collections.mailops.smtp.tests.bench.send import measure_send
from ansible_collections.mailops.smtp.tests.bench.signing import measure_signing
from ansible_collections.mailops.smtp.tests.bench.throughput import measure_throughput
from ansible_collections.mailops.smtp.tests.bench.tokens import measure_tokens

HOST = "relay"


def main(rounds: int, sections: t.Sequence[str]) -> None:
    """Run the sections and print their measurements."""
    describe_machine()
    for section in sections:
        SECTIONS[section](rounds)


def measure_task(rounds: int) -> None:
    """Measure runs on one host, without and with a change."""
    print("\nOne relay with TLS, users, upstream, firewall, DNS checks and a test message", flush=True)
    first = run_play(ROLE, HOST)
    role = run_play(ROLE, HOST, "-vvv")
    tasks = write_plain_play(role)
    plain = run_play(PLAIN, HOST, "-vvv")
    assert role.changed() == plain.changed() == 0, "a play on the converged host reported changes"
    changes: list[Play] = []
    numbers = itertools.count()

    def changed_run() -> float:
        """Return the mean seconds of two changes: add a parameter, then remove it again for the next run."""
        settings = {"smtpd_banner": f"$myhostname ESMTP {next(numbers)}"}
        runs = [run_play(ROLE, HOST, extra={"relay_settings": settings}), run_play(ROLE, HOST)]
        assert all(run.changed() for run in runs), runs[0].output[-3000:]
        changes.extend(runs)
        return statistics.mean(run.seconds for run in runs)

    print(f"Wall-clock seconds (median of {rounds}; the first run, with packages to install, took {first.seconds:.1f})")
    wall = compare(
        rounds,
        {
            "the role": lambda: run_play(ROLE, HOST).seconds,
            "template and command": lambda: run_play(PLAIN, HOST).seconds,
            "the role, a parameter changed": changed_run,
        },
        unit="s",
    )
    for name, play, count in (("the role", role, len(role.tasks)), ("template and command", plain, tasks)):
        reached = play.reached(HOST)
        print(f"  {name}: {count} tasks, {reached} of them connect to the host, {wall[name] / reached:.2f} s each")
    print(f"  tasks of the role that connect to the host: {role.reached(HOST)} (goal: under 15)")
    ratio(wall, "the role", "template and command", "at most 0.6x")
    more = wall["the role, a parameter changed"] - wall["the role"]
    print(f"  a change takes {more:.2f} s more (goal: at most 5 s); by step:")
    print("   ", describe_steps(changes))
    print("  slowest tasks of an unchanged run:")
    for task in sorted(role.tasks, key=lambda task: -task["seconds"])[:8]:
        print(f"    {task['seconds']:6.2f} s  {task['name']}")


def describe_steps(changes: t.Sequence[Play]) -> str:
    """Return the median seconds of each step of the transaction that made the change."""
    steps: dict[str, list[float]] = collections.defaultdict(list)
    for run in changes:
        transaction = max((task["steps"] for task in run.tasks if task["action"] == TRANSACTION), key=len)
        for step, seconds in transaction.items():
            steps[step].append(seconds)
    return ", ".join(f"{step} {statistics.median(seconds):.3f}" for step, seconds in steps.items())


SECTIONS: t.Mapping[str, t.Callable[[int], None]] = {
    "task": measure_task,
    "peers": measure_roles,
    "send": measure_send,
    "throughput": measure_throughput,
    "signing": measure_signing,
    "tokens": measure_tokens,
    "fleet": measure_fleet,
    "audit": measure_audit,
}

if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:] or list(SECTIONS))
