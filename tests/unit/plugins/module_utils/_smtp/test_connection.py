# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to a server: opportunistic TLS, pins, client certificates, TLS versions, Unix sockets and proxies.

Covers _smtp/connection.py, _smtp/tls.py and _smtp/proxy.py.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp import errors
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.proxy import Proxy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

PLAINTEXT = TlsPolicy(TlsMode.NONE)
ENVELOPE = Envelope("from@a.test", ("one@b.test",), b"Subject: x\r\n\r\nhello\r\n")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def send(settings: ServerSettings) -> dict[str, t.Any]:
    with SmtpSession(settings) as session:
        assert [recipient.status.value for recipient in session.deliver(ENVELOPE).recipients] == ["sent"]
        return session.info.to_dict()


def test_opportunistic_uses_tls_if_offered(authority: Authority) -> None:
    policy = TlsPolicy(TlsMode.OPPORTUNISTIC, ca_file=authority.ca_file)
    with Peer(tls=authority.server) as peer:
        assert send(ServerSettings("localhost", peer.port, policy))["tls_version"] == "TLSv1.3"
    with Peer() as peer:
        assert send(ServerSettings("localhost", peer.port, policy))["tls_version"] is None


def test_opportunistic_is_verified_and_sends_no_login_in_clear(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer, pytest.raises(errors.TlsFailed, match="certificate was refused"):
        send(ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.OPPORTUNISTIC)))
    with Peer(extensions=["AUTH PLAIN"]) as peer:
        with pytest.raises(errors.NotOffered, match="in clear"):
            send(ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.OPPORTUNISTIC), Credentials("u", "p")))
        assert not any(command.startswith("AUTH") for command in peer.commands)


