# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with a scripted server, over sockets and TLS.

Covers _smtp/session.py, the parts of _smtp/connection.py and _smtp/transaction.py that a session uses, and the checks
of _smtp/settings.py and _smtp/delivery.py.
"""

from __future__ import annotations

import base64
import re
import select
import threading
import traceback
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import errors
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import DeliveryResult, Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import Reply
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.transaction import MailTransaction
from ansible_collections.mailops.smtp.tests.fault.peer import BETWEEN, END_OF_DATA, GREETING, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

PLAINTEXT = TlsPolicy(TlsMode.NONE)
LOGIN = Credentials("user", "hunter2-secret")
AUTH_PLAIN_RESPONSE = base64.b64encode(b"\0user\0hunter2-secret").decode()
ENVELOPE = Envelope(
    "from@a.test", ("one@b.test", "two@b.test"), b"Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n", "<id@a.test>"
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def settings(peer: Peer, **changes: t.Any) -> ServerSettings:
    defaults: dict[str, t.Any] = {"host": "localhost", "port": peer.port, "tls": PLAINTEXT, "timeout": 1.0}
    defaults["final_timeout"] = changes.get("timeout", 1.0)
    return ServerSettings(**{**defaults, **changes})


def deliver(peer: Peer, envelope: Envelope = ENVELOPE, **changes: t.Any) -> DeliveryResult:
    with SmtpSession(settings(peer, **changes)) as session:
        return session.deliver(envelope)


def statuses(result: DeliveryResult) -> list[str]:
    return [recipient.status.value for recipient in result.recipients]


@pytest.mark.parametrize("extensions", [["PIPELINING", "SIZE 9999"], []])
def test_message_arrives_unchanged(extensions: list[str]) -> None:
    with Peer(extensions=extensions) as peer:
        result = deliver(peer)
    assert statuses(result) == ["sent", "sent"]
    assert result.queue_id == "PEER12345"
    assert peer.messages == [b"Subject: x\r\n\r\n..dot\r\n...\r\nend\r\n.\r\n"]
    size = f" SIZE={len(ENVELOPE.content)}" if extensions else ""
    assert peer.commands[1:] == [
        f"MAIL FROM:<from@a.test>{size}",
        "RCPT TO:<one@b.test>",
        "RCPT TO:<two@b.test>",
        "DATA",
        "QUIT",
    ]
    assert peer.connections == 1


def test_messages_follow_a_refused_one_in_the_same_session() -> None:
    with Peer(replies={"RCPT": "550 5.1.1 unknown"}) as peer, SmtpSession(settings(peer)) as session:
        assert statuses(session.deliver(ENVELOPE)) == ["refused", "refused"]
        del peer.replies["RCPT"]
        assert statuses(session.deliver(ENVELOPE)) == ["sent", "sent"]
        assert statuses(session.deliver(ENVELOPE)) == ["sent", "sent"]
    # the server waited for a message although no recipient was left, and received an empty one (RFC 2920 section 3.1)
    assert [len(message) for message in peer.messages] == [3, 34, 34]


#: command -> (reply, status of both recipients, deciding stage)
REPLIES = [
    ("MAIL", "550 5.7.1 not you", "refused", "mail"),
    ("MAIL", "451 4.3.0 later", "deferred", "mail"),
    ("RCPT", "550 5.1.1 unknown", "refused", "rcpt"),
    ("RCPT", "450 4.2.0 greylisted", "deferred", "rcpt"),
    ("DATA", "554 5.5.1 no", "refused", "data"),
    ("DATA", "421 4.3.2 closing", "deferred", "data"),
    (END_OF_DATA, "554 5.6.0 spam", "refused", "end of data"),
    (END_OF_DATA, "452 4.3.1 full", "deferred", "end of data"),
]


@pytest.mark.parametrize("extensions", [["PIPELINING"], []], ids=["pipelining", "in turn"])
@pytest.mark.parametrize(("command", "reply", "status", "stage"), REPLIES)
def test_reply_decides_status_and_stage(
    command: str, reply: str, status: str, stage: str, extensions: list[str]
) -> None:
    with Peer(replies={command: reply}, extensions=extensions) as peer:
        result = deliver(peer)
    assert statuses(result) == [status, status]
    assert {recipient.stage.value for recipient in result.recipients} == {stage}
    assert all(reply.split(" ", 2)[2] in recipient.problem for recipient in result.recipients)
    assert b"end" not in b"".join(peer.messages)


#: command, fault -> status of both recipients
FAULTS = [
    (command, fault, "unknown" if command == END_OF_DATA else "deferred")
    for command in ("MAIL", "RCPT", "DATA", END_OF_DATA)
    for fault in (Fault.CLOSE, Fault.RESET, Fault.STALL, Fault.DRIP, Fault.ACCEPT_AND_CLOSE)
]


@pytest.mark.parametrize(("command", "fault", "status"), FAULTS)
def test_lost_connection_is_never_success(command: str, fault: Fault, status: str) -> None:
    with Peer(faults={command: fault}) as peer:
        result = deliver(peer, timeout=0.4)
    assert statuses(result) == [status, status]
    if command != END_OF_DATA:
        assert peer.messages == []


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.RESET, Fault.GARBAGE])
def test_fault_after_quit_changes_nothing(fault: Fault) -> None:
    with Peer(faults={"QUIT": fault}) as peer:
        assert statuses(deliver(peer)) == ["sent", "sent"]


OPENING_FAULTS = [
    (GREETING, Fault.CLOSE, errors.ConnectionLost, "the server closed it"),
    (GREETING, Fault.STALL, errors.ConnectionLost, "no answer within"),
    (GREETING, Fault.DRIP, errors.ConnectionLost, "no answer within"),
    (GREETING, Fault.GARBAGE, errors.ProtocolViolation, "not an SMTP reply"),
    (GREETING, Fault.ENDLESS, errors.ProtocolViolation, "a line of the reply is longer than 4096 octets"),
    ("EHLO", Fault.RESET, errors.ConnectionLost, "connection"),
    ("EHLO", Fault.GARBAGE, errors.ProtocolViolation, "not an SMTP reply"),
]


@pytest.mark.parametrize(("command", "fault", "error", "words"), OPENING_FAULTS)
def test_fault_in_the_opening_is_an_error_with_its_stage(
    command: str, fault: Fault, error: type[errors.SmtpError], words: str
) -> None:
    with Peer(faults={command: fault}) as peer, pytest.raises(error, match=words) as caught:
        deliver(peer, timeout=0.4)
    assert caught.value.stage.value == command.lower()
    assert f"localhost:{peer.port}" in str(caught.value)


def test_refusing_greeting_is_an_error() -> None:
    with Peer(replies={GREETING: "554 5.7.1 go away"}) as peer, pytest.raises(errors.CommandRefused, match="go away"):
        deliver(peer)


def test_greeting_of_another_protocol_is_named() -> None:
    words = r'not an SMTP reply: "\* OK ready" is IMAP\. Set host and port to those of an SMTP server'
    with Peer(replies={GREETING: "* OK ready"}) as peer, pytest.raises(errors.ProtocolViolation, match=words):
        deliver(peer)


def test_closed_port_is_an_error() -> None:
    with Peer() as peer:
        port = peer.port
    with pytest.raises(errors.ConnectFailed, match=f"localhost:{port}, stage connect: .*refused"):
        SmtpSession(ServerSettings("localhost", port, PLAINTEXT)).__enter__()


def test_name_that_does_not_resolve_is_an_error() -> None:
    with pytest.raises(errors.ConnectFailed, match="nowhere.invalid does not resolve"):
        SmtpSession(ServerSettings("nowhere.invalid", 25, PLAINTEXT)).__enter__()


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
def test_tls_and_login_succeed(authority: Authority, mode: TlsMode) -> None:
    implicit = mode is TlsMode.IMPLICIT
    with Peer(extensions=["AUTH LOGIN PLAIN"], tls=authority.server, implicit=implicit) as peer:
        changes = {"tls": TlsPolicy(mode, ca_file=authority.ca_file), "credentials": LOGIN}
        with SmtpSession(settings(peer, **changes)) as session:
            assert statuses(session.deliver(ENVELOPE)) == ["sent", "sent"]
            info = session.info.to_dict()
    assert info["tls_version"] == "TLSv1.3"
    assert info["tls_verified"] is True
    assert info["auth_mechanism"] == "PLAIN"
    assert f"AUTH PLAIN {AUTH_PLAIN_RESPONSE}" in peer.commands


def test_server_without_ehlo_gets_helo() -> None:
    """RFC 5321 section 3.2."""
    with Peer({"EHLO": "502 5.5.1 command not implemented"}, extensions=["PIPELINING"]) as peer:
        result = deliver(peer)
    assert statuses(result) == ["sent", "sent"]
    assert [command.split()[0] for command in peer.commands[:3]] == ["EHLO", "HELO", "MAIL"]
    assert "SIZE" not in peer.commands[2]


def test_session_info_has_round_trips_and_certificate(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer:
        changes = {"tls": TlsPolicy(ca_file=authority.ca_file)}
        with SmtpSession(settings(peer, **changes)) as session:
            opening = session.info.round_trips
            assert len(list(session.deliver_all([ENVELOPE] * 5))) == 5
            info = session.info.to_dict()
    assert opening == 5  # greeting, EHLO, STARTTLS, handshake, EHLO
    assert info["round_trips"] - opening == 10  # for each message, one for its envelope and one for its content
    assert info["messages"] == 5
    assert 0 < info["seconds"] < 10
    assert re.fullmatch("O=trustme v[0-9.]+, OU=Testing cert #.+", info["certificate_subject"])
    assert re.fullmatch("[0-9a-f]{64}", info["certificate_sha256"])
    assert info["certificate_expires"].endswith("GMT")


def test_login_mechanism_answers_the_prompts(authority: Authority) -> None:
    with Peer(extensions=["AUTH LOGIN"], tls=authority.server) as peer:
        deliver(peer, tls=TlsPolicy(ca_file=authority.ca_file), credentials=LOGIN)
    index = peer.commands.index("AUTH LOGIN")
    assert [base64.b64decode(line) for line in peer.commands[index + 1 : index + 3]] == [b"user", b"hunter2-secret"]


def test_refused_login_is_tried_once_and_shows_no_secret(authority: Authority) -> None:
    replies = {"AUTH": f"535 5.7.8 {AUTH_PLAIN_RESPONSE} and hunter2-secret are wrong"}
    with (
        Peer(replies, extensions=["AUTH PLAIN LOGIN"], tls=authority.server) as peer,
        pytest.raises(errors.AuthRefused, match="535 5.7.8") as caught,
    ):
        deliver(peer, tls=TlsPolicy(ca_file=authority.ca_file), credentials=LOGIN)
    assert sum(command.startswith("AUTH") for command in peer.commands) == 1
    assert AUTH_PLAIN_RESPONSE not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(LOGIN)


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
def test_untrusted_certificate_is_refused_before_any_login(authority: Authority, mode: TlsMode) -> None:
    with (
        Peer(extensions=["AUTH PLAIN"], tls=authority.server, implicit=mode is TlsMode.IMPLICIT) as peer,
        pytest.raises(errors.TlsFailed, match="certificate was refused"),
    ):
        deliver(peer, tls=TlsPolicy(mode), credentials=LOGIN)
    assert not any(command.startswith("AUTH") for command in peer.commands)


def test_certificate_for_another_name_is_refused(authority: Authority) -> None:
    words = r"'127\.0\.0\.1'\. Set host or tls_server_name to a name in the certificate"
    with Peer(tls=authority.server) as peer, pytest.raises(errors.TlsFailed, match=words):
        deliver(peer, host="127.0.0.1", tls=TlsPolicy(ca_file=authority.ca_file))


def test_connection_without_verification_is_not_verified(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer, SmtpSession(settings(peer, tls=TlsPolicy(verify=False))) as session:
        assert session.info.tls is not None
        assert session.info.tls.verified is False


def test_missing_starttls_is_an_error_and_not_a_downgrade() -> None:
    with Peer(extensions=["AUTH PLAIN"]) as peer, pytest.raises(errors.TlsFailed, match="does not offer it"):
        deliver(peer, tls=TlsPolicy(), credentials=LOGIN)
    assert [command.split(" ")[0] for command in peer.commands] == ["EHLO"]


def test_plaintext_ahead_of_tls_is_refused(authority: Authority) -> None:
    """CVE-2011-0411: data from before the handshake must not be treated as data from inside TLS."""
    with (
        Peer(faults={"STARTTLS": Fault.INJECT}, tls=authority.server) as peer,
        pytest.raises(errors.ProtocolViolation, match="plaintext ahead of TLS"),
    ):
        deliver(peer, tls=TlsPolicy(ca_file=authority.ca_file))


def test_implicit_tls_on_a_plaintext_port_advises_starttls() -> None:
    with Peer() as peer, pytest.raises(errors.TlsFailed, match="tls: starttls"):
        deliver(peer, tls=TlsPolicy(TlsMode.IMPLICIT))


def test_no_common_mechanism_is_an_error(authority: Authority) -> None:
    with (
        Peer(extensions=["AUTH GSSAPI"], tls=authority.server) as peer,
        pytest.raises(errors.NotOffered, match="offers GSSAPI"),
    ):
        deliver(peer, tls=TlsPolicy(ca_file=authority.ca_file), credentials=LOGIN)


def test_message_too_large_for_the_server_is_refused_before_mail() -> None:
    with Peer(extensions=["SIZE 10"]) as peer:
        result = deliver(peer)
    assert statuses(result) == ["refused", "refused"]
    assert "accepts at most 10" in result.recipients[0].problem
    assert not any(command.startswith("MAIL") for command in peer.commands)


def test_utf8_address_needs_smtputf8() -> None:
    envelope = Envelope("from@a.test", ("用户@b.test",), b"x\r\n")
    with Peer(extensions=[]) as peer:
        assert statuses(deliver(peer, envelope)) == ["refused"]
    with Peer(extensions=["SMTPUTF8"]) as peer:
        assert statuses(deliver(peer, envelope)) == ["sent"]
    assert "MAIL FROM:<from@a.test> BODY=8BITMIME SMTPUTF8" in peer.commands


def test_open_transaction_is_reset() -> None:
    replies = {"RCPT": "550 5.1.1 unknown", "DATA": "554 5.5.1 no valid recipients"}
    with Peer(replies) as peer, SmtpSession(settings(peer)) as session:
        assert statuses(session.deliver(ENVELOPE)) == ["refused", "refused"]
        peer.replies.clear()
        assert statuses(session.deliver(ENVELOPE)) == ["sent", "sent"]
    assert peer.commands.count("RSET") == 1


@pytest.mark.parametrize(
    "echo", [f"535 5.7.8 {AUTH_PLAIN_RESPONSE[3:-4]} is wrong", f"ERR AUTH PLAIN {AUTH_PLAIN_RESPONSE}"]
)
def test_echo_of_a_login_is_not_shown(authority: Authority, echo: str) -> None:
    with (
        Peer({"AUTH": echo}, extensions=["AUTH PLAIN"], tls=authority.server) as peer,
        pytest.raises(errors.SmtpError) as caught,
    ):
        deliver(peer, tls=TlsPolicy(ca_file=authority.ca_file), credentials=LOGIN)
    assert caught.value.stage is errors.Stage.AUTH
    shown = "".join(traceback.format_exception(caught.value))
    assert not [start for start in range(20) if AUTH_PLAIN_RESPONSE[start : start + 8] in shown], shown


def test_lmtp_gives_each_recipient_a_reply() -> None:
    """RFC 2033 section 4.2."""
    with Peer({END_OF_DATA: "250 2.0.0 one\r\n452 4.2.2 two is full"}) as peer:
        result = deliver(peer, lmtp=True)
    assert statuses(result) == ["sent", "deferred"]
    assert peer.commands[0].startswith("LHLO ")


def test_reply_of_a_server_that_closes_during_the_content_is_reported() -> None:
    """The server sends its reason and closes while the content is being sent."""
    envelope = Envelope("from@a.test", ("one@b.test",), b"x" * 70 + b"\r\n" + b"y\r\n" * 3_000_000)
    with Peer(faults={"DATA": Fault.BREAK_OFF}, extensions=["PIPELINING"]) as peer:
        result = deliver(peer, envelope)
    assert statuses(result) == ["refused"]
    assert "552 5.3.4" in result.recipients[0].problem


OUT_OF_STEP = [
    ({"DATA": "250 2.0.0 ok"}, {}, "data"),
    ({"MAIL": "354 go"}, {}, "mail"),
    ({"RCPT": "354 go"}, {}, "rcpt"),
    ({}, {"MAIL": Fault.INJECT}, "data"),
    ({}, {"RCPT": Fault.INJECT}, "data"),
]


@pytest.mark.parametrize("extensions", [["PIPELINING"], []], ids=["pipelining", "in turn"])
@pytest.mark.parametrize(("replies", "faults", "stage"), OUT_OF_STEP)
def test_reply_out_of_step_never_means_sent(
    replies: dict[str, str], faults: dict[str, Fault], stage: str, extensions: list[str]
) -> None:
    with Peer(replies, faults, extensions) as peer:
        result = deliver(peer)
    assert "sent" not in statuses(result), result
    assert peer.messages in ([], [b".\r\n"])


@pytest.mark.parametrize("extensions", [["PIPELINING", "CHUNKING"], ["CHUNKING"], ["PIPELINING"], []])
def test_reply_without_a_command_never_means_sent(extensions: list[str]) -> None:
    idle = threading.Event()

    def disturb(moment: Moment) -> str | None:
        if moment.stage == BETWEEN:
            return "250 2.0.0 one more" if idle.wait(5) else None
        return "552 5.3.4 too large" if moment.stage == END_OF_DATA and moment.sender == "second@a.test" else None

    with Peer(extensions=extensions, disturb=disturb) as peer, SmtpSession(settings(peer)) as session:
        assert statuses(session.deliver(ENVELOPE)) == ["sent", "sent"]
        idle.set()
        assert select.select([session._connection._stream], [], [], 5)[0]
        result = session.deliver(replace(ENVELOPE, sender="second@a.test"))
    assert "sent" not in statuses(result), result
    assert "the server sent a reply without a command" in result.recipients[0].problem


def test_session_tickets_of_tls_are_not_replies(authority: Authority) -> None:
    authority.server.num_tickets = 4
    with (
        Peer(tls=authority.server, implicit=True, extensions=["CHUNKING", "PIPELINING"]) as peer,
        SmtpSession(settings(peer, tls=TlsPolicy(TlsMode.IMPLICIT, ca_file=authority.ca_file))) as session,
    ):
        assert [statuses(session.deliver(ENVELOPE)) for _number in range(3)] == [["sent", "sent"]] * 3


def test_many_recipients_without_pipelining_are_judged_three_times_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    takes: list[int] = []
    take = MailTransaction.take

    def counted(transaction: MailTransaction, replies: t.Sequence[Reply]) -> bool:
        takes.append(len(replies))
        return take(transaction, replies)

    monkeypatch.setattr(MailTransaction, "take", counted)
    with Peer(extensions=[]) as peer:
        result = deliver(peer, replace(ENVELOPE, recipients=tuple(f"r{number}@b.test" for number in range(50))))
    assert set(statuses(result)) == {"sent"}
    assert takes == [1, 51, 52]


def test_endless_challenges_are_cancelled(authority: Authority) -> None:
    with (
        Peer({"AUTH": "334 ", "*": "334 "}, extensions=["AUTH PLAIN"], tls=authority.server) as peer,
        pytest.raises(errors.ProtocolViolation, match="sent a challenge after the exchange was complete"),
    ):
        deliver(peer, tls=TlsPolicy(ca_file=authority.ca_file), credentials=LOGIN)
    assert peer.commands[-1] == "*"
