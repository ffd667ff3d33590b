# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many messages: how many sessions, at what pace, how often again, and what must not be forgotten meanwhile."""

from __future__ import annotations

import itertools
import threading
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.backlog import Backlog, Job
from ansible_collections.mailops.smtp.plugins.module_utils._mailing.pool import Pace, Pool, RetryPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import errors
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import (
    DeliveryResult,
    DeliveryStatus,
    Envelope,
    RecipientResult,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import BETWEEN, END_OF_DATA, GREETING, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.fault.walk import envelope

CLOSING = "421 4.7.0 too many connections"
ONE, NO_RETRY = Pace(), RetryPolicy()
AT_ONCE = RetryPolicy(attempts=5, first_delay=0.01)


def pool(peer: Peer, pace: Pace = ONE, retry: RetryPolicy = NO_RETRY, lmtp: bool = False) -> Pool:
    settings = ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.NONE), timeout=5, final_timeout=5, lmtp=lmtp)
    return Pool(settings, pace, retry)


def deliver(peer: Peer, count: int, pace: Pace = ONE, retry: RetryPolicy = NO_RETRY) -> list[DeliveryResult]:
    return list(pool(peer, pace, retry).deliver([envelope(index) for index in range(count)]))


def statuses(results: t.Iterable[DeliveryResult]) -> list[str]:
    return sorted(recipient.status.value for result in results for recipient in result.recipients)


def taken(peer: Peer) -> list[str]:
    """The Message-IDs of what the peer took responsibility for."""
    return sorted(receipt.message_id for receipt in peer.receipts if receipt.accepted)


def ids(count: int) -> list[str]:
    return sorted(envelope(index).message_id for index in range(count))


class Script:
    """For a peer: one answer after the other to each moment of a stage; the rest is usual."""

    def __init__(self, **stages: t.Iterable[Fault | str | None]) -> None:
        self._stages = {stage: iter(answers) for stage, answers in stages.items()}
        self._lock = threading.Lock()

    def __call__(self, moment: Moment) -> Fault | str | None:
        with self._lock:
            return next(self._stages.get(moment.stage, iter(())), None)


@pytest.mark.parametrize(("connections", "limit", "sessions"), [(1, None, 1), (1, 2, 4), (1, 1, 7), (1, 7, 1)])
def test_messages_per_connection(connections: int, limit: int | None, sessions: int) -> None:
    with Peer() as peer:
        assert statuses(deliver(peer, 7, Pace(connections, limit))) == ["sent"] * 14
    assert taken(peer) == ids(7)
    assert peer.connections == sessions


@pytest.mark.parametrize("connections", [2, 5])
def test_several_connections_share_the_messages(connections: int) -> None:
    """Each has its share of what the limit allows it, and no message goes by two of them."""
    with Peer() as peer:
        assert statuses(deliver(peer, 40, Pace(connections, 3))) == ["sent"] * 80
    assert taken(peer) == ids(40)
    assert peer.connections >= 14  # 40 messages, three a connection


@pytest.mark.parametrize("connections", [1, 3])
def test_messages_per_minute(connections: int) -> None:
    begun: list[float] = []

    def note(moment: Moment) -> None:
        if moment.stage == "MAIL":
            begun.append(time.monotonic())

    with Peer(disturb=note) as peer:
        assert statuses(deliver(peer, 5, Pace(connections, messages_per_minute=1200))) == ["sent"] * 10
    assert max(begun) - min(begun) >= 4 * 0.05 * 0.7  # the first may come late: it waits for its session, too
    assert max(begun) - min(begun) < 4 * 0.05 + 3  # it waits for its turn, and for nothing else


def test_a_message_does_not_wait_for_the_turn_of_the_next() -> None:
    with Peer() as peer:
        begin = time.monotonic()
        results = pool(peer, Pace(messages_per_minute=6)).deliver([envelope(index) for index in range(2)])
        assert statuses([next(results)]) == ["sent", "sent"]
        assert time.monotonic() - begin < 5
        t.cast("t.Generator[t.Any, None, None]", results).close()


@pytest.mark.parametrize("connections", [1, 3])
def test_no_more_connections_than_asked_for(connections: int) -> None:
    with Peer() as peer:
        deliver(peer, 30, Pace(connections))
    assert peer.connections <= connections


