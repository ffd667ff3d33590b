# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parallel sessions, each in its own process, because threads of one interpreter would block each other.

The pool's process decides what is sent and when; a worker requests jobs, hands them over and reports the results.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
import typing as t
from multiprocessing import connection

from .._smtp.errors import ConnectionLost, SmtpError, Stage

if t.TYPE_CHECKING:
    from .._smtp.delivery import DeliveryResult, SessionInfo
    from .backlog import Backlog, Job, RetryPolicy
    from .courier import Courier

    Channel = connection.Connection

#: A worker gets enough jobs at once to keep it busy for about this many seconds, up to this many jobs.
_BLOCK_TIME, _LARGEST_BLOCK = 0.2, 50


class _Report(t.NamedTuple):
    """What a worker reports when it requests more jobs.

    :param error: why it has no session, or cannot continue.
    :param session_over: whether the session has ended; otherwise it waits for more jobs.
    """

    results: list[DeliveryResult]
    sessions: list[SessionInfo]
    error: Exception | None
    session_over: bool


class Workers:
    """The workers of one pool.

    :ivar sessions: the report of each session.
    :ivar refused: why a worker could not open a session while another one had a session, or None.
    """

    def __init__(self, count: int, backlog: Backlog, courier: Courier, retry: RetryPolicy) -> None:
        self._backlog = backlog
        self._courier = courier
        self._retry = retry
        self._failure: Exception | None = None
        self._workers: list[_Worker] = []
        for _number in range(count):
            self._workers.append(_Worker(courier, self._workers))
        self.sessions: list[SessionInfo] = []
        self.refused: SmtpError | None = None

    def deliver(self) -> t.Iterator[DeliveryResult]:
        """Send all messages that the backlog hands out, and yield their results.

        :raises SmtpError: as the pool.
        :raises OSError: as the pool.
        """
        try:
            while self._give_out():
                channels = {worker.channel: worker for worker in self._workers if worker.in_session}
                for channel in connection.wait(list(channels), self._seconds_to_wait()):
                    yield from self._take_report(channels[t.cast("Channel", channel)])
        finally:
            for worker in self._workers:
                worker.end()
        if self._failure:
            raise self._failure

    def _give_out(self) -> bool:
        """Hand the messages that may be sent now to the waiting workers.

        :returns: whether there is anything to wait for.
        """
        share = len(self._backlog) // (4 * len(self._workers)) + 1
        for worker in self._workers:
            due = None if self._failure else self._backlog.due()
            if worker.asks_since <= time.monotonic():
                if due is not None and due <= time.monotonic():
                    worker.give(self._backlog, share)
                elif worker.in_session and not (due and self._backlog.paced):
                    worker.end_session()
        waiting = not self._failure and self._backlog.due() is not None
        return waiting or any(worker.in_session for worker in self._workers)

    def _seconds_to_wait(self) -> float | None:
        """Return the seconds until a job can be given to a waiting worker; None to wait only for reports."""
        due = self._backlog.due()
        if due is None or self._failure:
            return None
        asks = min(worker.asks_since for worker in self._workers)
        return None if asks == _BUSY else max(0.0, max(due, asks) - time.monotonic())

    def _take_report(self, worker: _Worker) -> t.Iterator[DeliveryResult]:
        report = worker.receive()
        if report is None:
            yield from self._lose(worker)
            return
        yield from report.results
        self.sessions += report.sessions
        if report.session_over:
            self._backlog.put_back(worker.jobs.values())
            worker.jobs.clear()
        if isinstance(report.error, SmtpError) and report.error.temporary:
            yield from self._no_session(worker, report.error)
        else:
            self._failure = self._failure or report.error

    def _no_session(self, worker: _Worker, error: SmtpError) -> t.Iterator[DeliveryResult]:
        """Rest this worker if others have a session, as the server limits connections; otherwise count a failure."""
        if any(other.in_session for other in self._workers):
            self.refused = self.refused or error
            worker.rest(self._retry)
        elif not self._backlog.pause():
            yield from self._courier.give_up(self._backlog.drain(), error, self._backlog.failures)

    def _lose(self, worker: _Worker) -> t.Iterator[DeliveryResult]:
        """Replace a worker whose process was killed; the messages it had in hand may have been sent."""
        self._workers.remove(worker)
        worker.end()
        error = ConnectionLost(
            "the worker process was killed during the delivery", stage=Stage.END_OF_DATA, server=self._courier.server
        )
        yield from self._courier.give_up(worker.jobs.values(), error, attempts=1)
        if not self._workers:
            self._workers.append(_Worker(self._courier, []))


