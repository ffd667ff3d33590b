# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is still to be sent, and when: the pace, the next attempt, the end.

Only what is known not to be accepted is tried again: recipients with a 4yz reply, and those of a connection lost before
the end of the data. What became unknown stays so unless the user allows it to be sent twice.
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
    """How fast a server may be used.

    :param connections: sessions side by side.
    :param messages_per_connection: after so many a session is closed and another opened; None for no limit.
    :param messages_per_minute: over all sessions; None for no limit.
    """

    connections: int = 1
    messages_per_connection: int | None = None
    messages_per_minute: float | None = None


@dataclass(frozen=True)
class RetryPolicy:
    """When to try again what was deferred.

    :param attempts: how often a message is tried in all; 1 never tries again.
    :param first_delay: seconds before the second attempt; each further one waits twice as long, give or take a fifth.
    :param longest_delay: seconds that no wait exceeds.
    :param total_time: seconds from a message's first attempt, or from the last session, after which it is given up.
    :param resend_unknown: whether a message that may have been accepted is sent again.
    """

    attempts: int = 1
    first_delay: float = 5.0
    longest_delay: float = 300.0
    total_time: float = 600.0
    resend_unknown: bool = False

    def delay(self, attempt: int) -> float:
        """Seconds to wait after an attempt, the first being 1; jitter keeps many senders from falling in step."""
        wait = self.first_delay * 2.0 ** min(attempt - 1, 64) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        return min(wait, self.longest_delay)

    def again(self, result: RecipientResult) -> bool:
        """Whether this recipient may be tried again."""
        return result.status is DeliveryStatus.DEFERRED or (
            self.resend_unknown and result.status is DeliveryStatus.UNKNOWN
        )


#: As fast as the server takes them, over one connection.
NO_LIMITS = Pace()
#: Never again.
ONCE = RetryPolicy()


class Job(t.NamedTuple):
    """One message to hand over.

    :param number: its place among all, from 0.
    :param before: what earlier attempts came to, for those recipients that were tried; None when there was none.
    :param recipients: all of them, once they are known.
    """

    number: int
    before: DeliveryResult | None = None
    recipients: tuple[str, ...] = ()

    @property
    def attempts(self) -> int:
        """How often it was tried before."""
        return self.before.attempts if self.before else 0

    @property
    def known(self) -> dict[str, RecipientResult]:
        """What became of it then, by recipient."""
        return {one.address: one for one in self.before.recipients} if self.before else {}

    def after(self, attempt: DeliveryResult) -> DeliveryResult:
        """What it came to by now, for all recipients; the attempt may have been for some only.

        Unknown stays unknown until somebody is known to have got it, since the earlier copy may well have been taken.
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

    :param count: how many messages there are.
    :param stop_after: seconds after which no message is given out any more; None for no limit.
    :ivar paced: whether each message waits for its turn.
    :ivar failures: how often in a row no session could be opened.
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
        now = time.monotonic()
        self._until: dict[int, float] = {}  # for messages that were deferred, when they are given up
        self._last_session = now
        self._over = False
        self._stop_at = float("inf") if stop_after is None else now + stop_after

    def __len__(self) -> int:
        """How many messages nobody has in hand."""
        return self._count - self._next + len(self._returned) + len(self._delayed)

    def due(self) -> float | None:
        """When the next message may be sent, on the monotonic clock in seconds; None when there is none, or no time."""
        due = self._next_due()
        return due if due is not None and max(due, time.monotonic()) < self._stop_at else None

    def _next_due(self) -> float | None:
        if self._returned or self._next < self._count:
            return self._next_slot
        return max(self._delayed[0][0], self._next_slot) if self._delayed else None

    @property
    def idle(self) -> float:
        """Seconds in which nothing can be sent, up to the end of the time to work."""
        due = self._next_due()
        return 0.0 if due is None else max(0.0, min(due, self._stop_at) - time.monotonic())

    def take(self) -> Job | None:
        """The next message, if one may be sent now."""
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
        """All that was not given out yet, whenever their turn is."""
        while self._next < self._count:
            self._next += 1
            yield Job(self._next - 1)

    def put_back(self, jobs: t.Iterable[Job]) -> None:
        """Take messages that nothing was tried with."""
        self._returned.extend(jobs)

    def settle(self, result: DeliveryResult) -> DeliveryResult | None:
        """Take what a message came to by now.

        :returns: the same if it is final, or None when there will be another attempt.
        """
        self.failures = 0
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
        """There will be no further attempt: what those messages came to that had one."""
        jobs = [*self._returned, *(job for _due, job in self._delayed)]
        self._returned.clear()
        self._delayed.clear()
        yield from (job.before for job in jobs if job.before)

    def pause(self) -> bool:
        """No session could be opened: wait as after a failed attempt.

        :returns: whether there is sense in trying again.
        """
        self.failures += 1
        due = time.monotonic() + self._retry.delay(self.failures)
        if self.failures >= self._retry.attempts or due >= self._last_session + self._retry.total_time:
            return False
        self._next_slot = max(self._next_slot, due)
        return True

    def drain(self) -> t.Iterator[Job]:
        """All that is left, whenever it is due; there will be no further attempt."""
        self._over = True
        while self._returned or self._delayed:
            yield self._returned.popleft() if self._returned else heapq.heappop(self._delayed)[1]
        yield from self.fresh()

    def state(self) -> dict[str, t.Any]:
        """What :meth:`restore` needs in another process of this host; JSON can hold it. Nothing may be in hand."""
        return {
            "next": self._next,
            "returned": [_job_state(job) for job in self._returned],
            "delayed": [[due, _job_state(job)] for due, job in self._delayed],
            "next_slot": self._next_slot,
            "until": [*self._until.items()],
            "last_session": self._last_session,
            "failures": self.failures,
        }

    def restore(self, state: t.Mapping[str, t.Any]) -> None:
        """:param state: what :meth:`state` gave."""
        self._next = state["next"]
        self._returned.extend(_restored_job(one) for one in state["returned"])
        self._delayed = [(due, _restored_job(one)) for due, one in state["delayed"]]
        self._next_slot, self._last_session = state["next_slot"], state["last_session"]
        self._until = dict(state["until"])
        self.failures = state["failures"]


def _job_state(job: Job) -> list[t.Any]:
    return [job.number, job.before.to_dict() if job.before else None]


def _restored_job(state: t.Sequence[t.Any]) -> Job:
    number, before = state
    return Job(number, DeliveryResult.from_dict(before) if before else None)
