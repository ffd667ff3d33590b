# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers and failures of a lookup are cached."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.errors import LookupTimedOut
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
