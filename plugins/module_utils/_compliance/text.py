# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for a terminal: what failed, in sentences."""

from __future__ import annotations

import typing as t

from .differences import Differences
from .report import Report, State, counts, verdict
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
    """The report as plain text, a line for each finding that needs attention."""
    return "\n".join([*_lines(report, since), ""])


def _lines(report: Report, since: Differences | None) -> t.Iterator[str]:
    for host in report.hosts:
        told = [result for state in _TOLD for result in host.judged if result.state is state]
        if told or host.problem:
            yield one_line(f"{host.host}{f' ({host.profile})' if host.profile else ''}")
        if host.problem and host.results:
            yield f"  {one_line(host.problem)}"
        for result in told:
            finding = result.finding
            label = f"{NAMES[result.state]}, {finding.severity.value}"
            subject = f"{finding.subject}: " if finding.subject not in f"{host.host} {finding.message}" else ""
            yield f"  {one_line(f'{finding.control} [{label}] {subject}{result.sentences}')}"
    yield from (one_line(notice) for notice in report.notices)
    if since:
        yield one_line(since.sentence)
    yield total(report)
    yield verdict(report).sentence


def total(report: Report) -> str:
    """How many findings there are in each state."""
    found = counts(result for _host, result in report.all_results())
    parts = ", ".join(f"{number} {NAMES[state]}" for state, number in found.items() if number)
    hosts = len(report.hosts)
    return f"{hosts} host{'' if hosts == 1 else 's'}: {parts or 'nothing was judged'}."
