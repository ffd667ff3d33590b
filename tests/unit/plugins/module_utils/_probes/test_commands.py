# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single commands, at the right and at the wrong time.

Covers _probes/commands.py and _probes/rate.py.
"""

from __future__ import annotations

import socket
import threading
import typing as t
from collections import Counter

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._probes import commands
from ansible_collections.mailops.smtp.plugins.module_utils._probes.probes import run_probes
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.tests.fault.peer import GREETING, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for
from ansible_collections.mailops.smtp.tests.unit.support.probed import CLEAR, GOOD, IMPLICIT, STARTTLS, by_path, probe


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for what does not come."""
    monkeypatch.setattr(commands, "_INJECTED", 0.3)


#: Greeting -> name, products, versions.
GREETINGS: list[tuple[str, str, list[str], list[str]]] = [
    ("220 mx.peer.test ESMTP", "mx.peer.test", [], []),
    ("220 mx.peer.test", "mx.peer.test", [], []),
    ("220 mx.peer.test ESMTP Postfix (Debian/GNU)", "mx.peer.test", ["Postfix", "Debian"], []),
    ("220 postfix.peer.test ESMTP", "postfix.peer.test", [], []),
    ("220 mx.peer.test ESMTP Exim 4.96 Sat, 28 Nov 2026 13:37:51 +0000", "mx.peer.test", ["Exim"], ["4.96"]),
    ("220 mx.peer.test ESMTP Sendmail 8.17.1/8.17.1; now", "mx.peer.test", ["Sendmail"], ["8.17.1"]),
    (
        "220 mx.peer.test Microsoft ESMTP MAIL Service, Version: 10.0.17763.1697 ready",
        "mx.peer.test",
        ["Microsoft ESMTP MAIL Service"],
        ["10.0.17763.1697"],
    ),
    ("220 mx.peer.test ESMTP OpenSMTPD", "mx.peer.test", ["OpenSMTPD"], []),
    ("220 mx.peer.test ESMTP Haraka/3.0.5 ready", "mx.peer.test", ["Haraka"], ["3.0.5"]),
    ("220-mx.peer.test ESMTP\r\n220 MDaemon 24.0.1; no spam", "mx.peer.test", ["MDaemon"], ["24.0.1"]),
    ("220 [192.0.2.1] ESMTP", "[192.0.2.1]", [], []),
    ("220 mx.peer.test ESMTP <script>alert(1)</script>", "mx.peer.test", [], []),
]


@pytest.mark.parametrize(("greeting", "name", "products", "versions"), GREETINGS)
def test_banner(greeting: str, name: str, products: list[str], versions: list[str]) -> None:
    with Peer(replies={GREETING: greeting}) as peer:
        facts, unknown = probe(peer, "banner")
    assert facts.banner, unknown
    assert (facts.banner.name, list(facts.banner.products), list(facts.banner.versions)) == (name, products, versions)


VRFY, EXPN, ETRN, HELP, DSN, XFORWARD, XCLIENT = "VRFY", "EXPN", "ETRN", "HELP", "DSN", "XFORWARD", "XCLIENT"
#: Command, the server's reply to it, whether it is usable.
USABLE: list[tuple[str, str, bool | None]] = [
    (VRFY, "250 2.1.5 Postmaster <postmaster@peer.test>", True),
    (VRFY, "252 2.0.0 try it", None),
    (VRFY, "502 5.5.1 VRFY command is disabled", False),
    (VRFY, "550 5.1.1 unknown", False),
    (VRFY, "450 4.1.1 later", None),
    (EXPN, "250-2.1.5 <a@peer.test>\r\n250 2.1.5 <b@peer.test>", True),
    (EXPN, "502 5.5.1 not implemented", False),
    (ETRN, "250 2.0.0 Queuing started", True),
    (ETRN, "459 4.7.0 not allowed", False),
    (ETRN, "451 4.3.0 later", None),
    (ETRN, "500 5.5.1 unknown command", False),
    (HELP, "214 2.0.0 Sendmail 8.17.1", True),
    (HELP, "502 5.5.1 not implemented", False),
    (XCLIENT, "220 mx.peer.test ESMTP", True),
    (XCLIENT, "550 5.7.0 Error: insufficient authorization", False),
    (XFORWARD, "250 2.0.0 Ok", True),
    (XFORWARD, "550 5.7.0 Error: insufficient authorization", False),
]


