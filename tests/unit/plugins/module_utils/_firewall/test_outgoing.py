# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which chains refuse a connection that the host itself opens, as a real nft lists them where there is one."""

from __future__ import annotations

import json

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import from_iptables, from_nft, outgoing
from ansible_collections.mailops.smtp.tests.unit.support.nft import NEEDS_NFT, in_a_namespace

OURS, OVER_6 = "192.0.2.9", "2001:db8::9"

#: Name, rules of a chain in nft, rules in iptables, whether port 25 is refused for certain over IPv4.
CASES: list[tuple[str, str, str, bool]] = [
    ("no rule", "policy accept;", ":OUTPUT ACCEPT [0:0]", False),
    ("the policy drops", "policy drop;", ":OUTPUT DROP [0:0]", True),
    (
        "all but loopback and answers",
        'policy drop; oifname "lo" accept; ct state established,related accept; udp dport 53 accept;',
        "\n".join(
            [
                ":OUTPUT DROP [0:0]",
                "-A OUTPUT -o lo -j ACCEPT",
                "-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "-A OUTPUT -p udp -m udp --dport 53 -j ACCEPT",
            ]
        ),
        True,
    ),
    (
        "the port is closed",
        "policy accept; tcp dport 25 reject;",
        ":OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 25 -j REJECT --reject-with icmp-port-unreachable",
        True,
    ),
    (
        "another port is closed",
        "policy accept; tcp dport 587 drop;",
        ":OUTPUT ACCEPT [0:0]\n-A OUTPUT -p tcp -m tcp --dport 587 -j DROP",
        False,
    ),
    (
        "some users may connect",
        "policy drop; meta skuid 0 tcp dport 25 accept;",
        ":OUTPUT DROP [0:0]\n-A OUTPUT -p tcp -m tcp --dport 25 -m owner --uid-owner 0 -j ACCEPT",
        False,
    ),
    (
        "some servers may be reached",
        "policy drop; ip daddr 198.51.100.0/24 tcp dport 25 accept;",
        ":OUTPUT DROP [0:0]\n-A OUTPUT -d 198.51.100.0/24 -p tcp -m tcp --dport 25 -j ACCEPT",
        False,
    ),
]


def chains_of_iptables(rules: str) -> list[str]:
    """The output of iptables-save."""
    return ["*filter", ":INPUT DROP [0:0]", *rules.splitlines(), "COMMIT"]


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "may_change_firewalls", lambda: True)


@NEEDS_NFT
@pytest.mark.parametrize(("rules", "refused"), [(row[1], row[3]) for row in CASES], ids=[row[0] for row in CASES])
def test_chains_of_nftables(root: None, monkeypatch: pytest.MonkeyPatch, rules: str, refused: bool) -> None:
    """A chain for what comes in has no say."""
    table = f"""table inet filter {{
        chain in {{ type filter hook input priority 0; policy drop; }}
        chain out {{ type filter hook output priority 0; {rules} }}
    }}"""
    listed = json.loads(in_a_namespace("nft -f - && nft --json list ruleset", table))["nftables"]
    monkeypatch.setattr(from_nft, "list_ruleset", lambda hooks: from_nft.read_chains(listed, hooks))
    monkeypatch.setattr(from_iptables, "list_tables", lambda _hooks: [])
    assert outgoing.refusing_outgoing(25, [OURS]) == (["inet filter out"] if refused else [])


@pytest.mark.parametrize(("rules", "refused"), [row[2:] for row in CASES], ids=[row[0] for row in CASES])
def test_chains_of_iptables(root: None, monkeypatch: pytest.MonkeyPatch, rules: str, refused: bool) -> None:
    lines = chains_of_iptables(rules)
    monkeypatch.setattr(from_nft, "list_ruleset", lambda _hooks: [])
    monkeypatch.setattr(from_iptables, "list_tables", lambda hooks: [from_iptables.read_save(lines, 4, hooks)])
    assert outgoing.refusing_outgoing(25, [OURS]) == (["ip filter OUTPUT"] if refused else [])
    assert outgoing.refusing_outgoing(25, [OVER_6]) == [], "iptables has no say in IPv6"
    assert outgoing.refusing_outgoing(25, ["127.0.0.1", "::1"]) == [], "what stays on the host is another matter"


def test_without_root_it_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "may_change_firewalls", lambda: False)
    assert outgoing.refusing_outgoing(25, [OURS]) is None
