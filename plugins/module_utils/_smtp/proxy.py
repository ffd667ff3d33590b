# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client side of proxies: SOCKS5 (RFC 1928, RFC 1929) and HTTP CONNECT (RFC 9110 section 9.3.6).

It takes a byte stream that is connected to the proxy, and leaves it connected to the server.
"""

from __future__ import annotations

import base64
import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote

from .errors import ProxyFailed

__all__ = ["Proxy", "ProxyFailed"]

#: Scheme -> kind and default port; in socks5h the proxy resolves the name, as it does here in any case.
_SCHEMES = {"socks5": ("socks5", 1080), "socks5h": ("socks5", 1080), "http": ("http", 3128)}
_EXPECTED = "expected socks5://host:port or http://host:port"
#: The login ends at the last @, so that a password may contain any character but the percent sign as it is.
_URL = re.compile(r"(?:([a-z][a-z0-9+.-]*)://)?(?:(.*)@)?(\[[^\[\]]*\]|[^\[\]:/?#@]+)(?::([0-9]+))?/?\Z", re.I | re.S)
#: Longest accepted answer of a proxy to CONNECT, in octets.
_MAX_ANSWER = 16384

_SOCKS_PROBLEMS = {
    1: "it failed",
    2: "its rules forbid the connection",
    3: "the network is unreachable",
    4: "the host is unreachable",
    5: "the connection was refused",
    6: "the connection timed out",
    7: "it does not support CONNECT",
    8: "it does not support this type of address",
}
#: Answers after which a later attempt may succeed: SOCKS5 (RFC 1928 section 6), HTTP (RFC 9110 section 15).
_PASSING = frozenset({1, 3, 4, 5, 6, 408, 425, 429, 500, 502, 503, 504})


class Stream(t.Protocol):
    """The methods of a socket that a proxy needs."""

    def sendall(self, data: bytes) -> None:
        """Send all the data."""

    def recv(self, size: int) -> bytes:
        """Receive at most ``size`` octets; none at the end of the stream."""


@dataclass(frozen=True)
class Proxy:
    """A proxy and the login for it.

    :param kind: ``socks5`` or ``http``.
    """

    kind: str
    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Parse ``socks5://host:port`` or ``http://user:password@host:port``.

        :raises ValueError: the URL is neither; the text does not show its login.
        """
        parts = _URL.match(url.strip())
        if not parts:
            raise ValueError(f"proxy is not a valid URL; {_EXPECTED}, with user:password@ before the host for a login")
        scheme, login, host, port = parts.groups()
        if (scheme or "").lower() not in _SCHEMES:
            raise ValueError(
                f"proxy begins with {scheme}://; {_EXPECTED}" if scheme else f"proxy has no ://; {_EXPECTED}"
            )
        kind, default_port = _SCHEMES[scheme.lower()]
        if port and not 1 <= int(port[:6]) <= 65535:
            raise ValueError(f"proxy has a port that is not between 1 and 65535; {_EXPECTED}")
        user, _colon, password = map(unquote, (login or "").partition(":"))
        if kind == "socks5" and max(len(user.encode()), len(password.encode())) > 255:
            raise ValueError(
                "proxy: user name or password is too long; expected at most 255 octets each for SOCKS5 (RFC 1929)"
            )
        return cls(kind, host.strip("[]"), int(port or default_port), user, password)

    def __str__(self) -> str:
        """Return how errors name the proxy, without its login."""
        return f"the proxy [{self.host}]:{self.port}" if ":" in self.host else f"the proxy {self.host}:{self.port}"

    def connect(self, stream: Stream, host: str, port: int) -> None:
        """Have the proxy connect to the server, whose name the proxy resolves.

        :raises ProxyFailed: the proxy refused, or does not speak its protocol.
        """
        (_socks5 if self.kind == "socks5" else _http)(self, stream, host, port)


def _socks5(proxy: Proxy, stream: Stream, host: str, port: int) -> None:
    login = bool(proxy.username)
    stream.sendall(b"\x05\x02\x00\x02" if login else b"\x05\x01\x00")
    version, method = _receive(stream, 2)
    if version != 5:
        raise ProxyFailed("it does not speak SOCKS5")
    if method == 2 and login:
        user, password = proxy.username.encode(), proxy.password.encode()
        stream.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
        if _receive(stream, 2)[1] != 0:
            raise ProxyFailed("it refused the login")
    elif method != 0:
        raise ProxyFailed("it does not accept a user name and password" if login else "it requires a login")
    name = host.encode("ascii")
    stream.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big"))
    _version, status, _reserved, kind = _receive(stream, 4)
    if status:
        raise ProxyFailed(_SOCKS_PROBLEMS.get(status, f"it answered {status}"), status in _PASSING)
    _receive(stream, {1: 4, 4: 16}.get(kind) or _receive(stream, 1)[0])
    _receive(stream, 2)


def _http(proxy: Proxy, stream: Stream, host: str, port: int) -> None:
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.username:
        login = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode("ascii")
        lines.append(f"Proxy-Authorization: Basic {login}")
    stream.sendall("\r\n".join([*lines, "", ""]).encode("utf-8"))
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += _receive(stream, 1)  # byte by byte, since the server's data follows the answer
        if len(answer) > _MAX_ANSWER:
            raise ProxyFailed(f"its answer is longer than {_MAX_ANSWER} octets")
    status = answer.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ", 2)
    if len(status) < 2 or not status[0].startswith("HTTP/"):
        raise ProxyFailed("it does not speak HTTP")
    code = status[1][:3]
    if not code.startswith("2"):
        passing = code.isdecimal() and int(code) in _PASSING
        raise ProxyFailed(f"it answered {code}", passing)  # only the code: the text may echo the login


def _receive(stream: Stream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = stream.recv(size - len(data))
        if not piece:
            raise ProxyFailed("it closed the connection", passing=True)
        data += piece
    return data
