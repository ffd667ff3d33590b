# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection to an SMTP server: the only file of the collection that opens sockets."""

from __future__ import annotations

import select
import socket
import ssl
import time
import typing as t

from .errors import ConnectFailed, ConnectionLost, ProtocolViolation, ProxyFailed, Stage, TlsFailed
from .reply import MAX_LINE_LENGTH, MalformedReply, Reply, ReplyParser, single_line_reply
from .tls import TlsInfo, describe, explain

#: Octets handed over at once; each such piece has the time of one reply.
_PIECE = 65536
#: The same in TLS, the largest record (RFC 8446 section 5.1): a peer can read all of a record or nothing.
_RECORD = 16384

if t.TYPE_CHECKING:
    from .._sasl.binding import ChannelBinding
    from .settings import ServerSettings
    from .tls import TlsPolicy


def connect(settings: ServerSettings) -> Connection:
    """Open a connection, trying each address of a name in turn.

    :raises ConnectFailed: the name does not resolve, nobody answers, or a proxy says no.
    """

    def failed(problem: str, advice: str) -> ConnectFailed:
        return ConnectFailed(problem, stage=Stage.CONNECT, server=settings.server, advice=advice)

    try:
        return Connection(*_open_stream(settings), settings)
    except ProxyFailed as error:
        raise failed(f"the proxy did not connect: {error}", "Check the proxy, its login and its rules.") from None
    except socket.timeout as error:
        raise failed(
            f"no connection within {settings.connect_timeout:g} s",
            "A firewall may drop the port, on this host, on the way or at the server.",
        ) from error
    except socket.gaierror as error:
        name = settings.proxy.host if settings.proxy else settings.host
        raise failed(
            f"the name {name} does not resolve: {error.strerror}", "Check the name and this host's DNS."
        ) from error
    except OSError as error:
        raise failed(
            f"no connection: {error.strerror or error}",
            "Check host and port, that the server runs, and the firewalls between.",
        ) from error


