# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to an SMTP server: the only file of the collection that opens sockets."""

from __future__ import annotations

import socket
import ssl
import time
import typing as t

from .binding import server_end_point
from .errors import ConnectFailed, ConnectionLost, ProtocolViolation, Stage, TlsFailed
from .reply import MAX_LINE_LENGTH, MalformedReply, Reply, ReplyParser
from .tls import TlsInfo, describe, explain

if t.TYPE_CHECKING:
    from .binding import ChannelBinding
    from .settings import ServerSettings
    from .tls import TlsPolicy


def connect(settings: ServerSettings) -> Connection:
    """Open a TCP connection, trying each address of the name in turn.

    :raises ConnectFailed: the name does not resolve, or no address answers.
    """

    def failed(problem: str, advice: str) -> ConnectFailed:
        return ConnectFailed(problem, stage=Stage.CONNECT, server=settings.server, advice=advice)

    try:
        stream = socket.create_connection((settings.host, settings.port), settings.connect_timeout)
    except socket.timeout as error:
        raise failed(
            f"no connection within {settings.connect_timeout:g} s",
            "A firewall may drop the port, on this host, on the way or at the server.",
        ) from error
    except socket.gaierror as error:
        raise failed(
            f"the name {settings.host} does not resolve: {error.strerror}", "Check the name and this host's DNS."
        ) from error
    except OSError as error:
        raise failed(
            f"no connection: {error.strerror or error}",
            "Check host and port, that the server runs, and the firewalls between.",
        ) from error
    return Connection(stream, settings.server, settings.timeout)


class Connection:
    """Bytes to and replies from one peer, each within a time limit.

    :param timeout: seconds for one reply, however slowly it comes in; may be changed at any time.
    :ivar usable: whether there is any sense in sending more.
    """

    def __init__(self, stream: socket.socket, server: str, timeout: float) -> None:
        self._stream = stream
        self._server = server
        self._buffer = bytearray()
        self.timeout = timeout
        self.usable = True

    @property
    def address(self) -> str:
        """The peer's address."""
        return str(self._stream.getpeername()[0])

    @property
    def own_name(self) -> str:
        """This host's qualified name, or else its address as a literal (RFC 5321 section 4.1.4)."""
        name = socket.gethostname()
        if "." in name:
            return name
        address = str(self._stream.getsockname()[0])
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    @property
    def tls(self) -> TlsInfo | None:
        """What the handshake came to, if there was one."""
        return describe(self._stream) if isinstance(self._stream, ssl.SSLSocket) else None

    @property
    def channel_binding(self) -> ChannelBinding | None:
        """What a login can be tied to (RFC 5929 section 4), whether or not the certificate was verified."""
        if not isinstance(self._stream, ssl.SSLSocket):
            return None
        certificate = self._stream.getpeercert(binary_form=True)
        return server_end_point(certificate) if certificate else None

    def send(self, data: bytes, stage: Stage) -> None:
        """:raises ConnectionLost: not all of it could be handed over in time."""
        self._stream.settimeout(self.timeout)
        try:
            self._stream.sendall(data)
        except OSError as error:
            raise self._lost(error, stage) from error

    def read_reply(self, stage: Stage) -> Reply:
        """Wait for one whole reply.

        :raises ConnectionLost: closed, reset, or not there in time.
        :raises ProtocolViolation: no SMTP reply.
        """
        parser = ReplyParser()
        deadline = time.monotonic() + self.timeout
        while True:
            line = self._read_line(stage, deadline)
            try:
                reply = parser.feed(line)
            except MalformedReply as error:
                raise self._violation(
                    f"the answer is no SMTP reply: {error}",
                    stage,
                    "Check that host and port name an SMTP server; a port with implicit TLS needs tls: implicit.",
                ) from error
            if reply is not None:
                return reply

    def _read_line(self, stage: Stage, deadline: float) -> bytes:
        while True:
            end = self._buffer.find(b"\n") + 1
            if end:
                line = bytes(self._buffer[:end])
                del self._buffer[:end]
                return line
            if len(self._buffer) > MAX_LINE_LENGTH:
                raise self._violation("an endless reply line", stage)
            self._buffer += self._receive(stage, deadline)

    def _receive(self, stage: Stage, deadline: float) -> bytes:
        remaining = deadline - time.monotonic()
        try:
            if remaining <= 0:
                raise socket.timeout
            self._stream.settimeout(remaining)
            data = self._stream.recv(65536)
        except OSError as error:
            raise self._lost(error, stage) from error
        if not data:
            raise self._lost(ConnectionResetError(0, "the server closed it"), stage)
        return data

    def start_tls(self, policy: TlsPolicy, host: str, stage: Stage) -> None:
        """Go on in TLS.

        :raises ProtocolViolation: plaintext is waiting behind the reply to STARTTLS; it could be anybody's
            (RFC 3207 section 4.2, CVE-2011-0411).
        :raises TlsFailed: no handshake, or not with whom we asked for.
        """
        if self._buffer:
            raise self._violation("the server sent plaintext ahead of TLS", stage)
        try:
            self._stream.settimeout(self.timeout)
            self._stream = policy.context().wrap_socket(self._stream, server_hostname=host)
        except ssl.SSLError as error:
            problem, advice = explain(error)
            raise TlsFailed(problem, stage=Stage.TLS, server=self._server, advice=advice) from error
        except OSError as error:
            raise self._lost(error, Stage.TLS) from error

    def close(self) -> None:
        """Let go of the socket."""
        self._stream.close()

    def _violation(self, problem: str, stage: Stage, advice: str = "") -> ProtocolViolation:
        self.usable = False
        return ProtocolViolation(problem, stage=stage, server=self._server, advice=advice)

    def _lost(self, error: OSError, stage: Stage) -> ConnectionLost:
        self.usable = False
        if isinstance(error, socket.timeout):
            return ConnectionLost(f"no answer within {self.timeout:g} s", stage=stage, server=self._server)
        reason = error.strerror or str(error) or type(error).__name__
        return ConnectionLost(f"the connection was lost: {reason}", stage=stage, server=self._server)