@pytest.mark.parametrize(("command", "reply", "usable"), USABLE)
def test_command(command: str, reply: str, usable: bool | None) -> None:
    with Peer(replies={**GOOD, command: reply}, extensions=[command]) as peer:
        facts, unknown = probe(peer, "commands")
    assert facts.commands, unknown
    tried = {one.command.split(" ")[0]: one for one in facts.commands}
    assert tried[command].usable is usable
    assert [one.command for one in facts.commands if one.offered] == [
        one.command for one in facts.commands if one.command.startswith(command)
    ]
    assert str(tried[command].answer.code) == reply[:3]


def test_good_server_does_none_of_it() -> None:
    with Peer(replies={**GOOD, "MAIL": "555 5.5.4 Unsupported option"}) as peer:
        facts, unknown = probe(peer, "commands")
    assert facts.commands
    assert [one.usable for one in facts.commands] == [False] * 8
    assert (peer.connections, unknown) == (1, {})


#: The replies to VRFY for a user and for an unknown one -> whether each is usable.
TOLD = [
    ("252 2.0.0 postmaster", "550 5.1.1 unknown", [True, False]),
    ("252 2.0.0 postmaster", "252 2.0.0 unknown", [None, None]),
    ("250 2.1.5 postmaster", "550 5.1.1 unknown", [True, False]),
    ("502 5.5.1 disabled", "502 5.5.1 disabled", [False, False]),
    ("550 5.1.1 unknown", "550 5.1.1 unknown", [False, False]),
]


@pytest.mark.parametrize(("user", "unknown_user", "usable"), TOLD)
def test_vrfy_that_tells_users_apart(user: str, unknown_user: str, usable: list[bool | None]) -> None:
    said = iter([user, unknown_user])
    with Peer(replies=GOOD, disturb=lambda moment: next(said) if moment.stage == VRFY else None) as peer:
        facts, _unknown = probe(peer, "commands")
    assert facts.commands
    assert [one.usable for one in facts.commands if one.command.startswith(VRFY)] == usable


def test_dsn_is_usable_and_undone() -> None:
    with Peer(replies=GOOD, extensions=["DSN"]) as peer:
        facts, _unknown = probe(peer, "commands")
    assert facts.commands
    (dsn,) = (one for one in facts.commands if "RET=HDRS" in one.command)
    assert (dsn.offered, dsn.usable) == (True, True)
    assert peer.commands[peer.commands.index(dsn.command) + 1] == "RSET"


def test_command_that_ends_the_session_does_not_end_the_others() -> None:
    with Peer(replies=GOOD, faults={"ETRN": Fault.CLOSE}) as peer:
        facts, unknown = probe(peer, "commands")
    assert facts.commands
    assert len(facts.commands) == 7
    assert unknown == {"probes.commands[3]": "ETRN: the connection was lost: the server closed it (stage ehlo)"}


SIZES: list[tuple[list[str], str, int | None, int | None]] = [
    (["SIZE 1000"], "552 5.3.4 too big", 1000, 552),
    (["SIZE 1000"], "250 2.1.0 ok", 1000, 250),
    (["SIZE"], "250 2.1.0 ok", None, None),
    (["SIZE 0"], "250 2.1.0 ok", None, None),
    ([], "250 2.1.0 ok", None, None),
]


