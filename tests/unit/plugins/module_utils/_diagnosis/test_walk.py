# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk through a server: what is asked, what each fault at each step means, and its limits.

Covers _diagnosis/walk.py, record.py, questions.py, steps.py and _smtp/watched.py together.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import ssl
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis import reaching
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.questions import Answers, Questions
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.walk import MOST_CONNECTIONS, walk
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Kind
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import read
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import SmtpFacts
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.proxy import Proxy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import END_OF_DATA, GREETING, TLS, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

SECRET = "correct horse battery"
LOGIN = Credentials("deploy@a.test", SECRET)
EXTENSIONS = ("PIPELINING", "SIZE 1000000", "AUTH PLAIN LOGIN", "ENHANCEDSTATUSCODES")
MESSAGE = Envelope("deploy@a.test", ("ops@b.test",), b"Message-ID: <1@a.test>\r\n\r\nconfidential\r\n", "<1@a.test>")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def settings_for(peer: Peer, authority: Authority, **changes: t.Any) -> ServerSettings:
    """The settings for a peer on this host, with STARTTLS and a login."""
    given: dict[str, t.Any] = {
        "tls": TlsPolicy(ca_file=authority.ca_file),
        "credentials": LOGIN,
        "ehlo_name": "client.test",
        "timeout": 5.0,
        "final_timeout": 5.0,
        **changes,
    }
    return ServerSettings("localhost", peer.port, **given)


def ask(peer: Peer, authority: Authority, /, **changes: t.Any) -> Answers:
    """Walk through a peer; fields of ``Questions`` are taken from the changes, the others are settings."""
    names = ("provider", "sender", "recipient", "message", "wrong_login", "no_login")
    asked = {"sender": "deploy@a.test", "recipient": "ops@b.test", **{n: changes.pop(n) for n in names if n in changes}}
    return walk(Questions(settings_for(peer, authority, **changes), vantage="client.test", **asked))


def states(answers: Answers) -> dict[str, str]:
    return {one.step.value: one.state.value for one in answers.results}


def test_every_step_of_a_session_is_told(authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        answers = ask(peer, authority)
    steps = ["name", "connect", "greeting", "ehlo", "starttls", "tls", "ehlo in tls", "login", "sender", "recipient"]
    assert states(answers) == dict.fromkeys(steps, "passed")
    assert answers.problem is None
    facts = answers.evidence.facts
    assert facts.addresses == ("127.0.0.1",) or "::1" in (facts.addresses or ())
    assert facts.greeting
    assert (facts.greeting.code, facts.greeting.text) == (220, "peer.test ESMTP")
    assert facts.ehlo
    assert facts.ehlo_in_tls
    assert "STARTTLS" in facts.ehlo.extensions
    assert "STARTTLS" not in facts.ehlo_in_tls.extensions
    assert facts.ehlo_in_tls.auth_mechanisms == ("PLAIN", "LOGIN")
    assert facts.ehlo_in_tls.max_size == 1000000
    assert facts.tls
    assert (facts.tls.began, facts.tls.accepted, facts.tls.verified) == ("starttls", True, True)
    assert facts.tls.chain[0].names == ("localhost",)
    assert facts.tls.chain[0].sha256 == authority.digest
    assert facts.login
    assert (facts.login.accepted, facts.login.mechanism, facts.login.answer.code) == (True, "PLAIN", 235)
    assert facts.sender
    assert facts.recipient
    assert facts.connections_made == 2
    assert answers.evidence.seen_from.host == "client.test"
    assert answers.evidence.seen_from.addresses == ("127.0.0.1",)
    assert answers.evidence.unknown == ()
    assert "DATA" not in peer.commands
    assert peer.commands[-2:] == ["RCPT TO:<ops@b.test>", "QUIT"]


def test_evidence_can_be_read_back(authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        evidence = ask(peer, authority, wrong_login=True, message=MESSAGE).evidence
    document = json.loads(json.dumps(evidence.to_dict()))
    assert read(document, {Kind.SMTP: SmtpFacts}) == evidence


WAYS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[str]]] = {
    "implicit TLS": ({"implicit": True}, {"mode": TlsMode.IMPLICIT}, ["tls", "greeting", "ehlo in tls", "login"]),
    "opportunistic TLS": ({}, {"mode": TlsMode.OPPORTUNISTIC}, ["greeting", "ehlo", "starttls", "tls", "ehlo in tls"]),
    "TLS is not offered": ({"tls": None}, {"mode": TlsMode.OPPORTUNISTIC}, ["greeting", "ehlo"]),
    "TLS is not used": ({}, {"mode": TlsMode.NONE}, ["greeting", "ehlo"]),
}


@pytest.mark.parametrize("way", WAYS)
def test_steps_follow_the_way_in_which_tls_begins(authority: Authority, way: str) -> None:
    given, policy, wanted = WAYS[way]
    with Peer(**{"tls": authority.server, "extensions": EXTENSIONS, **given}) as peer:
        tls = TlsPolicy(ca_file=authority.ca_file, **policy)
        answers = ask(peer, authority, tls=tls, credentials=LOGIN if "login" in wanted else None)
    assert states(answers) == dict.fromkeys(["name", "connect", *wanted, "sender", "recipient"], "passed")


def test_starttls_that_is_not_offered_is_known(authority: Authority) -> None:
    with Peer(extensions=EXTENSIONS) as peer:
        answers = ask(peer, authority)
    assert answers.problem
    assert (answers.problem.step.value, answers.problem.state.value) == ("starttls", "failed")
    assert {one.path for one in answers.evidence.unknown} == {"tls", "ehlo_in_tls", "login", "sender", "recipient"}


def test_a_server_without_ehlo_offers_nothing(authority: Authority) -> None:
    with Peer({"EHLO": "502 5.5.1 no", "HELO": "250-peer.test\r\n250 SIZE 5"}) as peer:
        answers = ask(peer, authority, tls=TlsPolicy(TlsMode.NONE), credentials=None)
    ehlo = answers.evidence.facts.ehlo
    assert ehlo
    assert (ehlo.answer.code, ehlo.extensions) == (250, {})


def test_lmtp_over_a_unix_socket(authority: Authority, tmp_path: t.Any) -> None:
    path = str(tmp_path / "lmtp")
    with Peer(unix_socket=path):
        settings = ServerSettings("localhost", tls=TlsPolicy(TlsMode.NONE), unix_socket=path, lmtp=True)
        answers = walk(Questions(settings, sender="a@b.test", recipient="c@d.test"))
    assert states(answers) == dict.fromkeys(["connect", "greeting", "ehlo", "sender", "recipient"], "passed")
    assert (answers.evidence.facts.host, answers.evidence.facts.port) == (path, None)
    missing = walk(Questions(replace(settings, unix_socket=f"{path}.none"), sender="a@b.test"))
    assert missing.problem
    assert (missing.problem.step.value, "does not exist" in missing.problem.problem) == ("connect", True)


def test_a_proxy_that_is_not_there(authority: Authority) -> None:
    with socket.socket() as unused, Peer() as peer:
        unused.bind(("127.0.0.1", 0))
        proxy = Proxy("socks5", "127.0.0.1", unused.getsockname()[1], "user", "hidden")
        answers = ask(peer, authority, proxy=proxy)
    assert answers.problem
    assert answers.problem.step.value == "connect"
    assert "Connection refused" in answers.problem.problem
    assert "hidden" not in json.dumps(answers.evidence.to_dict())


# What each fault at each step means

