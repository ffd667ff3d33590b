# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The subject of the checks: a mail domain, and which addresses other hosts can see or reach from where they are."""

from __future__ import annotations

import dataclasses
import typing as t

from .._x509.keys import PublicKey
from .names import Address
from .scope import Scope, is_private_name, is_within, scope_of


@dataclasses.dataclass(frozen=True)
class Selector:
    """A DKIM selector that the domain's mail is signed with."""

    name: str
    #: The signing domain.
    domain: str
    #: The public key that its record should have.
    key: PublicKey | None = None


@dataclasses.dataclass(frozen=True)
class Certificates:
    """The certificates that a mail server shows, its own one first, in DER."""

    host: str
    port: int
    chain: tuple[bytes, ...]


@dataclasses.dataclass(frozen=True)
class MailSystem:
    """A mail domain and the way its mail leaves: the subject of the checks."""

    #: The part of the sender addresses after the @.
    domain: str
    #: The name given with EHLO.
    hostname: str = ""
    #: The egress addresses, as seen from the Internet.
    addresses: tuple[Address, ...] = ()
    #: The upstream hosts (smarthosts) that take the mail. Without ``addresses``, all mail leaves through them.
    via: tuple[str, ...] = ()
    selectors: tuple[Selector, ...] = ()
    certificates: tuple[Certificates, ...] = ()
    #: DNS block lists of addresses, and of domains.
    blocklists: tuple[str, ...] = ()
    domain_blocklists: tuple[str, ...] = ()
    #: The authority that issues the certificates, as CAA records name it.
    certificate_authority: str = ""

    @property
    def sends_directly(self) -> bool:
        """Whether receivers see this host's own address, as far as is known."""
        return bool(self.addresses) or not self.via

    @property
    def sends(self) -> bool:
        """Whether the domain is known to send mail."""
        return bool(self.addresses or self.via)

    def hidden(self, address: Address) -> Scope | None:
        """Why the Internet does not see ``address``; None if it does, or if the domain is not on the Internet itself.

        A domain below .test, say, is in a private network, where private addresses are what other hosts see.
        """
        scope = scope_of(address)
        return None if scope is None or is_within(self.domain, scope.domains) else scope

    def unreachable(self, addresses: t.Iterable[Address]) -> list[Address]:
        """Those of ``addresses`` to which the hosts that matter cannot connect.

        A private address is meant if an egress address is in the same private network.
        """
        return [address for address in addresses if self.hidden(address) and not self._is_near(address)]

    def _is_near(self, address: Address) -> bool:
        scope = scope_of(address)
        network = scope.network_of(address) if scope and scope.domains else None
        return network is not None and any(egress in network for egress in self.addresses)

    def described(self, addresses: t.Iterable[Address]) -> str:
        """The addresses for a message, such as ``192.0.2.1, 10.0.0.5 (a private address)``."""
        scopes = [(address, self.hidden(address)) for address in addresses]
        return ", ".join(f"{address} ({scope.name})" if scope else str(address) for address, scope in scopes)

    def egress_remedy(self, address: Address, remedy: str) -> str:
        """``remedy`` for a record about the egress ``address``, or what to do if receivers see another address."""
        scope = scope_of(address)
        near = scope is not None and not self.hidden(address)
        if scope is None or (near and not scope.is_private):
            return remedy
        return (
            f"Receivers on the Internet do not see {address}, {scope.name}, but a public address, such as that of the"
            " NAT gateway. Set addresses to that one."
            + near
            * f" For receivers in the private network, publish the record for {address} in its own DNS."
        )

    def name_remedy(self, name: str, remedy: str) -> str:
        """``remedy`` for a record of the host ``name``, or what to do if the public DNS cannot have it."""
        if is_private_name(name) and not is_private_name(self.domain):
            return f"The public DNS cannot have {name}, a name of private networks. Use a name in a registered domain."
        return remedy
