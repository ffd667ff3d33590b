# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chains of a packet filter do with a new TCP connection from outside, as far as they can be read.

The answer is a set of what may happen. Whatever a reader does not understand may match or not, so the set is too large
then, never too small: a connection that can only be refused is refused for certain.
"""

from __future__ import annotations

import ipaddress
import typing as t

from .rules import Network, PortRule

ACCEPT, DROP, RETURN, JUMP, GOTO, GO_ON, UNKNOWN = "accept", "drop", "return", "jump", "goto", "go on", "unknown"

#: Versions of IP by nftables' family of a table.
_VERSIONS = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}
#: What no connection to the host itself from a client with a route is: sent on to it by NAT, with a source address that
#: does not lead back (rp_filter), or with a routing header of IPv6 (RFC 5095).
_NEVER = ("diverted", "spoofed", "source routed")
#: netfilter's own limit of jumps within jumps.
_DEEPEST = 16


class Packet(t.NamedTuple):
    """The first packet of a TCP connection that comes in over the network.

    :ivar source: addresses that it may come from; a rule that concerns some of them may match or not.
    """

    port: int
    source: Network


class Condition(t.NamedTuple):
    """One condition of a rule. Conditions that every such packet meets are left out by the readers.

    :ivar field: ``port`` with pairs of first and last port; ``source`` with networks of one family; ``protocol``,
        ``state``, ``interface`` and ``destination type`` with names; ``family`` with versions of IP; ``diverted``,
        ``spoofed`` and ``source routed`` without values. Any other is not understood.
    """

    field: str
    values: tuple[t.Any, ...] = ()
    negated: bool = False

    def fits(self, packet: Packet) -> bool | None:
        """Whether the packet meets the condition; ``None`` if that is not known."""
        if self.field == "source":
            if self.values and self.values[0].version != packet.source.version:
                return False  # addresses of one family are not compared with those of the other, negated or not
            met = _covers(self.values, packet.source) if self.values else False
        elif self.field == "port":
            met = any(first <= packet.port <= last for first, last in self.values)
        elif self.field == "protocol":
            met = "tcp" in self.values
        elif self.field == "family":
            met = packet.source.version in self.values
        elif self.field == "state":
            met = "new" in self.values
        elif self.field == "destination type":
            met = "local" in self.values
        elif self.field in _NEVER or (self.field == "interface" and set(self.values) == {"lo"}):
            met = False
        else:
            return None
        return met if met is None else met != self.negated


#: Stands for every packet where its port and source do not matter.
_ANY = Packet(0, ipaddress.ip_network("0.0.0.0/0"))


def telling(conditions: t.Iterable[Condition]) -> frozenset[Condition]:
    """Leave out what every new TCP connection from outside meets, such as the state ``new``."""
    same = ("protocol", "state", "interface")
    return frozenset(one for one in conditions if one.field not in same or one.fits(_ANY) is not True)


class Rule(t.NamedTuple):
    """What happens to a packet that meets all conditions: one of the words above; ``target`` is where it jumps."""

    conditions: frozenset[Condition]
    verdict: str
    target: str = ""

    @classmethod
    def of(cls, rule: PortRule) -> Rule:
        """The same rule as a backend would have it."""
        conditions = {Condition("port", ((rule.port, rule.port),))}
        if rule.source:
            conditions.add(Condition("source", (rule.source,)))
        return cls(frozenset(conditions), ACCEPT if rule.accept else DROP)

    def fits(self, packet: Packet) -> bool | None:
        """Whether the packet meets all conditions; ``None`` if that is not known."""
        met = {condition.fits(packet) for condition in self.conditions}
        return False if False in met else None if None in met else True


class Chain(t.NamedTuple):
    """A chain of rules; ``hooked`` if it sees all that comes in, and then has a policy.

    :ivar table: where its name is looked up, such as ``inet filter``.
    """

    table: str
    name: str
    rules: tuple[Rule, ...] = ()
    hooked: bool = False
    policy: str = RETURN

    @property
    def label(self) -> str:
        """Family, table and name."""
        return f"{self.table} {self.name}"

    @property
    def versions(self) -> t.Collection[int]:
        """Versions of IP whose packets it sees."""
        return _VERSIONS.get(self.table.split()[0], ())


def refusing_chains(chains: t.Sequence[Chain], packet: Packet) -> list[Chain]:
    """List the hooked chains that the packet does not pass for certain."""
    found = outcomes(chains, packet)
    return [chain for chain in chains if found.get(chain.label) == {DROP}]


def outcomes(chains: t.Sequence[Chain], packet: Packet) -> dict[str, set[str]]:
    """What may become of the packet in each hooked chain that sees it, by the chain's label."""
    by_name = {(chain.table, chain.name): chain for chain in chains}
    seeing = [chain for chain in chains if chain.hooked and packet.source.version in chain.versions]
    return {chain.label: _outcomes(chain, packet, by_name) for chain in seeing}


def reached(chains: t.Sequence[Chain]) -> list[Chain]:
    """List the chains that a packet may come to from a hooked one; in an emptied or unhooked one no rule counts."""
    by_name = {(chain.table, chain.name): chain for chain in chains}
    seen = {(chain.table, chain.name) for chain in chains if chain.hooked}
    open_ends = list(seen)
    while open_ends:
        table, name = open_ends.pop()
        chain = by_name.get((table, name))
        targets = {(table, rule.target) for rule in chain.rules if rule.target} - seen if chain else set()
        seen |= targets
        open_ends += targets
    return [chain for chain in chains if (chain.table, chain.name) in seen]


def _covers(networks: t.Iterable[Network], source: Network) -> bool | None:
    """Whether all addresses of the source are in the networks; ``None`` if only some are."""
    overlapping = [network for network in networks if network.overlaps(source)]
    merged: t.Iterable[Network] = ipaddress.collapse_addresses(overlapping)  # type: ignore[type-var]  # one family
    if any(source.subnet_of(network) for network in merged):  # type: ignore[arg-type]  # one family
        return True
    return None if overlapping else False


def _outcomes(chain: Chain, packet: Packet, by_name: t.Mapping[tuple[str, str], Chain], depth: int = 0) -> set[str]:
    """What may become of the packet in the chain: :data:`ACCEPT`, :data:`DROP` or, at its end, the policy."""
    found: set[str] = set()
    for rule in chain.rules:
        fits = rule.fits(packet)
        if fits is False:
            continue
        ends = {rule.verdict}
        if rule.verdict in (JUMP, GOTO):
            target = by_name.get((chain.table, rule.target))
            ends = _outcomes(target, packet, by_name, depth + 1) if target and depth < _DEEPEST else {UNKNOWN}
            if RETURN in ends and rule.verdict == JUMP:
                ends = ends - {RETURN} | {GO_ON}
        if UNKNOWN in ends:
            ends = {ACCEPT, DROP, GO_ON}
        found |= ends - {GO_ON}
        if fits and GO_ON not in ends:
            break
    else:
        found.add(RETURN)
    return {chain.policy if one == RETURN else one for one in found}
