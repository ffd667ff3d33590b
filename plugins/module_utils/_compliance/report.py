# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report: what was found on each host, typed. Every format is written from it; its JSON form holds all of it.

A report never holds a secret: its texts come from findings and evidence, which hold none.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import typing as t

from .._controls.finding import Finding, FindingStatus, Severity
from .._evidence.document import Moment, plain
from .._evidence.reading import InvalidEvidence, read_record
from .texts import json_lines, one_line

#: Raised when a field changes its name or meaning.
VERSION = 1
#: The control of a host of which nothing could be judged. Not in the catalogue, so that it cannot be waived.
UNJUDGED = "HOST"


class State(str, enum.Enum):
    """What became of a control: its status, or that a failure is accepted. The worst first."""

    FAIL = "fail"
    ERROR = "error"
    WAIVED = "waived"
    NOT_CHECKED = "not_checked"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"


class Threshold(str, enum.Enum):
    """The least severity of a failure that makes a run fail."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    #: Report only.
    NEVER = "never"

    def reached_by(self, severity: Severity) -> bool:
        """Whether a failure of this severity makes the run fail."""
        return _RANK[severity.value] <= _RANK[self.value] and self is not Threshold.NEVER


_RANK = {one.value: rank for rank, one in enumerate(Threshold)}


@dataclasses.dataclass(frozen=True)
class Citation:
    """A requirement of a document that asks for a control."""

    #: Such as ``RFCs`` or ``DISA STIG``: what a reader filters by.
    standard: str
    #: The document, such as ``RFC 5321`` or ``STIG RHEL 8``.
    name: str
    #: Such as ``section 5.1`` or ``RHEL-08-040290``. Empty for the whole document.
    requirement: str = ""
    #: The version of the document that was read.
    version: str = ""
    #: What of the requirement the control does not check, in a sentence.
    not_covered: str = ""

    def __str__(self) -> str:
        version = f" ({self.version})" if self.version else ""
        return f"{self.name}{version} {self.requirement}".rstrip()


@dataclasses.dataclass(frozen=True)
class ControlInfo:
    """What a report tells about a control. The catalogue has more."""

    id: str
    title: str
    severity: Severity
    #: Why it matters.
    rationale: str = ""
    sources: tuple[Citation, ...] = ()
    #: The role variable that mends it, as YAML that is ready to paste. Empty if there is none.
    variable: str = ""
    #: How to mend it without the role.
    by_hand: str = ""


@dataclasses.dataclass(frozen=True)
class Waiver:
    """A failure that its owner accepts until a date."""

    control: str
    owner: str
    reason: str
    #: The last day on which it holds, in UTC, such as ``2026-12-31``.
    expires: str
    #: Pattern of the inventory's host names: ``*`` stands for any text, ``?`` for a character.
    host: str = "*"
    #: Pattern of the subject of a finding.
    subject: str = "*"

    def is_expired(self, moment: Moment) -> bool:
        """Whether it no longer holds at this moment."""
        return self.expires < moment[:10]


@dataclasses.dataclass(frozen=True)
class Seen:
    """A fact that a finding rests on."""

    #: Where in the evidence, such as ``dns example.com spf.record``.
    path: str
    #: Its value, in a short form.
    value: str


@dataclasses.dataclass(frozen=True)
class Result:
    """The finding of one control for one host and subject, and the waiver for it."""

    finding: Finding
    waiver: Waiver | None = None
    #: An expired waiver changes nothing but what the report says.
    waiver_expired: bool = False
    seen: tuple[Seen, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the control is not met, or cannot be decided."""
        return self.finding.status in (FindingStatus.FAIL, FindingStatus.ERROR)

    @functools.cached_property
    def state(self) -> State:
        """``waived`` if the control is not met, or cannot be decided, and that is accepted; else the real status."""
        is_waived = self.is_open and self.waiver and not self.waiver_expired
        return State.WAIVED if is_waived else State(self.finding.status.value)

    @property
    def waiver_note(self) -> str:
        """What the waiver means for this result. Empty if it has none."""
        one = self.waiver
        if not one:
            return ""
        if self.waiver_expired:
            return f"The waiver of {one.owner} expired on {one.expires}: mend this, or renew the waiver."
        real = f"The real result is {self.finding.status.value}."
        return f"Waived by {one.owner} until {one.expires}: {ended(one.reason)} {real}"

    @property
    def sentences(self) -> str:
        """What was found, what to do, and what the waiver means."""
        finding = self.finding
        return " ".join(part for part in (finding.message, finding.remedy, self.waiver_note) if part)


@dataclasses.dataclass(frozen=True)
class EvidenceReference:
    """A document of evidence that the findings of a host rest on."""

    kind: str
    subject: str
    seen_at: Moment
    seen_from: str
    #: The file that holds it, relative to the report. Empty if it was not saved.
    file: str = ""


@dataclasses.dataclass(frozen=True)
class Certificate:
    """How long a certificate of a host is valid."""

    name: str
    days_left: int


