# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the packet filters let in, in one form for all programs that set their rules.

nft lists the rules of nftables, and of iptables as far as nft can name them; iptables-save lists all of its own. What
either of the two says for certain is certain.
"""

from __future__ import annotations

import ipaddress
import typing as t

from .._evidence.host_network import FirewallChain, FirewallCondition, FirewallFacts, FirewallRule, PortAccess
from .._firewall.choosing import active_firewalls, may_change_firewalls
from .._firewall.from_iptables import list_tables
from .._firewall.from_nft import list_ruleset
from .._firewall.host import is_installed
from .._firewall.rules import MAIL_PORTS, Network
from .._firewall.walk import ACCEPT, DROP, Chain, Condition, Packet, outcomes, reached
from .host import Host
from .listeners import read_sockets

_EVERYONE: dict[int, Network] = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}
#: Who listed the rulesets, in their order.
_NFT, _IPTABLES = "nft", "iptables"
_UNKNOWN = "unknown"
#: More networks in the rules are not told apart.
_MOST_NETWORKS = 256


def find(host: Host) -> FirewallFacts | None:
    """The rules of the kernel, and who may connect to the mail ports and those of listeners."""
    if not may_change_firewalls():
        host.cannot("firewall", "Only root with CAP_NET_ADMIN can read the rules. Set become: true.")
        return None
    rulesets = [(_NFT, list_ruleset()), *((_IPTABLES, chains) for chains in list_tables())]
    ports = sorted(
        {*MAIL_PORTS, *(socket.port for socket in read_sockets(host) or () if not _is_local(socket.address))}
    )
    chains = [(program, chain) for program, found in rulesets for chain in reached(found)]
    missing = tuple(
        program for program, name in ((_NFT, "nft"), (_IPTABLES, "iptables-save")) if not is_installed(name)
    )
    if _NFT in missing:
        host.cannot("firewall.chains", "nft is not installed, so rules of nftables may exist unseen.")
    return FirewallFacts(
        active=tuple(active_firewalls()),
        unread=missing,
        ports=tuple(
            access(port, version, [found for _name, found in rulesets]) for port in ports for version in (4, 6)
        ),
        chains=tuple(_chain(program, chain) for program, chain in chains),
    )


def access(port: int, version: int, rulesets: t.Sequence[t.Sequence[Chain]]) -> PortAccess:
    """Who may connect to a port, from all rules together.

    The rules name networks. A network without the smaller ones in it is treated alike, so one part of it is tried.
    """
    named = _named(rulesets, version)
    rest = _sample(_EVERYONE[version], named)
    others = _verdict(rulesets, Packet(port, rest)) if rest else _UNKNOWN
    verdicts: dict[Network, str] = {}
    found: dict[str, list[str]] = {ACCEPT: [], DROP: [], _UNKNOWN: []}
    for network in named:
        within = [one for one in named if one != network and one.subnet_of(network)]  # type: ignore[arg-type]  # one family
        sample = _sample(network, within)
        around = [one for one in verdicts if network.subnet_of(one)]  # type: ignore[arg-type]  # one family
        if sample:
            verdicts[network] = _verdict(rulesets, Packet(port, sample))
            if verdicts[network] != (verdicts[around[-1]] if around else others):
                found[verdicts[network]].append(str(network))
    return PortAccess(port, version, others, tuple(found[ACCEPT]), tuple(found[DROP]), tuple(found[_UNKNOWN]))


def _is_local(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _named(rulesets: t.Iterable[t.Iterable[Chain]], version: int) -> list[Network]:
    """The networks that the rules name, the widest first."""
    conditions = (
        condition
        for chains in rulesets
        for chain in reached(list(chains))
        for rule in chain.rules
        for condition in rule.conditions
    )
    networks = {
        network
        for condition in conditions
        if condition.field == "source"
        for network in condition.values
        if network.version == version and network.prefixlen
    }
    return sorted(networks, key=lambda one: (one.prefixlen, one.network_address))[:_MOST_NETWORKS]


def _sample(network: Network, smaller: t.Sequence[Network]) -> Network | None:
    """A part of a network that none of the smaller ones overlaps; ``None`` if they fill it."""
    parts: list[t.Any] = [network]
    for one in smaller:
        parts = [
            rest
            for part in parts
            for rest in (part.address_exclude(one) if one.subnet_of(part) else () if part.subnet_of(one) else (part,))
        ]
    return min(parts, key=lambda part: part.prefixlen, default=None)


def _verdict(rulesets: t.Sequence[t.Sequence[Chain]], packet: Packet) -> str:
    """What becomes of a packet: every hooked chain has to accept it. What nft and iptables both list is one chain."""
    ends: dict[str, set[str]] = {}
    for chains in rulesets:
        for label, found in outcomes(chains, packet).items():
            ends[label] = ends.get(label, found) & found or found
    if any(found == {DROP} for found in ends.values()):
        return DROP
    return ACCEPT if all(found == {ACCEPT} for found in ends.values()) else _UNKNOWN


def _chain(program: str, chain: Chain) -> FirewallChain:
    rules = tuple(
        FirewallRule(tuple(sorted(map(_condition, rule.conditions), key=str)), rule.verdict, rule.target or None)
        for rule in chain.rules
    )
    return FirewallChain(chain.table, chain.name, program, chain.hooked, chain.policy if chain.hooked else None, rules)


def _condition(condition: Condition) -> FirewallCondition:
    if condition.field == "port":
        values = tuple(str(first) if first == last else f"{first}-{last}" for first, last in condition.values)
    else:
        values = tuple(map(str, condition.values))
    return FirewallCondition(condition.field, values, condition.negated)
