# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_port_info returns the same in Ansible's own process and as a module."""

from __future__ import annotations

import json
import socket
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.playbook import run_playbook

#: Tasks by name: what differs from a connection to a port that is open.
TASKS: dict[str, dict[str, t.Any]] = {
    "open": {},
    "closed": {"ports": [{"port": 1}]},
    "closed_fails": {"ports": [{"port": 1}], "on_closed": "fail"},
    "unresolved": {"host": "relay.invalid"},
    "fallback": {"host": "relay.invalid", "fallback": "127.0.0.1"},
    "not_a_network": {"ports": [{"port": 1, "from": ["127.0.0.1/8"]}]},
    "unknown": {"port": 25},
    "shape": {"ports": [25]},
    "choice": {"on_open": "ignore"},
}


def results(folder: Path, port: int, environment: dict[str, str]) -> dict[str, t.Any]:
    """What each task returns."""
    tasks: list[dict[str, t.Any]] = []
    for name, options in TASKS.items():
        given = {"host": "127.0.0.1", "ports": [{"port": port}], **options}
        tasks.append({"mailops.smtp.mail_port_info": given, "register": name, "ignore_errors": True})
    found = "{{ {" + ", ".join(f"'{name}': {name}" for name in TASKS) + "} | to_json }}"
    tasks.append({"ansible.builtin.copy": {"content": found, "dest": str(folder / "found.json")}})
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (folder / "play.yml").write_text(json.dumps(play))
    output = run_playbook(str(folder / "play.yml"), cwd=folder, home=folder, environment=environment)
    assert (folder / "found.json").exists(), output
    found_by_name = dict(json.loads((folder / "found.json").read_text()))
    return {
        name: {key: one.get(key) for key in ("passed", "ports", "msg", "failed")} for name, one in found_by_name.items()
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The results in Ansible's process and of the module."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        here = results(tmp_path_factory.mktemp("here"), port, {})
        return here, results(tmp_path_factory.mktemp("there"), port, {"ANSIBLE_KEEP_REMOTE_FILES": "1"})


@pytest.mark.parametrize("name", TASKS)
def test_both_ways_return_the_same(both: tuple[dict[str, t.Any], dict[str, t.Any]], name: str) -> None:
    here, there = both
    assert here[name] == there[name]


def test_what_is_found(both: tuple[dict[str, t.Any], dict[str, t.Any]]) -> None:
    here, _there = both
    assert [name for name in TASKS if here[name]["passed"]] == ["open", "fallback"]
    assert [name for name in TASKS if here[name]["failed"]] == [
        *("closed_fails", "not_a_network", "unknown", "shape", "choice")
    ]
