# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports the firewall opens for whom: the first rule that matches decides."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall.rules import PortRule, find_ssh_ports, make_rules
from ansible_collections.mailops.smtp.tests.unit.support.firewall_rules import NAMES, RULES, Ports, declared


def decision(rule: PortRule) -> str:
    family = {4: "ip saddr ", 6: "ip6 saddr "}[rule.source.version] if rule.source else ""
    return " ".join(filter(None, [str(rule.port), family + rule.address, "accept" if rule.accept else "reject"]))


@pytest.mark.parametrize(("ports", "expected"), [row[1:] for row in RULES], ids=NAMES)
def test_rules(ports: Ports, expected: list[str]) -> None:
    assert list(map(decision, make_rules(ports))) == expected


def test_sources_by_family() -> None:
    rules = make_rules(declared(25, "192.0.2.0/24", "2001:db8::1/128"))
    assert rules[:3] == [
        PortRule(25, True, ipaddress.IPv4Network("192.0.2.0/24")),
        PortRule(25, True, ipaddress.IPv6Network("2001:db8::1/128")),
        PortRule(25, False),
    ]
    assert [rule.address for rule in rules[:3]] == ["192.0.2.0/24", "2001:db8::1", ""]


def test_no_listener_where_ansible_comes_in() -> None:
    assert find_ssh_ports([22, 25, 2222], ssh_port=2222) == [22, 2222]
    assert find_ssh_ports([22, 25, 2222]) == [22]