@pytest.mark.parametrize(("extensions", "reply", "offered", "code"), SIZES)
def test_size(extensions: list[str], reply: str, offered: int | None, code: int | None) -> None:
    with Peer(replies={"MAIL": reply}, extensions=extensions) as peer:
        facts, _unknown = probe(peer, "size")
    assert facts.size
    assert (facts.size.offered, facts.size.answer and facts.size.answer.code) == (offered, code)
    asked = [*peer.commands][-3:-1] if "QUIT" in peer.commands[-1] else [*peer.commands][-2:]
    assert (asked == ["MAIL FROM:<> SIZE=1001", "RSET"]) is (code is not None), "Postfix keeps a size that it refused"


def plain_login() -> t.Generator[bytes, bytes, str]:
    yield b""
    return "535 5.7.8 authentication failed"


def test_auth_before_tls_begins_and_is_cancelled() -> None:
    with Peer(extensions=["AUTH PLAIN LOGIN"], sasl={"PLAIN": plain_login}) as peer:
        facts, _unknown = probe(peer, "auth_before_tls")
    assert facts.auth_before_tls
    assert facts.auth_before_tls.mechanisms == ("PLAIN", "LOGIN")
    assert facts.auth_before_tls.answer.code == 334
    assert peer.commands[1:3] == ["AUTH PLAIN", "*"]


@pytest.mark.parametrize("reply", ["530 5.7.0 Must issue STARTTLS", "503 5.5.1 not available", "538 encryption"])
def test_auth_before_tls_is_refused(reply: str) -> None:
    with Peer(replies={"AUTH": reply}) as peer:
        facts, _unknown = probe(peer, "auth_before_tls")
    assert facts.auth_before_tls
    assert facts.auth_before_tls.mechanisms == ()
    assert str(facts.auth_before_tls.answer.code) == reply[:3]


def test_nothing_is_before_implicit_tls(authority: Authority) -> None:
    with Peer(tls=authority.server, implicit=True) as peer:
        facts, unknown = probe(peer, "auth_before_tls", "injection", tls=IMPLICIT)
    assert (facts.auth_before_tls, facts.injection) == (None, None)
    assert unknown == {
        "probes.auth_before_tls": "the port has TLS from the first octet",
        "probes.injection": "the server does not offer STARTTLS",
    }


# STARTTLS


@pytest.mark.parametrize("vulnerable", [False, True])
def test_injected_command(authority: Authority, vulnerable: bool) -> None:
    with Peer(tls=authority.server, keeps_plaintext=vulnerable) as peer:
        facts, unknown = probe(peer, "injection", "size", tls=STARTTLS)
    assert facts.injection, unknown
    assert facts.injection.answered_in_tls is vulnerable
    assert facts.injection.refusal is None
    assert peer.connections == 1


def test_server_that_remembers_what_was_said_in_clear(authority: Authority) -> None:
    def forgets(moment: Moment) -> str | None:
        return "503 5.5.1 Send EHLO first" if moment.stage == "MAIL" and moment.encrypted else None

    for disturb, code in ((lambda _moment: None, 250), (forgets, 503)):
        with Peer(tls=authority.server, disturb=disturb) as peer:
            facts, _unknown = probe(peer, "injection", tls=STARTTLS)
        assert facts.injection
        assert facts.injection.mail_without_ehlo
        assert facts.injection.mail_without_ehlo.code == code


def test_server_that_refuses_starttls_with_a_command_behind_it(authority: Authority) -> None:
    with Peer(tls=authority.server, replies={"STARTTLS": "554 5.5.0 Error: SMTP protocol synchronization"}) as peer:
        facts, unknown = probe(peer, "injection", tls=STARTTLS)
    assert facts.injection
    assert (facts.injection.starttls.code, facts.injection.answered_in_tls, unknown) == (554, None, {})


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.RESET, Fault.GARBAGE])
def test_handshake_that_fails_after_an_injection(authority: Authority, fault: Fault) -> None:
    with Peer(tls=authority.server, faults={"TLS": fault}) as peer:
        facts, _unknown = probe(peer, "injection", tls=STARTTLS, timeout=2)
    assert facts.injection
    assert facts.injection.answered_in_tls is None
    assert facts.injection.refusal


