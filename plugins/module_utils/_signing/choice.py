# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys sign, and what each record is told to wait for."""

from __future__ import annotations

import datetime
import typing as t

from .keys import Domain, Key, Settings
from .records import FOREIGN, MISSING, PUBLISHED, REVOKED, SEVERAL, UNKNOWN, UNUSABLE

#: Days that a record stays after the last signature, since mail on its way needs it; and the day of the change.
_OVERLAP = datetime.timedelta(days=8)
_SIGNING, _INCOMPLETE, _WAITING = "signing", "incomplete", "waiting"
_UNTIL_THEN = "nothing is signed with it until then"
_NEXT = {
    _SIGNING: "signs now",
    PUBLISHED: "is published, and does not sign: a newer selector does. Keep its record until {date}, since mail on"
    " its way was signed with it; then remove the selector from relay_dkim and delete the record",
    _INCOMPLETE: "is published, and signs once the record of the other key of its selector is published, too",
    _WAITING: "is not published; publish the record, and it signs by itself",
    FOREIGN: "is taken: the DNS has a record with another key. Publish this one, or choose another selector;"
    f" {_UNTIL_THEN}",
    REVOKED: f"is revoked: the DNS has a record with an empty p=. Choose another selector; {_UNTIL_THEN}",
    SEVERAL: f"has more than one TXT record, and receivers use any of them. Leave this one alone; {_UNTIL_THEN}",
    UNUSABLE: "has a record that receivers cannot use: it is damaged, or excludes mail, SHA-256 or this type of key."
    f" Publish this one; {_UNTIL_THEN}",
    UNKNOWN: "cannot be looked up now; the next check asks again, and what signs continues until then",
}
_UNKNOWN_SINCE = (
    "is published, and does not sign: a newer selector does. No signature with it is known here. Remove the selector"
    " from relay_dkim; delete its record now if it has never signed, otherwise 8 days after it last did"
)

#: The keys that sign, by domain.
Active = dict[str, tuple[Key, ...]]


class Told(t.NamedTuple):
    """A record: what it is, the day until which it must stay, empty if none is known, and both as a sentence."""

    key: Key
    domain: str
    state: str
    keep_until: str
    told: str


def choose(domains: t.Iterable[Domain], now: bool, states: t.Mapping[str, str]) -> Active:
    """Return the keys that sign: those of the newest selector whose records are all published.

    :param now: whether the newest selector signs anyway.
    :param states: the comparison for each name of a record; where the DNS does not answer, the last one known.
    """
    active = {}
    for domain in domains:
        ready = [keys for keys in domain.selectors if all(states.get(key.name) == PUBLISHED for key in keys)]
        ready = list(domain.selectors[-1:]) if now else ready[-1:]
        if ready:
            active[domain.name] = ready[0]
    return active


def tell(settings: Settings, states: t.Mapping[str, str], signed: t.Mapping[str, str]) -> list[Told]:
    """Return each record with what it waits for.

    :param signed: the last day on which a key signed, for each name of a record.
    """
    active = choose(settings.domains, settings.sign_now, states)
    told = []
    for domain in settings.domains:
        signing = active.get(domain.name, ())
        is_newer = not signing
        for key in domain.keys:
            is_newer = is_newer or key in signing
            state = _SIGNING if key in signing else _waits_for(states.get(key.name, UNKNOWN), is_newer)
            keep = _keep_until(signed.get(key.name)) if state == PUBLISHED else ""
            text = _UNKNOWN_SINCE if state == PUBLISHED and not keep else _NEXT[state].format(date=keep)
            told.append(Told(key, domain.name, state, keep, f"{key.name} {text}."))
    return told


def _waits_for(state: str, is_newer: bool) -> str:
    """What a record is that does not sign; ``is_newer`` says that no newer selector does."""
    return {PUBLISHED: _INCOMPLETE if is_newer else PUBLISHED, MISSING: _WAITING}.get(state, state)


def _keep_until(last: str | None) -> str:
    return str(datetime.date.fromisoformat(last) + _OVERLAP) if last else ""


def remember(signed: t.Mapping[str, str], settings: Settings, active: Active) -> dict[str, str]:
    """Return the last day on which each key signed, with those that sign now."""
    known = {key.name for domain in settings.domains for key in domain.keys}
    now = dict.fromkeys((key.name for keys in active.values() for key in keys), str(datetime.date.today()))
    return {name: day for name, day in {**signed, **now}.items() if name in known}
