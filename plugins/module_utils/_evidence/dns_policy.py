# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of evidence of kind ``dns`` about policies that a domain publishes: SPF, DKIM, DMARC, MTA-STS, TLS-RPT."""

from __future__ import annotations

import dataclasses
import enum

from .document import fact


@dataclasses.dataclass(frozen=True)
class SpfEvaluation:
    """The result of SPF for one address and one name."""

    identity: str = fact("Which name was evaluated: mailfrom for the domain, helo for the EHLO name.")
    domain: str = fact("The name.")
    address: str = fact("The address.")
    result: str = fact("none, neutral, pass, fail, softfail, temperror or permerror (RFC 7208 section 2.6).")
    reason: str = fact("The term that decided, or what went wrong.")
    lookups: int = fact("The terms that caused a lookup until the result was found.")
    voids: int = fact("The lookups that found no record.")


@dataclasses.dataclass(frozen=True)
class SpfFacts:
    """The SPF records of the domain and what receivers make of them."""

    records: tuple[str, ...] | None = fact("The SPF records. A valid setup has exactly one.", default=None)
    error: str | None = fact(
        "Why receivers cannot use the record. None if they can, or if there is none.", default=None
    )
    size: int | None = fact("The length of the record in octets.", default=None)
    lookups: int | None = fact("All terms that may cause a lookup, over all includes and redirects.", default=None)
    voids: int | None = fact("The most lookups without a record in one evaluation.", default=None)
    depth: int | None = fact("How many records deep the includes and redirects lead.", default=None)
    breadth: int | None = fact("The largest number of terms in one record.", default=None)
    networks: tuple[str, ...] | None = fact("The terms that let a network send, over all records.", default=None)
    wide: tuple[str, ...] | None = fact("Those for networks that no organization has.", default=None)
    uses_ptr: bool | None = fact("Whether a term is ptr, which RFC 7208 advises against.", default=None)
    strangers: str | None = fact("The result for hosts all over the Internet; pass means +all.", default=None)
    evaluations: tuple[SpfEvaluation, ...] = fact("The result for each egress address.", default=())
    helo_records: tuple[str, ...] | None = fact("The SPF records of the EHLO name.", default=None)


@dataclasses.dataclass(frozen=True)
class DkimFacts:
    """The public key of one selector."""

    selector: str = fact("The selector.")
    domain: str = fact("The signing domain.")
    records: tuple[str, ...] | None = fact("The TXT records of the selector.", default=None)
    error: str | None = fact(
        "Why receivers cannot use the record. None if they can, or if there is none.", default=None
    )
    revoked: bool | None = fact("Whether the record revokes the key: its p= is empty.", default=None)
    testing: bool | None = fact("Whether the record says that the domain only tests (t=y).", default=None)
    key_type: str | None = fact("rsa or ed25519.", default=None)
    key_bits: int | None = fact("The length of the key in bits.", default=None)
    spki_sha256: str | None = fact("SHA-256 of the public key (SubjectPublicKeyInfo).", default=None)
    hashes: tuple[str, ...] | None = fact("The hash algorithms that the record allows. Empty if all.", default=None)
    email: bool | None = fact("Whether the key may sign mail: its s= has email or an asterisk.", default=None)
    matches: bool | None = fact("Whether it is the public key that was given.", default=None)


@dataclasses.dataclass(frozen=True)
class DmarcStep:
    """One question of the tree walk."""

    domain: str = fact("The domain, whose record is at _dmarc below it.")
    records: tuple[str, ...] | None = fact("The DMARC records.", default=None)


@dataclasses.dataclass(frozen=True)
class ReportAddress:
    """Where reports go."""

    uri: str = fact("The URI, without what follows an exclamation mark.")
    kind: str = fact("rua for aggregate reports, ruf for failure reports.")
    domain: str = fact("The domain of a mailto: URI. Empty if receivers need not support the URI.")
    external: bool | None = fact("Whether it has another organizational domain than the policy.", default=None)
    authorised: bool | None = fact("Whether the external domain agrees to the reports (RFC 9990).", default=None)
    receives: bool | None = fact("Whether its domain has a mail server: an MX record or an address.", default=None)


@dataclasses.dataclass(frozen=True)
class DmarcFacts:
    """The DMARC policy that receivers find for the domain by the tree walk of RFC 9989."""

    walk: tuple[DmarcStep, ...] = fact("The questions of the tree walk, in order.")
    organization: str | None = fact("The organizational domain.", default=None)
    found_at: str | None = fact("The domain whose record applies. None if there is none.", default=None)
    record: str | None = fact("The record that applies.", default=None)
    errors: tuple[str, ...] = fact("What in the records of the domain receivers cannot use.", default=())
    policy: str | None = fact("What applies to mail from the domain: none, quarantine or reject.", default=None)
    subdomain_policy: str | None = fact("What applies to subdomains that exist.", default=None)
    absent_policy: str | None = fact("What applies to subdomains that do not exist (np).", default=None)
    testing: bool | None = fact("Whether receivers should not apply the policy yet (t=y).", default=None)
    public_suffix: str | None = fact("The tag psd: y, n or u.", default=None)
    dkim_alignment: str | None = fact("r for relaxed, s for strict.", default=None)
    spf_alignment: str | None = fact("r for relaxed, s for strict.", default=None)
    reports: tuple[ReportAddress, ...] = fact("Where reports go.", default=())
    removed_tags: tuple[str, ...] = fact("Tags that RFC 9989 removed: pct, rf, ri.", default=())
    unknown_tags: tuple[str, ...] = fact("Tags that are not in RFC 9989 at all.", default=())


class StsMode(str, enum.Enum):
    """What senders do with a server that the policy does not list, or whose certificate is not valid."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclasses.dataclass(frozen=True)
class MtaStsFacts:
    """The MTA-STS record, and the policy that the web server of the domain gives out."""

    records: tuple[str, ...] | None = fact("The MTA-STS records. A valid setup has exactly one.", default=None)
    id: str | None = fact("The id of the policy. None if the record is not valid.", default=None)
    error: str | None = fact("Why senders cannot use the record. None if they can, or if there is none.", default=None)
    host_addresses: tuple[str, ...] | None = fact("The addresses of the policy's web server.", default=None)
    status: int | None = fact("The HTTP status of the policy.", default=None)
    certificate_error: str | None = fact("Why the certificate of the web server is refused, if it is.", default=None)
    content_type: str | None = fact("The media type of the policy.", default=None)
    policy: str | None = fact("The text of the policy.", default=None)
    policy_errors: tuple[str, ...] = fact("What in the policy senders cannot use.", default=())
    mode: StsMode | None = fact("enforce, testing or none.", default=None)
    max_age: int | None = fact("For how many seconds senders keep the policy.", default=None)
    mx: tuple[str, ...] | None = fact("The mail servers that the policy lists, some with *. in front.", default=None)
    uncovered: tuple[str, ...] | None = fact("The targets of MX records that the policy does not list.", default=None)


@dataclasses.dataclass(frozen=True)
class TlsRptFacts:
    """The record that asks senders for reports about TLS."""

    records: tuple[str, ...] | None = fact("The TLS reporting records. A valid setup has exactly one.", default=None)
    error: str | None = fact("Why senders cannot use the record. None if they can, or if there is none.", default=None)
    reports_to: tuple[str, ...] = fact("Where reports go: mailto: or https: URIs.", default=())
