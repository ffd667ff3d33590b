# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token server on loopback, with a certificate of its own authority."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
import typing as t
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import trustme

GRANTED = json.dumps({"access_token": "ya29.t0ken", "token_type": "Bearer", "expires_in": 3599}).encode()


class TokenServer(http.server.ThreadingHTTPServer):
    """Answers every request with ``status`` and ``body``, and keeps what it receives.

    :ivar pause: answers wait until it is set.
    """

    daemon_threads = True
    status = 200
    body = GRANTED
    headers: t.Mapping[str, str] = {}

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forms: list[dict[str, str]] = []
        self.seen: list[t.Any] = []
        self.pause = threading.Event()
        self.pause.set()

    def handle_error(self, *_arguments: object) -> None:
        """Ignore a client that refuses the certificate."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        """Keep the form and answer."""
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.forms.append(dict(urllib.parse.parse_qsl(content)))
        self.server.seen.append(self.headers)
        self.server.pause.wait(20)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_arguments: object) -> None:
        pass


class Served(t.NamedTuple):
    """A running server, its URL and the file of its authority."""

    server: TokenServer
    url: str
    ca_file: str


@contextlib.contextmanager
def token_server(authority: trustme.CA, folder: Path) -> Iterator[Served]:
    """Serve on loopback with a certificate of the authority, whose own is written to the folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    with TokenServer() as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield Served(server, f"https://localhost:{server.server_port}/token", str(ca_file))
        finally:
            server.shutdown()
            thread.join(5)
