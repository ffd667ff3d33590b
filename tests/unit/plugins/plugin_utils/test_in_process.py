# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When smtp_send runs in Ansible's own process, and that it then returns what the module returns."""

from __future__ import annotations

import datetime
import json
import re
import sys
import typing as t
from types import SimpleNamespace

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar, trust_as_template

from ansible_collections.mailops.smtp.plugins.plugin_utils import _in_process
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.playbook import run_playbook

VAULT_PASSWORD, PASSWORD = "the-vault-password", "the-smtp-password"
HERE = {"transport": "local", "become": None}

CASES: list[tuple[str, bool, dict[str, t.Any]]] = [
    ("a local connection", True, {}),
    ("ssh", False, {"connection": {"transport": "ssh"}}),
    ("another user", False, {"connection": {"become": object()}}),
    ("in the background", False, {"task": {"async_val": 60}}),
    ("an environment", False, {"task": {"environment": [{}, {"LANG": "C"}]}}),
    ("an empty environment", True, {"task": {"environment": [{}, {}]}}),
    ("several connections", False, {"arguments": {"connections": 2}}),
    ("several connections as text", False, {"arguments": {"connections": "2"}}),
    ("one connection", True, {"arguments": {"connections": 1}}),
    ("another interpreter", False, {"variables": {"ansible_python_interpreter": "/opt/other/bin/python3"}}),
    ("the same interpreter", True, {"variables": {"ansible_python_interpreter": sys.executable}}),
    ("an interpreter that Ansible chooses", True, {"variables": {"ansible_python_interpreter": "auto_silent"}}),
    (
        "the controller's interpreter",
        True,
        {
            "variables": {
                "ansible_python_interpreter": trust_as_template("{{ ansible_playbook_python }}"),
                "ansible_playbook_python": sys.executable,
            }
        },
    ),
    (
        "delegated to a host with another interpreter",
        False,
        {
            "task": {"delegate_to": "web2"},
            "variables": {"ansible_delegated_vars": {"web2": {"ansible_python_interpreter": "/opt/other/python3"}}},
        },
    ),
]