CLOSING, LATER, NEVER = "421 4.3.2 closing", "451 4.3.0 later", "550 5.7.1 never"
LOST = (Fault.CLOSE, Fault.RESET, Fault.STALL, Fault.DRIP, Fault.ACCEPT_AND_CLOSE, Fault.ACCEPT_AND_STALL)
NONSENSE = (Fault.GARBAGE, Fault.ENDLESS)
STEPS: dict[str, t.Callable[[Moment], bool]] = {
    "greeting": lambda moment: moment.stage == GREETING,
    "ehlo": lambda moment: moment.stage == "EHLO" and not moment.encrypted,
    "starttls": lambda moment: moment.stage == "STARTTLS",
    "tls": lambda moment: moment.stage == TLS,
    "ehlo in tls": lambda moment: moment.stage == "EHLO" and moment.encrypted,
    "login": lambda moment: moment.stage == "AUTH",
    "sender": lambda moment: moment.stage == "MAIL",
    "recipient": lambda moment: moment.stage == "RCPT",
}
#: Steps with a reply of their own.
REPLIES = [step for step in STEPS if step != "tls"]


def _meet(step: str, fault: Fault | str, authority: Authority) -> tuple[Answers, float, Peer]:
    def disturb(moment: Moment) -> Fault | str | None:
        return fault if STEPS[step](moment) else None

    patience = 0.3 if fault in (Fault.STALL, Fault.DRIP, Fault.ACCEPT_AND_STALL) else 5.0
    with Peer(tls=authority.server, extensions=EXTENSIONS, disturb=disturb) as peer:
        began = time.monotonic()
        answers = ask(peer, authority, timeout=patience)
        return answers, time.monotonic() - began, peer


# If the server resets a connection just before TLS begins, Python drops the new SSLSocket without closing it.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("step", STEPS)
def test_what_a_fault_means(authority: Authority, step: str) -> None:
    """A lost connection, silence and 4yz leave it unknown; 5yz and what is not SMTP is a failure; nothing follows."""
    refusals = [] if step == "tls" else [CLOSING, LATER, NEVER]
    # after an endless reply to STARTTLS the peer would begin TLS on a connection that is gone
    nonsense = NONSENSE[:1] if step == "starttls" else NONSENSE
    faults = [*LOST, *nonsense, *refusals]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda fault: _meet(step, fault, authority), faults))
    for fault, (answers, seconds, peer) in zip(faults, found, strict=True):
        what = f"{fault} at {step}: {[one.to_dict() for one in answers.results]}\n{peer.log}"
        unknown = (CLOSING, LATER, *LOST)
        wanted = ("unknown", "failed") if step == "tls" else ("unknown",) if fault in unknown else ("failed",)
        reached = states(answers)
        names = list(reached)
        if fault is Fault.RESET and reached["connect"] == "unknown":
            continue  # so early that connect() has met it
        assert reached[step] in wanted, what
        assert all(reached[one] == "passed" for one in names[: names.index(step)]), what
        assert all(reached[one] == "not reached" for one in names[names.index(step) + 1 :]), what
        assert seconds < 8, what
        assert answers.problem, what
        assert answers.problem.step.value == step, what
        assert answers.problem.problem.endswith((".", '"')), what
        assert SECRET not in json.dumps(answers.evidence.to_dict()), what
        assert peer.connections <= MOST_CONNECTIONS, what
        paths = [one.path for one in answers.evidence.unknown]
        assert len(paths) == len(set(paths)), what
        field = step.replace(" ", "_")
        assert (field in paths) == (getattr(answers.evidence.facts, field) is None), what


@pytest.mark.parametrize(
    ("spoken_at", "noticed_at"),
    [
        ("greeting", "ehlo"),
        ("ehlo", "starttls"),
        ("ehlo in tls", "login"),
        ("login", "sender"),
        ("sender", "recipient"),
    ],
)
def test_a_reply_to_nothing_is_not_the_next_reply(authority: Authority, spoken_at: str, noticed_at: str) -> None:
    answers, _seconds, _peer = _meet(spoken_at, Fault.INJECT, authority)
    assert answers.problem
    assert (answers.problem.step.value, answers.problem.state.value) == (noticed_at, "failed")
    assert answers.problem.problem == "The server sent a reply without a command."
    assert getattr(answers.evidence.facts, noticed_at) is None


