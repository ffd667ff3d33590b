# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLSA records of mail servers (RFC 6698, RFC 7672), compared with certificates."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from .._evidence.dns_trust import DaneFacts, TlsaFacts
from .._x509.certificate import certificate_key, read_certificates
from .host_facts import targets
from .inquiry import Inquiry
from .mail_system import Certificates

SMTP_PORT = 25
#: The own certificate of the server; an authority's is 2. Mail servers use no others (RFC 7672 section 3.1.3).
_OWN, _AUTHORITY = 3, 2
_SELECTORS: dict[int, t.Callable[[bytes], bytes]] = {0: lambda der: der, 1: certificate_key}
_HASHES: dict[int, t.Callable[[bytes], bytes]] = {
    0: lambda data: data,
    1: lambda data: hashlib.sha256(data).digest(),
    2: lambda data: hashlib.sha512(data).digest(),
}
_LENGTHS = {1: 64, 2: 128}


def tlsa_name(host: str, port: int) -> str:
    """The name that has the TLSA records of a server."""
    return f"_{port}._tcp.{host}"


def read_chain(text: str) -> tuple[bytes, ...]:
    """The certificates of a chain in PEM. Raises ``ValueError``."""
    chain = tuple(read_certificates(text))
    if not chain:
        raise ValueError("it has no certificate in PEM")
    for der in chain:
        certificate_key(der)
    return chain


def parse_tlsa(value: str) -> TlsaFacts:
    """Parse ``3 1 1 0123...``, in which the data may have blanks."""
    usage, selector, matching, data = value.split(" ", 3)
    facts = TlsaFacts(int(usage), int(selector), int(matching), data.replace(" ", "").lower())
    return dataclasses.replace(facts, error=_why_unusable(facts))


def _why_unusable(record: TlsaFacts) -> str | None:
    if record.usage not in (_OWN, _AUTHORITY):
        return f"mail servers do not use the usage {record.usage}; expected 2 or 3"
    if record.selector not in _SELECTORS or record.matching not in _HASHES:
        return f"the selector {record.selector} or the matching type {record.matching} does not exist"
    if len(record.data) != _LENGTHS.get(record.matching, len(record.data)):
        return f"the data has {len(record.data)} digits; expected {_LENGTHS[record.matching]}"
    return None


def wanted_tlsa(der: bytes) -> str:
    """The record for a server's own certificate that stays valid as long as its key does (RFC 7671 section 5.1)."""
    return f"3 1 1 {hashlib.sha256(certificate_key(der)).hexdigest()}"


def matches(record: TlsaFacts, chain: t.Sequence[bytes]) -> bool:
    """Whether a usable record matches the server's certificate, or for usage 2 one of an authority in its chain."""
    if record.error:
        return False
    candidates = chain[:1] if record.usage == _OWN else chain[1:] or chain[:1]
    found = (_HASHES[record.matching](_SELECTORS[record.selector](der)).hex() for der in candidates)
    return record.data in found


def dane_facts(inquiry: Inquiry) -> tuple[DaneFacts, ...] | None:
    """The TLSA records of the mail servers of the domain, and of the hosts whose certificates were given."""
    servers = targets(inquiry)
    given: dict[tuple[str, int], list[Certificates]] = {}
    for one in inquiry.system.certificates:
        given.setdefault((one.host, one.port), []).append(one)
    if servers is None and not given:
        return None
    asked = list(dict.fromkeys([*((host, SMTP_PORT) for host in servers or ()), *given]))
    inquiry.prefetch((tlsa_name(*server), "TLSA") for server in asked)
    return tuple(_facts_of(inquiry, host, port, given.get((host, port), ())) for host, port in asked)


def _facts_of(inquiry: Inquiry, host: str, port: int, certificates: t.Sequence[Certificates]) -> DaneFacts:
    answer = inquiry.answer(f"dane.{host}", tlsa_name(host, port), "TLSA")
    if answer is None:
        return DaneFacts(host, port)
    records = tuple(map(parse_tlsa, answer.values))
    usable = [record for record in records if not record.error]
    chains = [one.chain for one in certificates]
    covered = all(any(matches(one, chain) for one in records) for chain in chains)
    if chains:
        records = tuple(
            dataclasses.replace(one, matches=any(matches(one, chain) for chain in chains)) for one in records
        )
    return DaneFacts(
        host,
        port,
        records,
        secure=answer.secure,
        matches=covered if chains and records else None,
        spare=len(usable) > max(1, len(chains)) if records else None,
    )
