# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as Postfix has them in ``mynetworks``: whether an address is in them, and whether they are too wide."""

from __future__ import annotations

import functools
import ipaddress
import typing as t

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

#: Networks whose addresses no host of the Internet has (RFC 1918, 6598, 1122, 3927, 2544, 4193, 4291).
_OWN = tuple(
    map(
        ipaddress.ip_network,
        (
            *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
            *("198.18.0.0/15", "::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)
#: By the version of IP: shorter prefixes are wider than any site, so that not even the owner's word makes them small.
WIDEST = {4: 8, 6: 32}
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@functools.lru_cache(maxsize=4096)
def read_network(text: str) -> Network | None:
    """A network or an address, such as ``10.0.0.0/8`` or ``[::1]/128``; None for anything else, such as a table."""
    address, slash, length = text.replace("[", "").replace("]", "").partition("/")
    try:
        network = ipaddress.ip_network(f"{address}{slash}{length}", strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96 and network.subnet_of(_MAPPED):
        inner = ipaddress.IPv4Address(int(network.network_address) & 0xFFFFFFFF)
        return ipaddress.ip_network(f"{inner}/{network.prefixlen - 96}", strict=False)
    return network


def within(network: Network, others: t.Iterable[Network]) -> bool:
    """Whether a network is a part of one of the others."""
    same = (one for one in others if one.version == network.version)
    return any(network.subnet_of(one) for one in same)  # type: ignore[arg-type]  # one family


def membership(address: str, networks: t.Iterable[str]) -> bool | None:
    """Whether the first entry that fits lets the address in (postconf(5)). None if a table or a name may decide."""
    single = read_network(address)
    if single is None:
        return None
    for entry in networks:
        network = read_network(entry.lstrip("!"))
        if network is None:
            return None
        if within(single, [network]):
            return not entry.startswith("!")
    return False


def is_public(network: Network) -> bool:
    """Whether hosts of the Internet have its addresses."""
    return not within(network, _OWN)


def is_of_site(entry: str) -> bool:
    """Whether an entry may be of one site; one that is wider makes everyone a stranger who may relay."""
    network = read_network(entry)
    return network is None or network.prefixlen >= WIDEST[network.version]


def is_one_host(network: Network) -> bool:
    """Whether it has one address."""
    return network.prefixlen == network.max_prefixlen


def lets_everyone_in(networks: t.Iterable[str]) -> bool:
    """Whether a list of networks has all addresses of a version of IP."""
    return any(network is not None and network.prefixlen == 0 for network in map(read_network, networks))
