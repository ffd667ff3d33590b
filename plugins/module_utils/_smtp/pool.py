# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many messages: over sessions that are reused, side by side, at a pace, and again where that is safe.

Only what is known not to be accepted is tried again: recipients with a 4yz reply, and those of a connection lost before
the end of the data. What became unknown stays so unless the user allows it to be sent twice.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import random
import threading
import time
import typing as t
from collections import deque
from dataclasses import dataclass, field, replace

from .delivery import DeliveryResult, Envelope, RecipientResult, Status
from .errors import SmtpError
from .session import SmtpSession

if t.TYPE_CHECKING:
    from .session import SessionInfo
    from .settings import ServerSettings


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
    :param total_time: seconds after which nothing is tried again.
    :param resend_unknown: whether a message that may have been accepted is sent again.
    """

    attempts: int = 1
    first_delay: float = 5.0
    longest_delay: float = 300.0
    total_time: float = 600.0
    resend_unknown: bool = False

    def delay(self, attempt: int) -> float:
        """Seconds to wait after an attempt, the first being 1; jitter keeps many senders from falling in step."""
        wait = min(self.first_delay * 2.0 ** (attempt - 1), self.longest_delay)
        return wait * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret

    def again(self, result: RecipientResult) -> bool:
        """Whether this recipient may be tried again."""
        return result.status is Status.DEFERRED or (self.resend_unknown and result.status is Status.UNKNOWN)


@dataclass
class _Job:
    """One message until it has its final result."""

    envelope: Envelope
    attempts: int = 0
    results: dict[str, RecipientResult] = field(default_factory=dict)

    def take(self, result: DeliveryResult) -> None:
        self.attempts += 1
        self.results.update({recipient.address: recipient for recipient in result.recipients})

    def for_another_attempt(self, retry: RetryPolicy) -> Envelope | None:
        """The message for those who may be tried again, or None."""
        addresses = tuple(address for address, result in self.results.items() if retry.again(result))
        return replace(self.envelope, recipients=addresses) if addresses else None

    def result(self) -> DeliveryResult:
        recipients = tuple(self.results[address] for address in self.results)
        return DeliveryResult(self.envelope.message_id, len(self.envelope.content), recipients, self.attempts)


class Pool:
    """Sends messages from a source that may be endless: it is read only as fast as messages leave.

    ::

        pool = Pool(settings, Pace(connections=4), RetryPolicy(attempts=3))
        for result in pool.deliver(envelopes):
            ...

    Results come as they are final, not in the order of the messages; ``message_id`` tells which is whose.

    :ivar sessions: what each session that was opened came to.
    """

    def __init__(self, settings: ServerSettings, pace: Pace = Pace(), retry: RetryPolicy = RetryPolicy()) -> None:
        self._settings = settings
        self._pace = pace
        self._retry = retry
        self._changed = threading.Condition()
        self._delayed: list[tuple[float, int, _Job]] = []
        self._order = itertools.count()
        self._busy = 0
        self._next_slot = 0.0
        self._stopped = False
        self.sessions: list[SessionInfo] = []

    def deliver(self, envelopes: t.Iterable[Envelope]) -> t.Iterator[DeliveryResult]:
        """Send all; give a result for each.

        :raises SmtpError: no session can be opened, and trying again is of no use (a refused login or certificate).
            Messages that have no result by then were not tried.
        """
        self._source = iter(envelopes)
        self._deadline = time.monotonic() + self._retry.total_time
        if self._pace.connections == 1:
            yield from self._work()
        else:
            yield from self._work_side_by_side()

    def _work_side_by_side(self) -> t.Iterator[DeliveryResult]:
        done: queue.SimpleQueue[DeliveryResult | None] = queue.SimpleQueue()
        failures: list[BaseException] = []

        def work() -> None:
            try:
                for result in self._work():
                    done.put(result)
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                failures.append(error)
            finally:
                done.put(None)

        workers = [threading.Thread(target=work, daemon=True) for _number in range(self._pace.connections)]
        for worker in workers:
            worker.start()
        for _worker in workers:
            yield from iter(done.get, None)
        if failures:
            raise failures[0]

    def _work(self) -> t.Iterator[DeliveryResult]:
        """One session after another, until nothing is left to send."""
        for job in iter(self._wait_for_job, None):
            try:
                with SmtpSession(self._settings) as session:
                    self.sessions.append(session.info)
                    yield from self._use(session, job)
            except SmtpError as error:
                yield from self._could_not_open(job, error)

    def _use(self, session: SmtpSession, first: _Job) -> t.Iterator[DeliveryResult]:
        under_way: deque[_Job] = deque()

        def envelopes() -> t.Iterator[Envelope]:
            limit = self._pace.messages_per_connection
            for number in itertools.count(1):
                job = first if number == 1 else self._job_at_hand()
                if job is None:
                    return
                under_way.append(job)
                yield job.envelope if not job.results else t.cast("Envelope", job.for_another_attempt(self._retry))
                if number == limit:
                    return

        # a message that waits for its turn must not keep the one before it waiting for its end
        send = session.deliver_all if self._pace.messages_per_minute is None else _one_by_one(session)
        for result in send(envelopes()):
            yield from self._settle(under_way.popleft(), result)

    def _could_not_open(self, job: _Job, error: SmtpError) -> t.Iterator[DeliveryResult]:
        if not error.temporary:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()
            raise error
        recipients = tuple(
            RecipientResult(address, Status.DEFERRED, error.stage, error.reply, str(error))
            for address in job.envelope.recipients
        )
        yield from self._settle(job, DeliveryResult(job.envelope.message_id, len(job.envelope.content), recipients))

    def _settle(self, job: _Job, result: DeliveryResult) -> t.Iterator[DeliveryResult]:
        """Give the result if it is final, or put the message back."""
        job.take(result)
        delay = self._retry.delay(job.attempts)
        due = time.monotonic() + delay
        again = job.attempts < self._retry.attempts and due < self._deadline and job.for_another_attempt(self._retry)
        with self._changed:
            self._busy -= 1
            if again:
                heapq.heappush(self._delayed, (due, next(self._order), job))
            self._changed.notify_all()
        if not again:
            yield job.result()

    def _job_at_hand(self) -> _Job | None:
        """The next message that can be sent now, or None; waits for its turn where the pace says so."""
        with self._changed:
            job = self._pick()
        if job and self._pace.messages_per_minute:
            self._wait_for_slot()
        return job

    def _wait_for_job(self) -> _Job | None:
        """The next message, as soon as there is one; None when there will be none."""
        with self._changed:
            while True:
                job = self._pick()
                if job or self._stopped or not (self._busy or self._delayed):
                    break
                self._changed.wait(max(0.0, self._delayed[0][0] - time.monotonic()) if self._delayed else None)
        if job and self._pace.messages_per_minute:
            self._wait_for_slot()
        return job

    def _pick(self) -> _Job | None:
        if self._stopped:
            return None
        job: _Job | None = None
        if self._delayed and self._delayed[0][0] <= time.monotonic():
            job = heapq.heappop(self._delayed)[2]
        else:
            envelope = next(self._source, None)
            job = _Job(envelope) if envelope else None
        self._busy += job is not None
        return job

    def _wait_for_slot(self) -> None:
        with self._changed:
            now = time.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + 60.0 / t.cast(float, self._pace.messages_per_minute)
        time.sleep(slot - now)


def _one_by_one(session: SmtpSession) -> t.Callable[[t.Iterable[Envelope]], t.Iterator[DeliveryResult]]:
    def deliver(envelopes: t.Iterable[Envelope]) -> t.Iterator[DeliveryResult]:
        for envelope in envelopes:
            yield session.deliver(envelope)
            if not session.usable:
                return

    return deliver
