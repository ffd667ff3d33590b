# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS that fails: each cause has its own advice, with the option that helps; and servers on this host.

Covers _smtp/tls.py, and what _smtp/connection.py does when TLS begins at another time than expected.
"""

from __future__ import annotations

import datetime
import socket
import ssl
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import connection, errors, tls
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.proxy import Proxy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy, explain
from ansible_collections.mailops.smtp.tests.fault.peer import GREETING, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

ENVELOPE = Envelope("from@a.test", ("one@b.test",), b"Subject: x\r\n\r\nhello\r\n")
DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def send(settings: ServerSettings, **changes: t.Any) -> dict[str, t.Any]:
    with SmtpSession(settings) as session:
        (result,) = session.deliver(replace(ENVELOPE, **changes)).recipients
        assert result.status.value == "sent", result.problem
        return session.info.to_dict()


def server_with(certificate: trustme.LeafCert, *, chain: bool = True) -> ssl.SSLContext:
    """Return a server's context.

    :param chain: whether it sends intermediate certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(
        certificate.private_key_pem.bytes()
        + b"".join(pem.bytes() for pem in certificate.cert_chain_pems[: None if chain else 1])
    ).tempfile() as path:
        context.load_cert_chain(path)
    return context


def asking_for_a_certificate(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = server_with(authority.ca.issue_cert("localhost"))
    context.minimum_version = context.maximum_version = version
    authority.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def expired(authority: Authority) -> ssl.SSLContext:
    return server_with(authority.ca.issue_cert("localhost", not_before=now() - 9 * DAY, not_after=now() - DAY))


def not_yet_valid(authority: Authority) -> ssl.SSLContext:
    return server_with(authority.ca.issue_cert("localhost", not_before=now() + DAY))


def of_another_name(authority: Authority) -> ssl.SSLContext:
    return server_with(authority.ca.issue_cert("other.test"))


def without_intermediate(authority: Authority) -> ssl.SSLContext:
    return server_with(authority.ca.create_child_ca().issue_cert("localhost"), chain=False)


def of_unknown_authority(_authority: Authority) -> ssl.SSLContext:
    return server_with(trustme.CA().issue_cert("localhost"))


def of_unknown_authority_that_is_sent(_authority: Authority) -> ssl.SSLContext:
    unknown = trustme.CA()
    leaf = unknown.issue_cert("localhost")
    leaf.cert_chain_pems.append(unknown.cert_pem)
    return server_with(leaf)


def self_signed(_authority: Authority) -> ssl.SSLContext:
    unknown = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(unknown.private_key_pem.bytes() + unknown.cert_pem.bytes()).tempfile() as path:
        context.load_cert_chain(path)
    return context


#: server -> words of the problem, words of the advice
CERTIFICATES: dict[t.Callable[[Authority], ssl.SSLContext], tuple[str, list[str]]] = {
    expired: ("certificate has expired", ["renewed", "clock", "pinned_certificates"]),
    not_yet_valid: ("certificate is not yet valid", ["clock of this host"]),
    of_another_name: ("not valid for 'localhost'", ["Set host or tls_server_name to a name in the certificate"]),
    without_intermediate: ("unable to get local issuer certificate", ["intermediate certificate", "ca_file", "chain"]),
    of_unknown_authority: ("unable to get local issuer certificate", ["authority is unknown", "ca_file"]),
    of_unknown_authority_that_is_sent: ("self-signed certificate in", ["authority is not trusted here", "ca_file"]),
    self_signed: ("self-signed certificate", ["self-signed: set ca_file to a copy", "pinned_certificates"]),
}


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT, TlsMode.OPPORTUNISTIC])
@pytest.mark.parametrize("server", CERTIFICATES, ids=lambda server: server.__name__)
def test_each_cause_of_a_refused_certificate_has_its_advice(
    authority: Authority, server: t.Callable[[Authority], ssl.SSLContext], mode: TlsMode
) -> None:
    problem, advice = CERTIFICATES[server]
    with (
        Peer(tls=server(authority), implicit=mode is TlsMode.IMPLICIT) as peer,
        pytest.raises(errors.TlsFailed, match="the server's certificate was refused: ") as caught,
    ):
        send(ServerSettings("localhost", peer.port, TlsPolicy(mode, ca_file=authority.ca_file)))
    assert problem in caught.value.problem.replace("self signed", "self-signed")
    assert [words for words in advice if words not in caught.value.advice] == []
    assert caught.value.temporary is False


