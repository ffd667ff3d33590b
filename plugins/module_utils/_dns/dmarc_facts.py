# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about DMARC: the tree walk, the policy that it finds, and who agrees to receive the reports."""

from __future__ import annotations

import typing as t

from .._evidence.dns_policy import DmarcFacts, DmarcStep, ReportAddress
from .dmarc import (
    PREFIX,
    REMOVED,
    DmarcRecord,
    Step,
    is_dmarc,
    mail_domain,
    organization,
    parse_dmarc,
    policy_source,
    unknown_tags,
    walk_names,
    walked,
)
from .inquiry import Inquiry, shown


def dmarc_facts(inquiry: Inquiry) -> DmarcFacts:
    """Walk the tree from the domain of the mail system."""
    domain = inquiry.system.domain
    steps = _walk(inquiry, "dmarc", domain)
    walk = tuple(DmarcStep(place, _records_shown(texts)) for place, texts in steps)
    if any(texts is None for _place, texts in steps):
        # A record that was not seen may be the one that applies.
        return DmarcFacts(walk)
    found = walked(_parsed(steps))
    organizational = organization(domain, found)
    source = policy_source(domain, organizational, found)
    errors = [f"{place} has {len(texts)} DMARC records, which are all ignored" for place, texts in _doubles(steps)]
    if source is None:
        return DmarcFacts(walk, organizational, errors=tuple(errors))
    place, record = source
    return _policy(inquiry, DmarcFacts(walk, organizational, errors=tuple(errors)), place, record)


def _policy(inquiry: Inquiry, facts: DmarcFacts, place: str, record: DmarcRecord) -> DmarcFacts:
    own = place == inquiry.system.domain
    exists = inquiry.answer("dmarc", inquiry.system.domain, "MX")
    inherited = record.absent_policy if exists and not exists.exists else record.subdomain_policy
    return DmarcFacts(
        facts.walk,
        facts.organization,
        found_at=place,
        record=shown(record.text),
        errors=(*facts.errors, *record.errors),
        policy=(record.policy if own else inherited) if record.applies else None,
        # Receivers take the policy of a subdomain from the organizational domain, not from a domain in between.
        subdomain_policy=record.subdomain_policy if record.applies else None,
        absent_policy=record.absent_policy if record.applies else None,
        testing=record.tags.get("t") == "y",
        public_suffix=record.public_suffix,
        dkim_alignment=record.tags.get("adkim", "r"),
        spf_alignment=record.tags.get("aspf", "r"),
        reports=_reports(inquiry, facts.organization or place, place, record),
        removed_tags=tuple(tag for tag in REMOVED if tag in record.tags),
        unknown_tags=unknown_tags(record),
    )


Texts = t.Optional[tuple[str, ...]]


def _walk(inquiry: Inquiry, path: str, domain: str) -> list[tuple[str, Texts]]:
    """The DMARC records at each domain of the walk; None where they could not be looked up."""
    names = walk_names(domain)
    inquiry.prefetch((PREFIX + name, "TXT") for name in names)
    steps = []
    for name in names:
        texts = inquiry.values(path, PREFIX + name, "TXT")
        steps.append((name, None if texts is None else tuple(filter(is_dmarc, texts))))
        if texts is not None and walked(_parsed(steps[-1:])) and _ends_walk(steps[-1]):
            break
    return steps


def _ends_walk(step: tuple[str, Texts]) -> bool:
    return any(record is not None and record.public_suffix != "u" for _place, record in _parsed([step]))


def _parsed(steps: t.Iterable[tuple[str, Texts]]) -> list[Step]:
    return [(place, parse_dmarc(texts[0]) if texts and len(texts) == 1 else None) for place, texts in steps]


def _doubles(steps: t.Iterable[tuple[str, Texts]]) -> list[tuple[str, tuple[str, ...]]]:
    return [(place, texts) for place, texts in steps if texts and len(texts) > 1]


def _records_shown(texts: Texts) -> Texts:
    return None if texts is None else tuple(map(shown, texts))


def _reports(inquiry: Inquiry, organizational: str, place: str, record: DmarcRecord) -> tuple[ReportAddress, ...]:
    """Where reports go, and whether the others agree (RFC 9990: Verifying External Destinations)."""
    uris = [(tag, uri) for tag in ("rua", "ruf") for uri in record.uris(tag)]
    domains = {mail_domain(uri) for _tag, uri in uris} - {""}
    inquiry.prefetch((domain, "MX") for domain in domains)
    inquiry.prefetch((PREFIX + name, "TXT") for domain in domains for name in walk_names(domain))
    return tuple(_report(inquiry, organizational, place, tag, uri) for tag, uri in uris)


def _report(inquiry: Inquiry, organizational: str, place: str, tag: str, uri: str) -> ReportAddress:
    domain = mail_domain(uri)
    if not domain:
        return ReportAddress(shown(uri), tag, "")
    path = f"dmarc.reports.{domain}"
    steps = _walk(inquiry, path, domain)
    external = None
    if all(texts is not None for _place, texts in steps):
        external = organization(domain, walked(_parsed(steps))) != organizational
    return ReportAddress(
        shown(uri),
        tag,
        domain,
        external,
        authorised=_agrees(inquiry, path, f"{place}._report._dmarc.{domain}") if external else None,
        receives=_receives(inquiry, path, domain),
    )


def _agrees(inquiry: Inquiry, path: str, name: str) -> bool | None:
    texts = inquiry.values(path, name, "TXT")
    return None if texts is None else any(map(is_dmarc, texts))


def _receives(inquiry: Inquiry, path: str, domain: str) -> bool | None:
    """Whether mail to ``domain`` can be delivered: it has MX records, none of them null, or else an address."""
    exchanges = inquiry.values(path, domain, "MX")
    if exchanges is None:
        return None
    if exchanges:
        return not any(one.endswith(" .") for one in exchanges)
    addresses = inquiry.addresses(path, domain)
    return None if addresses is None else bool(addresses)