def test_a_server_that_takes_two_connections_only() -> None:
    """Microsoft 365 allows three: what the refused one held goes by the others."""
    lock, opened = threading.Lock(), itertools.count(1)

    def refuse_the_third(moment: Moment) -> str | None:
        if moment.stage != GREETING:
            return None
        with lock:
            return CLOSING if next(opened) == 3 else None

    with Peer(disturb=refuse_the_third) as peer:
        results = deliver(peer, 30, Pace(connections=3), AT_ONCE)
    assert statuses(results) == ["sent"] * 60
    assert taken(peer) == ids(30)


def test_nobody_to_connect_to_is_no_error_but_a_deferral() -> None:
    with Peer() as peer:
        pass
    results = deliver(peer, 3, retry=RetryPolicy(2, first_delay=0.01))
    assert statuses(results) == ["deferred"] * 6
    assert {result.attempts for result in results} == {2}
    assert {result.number: result.message_id for result in results} == {
        index: envelope(index).message_id for index in range(3)
    }
    assert {recipient.stage for result in results for recipient in result.recipients} == {errors.Stage.CONNECT}


@pytest.mark.parametrize("connections", [1, 3])
def test_a_session_that_cannot_be_opened_ends_it(connections: int) -> None:
    with Peer({"EHLO": "550 5.7.1 not you"}) as peer:
        results = pool(peer, Pace(connections), AT_ONCE).deliver([envelope(index) for index in range(9)])
        with pytest.raises(errors.CommandRefused, match="not you"):
            list(results)
    assert peer.connections <= connections
    assert peer.receipts == []


def test_results_are_for_the_messages_they_name() -> None:
    refused = envelope(3).sender
    with Peer(disturb=lambda moment: "550 no" if (moment.stage, moment.sender) == ("MAIL", refused) else None) as peer:
        results = deliver(peer, 8, Pace(connections=2))
    assert sorted(result.message_id for result in results) == ids(8)
    assert [result.message_id for result in results if statuses([result]) != ["sent"] * 2] == [envelope(3).message_id]


def test_a_message_is_made_when_its_turn_has_come() -> None:
    made: list[int] = []

    class Made(t.Sequence[Envelope]):
        def __len__(self) -> int:
            return 50

        def __getitem__(self, number: t.Any) -> t.Any:
            made.append(number)
            return envelope(number)

    with Peer() as peer:
        results = pool(peer).deliver(Made())
        for _few in range(10):
            next(results)
        assert max(made) < 10 + 5
        t.cast("t.Generator[t.Any, None, None]", results).close()


# Another attempt


@given(attempt=st.integers(1, 60), first=st.floats(0.001, 100), longest=st.floats(0.001, 1000))
def test_a_wait_doubles_up_to_the_longest(attempt: int, first: float, longest: float) -> None:
    wanted = min(first * 2 ** (attempt - 1), longest)
    waits = [RetryPolicy(first_delay=first, longest_delay=longest).delay(attempt) for _try in range(20)]
    assert wanted * 0.79 <= min(waits)
    assert max(waits) <= min(wanted * 1.21, longest)


def test_no_wait_exceeds_the_longest() -> None:
    assert max(RetryPolicy(first_delay=1, longest_delay=1).delay(9) for _try in range(200)) <= 1


def test_very_many_attempts() -> None:
    assert RetryPolicy().delay(2000) <= 360


def test_waits_have_jitter() -> None:
    assert len({RetryPolicy().delay(1) for _try in range(20)}) > 1


def test_attempts_and_waits() -> None:
    tried: list[float] = []

    def later(moment: Moment) -> str | None:
        if moment.stage != "MAIL":
            return None
        tried.append(time.monotonic())
        return "451 4.7.1 greylisted"

    with Peer(disturb=later) as peer:
        (result,) = deliver(peer, 1, retry=RetryPolicy(3, first_delay=0.1))
    assert (statuses([result]), result.attempts, len(tried)) == (["deferred"] * 2, 3, 3)
    waits = [second - first for first, second in itertools.pairwise(tried)]
    assert waits[0] >= 0.08
    assert waits[1] >= 0.16


