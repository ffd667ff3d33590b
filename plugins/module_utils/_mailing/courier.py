# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand messages to a server, one session at a time, and keep the journal."""

from __future__ import annotations

import itertools
import mmap
import typing as t
from collections import deque
from dataclasses import replace

from .._smtp.delivery import DeliveryResult, DeliveryStatus, RecipientResult
from .._smtp.errors import Stage
from .._smtp.session import SmtpSession
from .backlog import Job

if t.TYPE_CHECKING:
    from .._smtp.delivery import Envelope, SessionInfo
    from .._smtp.errors import SmtpError
    from .._smtp.settings import ServerSettings
    from .backlog import Pace, RetryPolicy
    from .journal import Journal


#: Statuses that a further run does not change unless the user allows it.
_SETTLED = (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)


class Courier:
    """Hands messages to one server.

    :param message: composes the message at this position; raises ValueError if it cannot.
    :param journal: recipients that earlier runs settled are skipped.
    :ivar server: the server, as ``host:port``.
    :ivar in_hand: jobs that were taken and have no result yet. After :meth:`carry` these were not tried.
    :ivar sessions: the report of each session.
    :ivar in_turn: one octet, 1 if the server does not take the commands of the next message ahead.
    """

    def __init__(
        self,
        settings: ServerSettings,
        message: t.Callable[[int], Envelope],
        pace: Pace,
        retry: RetryPolicy,
        journal: Journal | None = None,
    ) -> None:
        self.server = settings.server
        self._settings = settings
        self._message = message
        self._pace = pace
        self._retry = retry
        self._journal = journal
        # an octet that the workers' processes share, see SmtpSession
        self.in_turn = mmap.mmap(-1, 1)
        self._nothing_to_do: list[DeliveryResult] = []
        self.in_hand: deque[Job] = deque()
        self.sessions: list[SessionInfo] = []

    def carry(self, jobs: t.Iterable[Job]) -> t.Iterator[DeliveryResult]:
        """Hand over jobs in one session until none is left or the session ends, and yield the result of each so far.

        :raises SmtpError: the session cannot be opened; the first job is in hand.
        :raises OSError: the journal cannot be written; the jobs in hand were not sent.
        """
        self.in_hand.clear()
        envelopes = self._envelopes(jobs)
        first = next(envelopes, None)
        yield from self._take_nothing_to_do()
        if first is None:
            return
        limited = itertools.islice(itertools.chain([first], envelopes), self._pace.messages_per_connection)
        with SmtpSession(self._settings, self._journal, self.in_turn) as session:
            try:
                # a message that waits for its turn must not delay the reply to the previous one
                paced = self._pace.messages_per_minute is not None
                for result in _one_by_one(session, limited) if paced else session.deliver_all(limited):
                    yield self.in_hand.popleft().after(result)
                    yield from self._take_nothing_to_do()
            finally:
                self.sessions.append(session.info)
        yield from self._take_nothing_to_do()

    def settled(self, job: Job) -> DeliveryResult | None:
        """Return the result from earlier runs if, according to the journal, no recipient is left."""
        if list(self._envelopes([job])):
            self.in_hand.pop()
            return None
        return self._nothing_to_do.pop()

    def give_up(self, jobs: t.Iterable[Job], error: SmtpError, attempts: int) -> t.Iterator[DeliveryResult]:
        """Yield results for jobs that fail with their session: unknown after the end of the data, else deferred.

        :param attempts: the number of attempts to report.
        """
        self.in_hand.clear()
        status = DeliveryStatus.UNKNOWN if error.stage is Stage.END_OF_DATA else DeliveryStatus.DEFERRED
        for envelope in self._envelopes(jobs):
            recipients = tuple(
                RecipientResult(address, status, error.stage, error.reply, str(error))
                for address in envelope.recipients
            )
            result = DeliveryResult(envelope.message_id, len(envelope.content), recipients, attempts)
            yield self.in_hand.popleft().after(result)
        yield from self._take_nothing_to_do()

    def _envelopes(self, jobs: t.Iterable[Job]) -> t.Iterator[Envelope]:
        """Yield an envelope for the open recipients of each job; a job without any gets its result at once."""
        for job in jobs:
            try:
                envelope = self._message(job.number)
            except ValueError as error:
                self._nothing_to_do.append(self._not_composed(job, str(error)))
                continue
            if self._journal and not job.before:
                job = job._replace(before=self._settled_before(envelope))
            known = job.known
            open_ = tuple(one for one in envelope.recipients if one not in known or self._retry.again(known[one]))
            if open_:
                self.in_hand.append(Job(job.number, job.before, envelope.recipients))
                yield envelope if open_ == envelope.recipients else replace(envelope, recipients=open_)
            elif job.before:
                self._nothing_to_do.append(job.before._replace(number=job.number))

    def _not_composed(self, job: Job, problem: str) -> DeliveryResult:
        """Return the result of a message that can no longer be composed because a file has changed since the check."""
        if job.before is None:
            recipient = RecipientResult("", DeliveryStatus.REFUSED, Stage.COMPOSE, problem=problem)
            return DeliveryResult("", 0, (recipient,), number=job.number)
        recipients = tuple(
            RecipientResult(one.address, DeliveryStatus.REFUSED, Stage.COMPOSE, problem=problem)
            if one.status is DeliveryStatus.DEFERRED
            else one
            for one in job.before.recipients
        )
        return job.before._replace(recipients=recipients)

    def _settled_before(self, envelope: Envelope) -> DeliveryResult | None:
        """Return what earlier runs settled; recipients refused or deferred then get another attempt in this run."""
        known = self._journal.known(envelope.message_id) if self._journal else {}
        settled = [known[one] for one in envelope.recipients if one in known and known[one].status in _SETTLED]
        return DeliveryResult(envelope.message_id, len(envelope.content), tuple(settled), 0) if settled else None

    def _take_nothing_to_do(self) -> t.Iterator[DeliveryResult]:
        yield from self._nothing_to_do
        self._nothing_to_do.clear()


def _one_by_one(session: SmtpSession, envelopes: t.Iterable[Envelope]) -> t.Iterator[DeliveryResult]:
    for envelope in envelopes:
        yield from session.deliver_all([envelope])
        if not session.usable:
            return
