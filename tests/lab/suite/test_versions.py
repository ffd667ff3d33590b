# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay made and removed with the newest ansible-core of tests/versions.txt; all other plays run with the oldest.

The test recreates the relay, so it runs after all others, and leaves a bare host.
"""

from __future__ import annotations

import subprocess
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import BUILD, PROGRAM_LIMIT, RELAY, ROOT, run_play

pytestmark = pytest.mark.last

VERSIONS = [line.split()[0] for line in (ROOT / "tests/versions.txt").read_text().splitlines() if line[0] != "#"]
NEWEST = BUILD / "core" / VERSIONS[-1] / "bin"


@pytest.mark.skipif(
    not (NEWEST / "ansible-playbook").exists(),
    reason=f"no ansible-core {VERSIONS[-1]}: CORE={VERSIONS[-1]} tests/setup/environment.sh installs it",
)
def test_newest_ansible_core_makes_a_relay_and_removes_it(hosts: dict[str, t.Any], passwords: dict[str, str]) -> None:
    subprocess.run(
        [str(ROOT / "tests/lab/lab"), "up", "relay"], check=True, stdout=subprocess.DEVNULL, timeout=PROGRAM_LIMIT
    )
    first = run_play("newest-first", RELAY, tools=NEWEST).succeeded()
    assert first.says(f"[core {VERSIONS[-1]}]")
    assert first.count("relay", "changed") >= 3
    assert hosts["relay"].service("postfix").is_running
    second = run_play("newest-second", RELAY, tools=NEWEST).succeeded()
    assert second.count("relay", "changed") == 0
    removed = run_play("newest-removed", RELAY, extra={"relay_state": "absent"}, tools=NEWEST).succeeded()
    shown = first.output + second.output + removed.output
    assert not [account for account, password in passwords.items() if password in shown]
