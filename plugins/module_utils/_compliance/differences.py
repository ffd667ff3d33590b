# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the controls since an earlier report: what fails newly, what is mended, what is known only now."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from .._controls.finding import Severity
from .._evidence.document import plain
from .report import UNJUDGED, Report, Result, State, ended


class Turn(str, enum.Enum):
    """What became of a finding. The most important first."""

    #: It fails, and did not, or was waived.
    FAILED = "failed"
    #: It was not judged, or could not be decided, and is now.
    KNOWN = "known"
    #: It was decided, and cannot be any more.
    UNKNOWN = "unknown"
    #: It failed, and is met or no longer applies.
    MENDED = "mended"
    #: It was open, and is waived now.
    WAIVED = "waived"
    #: It is no longer judged.
    GONE = "gone"


#: How a turn is told.
SENTENCES: t.Mapping[Turn, str] = {
    Turn.FAILED: "fails newly",
    Turn.KNOWN: "is known only now",
    Turn.UNKNOWN: "is no longer known",
    Turn.MENDED: "is mended",
    Turn.WAIVED: "is waived now",
    Turn.GONE: "is no longer judged",
}


@dataclasses.dataclass(frozen=True)
class Difference:
    """A finding that has turned."""

    turn: Turn
    host: str
    control: str
    subject: str
    severity: Severity
    #: ``None`` if it was not judged.
    before: State | None
    #: ``None`` if it is not judged any more.
    after: State | None
    #: What was found, now or last.
    message: str

    @property
    def sentence(self) -> str:
        """The difference, for a reader."""
        states = [state.value if state else "not judged" for state in (self.before, self.after)]
        return f"{self.control} on {self.host} {SENTENCES[self.turn]} ({' -> '.join(states)}): {ended(self.message)}"


@dataclasses.dataclass(frozen=True)
class Differences:
    """What differs between two reports."""

    before: str
    after: str
    #: By turn, then by severity.
    found: tuple[Difference, ...] = ()
    hosts_added: tuple[str, ...] = ()
    hosts_removed: tuple[str, ...] = ()

    def of(self, turn: Turn) -> tuple[Difference, ...]:
        """The differences of one kind."""
        return tuple(one for one in self.found if one.turn is turn)

    @property
    def sentence(self) -> str:
        """The differences in short."""
        parts = [f"{len(self.of(turn))} {_COUNTED[turn]}" for turn in Turn if self.of(turn)]
        hosts = ((self.hosts_added, "added"), (self.hosts_removed, "removed"))
        parts += [f"{len(names)} host{'' if len(names) == 1 else 's'} {word}" for names, word in hosts if names]
        return f"Since {self.before}: {', '.join(parts) or 'no control has changed'}."

    def to_dict(self) -> dict[str, t.Any]:
        """The differences as JSON has them."""
        return t.cast("dict[str, t.Any]", plain(self))


_COUNTED = {
    Turn.FAILED: "failed newly",
    Turn.KNOWN: "known only now",
    Turn.UNKNOWN: "no longer known",
    Turn.MENDED: "mended",
    Turn.WAIVED: "waived",
    Turn.GONE: "no longer judged",
}
_UNDECIDED = (State.ERROR, State.NOT_CHECKED, None)
_MET = (State.PASS, State.NOT_APPLICABLE)
_Key = tuple[str, str, str]


def _turn(before: State | None, after: State | None) -> Turn | None:
    """What became of a finding, or ``None`` if that is not worth telling. The first rule that fits counts."""
    rules = (
        (before is after, None),
        (after is None, Turn.GONE),
        (after is State.NOT_APPLICABLE and before in _UNDECIDED, None),
        (after is State.WAIVED and before is not None, Turn.WAIVED),
        (after in _UNDECIDED, None if before in _UNDECIDED else Turn.UNKNOWN),
        (before in _UNDECIDED, Turn.KNOWN),
        (after is State.FAIL, Turn.FAILED),
        (after in _MET and before not in _MET, Turn.MENDED),
    )
    return next((turn for fits, turn in rules if fits), None)


def differences(before: Report, after: Report) -> Differences:
    """Compare an earlier report with a later one, by host, control and subject."""
    one, other = _results(before), _results(after)
    hosts = [{host.host for host in report.hosts} for report in (before, after)]
    down = {host for host, control, _subject in other if control == UNJUDGED}
    found = []
    for key in {**one, **other}:
        was, now = one.get(key), other.get(key)
        if key[1] == UNJUDGED:
            turn = Turn.UNKNOWN if now and not was and key[0] in hosts[0] else None
        else:
            turn = _turn(was.state if was else None, now.state if now else None)
        if turn and not _is_told_by_host(key[0], now, hosts, down):
            found.append(_difference(turn, key, was, now))
    found.sort(key=lambda item: (_TURNS.index(item.turn), _SEVERITIES.index(item.severity), item.host, item.control))
    return Differences(
        before=before.when,
        after=after.when,
        found=tuple(found),
        hosts_added=tuple(host.host for host in after.hosts if host.host not in hosts[0]),
        hosts_removed=tuple(host.host for host in before.hosts if host.host not in hosts[1]),
    )


_TURNS, _SEVERITIES = list(Turn), list(Severity)


def _results(report: Report) -> dict[_Key, Result]:
    """The results by host, control and subject. Of several the worst counts."""
    found: dict[_Key, Result] = {}
    for host, result in report.all_results():
        key = (host.host, result.finding.control, result.finding.subject)
        if key not in found or _STATES.index(result.state) < _STATES.index(found[key].state):
            found[key] = result
    return found


_STATES = list(State)


def _is_told_by_host(
    host: str, now: Result | None, hosts: t.Sequence[t.Collection[str]], down: t.Collection[str]
) -> bool:
    """Whether it is enough to tell that the host was added or removed, or cannot be judged any more."""
    if host not in hosts[0]:
        return now is not None and not now.is_open
    return host not in hosts[1] or (host in down and now is None)


def _difference(turn: Turn, key: _Key, was: Result | None, now: Result | None) -> Difference:
    finding = (now or t.cast("Result", was)).finding
    states = (was.state if was else None, now.state if now else None)
    return Difference(turn, *key, finding.severity, *states, finding.message)