#: ``asks_since`` of a worker that does not wait for jobs.
_BUSY = float("inf")


class _Worker:
    """One worker, as the pool sees it.

    :ivar asks_since: since when, or from when on, it waits for jobs, in seconds of the monotonic clock.
    :ivar in_session: whether it has a session or is opening one.
    :ivar jobs: the jobs it has in hand by number; those left when its session is over were not tried.
    """

    def __init__(self, courier: Courier, siblings: t.Sequence[_Worker]) -> None:
        context = multiprocessing.get_context("fork")
        self.channel, theirs = context.Pipe()
        # a worker that kept its siblings' channels open would hide the end of the pool from them
        inherited = [self.channel, *(sibling.channel for sibling in siblings)]
        self._process = context.Process(target=_work, args=(theirs, inherited, courier), daemon=True)
        self._process.start()
        theirs.close()
        self._block = 1
        self._given_at = 0.0
        self._rests = 0
        self.asks_since = 0.0
        self.in_session = False
        self.jobs: dict[int, Job] = {}

    def give(self, backlog: Backlog, share: int) -> None:
        """Send it jobs, at most its share."""
        taken = (backlog.take() for _number in range(min(self._block, share)))
        jobs = [job for job in taken if job]
        self.jobs.update((job.number, job) for job in jobs)
        self._send(jobs)

    def end_session(self) -> None:
        """Send it no jobs, so that it ends its session."""
        self._send([])

    def _send(self, jobs: list[Job]) -> None:
        with contextlib.suppress(ConnectionError):  # it has died; the next call of receive() returns None
            self.channel.send(jobs)
        self._given_at = time.monotonic()
        self.asks_since, self.in_session = _BUSY, True

    def receive(self) -> _Report | None:
        """Return its report, or None if it has died."""
        try:
            report: _Report = self.channel.recv()
        except (EOFError, ConnectionError):
            return None
        for result in report.results:
            del self.jobs[result.number]
        quick = time.monotonic() - self._given_at < _BLOCK_TIME
        self._block = min(self._block * 2, _LARGEST_BLOCK) if quick else max(self._block // 2, 1)
        self._rests = 0 if report.results else self._rests
        self.asks_since, self.in_session = 0.0, not report.session_over
        return report

    def rest(self, retry: RetryPolicy) -> None:
        """Make it wait for jobs again after a delay, which grows with each consecutive rest."""
        self._rests += 1
        self.asks_since = time.monotonic() + retry.delay(self._rests)

    def end(self) -> None:
        """Let it finish the jobs it has in hand and exit."""
        self.channel.close()
        self._process.join()


def _work(channel: Channel, inherited: list[Channel], courier: Courier) -> None:
    """Run a worker until the pool ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # only the pool handles an interrupt; a message under way is finished
    for other in inherited:
        other.close()
    with contextlib.suppress(EOFError, ConnectionError):  # the pool has gone
        while True:
            _carry(channel, courier)


def _carry(channel: Channel, courier: Courier) -> None:
    """Run one session, from its first job to its last."""
    results: list[DeliveryResult] = []

    def jobs() -> t.Iterator[Job]:
        block = channel.recv()
        while block:
            yield from block
            channel.send(_Report(results[:], [], None, False))
            results.clear()
            block = channel.recv()

    error: Exception | None = None
    try:
        for result in courier.carry(jobs()):
            results += [result]
    except (EOFError, ConnectionError):
        raise
    except Exception as caught:  # noqa: BLE001 - raised again in the pool's process
        error = caught
    sessions = courier.sessions[:]
    courier.sessions.clear()
    channel.send(_Report(results, sessions, error, True))
