# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared ports of a relay, and the rules they make; every backend has to write and read each of them."""

from __future__ import annotations

import ipaddress

from ansible_collections.mailops.smtp.plugins.module_utils._firewall.rules import Network, PortRule, make_rules

Ports = dict[int, tuple[Network, ...]]


def declared(port: int, *sources: str) -> Ports:
    """A port as a listener declares it."""
    return {port: tuple(map(ipaddress.ip_network, sources))}


#: What is declared, the ports, and the rules as nftables writes them, without the words around them.
RULES: list[tuple[str, Ports, list[str]]] = [
    ("no client may connect", {}, ["25 reject", "465 reject", "587 reject"]),
    ("all clients may", declared(25), ["25 accept", "465 reject", "587 reject"]),
    (
        "some may, by family and without those that others hold",
        declared(465, "2001:db8::/32", "192.0.2.7/32", "192.0.2.0/24", "198.51.100.9"),
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
        "a port that is not a mail port is kept for its sources too",
        {**declared(2525, "192.0.2.7"), **declared(10025)},
        ["25 reject", "465 reject", "587 reject", "2525 ip saddr 192.0.2.7 accept", "2525 reject", "10025 accept"],
    ),
    (
        "one address of each family",
        declared(25, "192.0.2.0/24", "2001:db8::1/128"),
        [
            "25 ip saddr 192.0.2.0/24 accept",
            "25 ip6 saddr 2001:db8::1 accept",
            "25 reject",
            "465 reject",
            "587 reject",
        ],
    ),
]
NAMES = [row[0] for row in RULES]
MADE: list[list[PortRule]] = [make_rules(row[1]) for row in RULES]
