# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits: their parameters, and what is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import plan, problems_of


def test_message_size_leaves_room_in_the_queue() -> None:
    known_limit = {"provider": "sendgrid", "username": "u", "password": "p"}
    known = plan(upstream=known_limit)["main"]
    assert int(known["message_size_limit"]) < int(known["queue_minfree"]) / 1.5
    assert plan(upstream=known_limit, limits={"message_size": 4096})["main"]["message_size_limit"] == "4096"
    assert plan(settings={"message_size_limit": 10**8})["main"]["queue_minfree"] == str(16 * 10**7)


BAD_LIMITS = [
    ({"limits": {"delay_warning": 3600}}, "relay_limits.delay_warning: 3600 is not a valid time"),
    (
        {"limits": {"message_size": "big"}},
        "relay_limits.message_size: 'big' is not valid; expected a whole number from 1024 to",
    ),
    ({"limits": {"queue_lifetime": "2 days"}}, "relay_limits.queue_lifetime: '2 days' is not a valid time"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_LIMITS)
def test_invalid_limit_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems
