# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to an SMTP server; the only file of this package that opens sockets."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
import typing as t

from .errors import (
    CHECK_SOCKET,
    PASSING_ERRORS,
    SOCKET_PROBLEMS,
    CannotConnect,
    ConnectFailed,
    ConnectionLost,
    ProtocolViolation,
    ProxyFailed,
    SmtpError,
    Stage,
    TlsFailed,
)
from .reply import MAX_LINE_LENGTH, MalformedReply, Reply, ReplyParser, single_line_reply
from .settings import InvalidSettings, address_literal, read_host
from .tls import (
    TlsInfo,
    begins_otherwise,
    describe,
    explain,
    explain_close,
    explain_silence,
    is_about_client_certificate,
)

#: Octets to send at once; each such piece has the time-out of one reply.
_PIECE = 65536
#: The same in TLS: the largest record (RFC 8446 section 5.1), since the server can read a record only as a whole.
_RECORD = 16384
#: Seconds of silence that are enough to see that TLS begins at another time than tls says.
_SHORT = 10.0
#: Failures to resolve a name that pass by themselves.
_PASSING_NAMES = (socket.EAI_AGAIN, socket.EAI_SYSTEM, socket.EAI_MEMORY)

if t.TYPE_CHECKING:
    from .._x509.signature import ChannelBinding
    from .settings import ServerSettings
    from .tls import TlsPolicy


def connect(settings: ServerSettings, kind: type[Connection] | None = None, address: str = "") -> Connection:
    """Open a connection of a kind, trying each address of a name in turn, or only the one that is given.

    :raises ConnectFailed: the name does not resolve, no address answers, or the proxy refuses.
    """

    try:
        return (kind or Connection)(*_open_stream(settings, address), settings)
    except ProxyFailed as error:
        failure = ConnectFailed if error.passing else CannotConnect
        problem, advice = f"{settings.proxy} did not connect: {error}", "Check the option proxy and the proxy's rules."
        raise failure(problem, stage=Stage.CONNECT, server=settings.server, advice=advice) from None
    except OSError as error:
        failure, problem, advice = _why_not_connected(error, settings)
        raise failure(problem, stage=Stage.CONNECT, server=settings.server, advice=advice) from error


def _why_not_connected(error: OSError, settings: ServerSettings) -> tuple[type[ConnectFailed], str, str]:
    """Return the type of the failure, the problem and the advice."""
    where = "unix_socket" if settings.unix_socket else "proxy" if settings.proxy else "host and port"
    if isinstance(error, socket.timeout):
        blocked = (
            " Many networks block port 25: use 587 or 465." if where.endswith("port") and settings.port == 25 else ""
        )
        advice = (
            f"A firewall may drop the packets, on this host, on the network or at the server; check {where}.{blocked}"
            " If the network is only slow, increase connect_timeout."
        )
        through = f" through {settings.proxy}" if settings.proxy else ""
        return ConnectFailed, f"no connection within {settings.connect_timeout:g} s{through}", advice
    if isinstance(error, socket.gaierror):
        option, name = ("proxy", settings.proxy.host) if settings.proxy else ("host", settings.host)
        kind = ConnectFailed if error.errno in _PASSING_NAMES else CannotConnect
        problem = f"the name {name} does not resolve: {error.strerror}"
        return kind, problem, f"Check the name in {option}, and the DNS of this host."
    kind = ConnectFailed if error.errno in PASSING_ERRORS else CannotConnect
    reason = error.strerror or str(error)
    if settings.unix_socket:
        return (kind, *SOCKET_PROBLEMS.get(error.errno or 0, (f"no connection: {reason}", CHECK_SOCKET)))
    who = "proxy" if settings.proxy else "server"
    problem = f"no connection to {settings.proxy}: {reason}" if settings.proxy else f"no connection: {reason}"
    return kind, problem, f"Check {where}, that the {who} is running, and the firewalls in between."


