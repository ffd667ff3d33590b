# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the relay's firewall as data, whichever program enforces them."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

#: Ports that belong to mail; the firewall closes those that are not declared.
MAIL_PORTS = (25, 465, 587)
SSH_PORT = 22


@dataclass(frozen=True)
class PortRule:
    """Accept or reject TCP connections to one port.

    :ivar source: clients that the rule is for; ``None`` for all clients.
    """

    port: int
    accept: bool
    source: Network | None = None

    @property
    def address(self) -> str:
        """The source in text: a single address without prefix length; empty for all clients."""
        if self.source is None:
            return ""
        single = self.source.prefixlen == self.source.max_prefixlen
        return str(self.source.network_address) if single else str(self.source)


def make_rules(ports: t.Mapping[int, t.Collection[Network]]) -> list[PortRule]:
    """List the rules of the mail ports and of all declared ports, in order of the ports; the first match decides.

    :param ports: declared ports, each with the clients that may connect; an empty collection admits all clients.
    """
    rules = []
    for port in sorted({*MAIL_PORTS, *ports}):
        if port in ports and not ports[port]:
            rules.append(PortRule(port, True))
            continue
        rules += [PortRule(port, True, source) for source in _merge(ports.get(port, ()))]
        rules.append(PortRule(port, False))
    return rules


def find_ssh_ports(ports: t.Iterable[int], ssh_port: int | None = None) -> list[int]:
    """List the declared ports whose rules could cut the SSH connection to the host.

    :param ssh_port: port of that connection, if known.
    """
    return [port for port in ports if port in (SSH_PORT, ssh_port)]


def _merge(sources: t.Collection[Network]) -> list[Network]:
    """Drop networks that lie within another one: nftables refuses overlapping ones."""
    over_4 = [source for source in sources if isinstance(source, ipaddress.IPv4Network)]
    over_6 = [source for source in sources if isinstance(source, ipaddress.IPv6Network)]
    return [*ipaddress.collapse_addresses(over_4), *ipaddress.collapse_addresses(over_6)]


def read_network(text: str | None) -> Network | None:
    """The source of a rule from its text; ``None`` for all clients."""
    return ipaddress.ip_network(text) if text else None
