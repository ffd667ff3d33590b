# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands behind the end of a content: nothing that a server says to them, or does because of them, decides a message.

Covers _smtp/session.py, _smtp/transaction.py, _mailing/courier.py and _mailing/pool.py together.
"""

from __future__ import annotations

import itertools
import time
import types
import typing as t
from collections import Counter

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._mailing import backlog
from ansible_collections.mailops.smtp.plugins.module_utils._mailing.backlog import Backlog
from ansible_collections.mailops.smtp.plugins.module_utils._mailing.pool import Pace, Pool
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import DeliveryResult
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import END_OF_DATA, GREETING, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.fault.walk import envelope

POSTFIX = "220 mx.test ESMTP Postfix (Debian/GNU)"
COUNT = 12

#: What a server does to a command that arrived before its reply to the previous message.
DEFENCES: tuple[Fault | str, ...] = (
    "503 5.5.1 pipelined after end of DATA",
    "554 5.5.0 SMTP protocol synchronization",
    "550 5.7.1 refused",
    "451 4.5.0 not yet",
    "421 4.7.0 pipelining is not allowed",
    Fault.CLOSE,
    Fault.RESET,
    Fault.STALL,
    Fault.GARBAGE,
    Fault.OUT_OF_STEP,
)
#: Connections and the messages over them.
WAYS = ((1, 1), (1, 2), (1, COUNT), (4, COUNT))


def name(value: object) -> str:
    return value.name.lower() if isinstance(value, Fault) else str(value).partition(" ")[0]


def defended(verb: str, what: Fault | str, **more: t.Any) -> Peer:
    """A server that does this to each such command that was sent ahead."""

    def disturb(moment: Moment) -> Fault | str | None:
        return what if moment.ahead and moment.stage == verb else None

    return Peer(disturb=disturb, pause=0.03, **more)


def pool(peer: Peer, connections: int, send_ahead: bool | None, what: Fault | str = "") -> Pool:
    # short only if the time must run out, so that a busy machine does not cause failures
    timeout = 1.0 if what in (Fault.STALL, Fault.ACCEPT_AND_STALL) else 10.0
    tls = TlsPolicy(TlsMode.NONE)
    server = ServerSettings("localhost", peer.port, tls, timeout=timeout, final_timeout=timeout, send_ahead=send_ahead)
    return Pool(server, Pace(connections))


def deliver(
    peer: Peer, connections: int, count: int, send_ahead: bool | None, what: Fault | str = ""
) -> list[DeliveryResult]:
    return list(pool(peer, connections, send_ahead, what).deliver([envelope(number) for number in range(count)]))


def outcome(peer: Peer, results: t.Iterable[DeliveryResult]) -> tuple[Counter[str], Counter[str], set[int]]:
    """The statuses, the messages by how often the server accepted them, the numbers of attempts."""
    statuses = Counter(recipient.status.value for result in results for recipient in result.recipients)
    return statuses, Counter(one.message_id for one in peer.receipts if one.accepted), {one.attempts for one in results}


def all_sent(count: int) -> tuple[Counter[str], Counter[str], set[int]]:
    return Counter(sent=2 * count), Counter(envelope(number).message_id for number in range(count)), {1}


@pytest.mark.parametrize(("connections", "count"), WAYS)
@pytest.mark.parametrize("what", DEFENCES, ids=name)
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_refusal_of_a_command_sent_ahead_is_no_verdict(
    verb: str, what: Fault | str, connections: int, count: int
) -> None:
    """Neither if the user asks for it. Each session is told at most once, and a later one not at all."""
    with defended(verb, what) as peer:
        assert outcome(peer, deliver(peer, connections, count, True, what)) == all_sent(count)
    assert Counter(command.split(" ")[0] for command in peer.ahead)["MAIL"] <= connections
    if connections == 1 and count > 1:
        assert len([command for command in peer.ahead if command.startswith("MAIL")]) == 1


@pytest.mark.parametrize("form", ["PIPELINING", "PIPELINING CHUNKING"])
@pytest.mark.parametrize(("connections", "count"), WAYS)
@pytest.mark.parametrize("what", [*DEFENCES, Fault.ACCEPT_AND_CLOSE, Fault.ACCEPT_AND_STALL], ids=name)
def test_server_is_not_tried_out_at_the_cost_of_a_message(
    what: Fault | str, connections: int, count: int, form: str
) -> None:
    """It would do this in place of its reply to a message that it has accepted, if anything came behind the content."""
    with defended(END_OF_DATA, what, extensions=form.split()) as peer:
        assert outcome(peer, deliver(peer, connections, count, None, what)) == all_sent(count)
    assert peer.ahead == []


@pytest.mark.parametrize("what", [Fault.ACCEPT_AND_CLOSE, Fault.ACCEPT_AND_STALL], ids=name)
@pytest.mark.parametrize("connections", [1, 4])
def test_who_asks_for_it_risks_one_message_for_each_connection(what: Fault, connections: int) -> None:
    with defended(END_OF_DATA, what) as peer:
        results = deliver(peer, connections, COUNT, True, what)
        statuses, accepted, attempts = outcome(peer, results)
    assert set(statuses) == {"sent", "unknown"}
    assert 2 <= statuses["unknown"] <= 2 * connections
    assert (accepted, attempts) == all_sent(COUNT)[1:]


#: greeting, option, extensions -> whether anything goes ahead
WHEN = [
    ("220 mx.test ESMTP", None, ["PIPELINING"], False),
    ("220 mx.test ESMTP", True, ["PIPELINING"], True),
    ("220 mx.test ESMTP", True, ["PIPELINING", "CHUNKING"], True),
    ("220 mx.test ESMTP", True, [], False),
    (POSTFIX, None, ["PIPELINING"], True),
    (POSTFIX, None, ["PIPELINING", "CHUNKING"], True),
    (POSTFIX, False, ["PIPELINING"], False),
    (POSTFIX, None, [], False),
    ("220-mx.test\r\n220 ESMTP Postfix", None, ["PIPELINING"], True),
    ("220 ****************", None, ["PIPELINING"], False),
    ("220 Postfixer ready", None, ["PIPELINING"], False),
]


@pytest.mark.parametrize(("greeting", "send_ahead", "extensions", "expected"), WHEN)
def test_commands_go_ahead_where_it_is_known_to_be_safe(
    greeting: str, send_ahead: bool | None, extensions: list[str], expected: bool
) -> None:
    with Peer({GREETING: greeting}, extensions=extensions, pause=0.03) as peer:
        assert outcome(peer, deliver(peer, 1, 3, send_ahead)) == all_sent(3)
    assert bool(peer.ahead) is expected


@pytest.mark.parametrize("code", [450, 550])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
def test_refusal_that_is_repeated_in_turn_is_a_verdict(verb: str, code: int) -> None:
    """The server takes commands ahead, and refuses one message of many: the others still go ahead."""

    def disturb(moment: Moment) -> str | None:
        hit = moment.stage == verb and moment.sender == envelope(2).sender
        return f"{code} {code // 100}.1.1 no, at {time.monotonic()}" if hit else None

    with Peer(disturb=disturb, pause=0.03) as peer:
        results = deliver(peer, 1, 8, send_ahead=True)
    status = "deferred" if code == 450 else "refused"
    assert outcome(peer, results)[0] == {"sent": 14, status: 2}
    assert [result.message_id for result in results] == [envelope(number).message_id for number in range(8)]
    assert sum(command.startswith("MAIL") for command in peer.ahead) >= 5


def test_one_recipient_refused_ahead_gets_the_message_in_a_transaction_of_its_own() -> None:
    def disturb(moment: Moment) -> str | None:
        return "503 5.5.1 too early" if moment.ahead and moment.recipient == envelope(1).recipients[1] else None

    with Peer(disturb=disturb, pause=0.03) as peer:
        results = deliver(peer, 1, 3, send_ahead=True)
    assert outcome(peer, results)[0] == {"sent": 6}
    assert [receipt.recipients for receipt in peer.receipts] == [
        ["one@b.test", "two@b.test"],
        ["one@b.test"],
        ["two@b.test"],
        ["one@b.test", "two@b.test"],
    ]


def test_what_one_slice_of_a_task_learns_counts_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [envelope(number) for number in range(6)]
    with defended("MAIL", "503 5.5.1 pipelined after end of DATA") as peer:

        def clock() -> float:
            """The time of the first slice is up when the server has taken two messages."""
            return time.monotonic() + 1000 * (sum(bool(receipt.accepted) for receipt in peer.receipts) >= 2)

        first, second = (Backlog(len(messages), stop_after=after) for after in (500, None))
        with monkeypatch.context() as patch:
            patch.setattr(backlog, "time", types.SimpleNamespace(monotonic=clock))
            results = list(pool(peer, 1, True).deliver(messages, first))
        assert first.in_turn
        assert 1 < len(results) < len(messages)
        peer.ahead.clear()
        second.restore(first.state())
        results += pool(peer, 1, True).deliver(messages, second)
        assert outcome(peer, results) == all_sent(len(messages))
    assert peer.ahead == []


def test_server_that_keeps_the_commands_until_it_has_answered_costs_one_round_trip_a_message() -> None:
    trips = {}
    for greeting, count in itertools.product(("220 mx.test ESMTP", POSTFIX), (1, 11)):
        with Peer({GREETING: greeting}) as peer:
            server = ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.NONE), timeout=5)
            with SmtpSession(server) as session:
                opening = session.info.round_trips
                assert len(list(session.deliver_all([envelope(1)] * count))) == count
                trips[greeting, count] = session.info.round_trips - opening
    assert trips[POSTFIX, 11] - trips[POSTFIX, 1] == 10
    assert trips["220 mx.test ESMTP", 11] - trips["220 mx.test ESMTP", 1] == 20


@pytest.mark.parametrize("extensions", [("PIPELINING", "CHUNKING"), ("PIPELINING",), ("CHUNKING",), ()], ids=str)
def test_reply_too_many_does_not_make_a_refused_message_sent(extensions: tuple[str, ...]) -> None:
    """With CHUNKING, no 354 shows that replies and commands are out of step."""
    ends = itertools.count()

    def disturb(moment: Moment) -> Fault | str | None:
        if moment.stage != END_OF_DATA:
            return None
        return "554 5.7.1 spam" if next(ends) else Fault.INJECT

    with Peer({GREETING: POSTFIX}, disturb=disturb, extensions=extensions) as peer:
        first, *others = deliver(peer, 1, 3, None)
    assert {one.status.value for one in first.recipients} == {"sent"}
    assert {one.status.value for message in others for one in message.recipients} <= {"refused", "deferred"}
