# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP server that fails at any stage as a test requires: the only test double of a server.

By default, it is a small, correct server. ``replies`` changes its reply to a command, ``faults`` what it does instead
of replying, and ``disturb`` either of them at a single moment. ``messages`` holds the messages that it accepted,
``receipts`` all that were received up to their end, ``cut`` what arrived of those whose client went before it, and
``ahead`` the commands that arrived before the reply to a message.
"""

from __future__ import annotations

import base64
import contextlib
import enum
import re
import socket
import ssl
import threading
import typing as t
from dataclasses import dataclass, field

GREETING = "GREETING"
TLS = "TLS"
BODY = "BODY"
END_OF_DATA = "."
BETWEEN = "BETWEEN"


class Fault(enum.Enum):
    """What to do instead of replying normally."""

    CLOSE = "close the connection"
    RESET = "reset the connection"
    STALL = "send nothing more"
    DRIP = "send the reply byte by byte, more slowly than any client waits"
    GARBAGE = "send something that is not an SMTP reply"
    ENDLESS = "send an endless line"
    INJECT = "reply, and send further plaintext after the reply"
    BREAK_OFF = "receive part of the content, then refuse it and close"
    ACCEPT_AND_CLOSE = "carry out the command, and close before the reply"
    ACCEPT_AND_STALL = "carry out the command, and send nothing more"
    OUT_OF_STEP = "reply as if to another command"


#: Faults at the end of the data after which the message is not accepted.
_NOT_TAKEN = (Fault.CLOSE, Fault.RESET, Fault.STALL)


class Moment(t.NamedTuple):
    """A moment in a conversation.

    :param stage: the verb received, or ``GREETING``, ``TLS`` (before the handshake), ``BODY`` (in the middle of the
        content), ``END_OF_DATA``, ``BETWEEN`` (after the reply to a message).
    :param connection: the number of the connection, from 1.
    :param encrypted: whether the connection uses TLS.
    :param sender: the reverse path of the current message.
    :param recipient: the recipient of RCPT or, in LMTP, of the reply to the content.
    :param ahead: whether the command arrived before the reply to the previous message or, at ``END_OF_DATA``, whether
        anything has arrived behind the content.
    """

    stage: str
    connection: int
    encrypted: bool
    sender: str
    recipient: str
    ahead: bool = False


@dataclass
class Receipt:
    """One message that was received up to its end.

    :ivar sender: the reverse path.
    :ivar recipients: the recipients whose RCPT was accepted.
    :ivar accepted: the recipients for whom the peer accepted the message.
    :ivar told: the accepted recipients for whom the peer sent a reply, without invalid replies before it.
    """

    content: bytes
    recipients: list[str]
    sender: str = ""
    accepted: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def message_id(self) -> str:
        """The Message-ID in the content; empty if it has none."""
        match = re.search(rb"^Message-ID: (\S+)\r$", self.content[:4096], re.MULTILINE)
        return match.group(1).decode() if match else ""


class Peer:
    """One listening server, which serves its connections in parallel.

    :param replies: command (or ``GREETING``, ``.``) -> reply that replaces the usual one.
    :param faults: command -> fault that replaces the usual reply.
    :param disturb: called at each moment; its fault or reply takes precedence over the two above, None changes nothing.
    :param extensions: the EHLO keywords.
    :param unix_socket: path of a Unix socket to listen on instead of a port.
    :param pause: seconds before the reply to a message, in which commands that were sent ahead arrive; 0 does not tell
        them from others.
    :param address: host and port to listen on; port 0 selects a free one.
    :param tls: offers STARTTLS, or TLS from the first byte with ``implicit``.
    :param ends: what ends the content of a message; more than one is the fault of CVE-2023-51764.
    :param keeps_plaintext: whether it carries out what arrived behind STARTTLS inside TLS (CVE-2011-0411).
    :param sasl: mechanism -> generator for the server's side of a login: receives messages, yields challenges (an empty
        one first) and returns the reply.
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
        disturb: t.Callable[[Moment], Fault | str | None] = lambda _moment: None,
        address: tuple[str, int] = ("127.0.0.1", 0),
        pause: float = 0.0,
        ends: t.Sequence[bytes] = (b"\r\n.\r\n",),
        keeps_plaintext: bool = False,
    ) -> None:
        self.replies = dict(replies or {})
        self.faults = dict(faults or {})
        self.extensions = list(extensions)
        self.tls = tls
        self.implicit = implicit
        self._unix_socket = unix_socket
        self._address = address
        self.sasl = dict(sasl or {})
        self.disturb = disturb
        self.pause = pause
        self.ends = tuple(ends)
        self.keeps_plaintext = keeps_plaintext
        self.commands: list[str] = []
        self.ahead: list[str] = []
        self.log: list[str] = []
        self.messages: list[bytes] = []
        self.receipts: list[Receipt] = []
        self.cut: list[bytes] = []
        self.connections = 0
        self._conversations: list[threading.Thread] = []
        self._over = threading.Event()

    def __enter__(self) -> Peer:
        self._over.clear()
        if self._unix_socket:
            self._listener = socket.create_server(self._unix_socket, family=socket.AF_UNIX)
        else:
            self._listener = socket.create_server(self._address)
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
        for conversation in self._conversations:
            conversation.join(5)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                stream, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if not self._unix_socket:
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conversation = threading.Thread(target=_Conversation(self, stream, self.connections).hold, daemon=True)
            self._conversations.append(conversation)
            conversation.start()


