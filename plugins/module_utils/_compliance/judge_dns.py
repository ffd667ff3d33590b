# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of the controls that the DNS alone decides: the checks of ``_dns``, run over recorded answers and facts."""

from __future__ import annotations

import typing as t

from .._controls.catalogue import CATALOGUE
from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding, FindingStatus
from .._dns.checks import CHECKS, FACT_CHECKS, PARTS
from .._dns.recorded import RecordedLookup, recorded_system
from .._dns.survey import Survey
from .case import Case, Document, Judge, Judges, NotAsked, for_each

#: A check that judges other controls only if this one passes.
_FIRST = {"spf": "MR-SPF-01", "dkim": "MR-DKIM-01", "dmarc": "MR-DMARC-01", "dane": "MR-DANE-01"}


def lookup_of(case: Case, document: Document) -> RecordedLookup:
    """The recorded answers of a document. Raises :class:`.case.Missing`."""
    return case.once_for_all(document, "lookup", lambda: RecordedLookup(document.need("answers")))


def findings_of(case: Case, document: Document, check: str) -> list[Finding]:
    """What a check finds in a document. Raises :class:`.case.Missing` if the module was not asked to run it."""
    parts = PARTS[check]
    reasons = any(map(document.why, parts))  # a part is also unknown if one that it rests on is
    for part in parts:
        if getattr(document.facts, part) is None and not reasons:
            raise NotAsked(EvidenceKind.DNS, document.subject, f"its evidence does not have {part}")
    return case.once_for_all(document, check, lambda: _run(case, document, check))


def _run(case: Case, document: Document, check: str) -> list[Finding]:
    system = recorded_system(document.subject, document.facts)
    found = CHECKS[check](lookup_of(case, document), system) if check in CHECKS else []
    if check in FACT_CHECKS:
        found = found + FACT_CHECKS[check](Survey(document.facts, document.evidence.unknown), system)
    return found


def by_checks(*names: str) -> Judge:
    """A judge of a control that these checks judge, for each domain."""

    @for_each(EvidenceKind.DNS)
    def judge(case: Case, control: Control, document: Document) -> t.Iterable[Finding]:
        found = [one for name in names for one in findings_of(case, document, name) if one.control == control.id]
        return found or _not_reached(case, control, document, names[0])

    return judge


def _not_reached(case: Case, control: Control, document: Document, check: str) -> list[Finding]:
    """What it means that a check did not come as far as this control: the first one has the reason."""
    first = CATALOGUE[_FIRST.get(check, control.id)]
    statuses = {one.status for one in findings_of(case, document, check) if one.control == first.id}
    subject = document.subject
    if FindingStatus.ERROR in statuses:
        return [control.undecided(subject, f"{first.id} could not be judged either")]
    if FindingStatus.NOT_CHECKED in statuses:
        return [control.not_checked(subject, f"{subject} was not judged, as {first.id} was not.", first.by_hand)]
    return [control.not_applicable(subject, f"There is nothing to judge for {subject} until {first.id} passes.")]


#: The checks that judge each control.
_CHECKS: dict[str, tuple[str, ...]] = {
    "MR-DNS-01": ("mx",),
    "MR-DNS-02": ("parked",),
    "MR-DNS-07": ("dnssec",),
    "MR-DNS-09": ("blocklists",),
    "MR-DNS-10": ("caa",),
    "MR-DNS-11": ("authority",),
    **dict.fromkeys(["MR-SPF-01", "MR-SPF-03", "MR-SPF-04"], ("spf",)),
    "MR-SPF-05": ("helo_spf",),
    **dict.fromkeys(["MR-DKIM-01", "MR-DKIM-03"], ("dkim",)),
    **dict.fromkeys(["MR-DMARC-01", "MR-DMARC-02", "MR-DMARC-03", "MR-DMARC-05"], ("dmarc",)),
    "MR-STS-01": ("mta_sts",),
    "MR-STS-02": ("tls_rpt",),
    "MR-DANE-01": ("dane",),
}

JUDGES: Judges = {control: by_checks(*names) for control, names in _CHECKS.items()}
