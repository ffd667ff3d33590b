# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenMetrics, for the textfile collector of Prometheus' node_exporter.

A host that was not judged, and a control that was not decided, have no sample of ``mailops_compliance_failed``: alert
on ``mailops_compliance_findings{state="error"}`` too.
"""

from __future__ import annotations

import typing as t

from .._controls.finding import FindingStatus
from .._evidence.document import seconds_of
from .report import Report, State, counts, verdict
from .texts import one_line

_Sample = tuple[dict[str, str], t.Union[int, float]]


def write(report: Report) -> str:
    """The report as OpenMetrics text."""
    lines: list[str] = []
    for name, (description, samples) in _METRICS.items():
        metric = f"mailops_compliance_{name}"
        lines += [f"# TYPE {metric} gauge", f"# HELP {metric} {description}"]
        # A series that is given twice makes the collector drop the whole file.
        series = {_labels(labels): value for labels, value in samples(report)}
        lines += [f"{metric}{labels} {value}" for labels, value in series.items()]
    return "\n".join([*lines, "# EOF", ""])


def _labels(labels: t.Mapping[str, str]) -> str:
    parts = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{','.join(parts)}}}" if labels else ""


def _escaped(text: str) -> str:
    return one_line(text).replace("\\", r"\\").replace('"', r"\"")


def _findings(report: Report) -> t.Iterator[_Sample]:
    for host in report.hosts:
        for state, number in counts(host.judged).items():
            yield {"host": host.host, "profile": host.profile, "state": state.value}, number


def _failed(report: Report) -> t.Iterator[_Sample]:
    """1 if any subject of the control fails and that is not waived, on this host."""
    found: dict[tuple[str, str, str], int] = {}
    for host, result in report.all_results():
        finding = result.finding
        if finding.status in (FindingStatus.PASS, FindingStatus.FAIL):
            key = (host.host, finding.control, finding.severity.value)
            found[key] = max(found.get(key, 0), int(result.state is State.FAIL))
    return (({"host": key[0], "control": key[1], "severity": key[2]}, value) for key, value in found.items())


def _certificates(report: Report) -> t.Iterator[_Sample]:
    least: dict[tuple[str, str], int] = {}
    for host in report.hosts:
        for one in host.certificates:
            key = (host.host, one.name)
            least[key] = min(one.days_left, least.get(key, one.days_left))
    return (({"host": host, "certificate": name}, days) for (host, name), days in least.items())


def _queue(report: Report) -> t.Iterator[_Sample]:
    for host in report.hosts:
        for state, number in host.queue.items():
            yield {"host": host.host, "state": state}, number


_METRICS: t.Mapping[str, tuple[str, t.Callable[[Report], t.Iterable[_Sample]]]] = {
    "run_timestamp_seconds": ("When the hosts were judged.", lambda report: [({}, seconds_of(report.when))]),
    "exit_code": ("0 fine, 1 failures, 2 not decided.", lambda report: [({}, verdict(report).exit_code)]),
    "findings": ("Findings by host and state.", _findings),
    "failed": ("1 if the control fails on the host, 0 if it is met or waived.", _failed),
    "certificate_days_left": ("Days until the certificate expires.", _certificates),
    "queue_messages": ("Messages in the queue by state.", _queue),
}
