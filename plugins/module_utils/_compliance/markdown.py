# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown for a merge request, short enough for a comment. Texts stay texts: no markup, no mention, no command."""

from __future__ import annotations

import html
import itertools
import re
import textwrap
import typing as t

from .differences import Difference, Differences, Turn
from .report import HostReport, Report, Result, State, counts, verdict
from .text import NAMES
from .texts import one_line

#: GitHub takes 65,536 characters in a comment.
MAX_LENGTH = 60_000
MAX_HOSTS = 50
MAX_TEXT = 1000
_TOLD = (State.FAIL, State.ERROR, State.WAIVED)
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~$^=-])")
#: What GitHub and GitLab make a link of: a user, an issue, a merge request, an address of the web.
_LINK = re.compile(r"(?<!\w)(?:[@%](?=\w)|[#!&](?=\d))|(?<=\w)://|(?<=\bwww)\.", re.IGNORECASE)
_JOINER = "\u2060"


def write(report: Report, since: Differences | None = None) -> str:
    """The report as Markdown: the verdict, what changed, a table by host, and what needs attention."""
    judgement = verdict(report)
    head = [
        f"## {escape(report.title)}",
        f"**{('Fine', 'Failed', 'Not decided')[judgement.exit_code]}.** {escape(judgement.sentence)}",
        f"{escape(report.when)}, mailops.smtp {escape(report.collection_version)}.",
    ]
    rest = (_changes(since), [_table(report)], _findings(report), _notices(report))
    return _limited(itertools.chain(head, *rest))


def escape(text: str) -> str:
    """``text`` on one line, as Markdown that shows it as it is."""
    # A joiner stands between, since mentions and links are looked for in the page, after escapes are undone.
    unlinked = _LINK.sub(
        lambda match: f"{match[0][0]}{_JOINER}{match[0][1:]}",
        textwrap.shorten(one_line(text), MAX_TEXT, placeholder=" ..."),
    )
    return _MARKUP.sub(r"\\\1", html.escape(unlinked, quote=False))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _table(report: Report) -> str:
    """The hosts that need attention, most failures first, and the total of all."""
    states = list(State)
    found = [(host, counts(host.judged)) for host in report.hosts]
    told = sorted((one for one in found if any(one[1][state] for state in _TOLD)), key=lambda one: _order(one[1]))
    rows = [(escape(host.host), escape(host.profile), numbers) for host, numbers in told[:MAX_HOSTS]]
    rest = len(told) - len(rows)
    total = {state: sum(numbers[state] for _host, numbers in found) for state in states}
    rows.append((f"All {len(found)} hosts" + (f" ({rest} more need attention)" if rest else ""), "", total))
    head = [_row("Host", "Profile", *(NAMES[state] for state in states)), _row("---", "---", *["---:"] * len(states))]
    return "\n".join([*head, *(_row(*names, *(str(n[state]) for state in states)) for *names, n in rows)])


def _order(numbers: t.Mapping[State, int]) -> tuple[int, ...]:
    return tuple(-numbers[state] for state in _TOLD)


def _findings(report: Report) -> t.Iterator[str]:
    for state in _TOLD:
        found = [(host, result) for host, result in report.all_results() if result.state is state]
        if found:
            yield f"### {NAMES[state].capitalize()} ({len(found)})"
            yield from (_finding(report, host, result) for host, result in found)


def _finding(report: Report, host: HostReport, result: Result) -> str:
    finding, control = result.finding, report.control(result.finding)
    place = f"{host.host} ({finding.subject})" if finding.subject != host.host else host.host
    head = f"**{escape(control.id)}** {escape(control.title)}, {finding.severity.value}, on {escape(place)}"
    return f"- {head}: {escape(result.sentences)}"


def _changes(since: Differences | None) -> t.Iterator[str]:
    if since:
        yield f"### Since the last run\n\n{escape(since.sentence)}"
        yield from (_change(one) for turn in (Turn.FAILED, Turn.UNKNOWN, Turn.MENDED) for one in since.of(turn))


def _change(one: Difference) -> str:
    return f"- {escape(one.sentence)}"


def _notices(report: Report) -> t.Iterator[str]:
    if report.notices:
        yield "### Notices"
        yield from (f"- {escape(notice)}" for notice in report.notices)


def _limited(parts: t.Iterable[str]) -> str:
    """The parts that fit."""
    text, last = "", ""
    for part in parts:
        gap = "\n" if part.startswith("- ") and last.startswith("- ") else "\n\n"
        if len(text) + len(gap) + len(part) > MAX_LENGTH:
            return f"{text}\n\nThe rest is left out here: the JSON and HTML reports have it.\n"
        text, last = f"{text}{gap if text else ''}{part}", part
    return f"{text}\n"
