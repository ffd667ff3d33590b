# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that speak a dialect: limits on recipients, greetings that refuse, extensions that they handle badly.

Covers _smtp/session.py, _smtp/transaction.py, _smtp/capabilities.py and _smtp/settings.py together.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.journal import Journal
from ansible_collections.mailops.smtp.plugins.module_utils._mailing.pool import Pool
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import errors
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import DeliveryResult, DsnRequest, Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import InvalidSettings, ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import END_OF_DATA, GREETING, Fault, Moment, Peer

PEOPLE = tuple(f"r{number}@b.test" for number in range(8))
LETTER = Envelope("from@a.test", PEOPLE, b"Message-ID: <id@a.test>\r\n\r\nx\r\n", "<id@a.test>")
EVERYTHING = ["PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 9999"]


def settings(peer: Peer, **changes: t.Any) -> ServerSettings:
    defaults = {"timeout": 0.5, "final_timeout": 0.5, "tls": TlsPolicy(TlsMode.NONE)}
    return ServerSettings("localhost", peer.port, **{**defaults, **changes})


def deliver(peer: Peer, envelope: Envelope = LETTER, **changes: t.Any) -> DeliveryResult:
    with SmtpSession(settings(peer, **changes)) as session:
        return session.deliver(envelope)


def statuses(result: DeliveryResult) -> Counter[str]:
    return Counter(recipient.status.value for recipient in result.recipients)


class Room:
    """Disturbs a peer: it takes so many recipients in a transaction, and gives each further one this reply."""

    def __init__(self, room: int, reply: str, **others: Fault | str) -> None:
        self._room = room
        self._reply = reply
        self._others = others
        self._taken = 0

    def __call__(self, moment: Moment) -> Fault | str | None:
        if moment.stage == "MAIL":
            self._taken = 0
        if moment.stage == "RCPT" and moment.recipient not in self._others:
            self._taken += 1
            return self._reply if self._taken > self._room else None
        return self._others.get(moment.recipient)


NO_ROOM = "552 5.5.3 too many recipients"
#: Reply to the recipients that are too many -> whether another transaction follows
REPLIES = [
    (NO_ROOM, True),
    ("452 4.5.3 too many recipients", True),
    ("452 too many recipients", True),
    ("451 4.5.3 too many recipients", True),
    ("450 Too many recipients", True),
    ("550 5.5.3 too many recipients", True),
    ("552 Too many recipients", True),
    ("550 5.1.1 unknown", False),
    ("452 4.2.2 mailbox full", False),
    ("552 5.2.2 mailbox full", False),
    ("450 4.2.0 greylisted", False),
]


@pytest.mark.parametrize("extensions", [["PIPELINING"], ["PIPELINING", "CHUNKING"], []], ids="-".join)
@pytest.mark.parametrize(("reply", "again"), REPLIES)
def test_rest_of_the_recipients_gets_another_transaction(reply: str, again: bool, extensions: list[str]) -> None:
    with Peer(disturb=Room(3, reply), extensions=extensions) as peer:
        result = deliver(peer)
    assert [recipient.address for recipient in result.recipients] == list(PEOPLE)
    assert result.attempts == 1
    if again:
        assert statuses(result) == {"sent": 8}
        assert [receipt.recipients for receipt in peer.receipts] == [[*PEOPLE[:3]], [*PEOPLE[3:6]], [*PEOPLE[6:]]]
        assert sum(command.startswith("RCPT") for command in peer.commands) == 8 + 3 + 2
    else:
        assert statuses(result) == {"sent": 3, "refused" if reply.startswith("55") else "deferred": 5}
        assert len(peer.receipts) == 1


def test_next_message_follows_the_last_transaction() -> None:
    with Peer({GREETING: "220 mx.test ESMTP Postfix"}, disturb=Room(5, NO_ROOM), pause=0.02) as peer:
        results = list(Pool(settings(peer)).deliver([LETTER] * 3))
    assert [statuses(result) for result in results] == [{"sent": 8}] * 3
    assert Counter(address for receipt in peer.receipts for address in receipt.recipients) == dict.fromkeys(PEOPLE, 3)
    assert peer.connections == 1


