# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the HTML report that several of its sections have: texts, tables and bars. Every text is escaped."""

from __future__ import annotations

import html
import typing as t

from .report import UNJUDGED, State, counts, worst
from .text import NAMES
from .texts import clean

if t.TYPE_CHECKING:
    from .report import ControlInfo, HostReport, Report, Result

#: Shown when the page opens, if there are any.
ATTENTION = (State.FAIL, State.ERROR, State.WAIVED)
#: In a larger fleet the table of hosts and controls is closed at first, and what is off the screen is not drawn.
MAX_SMALL = 50
#: A letter for each state, so that a table of hosts and controls does not need colours.
LETTERS: t.Mapping[State, str] = {
    State.FAIL: "F",
    State.ERROR: "E",
    State.WAIVED: "W",
    State.NOT_CHECKED: "?",
    State.PASS: "P",
    State.NOT_APPLICABLE: "-",
}


def text(value: object) -> str:
    """Any value as text of the page, within an element or a quoted attribute."""
    return html.escape(clean(str(value)), quote=True)


def moment(value: str) -> str:
    """A moment such as ``2026-12-31T12:00:00Z``, for people."""
    shown = f"{value[:10]} {value[11:16]} UTC" if value[10:11] == "T" and value.endswith("Z") else value
    return f'<time datetime="{text(value)}">{text(shown)}</time>'


def anchor(control: str) -> str:
    """The id of the article of a control."""
    return f"control-{'-'.join(text(control).split())}"


def table(label: str, heads: t.Sequence[str], rows: t.Iterable[str], start: str = "<table>") -> t.Iterator[str]:
    """A table that scrolls by keyboard. Heads, with their tags or without, and rows are HTML."""
    cells = "".join(head if head.startswith("<th") else f'<th scope="col">{head}</th>' for head in heads)
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{start}'
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    yield from rows
    yield "</tbody></table></div>"


def numbers(found: t.Mapping[State, int]) -> str:
    """The cells of a row, a number of findings in each state."""
    return "".join(
        f'<td class="n{"" if state in ATTENTION else " rest"}{f" {state.value}" if n else ""}">{n}</td>'
        for state, n in found.items()
    )


def heads_of_numbers() -> list[str]:
    """The heads of these cells. A narrow screen leaves out those that need no attention."""
    return [f'<th scope="col"{"" if state in ATTENTION else " class=rest"}>{NAMES[state]}</th>' for state in State]


def tally(results: t.Iterable[Result]) -> str:
    """How many results there are in each state, in words."""
    found = counts(results)
    return ", ".join(f"<span class={state.value}>{n} {NAMES[state]}</span>" for state, n in found.items() if n)


def measure_bar(value: int, most: int, kind: str) -> str:
    """A bar of a chart, with its number. The number stands beside it, so that readers of the screen skip the bar."""
    width = round(100 * max(0, min(value, most)) / most) if most else 0
    return f'{_svg("bar", kind)}<rect width="{width}" height="10"/></svg>{value}'


def stack(found: t.Mapping[State, int]) -> str:
    """The states as parts of one bar, each wide enough to be seen. The numbers stand beside it."""
    least = sum(found.values()) / 50
    shares = {state: max(n, least) for state, n in found.items() if n}
    total, at, parts = sum(shares.values()), 0.0, []
    for state, share in shares.items():
        parts.append(f'<rect class="{state.value}" x="{at:.4g}" width="{100 * share / total:.3g}" height="10"/>')
        at += 100 * share / total
    return f"{_svg('bar', 'stack')}{''.join(parts)}</svg>"


def _svg(*kinds: str) -> str:
    return f'<svg class="{" ".join(kinds)}" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'


def grid_controls(report: Report) -> list[ControlInfo]:
    """The columns of the table of hosts and controls: first, whether a host could be judged at all."""
    return sorted(report.used, key=lambda one: one.id != UNJUDGED)


def states_of(host: HostReport, controls: t.Iterable[ControlInfo]) -> list[State | None]:
    """The worst state of each control on a host. ``None`` if it was not judged."""
    found: dict[str, list[Result]] = {}
    for result in host.judged:
        found.setdefault(result.finding.control, []).append(result)
    return [worst(found.get(control.id, ())) for control in controls]
