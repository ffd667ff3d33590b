# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys sign, and what is told of each record."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._signing.choice import choose, remember, tell
from ansible_collections.mailops.smtp.plugins.module_utils._signing.keys import Domain, Key, Settings
from ansible_collections.mailops.smtp.plugins.module_utils._signing.signer import tables


def key(selector: str, kind: str = "rsa") -> Key:
    return Key(f"{selector}._domainkey.a.test", selector, kind, f"/keys/{selector}.key")


def settings(*domains: Domain) -> Settings:
    return Settings("rspamd", "/nowhere", domains, False, ())


CHOICES: list[tuple[dict[str, str], bool, str | None]] = [
    ({}, False, None),
    ({"old": "published"}, False, "old"),
    ({"old": "published", "new": "missing"}, False, "old"),
    ({"old": "published", "new": "foreign"}, False, "old"),
    ({"old": "published", "new": "published"}, False, "new"),
    ({"old": "missing", "new": "published"}, False, "new"),
    ({"old": "published"}, True, "new"),
]


@pytest.mark.parametrize(("states", "now", "expected"), CHOICES)
def test_the_newest_published_selector_signs_alone(states: dict[str, str], now: bool, expected: str | None) -> None:
    domains = [Domain("a.test", ((key("old"),), (key("new"),)))]
    active = choose(domains, now, {f"{one}._domainkey.a.test": state for one, state in states.items()})
    assert [one.selector for keys in active.values() for one in keys] == ([expected] if expected else [])


def test_both_keys_of_a_selector_must_be_published() -> None:
    domains = [Domain("a.test", ((key("r1"), key("r1-ed", "ed25519")),))]
    states = {"r1._domainkey.a.test": "published"}
    assert choose(domains, False, states) == {}
    active = choose(domains, False, {**states, "r1-ed._domainkey.a.test": "published"})
    assert '"/keys/r1-ed.seed"' in tables("rspamd", active)["signing.conf"]
    assert tables("opendkim", active)["signing.table"] == "*@a.test r1._domainkey.a.test\n"


ED = {"r1-ed": "ed25519"}
#: Selectors with their keys, the comparison of each, the last days of signatures; state and last day of each record.
TOLD: list[tuple[list[list[str]], dict[str, str], dict[str, str], dict[str, tuple[str, str]]]] = [
    (
        [["r1"], ["r2"]],
        {"r1": "published", "r2": "published"},
        {"r1": "2026-11-29"},
        {"r1": ("published", "2026-12-07"), "r2": ("signing", "")},
    ),
    ([["r1"], ["r2"]], {"r1": "published", "r2": "published"}, {}, {"r1": ("published", ""), "r2": ("signing", "")}),
    ([["r1"], ["r2"]], {"r1": "published"}, {"r1": "2026-11-29"}, {"r1": ("signing", ""), "r2": ("unknown", "")}),
    ([["r1"], ["r2"]], {"r2": "missing"}, {"r1": "2026-11-29"}, {"r1": ("unknown", ""), "r2": ("waiting", "")}),
    (
        [["r0"], ["r1", "r1-ed"]],
        {"r0": "published", "r1": "published", "r1-ed": "missing"},
        {},
        {"r0": ("signing", ""), "r1": ("incomplete", ""), "r1-ed": ("waiting", "")},
    ),
    (
        [["r1", "r1-ed"]],
        {"r1": "missing", "r1-ed": "published"},
        {},
        {"r1": ("waiting", ""), "r1-ed": ("incomplete", "")},
    ),
]


@pytest.mark.parametrize(("selectors", "states", "signed", "expected"), TOLD)
def test_each_record_is_told_with_what_it_waits_for(
    selectors: list[list[str]],
    states: dict[str, str],
    signed: dict[str, str],
    expected: dict[str, tuple[str, str]],
) -> None:
    keys = tuple(tuple(key(one, ED.get(one, "rsa")) for one in group) for group in selectors)
    records = tell(
        settings(Domain("a.test", keys)),
        {f"{one}._domainkey.a.test": state for one, state in states.items()},
        {f"{one}._domainkey.a.test": day for one, day in signed.items()},
    )
    assert {one.key.selector: (one.state, one.keep_until) for one in records} == expected
    for one in records:
        assert one.told.startswith(f"{one.key.name} ")
        assert one.keep_until in one.told
        assert "{" not in one.told
        assert ("signed with it" in one.told) == bool(one.keep_until) or one.state != "published"


def test_what_no_longer_belongs_to_the_relay_is_forgotten() -> None:
    known = settings(Domain("a.test", ((key("r2"),),)))
    days = remember({"r1._domainkey.a.test": "2026-11-01"}, known, {"a.test": (key("r2"),)})
    assert days == {"r2._domainkey.a.test": str(datetime.date.today())}