@pytest.mark.parametrize("reply", [NO_ROOM, "452 4.5.3 too many recipients", "550 Too many recipients"])
def test_no_room_for_anybody_is_deferred_without_another_transaction(reply: str) -> None:
    with Peer({"RCPT": reply}) as peer:
        result = deliver(peer)
    assert statuses(result) == {"deferred": 8}
    assert "too many recipients" in result.recipients[0].problem.lower()
    assert sum(command.startswith("MAIL") for command in peer.commands) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("554 5.6.0 spam", {"refused": 3, "deferred": 5}),
        ("451 4.3.0 later", {"deferred": 8}),
        (Fault.ACCEPT_AND_CLOSE, {"unknown": 3, "deferred": 5}),
        (Fault.STALL, {"unknown": 3, "deferred": 5}),
    ],
)
def test_rest_waits_if_the_message_is_not_taken(fault: Fault | str, expected: dict[str, int]) -> None:
    room = Room(3, NO_ROOM)
    with Peer(disturb=lambda moment: fault if moment.stage == END_OF_DATA else room(moment)) as peer:
        result = deliver(peer)
    assert statuses(result) == expected
    assert len(peer.receipts) == 1


def test_connection_lost_in_a_later_transaction_leaves_what_was_sent() -> None:
    room = Room(3, NO_ROOM)

    def disturb(moment: Moment) -> Fault | str | None:
        late = moment.stage == "RCPT" and moment.recipient == PEOPLE[4] and len(peer.receipts) == 1
        return Fault.CLOSE if late else room(moment)

    with Peer(disturb=disturb) as peer:
        (result,) = Pool(settings(peer)).deliver([LETTER])
    assert statuses(result) == {"sent": 3, "deferred": 5}
    assert peer.connections == 1


def test_refused_recipient_among_too_many_stays_refused() -> None:
    with Peer(disturb=Room(3, NO_ROOM, **{PEOPLE[1]: "550 5.1.1 unknown", PEOPLE[7]: "550 5.1.1 unknown"})) as peer:
        result = deliver(peer)
    assert [recipient.status.value for recipient in result.recipients] == [
        *("sent", "refused", "sent", "sent", "sent", "sent", "sent", "refused")
    ]


def test_probe_asks_about_all_recipients() -> None:
    with (
        Peer(disturb=Room(3, NO_ROOM, **{PEOPLE[6]: "550 5.1.1 unknown"})) as peer,
        SmtpSession(settings(peer)) as session,
    ):
        assert [one.address for one in session.probe(LETTER)] == [PEOPLE[6]]
    assert peer.receipts == []


def test_journal_knows_what_each_transaction_sent(tmp_path: Path) -> None:
    """Killed after the first transaction, the next run sends the message to the rest and to nobody twice."""

    class Killed(BaseException):
        pass

    class Dying(Journal):
        def begin(self, envelope: Envelope) -> None:
            if PEOPLE[3] in envelope.recipients:
                raise Killed
            super().begin(envelope)

    path = str(tmp_path / "journal")
    with Peer(disturb=Room(3, NO_ROOM)) as peer:
        dying = Dying(path)
        with pytest.raises(Killed):
            list(Pool(settings(peer), journal=dying).deliver([LETTER]))
        dying.close()
        journal = Journal(path)
        (result,) = Pool(settings(peer), journal=journal).deliver([LETTER])
        journal.close()
    assert statuses(result) == {"sent": 8}
    assert Counter(address for one in peer.receipts for address in one.accepted) == dict.fromkeys(PEOPLE, 1)


GREETINGS = [
    ("220-mx\r\n521 5.7.1 blocked using zen", "521 mx 5.7.1 blocked using zen", False),
    ("220-mx.test\r\n220-no mail here\r\n554 5.7.1 go away", "554 mx.test no mail here 5.7.1 go away", False),
    ("220-mx\r\n421 4.7.0 too busy", "421 mx 4.7.0 too busy", True),
    ("554-mx.test\r\n554 5.7.1 go away", "554 mx.test 5.7.1 go away", False),
    ("521 mx.test does not accept mail", "521 mx.test does not accept mail", False),
]


