# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins over AUTH: with scripted replies, and in sessions over TLS with an independent SCRAM server."""

from __future__ import annotations

import base64
import collections
import traceback
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import errors
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.login import Target, log_in
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.reply import Reply
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._x509.signature import ChannelBinding
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for
from ansible_collections.mailops.smtp.tests.unit.support.scram_server import REFUSED, ScramServer

SECRET = "hunter2-secret"
LOGIN = Credentials("user", SECRET)
TOKEN = Credentials("user", token="ya29.secret-token")
TARGET = Target("mx.test:587", "mx.test", 587)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Script:
    """A server that records the lines it receives and returns scripted replies in turn."""

    def __init__(self, *replies: str) -> None:
        self.lines: list[str] = []
        self._replies = collections.deque(replies)

    def __call__(self, line: str) -> Reply:
        self.lines.append(line)
        reply = self._replies.popleft() if self._replies else "501 5.7.0 cancelled"
        return Reply(int(reply[:3]), tuple(reply[4:].split("\n")))


def attempt(script: Script, mechanism: str, credentials: Credentials = LOGIN, **changes: t.Any) -> str:
    return log_in(script, [mechanism], credentials, TARGET._replace(**changes))


PLAIN_RESPONSE = encoded(f"\0user\0{SECRET}".encode())
XOAUTH2_RESPONSE = encoded(b"user=user\x01auth=Bearer ya29.secret-token\x01\x01")

#: mechanism, credentials, replies -> lines
ACCEPTED = [
    ("PLAIN", LOGIN, ["235 ok"], [f"AUTH PLAIN {PLAIN_RESPONSE}"]),
    (
        "LOGIN",
        LOGIN,
        ["334 VXNlcm5hbWU6", "334 ", "235 ok"],
        ["AUTH LOGIN", encoded(b"user"), encoded(SECRET.encode())],
    ),
    ("XOAUTH2", TOKEN, ["235 ok"], [f"AUTH XOAUTH2 {XOAUTH2_RESPONSE}"]),
    ("EXTERNAL", Credentials(""), ["235 ok"], ["AUTH EXTERNAL ="]),
    ("EXTERNAL", Credentials("user"), ["235 ok"], ["AUTH EXTERNAL dXNlcg=="]),
]


@pytest.mark.parametrize(("mechanism", "credentials", "replies", "lines"), ACCEPTED)
def test_login_is_accepted(mechanism: str, credentials: Credentials, replies: list[str], lines: list[str]) -> None:
    script = Script(*replies)
    assert attempt(script, mechanism, credentials) == mechanism
    assert script.lines == lines


@pytest.mark.parametrize(("length", "lines"), [(372, 1), (373, 2)])
def test_response_too_long_for_the_command_waits_for_a_challenge(length: int, lines: int) -> None:
    """RFC 4954 section 4: the AUTH line has 512 octets at most, CR LF included."""
    token = "x" * (length - len("user=u\x01auth=Bearer \x01\x01"))
    script = Script(*["334 "] * (lines - 1), "235 ok")
    attempt(script, "XOAUTH2", Credentials("u", token=token))
    assert len(script.lines) == lines
    assert len(script.lines[0]) + 2 <= 512
    if lines == 2:
        assert script.lines[0] == "AUTH XOAUTH2"


def test_refusal_before_a_long_response_is_an_error() -> None:
    script = Script("454 4.7.0 later")
    with pytest.raises(errors.AuthRefused) as caught:
        attempt(script, "XOAUTH2", Credentials("u", token="x" * 1000))
    assert caught.value.temporary
    assert script.lines == ["AUTH XOAUTH2"]


TOKEN_CHALLENGE = encoded(b'{"status":"401","scope":"https://mail.google.com/"}')