def _open_stream(settings: ServerSettings, address: str) -> tuple[socket.socket, str]:
    """Return a stream to the server, and the address of its other end: the server, the proxy or the socket's path."""
    if settings.unix_socket:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(settings.connect_timeout)
    else:
        next_host = settings.proxy or settings
        stream = socket.create_connection((address or next_host.host, next_host.port), settings.connect_timeout)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        if settings.unix_socket:
            stream.connect(settings.unix_socket)
            return stream, settings.unix_socket
        if settings.proxy:
            settings.proxy.connect(_Hurried(stream, settings.connect_timeout), settings.host, settings.port)
        return stream, str(stream.getpeername()[0])
    except BaseException:
        stream.close()
        raise


class _Hurried:
    """A stream with one time limit for a whole conversation, however slowly data arrives.

    :param timeout: seconds for the whole conversation.
    """

    def __init__(self, stream: socket.socket, timeout: float) -> None:
        self._stream = stream
        self._deadline = time.monotonic() + timeout

    def sendall(self, data: bytes) -> None:
        self._allow_the_rest()
        self._stream.sendall(data)

    def recv(self, size: int) -> bytes:
        self._allow_the_rest()
        return self._stream.recv(size)

    def _allow_the_rest(self) -> None:
        rest = self._deadline - time.monotonic()
        if rest <= 0:
            raise socket.timeout
        self._stream.settimeout(rest)


