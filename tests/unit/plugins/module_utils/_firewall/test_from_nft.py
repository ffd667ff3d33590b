# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clients the chains of nftables refuse for certain, as a real nft lists them where there is one."""

from __future__ import annotations

import ipaddress
import json
import subprocess

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import from_nft
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.host import FirewallError
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.walk import Packet, refusing_chains
from ansible_collections.mailops.smtp.tests.unit.support.nft import NEEDS_NFT, in_a_namespace

ANY = Packet(25, ipaddress.ip_network("0.0.0.0/0"))
OFFICE = Packet(25, ipaddress.ip_network("192.0.2.0/24"))
ELSEWHERE = Packet(25, ipaddress.ip_network("198.51.100.7/32"))
LOGIN = Packet(587, ipaddress.ip_network("0.0.0.0/0"))
OVER_6 = Packet(25, ipaddress.ip_network("2001:db8::/32"))
PACKETS = [ANY, OFFICE, ELSEWHERE, LOGIN, OVER_6]
OVER_4 = [ANY, OFFICE, ELSEWHERE, LOGIN]
FRIENDS = "set friends { type ipv4_addr; flags interval; elements = { 192.0.2.0/25, 192.0.2.128-192.0.2.255 } }"
FLEETING = "set friends { type ipv4_addr; flags timeout; elements = { 192.0.2.1 timeout 1h } }"
INPUT = "type filter hook input priority filter; policy"

#: Name, what else the table has, the chain after ``INPUT``, packets that are refused.
CASES: list[tuple[str, str, str, list[Packet]]] = [
    ("no rule", "", "accept;", []),
    ("the policy drops", "", 'drop; iif "lo" accept; ct state established,related accept;', PACKETS),
    ("the last rule rejects", "", 'accept; iifname "lo" accept; tcp dport 22 accept; reject;', PACKETS),
    ("all but loopback", "", 'accept; iifname != "lo" counter log drop;', PACKETS),
    ("a port is open", "", "drop; tcp dport 25 ct state new accept;", [LOGIN]),
    ("ports are open", "", "drop; tcp dport { 22, 25-100 } accept;", [LOGIN]),
    ("ports by their place", "", "drop; th dport 25 accept;", [LOGIN]),
    ("one family is open", "", "drop; ip protocol tcp accept;", [OVER_6]),
    ("the other is open", "", "drop; meta nfproto ipv6 accept;", OVER_4),
    (
        "of another protocol",
        "",
        "drop; udp dport 25 accept; icmp type echo-request accept; meta l4proto icmp accept;",
        PACKETS,
    ),
    ("a network", "", "drop; ip saddr 192.0.2.0/24 accept;", [ELSEWHERE, OVER_6]),
    ("a range", "", "drop; ip saddr 192.0.2.0-192.0.2.255 accept;", [ELSEWHERE, OVER_6]),
    ("all but a network", "", "accept; ip saddr != 192.0.2.0/24 drop;", [ELSEWHERE]),
    ("a set of intervals", FRIENDS, "drop; ip saddr @friends accept;", [ELSEWHERE, OVER_6]),
    ("a set that changes", FLEETING, "drop; ip saddr @friends accept;", [OVER_6]),
    ("an empty set", "set friends { type ipv4_addr; }", "accept; ip saddr @friends drop;", []),
    ("a verdict map", "", "drop; tcp dport vmap { 22 : accept, 25 : accept };", [LOGIN]),
    (
        "a named verdict map",
        "map ways { type inet_service : verdict; elements = { 25 : accept } }",
        "drop; tcp dport vmap @ways;",
        [LOGIN],
    ),
    ("a map to chains", "chain mail { accept; }", "drop; tcp dport vmap { 25 : jump mail };", [LOGIN]),
    ("a map of states", "", "drop; ct state vmap { established : accept, related : accept, invalid : drop };", PACKETS),
    (
        "a chain that returns",
        "chain mail { tcp dport 25 return; accept; }",
        "drop; jump mail;",
        [ANY, OFFICE, ELSEWHERE, OVER_6],
    ),
    ("going to a chain", "chain mail { tcp dport 25 accept; }", "drop; goto mail; accept;", [LOGIN]),
    ("a limit", "", "drop; tcp dport 25 limit rate 3/second accept;", [LOGIN]),
    ("a concatenation", "", "drop; ip saddr . tcp dport { 192.0.2.1 . 25 } accept;", []),
    ("an address of the host", "", "drop; ip daddr 192.0.2.1 accept;", [OVER_6]),
    ("what is not for the host", "", "accept; fib daddr type != local drop;", []),
    ("what is forwarded", "chain other { type filter hook forward priority 0; policy drop; }", "accept;", []),
    (
        "earlier than input",
        "chain other { type filter hook prerouting priority -300; policy accept; tcp dport 587 drop; }",
        "accept;",
        [LOGIN],
    ),
    (
        "another chain accepts",
        "chain other { type filter hook input priority -10; policy accept; accept; }",
        "drop;",
        PACKETS,
    ),
]


@NEEDS_NFT
@pytest.mark.parametrize(("more", "chain", "refused"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_is_refused(more: str, chain: str, refused: list[Packet]) -> None:
    rules = f"table inet filter {{\n{more}\nchain input {{\n{INPUT} {chain}\n}}\n}}\n"
    listed = json.loads(in_a_namespace("nft -f - && nft --json list ruleset", rules))
    chains = from_nft.read_chains(listed["nftables"])
    assert [packet for packet in PACKETS if refusing_chains(chains, packet)] == refused


@pytest.mark.parametrize(("family", "refused"), [("ip", OVER_4), ("ip6", [OVER_6]), ("inet", PACKETS), ("bridge", [])])
def test_a_table_sees_the_packets_of_its_family(family: str, refused: list[Packet]) -> None:
    chain = {"family": family, "table": "filter", "name": "in", "type": "filter", "hook": "input", "policy": "drop"}
    chains = from_nft.read_chains([{"chain": chain}])
    assert [packet for packet in PACKETS if refusing_chains(chains, packet)] == refused


@pytest.mark.parametrize(
    ("flags", "off"),
    [(["dormant"], True), (["owner", "persist"], False), ("dormant", True), ("x", True), ("owner", False)],
)
def test_a_table_that_is_switched_off_refuses_nothing(flags: list[str] | str, off: bool) -> None:
    """As a single flag, nft 1.0.6 writes any text."""
    table = {"family": "inet", "name": "filter", "flags": flags}
    chain = {"family": "inet", "table": "filter", "name": "in", "type": "filter", "hook": "input", "policy": "drop"}
    assert (from_nft.read_chains([{"table": table}, {"chain": chain}]) == []) == off


def test_a_table_that_nft_cannot_list_keeps_no_other_from_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """nft 1.0.6 breaks off at a dormant table."""
    chain = {"family": "ip", "table": "b", "name": "in", "type": "filter", "hook": "input", "policy": "drop"}
    answers = {
        "ruleset": '{"nftables": [{"table": {"flags": \n',
        "table ip a": '{"nftables": [{"table": {"flags": \n',
        "tables": "table ip a\ntable ip b\n",
        "table ip b": json.dumps({"nftables": [{"metainfo": {"version": "1.0.6"}}, {"chain": chain}]}),
    }

    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, 0, answers[" ".join(argv).split(" list ")[1]], "")

    monkeypatch.setattr(from_nft, "run", run)
    assert [chain.label for chain in from_nft.list_ruleset()] == ["ip b in"]
    with pytest.raises(FirewallError, match="nft list table ip a: its JSON cannot be read"):
        from_nft.list_chains("table", "ip", "a")
