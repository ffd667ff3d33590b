# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mail_firewall_info as Ansible runs it, on hosts whose firewalls are said to be active or not."""

from __future__ import annotations

import json
import os
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import choosing
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.backends import BACKENDS
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.walk import Chain
from ansible_collections.mailops.smtp.plugins.module_utils._module import firewall
from ansible_collections.mailops.smtp.plugins.modules import mail_firewall_info

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(active, **options)`` gives the module's result on a host where these firewalls are active."""
    monkeypatch.setattr(choosing, "may_change_firewalls", lambda: True)
    refusing = [Chain("ip filter", "INPUT", hooked=True, policy="drop")]
    monkeypatch.setattr(choosing, "list_ruleset", lambda: refusing)
    monkeypatch.setattr(choosing, "list_tables", list)
    monkeypatch.setattr(choosing, "is_installed", lambda _program: False)

    def run_module(active: t.Collection[str], **options: t.Any) -> dict[str, t.Any]:
        for name, backend in BACKENDS.items():
            monkeypatch.setattr(backend, "at_work", lambda name=name: name in active)
        with patch_module_args(options), pytest.raises(SystemExit):
            mail_firewall_info.main()
        return dict(json.loads(capsys.readouterr().out))

    return run_module


CHOICES: list[tuple[list[str], dict[str, str], str]] = [
    ([], {}, "nftables"),
    (["ufw"], {}, "ufw"),
    (["firewalld"], {"backend": "auto"}, "firewalld"),
    (["ufw"], {"backend": "ufw"}, "ufw"),
]


@pytest.mark.parametrize(("active", "options", "backend"), CHOICES)
def test_the_firewall_that_can_be_used(run: Run, active: list[str], options: dict[str, str], backend: str) -> None:
    found = run(active, **options)
    assert {name: found[name] for name in ("changed", "backend", "active", "problem")} == {
        "changed": False,
        "backend": backend,
        "active": active,
        "problem": "",
    }


def test_what_speaks_against_it(run: Run) -> None:
    found = run(["ufw"], backend="nftables", _ansible_check_mode=True)
    assert (found["backend"], found["active"], found["changed"]) == ("nftables", ["ufw"], False)
    assert found["problem"].startswith(
        "ufw is active on this host, and what it closes the backend nftables cannot open. Set"
    )


def test_a_user_other_than_root_is_told_to_become(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else: no advice about the firewall would be right."""
    monkeypatch.setattr(firewall, "may_change_firewalls", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    found = run(["ufw"], backend="nftables")
    assert found["problem"].startswith("Set become: true on the task or the play: it runs as the user ")
    assert "relay_firewall" not in found["problem"]


def test_clients_that_another_filter_refuses(run: Run) -> None:
    found = run([], ports=[{"port": 25, "from": ["192.0.2.0/24", "2001:db8::1"]}, {"port": 587}])
    assert "'ip filter INPUT' refuses port 25 from 192.0.2.0/24, port 587." in found["problem"]
    assert found["unread"] is True


def test_an_address_that_is_not_valid_is_named(run: Run) -> None:
    found = run([], ports=[{"port": 25, "from": ["192.0.2.1/24"]}])
    assert found["failed"] is True
    assert found["msg"].startswith("ports: 192.0.2.1/24 has host bits set; expected addresses")


def test_none_is_not_a_firewall(run: Run) -> None:
    assert run([], backend="none")["failed"] is True