@pytest.mark.parametrize(("mechanism", "answer"), [("XOAUTH2", ""), ("OAUTHBEARER", "AQ==")])
def test_refused_token_has_the_reason_of_the_server(mechanism: str, answer: str) -> None:
    script = Script(f"334 {TOKEN_CHALLENGE}", "535 5.7.8 bad ya29.secret-token")
    with pytest.raises(errors.AuthRefused, match="status 401, scope https://mail.google.com/") as caught:
        attempt(script, mechanism, TOKEN)
    assert script.lines[1:] == [answer]
    assert "secret-token" not in str(caught.value)
    assert caught.value.reply == Reply(535, ("5.7.8 bad ********",))


#: mechanism, credentials, replies -> error, words, whether the client cancels
FAILED = [
    ("PLAIN", LOGIN, ["535 5.7.8 no"], errors.AuthRefused, "login of user with PLAIN was refused", False),
    (
        "PLAIN",
        LOGIN,
        ["334 bW9yZQ=="],
        errors.ProtocolViolation,
        "sent a challenge after the exchange was complete",
        True,
    ),
    ("LOGIN", LOGIN, ["235 ok"], errors.ServerNotProven, "before the exchange was complete", False),
    ("LOGIN", LOGIN, ["334 Username:"], errors.ProtocolViolation, "not base64", True),
    ("LOGIN", LOGIN, ["334 VXNl\ncm5hbWU6"], errors.ProtocolViolation, "several lines", True),
    ("LOGIN", LOGIN, ["334 ü"], errors.ProtocolViolation, "not base64", True),
    ("LOGIN", LOGIN, ["334 VXNlcm5hbWU6", "334 !"], errors.ProtocolViolation, "not base64", True),
    (
        "LOGIN",
        LOGIN,
        ["334 ", "334 ", "334 "],
        errors.ProtocolViolation,
        "sent a challenge after the exchange was complete",
        True,
    ),
    ("CRAM-MD5", LOGIN, ["334 "], errors.ProtocolViolation, "CRAM-MD5 challenge is empty", True),
    ("CRAM-MD5", LOGIN, ["503 5.5.1 no"], errors.AuthRefused, "503", False),
    ("SCRAM-SHA-256", LOGIN, ["235 ok"], errors.ServerNotProven, "before the exchange was complete", False),
    ("SCRAM-SHA-256", LOGIN, ["334 "], errors.ProtocolViolation, "RFC 5802", True),
    ("SCRAM-SHA-256", LOGIN, ["334 ZT1vdGhlci1lcnJvcg=="], errors.ProtocolViolation, "other-error", True),
    ("SCRAM-SHA-256", LOGIN, ["535 5.7.8 no"], errors.AuthRefused, "SCRAM-SHA-256 was refused.*535 5.7.8 no", False),
    ("XOAUTH2", TOKEN, [f"334 {TOKEN_CHALLENGE}", "235 ok"], errors.ProtocolViolation, "accepted .* after", False),
    (
        "XOAUTH2",
        TOKEN,
        [f"334 {TOKEN_CHALLENGE}", "334 "],
        errors.ProtocolViolation,
        "sent a challenge after the exchange was complete",
        True,
    ),
]


@pytest.mark.parametrize(("mechanism", "credentials", "replies", "error", "words", "cancels"), FAILED)
def test_failed_login_is_tried_once_and_shows_no_secret(
    mechanism: str,
    credentials: Credentials,
    replies: list[str],
    error: type[errors.SmtpError],
    words: str,
    cancels: bool,
) -> None:
    script = Script(*replies)
    with pytest.raises(error, match=words) as caught:
        attempt(script, mechanism, credentials)
    assert caught.value.stage is errors.Stage.AUTH
    assert sum(line.startswith("AUTH") for line in script.lines) == 1
    assert (script.lines[-1] == "*") is cancels
    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in shown
    assert "ya29" not in shown


