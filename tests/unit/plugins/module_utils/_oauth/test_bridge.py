# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge in LMTP dialogues over a socket, with a provider that fails as a test requires.

Covers bridge.py, lmtp.py, upstream.py, and ``passing.py`` of ``_smtp``.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import tracemalloc
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._oauth import upstream
from ansible_collections.mailops.smtp.plugins.module_utils._oauth.bridge import Bridge
from ansible_collections.mailops.smtp.plugins.module_utils._oauth.lmtp import LmtpClient
from ansible_collections.mailops.smtp.plugins.module_utils._oauth.store import State, StoredToken
from ansible_collections.mailops.smtp.plugins.module_utils._oauth.upstream import BadConfig, BridgeConfig, probe
from ansible_collections.mailops.smtp.tests.fault.peer import Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

USER, TOKEN = "relay@example.com", "t0ken-" + "x" * 3000
EXTENSIONS = ("PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING", "AUTH XOAUTH2")
ENVELOPE = ("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>", "DATA")
MESSAGE = b"Subject: x\r\n\r\nHello\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


class Provider:
    """A provider whose logins are answered in turn, the last answer again and again."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers) or ["235 2.7.0 welcome"]
        self.logins: list[bytes] = []

    def xoauth2(self) -> t.Generator[bytes, bytes, str]:
        self.logins.append((yield b""))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Line:
    """The client's end of a bridge that runs, what it logged, and the state of its upstream."""

    def __init__(self, folder: Path, peer: Peer, authority: Authority, token_wait: float) -> None:
        self.state = State(str(folder), "m365")
        self.wanted = folder / "m365.wanted"
        self.logged: list[str] = []
        form = {
            "host": "localhost",
            "port": peer.port,
            "tls": "starttls",
            "username": USER,
            "state_directory": str(folder),
            "helo": "relay.example.com",
            "ca_file": authority.ca_file,
            "timeout": 5,
            "token_wait": token_wait,
        }
        self.config = BridgeConfig.read("m365", json.dumps(form).encode())
        self._own, self._other = socket.socketpair()
        self._own.settimeout(20)
        self._input = self._own.makefile("rb")
        client = LmtpClient(self._other.fileno(), self._other.fileno(), 20)
        self._thread = threading.Thread(target=self._run, args=[client], daemon=True)

    def _run(self, client: LmtpClient) -> None:
        Bridge(self.config, client, self.logged.append).run()
        self._other.close()

    def __enter__(self) -> Line:
        self._thread.start()
        assert self.reply().startswith("220 relay.example.com")
        return self

    def __exit__(self, *_exception: object) -> None:
        self.leave()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def leave(self) -> None:
        """Go without a word."""
        self._input.close()
        self._own.close()

    def send(self, data: bytes) -> None:
        self._own.sendall(data)

    def reply(self) -> str:
        """The last line of the next reply, with the others before it."""
        lines = [self._input.readline().decode().rstrip("\r\n")]
        while lines[-1][3:4] == "-":
            lines.append(self._input.readline().decode().rstrip("\r\n"))
        return "\n".join(lines)

    def say(self, *commands: str) -> list[str]:
        """Send commands as one group, and return the reply to each."""
        self.send("".join(f"{command}\r\n" for command in commands).encode())
        return [self.reply() for _command in commands]

    def mail(self, *recipients: str, content: bytes = MESSAGE) -> list[str]:
        """Send a message, and return the reply to each accepted recipient."""
        group = ("MAIL FROM:<a@example.com>", *(f"RCPT TO:<{one}>" for one in recipients or ["b@example.net"]), "DATA")
        replies = self.say(*group)
        assert replies[-1].startswith("354"), replies
        self.send(content + b".\r\n")
        return [self.reply() for reply in replies[1:-1] if reply.startswith("250")]