@pytest.mark.parametrize(("here", "case"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_only_a_plain_local_task_runs_here(here: bool, case: dict[str, t.Any]) -> None:
    variables = case.get("variables", {})
    action: t.Any = SimpleNamespace(
        _task=SimpleNamespace(**{"async_val": 0, "environment": [], "delegate_to": None, **case.get("task", {})}),
        _connection=SimpleNamespace(**{**HERE, **case.get("connection", {})}),
        _templar=Templar(variables=variables),
    )
    assert _in_process.may_run_here(action, case.get("arguments", {}), variables) is here


def test_kept_remote_files_are_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.constants.DEFAULT_KEEP_REMOTE_FILES", True)
    action: t.Any = SimpleNamespace(
        _task=SimpleNamespace(async_val=0, environment=[], delegate_to=None), _connection=SimpleNamespace(**HERE)
    )
    assert not _in_process.may_run_here(action, {}, {})


VALUES: list[tuple[t.Any, t.Any]] = [
    ({"a": [1, 2.5, True, None, "x", {"b": ("y",)}]}, {"a": [1, 2.5, True, None, "x", {"b": ["y"]}]}),
    ({"a": trust_as_template("x")}, {"a": "x"}),
    ({"a": datetime.date(2026, 11, 28)}, None),
    ({"a": {1: "x"}}, None),
    ({"a": b"x"}, None),
    ({"a": {"x"}}, None),
]


@pytest.mark.parametrize(("given", "expected"), VALUES)
def test_values_are_plain_or_left_to_ansible(given: t.Any, expected: t.Any) -> None:
    plain = _in_process.plain_values(given)
    assert plain == expected
    if plain is not None:
        assert all(type(one) in (str, int, float, bool, type(None), list, dict) for one in plain["a"] or [])


#: Tasks of a play that are run both ways.
TASKS: dict[str, dict[str, t.Any]] = {
    "accepted": {},
    "refused": {"to": ["no@x.test", "also-no@x.test"]},
    "partly": {"to": ["a@x.test", "no@x.test"], "partial": "warn"},
    "echoed": {"to": "echo@x.test", "allow_cleartext_login": True, "username": "u", "password": "{{ vaulted }}"},
    "unknown": {"too": "a@x.test"},
    "exclusive": {"secure": "never"},
    "required": {"password": "x"},
    "type": {"port": "five"},
    "pasted": {"host": f"smtp://u:{PASSWORD}@x.test", "port": "five"},
    "choice": {"tls": "maybe"},
    "alias": {"body": "x", "sender": "c@b.test"},
    "messages": {"to": None, "messages": [{"to": "a@x.test"}, {"to": "no@x.test"}]},
    "preview": {"_check": True},
    "check": {"check": "recipients", "to": ["a@x.test", "no@x.test"], "partial": "ok"},
    "unreached": {"port": 1},
    "beside_the_playbook": {"attach": "beside.txt"},
    "not_a_number": {"retry_delay": float("nan")},
    "handed_over": {"_slice": 5},
    "date": {"date": "2026-11-28 10:00:00"},
    "number": {"subject": 5, "body": 1.5},
    "unsafe": {"subject": {"__ansible_unsafe": "{{ no template }}"}},
}


def any_login() -> t.Generator[bytes, bytes, str]:
    yield b""
    return "235 2.7.0 welcome"


#: What differs between any two runs.
_CHANGING = re.compile(r'("seconds": )[\d.]+|<[\w.]+@[\w.-]+>|(Date: |boundary=)[^\n]+|--=+\w+')


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, t.Any], str, int]:
    """The results of each task as a module and in the process, the output, and the number of modules that ran."""
    folder = tmp_path_factory.mktemp("both")
    (folder / "vault").write_text(VAULT_PASSWORD)
    (folder / "elsewhere").mkdir()
    (folder / "beside.txt").write_text("a file beside the playbook")
    secret = VaultSecret(VAULT_PASSWORD.encode())
    vaulted = VaultLib([("default", secret)]).encrypt(PASSWORD.encode(), secret).decode()

    def disturb(moment: t.Any) -> str | None:
        if moment.stage == "RCPT" and "no@" in (moment.recipient or ""):
            return "550 5.1.1 no such user"
        if moment.stage == "RCPT" and "echo@" in (moment.recipient or ""):
            return f"550 5.7.1 your password {PASSWORD} is known"
        return None

    with Peer(disturb=disturb, extensions=("PIPELINING", "AUTH PLAIN"), sasl={"PLAIN": any_login}) as peer:
        tasks = []
        for name, options in TASKS.items():
            server = {"host": "127.0.0.1", "port": peer.port, "tls": "none", "from": "a@b.test", "to": "a@x.test"}
            arguments = {"subject": "S", **server, **{key: one for key, one in options.items() if key != "_check"}}
            arguments = {key: one for key, one in arguments.items() if one is not None}
            for way, environment in (("module", {"AS_A_MODULE": "yes"}), ("process", {})):
                tasks.append(
                    {
                        "name": f"{name} {way}",
                        "mailops.smtp.smtp_send": arguments,
                        "environment": environment,
                        "check_mode": "_check" in options,
                        "diff": True,
                        "register": f"{name}_{way}",
                        "ignore_errors": True,
                    }
                )
        results = ", ".join(f"'{name}': [{name}_module, {name}_process]" for name in TASKS)
        collect = {"content": "{{ {" + results + "} | to_json }}", "dest": str(folder / "results.json")}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"vaulted": {"__ansible_vault": vaulted}},
            "tasks": [*tasks, {"ansible.builtin.copy": collect, "no_log": True}],
        }
        (folder / "play.json").write_text(json.dumps([play]))
        vault = ("--vault-password-file", "../vault")
        output = run_playbook(*vault, "-vvv", "../play.json", cwd=folder / "elsewhere", home=folder / "home")
    assert (folder / "results.json").exists(), output
    modules = len(re.findall("Using module file .*/smtp_send.py", output))
    return json.loads((folder / "results.json").read_text()), output, modules


@pytest.mark.parametrize("name", TASKS)
def test_both_ways_return_the_same(both: tuple[dict[str, t.Any], str, int], name: str) -> None:
    for one in both[0][name]:
        one.pop("ansible_parsed", None)  # ansible-core 2.22 marks what it read from a module
    module, process = (_CHANGING.sub(r"\1", json.dumps(one, indent=1, sort_keys=True)) for one in both[0][name])
    assert process == module


def test_each_way_was_taken(both: tuple[dict[str, t.Any], str, int]) -> None:
    results, output, modules = both
    assert modules == len(TASKS) - 1, output  # the action plugin refuses what is handed over
    assert not results["beside_the_playbook"][0].get("failed"), output


def test_secrets_are_hidden_both_ways(both: tuple[dict[str, t.Any], str, int]) -> None:
    results, output, _modules = both
    assert PASSWORD not in output
    assert [one["failed"] for one in results["echoed"]] == [True, True]
    assert "known" in results["echoed"][1]["msg"]


def test_failed_task_of_one_message_shows_little(both: tuple[dict[str, t.Any], str, int]) -> None:
    """What Ansible prints for a failed task, without what only ``-vvv`` and ``--diff`` show."""
    failed = {name: one for name, (one, _process) in both[0].items() if one.get("failed") and name != "messages"}
    shown = {
        name: len(json.dumps({key: value for key, value in one.items() if key not in ("invocation", "diff")}))
        for name, one in failed.items()
        if name != "unknown"  # Ansible itself lists all options
    }
    assert {"refused", "echoed", "unreached", "exclusive", "type"} <= shown.keys()
    assert {name: size for name, size in shown.items() if size >= 1000} == {}


def test_what_the_action_plugin_hands_over_is_not_an_option(both: tuple[dict[str, t.Any], str, int]) -> None:
    for one in both[0]["unknown"]:
        assert "Supported parameters include: allow_cleartext_login, " in one["msg"]
        assert "_spool" not in one["msg"]
        assert "_slice" not in one["msg"]