@pytest.mark.parametrize("step", REPLIES)
def test_what_is_not_smtp_is_not_blamed_on_the_options_of_the_step(authority: Authority, step: str) -> None:
    faults: list[Fault | str] = [Fault.GARBAGE, "354 go ahead", *([] if step == "starttls" else [Fault.ENDLESS])]
    for fault in faults:
        answers, _seconds, _peer = _meet(step, fault, authority)
        assert answers.problem
        assert (answers.problem.step.value, answers.problem.state.value) == (step, "failed")
        assert "host and port" in answers.problem.advice, fault
        assert "refused" not in answers.problem.problem, fault


@pytest.mark.parametrize("step", REPLIES)
def test_a_refusal_is_a_fact_and_a_delay_is_not(authority: Authority, step: str) -> None:
    for reply, known in ((NEVER, True), (LATER, False), (CLOSING, False)):
        answers, _seconds, _peer = _meet(step, reply, authority)
        fact = getattr(answers.evidence.facts, step.replace(" ", "_"))
        assert (fact is not None) is known, reply
        reasons = {one.path: one.reason for one in answers.evidence.unknown}
        assert (reply in reasons.get(step.replace(" ", "_"), "")) is not known
        assert answers.problem
        assert reply in answers.problem.problem
        assert ("refused" in answers.problem.problem) is known
        assert answers.problem.advice, reply


# Login


def test_a_refused_login_has_the_advice_of_the_provider(authority: Authority) -> None:
    with Peer({"AUTH": "535 5.7.8 no"}, tls=authority.server, extensions=EXTENSIONS) as peer:
        answers = ask(peer, authority, provider="gmail")
    login = answers.evidence.facts.login
    assert login
    assert (login.accepted, login.mechanism, login.answer.code) == (False, "PLAIN", 535)
    assert answers.problem
    assert "create an app password" in answers.problem.advice


def test_a_reply_that_echoes_the_secret_is_scrubbed(authority: Authority) -> None:
    for replies in ({"AUTH": f"535 {SECRET} is wrong"}, {"AUTH": f"235 {SECRET}"}, {"MAIL": f"550 {SECRET}"}):
        with Peer(replies, tls=authority.server, extensions=EXTENSIONS) as peer:
            answers = ask(peer, authority)
        told = json.dumps([answers.evidence.to_dict(), *[one.to_dict() for one in answers.results]])
        assert SECRET not in told
        assert "horse" not in told


WRONG: list[tuple[str, str, bool | None]] = [
    ("535 5.7.8 no", "passed", False),
    ("235 2.7.0 welcome", "failed", True),
    ("454 4.7.0 later", "unknown", None),
    ("421 4.7.0 too many", "unknown", None),
]


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        (GREETING, "421 4.7.0 too many"),
        (GREETING, "554 5.7.1 go away"),
        ("EHLO", "550 5.7.1 no"),
        (GREETING, Fault.GARBAGE),
        ("AUTH", Fault.GARBAGE),
        ("AUTH", Fault.CLOSE),
    ],
)
def test_a_wrong_login_that_was_not_answered_is_unknown(authority: Authority, stage: str, reply: str | Fault) -> None:
    def disturb(moment: Moment) -> str | Fault | None:
        return reply if moment.stage == stage and moment.connection == 3 else None

    with Peer(tls=authority.server, extensions=EXTENSIONS, disturb=disturb) as peer:
        answers = ask(peer, authority, wrong_login=True)
    assert states(answers)["wrong login"] == "unknown"
    assert answers.evidence.facts.wrong_login is None
    assert "wrong_login" in [one.path for one in answers.evidence.unknown]


@pytest.mark.parametrize(("reply", "state", "accepted"), WRONG)
def test_a_wrong_login_passes_if_it_is_refused(
    authority: Authority, reply: str, state: str, accepted: bool | None
) -> None:
    def disturb(moment: Moment) -> str | None:
        return reply if moment.stage == "AUTH" and moment.connection == 3 else None

    with Peer(tls=authority.server, extensions=EXTENSIONS, disturb=disturb) as peer:
        answers = ask(peer, authority, wrong_login=True)
        logins = [one for one in peer.commands if one.startswith("AUTH")]
    assert states(answers)["wrong login"] == state
    fact = answers.evidence.facts.wrong_login
    assert (fact.accepted if fact else None) == accepted
    assert len(set(logins)) == 2, "the wrong login has another secret"