@contextlib.contextmanager
def bridge(
    folder: Path,
    authority: Authority,
    provider: Provider | None = None,
    life: float | None = 3600,
    token_wait: float = 0,
    **peer: t.Any,
) -> Iterator[tuple[Line, Peer]]:
    """Run a bridge; ``life`` is that of its token, None for no token."""
    provider = provider or Provider()
    options = {"extensions": EXTENSIONS, "tls": authority.server, "sasl": {"XOAUTH2": provider.xoauth2}, **peer}
    with Peer(**options) as server, Line(folder, server, authority, token_wait) as line:
        if life is not None:
            line.state.keep_token(StoredToken(TOKEN, time.time(), time.time() + life))
        yield line, server


def test_provider_extensions_are_announced_and_its_reply_is_passed_on(tmp_path: Path, authority: Authority) -> None:
    provider = Provider()
    with bridge(tmp_path, authority, provider) as (line, peer):
        [hello] = line.say("LHLO relay.example.com")
        assert hello.splitlines() == [
            *("250-relay.example.com", "250-PIPELINING", "250-ENHANCEDSTATUSCODES"),
            *("250-SIZE 50000000", "250-8BITMIME", "250-SMTPUTF8", "250 DSN"),
        ]
        assert line.mail() == ["250 2.0.0 Ok: queued as PEER12345"]
        assert line.say("QUIT") == ["221 2.0.0 Bye"]
    assert peer.messages == [MESSAGE + b".\r\n"]
    assert provider.logins == [f"user={USER}\1auth=Bearer {TOKEN}\1\1".encode()]
    assert line.logged == []


@pytest.mark.parametrize("extensions", [EXTENSIONS, EXTENSIONS[1:]], ids=["pipelining", "in turn"])
def test_messages_share_a_connection_and_each_recipient_has_its_reply(
    tmp_path: Path, authority: Authority, extensions: tuple[str, ...]
) -> None:
    def disturb(moment: Moment) -> str | None:
        return "550 5.1.1 No such user" if moment.recipient == "no@example.net" else None

    with bridge(tmp_path, authority, extensions=extensions, disturb=disturb) as (line, peer):
        line.say("LHLO x")
        for _number in range(2):
            replies = line.say(
                *("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>", "RCPT TO:<no@example.net>"),
                *("RCPT TO:<c@example.net>", "DATA"),
            )
            assert [one[:9] for one in replies] == ["250 2.1.0", "250 2.1.5", "550 5.1.1", "250 2.1.5", "354 go ah"]
            line.send(MESSAGE + b".\r\n")
            assert [line.reply()[:3], line.reply()[:3]] == ["250", "250"]
        assert line.say("NOOP") == ["250 2.0.0 Ok"], "nothing follows the two replies"
    assert peer.connections == 1
    assert [one.recipients for one in peer.receipts] == [["b@example.net", "c@example.net"]] * 2


@pytest.mark.parametrize("extensions", [EXTENSIONS, EXTENSIONS[1:]], ids=["pipelining", "in turn"])
def test_message_without_recipients_is_not_sent(
    tmp_path: Path, authority: Authority, extensions: tuple[str, ...]
) -> None:
    replies = {"RCPT": "550 5.1.1 No such user"}
    with bridge(tmp_path, authority, extensions=extensions, replies=replies) as (line, peer):
        line.say("LHLO x")
        assert [one[:3] for one in line.say(*ENVELOPE)] == ["250", "550", "503"]
        assert line.say("RSET") == ["250 2.0.0 Ok"]
        peer.replies.clear()
        assert line.mail() == ["250 2.0.0 Ok: queued as PEER12345"]
    assert [one.content for one in peer.receipts if one.recipients] == [MESSAGE + b".\r\n"]


def test_parameters_and_octets_pass_unchanged(tmp_path: Path, authority: Authority) -> None:
    content = b"..dot\r\n\xc3\xa4 bare \n lf\r\n...\r\nend\r\n"
    with bridge(tmp_path, authority) as (line, peer):
        line.say("LHLO x")
        mail = "MAIL FROM:<ä@example.com> SIZE=50 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=1"
        rcpt = "RCPT TO:<ö@example.net> NOTIFY=FAILURE ORCPT=rfc822;b@example.net"
        assert line.say(mail, rcpt, "DATA")[-1].startswith("354")
        line.send(content + b".\r\n")
        assert line.reply().startswith("250")
        assert line.mail(content=b"") == ["250 2.0.0 Ok: queued as PEER12345"]
    assert peer.messages == [content + b".\r\n", b".\r\n"]
    assert [mail, rcpt] == [one for one in peer.commands if one in (mail, rcpt)]


