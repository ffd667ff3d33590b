# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens fetched over HTTPS from a token server on loopback."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import ssl
import threading
import traceback
import typing as t
import urllib.parse
from collections.abc import Iterator

import pytest
import trustme
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mailops.smtp.plugins.doc_fragments._smtp_oauth import ModuleDocFragment
from ansible_collections.mailops.smtp.plugins.module_utils._module.oauth import (
    fetch_token,
    oauth_token,
    token_client,
)
from ansible_collections.mailops.smtp.plugins.module_utils._module.server import OAUTH_ARGUMENTS
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.choice import MECHANISMS
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.oauth import (
    PROVIDERS,
    BadTokenAnswer,
    Grant,
    InvalidTokenClient,
    OAuthError,
    TokenClient,
    TokenRefused,
    TokenServerUnreachable,
)
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.scrubbing import encoded_forms

SECRET = "client-s3cret"
GRANTED = json.dumps({"access_token": "ya29.t0ken", "token_type": "Bearer", "expires_in": 3599}).encode()


class TokenServer(http.server.ThreadingHTTPServer):
    """Answers every request with ``status`` and ``body``, and keeps what it receives."""

    daemon_threads = True
    status = 200
    body = GRANTED
    headers: t.Mapping[str, str] = {}

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forms: list[dict[str, str]] = []
        self.seen: list[t.Any] = []

    def handle_error(self, *_arguments: object) -> None:
        """Ignore a client that refuses the certificate."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.forms.append(dict(urllib.parse.parse_qsl(content)))
        self.server.seen.append(self.headers)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_arguments: object) -> None:
        pass


class Served(t.NamedTuple):
    server: TokenServer
    url: str
    ca_file: str


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def served(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    with TokenServer() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Served(server, f"https://localhost:{server.server_port}/token", str(ca_file))
        server.shutdown()
        thread.join(5)


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


def test_plain_http_ignores_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with plain_server(b"HTTP/1.0 200 OK\r\n\r\n" + GRANTED) as url:
        assert fetch_token(client(url), None, 5).token == "ya29.t0ken"


class Module(t.NamedTuple):
    params: t.Mapping[str, t.Any]
    no_log_values: set[str]


def module(oauth: t.Mapping[str, t.Any] | None) -> Module:
    result = ArgumentSpecValidator(OAUTH_ARGUMENTS).validate({"oauth": oauth} if oauth is not None else {})
    assert result.error_messages == []
    return Module(result.validated_parameters, set())


def test_without_the_option_there_is_no_token() -> None:
    assert oauth_token(t.cast(t.Any, module(None))) is None


def test_given_token_is_used_as_it_is() -> None:
    given = module({"token": "ya29.t0ken"})
    assert oauth_token(t.cast(t.Any, given)) == "ya29.t0ken"


def test_fetched_token_is_hidden(served: Served) -> None:
    asked = module(
        {"token_url": served.url, "client_id": "app", "client_secret": SECRET, "ca_file": served.ca_file, "timeout": 5}
    )
    assert oauth_token(t.cast(t.Any, asked)) == "ya29.t0ken"
    assert asked.no_log_values == set(encoded_forms(["ya29.t0ken"]))
    assert served.server.forms[0]["grant_type"] == "client_credentials"


def test_default_grant_follows_from_the_secrets() -> None:
    options = {"provider": "google", "client_id": "app", "client_secret": SECRET, "refresh_token": "r"}
    assert token_client(module(options).params["oauth"]).grant is Grant.REFRESH_TOKEN


def test_contradicting_options_are_refused() -> None:
    with pytest.raises(InvalidTokenClient, match="client_secret"):
        token_client(module({"token_url": "https://x.test/", "client_id": "app"}).params["oauth"])
    validator = ArgumentSpecValidator(OAUTH_ARGUMENTS)
    bad = [{}, {"token": "t", "provider": "google"}, {"provider": "google"}, {"token": "t", "client_secret": "s"}]
    for options in bad:
        assert validator.validate({"oauth": options}).error_messages, options


def test_documented_options_are_those_of_the_argument_spec() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert documented.keys() == OAUTH_ARGUMENTS.keys()
    assert list(documented["auth_mechanism"]["choices"]) == OAUTH_ARGUMENTS["auth_mechanism"]["choices"]
    suboptions = documented["oauth"]["suboptions"]
    spec = OAUTH_ARGUMENTS["oauth"]["options"]
    assert list(suboptions) == list(spec)
    for name, values in spec.items():
        assert suboptions[name]["type"] == values["type"], name
        assert list(suboptions[name].get("choices", [])) == values.get("choices", []), name
        assert suboptions[name].get("default") == values.get("default"), name


def test_choices_are_the_supported_mechanisms_providers_and_grants() -> None:
    assert OAUTH_ARGUMENTS["auth_mechanism"]["choices"] == [mechanism.name for mechanism in MECHANISMS]
    spec = OAUTH_ARGUMENTS["oauth"]["options"]
    assert spec["provider"]["choices"] == list(PROVIDERS)
    assert spec["grant"]["choices"] == [grant.value for grant in Grant]


@pytest.mark.parametrize("name", ["token", "client_secret", "refresh_token"])
def test_secrets_are_marked_no_log(name: str) -> None:
    assert OAUTH_ARGUMENTS["oauth"]["options"][name]["no_log"] is True
