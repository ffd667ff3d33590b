# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the network of a mail host."""

from __future__ import annotations

import dataclasses

from .document import fact


@dataclasses.dataclass(frozen=True)
class Listener:
    """A TCP socket that accepts connections, as the kernel has it."""

    address: str = fact("The address; 0.0.0.0 or :: for all of a version of IP.")
    port: int = fact("The port.")
    takes_ipv4: bool | None = fact(
        "Whether it accepts connections over IPv4. One of all IPv6 addresses does, unless it has IPV6_V6ONLY."
    )
    program: str | None = fact("The program that has it, such as master.", default=None)
    unit: str | None = fact("The unit of systemd that the program belongs to.", default=None)


@dataclasses.dataclass(frozen=True)
class Egress:
    """From which address a service of Postfix connects to other hosts."""

    instance: str = fact("The name of the instance of Postfix. Empty for one without a name.")
    service: str = fact("The service of master.cf that delivers, such as smtp.")
    ip_version: int = fact("4 or 6.")
    address: str | None = fact("The address. Null if the host has no way out over this version of IP.")
    decided_by: str = fact("What decides: smtp_bind_address, smtp_bind_address6, inet_interfaces, or the routes.")
    bind_enforced: bool = fact("Whether mail is deferred if that address cannot be used (smtp_bind_address_enforce).")
    helo_name: str = fact("The name that the service says in EHLO (smtp_helo_name).")


@dataclasses.dataclass(frozen=True)
class FirewallCondition:
    """What a rule asks of a connection."""

    field: str = fact(
        "port, source, protocol, state, interface, family, destination type, diverted (by NAT), spoofed (the source"
        " address does not lead back) or source routed (by a header of IPv6); any other is not understood."
    )
    values: tuple[str, ...] = fact("The values, of which one must fit.")
    negated: bool = fact("Whether none of the values may fit.")


@dataclasses.dataclass(frozen=True)
class FirewallRule:
    """A rule for new TCP connections to the host."""

    conditions: tuple[FirewallCondition, ...] = fact("What must be met; nothing if it is for every connection.")
    verdict: str = fact("accept, drop (also: reject), return, jump, goto, go on, or unknown.")
    target: str | None = fact("The chain that it leads to.", default=None)


@dataclasses.dataclass(frozen=True)
class FirewallChain:
    """A chain of rules that a new connection comes to."""

    table: str = fact("Its table, such as inet filter.")
    name: str = fact("Its name.")
    listed_by: str = fact("The program that listed it: nft or iptables.")
    hooked: bool = fact("Whether the kernel itself asks it.")
    policy: str | None = fact("What happens at the end of a hooked chain: accept or drop.")
    rules: tuple[FirewallRule, ...] = fact("Its rules, in order.")


@dataclasses.dataclass(frozen=True)
class PortAccess:
    """Who may connect to a port, from all rules together."""

    port: int = fact("The port.")
    ip_version: int = fact("4 or 6.")
    others: str = fact("What becomes of clients in none of these networks: accept, drop, or unknown.")
    accepts: tuple[str, ...] = fact("Networks that may connect, unlike others or a larger network around them.")
    drops: tuple[str, ...] = fact("Networks that may not connect, unlike others or a larger network around them.")
    unknown: tuple[str, ...] = fact("Networks for which the rules are not understood.")


@dataclasses.dataclass(frozen=True)
class FirewallFacts:
    """What the packet filters of the host let in, in one form for all programs that set their rules."""

    active: tuple[str, ...] = fact("Active firewalls that decide about the whole host: firewalld, ufw.")
    unread: tuple[str, ...] = fact("Programs that are missing, so that rules of theirs may exist unseen.")
    ports: tuple[PortAccess, ...] = fact("Who may connect to the mail ports and the ports of all listeners.")
    chains: tuple[FirewallChain, ...] = fact("The chains that new connections come to.")
