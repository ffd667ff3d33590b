# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of evidence of kind ``dns`` about trust: DNSSEC, DANE, CAA, block lists, the servers of the zone."""

from __future__ import annotations

import dataclasses
import enum

from .document import fact


class DnssecState(str, enum.Enum):
    """What DNSSEC says of a zone (RFC 4033 section 5)."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"


@dataclasses.dataclass(frozen=True)
class DnssecFacts:
    """What the name servers that were asked make of DNSSEC."""

    resolver_validates: bool | None = fact("Whether the name servers that were asked validate.", default=None)
    state: DnssecState | None = fact("What they make of the domain. None if they do not validate.", default=None)
    signed: bool | None = fact("Whether signatures come with the domain's records.", default=None)


@dataclasses.dataclass(frozen=True)
class TlsaFacts:
    """One TLSA record."""

    usage: int = fact("The usage. Mail servers use 2 (a certificate authority) or 3 (the server's own certificate).")
    selector: int = fact("0 for the certificate, 1 for its public key.")
    matching: int = fact("0 for the data itself, 1 for SHA-256, 2 for SHA-512.")
    data: str = fact("The data in hexadecimal.")
    error: str | None = fact("Why mail servers cannot use the record. None if they can.", default=None)
    matches: bool | None = fact("Whether it matches the certificates that were given.", default=None)


@dataclasses.dataclass(frozen=True)
class DaneFacts:
    """The TLSA records of one mail server."""

    host: str = fact("The name of the mail server.")
    port: int = fact("The port.")
    records: tuple[TlsaFacts, ...] | None = fact("The records.", default=None)
    secure: bool | None = fact("Whether DNSSEC proves them. Without that, senders ignore them.", default=None)
    matches: bool | None = fact("Whether a usable record matches the certificates that were given.", default=None)
    spare: bool | None = fact("Whether another usable record is there for the next key.", default=None)


@dataclasses.dataclass(frozen=True)
class CaaFacts:
    """Which authorities may issue certificates for the EHLO name, or else for the domain."""

    name: str = fact("The name of the host that has the certificate.")
    found_at: str | None = fact("The name that has the CAA records. None if any authority may issue.", default=None)
    records: tuple[str, ...] | None = fact("The CAA records.", default=None)
    issuers: tuple[str, ...] | None = fact("The authorities that may issue. Empty if none may.", default=None)


@dataclasses.dataclass(frozen=True)
class Listing:
    """One subject on one list."""

    subject: str = fact("The address or the domain.")
    codes: tuple[str, ...] | None = fact("What the list answered. Empty if the subject is not listed.", default=None)
    reason: str = fact("The text of the list. Empty if it gives none.", default="")


@dataclasses.dataclass(frozen=True)
class BlocklistFacts:
    """What one list says. It is believed only if it lists its test entry, and not the entry that must not be listed."""

    name: str = fact("The zone of the list.")
    works: bool | None = fact("Whether it passes the test of RFC 5782 section 5.", default=None)
    listings: tuple[Listing, ...] = fact("What it says of each subject.", default=())


@dataclasses.dataclass(frozen=True)
class AuthoritativeServer:
    """One authoritative name server at one address."""

    name: str = fact("The name of the server.")
    address: str = fact("Its address. Empty if the name has none.")
    serial: int | None = fact("The serial number of the zone. None if the server gave no answer.", default=None)


@dataclasses.dataclass(frozen=True)
class AuthorityFacts:
    """The name servers of the zone, each asked for itself."""

    zone: str = fact("The zone.")
    servers: tuple[AuthoritativeServer, ...] = fact("The servers.", default=())
    differing: tuple[str, ...] | None = fact("The types of records on which they do not agree.", default=None)