@dataclasses.dataclass(frozen=True)
class HostReport:
    """What was found on one host."""

    host: str
    profile: str = ""
    #: Such as ``named by compliance_profile``, or the facts it was chosen by.
    profile_reason: str = ""
    results: tuple[Result, ...] = ()
    #: Why the host, or a part of it, could not be asked, in a sentence.
    problem: str = ""
    evidence: tuple[EvidenceReference, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    #: Messages by state of the queue, such as deferred. Empty if not known.
    queue: dict[str, int] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def judged(self) -> tuple[Result, ...]:
        """The results. A host that has none is one error: it is never taken for a host without faults."""
        if self.results:
            return self.results
        message = self.problem or f"No control was judged on {self.host}."
        remedy = "Mend what is named, then run this again."
        return (Result(Finding(UNJUDGED, FindingStatus.ERROR, Severity.CRITICAL, self.host, message, remedy)),)


@dataclasses.dataclass(frozen=True)
class Report:
    """What was found on all hosts of one run."""

    when: Moment
    title: str
    #: The version of mailops.smtp.
    collection_version: str
    controls: tuple[ControlInfo, ...]
    hosts: tuple[HostReport, ...]
    fail_on: Threshold = Threshold.HIGH
    #: Sentences about the run itself, such as a waiver that was not used.
    notices: tuple[str, ...] = ()
    version: int = VERSION

    @functools.cached_property
    def _by_id(self) -> dict[str, ControlInfo]:
        return {one.id: one for one in self.controls}

    def control(self, finding: Finding) -> ControlInfo:
        """What is known about the control of this finding."""
        if finding.control == UNJUDGED:
            return ControlInfo(UNJUDGED, "The host can be judged", Severity.CRITICAL)
        plainly = ControlInfo(finding.control, finding.control, finding.severity)
        return self._by_id.get(finding.control, plainly)

    @functools.cached_property
    def used(self) -> tuple[ControlInfo, ...]:
        """The controls of the report, and those that only its findings name, each once."""
        named = {result.finding.control: self.control(result.finding) for _host, result in self.all_results()}
        return tuple({**{one.id: one for one in self.controls}, **named}.values())

    def all_results(self) -> t.Iterator[tuple[HostReport, Result]]:
        """Each result with its host."""
        return ((host, result) for host in self.hosts for result in host.judged)

    @property
    def profiles(self) -> tuple[str, ...]:
        """The profiles of the hosts, each once."""
        named = (one for host in self.hosts for one in host.profile.split(", "))
        return tuple(dict.fromkeys(filter(None, named)))

    def of_host(self, name: str) -> Report:
        """The same report with this host alone, for formats that others read by host."""
        return dataclasses.replace(self, hosts=tuple(host for host in self.hosts if host.host == name))

    def to_dict(self) -> dict[str, t.Any]:
        """The document: dicts, lists, texts, numbers and None, with the verdict and the counts beside the fields."""
        return {**_head(self), "hosts": [plain(host) for host in self.hosts]}


class InvalidReport(ValueError):
    """A document that does not have the form of a report."""


def write(report: Report) -> str:
    """The report as JSON, with a line for each host."""
    return json_lines({**_head(report), "hosts": []}, (plain(host) for host in report.hosts))


def _head(report: Report) -> dict[str, t.Any]:
    """The document without the hosts."""
    found = counts(result for _host, result in report.all_results())
    fields = plain(dataclasses.replace(report, hosts=()))
    del fields["hosts"]
    return {**fields, "verdict": plain(verdict(report)), "counts": {state.value: n for state, n in found.items()}}


def read(text: str | bytes) -> Report:
    """Read a report that :func:`write` made. Raises :class:`InvalidReport`. Needs Python 3.10."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidReport(f"The report is not valid JSON: {error}") from error
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION or isinstance(version, bool):
        raise InvalidReport(f"The report does not have version {VERSION}; expected the JSON report of mailops.smtp.")
    try:
        return read_record(document, Report)
    except InvalidEvidence as error:
        raise InvalidReport(f"The report is not valid: {error}.") from error


def counts(results: t.Iterable[Result]) -> dict[State, int]:
    """How many results there are in each state, the worst first."""
    found = dict.fromkeys(State, 0)
    for result in results:
        found[result.state] += 1
    return found


def worst(results: t.Iterable[Result]) -> State | None:
    """The worst state, or ``None`` if there are no results."""
    states = {result.state for result in results}
    return next((state for state in State if state in states), None)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a run comes to."""

    #: 0 fine, 1 failures, 2 not decided. 3, a mistake of the user, never comes from a report.
    exit_code: int
    #: Why, in a sentence.
    sentence: str


_DECIDED = (FindingStatus.PASS, FindingStatus.FAIL)


def verdict(report: Report) -> Verdict:
    """What the run comes to, by the report's threshold. A run in which nothing was decided is not fine."""
    found = counts(result for _host, result in report.all_results())
    counting = [result for _host, result in report.all_results() if report.fail_on.reached_by(result.finding.severity)]
    failed, undecided = (sum(one.state is state for one in counting) for state in (State.FAIL, State.ERROR))
    level = report.fail_on.value
    if report.fail_on is Threshold.NEVER:
        total = f"{found[State.FAIL]} failed, {found[State.ERROR]} could not be decided"
        return Verdict(0, f"Reported only: {total}.")
    if failed:
        return Verdict(1, f"{_findings(failed)} of severity {level} or above failed.")
    if undecided:
        return Verdict(2, f"{_findings(undecided)} of severity {level} or above could not be decided.")
    empty = [host.host for host in report.hosts if not any(one.finding.status in _DECIDED for one in host.judged)]
    if len(empty) == len(report.hosts):
        return Verdict(2, "Nothing was decided: no control passed or failed on any host.")
    if empty:
        return Verdict(2, f"Nothing was decided on {_hosts(empty)}: no control passed or failed there.")
    below = found[State.FAIL] + found[State.ERROR]
    rest = f" {_findings(below)} of lower severity failed or could not be decided." if below else ""
    return Verdict(0, f"No finding of severity {level} or above failed.{rest}")


def _hosts(names: t.Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(map(one_line, names[:3]))}{more}"


def _findings(number: int) -> str:
    return f"{number} finding{'' if number == 1 else 's'}"


def ended(sentence: str) -> str:
    """``sentence`` with a full stop."""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
