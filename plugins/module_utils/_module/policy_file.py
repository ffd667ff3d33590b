# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTA-STS policy of a domain, fetched over HTTPS as senders do (RFC 8461 section 3.3)."""

from __future__ import annotations

import functools
import http.client
import io
import time
import typing as t

from .._dns.sts import FetchPolicy, PolicyAnswer, PolicyUnreachable
from .._smtp.tls import TlsPolicy

PATH = "/.well-known/mta-sts.txt"
HTTPS_PORT = 443
#: In octets. A policy has a few hundred (RFC 8461 section 3.3 advises a limit).
_MAX_ANSWER = 65_536
_MAX_ADDRESSES = 4
_MAX_TEXT = 200


def fetcher(ca_file: str | None, timeout: float) -> FetchPolicy:
    """Return the function that fetches a policy.

    :param ca_file: trusted authorities in PEM in place of the system's.
    :param timeout: seconds for all addresses together.
    """
    return functools.partial(_fetch, TlsPolicy(ca_file=ca_file), timeout)


def _fetch(policy: TlsPolicy, timeout: float, host: str, addresses: t.Sequence[str]) -> PolicyAnswer:
    deadline = time.monotonic() + timeout
    problems = []
    for address in addresses[:_MAX_ADDRESSES]:
        try:
            return _parsed(_talk(policy, host, address, deadline))
        except (OSError, http.client.HTTPException) as error:
            refused = getattr(error, "verify_message", "")
            if refused:
                return PolicyAnswer(certificate_error=refused)
            problems.append(f"{address}: {_told(error)}")
    raise PolicyUnreachable(f"https://{host}{PATH} gave no answer ({', '.join(problems)})")


def _talk(policy: TlsPolicy, host: str, address: str, deadline: float) -> bytes:
    """What the server says. The deadline also ends an answer that drips."""
    connection = http.client.HTTPConnection(address, HTTPS_PORT, timeout=_left(deadline))
    try:
        connection.connect()
        with policy.context().wrap_socket(connection.sock, server_hostname=host) as stream:
            stream.sendall(
                f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mailops.smtp\r\nConnection: close\r\n\r\n".encode()
            )
            answer = b""
            while True:
                stream.settimeout(_left(deadline))
                piece = stream.recv(_MAX_ANSWER)
                answer += piece
                if len(answer) > _MAX_ANSWER:
                    raise http.client.HTTPException(f"the answer is larger than {_MAX_ANSWER} octets")
                if not piece:
                    return answer
    finally:
        connection.close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it did not answer in time")
    return left


class _Received(io.BytesIO):
    """Stands in for the socket of :class:`http.client.HTTPResponse`."""

    def makefile(self, *_arguments: t.Any) -> io.BytesIO:
        """Return what was received."""
        return self


def _parsed(answer: bytes) -> PolicyAnswer:
    response = http.client.HTTPResponse(t.cast("t.Any", _Received(answer)))
    response.begin()
    body = response.read().decode("latin-1")
    return PolicyAnswer(response.status, (response.getheader("Content-Type") or "")[:_MAX_TEXT], body)


def _told(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return "it did not answer in time" if isinstance(error, TimeoutError) else str(text)[:_MAX_TEXT]
