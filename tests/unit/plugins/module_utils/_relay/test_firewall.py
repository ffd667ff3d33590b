# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports the firewall opens for whom: the first rule that matches decides."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.firewall import firewall_problems, firewall_rules
from ansible_collections.mailops.smtp.plugins.module_utils._relay.listeners import Listener


def listener(port: int, *sources: str) -> Listener:
    return Listener(port, "starttls", True, tuple(map(ipaddress.ip_network, sources)), False)


def decisions(*listeners: Listener) -> list[str]:
    return [
        f"{rule['port']} {rule['match']}{'accept' if rule['accept'] else 'reject'}"
        for rule in firewall_rules(listeners)
    ]


RULES = [
    ("nobody may connect", [], ["25 reject", "465 reject", "587 reject"]),
    ("everybody may", [listener(25)], ["25 accept", "465 reject", "587 reject"]),
    (
        "some may, by family and without those that others hold",
        [listener(465, "2001:db8::/32", "192.0.2.7/32", "192.0.2.0/24", "198.51.100.9")],
        [
            "25 reject",
            "465 ip saddr 192.0.2.0/24 accept",
            "465 ip saddr 198.51.100.9 accept",
            "465 ip6 saddr 2001:db8::/32 accept",
            "465 reject",
            "587 reject",
        ],
    ),
    (
        "a port that is no mail port is kept for its sources too",
        [listener(2525, "192.0.2.7"), listener(10025)],
        ["25 reject", "465 reject", "587 reject", "2525 ip saddr 192.0.2.7 accept", "2525 reject", "10025 accept"],
    ),
]


@pytest.mark.parametrize(("listeners", "expected"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_rules(listeners: list[Listener], expected: list[str]) -> None:
    assert decisions(*listeners) == expected


def test_family_as_firewalld_calls_it() -> None:
    rules = firewall_rules([listener(25, "192.0.2.0/24", "2001:db8::1/128")])
    assert [(rule["family"], rule["source"]) for rule in rules[:3]] == [
        ("ipv4", "192.0.2.0/24"),
        ("ipv6", "2001:db8::1"),
        ("", ""),
    ]


def test_no_listener_where_ansible_comes_in() -> None:
    listeners = [listener(22), listener(25), listener(2222)]
    assert [problem.split(" is ")[0] for problem in firewall_problems(listeners, ssh_port=2222)] == [
        "relay_listeners: port 22",
        "relay_listeners: port 2222",
    ]
    assert len(firewall_problems(listeners)) == 1