#: answer to the login, the reply of the bridge, whether another token is wanted, words in the log
LOGINS = [
    ("535 5.7.3 Authentication unsuccessful", "451 4.7.0 ", True, "object ID|wrong|login"),
    ("432 4.3.2 Concurrent connections limit exceeded", "432 4.3.2 Concurrent", False, "432 4.3.2"),
    ("430 4.2.0 STOREDRV; cannot open mailbox", "430 4.2.0 STOREDRV", False, "430 4.2.0"),
    ("421 4.7.0 Try again later", "421 4.7.0 Try", False, "421 4.7.0"),
    ("550 5.7.30 Basic authentication is not supported", "451 4.7.0 ", True, "5.7.30"),
]


@pytest.mark.parametrize(("answer", "told", "wanted", "words"), LOGINS, ids=[one[0][:9] for one in LOGINS])
def test_refused_login_makes_mail_wait(
    tmp_path: Path, authority: Authority, answer: str, told: str, wanted: bool, words: str
) -> None:
    with bridge(tmp_path, authority, Provider(answer)) as (line, peer):
        [reply] = line.say("LHLO x")
        assert reply.startswith(told)
        assert TOKEN not in reply
        assert line.say("MAIL FROM:<a@example.com>") == ["503 5.5.1 LHLO first"]
    assert line.wanted.exists() is wanted
    assert len(line.logged) == 1
    assert any(word in line.logged[0] for word in words.split("|")), line.logged
    assert TOKEN not in line.logged[0]
    assert peer.messages == []


OPENING = ["GREETING", "EHLO", "STARTTLS", "TLS", "AUTH"]
UNTIL_LOGIN = [
    *(Fault.CLOSE, Fault.RESET, Fault.GARBAGE, Fault.ENDLESS, Fault.OUT_OF_STEP, Fault.INJECT),
    *("421 4.3.2 closing", "554 5.7.1 no service", "454 4.7.0 later", "250-\xff\r\n250 \x1b[2J", "199 what"),
]


@pytest.mark.parametrize("fault", UNTIL_LOGIN)
@pytest.mark.parametrize("stage", OPENING)
def test_session_that_cannot_be_opened_makes_mail_wait(
    tmp_path: Path, authority: Authority, stage: str, fault: Fault | str
) -> None:
    failed: list[Moment] = []

    def disturb(moment: Moment) -> Fault | str | None:
        if moment.stage != stage or moment.connection > 1:
            return None
        failed.append(moment)
        return fault

    with bridge(tmp_path, authority, disturb=disturb) as (line, peer):
        [reply] = line.say("LHLO x")
        assert reply.startswith(("4", "250-")), reply
        assert TOKEN not in reply + str(line.logged)
        assert reply.isprintable() or reply.startswith("250-")
        if reply.startswith("4"):
            assert len(line.logged) == 1
            assert line.say("LHLO x")[0].startswith("250-")
        assert line.mail() == ["250 2.0.0 Ok: queued as PEER12345"]
    assert peer.messages == [MESSAGE + b".\r\n"]


@pytest.mark.parametrize(
    "challenge",
    [
        b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}',
        b"",
        b"\xff\x00",
        b"[" * 2_000,
        b"\x1b[2J\r\n250 ok",
    ],
)
def test_challenge_that_explains_a_refusal_is_answered(tmp_path: Path, authority: Authority, challenge: bytes) -> None:
    """The provider refuses a token by a challenge with JSON, and by its reply to the empty response."""
    answers: list[bytes] = []

    def refuse() -> t.Generator[bytes, bytes, str]:
        yield b""
        answers.append((yield challenge))
        return "535 5.7.8 Username and Password not accepted"

    with bridge(tmp_path, authority, sasl={"XOAUTH2": refuse}) as (line, _peer):
        [reply] = line.say("LHLO x")
        assert reply.startswith("4"), reply
        assert reply.isprintable()
        assert TOKEN not in reply + str(line.logged)
    assert answers == [b""]
    assert line.wanted.exists()


