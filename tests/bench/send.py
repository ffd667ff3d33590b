# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare one message of smtp_send, sent by a host over ssh, with one of community.general.mail."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.tests.bench.measure import BENCH, compare
from ansible_collections.mailops.smtp.tests.bench.plays import run_play

HOST = "client"
SERVER = {"host": "mx.dest.test", "port": 25, "from": "deploy@sender.test", "to": "inbox@dest.test", "subject": "x"}
TASKS: t.Mapping[str, dict[str, t.Any]] = {
    "an empty play": {"ansible.builtin.debug": {"msg": "x"}},
    "smtp_send": {"mailops.smtp.smtp_send": {**SERVER, "tls": "none", "body": "x" * 2000}},
    "community.general.mail": {"community.general.mail": {**SERVER, "secure": "never", "body": "x" * 2000}},
}


def measure_send(rounds: int) -> None:
    """Measure plays with one task, with Ansible's default settings for ssh and with pipelining."""
    for pipelining in (False, True):
        how = "with pipelining" if pipelining else "without pipelining, which is Ansible's default"
        print(f"\nOne message from a host over ssh, {how}: wall-clock seconds (median of {rounds})", flush=True)
        wall = compare(rounds, {name: _run(name, pipelining) for name in TASKS}, unit="s")
        net = {name: seconds - wall["an empty play"] for name, seconds in wall.items()}
        ratio = net["smtp_send"] / net["community.general.mail"]
        print(f"  less an empty play: {ratio:.2f} times community.general.mail (goal: at most 1.2)", flush=True)


def _run(name: str, pipelining: bool) -> t.Callable[[], float]:
    path: Path = BENCH / "send.json"

    def run() -> float:
        play = {"hosts": "{{ mailops_relays }}", "gather_facts": False, "tasks": [TASKS[name]]}
        path.write_text(json.dumps([{**play, "vars": {"ansible_pipelining": pipelining}}]))
        return run_play(path, HOST).seconds

    return run
