# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML, as GitLab, Jenkins and Azure read it: a suite for each host, a case for each finding.

There is no standard. The elements are those of Jenkins' schema, with the properties at the case, where pytest puts them
too. GitLab tells cases apart by ``classname`` and ``name``, and shows the text of a failure rather than its message.
"""

from __future__ import annotations

import collections
import typing as t
import xml.etree.ElementTree as ET

from .report import HostReport, Report, Result, State, counts
from .texts import clean, one_line

#: The element of each state. A control that is met has none.
ELEMENTS: t.Mapping[State, str] = {
    State.FAIL: "failure",
    State.ERROR: "error",
    State.WAIVED: "skipped",
    State.NOT_CHECKED: "skipped",
    State.NOT_APPLICABLE: "skipped",
}


def write(report: Report) -> str:
    """The report as JUnit XML, in UTF-8."""
    totals = _totals(result for _host, result in report.all_results())
    root = ET.Element("testsuites", {"name": one_line(report.title), **totals})
    root.text = "\n"
    head, _slash, end = ET.tostring(root, encoding="unicode").rpartition("</")
    # Suite by suite, since the elements of a large fleet take far more room than their text.
    suites = "".join(ET.tostring(_suite(report, host), encoding="unicode") for host in report.hosts)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{suites}</{end}\n'


def _suite(report: Report, host: HostReport) -> ET.Element:
    totals = _totals(host.judged)
    skipped = sum(number for state, number in counts(host.judged).items() if ELEMENTS.get(state) == "skipped")
    name = one_line(host.host)
    about = {"name": name, "hostname": name, "timestamp": report.when, "skipped": str(skipped)}
    suite = ET.Element("testsuite", {**about, **totals})
    suite.text = suite.tail = "\n"
    _properties(suite, profile=host.profile, profile_reason=host.profile_reason, problem=host.problem)
    taken: collections.Counter[str] = collections.Counter()
    for result in host.judged:
        suite.append(_case(report, host, result, taken))
    return suite


def _totals(results: t.Iterable[Result]) -> dict[str, str]:
    found = counts(results)
    numbers = {"tests": sum(found.values()), "failures": found[State.FAIL], "errors": found[State.ERROR]}
    return {name: str(number) for name, number in numbers.items()}


def _case(report: Report, host: HostReport, result: Result, taken: collections.Counter[str]) -> ET.Element:
    finding, control = result.finding, report.control(result.finding)
    name = one_line(f"{control.id} {control.title}" if control.title != control.id else control.id)
    if finding.subject != host.host:
        name = f"{name} [{one_line(finding.subject)}]"
    taken[name] += 1
    if taken[name] > 1:
        name = f"{name} ({taken[name]})"
    case = ET.Element("testcase", classname=one_line(host.host), name=name)
    case.tail = "\n"
    _properties(
        case,
        id=control.id,
        severity=finding.severity.value,
        status=finding.status.value,
        sources="; ".join(map(str, control.sources)) or finding.source,
        subject=finding.subject if finding.subject != host.host else "",
        waiver_owner=result.waiver.owner if result.waiver else "",
        waiver_expires=result.waiver.expires if result.waiver else "",
    )
    element = ELEMENTS.get(result.state)
    if element:
        message = result.waiver_note if result.state is State.WAIVED else finding.message
        told = ET.SubElement(case, element, type=_type(result), message=one_line(message))
        told.text = clean("\n".join(_lines(report, result)))
    return case


def _type(result: Result) -> str:
    return result.finding.severity.value if result.state is State.FAIL else result.state.value


def _lines(report: Report, result: Result) -> t.Iterator[str]:
    control = report.control(result.finding)
    yield from filter(None, (result.finding.message, result.finding.remedy, result.waiver_note, control.rationale))
    if result.is_open and control.variable:
        yield f"Role variable:\n{control.variable}"
    yield from (f"Seen: {one.path} = {one.value}" for one in result.seen)


def _properties(parent: ET.Element, **values: str) -> None:
    given = {name: one_line(value) for name, value in values.items() if value}
    if given:
        properties = ET.SubElement(parent, "properties")
        for name, value in given.items():
            ET.SubElement(properties, "property", name=name, value=value)