def test_injected_command_answered_in_clear() -> None:
    with Peer(extensions=["STARTTLS"], replies={"STARTTLS": "220 2.0.0 go ahead"}) as peer:
        facts, _unknown = probe(peer, "injection", tls=STARTTLS)
    assert facts.injection
    assert facts.injection.answered_in_clear
    assert facts.injection.answered_in_clear.code == 250


# Early talk


def scripted(before: bytes, after: bytes) -> tuple[int, threading.Thread]:
    """Serve one connection: say something, read once, say something, close. Returns the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as stream:
            stream.recv(1000)
            stream.sendall(before)
            if after:
                stream.sendall(after)
            stream.shutdown(socket.SHUT_WR)
            while stream.recv(1000):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


#: What the server says to early talk -> codes of greeting and answer, or part of the reason.
EARLY: list[tuple[bytes, bytes, tuple[int, int | None] | str]] = [
    (b"220 mx.peer.test ESMTP\r\n", b"250 mx.peer.test\r\n", (220, 250)),
    (b"554 SMTP synchronization error\r\n", b"", (554, None)),
    (b"220 mx.peer.test ESMTP\r\n", b"550 5.5.1 Protocol error\r\n", (220, 550)),
    (b"220 mx.peer.test ESMTP\r\n", b"421 4.5.0 talk later\r\n", (220, 421)),
    (b"521 5.5.1 Protocol error\r\n", b"", (521, None)),
    (b"421 4.7.0 too many connections\r\n", b"", "421 4.7.0 too many connections"),
    (b"", b"", "the server closed it"),
]


@pytest.mark.parametrize(("before", "after", "expected"), EARLY)
def test_early_talk(before: bytes, after: bytes, expected: tuple[int, int | None] | str) -> None:
    port, thread = scripted(before, after)
    facts, unknown = run_probes(ServerSettings("127.0.0.1", port, CLEAR, timeout=3), ["early_talk"])
    thread.join(5)
    if isinstance(expected, str):
        assert facts.early_talk is None
        assert expected in by_path(unknown)["probes.early_talk"]
    else:
        assert facts.early_talk, unknown
        answer = facts.early_talk.answer
        assert (facts.early_talk.greeting.code, answer.code if answer else None) == expected


# Wrong logins


def logins(authority: Authority, *replies: str, extensions: t.Sequence[str] = ("AUTH PLAIN",)) -> Peer:
    said = iter(replies)

    def disturb(moment: Moment) -> str | None:
        return next(said) if moment.stage == "AUTH" else None

    return Peer(tls=authority.server, extensions=extensions, disturb=disturb)


REFUSED = "535 5.7.8 Error: authentication failed"
#: The replies for the user and for an unknown one -> whether they are the same.
SAME: list[tuple[str, str, bool]] = [
    (REFUSED, REFUSED, True),
    (REFUSED, "535 5.7.8 Error: no such user", False),
    (REFUSED, "550 5.7.8 Error: authentication failed", False),
    ("535 5.7.8 boss@peer.test: wrong", "535 5.7.8 NONCE@peer.test: wrong", True),
]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(("user", "unknown_user", "same"), SAME)
def test_wrong_password_and_unknown_user(
    authority: Authority, user: str, unknown_user: str, same: bool, mechanism: str
) -> None:
    with logins(authority, user, unknown_user, extensions=[f"AUTH {mechanism}"]) as peer:
        options: dict[str, t.Any] = {"username": "boss@peer.test", "nonce": "NONCE"}
        facts, unknown = probe(peer, "login_replies", tls=STARTTLS, **options)
    assert facts.login_replies, unknown
    assert facts.login_replies.same is same
    assert facts.login_replies.wrong_password
    assert facts.login_replies.wrong_password.milliseconds >= 0


def test_without_a_user_only_an_unknown_one_is_tried(authority: Authority) -> None:
    with logins(authority, REFUSED) as peer:
        facts, _unknown = probe(peer, "login_replies", tls=STARTTLS)
    assert facts.login_replies
    assert (facts.login_replies.wrong_password, facts.login_replies.same) == (None, None)
    assert Counter(one.split(" ")[0] for one in peer.commands)["AUTH"] == 1


#: Mechanisms, TLS, reply -> part of the reason.
NO_LOGIN: list[tuple[list[str], bool, str, str]] = [
    (["AUTH PLAIN"], False, REFUSED, "has no TLS"),
    (["AUTH SCRAM-SHA-256"], True, REFUSED, "neither PLAIN nor LOGIN"),
    (["AUTH PLAIN"], True, "454 4.7.0 Temporary authentication failure", "cannot tell now"),
    (["AUTH PLAIN"], True, "421 4.7.0 too many failures", "421 4.7.0"),
]


@pytest.mark.parametrize(("extensions", "tls", "reply", "reason"), NO_LOGIN)
def test_login_reply_that_is_not_known(
    authority: Authority, extensions: list[str], tls: bool, reply: str, reason: str
) -> None:
    with Peer(tls=authority.server if tls else None, extensions=extensions, replies={"AUTH": reply}) as peer:
        facts, unknown = probe(peer, "login_replies", tls=STARTTLS, username="boss")
    assert facts.login_replies is None
    assert reason in unknown["probes.login_replies"]


# Limits


def after(count: int, stage: str, reply: str) -> t.Callable[[Moment], str | None]:
    """Object to a stage from its ``count``-th time on."""
    seen: Counter[str] = Counter()

    def disturb(moment: Moment) -> str | None:
        seen[moment.stage] += 1
        return reply if moment.stage == stage and seen[stage] > count else None

    return disturb


def test_limit_of_connections() -> None:
    with Peer(disturb=after(3, GREETING, "421 4.7.0 Error: too many connections from you")) as peer:
        facts, unknown = probe(peer, "rate")
    assert facts.rate, unknown
    found = facts.rate.connections
    assert (found.done, found.tried, found.answer and found.answer.code, found.closed) == (3, 6, 421, False)
    assert peer.connections == 4


def test_limit_of_messages_and_errors() -> None:
    with Peer(disturb=after(7, "MAIL", "450 4.7.1 Error: too much mail from you"), replies=GOOD) as peer:
        facts, _unknown = probe(peer, "rate")
    assert facts.rate
    assert facts.rate.transactions
    assert facts.rate.transactions.answer
    assert (facts.rate.transactions.done, facts.rate.transactions.answer.code) == (7, 450)
    assert facts.rate.errors
    assert (facts.rate.errors.done, facts.rate.errors.answer) == (25, None)
    assert peer.connections == 6


def test_limit_of_errors() -> None:
    with Peer(disturb=after(20, "XXXX", "421 4.7.0 Error: too many errors"), replies=GOOD) as peer:
        facts, _unknown = probe(peer, "rate")
    assert facts.rate
    assert facts.rate.errors
    assert facts.rate.errors.answer
    assert (facts.rate.errors.done, facts.rate.errors.answer.code, facts.rate.errors.closed) == (20, 421, True)


def test_rate_uses_what_is_left() -> None:
    with Peer() as peer:
        facts, _unknown = probe(peer, "banner", "rate", connections=3)
    assert facts.rate
    assert (facts.rate.connections.tried, peer.connections) == (2, 3)


def test_first_connection_that_is_refused_is_not_known() -> None:
    with Peer(replies={GREETING: "421 4.7.0 too many connections"}) as peer:
        facts, unknown = probe(peer, "rate")
    assert facts.rate is None
    assert "421 4.7.0 too many connections" in unknown["probes.rate"]
