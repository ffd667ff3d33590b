# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP server that does, at any stage, what a test asks of it: the only double among the tests' servers.

It is a small, correct server by default. ``replies`` changes what it says to a command, ``faults`` what it does in
place of an answer, and ``messages`` holds what it took responsibility for.
"""

from __future__ import annotations

import base64
import contextlib
import enum
import socket
import ssl
import threading
import typing as t

GREETING = "GREETING"
END_OF_DATA = "."


class Fault(enum.Enum):
    """What to do in place of an answer."""

    CLOSE = "close the connection"
    RESET = "reset the connection"
    STALL = "say nothing more"
    DRIP = "send the answer byte by byte, slower than anybody waits"
    GARBAGE = "answer what is no SMTP reply"
    ENDLESS = "answer a line without end"
    INJECT = "answer, and put plaintext behind it"
    BREAK_OFF = "let the content begin, then refuse it and close"
    ACCEPT_AND_CLOSE = "do what was asked, and close before saying so"


class Peer:
    """One listening server, one connection at a time, each served in turn.

    :param replies: command (or ``GREETING``, ``.``) to the reply given in place of the usual one.
    :param faults: command to what happens when it comes in.
    :param extensions: the EHLO keywords.
    :param unix_socket: path to listen on in place of a port.
    :param tls: serves STARTTLS, or TLS from the first byte with ``implicit``.
    :param sasl: mechanism -> what holds the server's side of a login: receives messages, yields challenges (an empty
        one first), returns the reply.
    """

    def __init__(
        self,
        replies: t.Mapping[str, str] | None = None,
        faults: t.Mapping[str, Fault] | None = None,
        extensions: t.Sequence[str] = ("PIPELINING", "SIZE 1000000", "ENHANCEDSTATUSCODES"),
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        unix_socket: str = "",
        sasl: t.Mapping[str, t.Callable[[], t.Generator[bytes, bytes, str]]] | None = None,
    ) -> None:
        self.replies = dict(replies or {})
        self.faults = dict(faults or {})
        self.extensions = list(extensions)
        self.tls = tls
        self.implicit = implicit
        self._unix_socket = unix_socket
        self.sasl = dict(sasl or {})
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.connections = 0
        self._over = threading.Event()

    def __enter__(self) -> Peer:
        if self._unix_socket:
            self._listener = socket.create_server(self._unix_socket, family=socket.AF_UNIX)
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = 0 if self._unix_socket else self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                stream, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if not self._unix_socket:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):
                if self.tls and self.implicit:
                    stream = self.tls.wrap_socket(stream, server_side=True)
                _Conversation(self, stream).hold()


class _Hangup(Exception):
    """This conversation is over."""


class _Conversation:
    def __init__(self, peer: Peer, stream: socket.socket) -> None:
        self._peer = peer
        self._stream = stream
        self._input = stream.makefile("rb")

    def hold(self) -> None:
        with contextlib.suppress(_Hangup), contextlib.closing(self):
            self._answer(GREETING, "220 peer.test ESMTP")
            while True:
                line = self._input.readline()
                if not line:
                    return
                command = line.decode("utf-8", "replace").rstrip("\r\n")
                self._peer.commands.append(command)
                self._handle(command)

    def close(self) -> None:
        """Close what the conversation now runs on: STARTTLS changes it."""
        self._input.close()
        self._stream.close()

    def _handle(self, command: str) -> None:
        verb = command.split(" ")[0].upper()
        if verb in ("EHLO", "LHLO"):
            tls_waits = self._peer.tls is not None and not isinstance(self._stream, ssl.SSLSocket)
            keywords = ["peer.test", *self._peer.extensions, *(["STARTTLS"] if tls_waits else [])]
            lines = [f"250-{keyword}" for keyword in keywords[:-1]] + [f"250 {keywords[-1]}"]
            self._answer("EHLO", "\r\n".join(lines))
        elif verb == "STARTTLS" and self._peer.tls:
            self._answer(verb, "220 2.0.0 go ahead")
            self._input.close()
            self._stream = self._peer.tls.wrap_socket(self._stream, server_side=True)
            self._input = self._stream.makefile("rb")
        elif verb == "DATA":
            self._take_message()
        elif verb == "BDAT":
            self._peer.messages.append(self._input.read(int(command.split(" ")[1])))
            self._answer(END_OF_DATA, "250 2.0.0 Ok: queued as PEER12345")
        elif verb == "AUTH":
            self._authenticate(command)
        elif verb == "QUIT":
            self._answer(verb, "221 2.0.0 bye")
            raise _Hangup
        else:
            self._answer(verb, "250 2.0.0 ok")

    def _take_message(self) -> None:
        if not self._answer("DATA", "354 go ahead").startswith("3"):
            return
        content = b""
        while not content.endswith(b"\r\n.\r\n") and content != b".\r\n":
            line = self._input.readline()
            if not line:
                raise _Hangup
            content += line
        refused = self._peer.replies.get(END_OF_DATA, "250").startswith(("4", "5"))
        lost = self._peer.faults.get(END_OF_DATA) in (Fault.CLOSE, Fault.RESET, Fault.STALL)
        if not refused and not lost:
            self._peer.messages.append(content)
        self._answer(END_OF_DATA, "250 2.0.0 Ok: queued as PEER12345")

    def _authenticate(self, command: str) -> None:
        words = command.split(" ")
        if words[1] in self._peer.sasl:
            self._say(self._exchange(self._peer.sasl[words[1]](), *words[2:]))
            return
        if words[1].upper() == "LOGIN":
            for prompt in ("Username:", "Password:"):
                self._say(f"334 {base64.b64encode(prompt.encode()).decode()}")
                self._peer.commands.append(self._input.readline().decode().rstrip("\r\n"))
        self._answer("AUTH", "235 2.7.0 welcome")

    def _exchange(self, server: t.Generator[bytes, bytes, str], initial: str | None = None) -> str:
        challenge = next(server)
        while True:
            if initial is None:
                self._say(f"334 {base64.b64encode(challenge).decode()}")
                initial = self._input.readline().decode().rstrip("\r\n")
                self._peer.commands.append(initial)
            if initial == "*":
                return "501 5.7.0 cancelled"
            try:
                challenge = server.send(base64.b64decode("" if initial == "=" else initial))
            except StopIteration as verdict:
                return str(verdict.value)
            initial = None

    def _answer(self, command: str, usual: str) -> str:
        reply = self._peer.replies.get(command, usual)
        fault = self._peer.faults.get(command)
        if fault in (Fault.CLOSE, Fault.ACCEPT_AND_CLOSE):
            raise _Hangup
        if fault is Fault.RESET:
            linger = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, 0 s
            self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            raise _Hangup
        if fault is Fault.STALL:
            self._peer._over.wait(30)
            raise _Hangup
        if fault is Fault.DRIP:
            for octet in reply.encode():
                self._stream.sendall(bytes([octet]))
                if self._peer._over.wait(0.2):
                    raise _Hangup
        if fault is Fault.GARBAGE:
            reply = "HTTP/1.1 400 Bad Request"
        if fault is Fault.ENDLESS:
            reply = "250-" + "x" * 200_000
        if fault is Fault.INJECT:
            reply += "\r\n250 2.0.0 ok"
        self._say(reply)
        if fault is Fault.BREAK_OFF:
            self._input.read(100_000)
            self._say("552 5.3.4 too large")
            self._stream.shutdown(socket.SHUT_WR)
            self._peer._over.wait(0.3)
            raise _Hangup
        return reply

    def _say(self, reply: str) -> None:
        self._stream.sendall(reply.encode() + b"\r\n")
