# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which chains of this host's packet filter refuse a connection that the host itself opens."""

from __future__ import annotations

import ipaddress
import typing as t

from . import from_iptables, from_nft
from .choosing import may_change_firewalls
from .walk import Packet, refusing_chains


def refusing_outgoing(port: int, sources: t.Iterable[str]) -> list[str] | None:
    """Return the chains that refuse a connection to the port for certain; ``None`` if they cannot be read.

    A rule that asks for the address of the other host may match or not, so a chain with one is not certain.

    :param sources: addresses of this host that the connection may have; a chain counts if it refuses one of them.
    """
    if not may_change_firewalls():
        return None
    networks = [ipaddress.ip_network(source.partition("%")[0]) for source in sources]
    packets = [
        Packet(port, one) for one in networks if not one.is_loopback
    ]  # the readers take no packet for a local one
    rulesets = [from_nft.list_ruleset(from_nft.OUTGOING), *from_iptables.list_tables(from_iptables.OUTGOING)]
    found = (chain.label for packet in packets for chains in rulesets for chain in refusing_chains(chains, packet))
    return list(dict.fromkeys(found))