@pytest.mark.parametrize(
    ("life", "words"), [(None, "no token has been fetched yet"), (-120, "token expired 2 min ago")]
)
def test_without_a_valid_token_mail_waits_and_one_is_asked_for(
    tmp_path: Path, authority: Authority, life: float | None, words: str
) -> None:
    with bridge(tmp_path, authority, life=life) as (line, peer):
        [reply] = line.say("LHLO x")
        assert reply.startswith("451 4.7.0 ")
        assert words in reply
        assert words in line.logged[0]
        assert line.wanted.exists()
        line.state.keep_token(StoredToken(TOKEN, time.time(), time.time() + 3600))
        assert line.say("LHLO x")[0].startswith("250-"), "the new token is read"
    assert peer.connections == 1


def test_token_that_is_on_its_way_is_waited_for(tmp_path: Path, authority: Authority) -> None:
    with bridge(tmp_path, authority, life=None, token_wait=10) as (line, _peer):
        line.send(b"LHLO x\r\n")
        while not line.wanted.exists():
            time.sleep(0.01)
        line.state.keep_token(StoredToken(TOKEN, time.time(), time.time() + 3600))
        assert line.reply().startswith("250-")
        assert line.logged == []


def test_token_that_expires_between_messages_is_replaced(tmp_path: Path, authority: Authority) -> None:
    provider = Provider()
    with bridge(tmp_path, authority, provider, life=11.5) as (line, peer):
        line.say("LHLO x")
        assert line.mail()[0].startswith("250")
        time.sleep(1.6)  # until less than ten seconds of its life are left
        assert line.say("MAIL FROM:<a@example.com>")[0].startswith("451 4.7.0 ")
        line.state.keep_token(StoredToken("an0ther", time.time(), time.time() + 3600))
        assert line.mail()[0].startswith("250")
    assert peer.connections == 2
    assert b"an0ther" in provider.logins[-1]


#: fault or reply, its stage -> the reply of the bridge to the message; what is at DATA or later is told each recipient
FAULTS = [
    (Fault.CLOSE, "MAIL", "451 4.4.2"),
    (Fault.STALL, "MAIL", "451 4.4.2"),
    (Fault.CLOSE, "RCPT", "451 4.4.2"),
    (Fault.CLOSE, "DATA", "451 4.4.2"),
    ("421 4.3.0 closing", "RCPT", "421 4.3.0"),
    ("530 5.7.57 Client not authenticated", "MAIL", "451 4.7.0"),
    ("550 5.7.60 SendAsDenied", "MAIL", "550 5.7.60"),
    (Fault.GARBAGE, "RCPT", "451 4.5.0"),
    (Fault.CLOSE, "BODY", "451 4.4.2"),
    (Fault.CLOSE, ".", "451 4.4.2"),
    (Fault.ACCEPT_AND_CLOSE, ".", "451 4.4.2"),
    ("554 5.2.0 STOREDRV", ".", "554 5.2.0"),
    ("452 4.3.1 later", ".", "452 4.3.1"),
    ("421 4.3.0 closing", ".", "421 4.3.0"),
    ("552 5.3.4 too large", "BODY", "552 5.3.4"),
]


