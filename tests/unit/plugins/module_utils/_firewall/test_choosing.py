# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend is chosen, and what speaks against it; real firewalls are in the lab."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import choosing, host
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.backends import BACKENDS
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.from_iptables import read_save
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.rules import Network
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.walk import Chain

Ports = dict[int, list[Network]]

OPEN: Ports = {25: [], 587: []}
OFFICE: Ports = {25: [ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32")]}


def saved(policy: str, *rules: str) -> list[Chain]:
    """What iptables-save says of the chain INPUT."""
    lines = [
        "*filter",
        f":INPUT {policy} [0:0]",
        ":ufw-user-input - [0:0]",
        *(f"-A {rule}" for rule in rules),
        "COMMIT",
    ]
    return read_save(lines, 4)


NONE = saved("ACCEPT")
DROPPING = saved("DROP", "INPUT -i lo -j ACCEPT", "INPUT -p tcp -m tcp --dport 22 -j ACCEPT")
OF_UFW = saved("DROP", "INPUT -j ufw-user-input")
BEFORE_UFW = saved("DROP", "INPUT -p tcp -m tcp --dport 587 -j REJECT", "INPUT -j ufw-user-input")
LEFT = [Chain("inet relay", "input", hooked=True, policy="drop")]
#: Chains in which fail2ban, CrowdSec and sshguard ban single addresses.
BANS = ["inet f2b-table f2b-chain", "ip crowdsec crowdsec-chain", "ip6 crowdsec6 crowdsec6-chain", "ip sshguard input"]


def _refusing(label: str) -> Chain:
    table, _blank, name = label.rpartition(" ")
    return Chain(table, name, hooked=True, policy="drop")


#: Name, wanted, active firewalls, ports, chains, the backend, what the problem says.
CHOICES: list[tuple[str, str, list[str], Ports, list[Chain], str, str]] = [
    ("firewalld runs", "auto", ["firewalld"], OPEN, NONE, "firewalld", ""),
    ("ufw is enabled", "auto", ["ufw"], OPEN, OF_UFW, "ufw", ""),
    ("neither", "auto", [], OPEN, NONE, "nftables", ""),
    ("two at work", "auto", ["firewalld", "ufw"], OPEN, NONE, "firewalld", "ufw is active on this host"),
    ("another one than named", "nftables", ["ufw"], OPEN, OF_UFW, "nftables", "ufw is active on this host"),
    ("the one named does not run", "ufw", [], OPEN, NONE, "ufw", "ufw is not active on this host"),
    ("a chain of others", "auto", [], OPEN, DROPPING, "nftables", "'ip filter INPUT' refuses port 25, port 587."),
    (
        "for some clients",
        "auto",
        [],
        OFFICE,
        DROPPING,
        "nftables",
        "'ip filter INPUT' refuses port 25 from 192.0.2.0/24.",
    ),
    ("no client", "auto", [], {}, DROPPING, "nftables", ""),
    ("a rule before those of ufw", "ufw", ["ufw"], OPEN, BEFORE_UFW, "ufw", "'ip filter INPUT' refuses port 587."),
    ("the role's own table, left of a run", "auto", ["firewalld"], OPEN, LEFT, "firewalld", ""),
    *((f"bans of {name}", "auto", [], OPEN, [_refusing(name)], "nftables", "") for name in BANS),
    ("no ban", "auto", [], OPEN, [_refusing("inet mine f2b")], "nftables", "'inet mine f2b' refuses port 25"),
]


@pytest.mark.parametrize(
    ("wanted", "at_work", "ports", "chains", "backend", "problem"),
    [row[1:] for row in CHOICES],
    ids=[row[0] for row in CHOICES],
)
@pytest.mark.parametrize("form", ["nft", "iptables"])
def test_choice(
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    wanted: str,
    at_work: list[str],
    ports: Ports,
    chains: list[Chain],
    backend: str,
    problem: str,
) -> None:
    for name, each in BACKENDS.items():
        monkeypatch.setattr(each, "at_work", lambda name=name: name in at_work)
    monkeypatch.setattr(choosing, "may_change_firewalls", lambda: True)
    monkeypatch.setattr(choosing, "list_ruleset", lambda: chains if form == "nft" else [])
    monkeypatch.setattr(choosing, "list_tables", lambda: [[], chains] if form == "iptables" else [])
    choice = choosing.choose(wanted, ports)
    assert (choice.backend, choice.active) == (backend, at_work)
    assert bool(choice.problem) == bool(problem)
    assert problem in choice.problem


@pytest.mark.parametrize(("user", "said"), [(0, "CAP_NET_ADMIN is missing"), (1000, "Set become: true")])
def test_a_host_whose_firewall_may_not_be_changed(monkeypatch: pytest.MonkeyPatch, user: int, said: str) -> None:
    monkeypatch.setattr(
        choosing, "read_lines", lambda _path: ["CapPrm:\tffffffffffffffff", "CapEff:\tffffffffffffefff"]
    )
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert said in choosing.choose("nftables").problem


@pytest.mark.parametrize(
    ("connection", "ends"),
    [("192.0.2.9 50000 192.0.2.1 22", ("192.0.2.9", "192.0.2.1")), (None, ("", ""))],
    ids=["over ssh", "without"],
)
def test_the_ends_of_the_ssh_connection(
    tmp_path: Path, connection: str | None, ends: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of a parent has them where sudo has dropped them."""
    processes = {70: ("HOME=/root", 60), 60: (f"A=1\0SSH_CONNECTION={connection}" if connection else "A=1", 1)}
    real_open = open

    def fake_open(path: str, **options: str) -> object:
        _empty, _proc, process, kind = path.split("/")
        environment, parent = processes[int(process)]
        file = tmp_path / process
        file.write_text(environment if kind == "environ" else f"{process} (a) b) S {parent} 1 1")
        return real_open(file, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", fake_open)
    monkeypatch.setattr(os, "getpid", lambda: 70)
    found = host.ssh_ends()
    monkeypatch.undo()
    assert found == ends