def _open_stream(settings: ServerSettings) -> tuple[socket.socket, str]:
    """:returns: a stream to the server, and the address of whom it is connected to."""
    if settings.unix_socket:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(settings.connect_timeout)
    else:
        next_host = settings.proxy or settings
        stream = socket.create_connection((next_host.host, next_host.port), settings.connect_timeout)
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
    """A stream for one conversation that must end in time, however slowly the peer drips.

    :param timeout: seconds for all of it.
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
    """Bytes to and replies from one peer, each within a time limit.

    :param address: the peer's address.
    :param timeout: seconds for one reply, however slowly it comes in; may be changed at any time.
    :param final_timeout: the same for the reply to the content.
    :ivar scrub: what each reply goes through before anybody sees it; a login takes its secrets out.
    :ivar usable: whether there is any sense in sending more.
    :ivar round_trips: how often an answer was waited for.
    """

    def __init__(self, stream: socket.socket, address: str, settings: ServerSettings) -> None:
        self._stream = stream
        self._server = settings.server
        self._policy = settings.tls
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
        """This host's qualified name, or else its address as a literal (RFC 5321 section 4.1.4)."""
        name = socket.gethostname()
        if "." in name:
            return name
        if self._stream.family == socket.AF_UNIX:
            return name or "localhost"
        address = str(self._stream.getsockname()[0])
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    @property
    def tls(self) -> TlsInfo | None:
        """What the handshake came to, if there was one."""
        return describe(self._stream, self._policy) if isinstance(self._stream, ssl.SSLSocket) else None

    @property
    def channel_binding(self) -> ChannelBinding | None:
        """What a login can be tied to (RFC 5929 section 4), whether or not the certificate was verified."""
        if not isinstance(self._stream, ssl.SSLSocket):
            return None
        from .._sasl.binding import server_end_point

        certificate = self._stream.getpeercert(binary_form=True)
        return server_end_point(certificate) if certificate else None

    def send(self, data: bytes | memoryview, stage: Stage) -> None:
        """:raises ConnectionLost: not all of it could be handed over in time."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._send_piece(rest, stage) :]

    def send_content(self, content: bytes, ahead: bytes, before_end: t.Callable[[], None] | None = None) -> None:
        """Send a message's content, and right behind it the commands of the next message.

        :param before_end: called when the piece that ends the content is about to leave: from then on nobody but the
            server knows whether it has the message.
        :raises ConnectionLost: at stage ``BODY`` while the end of the content has not left, else at ``END_OF_DATA``.
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
        """:returns: how many octets left. When it raises none did, or none that the peer can read."""
        try:
            self._allow(self.timeout)
            self._spoke = True
            return self._stream.send(data[: self._piece])
        except OSError as error:
            raise self._lost(error, stage) from error

    def read_reply(self, stage: Stage) -> Reply:
        """Wait for one whole reply.

        :raises ConnectionLost: closed, reset, or not there in time.
        :raises ProtocolViolation: no SMTP reply.
        """
        try:
            reply = self._reply_at_hand() or self._wait_for_reply(stage)
        except MalformedReply as error:
            said = "" if stage is Stage.AUTH else f": {error}"  # it may echo what it was told
            raise self.violation(
                f"the answer is no SMTP reply{said}",
                stage,
                "Check that host and port name an SMTP server; a port with implicit TLS needs tls: implicit.",
            ) from (None if stage is Stage.AUTH else error)
        return self.scrub(reply) if self.scrub else reply

    def _reply_at_hand(self) -> Reply | None:
        """A reply of one line that has come in already, as nearly all have with PIPELINING."""
        end = self._buffer.find(b"\n") + 1
        reply = single_line_reply(bytes(self._buffer[:end])) if end else None
        if reply:
            del self._buffer[:end]
        return reply

    def _wait_for_reply(self, stage: Stage) -> Reply:
        timeout = self.final_timeout if stage is Stage.END_OF_DATA else self.timeout
        deadline = time.monotonic() + timeout
        line = self._read_line(stage, deadline, timeout)
        reply = single_line_reply(line)
        parser = ReplyParser()
        if reply is None:
            parser.feed(line)
        while reply is None:
            reply = parser.feed(self._read_line(stage, deadline, timeout))
        return reply

    @property
    def has_input(self) -> bool:
        """Whether something has come in, or the end, that nobody has asked for yet."""
        return bool(self._buffer) or (bool(self._arrivals.poll(0)) and self._take_arrived())

    def _take_arrived(self) -> bool:
        """:returns: False for what TLS tells itself, such as session tickets (RFC 8446 section 4.6.1)."""
        self._allow(0.0)
        try:
            self._buffer += self._stream.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:  # the next to read will hear of it
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
                raise self.violation("an endless reply line", stage)
            self._buffer += self._receive(stage, timeout)
            timeout = deadline - time.monotonic()  # what is left for the rest of a reply that drips

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
        return data

    def start_tls(self, policy: TlsPolicy, host: str, stage: Stage) -> None:
        """Go on in TLS.

        :raises ProtocolViolation: plaintext is waiting behind the reply to STARTTLS; it could be anybody's
            (RFC 3207 section 4.2, CVE-2011-0411).
        :raises TlsFailed: no handshake, or not with whom we asked for.
        """
        if self._buffer:
            raise self.violation("the server sent plaintext ahead of TLS", stage)
        try:
            self._allow(self.timeout)
            self._stream = policy.context().wrap_socket(self._stream, server_hostname=policy.server_name or host)
            self._piece = _RECORD
            self.round_trips += 1 if self._stream.version() == "TLSv1.3" else 2
            problem = policy.check_pin(self._stream)
            if problem:
                raise TlsFailed(problem, stage=Stage.TLS, server=self._server, advice="Check who answers there.")
        except ssl.SSLError as error:
            problem, advice = explain(error)
            raise TlsFailed(problem, stage=Stage.TLS, server=self._server, advice=advice) from error
        except OSError as error:
            raise self._lost(error, Stage.TLS) from error

    def _allow(self, timeout: float) -> None:
        """Set the socket's time-out; each change is a system call, and with thousands of messages none is needed."""
        if timeout != self._allowed:
            self._stream.settimeout(timeout)
            self._allowed = timeout

    def close(self) -> None:
        """Let go of the socket."""
        self._stream.close()

    def violation(self, problem: str, stage: Stage, advice: str = "") -> ProtocolViolation:
        """The error for a peer that cannot be trusted to speak SMTP; nothing more is said to it."""
        self.usable = False
        return ProtocolViolation(problem, stage=stage, server=self._server, advice=advice)

    def _lost(self, error: OSError, stage: Stage) -> ConnectionLost:
        self.usable = False
        if isinstance(error, socket.timeout):
            timeout = self.final_timeout if stage is Stage.END_OF_DATA else self.timeout
            return ConnectionLost(f"no answer within {timeout:g} s", stage=stage, server=self._server)
        reason = error.strerror or str(error) or type(error).__name__
        return ConnectionLost(f"the connection was lost: {reason}", stage=stage, server=self._server)