def test_nothing_is_sent_if_no_mechanism_fits() -> None:
    script = Script()
    words = r"SCRAM-SHA-1 was asked for; the server offers PLAIN\. Set auth_mechanism to a mechanism that fits"
    with pytest.raises(errors.NotOffered, match=words):
        attempt(script, "PLAIN", forced="SCRAM-SHA-1")
    assert script.lines == []


def test_refused_channel_binding_advises_another_mechanism() -> None:
    script = Script("535 5.7.8 no")
    words = "set auth_mechanism to a mechanism without -PLUS to log in without channel binding"
    with pytest.raises(errors.AuthRefused, match=words):
        attempt(script, "SCRAM-SHA-256-PLUS", binding=ChannelBinding("tls-server-end-point", b"x"))


def test_user_name_that_is_the_secret_is_not_shown() -> None:
    script = Script("535 5.7.8 tok-en-1234 is wrong")
    with pytest.raises(errors.AuthRefused) as caught:
        attempt(script, "PLAIN", Credentials("tok-en-1234", "tok-en-1234"))
    assert "tok-en" not in str(caught.value)


@pytest.mark.parametrize(
    "echo", [PLAIN_RESPONSE, SECRET, encoded(SECRET.encode()), f"user {SECRET}", f"x{PLAIN_RESPONSE}y"]
)
def test_echo_of_the_secret_is_scrubbed(echo: str) -> None:
    with pytest.raises(errors.AuthRefused) as caught:
        attempt(Script(f"535 5.7.8 {echo} is wrong"), "PLAIN")
    assert echo not in "".join(traceback.format_exception(caught.value))
    assert "********" in str(caught.value)
    assert "is wrong" in str(caught.value)


REPLIES = st.one_of(
    st.sampled_from(["235 ok", "334 ", "535 5.7.8 no", "454 later", "334 !"]),
    st.binary(max_size=40).map(lambda data: f"334 {encoded(data)}"),
    st.text(max_size=20).map(lambda text: f"334 {text}"),
)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"])
@settings(deadline=None)  # a busy machine must not fail the test
@given(replies=st.lists(REPLIES, max_size=5))
def test_any_replies_end_in_a_login_or_a_typed_error(mechanism: str, replies: list[str]) -> None:
    script = Script(*replies)
    credentials = TOKEN if "OAUTH" in mechanism else LOGIN
    accepted, shown = True, ""
    try:
        attempt(script, mechanism, credentials)
    except errors.SmtpError as error:
        accepted, shown = False, str(error)
    assert "secret" not in shown
    assert not (accepted and "SCRAM" in mechanism)
    assert len(script.lines) < 6


# Over TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def log_in_over_tls(authority: Authority, servers: t.Mapping[str, ScramServer], **changes: t.Any) -> str | None:
    sasl = {name: server.exchange for name, server in servers.items()}
    offer = f"AUTH PLAIN {' '.join(servers)}"
    with Peer(extensions=[offer], tls=authority.server, sasl=sasl) as peer:
        defaults: dict[str, t.Any] = {"tls": TlsPolicy(ca_file=authority.ca_file), "credentials": LOGIN, "timeout": 5.0}
        try:
            with SmtpSession(ServerSettings("localhost", peer.port, **{**defaults, **changes})) as session:
                return session.info.mechanism
        finally:
            assert sum(command.startswith("AUTH") for command in peer.commands) == 1
            assert SECRET not in "".join(peer.commands)
            assert PLAIN_RESPONSE not in "".join(peer.commands)


DIGESTS = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}


@pytest.mark.parametrize("name", DIGESTS)
def test_scram_login_is_accepted(authority: Authority, name: str) -> None:
    assert log_in_over_tls(authority, {name: ScramServer(DIGESTS[name])}) == name


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", DIGESTS)
def test_scram_is_bound_to_the_certificate(authority: Authority, name: str, verify: bool) -> None:
    server = ScramServer(DIGESTS[name], binding=("tls-server-end-point", bytes.fromhex(authority.digest)), plus=True)
    policy = TlsPolicy(verify=verify, ca_file=authority.ca_file)
    others = {name: ScramServer(DIGESTS[name], binding=("tls-server-end-point", bytes.fromhex(authority.digest)))}
    plus = f"{name}-PLUS"
    assert log_in_over_tls(authority, {plus: server, **others}, tls=policy, auth_mechanism=plus) == plus
    assert server.seen[0].startswith(b"p=tls-server-end-point,,n=user,r=")