@pytest.mark.parametrize(("greeting", "words", "temporary"), GREETINGS)
def test_greeting_that_refuses_in_its_last_line_is_told(greeting: str, words: str, temporary: bool) -> None:
    with Peer({GREETING: greeting}) as peer, pytest.raises(errors.CommandRefused) as caught:
        deliver(peer)
    assert f'The server said: "{words}".' in str(caught.value)
    assert caught.value.temporary is temporary


#: Stage -> a reply whose codes differ -> status of the message
CHANGING = [
    ("MAIL", "250-ok\r\n550 5.7.1 no", "refused"),
    ("RCPT", "250-ok\r\n450 4.2.0 later", "deferred"),
    ("RCPT", "550-no\r\n250 2.1.5 yes", "sent"),
    ("DATA", "354-go\r\n554 5.5.1 no", "refused"),
    (END_OF_DATA, "250-taken\r\n451 4.3.0 no", "deferred"),
    (END_OF_DATA, "451-wait\r\n250 2.0.0 taken", "sent"),
]


@pytest.mark.parametrize(("stage", "reply", "status"), CHANGING)
def test_last_line_decides_at_each_stage(stage: str, reply: str, status: str) -> None:
    with Peer({stage: reply}) as peer:
        assert set(statuses(deliver(peer))) == {status}


#: Extension -> what the client says with it, and does not say without it
SAID = {
    "CHUNKING": "BDAT ",
    "SIZE": " SIZE=",
    "DSN": " RET=",
}


@pytest.mark.parametrize("extension", SAID)
@pytest.mark.parametrize("spelled", [str.lower, str.upper, " {} ".format])
def test_ignored_extension_is_left_unused(extension: str, spelled: t.Callable[[str], str]) -> None:
    envelope = Envelope("a@a.test", ("b@b.test",), b"x\r\n", dsn=DsnRequest(("failure",)))
    for ignored in ([], [spelled(extension)]):
        with Peer(extensions=EVERYTHING) as peer:
            assert statuses(deliver(peer, envelope, ignore_extensions=ignored)) == {"sent": 1}
        assert any(SAID[extension] in command for command in peer.commands) is not bool(ignored)


def test_pipelining_can_be_left_unused() -> None:
    trips = {}
    for ignored in ((), ("pipelining", "chunking")):
        with Peer(extensions=EVERYTHING) as peer, SmtpSession(settings(peer, ignore_extensions=ignored)) as session:
            session.deliver(LETTER)
            trips[ignored] = session.info.round_trips
    assert trips["pipelining", "chunking"] - trips[()] == 9  # MAIL and each RCPT have a round trip of their own


@pytest.mark.parametrize(
    ("extension", "envelope"),
    [
        ("SMTPUTF8", Envelope("a@a.test", ("用户@b.test",), b"x\r\n")),
        ("8BITMIME", Envelope("a@a.test", ("b@b.test",), "é\r\n".encode())),
    ],
)
def test_message_that_needs_an_ignored_extension_is_refused(extension: str, envelope: Envelope) -> None:
    with Peer(extensions=EVERYTHING) as peer:
        result = deliver(peer, envelope, ignore_extensions=[extension])
    assert statuses(result) == {"refused": 1}
    assert f"ignore_extensions names {extension}" in result.recipients[0].problem


@pytest.mark.parametrize(
    ("extension", "advice"),
    [
        ("starttls", "set tls: none to send without TLS"),
        ("AUTH", "remove username"),
        ("REQUIRETLS", "set require_tls: false"),
        ("ENHANCEDSTATUSCODES", "expected any of 8BITMIME, CHUNKING, DSN, PIPELINING, SIZE, SMTPUTF8"),
        ("chunk", "expected any of"),
        ("", "expected any of"),
    ],
)
def test_extension_that_cannot_be_ignored_is_refused(extension: str, advice: str) -> None:
    with pytest.raises(InvalidSettings, match=f"^ignore_extensions: '{extension}' cannot be ignored; .*{advice}"):
        ServerSettings("mx.test", ignore_extensions=["CHUNKING", extension])