def test_unknown_authority_without_ca_file_is_told_to_set_it(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer, pytest.raises(errors.TlsFailed, match="set ca_file to the authority's"):
        send(ServerSettings("localhost", peer.port, TlsPolicy()))


def test_directory_of_authorities_needs_hashed_names(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer, pytest.raises(errors.TlsFailed, match="openssl rehash"):
        send(ServerSettings("localhost", peer.port, TlsPolicy(ca_path=str(authority.folder))))


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("presented", ["none", "untrusted"])
def test_missing_client_certificate_is_named(
    authority: Authority, tmp_path: Path, presented: str, version: ssl.TLSVersion, mode: TlsMode
) -> None:
    """In TLS 1.3, the server's alert arrives only after the handshake, as the answer to EHLO or as the greeting."""
    policy = TlsPolicy(mode, ca_file=authority.ca_file)
    if presented == "untrusted":
        trustme.CA().issue_cert("client@a.test").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
        policy = replace(policy, client_certificate=str(tmp_path / "client.pem"))
    context = asking_for_a_certificate(authority, version)
    with (
        Peer(tls=context, implicit=mode is TlsMode.IMPLICIT) as peer,
        pytest.raises(errors.TlsFailed, match="client_cert") as caught,
    ):
        send(ServerSettings("localhost", peer.port, policy))
    assert caught.value.temporary is False
    after = errors.Stage.GREETING if mode is TlsMode.IMPLICIT else errors.Stage.EHLO
    assert caught.value.stage is (after if version is ssl.TLSVersion.TLSv1_3 else errors.Stage.TLS)


def test_server_that_closes_after_the_handshake_may_want_a_client_certificate(authority: Authority) -> None:
    def close(moment: Moment) -> Fault | None:
        return Fault.RESET if moment.encrypted else None

    with (
        Peer(tls=authority.server, disturb=close) as peer,
        pytest.raises(errors.ConnectionLost, match="may require a client certificate: set client_cert"),
    ):
        send(ServerSettings("localhost", peer.port, TlsPolicy(ca_file=authority.ca_file)))


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("TLSV1_ALERT_PROTOCOL_VERSION", "tls_min_version"),
        ("UNSUPPORTED_PROTOCOL", "tls_min_version"),
        ("WRONG_SSL_VERSION", "tls_min_version"),
        ("NO_PROTOCOLS_AVAILABLE", "tls_min_version"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "client_cert"),
        ("DH_KEY_TOO_SMALL", "security level"),
        ("UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "security level"),
        ("TLSV1_ALERT_INSUFFICIENT_SECURITY", "security level"),
        ("TLSV1_UNRECOGNIZED_NAME", "tls_server_name"),
        ("UNEXPECTED_EOF_WHILE_READING", "port and tls"),
        ("TLSV1_ALERT_INTERNAL_ERROR", "port and tls"),
        ("WRONG_VERSION_NUMBER", "tls: starttls"),
        ("RECORD_LAYER_FAILURE", "tls: starttls"),
    ],
)
def test_failed_handshake_names_an_option(reason: str, words: str) -> None:
    problem, advice = explain(ssl_error(reason), TlsPolicy(TlsMode.IMPLICIT))
    assert words in advice
    assert problem


@pytest.mark.parametrize(("given", "words"), [("", "requires a client cert"), ("/c.pem", "refused the client cert")])
@pytest.mark.parametrize(
    "alert", ["SSLV3_ALERT_BAD_CERTIFICATE", "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED"]
)
def test_alert_about_a_certificate_is_about_the_one_of_the_client(alert: str, given: str, words: str) -> None:
    problem, advice = explain(ssl_error(alert), TlsPolicy(client_certificate=given or None))
    assert words in problem
    assert "client_cert" in advice


def test_failed_starttls_is_not_told_to_use_starttls() -> None:
    _problem, advice = explain(ssl_error("WRONG_VERSION_NUMBER"), TlsPolicy(TlsMode.STARTTLS))
    assert "port 465 with tls: implicit" in advice
    assert "tls: starttls" not in advice


@pytest.mark.parametrize(
    ("mode", "words"), [(TlsMode.IMPLICIT, "use tls: starttls"), (TlsMode.STARTTLS, "port 465 with tls: implicit")]
)
def test_plain_text_in_place_of_tls_is_told_at_once(mode: TlsMode, words: str) -> None:
    replies = {"EHLO": "250-peer.test\r\n250 STARTTLS", "STARTTLS": "220 go ahead\r\n220 in plain text"}
    with Peer(replies if mode is TlsMode.STARTTLS else {}) as peer:
        began = time.monotonic()
        with pytest.raises(errors.SmtpError) as caught:
            send(ServerSettings("localhost", peer.port, TlsPolicy(mode)))
    assert time.monotonic() - began < 5
    assert caught.value.temporary is False
    if mode is TlsMode.IMPLICIT:
        assert words in caught.value.advice


@pytest.mark.parametrize(
    ("port", "mode", "advice"),
    [
        (465, TlsMode.STARTTLS, "set tls: implicit"),
        (465, TlsMode.NONE, "set tls: implicit"),
        (465, TlsMode.OPPORTUNISTIC, "set tls: implicit"),
        (587, TlsMode.IMPLICIT, "set tls: starttls"),
        (25, TlsMode.IMPLICIT, "set tls: starttls"),
    ],
)
def test_port_that_begins_otherwise_is_told_after_a_short_wait(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, port: int, mode: TlsMode, advice: str
) -> None:
    monkeypatch.setattr(connection, "_SHORT", 0.2)
    open_stream = connection._open_stream
    with Peer(tls=authority.server, implicit=True, faults={"TLS": Fault.STALL}) as peer:
        elsewhere = ServerSettings("localhost", peer.port)
        monkeypatch.setattr(connection, "_open_stream", lambda _settings, address: open_stream(elsewhere, address))
        began = time.monotonic()
        with pytest.raises(errors.TlsFailed, match=r"no answer within 0\.2 s") as caught:
            send(ServerSettings("localhost", port, TlsPolicy(mode)))
        assert time.monotonic() - began < 5
    assert advice in caught.value.advice
    assert caught.value.temporary is False


@pytest.mark.parametrize(("fault", "words"), [(Fault.STALL, "no answer within"), (Fault.CLOSE, "closed it")])
def test_silence_at_the_greeting_names_implicit_tls(fault: Fault, words: str) -> None:
    with (
        Peer(faults={GREETING: fault}) as peer,
        pytest.raises(errors.ConnectionLost, match=rf"{words}.*set tls: implicit") as caught,
    ):
        send(ServerSettings("localhost", peer.port, TlsPolicy(), timeout=0.3))
    assert caught.value.temporary is True


# A server on this host

LOCAL = TlsPolicy(TlsMode.OPPORTUNISTIC, trust_this_host=True)


@pytest.mark.parametrize("server", CERTIFICATES, ids=lambda server: server.__name__)
def test_opportunistic_tls_to_this_host_accepts_any_certificate(
    authority: Authority, server: t.Callable[[Authority], ssl.SSLContext]
) -> None:
    with Peer(tls=server(authority)) as peer:
        info = send(ServerSettings("localhost", peer.port, LOCAL))
    assert info["tls_version"]
    assert info["tls_verified"] is False


def test_unix_socket_is_on_this_host(authority: Authority, tmp_path: Path) -> None:
    path = str(tmp_path / "smtp")
    with Peer(tls=of_another_name(authority), unix_socket=path) as peer:
        assert send(ServerSettings("localhost", 0, LOCAL, unix_socket=path))["tls_verified"] is False
    assert "STARTTLS" in peer.commands


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("128.0.0.1", False),
        ("12.7.0.1", False),
        ("1.127.0.1", False),
        ("::", False),
        ("::2", False),
        ("fe80::1", False),
        ("::ffff:192.0.2.1", False),
        ("192.0.2.1", False),
    ],
)
def test_only_a_loopback_address_is_this_host(address: str, loopback: bool) -> None:
    assert connection._is_loopback(address) is loopback


