# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for a terminal: what failed, in sentences."""

from __future__ import annotations

import typing as t

from .._controls.finding import Severity
from .differences import Differences
from .report import Report, Result, State, counts, verdict
from .texts import one_line

#: What is told of each state in the total. States without a sentence are not told one by one.
NAMES: t.Mapping[State, str] = {
    State.FAIL: "failed",
    State.ERROR: "not decided",
    State.WAIVED: "waived",
    State.NOT_CHECKED: "not checked",
    State.PASS: "passed",
    State.NOT_APPLICABLE: "not applicable",
}
_TOLD = (State.FAIL, State.ERROR, State.WAIVED)


def write(report: Report, since: Differences | None = None) -> str:
    """The report as plain text, a line for each finding that needs attention, or for several with the same words."""
    return "\n".join([*_lines(report, since), ""])


def _lines(report: Report, since: Differences | None) -> t.Iterator[str]:
    for host in report.hosts:
        told = [result for state in _TOLD for result in host.judged if result.state is state]
        if told or host.problem:
            yield one_line(f"{host.host}{f' ({host.profile})' if host.profile else ''}")
        if host.problem and host.results:
            yield f"  {one_line(host.problem)}"
        for group in _alike(told):
            finding = group[0].finding
            controls = ", ".join(dict.fromkeys(one.finding.control for one in group))
            severity = min((one.finding.severity for one in group), key=[*Severity].index)
            subject = f"{finding.subject}: " if finding.subject not in f"{host.host} {finding.message}" else ""
            label = f"{NAMES[group[0].state]}, {severity.value}"
            yield f"  {one_line(f'{controls} [{label}] {subject}{group[0].sentences}')}"
    yield from (one_line(notice) for notice in report.notices)
    if since:
        yield one_line(since.sentence)
    yield total(report)
    yield verdict(report).sentence


def _alike(results: t.Iterable[Result]) -> t.Iterable[list[Result]]:
    """The results in groups that are told in the same words: one cause may leave many controls undecided."""
    groups: dict[tuple[State, str, str], list[Result]] = {}
    for one in results:
        groups.setdefault((one.state, one.finding.subject, one.sentences), []).append(one)
    return groups.values()


def total(report: Report) -> str:
    """How many findings there are in each state."""
    found = counts(result for _host, result in report.all_results())
    parts = ", ".join(f"{number} {NAMES[state]}" for state, number in found.items() if number)
    hosts = len(report.hosts)
    return f"{hosts} host{'' if hosts == 1 else 's'}: {parts or 'nothing was judged'}."