@pytest.mark.parametrize(("fault", "stage", "told"), FAULTS)
def test_failure_is_told_and_the_next_message_goes(
    tmp_path: Path, authority: Authority, fault: Fault | str, stage: str, told: str
) -> None:
    failed: list[Moment] = []

    def disturb(moment: Moment) -> Fault | str | None:
        if moment.stage != stage or failed:
            return None
        failed.append(moment)
        return fault

    with bridge(tmp_path, authority, disturb=disturb) as (line, peer):
        line.say("LHLO x")
        replies = line.say(*ENVELOPE)
        if replies[-1].startswith("354"):
            with contextlib.suppress(OSError):
                line.send(b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 50_000 + b".\r\n")
            replies = [line.reply()]
        worst = next(one for one in replies if not one.startswith("250"))
        assert worst.startswith(told), replies
        line.say("RSET")
        before = len(peer.receipts)
        assert line.mail()[0].startswith("250")
        assert len(peer.receipts) == before + 1


@pytest.mark.parametrize("extensions", [EXTENSIONS, EXTENSIONS[1:]], ids=["pipelining", "in turn"])
def test_a_thousand_recipients_have_a_reply_each(
    tmp_path: Path, authority: Authority, extensions: tuple[str, ...]
) -> None:
    """In more than one group: all of them are 60 kB."""

    def disturb(moment: Moment) -> str | None:
        return "550 5.1.1 No such user" if moment.recipient.startswith("no") else None

    recipients = [f"{'no' if number % 10 == 0 else 'yes'}{number}@{'x' * 30}.example.net" for number in range(1000)]
    with bridge(tmp_path, authority, extensions=extensions, disturb=disturb) as (line, peer):
        line.say("LHLO x")
        assert line.mail(*recipients) == ["250 2.0.0 Ok: queued as PEER12345"] * 900
        assert line.say("NOOP") == ["250 2.0.0 Ok"], "nothing follows the replies"
    assert [one.recipients for one in peer.receipts] == [[one for one in recipients if one.startswith("yes")]]


