# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_port_info as Ansible runs it."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.module_utils._firewall.reach import Attempt
from ansible_collections.mailops.smtp.plugins.module_utils._module import ports as body
from ansible_collections.mailops.smtp.plugins.modules import mail_port_info

Run = t.Callable[..., dict[str, t.Any]]
#: 25 is open to all and 465 to a client; each is found as its name says.
PORTS = [{"port": 25}, {"port": 465, "from": ["192.0.2.9"]}]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(states, source, **options)`` gives the module's result where ports are in these states."""

    def run_module(states: dict[int, str], source: str = "192.0.2.9", **options: t.Any) -> dict[str, t.Any]:
        def try_ports(host: str, ports: t.Collection[int], timeout: float) -> list[Attempt]:
            if host.endswith(".invalid"):
                raise OSError(-2, "Name or service not known")
            assert (list(ports), timeout) == ([25, 465], 3.0)
            return [Attempt(port, host, source, state, "no answer") for port, state in states.items()]

        said: list[str] = []  # Ansible collects the warnings of the whole process
        monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: said.append(text))
        monkeypatch.setattr(body, "try_ports", try_ports)
        given = {"host": "198.51.100.1", "ports": PORTS, **options}
        with patch_module_args(given), pytest.raises(SystemExit):
            mail_port_info.main()
        return {**json.loads(capsys.readouterr().out), "warnings": said}

    return run_module


ALL, NONE, SOME = {25: "open", 465: "open"}, {25: "filtered", 465: "filtered"}, {25: "open", 465: "filtered"}
CLIENT, OTHER = "192.0.2.9", "203.0.113.9"
#: Name, states, source, options, whether it passes, whether it fails, ports that the warnings name.
CASES: list[tuple[str, dict[int, str], str, dict[str, str], bool, bool, list[int]]] = [
    ("open to a client", ALL, CLIENT, {}, True, False, []),
    ("closed to another", SOME, OTHER, {}, True, False, []),
    ("closed to a client", NONE, CLIENT, {}, False, False, [25, 465]),
    ("closed to a client, which fails", NONE, CLIENT, {"on_closed": "fail"}, False, True, []),
    ("open to another", ALL, OTHER, {}, False, True, []),
    ("open to another, which does not fail", ALL, OTHER, {"on_open": "warn"}, False, False, [465]),
]


@pytest.mark.parametrize(
    ("states", "source", "options", "passed", "failed", "warned"),
    [row[1:] for row in CASES],
    ids=[row[0] for row in CASES],
)
def test_what_was_found(
    run: Run,
    states: dict[int, str],
    source: str,
    options: dict[str, str],
    passed: bool,
    failed: bool,
    warned: list[int],
) -> None:
    found = run(states, source, **options)
    assert (found["passed"], found.get("failed", False)) == (passed, failed)
    assert [one["port"] for one in found["ports"]] == [25, 465]
    assert [one["state"] for one in found["ports"]] == list(states.values())
    assert [text.split(" of ")[0] for text in found["warnings"]] == [f"Port {port}" for port in warned]


def test_a_name_that_does_not_resolve(run: Run) -> None:
    found = run(ALL, host="relay.invalid")
    assert (found["passed"], found["ports"], found.get("failed", False)) == (False, [], False)
    assert "relay.invalid does not resolve here" in str(found["warnings"])
    assert run(ALL, host="relay.invalid", on_closed="fail")["failed"] is True


def test_the_address_in_its_place(run: Run) -> None:
    found = run(ALL, host="relay.invalid", fallback="198.51.100.7")
    assert found["passed"] is True
    assert {one["address"] for one in found["ports"]} == {"198.51.100.7"}
