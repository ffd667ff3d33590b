# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of evidence of kind ``dns``: what the DNS says of a mail domain and of the hosts that send for it."""

from __future__ import annotations

import dataclasses

from .dns_policy import DkimFacts, DmarcFacts, MtaStsFacts, SpfFacts, TlsRptFacts
from .dns_trust import AuthorityFacts, BlocklistFacts, CaaFacts, DaneFacts, DnssecFacts
from .document import fact


@dataclasses.dataclass(frozen=True)
class HostNameFacts:
    """A name of a host, and where it leads."""

    name: str = fact("The name.")
    exists: bool | None = fact("Whether the name exists in the DNS.", default=None)
    aliases: tuple[str, ...] | None = fact("The names that its CNAME records lead to, in order.", default=None)
    ipv4: tuple[str, ...] | None = fact("The addresses of its A records.", default=None)
    ipv6: tuple[str, ...] | None = fact("The addresses of its AAAA records.", default=None)


@dataclasses.dataclass(frozen=True)
class MxFacts:
    """One MX record. A null MX has an empty host (RFC 7505)."""

    preference: int = fact("The preference. Lower values are tried first.")
    host: str = fact("The name of the mail server. Empty for a null MX.")


@dataclasses.dataclass(frozen=True)
class EgressFacts:
    """An address that mail leaves from."""

    address: str = fact("The address.")
    scope: str = fact("What keeps the Internet from reaching it, such as a private address. Empty if nothing does.")
    names: tuple[str, ...] | None = fact("The names of its PTR records.", default=None)
    confirmed: tuple[str, ...] | None = fact("Those of its names that lead back to it.", default=None)


@dataclasses.dataclass(frozen=True)
class DnsAnswer:
    """One answer, so that saved evidence can be judged by the same checks."""

    name: str = fact("The name that was asked for, in lower case.")
    type: str = fact("The type of the records.")
    failure: str | None = fact(
        "Why the question got no answer, such as a timeout or SERVFAIL. None if it got one.", default=None
    )
    values: tuple[str, ...] = fact("The records. A character of a TXT record stands for an octet.", default=())
    exists: bool = fact("Whether the name exists.", default=True)
    aliases: tuple[str, ...] = fact("The names that its CNAME records lead to, in order.", default=())
    secure: bool = fact("Whether DNSSEC proves the answer.", default=False)


@dataclasses.dataclass(frozen=True)
class DnsFacts:
    """What the DNS says of a mail domain. A part that was not asked for is None."""

    nameservers: tuple[str, ...] = fact("The addresses of the name servers that were asked, in this order.", default=())
    questions: int = fact("How many different questions were asked.", default=0)
    exists: bool | None = fact("Whether the domain exists in the DNS.", default=None)
    zone: str | None = fact("The zone that the domain is in.", default=None)
    helo: str | None = fact("The name that the mail server gives with EHLO, as it was given.", default=None)
    upstreams: tuple[str, ...] | None = fact("The hosts that take the outgoing mail, as they were given.", default=None)
    addresses: tuple[str, ...] | None = fact(
        "The addresses that mail leaves from, as they were given. Empty if none was.", default=None
    )
    certificate_authority: str | None = fact(
        "The authority that issues the certificates, as it was given.", default=None
    )
    answers: tuple[DnsAnswer, ...] | None = fact(
        "All answers of the name servers, by which the checks can be run again.", default=None
    )
    mx: tuple[MxFacts, ...] | None = fact("The MX records, by preference.", default=None)
    hosts: tuple[HostNameFacts, ...] | None = fact(
        "The EHLO name and the targets of the MX records, with their addresses.", default=None
    )
    egress: tuple[EgressFacts, ...] | None = fact("The addresses that mail leaves from.", default=None)
    spf: SpfFacts | None = fact("SPF (RFC 7208).", default=None)
    dkim: tuple[DkimFacts, ...] | None = fact(
        "The DKIM keys of the selectors that were given (RFC 6376).", default=None
    )
    dmarc: DmarcFacts | None = fact("DMARC (RFC 9989).", default=None)
    mta_sts: MtaStsFacts | None = fact("MTA-STS (RFC 8461).", default=None)
    tls_rpt: TlsRptFacts | None = fact("TLS reporting (RFC 8460).", default=None)
    dane: tuple[DaneFacts, ...] | None = fact("DANE (RFC 7672), for each mail server.", default=None)
    dnssec: DnssecFacts | None = fact("DNSSEC (RFC 4035).", default=None)
    caa: CaaFacts | None = fact("Who may issue certificates (RFC 8659).", default=None)
    blocklists: tuple[BlocklistFacts, ...] | None = fact("DNS block lists (RFC 5782).", default=None)
    authority: AuthorityFacts | None = fact("The name servers of the zone, and whether they agree.", default=None)
