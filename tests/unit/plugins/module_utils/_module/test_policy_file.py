# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTA-STS policy, fetched from a web server on loopback that also misbehaves."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import trustme

from ansible_collections.mailops.smtp.plugins.module_utils._dns.sts import PolicyAnswer, PolicyUnreachable
from ansible_collections.mailops.smtp.plugins.module_utils._module import policy_file

HOST = "mta-sts.example.test"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("policy") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, str(path)


@contextlib.contextmanager
def web_server(ca: trustme.CA, talk: Callable[[ssl.SSLSocket], None], name: str = HOST) -> Iterator[int]:
    """Run ``talk`` on each connection, after the request; yield the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _address = listener.accept()
            with context.wrap_socket(connection, server_side=True) as stream:
                stream.recv(4096)
                talk(stream)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(5)


def drip(stream: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        for _octet in range(200):
            stream.sendall(b"H")
            time.sleep(0.05)


ANSWERS = {
    "plain": (HEAD + b"\r\nversion: STSv1\r\n", PolicyAnswer(200, "text/plain", "version: STSv1\r\n")),
    "chunked": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        PolicyAnswer(200, "text/plain", "abcde"),
    ),
    "with a length": (HEAD + b"Content-Length: 3\r\n\r\nabcdef", PolicyAnswer(200, "text/plain", "abc")),
    "octets": (HEAD + b"\r\n\xff", PolicyAnswer(200, "text/plain", "\xff")),
    "redirect": (b"HTTP/1.1 301 Moved\r\nLocation: https://x/\r\n\r\n", PolicyAnswer(301, "", "")),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_answer_is_read(authority, monkeypatch, case):
    sent, expected = ANSWERS[case]
    ca, ca_file = authority
    with web_server(ca, lambda stream: stream.sendall(sent)) as port:
        monkeypatch.setattr(policy_file, "HTTPS_PORT", port)
        assert policy_file.fetcher(ca_file, 3.0)(HOST, ["127.0.0.1"]) == expected


FAULTS = {
    "drips": (drip, "127.0.0.1: it did not answer in time"),
    "says nothing": (lambda _stream: time.sleep(1.2), "127.0.0.1: it did not answer in time"),
    "closes": (lambda _stream: None, "127.0.0.1: "),
    "too much": (lambda stream: stream.sendall(HEAD + b"\r\n" + b"x" * 300_000), "larger than 65536 octets"),
    "no HTTP": (lambda stream: stream.sendall(b"220 ESMTP\r\n"), "127.0.0.1: 220 ESMTP"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_web_server_that_misbehaves_is_told_in_time(authority, monkeypatch, case):
    talk, told = FAULTS[case]
    ca, ca_file = authority
    began = time.monotonic()
    with web_server(ca, talk) as port:
        monkeypatch.setattr(policy_file, "HTTPS_PORT", port)
        with pytest.raises(PolicyUnreachable) as caught:
            policy_file.fetcher(ca_file, 0.6)(HOST, ["127.0.0.1"])
        assert time.monotonic() - began < 3
    assert told in str(caught.value)
    assert str(caught.value).startswith("https://mta-sts.example.test/.well-known/mta-sts.txt gave no answer (")


@pytest.mark.parametrize(("name", "own"), [("www.example.test", True), (HOST, False)])
def test_certificate_that_is_refused_is_told(authority, monkeypatch, name, own):
    ca, ca_file = authority
    with web_server(ca, lambda _stream: None, name) as port:
        monkeypatch.setattr(policy_file, "HTTPS_PORT", port)
        answer = policy_file.fetcher(ca_file if own else None, 3.0)(HOST, ["127.0.0.1"])
    assert answer.status is None
    assert ("Hostname mismatch" in answer.certificate_error) is own


def test_next_address_is_tried(authority, monkeypatch):
    ca, ca_file = authority
    with web_server(ca, lambda stream: stream.sendall(HEAD + b"\r\nx")) as port:
        monkeypatch.setattr(policy_file, "HTTPS_PORT", port)
        answer = policy_file.fetcher(ca_file, 3.0)(HOST, ["127.0.0.2", "127.0.0.1"])
    assert answer.body == "x"
