# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers and failures of a lookup are kept, and questions asked side by side, within bounds."""

from __future__ import annotations

import time

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupFailed, LookupTimedOut
from ansible_collections.mailops.smtp.plugins.module_utils._dns.lookup import Answer, CachedLookup
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup


def test_query_is_sent_once():
    lookup = ZoneLookup({"example.com": {"A": ["192.0.2.1"]}})
    cached = CachedLookup(lookup)
    assert cached.query("example.com", "A") == cached.query("EXAMPLE.com", "A") == Answer(("192.0.2.1",))
    assert cached.query("example.com", "MX") == Answer()
    assert lookup.asked == [("example.com", "A"), ("example.com", "MX")]


def test_failure_is_cached():
    lookup = ZoneLookup({"example.com": {"A": LookupTimedOut}})
    cached = CachedLookup(lookup)
    for _attempt in range(2):
        with pytest.raises(LookupTimedOut):
            cached.query("example.com", "A")
    assert len(lookup.asked) == 1


class SlowLookup(ZoneLookup):
    """A lookup that takes its time."""

    def query(self, name, rdtype):
        time.sleep(0.1)
        return super().query(name, rdtype)


def test_questions_are_asked_side_by_side():
    lookup = SlowLookup({"example.com": {"A": ["192.0.2.1"]}})
    cached = CachedLookup(lookup)
    began = time.monotonic()
    cached.prefetch((f"h{number}.example.com", "A") for number in range(16))
    assert not cached.query("h7.example.com", "A").exists
    cached.close()
    assert time.monotonic() - began < 0.8
    assert cached.questions == len(lookup.asked) == 16


def test_kinds_of_questions_are_told_apart():
    cached = CachedLookup(ZoneLookup({"example.com": {"A": ["192.0.2.1"]}}))
    assert cached.at("192.0.2.53", "example.com", "A") == cached.query("example.com", "A")
    assert not cached.unchecked("example.com", "A").values
    assert cached.questions == 3


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        ({"limit": 2}, "was not asked for, since this run asks at most 2 questions"),
        ({"seconds": -1.0}, "was not asked for, since the others took -1 s"),
    ],
)
def test_run_is_bounded(bounds, told):
    cached = CachedLookup(ZoneLookup({}), **bounds)
    cached.prefetch([("a.example", "A"), ("b.example", "A")])
    with pytest.raises(LookupFailed, match=told):
        cached.query("c.example", "A")


def test_one_answer_is_enough_to_go_on():
    late = {"A": LookupTimedOut}
    cached = CachedLookup(ZoneLookup({"late.example": late, "": {"A": ["192.0.2.1"]}}))
    cached.knock([("late.example", "A"), ("", "A")])
    assert not cached.query("b.example", "A").exists


def test_silence_ends_the_questions():
    lookup = ZoneLookup({"late.example": {"A": LookupTimedOut}, "": {"A": LookupTimedOut}})
    cached = CachedLookup(lookup)
    cached.knock([("late.example", "A"), ("", "A")])
    with pytest.raises(LookupTimedOut, match="was not asked for, since no name server answers"):
        cached.query("b.example", "A")
    assert len(lookup.asked) == 2
