# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: failures that an owner accepts, for a reason, until a date. The control is judged all the same."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import re
import typing as t

from .report import HostReport, Report, Result, Waiver

PLACE = "compliance_waivers"
_FIELDS = tuple(field.name for field in dataclasses.fields(Waiver))
_REQUIRED = {
    "control": "the id of a control, such as MR-DNS-03",
    "owner": "who accepts the failure, such as a team or an address",
    "reason": "why it is accepted, in a sentence for the auditor",
    "expires": "the last day of the waiver, such as 2026-12-31",
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class InvalidWaivers(ValueError):
    """Waivers that cannot be used. The text has a line for each mistake."""

    def __init__(self, mistakes: t.Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def read(value: t.Any, controls: t.Collection[str], place: str = PLACE) -> tuple[Waiver, ...]:
    """Read waivers as a user writes them: a list of mappings. Raises :class:`InvalidWaivers`, with every mistake.

    :param controls: the ids of the catalogue.
    :param place: the variable or file that they were written in.
    """
    if not isinstance(value, (list, tuple)):
        raise InvalidWaivers([f"{place}: expected a list of waivers, not {_kind(value)}"])
    mistakes: list[str] = []
    waivers = [_waiver(one, f"{place}[{number}]", controls, mistakes) for number, one in enumerate(value)]
    if mistakes:
        raise InvalidWaivers(mistakes)
    return tuple(waivers)


def _waiver(value: t.Any, place: str, controls: t.Collection[str], mistakes: list[str]) -> Waiver:
    if not isinstance(value, t.Mapping):
        mistakes.append(f"{place}: expected a mapping with {', '.join(_REQUIRED)}, not {_kind(value)}")
        return Waiver("", "", "", "")
    mistakes += [_unknown_field(place, key) for key in value if key not in _FIELDS]
    texts = {}
    for name in _FIELDS:
        given = value.get(name)
        if name == "expires" and isinstance(given, datetime.date):
            given = given.isoformat()[:10]  # YAML reads an unquoted date as one
        if isinstance(given, str) and given.strip():
            texts[name] = given.strip()
        elif name in _REQUIRED:
            wrong = f"expected a text, not {_kind(given)}" if given not in (None, "") else "missing"
            wrong = "empty" if isinstance(given, str) else wrong
            mistakes.append(f"{place}.{name}: {wrong}; give {_REQUIRED[name]}")
        elif given is not None:
            mistakes.append(f"{place}.{name}: expected a pattern, such as {_EXAMPLES[name]}, not {_kind(given)}")
    if not {"host", "subject"} & set(value):
        mistakes.append(f"{place}: host or subject is missing; give host: '*' to waive the control on every host")
    if texts.get("control", "") not in ("", *controls):
        mistakes.append(
            f"{place}.control: unknown control {texts['control']!r}.{_suggestion(texts['control'], controls)}"
        )
    if "expires" in texts and not _is_date(texts["expires"]):
        mistakes.append(f"{place}.expires: {texts['expires']!r} is not a valid date; expected one such as 2026-12-31")
    return Waiver(**{"control": "", "owner": "", "reason": "", "expires": "", **texts})


_EXAMPLES = {"host": "relay*.example.com", "subject": "example.com"}


def _kind(value: t.Any) -> str:
    """The type of a value, in the words of YAML."""
    if value is None:
        return "an empty value"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a mapping"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), f"a {type(value).__name__}")


def _unknown_field(place: str, key: t.Any) -> str:
    return f"{place}: unknown key {str(key)[:60]!r}.{_suggestion(str(key), _FIELDS)}"


def _suggestion(name: str, known: t.Collection[str]) -> str:
    close = difflib.get_close_matches(name.upper(), [one.upper() for one in known], n=1)
    near = next((one for one in known if close and one.upper() == close[0]), "")
    return f" Did you mean {near}?" if near else f" Expected one of {', '.join(sorted(known))}."


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return bool(_DATE.match(text))


def apply(report: Report, waivers: t.Sequence[Waiver]) -> Report:
    """The report with each waiver at the results that it is for, and a notice for each that has expired or has no use.

    A waiver that has expired changes no state. If several match, the one that holds longest is taken. A control that is
    met needs no waiver, and is shown without one.
    """
    matchers = [_Matcher(one) for one in sorted(waivers, key=lambda one: one.expires, reverse=True)]
    by_control: dict[str, list[_Matcher]] = {}
    for matcher in matchers:
        by_control.setdefault(matcher.waiver.control, []).append(matcher)
    hosts = tuple(_applied(host, by_control, report.when) for host in report.hosts)
    notices = [_notice(one, report.when) for one in matchers]
    return dataclasses.replace(report, hosts=hosts, notices=(*report.notices, *filter(None, notices)))


class _Matcher:
    """A waiver, and whether it was of use."""

    def __init__(self, waiver: Waiver) -> None:
        self.waiver = waiver
        self._host, self._subject = _pattern(waiver.host), _pattern(waiver.subject)
        self.matched = self.used = False

    def matches(self, host: str, result: Result) -> bool:
        return bool(self._host.match(host) and self._subject.match(result.finding.subject))


def _pattern(text: str) -> re.Pattern[str]:
    """A pattern of host names: case does not count, and brackets are those of an address, not a class as in fnmatch."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one) or re.escape(one) for one in text) + r"\Z", re.IGNORECASE | re.DOTALL)


def _applied(host: HostReport, by_control: t.Mapping[str, t.Sequence[_Matcher]], when: str) -> HostReport:
    return dataclasses.replace(host, results=tuple(_with_waiver(host, one, by_control, when) for one in host.results))


def _with_waiver(
    host: HostReport, result: Result, by_control: t.Mapping[str, t.Sequence[_Matcher]], when: str
) -> Result:
    matching = [one for one in by_control.get(result.finding.control, ()) if one.matches(host.host, result)]
    for one in matching:
        one.matched = True
    if not matching or not result.is_open:
        return result
    matching[0].used = True
    return dataclasses.replace(result, waiver=matching[0].waiver, waiver_expired=matching[0].waiver.is_expired(when))


def _notice(matcher: _Matcher, when: str) -> str:
    one = matcher.waiver
    where = f"host {one.host}" + (f", subject {one.subject}" if one.subject != "*" else "")
    name = f"The waiver of {one.control} for {where} (owner {one.owner})"
    if one.is_expired(when):
        return f"{name} expired on {one.expires}. Renew it with a new date, or remove it."
    if not matcher.matched:
        return f"{name} was not used: no finding matches it. Check its patterns, or remove it."
    if not matcher.used:
        return f"{name} was not used: nothing that it matches fails. Remove it."
    return ""
