# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which message of a task is sent next, and when: the pace, further attempts and the end.

Only recipients known not to be accepted are tried again: those with a 4yz reply, and those of a connection lost before
the end of the data. An unknown status stays unknown unless the user allows a second copy.
"""

from __future__ import annotations

import heapq
import random
import time
import typing as t
from collections import deque
from dataclasses import dataclass

from .._smtp.delivery import DeliveryResult, DeliveryStatus, RecipientResult


@dataclass(frozen=True)
class Pace:
    """Limits on the use of one server.

    :param connections: parallel sessions.
    :param messages_per_connection: messages after which a session is replaced by a new one; None for no limit.
    :param messages_per_minute: messages per minute over all sessions; None for no limit.
    """

    connections: int = 1
    messages_per_connection: int | None = None
    messages_per_minute: float | None = None


@dataclass(frozen=True)
class RetryPolicy:
    """When to retry deferred recipients.

    :param attempts: attempts per message in total; 1 means no retry.
    :param first_delay: seconds before the second attempt; doubles for each further attempt, and varies by 20 %.
    :param longest_delay: upper limit of a delay in seconds.
    :param total_time: seconds after which a message is given up, from its first attempt or from the last session.
    :param resend_unknown: whether a message is sent again if the server may have accepted it.
    """

    attempts: int = 1
    first_delay: float = 5.0
    longest_delay: float = 300.0
    total_time: float = 600.0
    resend_unknown: bool = False

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait after an attempt, counted from 1; jitter spreads the retries of many clients."""
        wait = self.first_delay * 2.0 ** min(attempt - 1, 64) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return min(wait, self.longest_delay)

    def again(self, result: RecipientResult) -> bool:
        """Return whether this recipient may be tried again."""
        return result.status is DeliveryStatus.DEFERRED or (
            self.resend_unknown and result.status is DeliveryStatus.UNKNOWN
        )


#: One connection, as fast as the server accepts messages.
NO_LIMITS = Pace()
#: A single attempt.
ONCE = RetryPolicy()


class Job(t.NamedTuple):
    """One message to hand over.

    :param number: its position among all messages, from 0.
    :param before: the result of earlier attempts for the recipients that were tried; None without an earlier attempt.
    :param recipients: all recipients, once they are known.
    """

    number: int
    before: DeliveryResult | None = None
    recipients: tuple[str, ...] = ()

    @property
    def attempts(self) -> int:
        """The number of earlier attempts."""
        return self.before.attempts if self.before else 0

    @property
    def known(self) -> dict[str, RecipientResult]:
        """The results of earlier attempts by recipient."""
        return {one.address: one for one in self.before.recipients} if self.before else {}

    def after(self, attempt: DeliveryResult) -> DeliveryResult:
        """Merge an attempt, which may cover only some recipients, into the result for all recipients.

        An unknown status changes only to sent, because the server may have accepted the earlier copy.
        """
        attempts = self.attempts + attempt.attempts
        if not self.before:
            return DeliveryResult(attempt.message_id, attempt.size, attempt.recipients, attempts, self.number)
        latest = self.known
        for one in attempt.recipients:
            if (
                one.status is DeliveryStatus.SENT
                or one.address not in latest
                or latest[one.address].status is not DeliveryStatus.UNKNOWN
            ):
                latest[one.address] = one
        recipients = tuple(latest[address] for address in self.recipients)
        return DeliveryResult(attempt.message_id, attempt.size, recipients, attempts, self.number)


