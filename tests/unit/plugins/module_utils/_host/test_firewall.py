# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may connect to a port, in one form whichever program has set the rules."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import PortAccess
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.from_iptables import read_save
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.from_nft import read_chains
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.walk import Chain
from ansible_collections.mailops.smtp.plugins.module_utils._host import firewall
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost


def nft(*rules: list[dict[str, t.Any]], policy: str = "accept", family: str = "inet") -> list[Chain]:
    chain = {"family": family, "table": "filter", "name": "input", "type": "filter", "hook": "input", "policy": policy}
    made = [{"rule": {"family": family, "table": "filter", "chain": "input", "expr": rule}} for rule in rules]
    return read_chains([{"table": {"family": family, "name": "filter"}}, {"chain": chain}, *made])


def port(*ports: int) -> dict[str, t.Any]:
    right = ports[0] if len(ports) == 1 else {"set": list(ports)}
    return {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": right}}


def source(protocol: str, address: str, length: int) -> dict[str, t.Any]:
    right = {"prefix": {"addr": address, "len": length}}
    return {"match": {"op": "==", "left": {"payload": {"protocol": protocol, "field": "saddr"}}, "right": right}}


ACCEPT, DROP, REJECT, LIMIT = (
    {"accept": None},
    {"drop": None},
    {"reject": None},
    {"limit": {"rate": 1, "per": "second"}},
)


def fib(result: str, flags: list[str] | str, right: str | bool) -> dict[str, t.Any]:
    return {"match": {"op": "==", "left": {"fib": {"result": result, "flags": flags}}, "right": right}}


DNAT = {"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}
ROUTED = {"match": {"op": "==", "left": {"exthdr": {"name": "rt", "field": "type"}}, "right": 0}}
SPOOFED = fib("oif", ["saddr", "mark", "iif"], False)
#: What ufw asks before the rules of ports.
NOT_LOCAL = (
    "-A INPUT -m addrtype --dst-type MULTICAST -j DROP",
    "-A INPUT -m addrtype --dst-type LOCAL -j ufw-user-input",
    "-A INPUT -j DROP",
)


def iptables(*lines: str, version: int = 4, policy: str = "ACCEPT") -> list[Chain]:
    return read_save(["*filter", f":INPUT {policy} [0:0]", ":ufw-user-input - [0:0]", *lines, "COMMIT"], version)


class Access(t.NamedTuple):
    """Expected for port 25: what others get, and networks that are accepted, dropped, and not known."""

    others: str
    accepts: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


#: Rulesets, the version of IP, and who may connect to port 25.
RULES: list[tuple[list[list[Chain]], int, Access]] = [
    ([], 4, Access("accept")),
    ([nft()], 4, Access("accept")),
    ([nft(policy="drop")], 6, Access("drop")),
    ([nft([port(25), ACCEPT], policy="drop")], 4, Access("accept")),
    ([nft([port(587), ACCEPT], policy="drop")], 4, Access("drop")),
    (
        [nft([port(25), source("ip", "10.0.0.0", 8), ACCEPT], [port(25, 465), REJECT])],
        4,
        Access("drop", ("10.0.0.0/8",)),
    ),
    ([nft([port(25), source("ip", "10.0.0.0", 8), ACCEPT], [port(25, 465), REJECT])], 6, Access("drop")),
    (
        [nft([source("ip", "10.1.0.0", 16), DROP], [source("ip", "10.0.0.0", 8), ACCEPT], policy="drop")],
        4,
        Access("drop", ("10.0.0.0/8",), ("10.1.0.0/16",)),
    ),
    ([nft([source("ip6", "2001:db8::", 32), DROP])], 6, Access("accept", (), ("2001:db8::/32",))),
    ([nft([port(25), LIMIT, ACCEPT], policy="drop")], 4, Access("unknown")),
    ([nft(policy="drop", family="ip6")], 4, Access("accept")),
    # what firewalld and ufw ask of every packet
    ([nft([SPOOFED, DROP], [DNAT, ACCEPT], [port(25), ACCEPT], policy="drop")], 6, Access("accept")),
    ([nft([SPOOFED, DROP], [DNAT, ACCEPT], policy="drop")], 4, Access("drop")),
    ([nft([fib("type", "daddr", "local"), ACCEPT], policy="drop")], 4, Access("accept")),
    ([nft([fib("type", ["daddr"], "multicast"), ACCEPT], policy="drop")], 4, Access("drop")),
    ([nft([fib("oifname", ["saddr"], "eth1"), ACCEPT], policy="drop")], 4, Access("unknown")),
    ([iptables(*NOT_LOCAL, "-A ufw-user-input -p tcp -m tcp --dport 25 -j ACCEPT")], 4, Access("accept")),
    ([iptables("-A INPUT -m rpfilter --validmark --invert -j DROP")], 4, Access("accept")),
    ([iptables("-A INPUT -m rpfilter -j ACCEPT", policy="DROP")], 4, Access("accept")),
    ([iptables("-A INPUT -m conntrack --ctstate RELATED,DNAT -j ACCEPT", policy="DROP")], 4, Access("drop")),
    ([iptables("-A INPUT -m rt --rt-type 0 -j DROP", version=6)], 6, Access("accept")),
    ([nft([ROUTED, DROP])], 6, Access("accept")),
    # a network for another port is not told
    ([nft([port(587), source("ip", "10.0.0.0", 8), ACCEPT], [port(25), ACCEPT], policy="drop")], 4, Access("accept")),
    # every chain has to accept
    ([nft([port(25), ACCEPT], policy="drop"), iptables("-A INPUT -p tcp --dport 25 -j DROP")], 4, Access("drop")),
    (
        [iptables("-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 25 -j ACCEPT", policy="DROP")],
        4,
        Access("drop", ("192.0.2.0/24",)),
    ),
    # a chain of ufw
    (
        [
            iptables(
                "-A INPUT -j ufw-user-input",
                "-A ufw-user-input -p tcp -m multiport --dports 25,465 -j ACCEPT",
                policy="DROP",
            )
        ],
        4,
        Access("accept"),
    ),
    # nft does not understand a match of iptables, and iptables-save does
    (
        [
            nft([{"xt": {"type": "match", "name": "multiport"}}, ACCEPT], policy="drop", family="ip"),
            [
                chain._replace(name="input")
                for chain in iptables("-A INPUT -p tcp -m multiport --dports 25,587 -j ACCEPT", policy="DROP")
            ],
        ],
        4,
        Access("accept"),
    ),
    (
        [nft([source("ip", "0.0.0.0", 1), DROP], [source("ip", "128.0.0.0", 1), ACCEPT])],
        4,
        Access("unknown", ("128.0.0.0/1",), ("0.0.0.0/1",)),
    ),  # there are no others
]


@pytest.mark.parametrize(("rulesets", "version", "expected"), RULES)
def test_who_may_connect(rulesets: list[list[Chain]], version: int, expected: Access) -> None:
    assert firewall.access(25, version, rulesets) == PortAccess(25, version, *expected)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with one table of nftables, and one of iptables."""
    monkeypatch.setattr(firewall, "may_change_firewalls", lambda: True)
    monkeypatch.setattr(firewall, "list_ruleset", lambda: nft([port(25), source("ip", "10.0.0.0", 8), ACCEPT], [DROP]))
    monkeypatch.setattr(firewall, "list_tables", lambda: [iptables("-A INPUT -p tcp --dport 7000:7010 -j DROP")])
    monkeypatch.setattr(firewall, "active_firewalls", lambda: ["ufw"])
    monkeypatch.setattr(firewall, "is_installed", lambda program: program != "nft")


@pytest.mark.usefixtures("kernel")
def test_rules_in_one_form(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    found = firewall.find(host)
    assert found is not None
    assert (found.active, found.unread) == (("ufw",), ("nft",))
    assert {one.port for one in found.ports} == {25, 465, 587}
    assert [(chain.table, chain.name, chain.listed_by, chain.policy) for chain in found.chains] == [
        ("inet filter", "input", "nft", "accept"),
        ("ip filter", "INPUT", "iptables", "accept"),
    ]
    conditions = [[(one.field, one.values) for one in rule.conditions] for rule in found.chains[0].rules]
    assert conditions == [[("port", ("25",)), ("source", ("10.0.0.0/8",))], []]
    assert [rule.verdict for rule in found.chains[0].rules] == ["accept", "drop"]
    assert found.chains[1].rules[0].conditions[0].values == ("7000-7010",)
    assert host.reasons()["firewall.chains"] == "nft is not installed, so rules of nftables may exist unseen."


def test_a_host_whose_rules_may_not_be_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firewall, "may_change_firewalls", lambda: False)
    host = FakeHost(tmp_path)
    assert firewall.find(host) is None
    assert host.reasons() == {"firewall": "Only root with CAP_NET_ADMIN can read the rules. Set become: true."}
    assert json.dumps(host.reasons())
