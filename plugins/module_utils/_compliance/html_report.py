# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTML page that holds the whole report, for an engineer and an auditor. It loads nothing, and runs its own script
only. Every text is escaped. Without the script it still shows everything that needs attention, but without filters.
"""

from __future__ import annotations

import base64
import hashlib
import typing as t

from .._controls.finding import FindingStatus, Severity
from .differences import SENTENCES, Difference, Differences
from .html_findings import data, findings, standard_numbers
from .html_parts import (
    ATTENTION,
    LETTERS,
    MAX_SMALL,
    anchor,
    grid_controls,
    heads_of_numbers,
    measure_bar,
    moment,
    numbers,
    stack,
    states_of,
    table,
    text,
)
from .html_script import SCRIPT
from .html_style import STYLE
from .report import UNJUDGED, HostReport, Report, Result, State, counts, ended, verdict
from .standards import Requirement, standards
from .text import NAMES

#: Days that a certificate is valid at most when it is new, as far as the chart goes, and those that call for attention.
MAX_DAYS, WARN_DAYS, LATE_DAYS = 90, 30, 7
#: So many rows of a chart are shown at first.
MAX_ROWS = 12


def write(report: Report, since: Differences | None = None) -> str:
    """The report as a page."""
    title = text(report.title)
    sections = {
        "changes": ("Changes", _changes(since)),
        "hosts": ("Hosts", _hosts(report)),
        "findings": ("Findings", findings(report)),
        "grid": ("Hosts by controls", _grid(report)),
        "certificates": ("Certificates", _certificates(report)),
        "queues": ("Queue", _queues(report)),
        "standards": ("Standards", _standards(report)),
        "waivers": ("Waivers", _waivers(report)),
        "evidence": ("Evidence", _evidence(report)),
    }
    made = {key: (name, "".join(parts)) for key, (name, parts) in sections.items()}
    links = "".join(f'<a href="#{key}">{name}</a>' for key, (name, part) in made.items() if part)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title><style>{STYLE}</style></head><body>",
        '<a class="skip" href="#findings">Skip to the findings</a>',
        *_header(report),
        f'<nav aria-label="Sections">{links}</nav><main>',
        *(part for _name, part in made.values()),
        "</main>",
        *data(report),
        f"<script>{SCRIPT}</script></body></html>\n",
    ]
    return "".join(parts)


def _policy() -> str:
    hashes = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (STYLE, SCRIPT))
    style, script = (f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"


def _header(report: Report) -> t.Iterator[str]:
    judgement = verdict(report)
    kind = ("pass", "fail", "error")[judgement.exit_code]
    yield f'<header><h1>{text(report.title)}</h1><p class="verdict {kind}">{text(judgement.sentence)}</p>'
    results = [result for _host, result in report.all_results()]
    found = counts(results)
    tiles = "".join(_tile(state, n, results) for state, n in found.items())
    yield f'{stack(found)}<ul class="tiles" aria-label="Findings by state">{tiles}</ul>'
    profiles = f" Profiles: {text(', '.join(report.profiles))}." if report.profiles else ""
    yield f'<p class="soft">{_hosts_in_words(report)} Judged at {moment(report.when)} by mailops.smtp '
    yield f"{text(report.collection_version)}. {_threshold(report)}{profiles}</p></header>"


def _hosts_in_words(report: Report) -> str:
    total = len(report.hosts)
    bad = sum(any(one.state is State.FAIL for one in host.judged) for host in report.hosts)
    unknown = sum(any(one.finding.control == UNJUDGED for one in host.judged) for host in report.hosts)
    parts = [f"{total} host{'' if total == 1 else 's'}", f"{bad} with failures", f"{unknown} not judged"]
    return f"{', '.join(parts[: 2 + bool(unknown)])}."


def _threshold(report: Report) -> str:
    level = report.fail_on.value
    return "No finding fails the run." if level == "never" else f"Findings of severity {level} or above fail the run."


def _tile(state: State, number: int, results: t.Sequence[Result]) -> str:
    """The number of a state, with a link to its findings."""
    severities = dict.fromkeys(Severity, 0)
    for result in results:
        severities[result.finding.severity] += result.state is state
    told = ", ".join(f"{n} {one.value}" for one, n in severities.items() if n) if state in ATTENTION else ""
    return (
        f'<li class="{state.value}"><a href="#findings" data-state="{state.value}"><b>{number}</b>{NAMES[state]}</a>'
        f"{f'<small>{told}</small>' if told else ''}</li>"
    )


def _changes(since: Differences | None) -> t.Iterator[str]:
    if since:
        yield f'<section id="changes"><h2>Since the last run</h2><p>{text(since.sentence)}</p>'
        names = [("Added", since.hosts_added), ("Removed", since.hosts_removed)]
        yield from (f"<p>{word}: {text(', '.join(hosts))}.</p>" for word, hosts in names if hosts)
        if since.found:
            yield f'<ul class="findings">{"".join(map(_change, since.found))}</ul>'
        yield "</section>"


def _change(one: Difference) -> str:
    kind = one.after.value if one.after else State.NOT_CHECKED.value
    states = (NAMES[state] if state else "not judged" for state in (one.before, one.after))
    return (
        f'<li class="{kind}"><a href="#{anchor(one.control)}">{text(one.control)}</a> on <bdi>{text(one.host)}</bdi> '
        f"<b>{SENTENCES[one.turn]}</b> ({' → '.join(states)}): {text(ended(one.message))}</li>"
    )


def _standards(report: Report) -> t.Iterator[str]:
    views = standards(report)
    if views:
        named = standard_numbers(report)
        yield '<section id="standards"><h2>Standards</h2><p class="soft">Requirements by the worst finding of their '
        yield "controls on any host. A requirement that is checked in part is not shown to be met.</p>"
        rows = (
            f'<tr><th scope="row"><a href="#findings" data-standard="{named[view.standard]}">{text(view.standard)}</a>'
            f"</th>{numbers({one: view.count(one) for one in State})}</tr>"
            for view in views
        )
        yield from table("Standards", ["Standard", *heads_of_numbers()], rows)
        for view in views:
            yield f"<details><summary>{text(view.standard)}: {len(view.requirements)} requirements</summary>"
            heads = ["Requirement", "Document", "Controls", "Result", "Not checked"]
            yield from table(text(view.standard), heads, map(_requirement, view.requirements))
            yield "</details>"
        yield "</section>"


def _requirement(one: Requirement) -> str:
    links = ", ".join(f'<a href="#{anchor(control)}">{text(control)}</a>' for control in one.controls)
    state = f'<td class="{one.state.value}">{NAMES[one.state]}</td>' if one.state else "<td>not judged</td>"
    return (
        f'<tr><th scope="row">{text(one.requirement or "all")}</th><td>{text(one.document)}</td><td>{links}</td>'
        f"{state}<td>{text(' '.join(one.not_covered))}</td></tr>"
    )


def _hosts(report: Report) -> t.Iterator[str]:
    yield '<section id="hosts"><h2>Hosts</h2>'
    rows = map(_host_row, sorted(report.hosts, key=_badness))
    yield from table("Hosts", ["Host", "<th scope=col class=rest>Findings</th>", *heads_of_numbers()], rows)
    yield "</section>"


def _badness(host: HostReport) -> tuple[int, ...]:
    """Sorts the host with the worst findings to the front."""
    found: dict[tuple[FindingStatus | State, Severity], int] = {}
    for one in host.judged:
        key = (one.state, one.finding.severity)
        found[key] = found.get(key, 0) + 1
    return tuple(-found.get((state, severity), 0) for state in ATTENTION for severity in Severity)


def _host_row(host: HostReport) -> str:
    found = counts(host.judged)
    profile = ". ".join(filter(None, (host.profile, host.profile_reason)))
    about = f"<span class=soft>{text(profile)}</span>" if profile else ""
    problem = f"<span class=error>{text(host.problem)}</span>" if host.problem else ""
    name = f'<a href="#findings" data-host>{text(host.host)}</a>'
    return f'<tr><th scope="row">{name}{about}{problem}</th><td class=rest>{stack(found)}</td>{numbers(found)}</tr>'


def _grid(report: Report) -> t.Iterator[str]:
    controls = grid_controls(report)
    legend = ", ".join(f"{LETTERS[state]} {NAMES[state]}" for state in State)
    is_small = len(report.hosts) <= MAX_SMALL
    yield f'<section id="grid"><h2>Hosts by controls</h2><p class="soft">{legend}. The worst finding counts.</p>'
    yield f"<details{' open' if is_small else ''}><summary>{len(report.hosts)} hosts, {len(controls)} controls"
    yield "</summary>"
    heads = [f'<a href="#{anchor(control.id)}">{text(control.id)}</a>' for control in controls]
    # The script makes the rows of a large fleet, when they are asked for.
    rows = (
        f'<tr><th scope="row">{text(host.host)}</th>{"".join(map(_cell, states_of(host, controls)))}</tr>'
        for host in report.hosts
    )
    later = ["<tr><td>The script of this page fills this table.</td></tr>"]
    columns = "<col>" * (len(heads) + 1)  # Chromium makes columns with vertical heads far too wide by itself
    start = f'<table class="grid"><colgroup>{columns}</colgroup>'
    yield from table("Hosts by controls", ["Host", *heads], rows if is_small else later, start)
    yield "</details></section>"


def _cell(state: State | None) -> str:
    return f"<td class={state.value}>" if state else "<td>"


def _certificates(report: Report) -> t.Iterator[str]:
    """The days left, in a row for each host and number of days."""
    found: dict[tuple[int, str], list[str]] = {}
    for host in report.hosts:
        for one in host.certificates:
            found.setdefault((one.days_left, host.host), []).append(one.name)
    if found:
        yield '<section id="certificates"><h2>Certificates by days left</h2>'
        rows = [
            f'<tr><th scope="row">{text(host)}</th><td>{text(", ".join(found[days, host]))}</td>'
            f"<td class=n>{measure_bar(days, MAX_DAYS, _lateness(days))}{' (expired)' if days < 0 else ''}</td></tr>"
            for days, host in sorted(found)
        ]
        late = sum(days <= WARN_DAYS for days, _host in found)
        yield from _chart("Certificates", ["Host", "Certificate", "Days left"], rows, max(late, MAX_ROWS))
        yield "</section>"


def _chart(label: str, heads: t.Sequence[str], rows: t.Sequence[str], first: int) -> t.Iterator[str]:
    """A table of bars, of which the first rows are shown, and the others on demand."""
    yield from table(label, heads, rows[:first])
    if rows[first:]:
        yield f"<details><summary>{len(rows) - first} more</summary>"
        yield from table(f"{label}, continued", heads, rows[first:])
        yield "</details>"


def _lateness(days: int) -> str:
    return "fail" if days <= LATE_DAYS else "error" if days <= WARN_DAYS else "pass"


def _queues(report: Report) -> t.Iterator[str]:
    """The messages that wait, the most first."""
    found = [(number, host.host, state) for host in report.hosts for state, number in host.queue.items()]
    if found:
        found.sort(key=lambda one: (-one[0], *one[1:]))
        most = found[0][0]
        yield '<section id="queues"><h2>Messages in the queue</h2>'
        rows = [
            f'<tr><th scope="row">{text(host)}</th><td>{text(state)}</td>'
            f"<td class=n>{measure_bar(number, most, 'not_checked')}</td></tr>"
            for number, host, state in found
        ]
        yield from _chart("Queues", ["Host", "State", "Messages"], rows, MAX_ROWS)
        yield "</section>"


def _waivers(report: Report) -> t.Iterator[str]:
    waived = [(host, result) for host, result in report.all_results() if result.waiver]
    if waived or report.notices:
        yield '<section id="waivers"><h2>Waivers and notices</h2>'
        yield "".join(f"<p>{text(notice)}</p>" for notice in report.notices)
        heads = ["Control", "Host", "Owner", "Reason", "Expires", "Real result"]
        if waived:
            yield from table("Waivers", heads, (_waiver_row(*one) for one in waived))
        yield "</section>"


def _waiver_row(host: HostReport, result: Result) -> str:
    one = result.waiver
    cells = (one.owner, one.reason, one.expires) if one else ("", "", "")
    status = f"{result.finding.status.value}{', expired' if result.waiver_expired else ''}"
    rest = "".join(f"<td>{text(cell)}</td>" for cell in (host.host, *cells, status))
    return f'<tr><th scope="row">{text(result.finding.control)}</th>{rest}</tr>'


def _evidence(report: Report) -> t.Iterator[str]:
    """What the findings rest on, in a row for each host."""
    found = [host for host in report.hosts if host.evidence]
    if found:
        documents = sum(len(host.evidence) for host in found)
        yield '<section id="evidence"><h2>Evidence</h2>'
        yield f"<details{' open' if len(found) <= MAX_SMALL else ''}><summary>{documents} documents</summary>"
        yield from table("Evidence", ["Host", "What was seen", "File"], map(_evidence_row, found))
        yield "</details></section>"


def _evidence_row(host: HostReport) -> str:
    seen = "\n".join(f"{one.kind} {one.subject}, at {one.seen_at} from {one.seen_from}" for one in host.evidence)
    files = "\n".join(dict.fromkeys(one.file for one in host.evidence))
    return f'<tr><th scope="row">{text(host.host)}</th><td class=lines>{text(seen)}</td><td>{text(files)}</td></tr>'
