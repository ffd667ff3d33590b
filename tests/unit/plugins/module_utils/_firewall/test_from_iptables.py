# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clients the chains of iptables refuse for certain, in the forms that clouds and administrators write them."""

from __future__ import annotations

import ipaddress
import subprocess

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import from_iptables
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.walk import Packet, refusing_chains

ANY = Packet(25, ipaddress.ip_network("0.0.0.0/0"))
OFFICE = Packet(25, ipaddress.ip_network("192.0.2.0/24"))
ELSEWHERE = Packet(25, ipaddress.ip_network("198.51.100.7/32"))
LOGIN = Packet(587, ipaddress.ip_network("0.0.0.0/0"))
OVER_6 = Packet(25, ipaddress.ip_network("2001:db8::/32"))
PACKETS = [ANY, OFFICE, ELSEWHERE, LOGIN, OVER_6]
#: As of an image of Oracle's cloud.
CLOUD = """\
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited"""

#: Name, policy, rules, packets that are refused.
CASES: list[tuple[str, str, str, list[Packet]]] = [
    ("no rule", "ACCEPT", "", []),
    ("the policy drops", "DROP", "", [ANY, OFFICE, ELSEWHERE, LOGIN]),
    ("the last rule rejects", "ACCEPT", CLOUD, [ANY, OFFICE, ELSEWHERE, LOGIN]),
    ("the last rule drops", "ACCEPT", "-A INPUT -i lo -j ACCEPT\n-A INPUT -j DROP", [ANY, OFFICE, ELSEWHERE, LOGIN]),
    ("all but loopback is dropped", "ACCEPT", "-A INPUT ! -i lo -j DROP", [ANY, OFFICE, ELSEWHERE, LOGIN]),
    ("a port is open", "DROP", "-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT", [LOGIN]),
    ("ports are open", "DROP", "-A INPUT -p tcp -m multiport --dports 22,25:100 -j ACCEPT", [LOGIN]),
    (
        "a port is open to some",
        "DROP",
        "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 25 -j ACCEPT",
        [ELSEWHERE, LOGIN],
    ),
    ("some are open to some", "DROP", "-A INPUT -s 192.0.2.0/25 -j ACCEPT", [ELSEWHERE]),
    ("all but some are refused", "ACCEPT", "-A INPUT ! -s 192.0.2.0/24 -j DROP", [ELSEWHERE]),
    ("all but a port", "ACCEPT", "-A INPUT -p tcp -m tcp ! --dport 25 -j DROP", [LOGIN]),
    ("of another protocol", "DROP", "-A INPUT -p udp -m udp --dport 25 -j ACCEPT", [ANY, OFFICE, ELSEWHERE, LOGIN]),
    ("every protocol", "DROP", "-A INPUT -p all -j ACCEPT", []),
    ("an interface", "DROP", "-A INPUT -i eth0 -j ACCEPT", []),
    ("a set", "DROP", "-A INPUT -m set --match-set friends src -j ACCEPT", []),
    ("a limit", "ACCEPT", "-A INPUT -m limit --limit 3/sec -j ACCEPT\n-A INPUT -j DROP", []),
    ("invalid ones only", "ACCEPT", "-A INPUT -m conntrack --ctstate INVALID -j DROP", []),
    (
        "a log",
        "ACCEPT",
        '-A INPUT -j LOG --log-prefix "a -j ACCEPT: "\n-A INPUT -j DROP',
        [ANY, OFFICE, ELSEWHERE, LOGIN],
    ),
    ("a comment", "ACCEPT", '-A INPUT -m comment --comment "a -j ACCEPT" -j DROP', [ANY, OFFICE, ELSEWHERE, LOGIN]),
    ("a chain that accepts", "DROP", "-A INPUT -j mail\n-A mail -p tcp -m tcp --dport 25 -j ACCEPT", [LOGIN]),
    (
        "a chain that returns",
        "DROP",
        "-A INPUT -j mail\n-A mail -j RETURN\n-A mail -j ACCEPT",
        [ANY, OFFICE, ELSEWHERE, LOGIN],
    ),
    ("a chain that drops", "ACCEPT", "-A INPUT -j mail\n-A mail -s 198.51.100.7/32 -j DROP", [ELSEWHERE]),
    ("going to a chain", "DROP", "-A INPUT -g mail\n-A INPUT -j ACCEPT", [ANY, OFFICE, ELSEWHERE, LOGIN]),
    ("a chain of the firewall", "DROP", "-A INPUT -j ufw-before-input", []),
    (
        "bans",
        "ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 25 -j mail\n-A mail -s 203.0.113.9/32 -j REJECT\n-A mail -j RETURN",
        [],
    ),
    ("what cannot be read", "DROP", '-A INPUT -m comment --comment "a\n-A INPUT -j', []),
    ("what is forwarded", "ACCEPT", "-A FORWARD -j DROP", []),
]


@pytest.mark.parametrize(("policy", "rules", "refused"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_is_refused(policy: str, rules: str, refused: list[Packet]) -> None:
    text = f"*filter\n:INPUT {policy} [3:180]\n:FORWARD ACCEPT [0:0]\n:mail - [0:0]\n{rules}\nCOMMIT\n"
    chains = from_iptables.read_save(text.splitlines(), 4)
    assert [packet for packet in PACKETS if refusing_chains(chains, packet)] == refused
    over_6 = from_iptables.read_save(text.splitlines(), 6)
    assert [packet for packet in PACKETS if refusing_chains(over_6, packet)] in ([], [OVER_6])


TABLES = [("raw", "PREROUTING", True), ("mangle", "PREROUTING", True), ("security", "INPUT", True)]


@pytest.mark.parametrize(
    ("table", "chain", "refused"), [*TABLES, ("nat", "PREROUTING", False), ("filter", "OUTPUT", False)]
)
def test_other_tables(table: str, chain: str, refused: bool) -> None:
    text = f"*{table}\n:{chain} ACCEPT [0:0]\n-A {chain} -p tcp -m tcp --dport 25 -j DROP\nCOMMIT\n"
    assert bool(refusing_chains(from_iptables.read_save(text.splitlines(), 4), ANY)) == refused


def test_the_legacy_form_is_asked_only_if_it_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(command: str) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess([command], 127 if command == "iptables-nft-save" else 0, "", "")

    monkeypatch.setattr(from_iptables, "run", run)
    monkeypatch.setattr(from_iptables, "read_lines", lambda path: ["filter"] if "ip6" in path else [])
    from_iptables.list_tables()
    assert asked == ["iptables-nft-save", "iptables-save", "ip6tables-nft-save", "ip6tables-legacy-save"]