class Connection:
    """Sends bytes to one peer and reads its replies, each within a time limit.

    :param address: the peer's address.
    :ivar timeout: seconds for one complete reply; may be changed at any time.
    :ivar final_timeout: the same for the reply to the content.
    :ivar scrub: applied to each reply before it is returned; removes the secrets of the login.
    :ivar usable: whether more can be sent.
    :ivar round_trips: how many times the client waited for an answer.
    """

    def __init__(self, stream: socket.socket, address: str, settings: ServerSettings) -> None:
        self._stream = stream
        self._server = settings.server
        self._policy = settings.tls
        self._port = 0 if settings.unix_socket else settings.port
        self._on_this_host = bool(settings.unix_socket) or (not settings.proxy and _is_loopback(address))
        self._waits_in_tls = False  # nothing was received since the handshake
        self.address = address
        self._arrivals = select.poll()
        self._arrivals.register(stream, select.POLLIN)
        self._buffer = bytearray()
        self._allowed = 0.0
        self.timeout = settings.timeout
        self.final_timeout = settings.final_timeout
        self.usable = True
        self.round_trips = 0
        self._spoke = True  # by connecting
        self._piece = _PIECE
        self.scrub: t.Callable[[Reply], Reply] | None = None

    @property
    def own_name(self) -> str:
        """This host's fully qualified name, or else its address as a literal (RFC 5321 section 4.1.4)."""
        name = socket.gethostname()
        with contextlib.suppress(InvalidSettings):
            name = read_host("host", name)
            if "." in name:
                return name
        if self._stream.family == socket.AF_UNIX:
            return name or "localhost"
        return address_literal(str(self._stream.getsockname()[0]))

    @property
    def tls(self) -> TlsInfo | None:
        """The result of the TLS handshake, or None without TLS."""
        return describe(self._stream, self._policy) if isinstance(self._stream, ssl.SSLSocket) else None

    @property
    def channel_binding(self) -> ChannelBinding | None:
        """The channel binding for a login (RFC 5929 section 4), whether or not the certificate was verified."""
        if not isinstance(self._stream, ssl.SSLSocket):
            return None
        from .._x509.signature import server_end_point

        certificate = self._stream.getpeercert(binary_form=True)
        return server_end_point(certificate) if certificate else None

    def send(self, data: bytes | memoryview, stage: Stage) -> None:
        """Send all the data.

        :raises ConnectionLost: not all of it was sent in time.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[self._send_piece(rest, stage) :]

    def send_content(self, content: bytes, ahead: bytes, before_end: t.Callable[[], None] | None = None) -> None:
        """Send the content of a message, immediately followed by the commands of the next message.

        :param before_end: called before the last piece of the content is sent: from then on only the server knows
            whether it has the message.
        :raises ConnectionLost: at stage ``BODY`` if the end of the content was not sent, else at ``END_OF_DATA``.
        """
        rest = memoryview(content + ahead)
        last_piece = (len(content) - 1) // self._piece * self._piece
        self.send(rest[:last_piece], Stage.BODY)
        if before_end:
            before_end()
        rest = rest[last_piece:]
        while rest:
            rest = rest[self._send_piece(rest, Stage.BODY if len(rest) > len(ahead) else Stage.END_OF_DATA) :]

    def _send_piece(self, data: memoryview, stage: Stage) -> int:
        """Return how many octets were sent. If it raises, none were sent, or none that the peer can read."""
        try:
            self._allow(self.timeout)
            self._spoke = True
            return self._stream.send(data[: self._piece])
        except OSError as error:
            raise self._lost(self._alert_before(error), stage) from error

    def _alert_before(self, error: OSError) -> OSError:
        """Return the alert that the server sent before it closed the connection, or else the error of sending."""
        if self._waits_in_tls and not isinstance(error, socket.timeout):
            try:
                self._stream.recv(1)
            except OSError as alert:
                return alert if isinstance(alert, ssl.SSLError) else error
        return error

    def read_reply(self, stage: Stage) -> Reply:
        """Wait for one complete reply.

        :raises ConnectionLost: the connection was closed or reset, or the reply is late.
        :raises ProtocolViolation: the answer is not an SMTP reply.
        """
        try:
            reply = self._reply_at_hand() or self._wait_for_reply(stage)
        except MalformedReply as error:
            answer = "" if stage is Stage.AUTH else f": {error}"  # it may echo the login
            problem = f"the answer is not an SMTP reply{answer}"
            raise self.violation(problem, stage, error.advice) from (None if stage is Stage.AUTH else error)
        return self.scrub(reply) if self.scrub else reply

    def _reply_at_hand(self) -> Reply | None:
        """Return a reply of one line that has already arrived, the usual case with PIPELINING."""
        end = self._buffer.find(b"\n") + 1
        reply = single_line_reply(bytes(self._buffer[:end])) if end else None
        if reply:
            del self._buffer[:end]
        return reply

    def _wait_for_reply(self, stage: Stage) -> Reply:
        timeout = self._patience(stage)
        deadline = time.monotonic() + timeout
        parser, line = ReplyParser(), self._read_line(stage, deadline, timeout)
        reply = single_line_reply(line) or parser.feed(line)
        while reply is None:
            reply = parser.feed(self._read_line(stage, deadline, deadline - time.monotonic()))
        return reply

    def _patience(self, stage: Stage) -> float:
        """Return the time limit for an answer, shorter where silence means that TLS begins at another time."""
        if stage is Stage.END_OF_DATA:
            return self.final_timeout
        return min(self.timeout, _SHORT) if begins_otherwise(self._policy.mode, self._port, stage) else self.timeout

    @property
    def has_input(self) -> bool:
        """Whether unread data, or the end of the stream, has arrived."""
        return bool(self._buffer) or (bool(self._arrivals.poll(0)) and self._take_arrived())

    def expect_nothing_read(self, stage: Stage, what: str = "a reply without a command") -> None:
        """Raise :class:`ProtocolViolation` if more arrived with the last reply: it would answer what comes next."""
        if self._buffer:
            raise self.violation(f"the server sent {what}", stage)

    def _take_arrived(self) -> bool:
        """Read what has arrived.

        :returns: False for messages of TLS itself, such as session tickets (RFC 8446 section 4.6.1).
        """
        self._allow(0.0)
        try:
            self._buffer += self._stream.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:  # the next read raises it again
            return True
        return True

    def _read_line(self, stage: Stage, deadline: float, timeout: float) -> bytes:
        while True:
            end = self._buffer.find(b"\n") + 1
            if end:
                line = bytes(self._buffer[:end])
                del self._buffer[:end]
                return line
            if len(self._buffer) > MAX_LINE_LENGTH:
                raise self.violation(f"a line of the reply is longer than {MAX_LINE_LENGTH} octets", stage)
            self._buffer += self._receive(stage, timeout)
            timeout = deadline - time.monotonic()  # time left for the rest of the reply

    def _receive(self, stage: Stage, timeout: float) -> bytes:
        self.round_trips += self._spoke
        self._spoke = False
        try:
            if timeout <= 0:
                raise socket.timeout
            self._allow(timeout)
            data = self._stream.recv(65536)
        except OSError as error:
            raise self._lost(error, stage) from error
        if not data:
            raise self._lost(ConnectionResetError(0, "the server closed it"), stage)
        self._waits_in_tls = False
        return data

    def receive(self, stage: Stage) -> bytes:
        """Return the octets that arrive next, as they are: the answer to something that is not SMTP.

        :raises ConnectionLost: see :meth:`read_reply`.
        """
        data, self._buffer = bytes(self._buffer), bytearray()
        return data or self._receive(stage, self.timeout)

    def start_tls(self, policy: TlsPolicy, host: str, stage: Stage) -> None:
        """Continue in TLS.

        :raises ProtocolViolation: plaintext follows the reply to STARTTLS; an attacker may have injected it
            (RFC 3207 section 4.2, CVE-2011-0411).
        :raises TlsFailed: the handshake failed, or the server is not the expected one.
        """
        self.expect_nothing_read(stage, "plaintext ahead of TLS")
        policy = policy.toward(self._on_this_host)
        self._policy = policy
        name = (policy.server_name or host).partition("%")[0]  # a certificate has no zone
        try:
            self._allow(self._patience(Stage.TLS))
            self._stream = policy.context().wrap_socket(self._stream, server_hostname=name)
            self._piece, self._waits_in_tls = _RECORD, True
            self.round_trips += 1 if self._stream.version() == "TLSv1.3" else 2
            problem = policy.check_pin(self._stream)
            if problem:
                advice = "Check that it is the right server; if its certificate is new, update the option."
                raise TlsFailed(problem, stage=Stage.TLS, server=self._server, advice=advice)
        except ssl.SSLError as error:
            problem, advice = explain(error, policy, self._on_this_host)
            raise TlsFailed(problem, stage=Stage.TLS, server=self._server, advice=advice) from error
        except OSError as error:
            raise self._lost(error, Stage.TLS) from error

    def _allow(self, timeout: float) -> None:
        """Set the socket's time-out if it changes: each change costs a system call."""
        if timeout != self._allowed:
            self._stream.settimeout(timeout)
            self._allowed = timeout

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def violation(self, problem: str, stage: Stage, advice: str = "") -> ProtocolViolation:
        """Return the error for a peer that violates SMTP; nothing more is sent to it."""
        self.usable = False
        return ProtocolViolation(problem, stage=stage, server=self._server, advice=advice)

    def _lost(self, error: OSError, stage: Stage) -> SmtpError:
        self.usable = False
        mode, kind = self._policy.mode, t.cast("type[SmtpError]", ConnectionLost)
        if isinstance(error, socket.timeout):
            problem, advice = f"no answer within {self._patience(stage):g} s", explain_silence(mode, stage)
            kind = TlsFailed if begins_otherwise(mode, self._port, stage) else kind
        elif self._waits_in_tls and is_about_client_certificate(error):
            (problem, advice), kind = explain(t.cast("ssl.SSLError", error), self._policy), TlsFailed
        else:
            problem = f"the connection was lost: {error.strerror or str(error) or type(error).__name__}"
            advice = explain_close(mode, stage, self._waits_in_tls)
        return kind(problem, stage=stage, server=self._server, advice=advice)


def _is_loopback(address: str) -> bool:
    """Whether the address of a peer, as the kernel writes it, is one of this host (RFC 6890 section 2.2)."""
    return address == "::1" or address.startswith(("127.", "::ffff:127."))
