# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What firewalld is given and what is read back; what it does to a real firewall is a test of the lab."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import firewalld
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.host import FirewallError
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.rules import PortRule, make_rules
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.walk import Chain, Rule
from ansible_collections.mailops.smtp.tests.unit.support.firewall_rules import MADE, NAMES, declared

BACKEND = firewalld.Firewalld()


def rich_rule(rule: PortRule) -> str:
    """As firewalld 2.3 lists it."""
    priority = 'priority="-1" ' if rule.accept else ""
    family = f'family="ipv{rule.source.version}" source address="{rule.address}" ' if rule.source else ""
    return f'rule {priority}{family}port port="{rule.port}" protocol="tcp" {"accept" if rule.accept else "reject"}'


@pytest.mark.parametrize("rules", MADE, ids=NAMES)
def test_what_is_written_is_what_is_read(rules: list[PortRule]) -> None:
    text = BACKEND.write(rules, "Ansible managed")[firewalld.POLICY_FILE]
    assert firewalld.read_policy(text.encode()) == set(map(rich_rule, rules))
    assert text.count("<rule") == len(rules)


def test_the_policy_comes_before_every_zone_and_leaves_the_rest_to_it() -> None:
    text = BACKEND.write([], "Managed -- here")[firewalld.POLICY_FILE]
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<!--\n -\n - Managed - - here\n -\n-->\n')
    assert '<policy priority="-100" target="CONTINUE">' in text
    assert '<ingress-zone name="ANY"/>\n  <egress-zone name="HOST"/>\n</policy>' in text
    assert firewalld.read_policy(text.encode()) == set()


def test_a_file_that_is_not_xml_is_named() -> None:
    with pytest.raises(FirewallError, match="/etc/firewalld/policies/relay.xml is not valid XML"):
        firewalld.read_policy(b"<policy>")


def kernel(rules: t.Collection[str], reached: bool = True) -> list[Chain]:
    """Chains as firewalld makes them for rules of the policy."""
    table, prefix = "inet firewalld", "filter_IN_policy_relay"
    own = [rule for rule in map(firewalld.read_rich_rule, rules) if rule]
    jumps = {name: Rule(frozenset(), "jump", name) for name in (prefix, f"{prefix}_pre", f"{prefix}_deny")}
    return [
        Chain(table, "filter_INPUT", (jumps[prefix],) if reached else (), hooked=True, policy="accept"),
        Chain(table, prefix, (jumps[f"{prefix}_pre"], jumps[f"{prefix}_deny"])),
        Chain(table, f"{prefix}_pre", tuple(rule for rule in own if rule.verdict == "accept")),
        Chain(table, f"{prefix}_deny", tuple(rule for rule in own if rule.verdict == "drop")),
        Chain(table, "filter_IN_policy_other", (Rule(frozenset(), "accept"),)),
    ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """What firewall-cmd is told, on a host with the policy's file, where firewalld runs and knows another rule."""
    rules = make_rules(declared(25))
    path = tmp_path / "relay.xml"
    path.write_text(BACKEND.write(rules, "")[firewalld.POLICY_FILE])
    live = [rich_rule(rule) for rule in (PortRule(25, False), *rules[1:])]
    answer = json.dumps({"data": [{"rich_rules": {"data": live}}]})
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(firewalld, "POLICY_FILE", str(path))
    monkeypatch.setattr(firewalld, "succeeds", lambda *_argv: True)
    monkeypatch.setattr(firewalld, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, answer, ""))
    monkeypatch.setattr(firewalld, "must", lambda *argv: told.append(argv))
    monkeypatch.setattr(firewalld, "is_installed", lambda _program: True)
    monkeypatch.setattr(firewalld, "list_chains", lambda *_what: kernel(live))
    return told


def test_rules_change_one_by_one_and_additions_come_first(asked: list[tuple[str, ...]]) -> None:
    assert not BACKEND.agrees()
    BACKEND.apply()
    assert asked == [
        ("firewall-cmd", "--policy=relay", f"--add-rich-rule={rich_rule(PortRule(25, True))}"),
        ("firewall-cmd", "--policy=relay", f"--remove-rich-rule={rich_rule(PortRule(25, False))}"),
    ]


WANTED = make_rules(declared(25))
ALL = [rich_rule(rule) for rule in WANTED]
#: What the kernel has, and whether that is what firewalld believes.
KERNELS = [
    ("all", kernel(ALL), True),
    ("none", kernel([]), False),
    ("no table", [], False),
    ("one is missing", kernel(ALL[1:]), False),
    ("one too many", kernel([*ALL, rich_rule(PortRule(587, True))]), False),
    ("no packet comes to them", kernel(ALL, reached=False), False),
]


@pytest.mark.parametrize(("chains", "same"), [row[1:] for row in KERNELS], ids=[row[0] for row in KERNELS])
def test_a_kernel_that_was_emptied_is_filled_by_a_reload(
    asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, chains: list[Chain], same: bool
) -> None:
    """firewalld itself does not notice."""
    answer = json.dumps({"data": [{"rich_rules": {"data": ALL}}]})
    monkeypatch.setattr(firewalld, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, answer, ""))
    monkeypatch.setattr(firewalld, "list_chains", lambda *_what: chains)
    assert BACKEND.agrees() == same
    BACKEND.apply()
    assert asked == ([] if same else [("firewall-cmd", "--reload")])


def test_chains_of_iptables_are_not_read(asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"data": [{"rich_rules": {"data": ALL}}]})
    monkeypatch.setattr(firewalld, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, answer, ""))
    monkeypatch.setattr(firewalld, "list_chains", lambda *_what: [])
    monkeypatch.setattr(firewalld, "read_lines", lambda _path: ["# comment", "FirewallBackend=iptables"])
    assert BACKEND.agrees()
    assert asked == []


def test_a_reload_is_for_a_policy_that_is_not_known_yet(
    asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        firewalld, "run", lambda *argv: subprocess.CompletedProcess(argv, 1, "", "INVALID_POLICY: relay")
    )
    BACKEND.apply()
    assert asked == [("firewall-cmd", "--reload")]


def test_files_of_a_firewalld_that_does_not_run_cannot_be_followed(
    asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firewalld, "succeeds", lambda *_argv: False)
    assert not BACKEND.agrees()
    with pytest.raises(FirewallError, match="firewalld is not running"):
        BACKEND.apply()
    monkeypatch.setattr(firewalld, "POLICY_FILE", "/nonexistent/relay.xml")
    assert BACKEND.agrees()
    BACKEND.apply()
    assert asked == []
