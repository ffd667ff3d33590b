# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTML page that holds the whole report, for an engineer and an auditor. It loads nothing, and runs its own script
only. Every text is escaped. It can be read without the script, which does nothing but filter.
"""

from __future__ import annotations

import base64
import hashlib
import html
import typing as t

from .._controls.finding import Severity
from .differences import Difference, Differences
from .html_style import LETTERS, SCRIPT, STYLE
from .report import ControlInfo, HostReport, Report, Result, State, counts, verdict, worst
from .standards import Requirement, standards
from .text import NAMES, total
from .texts import clean

#: Shown when the page opens, if there are any.
ATTENTION = (State.FAIL, State.ERROR, State.WAIVED)
#: Days that a certificate is valid at most when it is new, as far as the chart goes, and those that call for attention.
MAX_DAYS, WARN_DAYS, LATE_DAYS = 90, 30, 7
#: In a larger fleet the table of hosts and controls is closed at first, and what is off the screen is not drawn.
MAX_SMALL = 50


def write(report: Report, since: Differences | None = None) -> str:
    """The report as a page."""
    title = text(report.title)
    parts = [
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title><style>{STYLE}</style></head><body>",
        '<a class="skip" href="#findings">Skip to the findings</a>',
        *_header(report),
        "<main>",
        *_changes(since),
        *_standards(report),
        *_hosts(report),
        *_grid(report),
        *_certificates(report),
        *_queues(report),
        *_findings(report),
        *_waivers(report),
        *_evidence(report),
        f"</main><script>{SCRIPT}</script></body></html>\n",
    ]
    return "".join(parts)


def text(value: object) -> str:
    """Any value as text of the page, within an element or a quoted attribute."""
    return html.escape(clean(str(value)), quote=True)


def _policy() -> str:
    hashes = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (STYLE, SCRIPT))
    style, script = (f"'sha256-{one}'" for one in hashes)
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"


def _header(report: Report) -> t.Iterator[str]:
    judgement = verdict(report)
    kind = ("pass", "fail", "error")[judgement.exit_code]
    yield f'<header><h1>{text(report.title)}</h1><p class="verdict {kind}">{text(judgement.sentence)}</p>'
    profiles = f" Profiles: {text(', '.join(report.profiles))}." if report.profiles else ""
    yield f'<p class="soft">{text(total(report))} Judged at <time>{text(report.when)}</time> by mailops.smtp '
    yield f"{text(report.collection_version)}; severity that fails the run: {report.fail_on.value}.{profiles}</p>"
    found = counts(result for _host, result in report.all_results())
    tiles = "".join(f'<li class="{state.value}"><b>{n}</b>{NAMES[state]}</li>' for state, n in found.items())
    yield f'<ul class="tiles" aria-label="Findings by state">{tiles}</ul></header>'


def _table(label: str, heads: t.Sequence[str], rows: t.Iterable[str], start: str = "<table>") -> t.Iterator[str]:
    """A table that scrolls by keyboard. Heads and rows are HTML."""
    cells = "".join(f'<th scope="col">{head}</th>' for head in heads)
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{start}'
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    yield from rows
    yield "</tbody></table></div>"


def _numbers(found: t.Mapping[State, int]) -> str:
    return "".join(f'<td class="n{f" {state.value}" if n else ""}">{n}</td>' for state, n in found.items())


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
    return f'<li class="{kind}">{text(one.sentence)}</li>'


def _standards(report: Report) -> t.Iterator[str]:
    views = standards(report)
    if views:
        yield '<section id="standards"><h2>Standards</h2><p class="soft">Requirements by the worst finding of their '
        yield "controls on any host. A requirement that is checked in part is not shown to be met.</p>"
        rows = (
            f'<tr><th scope="row">{text(view.standard)}</th>{_numbers({one: view.count(one) for one in State})}</tr>'
            for view in views
        )
        yield from _table("Standards", ["Standard", *(NAMES[state] for state in State)], rows)
        for view in views:
            yield f"<details><summary>{text(view.standard)}: {len(view.requirements)} requirements</summary>"
            heads = ["Requirement", "Document", "Controls", "Result", "Not checked"]
            yield from _table(text(view.standard), heads, map(_requirement, view.requirements))
            yield "</details>"
        yield "</section>"


def _requirement(one: Requirement) -> str:
    links = ", ".join(f'<a href="#{_anchor(control)}">{text(control)}</a>' for control in one.controls)
    state = f'<td class="{one.state.value}">{NAMES[one.state]}</td>' if one.state else "<td>not judged</td>"
    return (
        f'<tr><th scope="row">{text(one.requirement or "all")}</th><td>{text(one.document)}</td><td>{links}</td>'
        f"{state}<td>{text(' '.join(one.not_covered))}</td></tr>"
    )


def _hosts(report: Report) -> t.Iterator[str]:
    yield '<section id="hosts"><h2>Hosts</h2>'
    rows = (
        f'<tr><th scope="row"><a href="#findings" data-host>{text(host.host)}</a></th>'
        f"<td>{text(host.profile)}<br><span class=soft>{text(host.profile_reason)}</span></td>"
        f'{_numbers(counts(host.judged))}<td class="error">{text(host.problem)}</td></tr>'
        for host in report.hosts
    )
    yield from _table("Hosts", ["Host", "Profile", *(NAMES[state] for state in State), "Problem"], rows)
    yield "</section>"


def _grid(report: Report) -> t.Iterator[str]:
    controls = report.used
    legend = ", ".join(f"{LETTERS[state]} {NAMES[state]}" for state in State)
    is_open = " open" if len(report.hosts) <= MAX_SMALL else ""
    yield f'<section id="grid"><h2>Hosts by controls</h2><p class="soft">{legend}. The worst finding counts.</p>'
    yield f"<details{is_open}><summary>{len(report.hosts)} hosts, {len(controls)} controls</summary>"
    heads = [f'<a href="#{_anchor(control.id)}">{text(control.id)}</a>' for control in controls]
    rows = (_grid_row(host, controls) for host in report.hosts)
    columns = "<col>" * (len(heads) + 1)  # Chromium makes columns with vertical heads far too wide by itself
    start = f'<table class="grid"><colgroup>{columns}</colgroup>'
    yield from _table("Hosts by controls", ["Host", *heads], rows, start)
    yield "</details></section>"


def _grid_row(host: HostReport, controls: t.Sequence[ControlInfo]) -> str:
    states: dict[str, list[Result]] = {}
    for result in host.judged:
        states.setdefault(result.finding.control, []).append(result)
    cells = (worst(states.get(control.id, ())) for control in controls)
    drawn = "".join(f"<td class={state.value}>" if state else "<td>" for state in cells)
    return f'<tr><th scope="row">{text(host.host)}</th>{drawn}</tr>'


def _bar(value: int, most: int, kind: str) -> str:
    """A bar of a chart. The number stands beside it, so that readers of the screen skip the bar."""
    width = round(100 * max(0, min(value, most)) / most) if most else 0
    rect = f'<rect width="{width}" height="10"/>'
    shape = 'viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg class="bar {kind}" {shape}>{rect}</svg>{value}'


def _certificates(report: Report) -> t.Iterator[str]:
    found = [(one.days_left, host.host, one.name) for host in report.hosts for one in host.certificates]
    if found:
        yield '<section id="certificates"><h2>Certificates by days left</h2>'
        rows = (
            f'<tr><th scope="row">{text(host)}</th><td>{text(name)}</td>'
            f"<td class=n>{_bar(days, MAX_DAYS, _lateness(days))}</td></tr>"
            for days, host, name in sorted(found)
        )
        yield from _table("Certificates", ["Host", "Certificate", "Days left"], rows)
        yield "</section>"


def _lateness(days: int) -> str:
    return "fail" if days <= LATE_DAYS else "error" if days <= WARN_DAYS else "pass"


def _queues(report: Report) -> t.Iterator[str]:
    found = [(host.host, state, number) for host in report.hosts for state, number in host.queue.items()]
    if found:
        most = max(number for _host, _state, number in found)
        yield '<section id="queues"><h2>Messages in the queue</h2>'
        rows = (
            f'<tr><th scope="row">{text(host)}</th><td>{text(state)}</td>'
            f"<td class=n>{_bar(number, most, 'not_checked')}</td></tr>"
            for host, state, number in found
        )
        yield from _table("Queues", ["Host", "State", "Messages"], rows)
        yield "</section>"


def _findings(report: Report) -> t.Iterator[str]:
    found = list(report.all_results())
    names = list(dict.fromkeys(source.standard for control in report.used for source in control.sources))
    numbers = {name: str(number) for number, name in enumerate(sorted(names), 1)}
    large = ' class="large"' if len(report.hosts) > MAX_SMALL else ""
    yield f'<section id="findings" tabindex="-1"{large}><h2>Findings</h2>'
    yield from _form(counts(result for _host, result in found), numbers)
    by_control: dict[str, list[tuple[HostReport, Result]]] = {control.id: [] for control in report.used}
    for host, result in found:
        by_control[result.finding.control].append((host, result))
    order, severities = list(State), list(Severity)
    controls = [control for control in report.used if by_control[control.id]]
    states = {one.id: worst(result for _host, result in by_control[one.id]) or State.PASS for one in controls}
    controls.sort(key=lambda one: (order.index(states[one.id]), severities.index(one.severity)))
    for control in controls:
        yield from _article(control, by_control[control.id], numbers)
    yield "</section>"


def _form(found: t.Mapping[State, int], numbers: t.Mapping[str, str]) -> t.Iterator[str]:
    needed = any(found[state] for state in ATTENTION)
    options = "".join(f"<option>{severity.value}</option>" for severity in Severity)
    named = "".join(f'<option value="{number}">{text(name)}</option>' for name, number in numbers.items())
    boxes = "".join(
        f'<label><input type="checkbox" name="state" value="{state.value}"'
        f"{' checked' if state in ATTENTION or not needed else ''}> {NAMES[state]} ({number})</label>"
        for state, number in found.items()
    )
    yield '<form hidden aria-label="Filters"><label>Host <input name="host" type="search" autocomplete="off"></label>'
    yield f'<label>Severity <select name="severity"><option value="">any</option>{options}</select></label>'
    yield f'<label>Standard <select name="standard"><option value="">any</option>{named}</select></label>'
    yield f'<fieldset><legend>State</legend>{boxes}</fieldset><button type="reset">Reset</button>'
    yield '<output aria-live="polite"></output></form>'


def _anchor(control: str) -> str:
    return f"control-{'-'.join(text(control).split())}"


def _article(
    control: ControlInfo, found: t.Sequence[tuple[HostReport, Result]], numbers: t.Mapping[str, str]
) -> t.Iterator[str]:
    cited = " ".join(dict.fromkeys(numbers[source.standard] for source in control.sources))
    title = f"{text(control.id)} {text(control.title)}" if control.title != control.id else text(control.id)
    yield f'<article id="{_anchor(control.id)}" data-standards="{cited}" data-severity="{control.severity.value}">'
    yield f"<h3>{title}</h3>"
    details = [
        ("Severity", control.severity.value),
        ("Why", text(control.rationale)),
        ("Sources", text("; ".join(map(str, control.sources)))),
        ("Role variable", f"<pre>{text(control.variable)}</pre>" if control.variable else ""),
        ("By hand", text(control.by_hand)),
    ]
    yield f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in details if value)}</dl>"
    yield '<ul class="findings">'
    order = list(State)
    yield from (_item(control, *one) for one in sorted(found, key=lambda one: order.index(one[1].state)))
    yield "</ul></article>\n"


def _item(control: ControlInfo, host: HostReport, result: Result) -> str:
    """A finding in few elements, since a page may have 64,000 of them."""
    finding, state = result.finding, result.state
    differs = finding.severity is not control.severity
    severity = f" data-severity={finding.severity.value}" if differs else ""
    told = f"{NAMES[state]}, {finding.severity.value}," if differs else NAMES[state]
    subject = f" {text(finding.subject)}" if finding.subject != host.host else ""
    seen = "".join(f"<br><code>{text(one.path)} = {text(one.value)}</code>" for one in result.seen)
    name = f"<bdi>{text(host.host)}</bdi>"
    return f"<li class={state.value}{severity}>{told} {name}{subject}: {text(result.sentences)}{seen}\n"


def _waivers(report: Report) -> t.Iterator[str]:
    waived = [(host, result) for host, result in report.all_results() if result.waiver]
    if waived or report.notices:
        yield '<section id="waivers"><h2>Waivers and notices</h2>'
        yield "".join(f"<p>{text(notice)}</p>" for notice in report.notices)
        heads = ["Control", "Host", "Owner", "Reason", "Expires", "Real result"]
        if waived:
            yield from _table("Waivers", heads, (_waiver_row(*one) for one in waived))
        yield "</section>"


def _waiver_row(host: HostReport, result: Result) -> str:
    one = result.waiver
    cells = (one.owner, one.reason, one.expires) if one else ("", "", "")
    status = f"{result.finding.status.value}{', expired' if result.waiver_expired else ''}"
    rest = "".join(f"<td>{text(cell)}</td>" for cell in (host.host, *cells, status))
    return f'<tr><th scope="row">{text(result.finding.control)}</th>{rest}</tr>'


def _evidence(report: Report) -> t.Iterator[str]:
    found = [(host, one) for host in report.hosts for one in host.evidence]
    if found:
        yield '<section id="evidence"><h2>Evidence</h2>'
        rows = (
            f'<tr><th scope="row">{text(host.host)}</th>'
            + "".join(
                f"<td>{text(cell)}</td>" for cell in (one.kind, one.subject, one.seen_at, one.seen_from, one.file)
            )
            + "</tr>"
            for host, one in found
        )
        yield from _table("Evidence", ["Host", "Kind", "Subject", "Seen at", "Seen from", "File"], rows)
        yield "</section>"