class Backlog:
    """The messages that have no final result yet.

    :param count: the number of messages.
    :param stop_after: seconds after which no further message is handed out; None for no limit.
    :ivar paced: whether messages per minute are limited, so that each message waits for its turn.
    :ivar failures: consecutive failures to open a session.
    :ivar in_turn: whether the server does not take the commands of the next message ahead.
    """

    def __init__(
        self, count: int, pace: Pace = NO_LIMITS, retry: RetryPolicy = ONCE, stop_after: float | None = None
    ) -> None:
        self._count = count
        self._next = 0
        self._returned: deque[Job] = deque()
        self._delayed: list[tuple[float, Job]] = []
        self._interval = 60.0 / pace.messages_per_minute if pace.messages_per_minute else 0.0
        self._next_slot = 0.0
        self.paced = pace.messages_per_minute is not None
        self._retry = retry
        self.failures = 0
        self.in_turn = False
        now = time.monotonic()
        self._until: dict[int, float] = {}  # when deferred messages are given up
        self._last_session = now
        self._over = False
        self._stop_at = float("inf") if stop_after is None else now + stop_after

    def __len__(self) -> int:
        """Return the number of messages that are not in hand."""
        return self._count - self._next + len(self._returned) + len(self._delayed)

    def due(self) -> float | None:
        """Return when the next message may be sent (monotonic clock, seconds); None if no message or time is left."""
        due = self._next_due()
        return due if due is not None and max(due, time.monotonic()) < self._stop_at else None

    def _next_due(self) -> float | None:
        if self._returned or self._next < self._count:
            return self._next_slot
        return max(self._delayed[0][0], self._next_slot) if self._delayed else None

    @property
    def idle(self) -> float:
        """Seconds until the next message may be sent, at most until ``stop_after``."""
        due = self._next_due()
        return 0.0 if due is None else max(0.0, min(due, self._stop_at) - time.monotonic())

    def take(self) -> Job | None:
        """Return the next message, if one may be sent now."""
        due, now = self.due(), time.monotonic()
        if due is None or due > now:
            return None
        if self._interval:
            self._next_slot = now + self._interval
        if self._delayed and self._delayed[0][0] <= now:
            return heapq.heappop(self._delayed)[1]
        if self._returned:
            return self._returned.popleft()
        self._next += 1
        return Job(self._next - 1)

    def fresh(self) -> t.Iterator[Job]:
        """Hand out all messages without an attempt, regardless of their turn."""
        while self._next < self._count:
            self._next += 1
            yield Job(self._next - 1)

    def put_back(self, jobs: t.Iterable[Job]) -> None:
        """Take back messages that were not tried."""
        self._returned.extend(jobs)

    def settle(self, result: DeliveryResult) -> DeliveryResult | None:
        """Take the result of a message after an attempt.

        :returns: the result if it is final, or None if another attempt will follow.
        """
        self.failures = 0
        self.in_turn = False
        now = self._last_session = time.monotonic()
        if 0 < result.attempts < self._retry.attempts and any(map(self._retry.again, result.recipients)):
            until = self._until.setdefault(result.number, now + self._retry.total_time)
            due = now + self._retry.delay(result.attempts)
            if due < until and not self._over:
                heapq.heappush(self._delayed, (due, Job(result.number, result)))
                return None
        self._until.pop(result.number, None)
        return result

    def abandon(self) -> t.Iterator[DeliveryResult]:
        """Drop all waiting messages and return the results of those that were tried."""
        jobs = [*self._returned, *(job for _due, job in self._delayed)]
        self._returned.clear()
        self._delayed.clear()
        yield from (job.before for job in jobs if job.before)

    def pause(self) -> bool:
        """Wait after a failure to open a session, as after a failed attempt.

        :returns: whether a further attempt is allowed.
        """
        self.failures += 1
        due = time.monotonic() + self._retry.delay(self.failures)
        if self.failures >= self._retry.attempts or due >= self._last_session + self._retry.total_time:
            return False
        self._next_slot = max(self._next_slot, due)
        return True

    def drain(self) -> t.Iterator[Job]:
        """Hand out all that is left, regardless of when it is due; no further attempt follows."""
        self._over = True
        while self._returned or self._delayed:
            yield self._returned.popleft() if self._returned else heapq.heappop(self._delayed)[1]
        yield from self.fresh()

    def state(self) -> dict[str, t.Any]:
        """Return the state for :meth:`restore` in another process of this host, as JSON; no job may be in hand."""
        return {
            "next": self._next,
            "returned": [_job_state(job) for job in self._returned],
            "delayed": [[due, _job_state(job)] for due, job in self._delayed],
            "next_slot": self._next_slot,
            "until": [*self._until.items()],
            "last_session": self._last_session,
            "failures": self.failures,
            "in_turn": self.in_turn,
        }

    def restore(self, state: t.Mapping[str, t.Any]) -> None:
        """Continue from a state that :meth:`state` returned."""
        self._next = state["next"]
        self._returned.extend(_restored_job(one) for one in state["returned"])
        self._delayed = [(due, _restored_job(one)) for due, one in state["delayed"]]
        self._next_slot, self._last_session = state["next_slot"], state["last_session"]
        self._until = dict(state["until"])
        self.failures = state["failures"]
        self.in_turn = state["in_turn"]


def _job_state(job: Job) -> list[t.Any]:
    return [job.number, job.before.to_dict() if job.before else None]


def _restored_job(state: t.Sequence[t.Any]) -> Job:
    number, before = state
    return Job(number, DeliveryResult.from_dict(before) if before else None)
