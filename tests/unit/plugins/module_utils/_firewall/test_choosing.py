# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend is chosen, and what speaks against it; real firewalls are in the lab."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import choosing
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.backends import BACKENDS

LISTED = """\
table inet firewalld {
    chain filter_INPUT {
        type filter hook input priority filter + 10; policy accept;
    }
    chain filter_INPUT_ZONES {
    }
}
table ip filter {
    chain INPUT {
        type filter hook input priority filter; policy drop;
    }
    chain OUTPUT {
        type filter hook output priority filter; policy drop;
    }
}
"""


def test_chains_that_drop() -> None:
    assert choosing.find_dropping_chains(LISTED) == ["ip filter INPUT"]


CHOICES: list[tuple[str, str, list[str], str, str, str]] = [
    ("firewalld runs", "auto", ["firewalld"], "", "firewalld", ""),
    ("ufw is enabled", "auto", ["ufw"], LISTED, "ufw", ""),
    ("neither", "auto", [], "", "nftables", ""),
    ("two at work", "auto", ["firewalld", "ufw"], "", "firewalld", "ufw is active on this host"),
    ("another one than named", "nftables", ["ufw"], LISTED, "nftables", "ufw is active on this host"),
    ("the one named does not run", "ufw", [], "", "ufw", "ufw is not active on this host"),
    ("a table of an administrator", "nftables", [], LISTED, "nftables", "'ip filter INPUT' drops unmatched packets"),
]


@pytest.mark.parametrize(
    ("wanted", "at_work", "chains", "backend", "problem"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES]
)
def test_choice(
    monkeypatch: pytest.MonkeyPatch, wanted: str, at_work: list[str], chains: str, backend: str, problem: str
) -> None:
    for name, each in BACKENDS.items():
        monkeypatch.setattr(each, "at_work", lambda name=name: name in at_work)
    monkeypatch.setattr(choosing, "may_change_firewalls", lambda: True)
    monkeypatch.setattr(choosing, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, chains, ""))
    choice = choosing.choose(wanted)
    assert (choice.backend, choice.active) == (backend, at_work)
    assert bool(choice.problem) == bool(problem)
    assert problem in choice.problem


def test_a_host_whose_firewall_may_not_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        choosing, "read_lines", lambda _path: ["CapPrm:\tffffffffffffffff", "CapEff:\tffffffffffffefff"]
    )
    assert "CAP_NET_ADMIN is missing" in choosing.choose("nftables").problem
