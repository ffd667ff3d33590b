# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send many messages: over reused and parallel sessions, at a pace, with retries where these are safe."""

from __future__ import annotations

import time
import typing as t

from .._smtp.errors import SmtpError
from .backlog import NO_LIMITS, ONCE, Backlog, Pace, RetryPolicy
from .courier import Courier

if t.TYPE_CHECKING:
    from .._smtp.delivery import DeliveryResult, Envelope, SessionInfo
    from .._smtp.settings import ServerSettings
    from .backlog import Job
    from .journal import Journal

__all__ = ["Pace", "Pool", "RetryPolicy"]


class Pool:
    """Sends messages, each composed when its turn comes.

    ::

        pool = Pool(settings, Pace(connections=4), RetryPolicy(attempts=3))
        for result in pool.deliver(envelopes):
            ...

    Results are yielded as soon as they are final, not in the order of the messages; ``number`` identifies the message.

    :param journal: recipients that earlier runs settled are skipped.
    :ivar sessions: the report of each session that was opened.
    :ivar refused: why at some point fewer connections than the pace allows could be opened, or None.
    """

    def __init__(
        self,
        settings: ServerSettings,
        pace: Pace = NO_LIMITS,
        retry: RetryPolicy = ONCE,
        journal: Journal | None = None,
    ) -> None:
        self._settings = settings
        self._pace = pace
        self._retry = retry
        self._journal = journal
        self.sessions: list[SessionInfo] = []
        self.refused: SmtpError | None = None

    def deliver(self, messages: t.Sequence[Envelope], backlog: Backlog | None = None) -> t.Iterator[DeliveryResult]:
        """Send all messages and yield a result for each.

        :param messages: ``[number]`` may compose the message on access, and is read again for each attempt.
        :param backlog: which messages to send; None for all. It keeps those not begun when its time was up.
        :raises SmtpError: no session can be opened, and a retry is pointless (refused login, bad certificate).
            Messages without a result were not tried.
        :raises OSError: the journal cannot be written. Messages without a result were not sent.
        """
        backlog = backlog or Backlog(len(messages), self._pace, self._retry)
        courier = Courier(self._settings, messages.__getitem__, self._pace, self._retry, self._journal)
        courier.in_turn[0] = backlog.in_turn
        if self._journal and backlog.paced:
            yield from self._pass_settled(backlog, courier)
        side_by_side = min(self._pace.connections, len(backlog)) > 1
        try:
            for result in self._side_by_side(backlog, courier) if side_by_side else self._alone(backlog, courier):
                if backlog.settle(result):
                    yield result
        except (SmtpError, OSError):
            yield from backlog.abandon()
            raise
        finally:
            backlog.in_turn = bool(courier.in_turn[0])

    def _pass_settled(self, backlog: Backlog, courier: Courier) -> t.Iterator[DeliveryResult]:
        """Yield what earlier runs settled at once: these messages do not wait for a turn."""
        left = []
        for job in backlog.fresh():
            result = courier.settled(job)
            if result:
                yield result
            else:
                left.append(job)
        backlog.put_back(left)

    def _side_by_side(self, backlog: Backlog, courier: Courier) -> t.Iterator[DeliveryResult]:
        from .workers import Workers

        workers = Workers(min(self._pace.connections, len(backlog)), backlog, courier, self._retry)
        try:
            yield from workers.deliver()
        finally:
            self.sessions += workers.sessions
            self.refused = workers.refused

    def _alone(self, backlog: Backlog, courier: Courier) -> t.Iterator[DeliveryResult]:
        """Use one session after another until no message is left to send."""
        courier.sessions = self.sessions
        while _wait_until(backlog.due()):
            try:
                yield from courier.carry(self._at_hand(backlog))
            except SmtpError as error:
                backlog.put_back(courier.in_hand)
                if not error.temporary:
                    raise
                if not backlog.pause():
                    yield from courier.give_up(backlog.drain(), error, backlog.failures)
            else:
                backlog.put_back(courier.in_hand)

    def _at_hand(self, backlog: Backlog) -> t.Iterator[Job]:
        """Yield the messages that can be sent now, or whose turn comes while the session waits."""
        while True:
            if self._pace.messages_per_minute:
                _wait_until(backlog.due())
            job = backlog.take()
            if job is None:
                return
            yield job


def _wait_until(due: float | None) -> bool:
    """Sleep until a time.

    :param due: seconds of the monotonic clock; None for never.
    :returns: whether there was a time to wait for.
    """
    if due is not None:
        time.sleep(max(0.0, due - time.monotonic()))
    return due is not None