def test_nothing_is_tried_after_the_total_time() -> None:
    with Peer({"MAIL": "451 4.7.1 greylisted"}) as peer:
        begin = time.monotonic()
        (result,) = deliver(peer, 1, retry=RetryPolicy(1000, first_delay=0.05, longest_delay=0.05, total_time=0.4))
        seconds = time.monotonic() - begin
    assert statuses([result]) == ["deferred"] * 2
    assert 2 <= result.attempts <= 10
    assert seconds < 5


def test_only_who_is_open_is_tried_again() -> None:
    script = Script(RCPT=[None, "450 4.2.0 greylisted", None])
    with Peer(disturb=script) as peer:
        (result,) = deliver(peer, 1, retry=AT_ONCE)
    assert [recipient.status.value for recipient in result.recipients] == ["sent", "sent"]
    assert [receipt.recipients for receipt in peer.receipts] == [["one@b.test"], ["two@b.test"]]


def test_others_go_on_while_one_waits() -> None:
    script = Script(MAIL=["451 4.7.1 greylisted"])
    with Peer(disturb=script) as peer:
        results = deliver(peer, 5, retry=RetryPolicy(2, first_delay=0.2))
    assert [result.message_id for result in results][-1] == envelope(0).message_id
    assert {result.attempts for result in results[:-1]} == {1}


# What must not be forgotten


@pytest.mark.parametrize("then", ["451 4.7.1 greylisted", "550 5.7.1 not you"])
def test_unknown_stays_unknown_whatever_comes_of_sending_it_again(then: str) -> None:
    """The first copy may well have been taken."""
    script = Script(MAIL=[None, then, then], **{END_OF_DATA: [Fault.ACCEPT_AND_CLOSE]})
    with Peer(disturb=script) as peer:
        (result,) = deliver(peer, 1, retry=RetryPolicy(3, first_delay=0.01, resend_unknown=True))
    assert taken(peer) == ids(1)
    assert statuses([result]) == ["unknown", "unknown"]


def test_what_was_tried_has_a_result_even_when_no_session_opens_any_more() -> None:
    """LMTP: one of two recipients has it, and nobody would know."""
    script = Script(EHLO=[None, "550 5.7.1 not you any more"], **{END_OF_DATA: [None, "451 4.2.0 busy", Fault.CLOSE]})
    results: list[DeliveryResult] = []
    with Peer(disturb=script) as peer, pytest.raises(errors.CommandRefused):
        results.extend(pool(peer, retry=AT_ONCE, lmtp=True).deliver([envelope(index) for index in range(3)]))
    assert [receipt.accepted for receipt in peer.receipts if receipt.message_id == envelope(0).message_id] == [
        ["one@b.test"]
    ]
    assert envelope(0).message_id in [result.message_id for result in results]


@pytest.mark.parametrize("pace", [ONE, Pace(messages_per_minute=60000)])
def test_a_server_that_closes_after_a_message_refuses_no_other(pace: Pace) -> None:
    """It may say 421 whenever it likes (RFC 5321 section 3.8), here in one breath with its last word."""
    goodbye = "250 2.0.0 Ok\r\n421 4.4.2 idle for too long"
    stages: dict[str, list[Fault | str | None]] = {END_OF_DATA: [goodbye], BETWEEN: [Fault.CLOSE]}
    script = Script(**stages)
    with Peer(disturb=script, extensions=[]) as peer:
        results = deliver(peer, 2, pace, AT_ONCE)
    assert statuses(results) == ["sent"] * 4
    assert taken(peer) == ids(2)


def test_the_goodbye_takes_no_longer_than_a_reply() -> None:
    with Peer(faults={"QUIT": Fault.STALL}) as peer:
        settings = ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.NONE), timeout=0.3)
        begin = time.monotonic()
        assert statuses(Pool(settings).deliver([envelope(0)])) == ["sent", "sent"]
        assert time.monotonic() - begin < 3


def test_a_message_is_given_up_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a mailing that takes hours, one that is deferred late has its attempts, too."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    backlog = Backlog(2, retry=RetryPolicy(9, first_delay=10, longest_delay=10, total_time=25))
    deferred = (RecipientResult("one@b.test", DeliveryStatus.DEFERRED, errors.Stage.RCPT),)
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