def test_name_localhost_at_another_address_is_not_this_host(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    open_stream = connection._open_stream
    with Peer(tls=of_another_name(authority)) as peer:
        monkeypatch.setattr(connection, "_open_stream", lambda *given: (open_stream(*given)[0], "192.0.2.1"))
        with pytest.raises(errors.TlsFailed, match="certificate was refused"):
            send(ServerSettings("localhost", peer.port, LOCAL))


def test_proxy_on_this_host_leads_elsewhere(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    monkeypatch.setattr(Proxy, "connect", lambda *_arguments: None)
    with Peer(tls=of_another_name(authority)) as peer:
        through = Proxy("http", "127.0.0.1", peer.port)
        with pytest.raises(errors.TlsFailed, match="certificate was refused"):
            send(ServerSettings("localhost", 25, LOCAL, proxy=through))


@pytest.mark.parametrize(("in_clear", "verified"), [(False, True), (True, False)])
def test_login_on_this_host_needs_a_verified_certificate(authority: Authority, in_clear: bool, verified: bool) -> None:
    """A program of another user may listen on a port above 1023, and would learn the password."""
    login = Credentials("user", "hunter2-secret")
    with Peer(tls=of_another_name(authority), extensions=["AUTH PLAIN"]) as peer:
        settings = ServerSettings("localhost", peer.port, LOCAL, login, allow_cleartext_login=in_clear)
        if verified:
            with pytest.raises(errors.TlsFailed, match="certificate was refused"):
                send(settings)
        else:
            assert send(settings)["auth_mechanism"] == "PLAIN"
    assert any(command.startswith("AUTH") for command in peer.commands) is in_clear
    assert ServerSettings("localhost", 25, LOCAL, login).without_login().tls.trust_this_host is False


@pytest.mark.parametrize("verify", [True, False])
def test_message_that_requires_tls_needs_a_verified_certificate(authority: Authority, verify: bool) -> None:
    policy = TlsPolicy(TlsMode.OPPORTUNISTIC, ca_file=authority.ca_file) if verify else LOCAL
    with Peer(tls=authority.server, extensions=["REQUIRETLS"]) as peer:
        with SmtpSession(ServerSettings("localhost", peer.port, policy)) as session:
            (result,) = session.deliver(replace(ENVELOPE, require_tls=True)).recipients
        assert (result.status.value == "sent") is verify, result
    assert len(peer.messages) == verify


def test_refused_certificate_of_this_host_has_the_way_out(authority: Authority) -> None:
    with (
        Peer(tls=of_another_name(authority)) as peer,
        pytest.raises(errors.TlsFailed, match="tls: opportunistic without a login accepts any certificate"),
    ):
        send(ServerSettings("localhost", peer.port, TlsPolicy(ca_file=authority.ca_file)))


# What passes by itself


@pytest.mark.parametrize(
    ("error", "changes", "temporary", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), {}, False, "the name in host"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), {}, True, "the name in host"),
        (socket.gaierror(socket.EAI_NONAME, "x"), {"proxy": Proxy("http", "p.test", 1)}, False, "the name in proxy"),
        (ConnectionRefusedError(111, "Connection refused"), {}, True, "Check host and port"),
        (OSError(113, "No route to host"), {}, True, "Check host and port"),
        (PermissionError(13, "Permission denied"), {}, False, "Check host and port"),
        (OSError(99, "Cannot assign requested address"), {}, False, "Check host and port"),
        (FileNotFoundError(2, "No such file"), {"unix_socket": "/x"}, True, "Check unix_socket"),
        (PermissionError(13, "Permission denied"), {"unix_socket": "/x"}, False, "Check unix_socket"),
        (OSError("AF_UNIX path too long"), {"unix_socket": "/x"}, False, "Check unix_socket"),
        (TimeoutError("timed out"), {}, True, "connect_timeout"),
        (TimeoutError("timed out"), {"port": 25}, True, "block port 25"),
        (errors.ProxyFailed("its rules forbid the connection"), {}, False, "option proxy"),
        (errors.ProxyFailed("the host is unreachable", passing=True), {}, True, "option proxy"),
    ],
)
def test_only_what_passes_by_itself_is_temporary(
    monkeypatch: pytest.MonkeyPatch, error: Exception, changes: dict[str, t.Any], temporary: bool, words: str
) -> None:
    def fail(_settings: ServerSettings, _address: str) -> t.NoReturn:
        raise error

    monkeypatch.setattr(connection, "_open_stream", fail)
    with pytest.raises(errors.ConnectFailed) as caught:
        connection.connect(ServerSettings(**{"host": "h.test", "port": 587, **changes}))
    assert caught.value.temporary is temporary
    assert words in caught.value.advice


@pytest.mark.parametrize("stage", errors.Stage)
@pytest.mark.parametrize("mode", TlsMode)
def test_silence_always_names_an_option(mode: TlsMode, stage: errors.Stage) -> None:
    assert "timeout" in tls.explain_silence(mode, stage)
