# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF 2.1.0 (OASIS), for GitHub's code scanning, Azure DevOps and Jenkins' warnings plugin.

Only what needs attention becomes a result, and what is waived, as suppressed: readers such as GitHub take each result
for an alert, whatever its kind. A host takes the place of a file, since GitHub asks for one.
"""

from __future__ import annotations

import collections
import hashlib
import typing as t
import urllib.parse

from .._controls.finding import FindingStatus, Severity
from .report import UNJUDGED, ControlInfo, HostReport, Report, Result, State, ended, verdict
from .texts import clean, json_lines, one_line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
URI = "https://galaxy.ansible.com/ui/repo/published/mailops/smtp/"
LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
#: What GitHub sorts by: above 9.0 is critical, from 7.0 high, from 4.0 medium.
SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
SHOWN = (State.FAIL, State.ERROR, State.WAIVED)


def write(report: Report) -> str:
    """The report as SARIF."""
    controls = report.used
    indexes = {control.id: number for number, control in enumerate(controls)}
    driver = {
        "name": "mailops.smtp",
        "semanticVersion": report.collection_version,
        "informationUri": URI,
        "rules": [_rule(control) for control in controls],
    }
    run: dict[str, t.Any] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "mailops.smtp/compliance/"},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [],
    }
    return json_lines({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, _results(report, indexes))


def _rule(control: ControlInfo) -> dict[str, t.Any]:
    sources = [one_line(str(source)) for source in control.sources]
    fixes = [one for one in (control.variable, control.by_hand) if one]
    help_text = clean("\n\n".join([*fixes, *sources]) or control.title)
    return {
        "id": control.id,
        "shortDescription": {"text": ended(one_line(control.title))},
        "fullDescription": {"text": ended(one_line(control.rationale or control.title))},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": LEVELS[control.severity]},
        "properties": {
            "tags": ["security", "mail", *dict.fromkeys(one_line(source.standard) for source in control.sources)],
            "precision": "high",
            "problem.severity": {"note": "recommendation"}.get(LEVELS[control.severity], LEVELS[control.severity]),
            "security-severity": SCORES[control.severity],
        },
    }


def _invocation(report: Report) -> dict[str, t.Any]:
    judgement = verdict(report)
    told = [
        {"level": "error", "message": {"text": one_line(f"{host.host}: {ended(host.problem)}")}}
        for host in report.hosts
        if host.problem
    ]
    notices = [{"level": "note", "message": {"text": one_line(notice)}} for notice in report.notices]
    unjudged = any(result.finding.control == UNJUDGED for _host, result in report.all_results())
    return {
        "executionSuccessful": not (told or unjudged),
        "exitCode": judgement.exit_code,
        "exitCodeDescription": one_line(judgement.sentence),
        "endTimeUtc": report.when,
        "toolExecutionNotifications": told + notices,
    }


def _results(report: Report, indexes: t.Mapping[str, int]) -> t.Iterator[dict[str, t.Any]]:
    taken: collections.Counter[str] = collections.Counter()
    for host, result in report.all_results():
        if result.state in SHOWN:
            place = f"{result.finding.control} {host.host} {result.finding.subject}"
            taken[place] += 1
            fingerprint = hashlib.sha256(f"{place} {taken[place]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
            yield _result(host, result, indexes, fingerprint)


def _result(host: HostReport, result: Result, indexes: t.Mapping[str, int], fingerprint: str) -> dict[str, t.Any]:
    finding = result.finding
    is_fail = finding.status is FindingStatus.FAIL
    found: dict[str, t.Any] = {
        "ruleId": finding.control,
        "ruleIndex": indexes[finding.control],
        # Section 3.27.9: open means that there was not enough information to decide.
        "kind": "fail" if is_fail else "open",
        "level": LEVELS[finding.severity] if is_fail else "none",
        "message": {"text": ended(one_line(_message(host, result)))},
        "locations": [_location(host, result)],
        "partialFingerprints": {"mailopsFinding/v1": fingerprint, "primaryLocationLineHash": f"{fingerprint[:16]}:1"},
        "properties": {"host": clean(host.host), "state": result.state.value, "severity": finding.severity.value},
    }
    if result.state is State.WAIVED:
        justification = one_line(result.waiver_note)
        found["suppressions"] = [{"kind": "external", "status": "accepted", "justification": justification}]
    return found


def _message(host: HostReport, result: Result) -> str:
    expired = result.waiver_note if result.waiver_expired else ""
    return " ".join(filter(None, (f"{host.host}: {result.finding.message}", result.finding.remedy, expired)))


def _location(host: HostReport, result: Result) -> dict[str, t.Any]:
    # A lone surrogate has no form in a URI.
    uri = f"hosts/{urllib.parse.quote(clean(host.host), safe='')}"
    subject = one_line(result.finding.subject)
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
        "logicalLocations": [
            {"name": subject, "fullyQualifiedName": f"{one_line(host.host)}/{subject}", "kind": "resource"}
        ],
    }
