# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delays between attempts and the clocks of the backlog, without a server; sessions are tested in test_pool.py."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.backlog import Backlog, Job, RetryPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import (
    DeliveryResult,
    DeliveryStatus,
    RecipientResult,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.errors import Stage


@given(attempt=st.integers(1, 60), first=st.floats(0.001, 100), longest=st.floats(0.001, 1000))
def test_delay_doubles_up_to_the_longest(attempt: int, first: float, longest: float) -> None:
    wanted = min(first * 2 ** (attempt - 1), longest)
    waits = [RetryPolicy(first_delay=first, longest_delay=longest).delay(attempt) for _try in range(20)]
    assert wanted * 0.79 <= min(waits)
    assert max(waits) <= min(wanted * 1.21, longest)


def test_no_delay_exceeds_the_longest() -> None:
    assert max(RetryPolicy(first_delay=1, longest_delay=1).delay(9) for _try in range(200)) <= 1


def test_delay_after_very_many_attempts() -> None:
    assert RetryPolicy().delay(2000) <= 360


def test_delays_have_jitter() -> None:
    assert len({RetryPolicy().delay(1) for _try in range(20)}) > 1


def test_message_is_given_up_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a mailing that takes hours, a message that is deferred late still gets its attempts."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    backlog = Backlog(2, retry=RetryPolicy(9, first_delay=10, longest_delay=10, total_time=25))
    deferred = (RecipientResult("one@b.test", DeliveryStatus.DEFERRED, Stage.RCPT),)
    attempts = []
    for number in range(2):
        assert backlog.take() == Job(number)
        job = Job(number)
        while backlog.settle(job.after(DeliveryResult("<x@y>", 1, deferred))) is None:
            now[0] += 12
            job = backlog._delayed.pop()[1]
        attempts.append(job.attempts + 1)
        now[0] += 3600
    assert attempts[0] == attempts[1] >= 2


def test_time_between_slices_counts_towards_the_delay() -> None:
    retry = RetryPolicy(attempts=2, first_delay=0.2)
    before = Backlog(1, retry=retry)
    assert before.take()
    later = (RecipientResult("p@b.test", DeliveryStatus.DEFERRED, Stage.RCPT),)
    assert before.settle(DeliveryResult("<1@a.test>", 10, later)) is None
    state = before.state()
    time.sleep(0.3)
    after = Backlog(1, retry=retry)
    after.restore(state)
    assert after.take()
