# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens fetched over HTTPS from a token server on loopback."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import traceback
from collections.abc import Iterator

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._oauth.fetch import fetch_token
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.oauth import (
    BadTokenAnswer,
    Grant,
    OAuthError,
    TokenClient,
    TokenRefused,
    TokenServerUnreachable,
)
from ansible_collections.mailops.smtp.tests.unit.support.token_server import GRANTED, Served

SECRET = "client-s3cret"


def client(url: str) -> TokenClient:
    return TokenClient(url, Grant.CLIENT_CREDENTIALS, "app", SECRET, scope="mail")


def test_token_is_fetched(served: Served) -> None:
    token = fetch_token(client(served.url), served.ca_file, 5)
    assert (token.token, token.expires_in) == ("ya29.t0ken", 3599)
    assert served.server.forms == [
        {"grant_type": "client_credentials", "client_id": "app", "client_secret": SECRET, "scope": "mail"}
    ]


def test_refusal_shows_reason_and_advice_but_no_secret(served: Served) -> None:
    served.server.status = 401
    served.server.body = json.dumps({"error": "invalid_client", "error_description": f"not {SECRET}"}).encode()
    with pytest.raises(TokenRefused, match=r"401.*invalid_client: not \*{8}.*check client_id") as caught:
        fetch_token(client(served.url), served.ca_file, 5)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_not_followed(served: Served, status: int) -> None:
    served.server.status = status
    served.server.headers = {"Location": served.url + "/elsewhere"}
    with pytest.raises(OAuthError, match=str(status)):
        fetch_token(client(served.url), served.ca_file, 5)
    assert len(served.server.forms) == 1


def test_untrusted_certificate_gets_no_secret(served: Served) -> None:
    with pytest.raises(TokenServerUnreachable, match="no token from localhost: .*certificate"):
        fetch_token(client(served.url), None, 5)
    with pytest.raises(TokenServerUnreachable, match="127.0.0.1"):
        fetch_token(client(served.url.replace("localhost", "127.0.0.1")), served.ca_file, 5)
    assert served.server.forms == []


def test_endless_answer_is_truncated(served: Served) -> None:
    served.server.body = b" " * 1_000_000 + GRANTED
    with pytest.raises(BadTokenAnswer, match="without an access token"):
        fetch_token(client(served.url), served.ca_file, 5)


def test_closed_port_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TokenServerUnreachable, match="refused"):
        fetch_token(client(f"https://localhost:{port}/"), None, 5)


def test_missing_ca_file_is_an_error() -> None:
    with pytest.raises(TokenServerUnreachable, match="No such file"):
        fetch_token(client("https://localhost:1/"), "/nowhere/ca.pem", 5)


@contextlib.contextmanager
def plain_server(answer: bytes | None) -> Iterator[str]:
    """Serve one connection with this answer; None sends nothing and keeps it open."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            stream, _address = listener.accept()
            with stream:
                stream.recv(65536)
                stream.sendall(answer or b"")
                if answer is not None:  # closing with a half-read request would reset the connection
                    stream.shutdown(socket.SHUT_WR)
                    while stream.recv(65536):
                        pass
                if answer is None:
                    over.wait(5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        over.set()
        thread.join(5)


#: answer -> error, words
MALFORMED = [
    (b"220 mx ESMTP\r\n", BadTokenAnswer, "does not speak HTTP"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}", OAuthError, "no token|without an access token|speak HTTP"),
    (b"", TokenServerUnreachable, "no token from 127.0.0.1"),
    (None, TokenServerUnreachable, "timed out"),
]


@pytest.mark.parametrize(("answer", "error", "words"), MALFORMED)
def test_malformed_or_missing_answer_is_an_error_without_secrets(
    answer: bytes | None, error: type[OAuthError], words: str
) -> None:
    with plain_server(answer) as url, pytest.raises(error, match=words) as caught:
        fetch_token(client(url), None, 0.5)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


#: what a server sends at first, and then again and again
ENDLESS = [
    (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
]


@pytest.mark.parametrize(("first", "more"), ENDLESS)
def test_answer_without_an_end_is_given_up(first: bytes, more: bytes) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            stream, _address = listener.accept()
            with stream, contextlib.suppress(OSError):
                stream.recv(65536)
                stream.sendall(first)
                while not over.wait(0.02):
                    stream.sendall(more)

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(TokenServerUnreachable, match="no complete answer within 0.4 s"):
            fetch_token(client(url), None, 5, 0.4)
        over.set()


def test_plain_http_ignores_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with plain_server(b"HTTP/1.0 200 OK\r\n\r\n" + GRANTED) as url:
        assert fetch_token(client(url), None, 5).token == "ya29.t0ken"
