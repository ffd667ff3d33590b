# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many messages: the number of sessions, the pace, further attempts, and results that must not be lost.

This covers pool.py with courier.py and workers.py, which only work together; backlog.py also has test_backlog.py.
The walk through all faults is in _smtp/test_fault_walk.py.
"""

from __future__ import annotations

import itertools
import threading
import time
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.pool import Pace, Pool, RetryPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import errors
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import (
    DeliveryResult,
    Envelope,
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
    """The Message-IDs of the messages that the peer accepted."""
    return sorted(receipt.message_id for receipt in peer.receipts if receipt.accepted)


def ids(count: int) -> list[str]:
    return sorted(envelope(index).message_id for index in range(count))


class Script:
    """Disturbs a peer: one answer after the other to each moment of a stage, then the usual answers."""

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
    """Each connection respects the limit, and no message is sent over two of them."""
    with Peer() as peer:
        assert statuses(deliver(peer, 40, Pace(connections, 3))) == ["sent"] * 80
    assert taken(peer) == ids(40)
    assert peer.connections >= 14  # 40 messages, three per connection


@pytest.mark.parametrize("connections", [1, 3])
def test_messages_per_minute(connections: int) -> None:
    begun: list[float] = []

    def note(moment: Moment) -> None:
        if moment.stage == "MAIL":
            begun.append(time.monotonic())

    with Peer(disturb=note) as peer:
        assert statuses(deliver(peer, 5, Pace(connections, messages_per_minute=1200))) == ["sent"] * 10
    assert max(begun) - min(begun) >= 4 * 0.05 * 0.7  # the first one may be late: it also waits for its session
    assert max(begun) - min(begun) < 4 * 0.05 + 3  # messages wait for their turn and nothing else


def test_result_does_not_wait_for_the_turn_of_the_next_message() -> None:
    with Peer() as peer:
        begin = time.monotonic()
        results = pool(peer, Pace(messages_per_minute=6)).deliver([envelope(index) for index in range(2)])
        assert statuses([next(results)]) == ["sent", "sent"]
        assert time.monotonic() - begin < 5
        t.cast("t.Generator[t.Any, None, None]", results).close()


@pytest.mark.parametrize("connections", [1, 3])
def test_no_more_connections_than_the_pace_allows(connections: int) -> None:
    with Peer() as peer:
        deliver(peer, 30, Pace(connections))
    assert peer.connections <= connections


def test_server_that_accepts_only_two_connections() -> None:
    """Microsoft 365 allows three: messages of a refused connection are sent over the others."""
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


def test_unreachable_server_defers_all_messages() -> None:
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
def test_permanently_refused_session_ends_the_delivery(connections: int) -> None:
    with Peer({"EHLO": "550 5.7.1 not you"}) as peer:
        results = pool(peer, Pace(connections), AT_ONCE).deliver([envelope(index) for index in range(9)])
        with pytest.raises(errors.CommandRefused, match="not you"):
            list(results)
    assert peer.connections <= connections
    assert peer.receipts == []


def test_results_belong_to_the_messages_they_name() -> None:
    refused = envelope(3).sender
    with Peer(disturb=lambda moment: "550 no" if (moment.stage, moment.sender) == ("MAIL", refused) else None) as peer:
        results = deliver(peer, 8, Pace(connections=2))
    assert sorted(result.message_id for result in results) == ids(8)
    assert [result.message_id for result in results if statuses([result]) != ["sent"] * 2] == [envelope(3).message_id]


def test_message_is_composed_when_its_turn_comes() -> None:
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


# Further attempts


def test_attempts_and_delays() -> None:
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


def test_no_attempt_after_the_total_time() -> None:
    with Peer({"MAIL": "451 4.7.1 greylisted"}) as peer:
        begin = time.monotonic()
        (result,) = deliver(peer, 1, retry=RetryPolicy(1000, first_delay=0.05, longest_delay=0.05, total_time=0.4))
        seconds = time.monotonic() - begin
    assert statuses([result]) == ["deferred"] * 2
    assert 2 <= result.attempts <= 10
    assert seconds < 5


def test_only_open_recipients_are_retried() -> None:
    script = Script(RCPT=[None, "450 4.2.0 greylisted", None])
    with Peer(disturb=script) as peer:
        (result,) = deliver(peer, 1, retry=AT_ONCE)
    assert [recipient.status.value for recipient in result.recipients] == ["sent", "sent"]
    assert [receipt.recipients for receipt in peer.receipts] == [["one@b.test"], ["two@b.test"]]


def test_other_messages_continue_while_one_waits() -> None:
    script = Script(MAIL=["451 4.7.1 greylisted"])
    with Peer(disturb=script) as peer:
        results = deliver(peer, 5, retry=RetryPolicy(2, first_delay=0.2))
    assert [result.message_id for result in results][-1] == envelope(0).message_id
    assert {result.attempts for result in results[:-1]} == {1}


# Results that must not be lost


@pytest.mark.parametrize("then", ["451 4.7.1 greylisted", "550 5.7.1 not you"])
def test_unknown_stays_unknown_if_the_second_copy_is_not_accepted(then: str) -> None:
    """The server may have accepted the first copy."""
    script = Script(MAIL=[None, then, then], **{END_OF_DATA: [Fault.ACCEPT_AND_CLOSE]})
    with Peer(disturb=script) as peer:
        (result,) = deliver(peer, 1, retry=RetryPolicy(3, first_delay=0.01, resend_unknown=True))
    assert taken(peer) == ids(1)
    assert statuses([result]) == ["unknown", "unknown"]


def test_tried_message_has_a_result_even_if_no_further_session_opens() -> None:
    """LMTP: one of two recipients has the message, which would otherwise not be reported."""
    script = Script(EHLO=[None, "550 5.7.1 not you any more"], **{END_OF_DATA: [None, "451 4.2.0 busy", Fault.CLOSE]})
    results: list[DeliveryResult] = []
    with Peer(disturb=script) as peer, pytest.raises(errors.CommandRefused):
        results.extend(pool(peer, retry=AT_ONCE, lmtp=True).deliver([envelope(index) for index in range(3)]))
    assert [receipt.accepted for receipt in peer.receipts if receipt.message_id == envelope(0).message_id] == [
        ["one@b.test"]
    ]
    assert envelope(0).message_id in [result.message_id for result in results]


@pytest.mark.parametrize("pace", [ONE, Pace(messages_per_minute=60000)])
def test_server_that_closes_after_a_message_does_not_refuse_the_next(pace: Pace) -> None:
    """It may send 421 at any time (RFC 5321 section 3.8), here together with its last reply."""
    goodbye = "250 2.0.0 Ok\r\n421 4.4.2 idle for too long"
    stages: dict[str, list[Fault | str | None]] = {END_OF_DATA: [goodbye], BETWEEN: [Fault.CLOSE]}
    script = Script(**stages)
    with Peer(disturb=script, extensions=[]) as peer:
        results = deliver(peer, 2, pace, AT_ONCE)
    assert statuses(results) == ["sent"] * 4
    assert taken(peer) == ids(2)


def test_quit_waits_no_longer_than_the_timeout() -> None:
    with Peer(faults={"QUIT": Fault.STALL}) as peer:
        settings = ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.NONE), timeout=0.3)
        begin = time.monotonic()
        assert statuses(Pool(settings).deliver([envelope(0)])) == ["sent", "sent"]
        assert time.monotonic() - begin < 3