class _Hangup(Exception):
    """Ends this conversation."""


class _Conversation:
    def __init__(self, peer: Peer, stream: socket.socket, number: int) -> None:
        self._peer = peer
        self._stream = stream
        self._number = number
        self._input = stream.makefile("rb")
        self._lmtp = False
        self._sane = True
        self._ahead = 0
        self._reset()

    def _reset(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []

    def hold(self) -> None:
        with contextlib.suppress(_Hangup, OSError, ValueError), contextlib.closing(self):
            if self._peer.tls and self._peer.implicit:
                self._start_tls(self._peer.tls)
            self._answer(GREETING, "220 peer.test ESMTP")
            while True:
                line = self._input.readline()
                if not line:
                    return
                command = line.decode("utf-8", "replace").rstrip("\r\n")
                self._peer.commands.append(command)
                if self._ahead:
                    self._peer.ahead.append(command)
                self._note("C", command)
                self._handle(command)
                self._ahead = max(0, self._ahead - 1)

    def close(self) -> None:
        """Close the current stream, which STARTTLS replaces."""
        with contextlib.suppress(OSError):
            self._input.close()
            if not self._stream.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):  # another process may hold a copy
                self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _note(self, who: str, what: str) -> None:
        self._peer.log.append(f"{self._number} {who}: {what[:160]}")

    def _handle(self, command: str) -> None:
        verb = command.split(" ")[0].upper()
        if verb in ("EHLO", "LHLO"):
            self._lmtp = verb == "LHLO"
            tls_waits = self._peer.tls is not None and not isinstance(self._stream, ssl.SSLSocket)
            keywords = ["peer.test", *self._peer.extensions, *(["STARTTLS"] if tls_waits else [])]
            lines = [f"250-{keyword}" for keyword in keywords[:-1]] + [f"250 {keywords[-1]}"]
            self._answer("EHLO", "\r\n".join(lines))
        elif verb == "STARTTLS" and self._peer.tls:
            injected = self._arrived() if self._peer.keeps_plaintext else []
            if self._answer(verb, "220 2.0.0 go ahead").startswith("2"):
                self._start_tls(self._peer.tls)
                for line in injected:
                    self._handle(line.decode())
        elif verb in ("MAIL", "RCPT"):
            self._take_envelope(verb, command.partition("<")[2].rpartition(">")[0])
        elif verb == "DATA":
            self._take_message()
        elif verb == "BDAT":
            self._take_chunk(int(command.split(" ")[1]))
        elif verb == "AUTH":
            self._authenticate(command)
        elif verb == "QUIT":
            self._answer(verb, "221 2.0.0 bye")
            raise _Hangup
        else:
            self._reset()
            self._answer(verb, "250 2.0.0 ok")

    def _start_tls(self, context: ssl.SSLContext) -> None:
        decision = self._decide(TLS)
        if decision:
            self._input.peek(1)  # the ClientHello
            self._answer(TLS, "\x16\x03\x03\x00\x7a\x02", decision=decision)  # the beginning of a ServerHello
            raise _Hangup
        self._input.close()
        # CPython loses a socket, open, that it wraps after the client has reset the connection.
        if not self._stream.recv(1, socket.MSG_PEEK):
            raise _Hangup
        self._stream = context.wrap_socket(self._stream, server_side=True)
        self._input = self._stream.makefile("rb")

    def _take_envelope(self, verb: str, path: str) -> None:
        if verb == "MAIL":
            self._reset()
            if not self._answer(verb, "250 2.1.0 ok", sender=path).startswith(("4", "5")):
                self._sender = path
        elif self._sender is None:
            self._say("503 5.5.1 MAIL first")
        elif self._answer(verb, "250 2.1.5 ok", path).startswith("2"):
            self._recipients.append(path)

    def _take_message(self) -> None:
        if self._lmtp and not self._recipients:
            self._say("503 5.5.1 no recipient")  # RFC 2033 section 4.2
            return
        if not self._answer("DATA", "354 go ahead").startswith("3"):
            return
        by_octet = len(self._peer.ends) > 1
        content = bytearray(self._input.read(1) if by_octet else self._input.readline())
        self._interfere(BODY)
        while not content.endswith(self._peer.ends) and content != b".\r\n":
            more = self._input.read(1) if by_octet else self._input.readline()
            if not more:
                self._peer.cut.append(bytes(content))
                raise _Hangup
            content += more
        self._conclude(bytes(content))

    def _take_chunk(self, size: int) -> None:
        content = self._input.read(min(size // 2, 1000))
        self._interfere(BODY)
        content += self._input.read(size - len(content))
        if len(content) < size:
            raise _Hangup
        self._conclude(content)

    def _conclude(self, content: bytes) -> None:
        """Reply to a whole message: once, or in LMTP for each recipient (RFC 2033 section 4.2)."""
        receipt = Receipt(content, self._recipients, self._sender or "")
        self._peer.receipts.append(receipt)
        self._ahead = self._count_ahead() + 1  # less the command that is being handled
        each = self._lmtp and END_OF_DATA not in self._peer.replies
        for share in [[one] for one in self._recipients] if each else [self._recipients]:
            decision = self._decide(END_OF_DATA, share[0] if each else "")
            taken = decision not in _NOT_TAKEN and not str(decision).startswith(("4", "5"))
            if taken:
                receipt.accepted += share
            if taken and receipt.accepted == share:
                self._peer.messages.append(content)
            usual = "250 2.0.0 Ok: queued as PEER12345"
            self._answer(END_OF_DATA, usual, decision=decision or usual)
            if taken and self._sane and decision is not Fault.DRIP:
                receipt.told += share
        self._interfere(BETWEEN)
        self._reset()

    def _count_ahead(self) -> int:
        """Return the number of commands that were sent ahead."""
        if not self._peer.pause:
            return 0
        self._peer._over.wait(self._peer.pause)
        return len(self._arrived())

    def _arrived(self) -> list[bytes]:
        """Return the lines that have arrived already, and leave them."""
        self._stream.setblocking(False)
        try:
            return self._input.peek(1).split(b"\n")[:-1]
        except ssl.SSLWantReadError:
            return []
        finally:
            self._stream.setblocking(True)

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

    def _decide(self, stage: str, recipient: str = "", sender: str | None = None) -> Fault | str | None:
        """Return the fault or reply that replaces the usual reply, or None."""
        encrypted = isinstance(self._stream, ssl.SSLSocket)
        ahead = self._ahead > (stage == END_OF_DATA)
        moment = Moment(stage, self._number, encrypted, sender or self._sender or "", recipient, ahead)
        asked = self._peer.disturb(moment)
        return asked or self._peer.faults.get(stage) or self._peer.replies.get(stage)

    def _interfere(self, stage: str) -> None:
        """Send a reply that no client waits for, or fail, if the test requires it."""
        decision = self._decide(stage)
        if isinstance(decision, Fault):
            self._answer(stage, "250 2.0.0 ok", decision=decision)
        elif decision and stage == BODY:
            self._break_off(decision)
        elif decision:
            self._say(decision)

    def _answer(
        self,
        stage: str,
        usual: str,
        recipient: str = "",
        sender: str | None = None,
        decision: Fault | str | None = None,
    ) -> str:
        """Send a reply or fail, and return its last line."""
        decision = decision or self._decide(stage, recipient, sender)
        if not isinstance(decision, Fault):
            self._say(decision or usual)
            return (decision or usual).rpartition("\r\n")[2]
        self._note("!", f"{stage}: {decision.value}")
        reply = self._peer.replies.get(stage, usual)
        if decision in (Fault.CLOSE, Fault.ACCEPT_AND_CLOSE):
            raise _Hangup
        if decision is Fault.RESET:
            linger = b"\x01\0\0\0\0\0\0\0"  # struct linger: on, 0 s
            self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            raise _Hangup
        if decision in (Fault.STALL, Fault.ACCEPT_AND_STALL):
            self._peer._over.wait(30)
            raise _Hangup
        if decision is Fault.DRIP:
            for octet in reply.encode():
                self._stream.sendall(bytes([octet]))
                if self._peer._over.wait(0.2):
                    raise _Hangup
        if decision is Fault.GARBAGE:
            reply = "HTTP/1.1 400 Bad Request"
        if decision is Fault.ENDLESS:
            reply = "250-" + "x" * 200_000
        if decision is Fault.OUT_OF_STEP:
            reply = "250 2.0.0 ok" if stage in ("DATA", BODY, BETWEEN) else "354 go ahead"
        if decision is Fault.INJECT and stage not in (BODY, BETWEEN):
            reply += "\r\n250 2.0.0 ok"
        self._sane &= decision not in (Fault.GARBAGE, Fault.ENDLESS, Fault.OUT_OF_STEP)
        self._say(reply)
        if decision is Fault.BREAK_OFF:
            self._break_off("552 5.3.4 too large")
        return reply

    def _break_off(self, reply: str) -> t.NoReturn:
        """Receive some more of the content, refuse it and close."""
        self._input.read1(100_000)
        self._say(reply)
        self._stream.shutdown(socket.SHUT_WR)
        self._peer._over.wait(0.3)
        raise _Hangup

    def _say(self, reply: str) -> None:
        self._note("S", reply)
        self._stream.sendall(reply.encode() + b"\r\n")
        if reply.startswith("421"):  # RFC 5321 section 3.8
            raise _Hangup
