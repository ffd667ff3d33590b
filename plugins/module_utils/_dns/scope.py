# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that the Internet does not reach, and names that the public DNS does not have, as tables."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from .names import Address

Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

#: Domains of private networks (RFC 6761, RFC 6762 with appendix G, RFC 8375) and of a host's own names.
PRIVATE_DOMAINS = (
    "test",
    "internal",
    "home.arpa",
    "local",
    "lan",
    "home",
    "corp",
    "intranet",
    "private",
    "localdomain",
    "localhost",
)
#: Domains of examples (RFC 6761).
_EXAMPLE_DOMAINS = ("test", "example", "invalid", "example.com", "example.net", "example.org")
_LOCALHOST = ("localhost", "localdomain")


def is_within(name: str, domains: t.Iterable[str]) -> bool:
    """Whether ``name`` is one of ``domains``, or below one."""
    return any(f".{name.lower()}".endswith(f".{domain.lower()}") for domain in domains)


def is_private_name(name: str) -> bool:
    """Whether ``name`` can exist in a private network only: its domain cannot be registered."""
    return is_within(name, PRIVATE_DOMAINS)


def is_localhost(name: str) -> bool:
    """Whether ``name`` means, on each host, that host itself (RFC 6761 section 6.3)."""
    return is_within(name, _LOCALHOST)


@dataclasses.dataclass(frozen=True)
class Scope:
    """Networks with the same reason why the Internet does not reach their addresses."""

    #: What an address in them is, such as ``a private address``.
    name: str
    networks: tuple[Network, ...]
    #: The domains whose hosts have such addresses. Without any, no host can have mail sent to it there, or send.
    domains: tuple[str, ...] = ()

    @property
    def is_private(self) -> bool:
        """Whether hosts of a private network have such addresses."""
        return self.domains == PRIVATE_DOMAINS

    def network_of(self, address: Address) -> Network | None:
        """The network that ``address`` is in, if any."""
        return next((network for network in self.networks if address in network), None)


def _scope(name: str, networks: str, domains: tuple[str, ...] = ()) -> Scope:
    return Scope(name, tuple(map(ipaddress.ip_network, networks.split())), domains)


#: From the IANA registries of special-purpose addresses (RFC 6890), since Python's own tables differ by its version.
#: The first that has an address decides.
SCOPES = (
    _scope("a loopback address", "127.0.0.0/8 ::1/128"),
    _scope("the unspecified address", "0.0.0.0/32 ::/128"),
    _scope("an address of 'this network'", "0.0.0.0/8"),
    _scope("a link-local address", "169.254.0.0/16 fe80::/10"),
    _scope("a multicast address", "224.0.0.0/4 ff00::/8"),
    _scope("the broadcast address", "255.255.255.255/32"),
    _scope("an IPv4-mapped address", "::ffff:0:0/96"),
    _scope("a private address", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10", PRIVATE_DOMAINS),
    _scope("a shared address behind a provider's NAT", "100.64.0.0/10", PRIVATE_DOMAINS),
    _scope(
        "a documentation address",
        "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        _EXAMPLE_DOMAINS,
    ),
    _scope("a benchmarking address", "198.18.0.0/15 2001:2::/48", PRIVATE_DOMAINS),
    # These blocks have a few addresses that are reachable, such as 192.0.0.9, but none for mail.
    # IANA allocates global addresses of IPv6 from 2000::/3 only.
    _scope("a reserved address", "192.0.0.0/24 240.0.0.0/4 2001:10::/28 ::/3 4000::/2 8000::/1"),
)
#: What a resolver behind NAT64 makes of an IPv4 address (RFC 6052, RFC 8215), and so no fault of the record.
_NAT64 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48")))


def scope_of(address: Address) -> Scope | None:
    """The scope of an address that the Internet does not reach, or None."""
    if any(address in network for network in _NAT64):
        return None
    return next((scope for scope in SCOPES if scope.network_of(address)), None)