@pytest.mark.parametrize("fault", [Fault.CLOSE, "421 4.3.0 closing", "530 5.7.57 not authenticated"])
@pytest.mark.parametrize("extensions", [EXTENSIONS, EXTENSIONS[1:]], ids=["pipelining", "in turn"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT"])
def test_recipients_that_arrive_after_a_failure_wait_too(
    tmp_path: Path, authority: Authority, fault: Fault | str, extensions: tuple[str, ...], stage: str
) -> None:
    """A thousand recipients come in several groups: a permanent refusal of the later ones would return their mail."""

    def disturb(moment: Moment) -> Fault | str | None:
        return fault if moment.stage == stage and moment.recipient in ("", "r1@example.net") else None

    with bridge(tmp_path, authority, extensions=extensions, disturb=disturb) as (line, _peer):
        line.say("LHLO x")
        replies = line.say("MAIL FROM:<a@example.com>", *(f"RCPT TO:<r{number}@example.net>" for number in range(3)))
        for number in range(3, 1000, 200):
            replies += line.say(*(f"RCPT TO:<r{number + more}@example.net>" for more in range(200)))
        replies += line.say("DATA")
        accepted = 2 if stage == "RCPT" else 0
        assert {one[:3] for one in replies[:accepted]} <= {"250"}
        assert {one[:1] for one in replies[accepted:]} == {"4"}
        assert line.say("RSET", "RCPT TO:<a@example.net>")[1].startswith("503"), "nothing of it is left"


def test_recipients_that_are_accepted_without_the_sender_get_no_message(tmp_path: Path, authority: Authority) -> None:
    with bridge(tmp_path, authority, replies={"MAIL": "550 5.7.60 SendAsDenied"}) as (line, peer):
        line.say("LHLO x")
        replies = line.say(*ENVELOPE)
        assert replies[0].startswith("550 5.7.60")
        assert replies[-1].startswith("503")
    assert [one.content for one in peer.receipts if one.recipients and len(one.content) > 3] == []


def test_reply_that_waits_is_not_that_to_the_content(tmp_path: Path, authority: Authority) -> None:
    replies = {"DATA": "354 go ahead\r\n250 2.0.0 queued already"}
    with bridge(tmp_path, authority, replies=replies) as (line, peer):
        line.say("LHLO x")
        assert line.say(*ENVELOPE)[-1].startswith("354")
        line.send(MESSAGE + b".\r\n")
        assert line.reply().startswith("451 4.5.0")
    assert peer.messages == []


def test_client_that_goes_before_its_content_sends_nothing(tmp_path: Path, authority: Authority) -> None:
    with bridge(tmp_path, authority) as (line, peer):
        line.say("LHLO x")
        assert line.say(*ENVELOPE)[-1].startswith("354")
    assert (peer.messages, peer.cut) == ([], [b""])  # a QUIT would be content


def test_client_that_goes_while_the_provider_answers_sends_nothing(tmp_path: Path, authority: Authority) -> None:
    def leave(moment: Moment) -> None:
        if moment.stage == "DATA":
            line.leave()

    with bridge(tmp_path, authority, disturb=leave) as (line, peer):
        line.say("LHLO x")
        line.send("".join(f"{command}\r\n" for command in ENVELOPE).encode())
    assert (peer.messages, peer.cut) == ([], [b""])  # a QUIT would be content


def test_reset_that_is_refused_ends_the_session(tmp_path: Path, authority: Authority) -> None:
    with bridge(tmp_path, authority, replies={"RSET": "500 5.5.1 what"}) as (line, peer):
        line.say("LHLO x")
        line.say(*ENVELOPE[:2])
        assert line.say("RSET") == ["250 2.0.0 Ok"]
        assert line.mail() == ["250 2.0.0 Ok: queued as PEER12345"]
    assert peer.connections == 2


@pytest.mark.parametrize("fault", [Fault.CLOSE, "421 4.4.2 idle for too long"])
def test_session_that_the_provider_ends_between_messages_is_replaced(
    tmp_path: Path, authority: Authority, fault: Fault | str
) -> None:
    def disturb(moment: Moment) -> Fault | str | None:
        return fault if moment.connection == 1 and (moment.stage == "MAIL" and peer.messages) else None

    with bridge(tmp_path, authority, disturb=disturb) as (line, peer):
        line.say("LHLO x")
        assert [line.mail(), line.mail()] == [["250 2.0.0 Ok: queued as PEER12345"]] * 2
    assert peer.connections == 2
    assert len(peer.messages) == 2
    assert line.logged == []


def test_large_message_takes_constant_memory(tmp_path: Path, authority: Authority) -> None:
    row = b".." + b"x" * 70 + b"\r\n"
    rows = 25_000_000 // len(row)
    with bridge(tmp_path, authority) as (line, peer):
        line.say("LHLO x")
        line.say(*ENVELOPE)
        tracemalloc.start()
        peer_before = tracemalloc.get_traced_memory()[0]
        for _number in range(rows // 1000):
            line.send(row * 1000)
        line.send(b".\r\n")
        assert line.reply().startswith("250")
        snapshot = tracemalloc.take_snapshot()
        tracemalloc.stop()
    here = [tracemalloc.Filter(True, "*/_oauth/*"), tracemalloc.Filter(True, "*/_smtp/*")]
    assert sum(one.size for one in snapshot.filter_traces(here).statistics("filename")) < 1_000_000, peer_before
    assert peer.messages[0] == row * (rows // 1000 * 1000) + b".\r\n"


@pytest.mark.parametrize("cut", [b"Subject: x\r\n\r\nHello\r\n", b"Hello\r\n."])
def test_client_that_goes_in_the_middle_sends_nothing(tmp_path: Path, authority: Authority, cut: bytes) -> None:
    with bridge(tmp_path, authority) as (line, peer):
        line.say("LHLO x")
        line.say(*ENVELOPE)
        line.send(cut)
    assert (peer.messages, len(peer.cut)) == ([], 1)
    assert cut.startswith(peer.cut[0])  # a QUIT would be content


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16384, 16385])
def test_end_of_content_is_found_wherever_it_is_cut(size: int) -> None:
    content = b"a\r\n..\r\n.\rx\r\n" * 4000 + b"\r\n.\r\n"
    own, other = os.pipe()
    client = LmtpClient(own, other, 5)

    def write() -> None:
        data = content + b"NOOP\r\n"
        step = max(size, 64) if size < 8 else size
        for start in range(0, len(data), step):
            os.write(other, data[start : start + step])
        if size < 8:
            for octet in b"x\r\n.\r\n":
                os.write(other, bytes([octet]))

    thread = threading.Thread(target=write)
    thread.start()
    assert b"".join(client.content()) == content
    assert client.line() == b"NOOP\r\n"
    if size < 8:
        assert b"".join(client.content()) == b"x\r\n.\r\n"
    thread.join()
    os.close(own)
    os.close(other)


#: what is said -> reply
REFUSED = [
    ("EHLO x", "500 5.5.2"),
    ("MAIL FROM:<a@example.com>", "503 5.5.1 LHLO"),
    ("RCPT TO:<a@example.com>", "503 5.5.1 MAIL"),
    ("DATA", "503 5.5.1 MAIL"),
    ("", "500 5.5.2"),
    ("VRFY a", "252 2.1.5"),
]


@pytest.mark.parametrize(("said", "told"), REFUSED)
def test_command_out_of_order_is_refused(tmp_path: Path, authority: Authority, said: str, told: str) -> None:
    with bridge(tmp_path, authority) as (line, _peer):
        assert line.say(said)[0].startswith(told)


def test_missing_file_of_authorities_is_named(tmp_path: Path, authority: Authority) -> None:
    with bridge(tmp_path, authority) as (line, peer):
        Path(authority.ca_file).rename(tmp_path / "away")
        [reply] = line.say("LHLO x")
        (tmp_path / "away").rename(authority.ca_file)
        assert reply.startswith(f"451 4.7.5 ca_file {authority.ca_file} cannot be read: No such file"), reply
        assert "ca_file" in line.logged[0]
        assert not line.wanted.exists()
    assert peer.connections == 0


def test_untrusted_provider_gets_no_token(tmp_path: Path, authority: Authority) -> None:
    other = authority_for("localhost", tmp_path)
    provider = Provider()
    with bridge(tmp_path, authority, provider, tls=other.server) as (line, _peer):
        assert line.say("LHLO x")[0].startswith("451 4.7.5 ")
    assert provider.logins == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tls": "none"}, "tls is none; expected starttls or implicit"),
        ({"host": "https://x"}, "run the role again"),
        ({"username": None, "state_directory": 5}, "run the role again"),
    ],
)
def test_unusable_configuration_is_named(change: dict[str, t.Any], words: str) -> None:
    form = {"host": "h.example", "port": 587, "tls": "starttls", "username": USER, "state_directory": "/x", **change}
    with pytest.raises(BadConfig, match=words):
        BridgeConfig.read("m365", json.dumps(form).encode())


BUSY = "432 4.3.2 Concurrent connections limit exceeded"


@pytest.mark.parametrize(
    ("answers", "accepted", "words"),
    [([BUSY, "235 2.7.0 welcome"], True, "logged in"), ([BUSY], False, "432 4.3.2"), ([BUSY, "535 no"], False, "535")],
)
def test_probe_asks_a_busy_provider_again(
    tmp_path: Path,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
    accepted: bool,
    words: str,
) -> None:
    monkeypatch.setattr(upstream, "_BUSY", (0.0, 0.0))
    with bridge(tmp_path, authority, Provider(*answers)) as (line, _peer):
        said: list[str] = []
        assert probe(line.config, said.append) is accepted
    assert len(said) == 1
    assert words in said[0]


def test_probe_logs_in_once(tmp_path: Path, authority: Authority) -> None:
    provider = Provider("235 2.7.0 welcome", "535 5.7.3 no")
    with bridge(tmp_path, authority, provider) as (line, _peer):
        said: list[str] = []
        assert [probe(line.config, said.append), probe(line.config, said.append)] == [True, False]
    assert said[0] == f"m365: logged in at {line.config.settings.server} as {USER}"
    assert "535 5.7.3" in said[1]
