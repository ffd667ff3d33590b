# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was collected about many hosts to one report: judged host by host, so that memory holds one at a time."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from .._controls.catalogue import CATALOGUE, CONTROLS
from .._controls.control import Control
from .._controls.documents import STANDARDS
from .._controls.finding import Finding, FindingStatus, Severity
from .._evidence.document import Evidence, Kind, plain, seconds_of
from .collected import Collected, Head
from .judge import judge, named
from .judge_keys import KeyHolders
from .pasted import YAML
from .report import (
    UNJUDGED,
    Certificate,
    ControlInfo,
    EvidenceReference,
    HostReport,
    Report,
    Result,
    Seen,
    Threshold,
    Waiver,
    ended,
)
from .standards import described
from .waivers import apply

_DAY = 86400
#: The longest value of a fact that a finding shows.
_SHOWN = 200


@dataclasses.dataclass(frozen=True)
class Frame:
    """What a report has beside its hosts."""

    when: str
    title: str
    collection_version: str
    fail_on: Threshold = Threshold.HIGH
    waivers: tuple[Waiver, ...] = ()
    notices: tuple[str, ...] = ()


def make_report(hosts: t.Iterable[HostReport], frame: Frame) -> Report:
    """The report of these hosts, by their names, with the waivers applied."""
    found = Report(
        when=frame.when,
        title=frame.title,
        collection_version=frame.collection_version,
        controls=controls(),
        hosts=tuple(sorted(hosts, key=lambda one: one.host)),
        fail_on=frame.fail_on,
        notices=frame.notices,
    )
    return apply(found, frame.waivers)


def controls() -> tuple[ControlInfo, ...]:
    """What a report tells about each control of the catalogue."""
    return tuple(described(control, _STANDARD_NAMES, YAML.get(control.id, "")) for control in CONTROLS)


_STANDARD_NAMES = {key: str(getattr(one, "name", one)) for key, one in STANDARDS.items()}


def unjudged(host: str, problem: str) -> HostReport:
    """The report of a host about which nothing is known: an error, never a pass."""
    return HostReport(host, problem=problem)


def judge_host(collected: Collected, file: str = "", holders: KeyHolders | None = None) -> HostReport:
    """Judge one host. One about which nothing was collected is an error as a whole.

    :param file: where its evidence is saved, relative to the report.
    :param holders: which hosts of the run have which DKIM keys.
    """
    head = collected.head
    problem = " ".join(head.problems)
    if not collected.evidence:
        return unjudged(head.host, problem or f"Nothing was collected about {head.host}.")
    judgement = judge(collected.evidence, dataclasses.replace(collected.target, key_holders=holders))
    return HostReport(
        host=head.host,
        profile=named(judgement.profiles),
        profile_reason=judgement.reason,
        results=(*_gaps(head), *(_result(one, collected) for one in dict.fromkeys(judgement.findings))),
        problem=" ".join(one for one in head.problems if one not in head.partial_problems),
        evidence=tuple(_reference(one, file) for one in collected.evidence),
        certificates=tuple(_certificates(collected)),
        queue=_queue(collected),
    )


def _gaps(head: Head) -> t.Iterator[Result]:
    """An error if some of the questions of a kind could not be asked: what the others tell is not all of it.

    If none could be asked, the controls that need them are errors themselves.
    """
    if head.partial_problems:
        problems = " ".join(map(ended, head.partial_problems))
        message = f"A part of {head.host} is not judged. {problems}"
        remedy = "Mend the connection that is named, then run this again."
        yield Result(Finding(UNJUDGED, FindingStatus.ERROR, Severity.HIGH, head.host, message, remedy))


def _reference(one: Evidence[t.Any], file: str) -> EvidenceReference:
    return EvidenceReference(one.kind.value, one.subject, one.seen_at, one.seen_from.host, file)


def _result(finding: Finding, collected: Collected) -> Result:
    result = Result(finding)
    if not result.is_open or finding.control not in CATALOGUE:
        return result
    return dataclasses.replace(result, seen=tuple(_seen(finding, CATALOGUE[finding.control], collected)))


def _seen(finding: Finding, control: Control, collected: Collected) -> t.Iterator[Seen]:
    """The facts that a control rests on: those of the subject's document, or of all if none is about it alone."""
    kinds = {need.kind.value for need in control.needs}
    documents = [one for one in collected.evidence if one.kind.value in kinds]
    about = [one for one in documents if one.subject == finding.subject]
    for document in about or documents:
        for need in control.needs:
            if need.kind.value == document.kind.value:
                yield from _groups(document, need.groups)


def _groups(document: Evidence[t.Any], paths: t.Iterable[str]) -> t.Iterator[Seen]:
    for path in paths:
        value: t.Any = document.facts
        for name in path.split("."):
            value = getattr(value, name, None)
        if value is not None:
            text = json.dumps(plain(value))
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
            yield Seen(f"{document.kind.value} {document.subject} {path}", shown)


def _certificates(collected: Collected) -> t.Iterator[Certificate]:
    """How long the certificate of each port is valid, counted from when it was seen."""
    for document in collected.evidence:
        tls = document.facts.tls if document.kind is Kind.SMTP else None
        if tls and tls.chain:
            left = seconds_of(tls.chain[0].not_after) - seconds_of(document.seen_at)
            yield Certificate(document.subject, int(left // _DAY))


def _queue(collected: Collected) -> dict[str, int]:
    """Messages by state, over all instances of Postfix."""
    found: dict[str, int] = {}
    for document in collected.evidence:
        queues = (document.facts.queue or ()) if document.kind is Kind.HOST else ()
        for state in (one for queue in queues for one in queue.states or ()):
            found[state.state] = found.get(state.state, 0) + state.messages
    return found