def test_no_token_is_a_step_of_its_own(authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        answers = ask(peer, authority, credentials=None, no_login=("No access token: no.", "Check oauth."))
        assert not [one for one in peer.commands if one.startswith("AUTH")]
    assert answers.problem
    assert (answers.problem.step.value, answers.problem.advice) == ("login", "Check oauth.")
    assert states(answers)["sender"] == "not reached"


# Sender, recipient, message


def test_a_test_message_is_sent_only_if_it_is_asked_for(authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        answers = ask(peer, authority, message=MESSAGE)
        assert len(peer.messages) == 1
    assert states(answers)["message"] == "passed"
    message = answers.evidence.facts.message
    assert message
    assert (message.accepted, message.queue_id) == (True, "PEER12345")
    assert "confidential" not in json.dumps(answers.evidence.to_dict())


MESSAGE_FAULTS: list[tuple[str, Fault | str, str, str]] = [
    ("MAIL", NEVER, "sender", "failed"),
    ("RCPT", NEVER, "recipient", "failed"),
    ("RCPT", "450 4.2.0 greylisted", "recipient", "unknown"),
    ("DATA", NEVER, "message", "failed"),
    (END_OF_DATA, "554 5.7.1 spam", "message", "failed"),
    (END_OF_DATA, LATER, "message", "unknown"),
    (END_OF_DATA, Fault.CLOSE, "message", "unknown"),
    ("DATA", Fault.STALL, "message", "unknown"),
]


@pytest.mark.parametrize(("stage", "fault", "step", "state"), MESSAGE_FAULTS)
def test_a_test_message_that_is_not_taken(
    authority: Authority, stage: str, fault: Fault | str, step: str, state: str
) -> None:
    with Peer(
        tls=authority.server,
        extensions=EXTENSIONS,
        disturb=lambda moment: fault if moment.stage == stage else None,
    ) as peer:
        answers = ask(peer, authority, message=MESSAGE, timeout=1.0, final_timeout=1.0)
    assert answers.problem
    assert (answers.problem.step.value, answers.problem.state.value) == (step, state)


NOT_OWNED = "553 5.7.1 <x@a.test>: Sender address rejected: not owned by user deploy"
#: Reply to RCPT, and the step that it is about.
ABOUT: list[tuple[str, str]] = [
    (NOT_OWNED, "sender"),
    ("550 5.1.8 domain of the address does not exist", "sender"),
    ("550 Mail from must equal authorized user", "sender"),
    ("550 5.1.1 user unknown", "recipient"),
    ("554 5.7.1 <ops@b.test>: Relay access denied", "recipient"),
    ("550 5.7.1 this sender may not write to the recipient", "recipient"),
    ("450 4.2.0 unknown sender, greylisted", "recipient"),
]


@pytest.mark.parametrize(("reply", "step"), ABOUT)
@pytest.mark.parametrize("message", [None, MESSAGE], ids=["no message", "message"])
def test_a_server_that_refuses_the_sender_at_rcpt(
    authority: Authority, reply: str, step: str, message: Envelope | None
) -> None:
    """As Postfix does, which waits for the recipient."""
    with Peer({"RCPT": reply}, tls=authority.server, extensions=EXTENSIONS) as peer:
        answers = ask(peer, authority, message=message)
    assert answers.problem
    assert answers.problem.step.value == step
    assert reply in answers.problem.problem
    names = [one.step for one in answers.results]
    assert len(names) == len(set(names))
    assert states(answers)["recipient"] == ("not reached" if step == "sender" else answers.problem.state.value)


def test_without_a_recipient_the_sender_is_its_own(authority: Authority) -> None:
    for reply, state in ((NOT_OWNED, "failed"), ("550 5.1.1 user unknown", "passed"), ("450 4.2.0 later", "passed")):
        with Peer({"RCPT": reply}, tls=authority.server, extensions=EXTENSIONS) as peer:
            answers = ask(peer, authority, recipient=None)
            assert "RCPT TO:<deploy@a.test>" in peer.commands
        assert states(answers)["sender"] == state
        assert "recipient" not in states(answers)
        assert answers.evidence.facts.recipient is None


def test_a_recipient_is_tried_after_its_sender_was_accepted(authority: Authority) -> None:
    with Peer({"MAIL": NEVER}, tls=authority.server, extensions=EXTENSIONS) as peer:
        assert states(ask(peer, authority))["recipient"] == "not reached"
        assert not [one for one in peer.commands if one.startswith("RCPT")]
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        assert "recipient" not in states(ask(peer, authority, recipient=None))
        assert "DATA" not in peer.commands


# The certificate: see test_certificates.py. The way to the server: see test_reaching.py.


def test_a_server_that_goes_away_after_the_first_connection(authority: Authority) -> None:
    """Its listener ends once it has accepted one connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept_once() -> None:
        with listener:
            listener.accept()[0].close()

    threading.Thread(target=accept_once, daemon=True).start()
    answers = walk(Questions(ServerSettings("127.0.0.1", listener.getsockname()[1], TlsPolicy(TlsMode.NONE))))
    names = [one.step.value for one in answers.results]
    assert len(names) == len(set(names))
    assert answers.problem
    assert answers.problem.step.value in ("connect", "greeting")
    assert answers.problem.state.value == "unknown"


def test_a_name_that_does_not_resolve() -> None:
    answers = walk(Questions(ServerSettings("nowhere.invalid", tls=TlsPolicy(TlsMode.STARTTLS)), sender="a@b.test"))
    assert answers.problem
    assert answers.problem.step.value == "name"
    assert "nowhere.invalid does not resolve" in answers.problem.problem
    assert set(list(states(answers).values())[1:]) == {"not reached"}
    assert answers.evidence.facts.connections_made == 0


def test_a_name_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(reaching, "addresses_of", lambda _host: over.wait(30))
    began = time.monotonic()
    answers = walk(Questions(ServerSettings("slow.test", connect_timeout=0.3)))
    over.set()
    assert time.monotonic() - began < 3
    assert states(answers)["name"] == "unknown"
    assert answers.evidence.facts.addresses is None
    assert {one.path for one in answers.evidence.unknown} >= {"addresses", "connections", "greeting"}


def test_at_most_six_connections_to_a_port(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    """A name with ten addresses, a certificate that is refused, and a wrong login."""
    many = {f"127.0.0.{number}": socket.AF_INET for number in range(1, 11)}
    monkeypatch.setattr(reaching, "addresses_of", lambda _host: many)
    with Peer(tls=authority.server, extensions=EXTENSIONS, address=("0.0.0.0", 0)) as peer:
        good = ask(peer, authority, wrong_login=True)
        assert (peer.connections, good.evidence.facts.connections_made) == (5, 5)
    with Peer(tls=authority.server, extensions=EXTENSIONS, address=("0.0.0.0", 0)) as peer:
        bad = ask(peer, authority, tls=TlsPolicy())
        assert (peer.connections, bad.evidence.facts.connections_made) == (6, 6)
    tried = [one.state.value for one in bad.evidence.facts.connections or ()]
    assert tried == ["open"] * 4 + ["not tried"] * 6


def test_a_name_with_thousands_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {f"127.1.{one // 200}.{one % 200 + 1}": socket.AF_INET for one in range(4000)}
    monkeypatch.setattr(reaching, "addresses_of", lambda _host: many)
    answers = walk(Questions(ServerSettings("many.test", 1, TlsPolicy(TlsMode.NONE))))
    facts = answers.evidence.facts
    assert len(facts.addresses or ()) == len(facts.connections or ()) == reaching.MOST_ADDRESSES
    reasons = {one.path: one.reason for one in answers.evidence.unknown}
    assert reasons["addresses"] == "Only the first 50 of 4000 addresses are kept."


# Limits


def _serve(data: bytes, drip: float = 0.0) -> tuple[socket.socket, int]:
    """A listener that sends this to each client, and nothing else."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(stream: socket.socket) -> None:
        with stream, contextlib.suppress(OSError):
            for piece in [data] if not drip else [bytes([one]) for one in data]:
                stream.sendall(piece)
                time.sleep(drip)
            while stream.recv(1000):
                pass

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener, listener.getsockname()[1]


GREETINGS: list[tuple[str, bytes, float, str, str]] = [
    ("a line of 1 MB", b"220 " + b"x" * 1_000_000, 0, "failed", "longer than"),
    ("lines of 1 MB", b"220-" + b"x" * 1000 + b"\r\n", 0, "unknown", "No answer"),
    ("1000 lines", (b"220-" + b"x" * 1000 + b"\r\n") * 1000, 0, "failed", "128 lines"),
    ("1 MB in one reply", (b"220-" + b"x" * 4000 + b"\r\n") * 100 + b"220 x\r\n", 0, "passed", ""),
    ("one octet in a while", b"220 " + b"x" * 100, 0.1, "unknown", "No answer within 1 s"),
    ("a line in a while", b"220-x\r\n" * 100, 0.1, "unknown", "No answer within 1 s"),
    ("nothing", b"", 0, "unknown", "No answer within 1 s"),
    ("control characters", b"220 \x1b[31mred\x00\r\n", 0, "passed", ""),
    ("IMAP", b"* OK IMAP4rev1 ready\r\n", 0, "failed", "IMAP"),
]


@pytest.mark.parametrize(
    ("data", "drip", "state", "words"), [one[1:] for one in GREETINGS], ids=[o[0] for o in GREETINGS]
)
def test_a_greeting_without_measure(data: bytes, drip: float, state: str, words: str) -> None:
    listener, port = _serve(data, drip)
    with listener:
        settings = ServerSettings("127.0.0.1", port, TlsPolicy(TlsMode.NONE), timeout=1.0)
        began = time.monotonic()
        answers = walk(Questions(settings))
    assert time.monotonic() - began < 4
    result = next(one for one in answers.results if one.step.value == "greeting")
    assert (result.state.value, words in result.problem) == (state, True), result
    told = json.dumps([answers.evidence.to_dict(), [one.to_dict() for one in answers.results]])
    assert len(told) < 20_000
    assert "\\u001b" not in told


def test_a_chain_of_twenty_certificates(authority: Authority) -> None:
    leaf = authority.ca.issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    import trustme

    others = b"".join(trustme.CA().cert_pem.bytes() for _number in range(19))
    pem = leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes() + others
    with trustme.Blob(pem).tempfile() as path:
        context.load_cert_chain(path)
    with Peer(tls=context, extensions=EXTENSIONS) as peer:
        answers = ask(peer, authority)
    tls = answers.evidence.facts.tls
    assert tls
    assert (tls.accepted, tls.chain_length, len(tls.chain)) == (True, 20, 10)


def test_an_ehlo_of_many_words_is_cut(authority: Authority) -> None:
    extensions = [f"X{number} {'y' * 900}" for number in range(100)] + ["AUTH " + " ".join(f"A{n}" for n in range(300))]
    with Peer(extensions=extensions) as peer:
        answers = ask(peer, authority, tls=TlsPolicy(TlsMode.NONE), credentials=None)
    assert len(json.dumps(answers.evidence.to_dict())) < 40_000
    assert answers.problem is None


def test_steps_are_never_told_twice(authority: Authority) -> None:
    faults: list[Fault | str] = [NEVER, Fault.CLOSE]
    for step, fault in itertools.product(STEPS, faults):
        if (step, fault) == ("tls", NEVER):
            continue
        names = [one.step for one in _meet(step, fault, authority)[0].results]
        assert len(names) == len(set(names)), (step, fault)
