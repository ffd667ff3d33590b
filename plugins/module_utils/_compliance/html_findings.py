# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of the HTML report: an article for each control, the worst first.

What needs attention is part of the page. The rest of a large fleet are 100,000 findings, which would take the browser
seconds: the page holds them as data, each text once, and its script shows those that the reader asks for.
"""

from __future__ import annotations

import json
import typing as t

from .._controls.finding import Severity
from .html_parts import ATTENTION, LETTERS, MAX_SMALL, anchor, grid_controls, states_of, tally, text
from .report import ControlInfo, HostReport, Report, Result, State, counts, worst
from .text import NAMES
from .texts import clean

_Found = tuple[HostReport, Result]
_STATES, _SEVERITIES = list(State), list(Severity)


def standard_numbers(report: Report) -> dict[str, str]:
    """A number for each standard that a control cites, by its name."""
    names = {source.standard for control in (*report.controls, *report.used) for source in control.sources}
    return {name: str(number) for number, name in enumerate(sorted(names), 1)}


def findings(report: Report) -> t.Iterator[str]:
    """The section, with the filters."""
    names = standard_numbers(report)
    large = ' class="large"' if len(report.hosts) > MAX_SMALL else ""
    yield f'<section id="findings" tabindex="-1"{large}><h2>Findings</h2>'
    yield from _form(counts(result for _host, result in report.all_results()), names)
    for control, found in _by_control(report):
        yield from _article(control, found, names)
    yield "</section>"


def _by_control(report: Report) -> list[tuple[ControlInfo, list[_Found]]]:
    """The controls that were judged with their findings, the worst first."""
    found: dict[str, list[_Found]] = {}
    for host, result in report.all_results():
        found.setdefault(result.finding.control, []).append((host, result))
    judged = [(control, found[control.id]) for control in report.used if control.id in found]
    ranks = {
        control.id: (
            _STATES.index(worst(result for _host, result in results) or State.PASS),
            _SEVERITIES.index(control.severity),
        )
        for control, results in judged
    }
    return sorted(judged, key=lambda one: ranks[one[0].id])


def _form(found: t.Mapping[State, int], names: t.Mapping[str, str]) -> t.Iterator[str]:
    needed = any(found[state] for state in ATTENTION)
    options = "".join(f"<option>{severity.value}</option>" for severity in Severity)
    named = "".join(f'<option value="{number}">{text(name)}</option>' for name, number in names.items())
    boxes = "".join(
        f'<label><input type="checkbox" name="state" value="{state.value}"'
        f"{' checked' if state in ATTENTION or not needed else ''}> {NAMES[state]} ({number})</label>"
        for state, number in found.items()
    )
    yield '<form hidden aria-label="Filters"><label>Host <input name="host" type="search" autocomplete="off"></label>'
    yield f'<label>Severity <select name="severity"><option value="">any</option>{options}</select></label>'
    yield f'<label>Standard <select name="standard"><option value="">any</option>{named}</select></label>'
    yield f'<fieldset><legend>State</legend>{boxes}</fieldset><button type="reset">Reset</button></form>'
    rest = sum(number for state, number in found.items() if state not in ATTENTION)
    without = f"Without its script, this page leaves out {rest} findings that need no attention." if rest else ""
    yield f'<output aria-live="polite">{without}</output>'


def _article(control: ControlInfo, found: t.Sequence[_Found], names: t.Mapping[str, str]) -> t.Iterator[str]:
    cited = " ".join(dict.fromkeys(names[source.standard] for source in control.sources))
    title = f"<code>{text(control.id)}</code> {text(control.title)}"
    title = title if control.title != control.id else text(control.id)
    severity = control.severity.value
    yield f'<article id="{anchor(control.id)}" data-standards="{cited}" data-severity="{severity}">'
    yield f'<h3>{title}</h3><p class="tally"><span class="badge {severity}">{severity}</span> '
    yield f"{tally(result for _host, result in found)}</p>"
    details = [
        ("Why it matters", text(control.rationale)),
        ("Fix with the role", f"<pre>{text(control.variable)}</pre>" if control.variable else ""),
        ("Fix by hand", text(control.by_hand)),
        ("Sources", text("; ".join(map(str, control.sources)))),
    ]
    yield f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in details if value)}</dl>"
    shown = [one for one in found if one[1].state in ATTENTION]
    shown.sort(key=lambda one: (_STATES.index(one[1].state), _SEVERITIES.index(one[1].finding.severity)))
    yield f'<ul class="findings">{"".join(_item(control, *one) for one in shown)}</ul></article>\n'


def _item(control: ControlInfo, host: HostReport, result: Result) -> str:
    """A finding in few elements, since a page may have many of them."""
    finding, state = result.finding, result.state
    differs = finding.severity is not control.severity
    severity = f" data-severity={finding.severity.value}" if differs else ""
    told = f"{NAMES[state]}, {finding.severity.value}," if differs else NAMES[state]
    todo = "".join(f"<i>{text(one)}</i>" for one in (finding.remedy, result.waiver_note) if one)
    seen = "".join(f"<code>{text(one.path)} = {text(one.value)}</code>" for one in result.seen)
    return (
        f"<li class={state.value}{severity}>{told} <bdi>{text(host.host)}</bdi>{_subject(host, result, text)}: "
        f"{text(finding.message)}{todo}{seen}\n"
    )


def _subject(host: HostReport, result: Result, shown: t.Callable[[str], str]) -> str:
    """What a finding is about, if the host or the message does not tell it."""
    subject = result.finding.subject
    is_told = subject == host.host or result.finding.message.startswith(subject)
    return "" if is_told else f" {shown(subject)}"


def data(report: Report) -> t.Iterator[str]:
    """What the script shows when it is asked for, as JSON that ends no element.

    ``rest`` has a list for each article, of findings: host, state, text, and severity where it differs. Hosts, states
    and texts are numbers, their places in these lists. ``grid`` has a letter for each host and control.
    """
    texts: dict[str, int] = {}
    places = {id(host): number for number, host in enumerate(report.hosts)}
    document = {
        "states": [[state.value, NAMES[state], LETTERS[state]] for state in State],
        "hosts": [clean(host.host) for host in report.hosts],
        "rest": [
            [_row(places[id(host)], host, result, control, texts) for host, result in found if _is_rest(result)]
            for control, found in _by_control(report)
        ],
        "grid": list(_grid(report)) if len(report.hosts) > MAX_SMALL else [],
    }
    written = json.dumps({**document, "texts": list(texts)}, separators=(",", ":"), ensure_ascii=False)
    yield '<script type="application/json">'
    yield written.replace("<", "\\u003c")
    yield "</script>"


def _is_rest(result: Result) -> bool:
    return result.state not in ATTENTION


def _row(place: int, host: HostReport, result: Result, control: ControlInfo, texts: dict[str, int]) -> list[t.Any]:
    told = f"{_subject(host, result, clean)}: {clean(result.sentences)}"
    differs = result.finding.severity is not control.severity
    severity = [result.finding.severity.value] if differs else []
    return [place, _STATES.index(result.state), texts.setdefault(told, len(texts)), *severity]


def _grid(report: Report) -> t.Iterator[str]:
    controls = grid_controls(report)
    return ("".join(LETTERS[one] if one else " " for one in states_of(host, controls)) for host in report.hosts)
