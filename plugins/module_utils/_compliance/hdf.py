# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Heimdall Data Format of MITRE (exec JSON), which is converted to CKL, OSCAL, ASFF and others.

Each host is a profile, since a waiver and a status belong to a control as a whole there. Most converters read the first
profile only: for them, write one file for each host, from :meth:`Report.of_host`.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from .._controls.finding import FindingStatus, Severity
from .report import ControlInfo, HostReport, Report, Result, State
from .texts import clean, json_lines, one_line

#: As InSpec has them. An impact of 0 means not applicable.
IMPACTS = {Severity.CRITICAL: 1.0, Severity.HIGH: 0.7, Severity.MEDIUM: 0.5, Severity.LOW: 0.3}
STATUSES = {
    FindingStatus.PASS: "passed",
    FindingStatus.FAIL: "failed",
    FindingStatus.ERROR: "error",
    FindingStatus.NOT_APPLICABLE: "skipped",
    FindingStatus.NOT_CHECKED: "skipped",
}
#: The standard whose references Heimdall shows as a tree.
NIST = "NIST SP 800-53"


def write(report: Report) -> str:
    """The report as HDF."""
    only = clean(report.hosts[0].host) if len(report.hosts) == 1 else None
    document = {
        "platform": {"name": "mailops.smtp", "release": report.collection_version, "target_id": only},
        "version": report.collection_version,
        "statistics": {"duration": None},
        "profiles": [],
    }
    return json_lines(document, (_profile(report, host) for host in report.hosts))


def _profile(report: Report, host: HostReport) -> dict[str, t.Any]:
    by_control: dict[str, list[Result]] = {}
    for result in host.judged:
        by_control.setdefault(result.finding.control, []).append(result)
    controls = [_control(report, results) for results in by_control.values()]
    name = clean(host.host)
    checksum = hashlib.sha256(json.dumps(controls, sort_keys=True).encode()).hexdigest()
    return {
        "name": name,
        "version": report.collection_version,
        "title": one_line(f"{report.title}: {host.host}"),
        "summary": one_line(f"{host.profile}: {host.profile_reason}" if host.profile_reason else host.profile),
        "supports": [],
        "attributes": [],
        "groups": [{"id": name, "title": name, "controls": list(by_control)}],
        "sha256": checksum,
        "status": "loaded",
        "status_message": one_line(host.problem) or None,
        "controls": controls,
    }


def _control(report: Report, results: t.Sequence[Result]) -> dict[str, t.Any]:
    control = report.control(results[0].finding)
    applies = any(result.finding.status is not FindingStatus.NOT_APPLICABLE for result in results)
    severity = min((result.finding.severity for result in results), key=list(Severity).index)
    descriptions = {"rationale": control.rationale, "fix": control.by_hand, "variable": control.variable}
    return {
        "id": control.id,
        "title": one_line(control.title),
        "desc": clean(control.rationale or control.title),
        "descriptions": [{"label": label, "data": clean(data)} for label, data in descriptions.items() if data],
        "impact": IMPACTS[severity] if applies else 0.0,
        "refs": [{"ref": one_line(str(source))} for source in control.sources],
        "tags": _tags(control, severity),
        "code": "",
        "source_location": {"ref": "", "line": 0},
        "waiver_data": _waiver(results),
        "results": [_result(report, result) for result in results],
    }


def _tags(control: ControlInfo, severity: Severity) -> dict[str, t.Any]:
    nist = [source.requirement for source in control.sources if source.standard == NIST]
    return {"severity": severity.value, **({"nist": nist} if nist else {})}


def _waiver(results: t.Sequence[Result]) -> dict[str, t.Any]:
    """The waiver of a control. It has run; Heimdall counts it as waived if nothing of it is left open."""
    waiver = next((result.waiver for result in results if result.waiver), None)
    if not waiver:
        return {}
    is_left = any(result.state in (State.FAIL, State.ERROR) for result in results)
    notes = dict.fromkeys(result.waiver_note for result in results if result.waiver)
    return {
        "expiration_date": waiver.expires,
        "justification": one_line(f"{waiver.reason} ({waiver.owner})"),
        "run": True,
        "skipped_due_to_waiver": not is_left,
        "message": one_line(" ".join(notes)),
    }


def _result(report: Report, result: Result) -> dict[str, t.Any]:
    finding = result.finding
    status = STATUSES[finding.status]
    message = one_line(result.sentences)
    seen = "\n".join(one_line(f"{one.path} = {one.value}") for one in result.seen)
    return {
        "status": status,
        "code_desc": one_line(f"{finding.subject}: {report.control(finding).title}"),
        "start_time": report.when,
        "run_time": 0.0,
        "skip_message" if status == "skipped" else "message": f"{message}\n{seen}" if seen else message,
    }
