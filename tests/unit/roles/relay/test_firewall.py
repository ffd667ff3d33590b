# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the firewall's program decides; what it does to real firewalls is a test of the lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.roles.relay.files import firewall as program

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
    assert program.dropping_chains(LISTED) == ["ip filter INPUT"]


CHOICES: list[tuple[str, str, list[str], str, str, str]] = [
    ("firewalld runs", "auto", ["firewalld"], "", "firewalld", ""),
    ("ufw is enabled", "auto", ["ufw"], LISTED, "ufw", ""),
    ("neither", "auto", [], "", "nftables", ""),
    ("two at work", "auto", ["firewalld", "ufw"], "", "firewalld", "ufw is active on this host"),
    ("another one than named", "nftables", ["ufw"], LISTED, "nftables", "ufw is active on this host"),
    ("the one named does not run", "ufw", [], "", "ufw", "ufw is not active on this host"),
    ("somebody's own table", "nftables", [], LISTED, "nftables", "'ip filter INPUT' drops what it does not know"),
]


@pytest.mark.parametrize(
    ("wanted", "at_work", "chains", "backend", "problem"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES]
)
def test_choice(
    monkeypatch: pytest.MonkeyPatch, wanted: str, at_work: list[str], chains: str, backend: str, problem: str
) -> None:
    for name, each in program.BACKENDS.items():
        monkeypatch.setattr(each, "at_work", lambda name=name: name in at_work)
    monkeypatch.setattr(program, "may_change_firewalls", lambda: True)
    monkeypatch.setattr(program, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, chains, ""))
    choice = program.choose(wanted)
    assert choice["backend"] == backend
    assert bool(choice["problem"]) == bool(problem)
    assert problem in choice["problem"]


def test_a_host_that_lets_nobody_change_its_firewall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "lines_of", lambda _path: ["CapPrm:\tffffffffffffffff", "CapEff:\tffffffffffffefff"])
    assert "CAP_NET_ADMIN is missing" in program.choose("nftables")["problem"]


ALLOW = program.UfwRule("allow", "any", "465,465")
HERE = program.UfwRule("allow", "192.0.2.7", "465,465")
THERE = program.UfwRule("allow", "2001:db8::7", "465,465")
REJECT = program.UfwRule("reject", "any", "465,465")
Rules = list[program.UfwRule]

#: Name, wanted, live over IPv4 and over IPv6, to delete, to put on top.
UFW: list[tuple[str, Rules, Rules, Rules, Rules, Rules]] = [
    ("nothing yet", [HERE, REJECT], [], [], [], [HERE, REJECT]),
    ("as it shall be", [HERE, THERE, REJECT], [HERE, REJECT], [THERE, REJECT], [], []),
    ("a new source leaves the others alone", [HERE, THERE, REJECT], [HERE, REJECT], [REJECT], [], [THERE]),
    ("a source goes", [HERE, REJECT], [HERE, REJECT], [THERE, REJECT], [THERE], []),
    ("opened to all", [ALLOW], [HERE, REJECT], [REJECT], [HERE, REJECT], [ALLOW]),
    ("kept for one again", [HERE, REJECT], [ALLOW], [ALLOW], [ALLOW], [HERE, REJECT]),
    ("all is refused before one is let in", [HERE, REJECT], [REJECT, HERE], [REJECT], [HERE, REJECT], [HERE, REJECT]),
    ("lost in one family", [ALLOW], [ALLOW], [], [], [ALLOW]),
    ("gone", [], [HERE, REJECT], [REJECT], [HERE, REJECT], []),
]


@pytest.mark.parametrize(
    ("wanted", "over_4", "over_6", "stale", "missing"), [row[1:] for row in UFW], ids=[row[0] for row in UFW]
)
def test_ufw_rules_that_differ(wanted: Rules, over_4: Rules, over_6: Rules, stale: Rules, missing: Rules) -> None:
    live = {"0.0.0.0/0": over_4, "::/0": over_6}
    assert program.compare_ufw_rules(wanted, live) == (sorted(stale), missing)


def test_ufw_rules_of_others_are_not_seen() -> None:
    comment = program.UFW_COMMENT.encode().hex()
    lines = [
        "### tuple ### allow tcp 25,25 0.0.0.0/0 any 0.0.0.0/0 in comment=" + comment,
        "### tuple ### allow tcp 465,465 0.0.0.0/0 any 192.0.2.7 in comment=" + comment,
        "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in",
        "### tuple ### allow tcp 587 0.0.0.0/0 any 0.0.0.0/0 in comment=6d696e65",
        "-A ufw-user-input -p tcp --dport 22 -j ACCEPT",
    ]
    everybody = program.UfwRule("allow", "any", "25,25")
    assert program.read_live_ufw_rules(lines, "0.0.0.0/0") == [everybody, HERE]


def test_one_that_cannot_follow_keeps_no_other_from_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """firewalld's policy is back and firewalld does not run: the table that took its place has to go all the same."""
    followed = []

    def fail() -> None:
        raise program.Problem("firewalld is not running")

    monkeypatch.setattr(program.BACKENDS["firewalld"], "apply", fail)
    for name in ("ufw", "nftables"):
        monkeypatch.setattr(program.BACKENDS[name], "apply", lambda name=name: followed.append(name))
    assert program.main("apply") == 1
    assert followed == ["ufw", "nftables"]
    assert capsys.readouterr().err == "firewalld is not running\n"


def test_the_program_survives_the_way_to_the_host() -> None:
    """Ansible replaces variables of the environment in the words of a command."""
    assert "$" not in Path(program.__file__).read_text(encoding="utf-8")
