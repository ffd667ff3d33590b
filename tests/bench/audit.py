# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the audit of one relay by the playbook compliance beside an empty play, and of twenty relays beside two."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.tests.bench.measure import BENCH, ROOT, compare
from ansible_collections.mailops.smtp.tests.bench.plays import ROLE, run_play

AUDIT, REPORTS = ROOT / "playbooks/compliance.yml", BENCH / "audit"
ONE, TWO, TWENTY = "relay", "bench01,bench02", "fleet"
#: Everything that the playbook can do: seen by a stranger, with logins, and a message that is followed.
FULL: dict[str, t.Any] = {
    "compliance_vantages": ["outsider"],
    "compliance_address": "{{ lab_name }}",
    "compliance_recipient": "inbox@dest.test",
    "compliance_accounts": [
        {
            "username": "app@sender.test",
            "password": "{{ lab_passwords['app@sender.test'] }}",
            "other_sender": "boss@sender.test",
        }
    ],
    "compliance_dns": {"nameservers": ["{{ lab_prefix }}.2"]},
    "compliance_directory": str(REPORTS),
    "compliance_fail_on": "never",
}


def measure_audit(rounds: int) -> None:
    """Measure one relay, then twenty and two."""
    print("\nAudit of a relay with all that the playbook can do, wall-clock seconds", flush=True)
    empty = BENCH / "empty.yml"
    tasks = [{"ansible.builtin.debug": {"msg": "x"}}]
    empty.write_text(json.dumps([{"hosts": "{{ mailops_relays }}", "gather_facts": False, "tasks": tasks}]))
    run_play(ROLE, f"{ONE},{TWENTY}", "--forks=21")
    wall = compare(
        rounds,
        {
            "an empty play": lambda: run_play(empty, ONE).seconds,
            "the audit of one relay": lambda: _audit(ONE, 5),
            "the audit of 2 relays": lambda: _audit(TWO, 20),
            "the audit of 20 relays": lambda: _audit(TWENTY, 20),
        },
        unit="s",
    )
    beyond = wall["the audit of one relay"] - wall["an empty play"]
    print(f"  one relay, less an empty play: {beyond:.1f} s (goal: at most 15)")
    print(f"  20 relays / 2 relays: {wall['the audit of 20 relays'] / wall['the audit of 2 relays']:.2f}x (goal: 10x)")
    _audit(ONE, 5)
    print(f"  connections to one relay: {_connections(REPORTS / 'evidence' / f'{ONE}.json')}")


def _audit(hosts: str, forks: int) -> float:
    return run_play(AUDIT, hosts, f"--forks={forks}", extra=FULL).seconds


def _connections(saved: Path) -> int:
    """How often the relay's ports were connected to, by its evidence: conversations, tests and messages."""
    evidence = json.loads(saved.read_text())["evidence"]
    made = sum(one["facts"]["connections_made"] for one in evidence if one["kind"] == "smtp")
    return made + sum(len(one["facts"]["messages"]) for one in evidence if one["kind"] == "proof")