def test_pin_is_sufficient_and_another_digest_is_refused(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer:
        pinned = TlsPolicy(verify=False, pins=(authority.digest,))
        info = send(ServerSettings("localhost", peer.port, pinned))
        assert info["tls_verified"] is True
        wrong = TlsPolicy(ca_file=authority.ca_file, pins=("0" * 64,))
        with pytest.raises(errors.TlsFailed, match=authority.digest):
            send(ServerSettings("localhost", peer.port, wrong))


def test_server_name_replaces_the_host_in_verification(authority: Authority) -> None:
    with Peer(tls=authority.server) as peer:
        policy = TlsPolicy(ca_file=authority.ca_file, server_name="localhost")
        assert send(ServerSettings("127.0.0.1", peer.port, policy))["tls_verified"] is True


def test_client_certificate_is_presented(authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert("localhost").configure_cert(context)
    authority.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    client = authority.ca.issue_cert("client@a.test")
    client.private_key_and_cert_chain_pem.write_to_path(authority.folder / "client.pem")
    with Peer(tls=context) as peer:
        policy = TlsPolicy(ca_file=authority.ca_file, client_certificate=str(authority.folder / "client.pem"))
        send(ServerSettings("localhost", peer.port, policy))
        with pytest.raises(errors.SmtpError):
            send(ServerSettings("localhost", peer.port, TlsPolicy(ca_file=authority.ca_file)))


def test_older_tls_version_than_the_minimum_is_refused(authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    authority.ca.issue_cert("localhost").configure_cert(context)
    with Peer(tls=context) as peer:
        assert (
            send(ServerSettings("localhost", peer.port, TlsPolicy(ca_file=authority.ca_file)))["tls_version"]
            == "TLSv1.2"
        )
        policy = TlsPolicy(ca_file=authority.ca_file, minimum_version="TLSv1.3")
        with pytest.raises(errors.TlsFailed, match=r"no TLS version in common\. .* tls_min_version"):
            send(ServerSettings("localhost", peer.port, policy))


def test_unix_socket_speaks_lmtp(tmp_path: Path) -> None:
    path = str(tmp_path / "lmtp")
    with Peer(unix_socket=path) as peer:
        info = send(ServerSettings("localhost", 0, PLAINTEXT, unix_socket=path, lmtp=True))
    assert info["server"] == path
    assert peer.commands[0].startswith("LHLO")
    with pytest.raises(errors.ConnectFailed, match="the socket does not exist"):
        send(ServerSettings("localhost", 0, PLAINTEXT, unix_socket=f"{path}-none"))


@contextlib.contextmanager
def proxy(kind: str, refuse: bool = False) -> t.Iterator[tuple[int, list[bytes]]]:
    """Run a proxy that connects only to ports of this machine, and records the requests."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        stream, _address = listener.accept()
        with stream:
            port = (_serve_socks if kind == "socks5" else _serve_http)(stream, asked, refuse)
            if port is None:
                return
            with socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=pump, args=(server, stream))
                back.start()
                pump(stream, server)
                back.join()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.close()
        thread.join(5)


def _serve_socks(stream: socket.socket, asked: list[bytes], refuse: bool) -> int | None:
    asked.append(stream.recv(4))
    if 2 in asked[0][2:]:
        stream.sendall(b"\5\2")
        asked.append(stream.recv(200))
        stream.sendall(b"\1\0")
    else:
        stream.sendall(b"\5\0")
    request = stream.recv(300)
    asked.append(request)
    stream.sendall(b"\5\2\0\1" + bytes(6) if refuse else b"\5\0\0\1" + bytes(6))
    return None if refuse else int.from_bytes(request[-2:], "big")


def _serve_http(stream: socket.socket, asked: list[bytes], refuse: bool) -> int | None:
    request = stream.recv(2000)
    asked.append(request)
    stream.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n" if refuse else b"HTTP/1.1 200 Connected\r\nVia: x\r\n\r\n")
    return None if refuse else int(request.split(b" ")[1].rpartition(b":")[2])


@pytest.mark.parametrize("login", ["", "me:p%40ss@"])
@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_proxy_connects_and_tls_is_with_the_server(authority: Authority, kind: str, login: str) -> None:
    with Peer(tls=authority.server) as peer, proxy(kind) as (port, asked):
        through = Proxy.parse(f"{kind}://{login}127.0.0.1:{port}")
        settings = ServerSettings("localhost", peer.port, TlsPolicy(ca_file=authority.ca_file), proxy=through)
        assert send(settings)["tls_verified"] is True
    assert b"localhost" in b"".join(asked)
    assert (b"p@ss" in b"".join(asked) or b"Basic bWU6cEBzcw==" in b"".join(asked)) is bool(login)
    assert "p@ss" not in repr(through)


@pytest.mark.parametrize(("kind", "words"), [("socks5", "rules forbid"), ("http", "it answered 403")])
def test_refusal_of_a_proxy_is_an_error(kind: str, words: str) -> None:
    with proxy(kind, refuse=True) as (port, _asked), pytest.raises(errors.ConnectFailed, match=words):
        send(ServerSettings("localhost", 25, PLAINTEXT, proxy=Proxy.parse(f"{kind}://127.0.0.1:{port}")))


def test_text_of_a_proxy_is_not_shown() -> None:
    words = "no aHVudGVyMi1zZWNyZXQ= hunter2-secret \x1b[2J"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            stream, _address = listener.accept()
            with stream:
                stream.recv(4096)
                stream.sendall(f"HTTP/1.1 407 {words}\r\n\r\n".encode())

        thread = threading.Thread(target=answer)
        thread.start()
        through = Proxy.parse(f"http://user:hunter2-secret@127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(errors.ConnectFailed, match=r"did not connect: it answered 407\. Check"):
            send(ServerSettings("localhost", 25, PLAINTEXT, proxy=through))
        thread.join(5)


def test_slow_proxy_has_the_time_limit_of_one_connection() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            stream, _address = listener.accept()
            with stream, contextlib.suppress(OSError):
                while not over.wait(0.1):
                    stream.sendall(b"H")

        thread = threading.Thread(target=answer)
        thread.start()
        through = Proxy.parse(f"http://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(
            errors.ConnectFailed, match=r"no connection within 0\.5 s through the proxy 127\.0\.0\.1:\d+\."
        ):
            send(ServerSettings("localhost", 25, PLAINTEXT, proxy=through, connect_timeout=0.5))
        assert time.monotonic() - began < 5
        over.set()
        thread.join(5)


def test_login_too_long_for_socks_is_refused() -> None:
    with pytest.raises(ValueError, match="255 octets"):
        Proxy.parse(f"socks5://user:{'p' * 256}@127.0.0.1:1080")