def test_bound_login_fails_if_an_attacker_in_the_middle_has_another_certificate(authority: Authority) -> None:
    server = ScramServer(binding=("tls-server-end-point", b"the true one"), plus=True)
    with pytest.raises(errors.AuthRefused, match="535"):
        log_in_over_tls(
            authority,
            {"SCRAM-SHA-256-PLUS": server},
            tls=TlsPolicy(verify=False),
            auth_mechanism="SCRAM-SHA-256-PLUS",
        )


def test_channel_binding_is_used_only_on_request(authority: Authority) -> None:
    """Servers with TLS 1.3 prefer a binding that Python does not support, and there is only one attempt."""
    server = ScramServer()
    servers = {
        "SCRAM-SHA-256-PLUS": ScramServer(binding=("tls-server-end-point", bytes.fromhex(authority.digest)), plus=True),
        "SCRAM-SHA-256": server,
    }
    assert log_in_over_tls(authority, servers) == "SCRAM-SHA-256"
    assert server.seen[0].startswith(b"n,,")


def test_forced_mechanism_without_binding_is_accepted(authority: Authority) -> None:
    servers = {
        "SCRAM-SHA-256-PLUS": ScramServer(binding=("tls-server-end-point", bytes.fromhex(authority.digest)), plus=True),
        "SCRAM-SHA-256": ScramServer(binding=("tls-server-end-point", bytes.fromhex(authority.digest))),
    }
    assert log_in_over_tls(authority, servers, auth_mechanism="scram-sha-256") == "SCRAM-SHA-256"


def test_user_name_and_password_may_be_non_ascii(authority: Authority) -> None:
    server = ScramServer(user="jürgen", password="pässwörd IX")
    credentials = Credentials("jürgen", "pa\u0308sswo\u0308rd\u00a0Ⅸ")
    assert log_in_over_tls(authority, {"SCRAM-SHA-256": server}, credentials=credentials) == "SCRAM-SHA-256"


VIOLATIONS: list[tuple[dict[str, t.Any], type[errors.SmtpError], str]] = [
    ({"final": lambda _message: None}, errors.ServerNotProven, "before the exchange was complete"),
    ({"final": lambda _message: b"v=" + base64.b64encode(b"x" * 32)}, errors.ServerNotProven, "signature is wrong"),
    ({"final": lambda message: message[:-8]}, errors.ServerNotProven, "signature is wrong"),
    ({"final": lambda _message: b""}, errors.ServerNotProven, "no signature"),
    ({"final": lambda _message: b"e=other-error"}, errors.ProtocolViolation, "after a failure: .* other-error"),
    ({"first": lambda message: message[:20]}, errors.ProtocolViolation, "RFC 5802"),
    ({"first": lambda message: b"r=x" + message[2:]}, errors.ProtocolViolation, "does not extend the client's"),
    ({"first": lambda message: message.replace(b"i=64", b"i=999999999")}, errors.ProtocolViolation, "iterations"),
    ({"first": lambda _message: b"\xff\0"}, errors.ProtocolViolation, "not UTF-8"),
    ({"password": "another"}, errors.AuthRefused, REFUSED[4:]),
]


@pytest.mark.parametrize(("changes", "error", "words"), VIOLATIONS)
def test_scram_server_that_violates_the_exchange_is_refused(
    authority: Authority, changes: dict[str, t.Any], error: type[errors.SmtpError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        log_in_over_tls(authority, {"SCRAM-SHA-256": ScramServer(**changes)})
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert not caught.value.temporary
