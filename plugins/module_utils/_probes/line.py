# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session with the server, command by command."""

from __future__ import annotations

import contextlib
import time
import typing as t

from .._evidence.smtp_answer import AnswerFacts
from .._smtp.answer import answer
from .._smtp.capabilities import NO_EHLO, Capabilities
from .._smtp.errors import SmtpError, Stage

if t.TYPE_CHECKING:
    from .._smtp.connection import Connection
    from .._smtp.reply import Reply
    from .._smtp.settings import ServerSettings

#: Longest time for one reply, in seconds: servers delay their greeting by up to half a minute.
PATIENCE = 30.0
#: A server that ends the session (RFC 5321 section 3.8).
CLOSING = 421


class NotKnown(Exception):
    """What was asked could not be seen; the text is the reason."""


class SessionEnded(NotKnown):
    """The server ended the session, or stopped answering; a new session may tell."""


class Line:
    """One session, command by command.

    :ivar greeting: the greeting.
    :ivar hello: the latest reply to EHLO.
    :ivar last: the latest reply.
    :ivar errors: how many replies were refusals: servers delay every further reply after some of them.
    """

    greeting: AnswerFacts
    hello: Reply
    last: Reply

    def __init__(self, connection: Connection, settings: ServerSettings, deadline: float) -> None:
        self._connection = connection
        self._settings = settings
        self._deadline = deadline
        self._since = time.monotonic()
        self.errors = 0
        self.name = settings.ehlo_name or connection.own_name

    @property
    def usable(self) -> bool:
        """Whether more can be said."""
        return self._connection.usable

    @property
    def address(self) -> str:
        """The address of the other end."""
        return self._connection.address

    @property
    def tls_version(self) -> str | None:
        """The TLS version, or None without TLS."""
        tls = self._connection.tls
        return tls.version if tls else None

    @property
    def capabilities(self) -> Capabilities:
        """What the latest reply to EHLO offers."""
        return Capabilities.parse(self.hello)

    @property
    def milliseconds(self) -> float:
        """Time since something was sent."""
        return round((time.monotonic() - self._since) * 1000, 1)

    def ask(self, command: str, stage: Stage = Stage.EHLO) -> AnswerFacts:
        """Send one command and return its reply.

        :raises SessionEnded: there was none, or it was a 421.
        """
        self.send(f"{command}\r\n".encode())
        return self.read(stage)

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        with self._limited():
            self._since = time.monotonic()
            self._connection.send(data, Stage.BODY)

    def read(self, stage: Stage = Stage.EHLO) -> AnswerFacts:
        """Wait for one reply."""
        with self._limited():
            self.last = self._connection.read_reply(stage)
        self.errors += self.last.code >= 400
        if self.last.code == CLOSING:
            self.drop()
            raise SessionEnded(f'the server ended the session: "{self.last}"')
        return answer(self.last, self.milliseconds)

    def receive(self) -> bytes:
        """Wait for octets and return them as they are; empty if the server closed.

        :raises SessionEnded: nothing arrived in time.
        """
        try:
            self._set_timeout(PATIENCE)
            return self._connection.receive(Stage.GREETING)
        except SmtpError as error:
            self.drop()
            if error.__cause__ is None or isinstance(error.__cause__, ConnectionError):
                return b""
            raise SessionEnded(error.problem) from error

    def another_reply(self, seconds: float) -> AnswerFacts | None:
        """Return a reply to no command, if one arrives in this time."""
        until = time.monotonic() + seconds
        while not self._connection.has_input:
            if time.monotonic() > until:
                return None
            time.sleep(0.02)
        return self.read()

    def say_hello(self) -> None:
        """Send EHLO, or HELO to a server that does not know it (RFC 5321 section 3.2).

        :raises NotKnown: the server refuses.
        """
        self.ask(f"EHLO {self.name}")
        self.hello = self.last
        if self.last.code in NO_EHLO:
            self.ask(f"HELO {self.name}")
            self.hello = self.last._replace(lines=("",))
        if not self.last.positive:
            raise NotKnown(f'the server refuses EHLO: "{self.last}"')

    def read_greeting(self) -> None:
        """Wait for the greeting.

        :raises NotKnown: it is a refusal.
        """
        self.greeting = self.read(Stage.GREETING)
        if not self.last.positive:
            raise NotKnown(f'the server refuses to serve this client: "{self.last}"')

    def start_tls(self) -> None:
        """Do the handshake."""
        with self._limited():
            self._connection.start_tls(self._settings.tls, self._settings.host, Stage.TLS)

    def log_in(self) -> None:
        """Log in as the settings say."""
        from .._smtp.login import Target, log_in

        settings, credentials = self._settings, self._settings.credentials
        if credentials is None:
            return
        if self.tls_version is None and not settings.allow_cleartext_login:
            raise NotKnown("the server offers no TLS, and the login would travel in clear")
        self._connection.scrub = lambda reply: reply.rewritten(credentials.scrub_text)
        target = Target(settings.server, settings.host, settings.port, settings.auth_mechanism)
        with self._limited():
            log_in(self._command, self.capabilities.auth_mechanisms, credentials, target)

    def _command(self, line: str) -> Reply:
        self._connection.send(f"{line}\r\n".encode(), Stage.AUTH)
        return self._connection.read_reply(Stage.AUTH)

    @contextlib.contextmanager
    def _limited(self) -> t.Iterator[None]:
        self._set_timeout(self._settings.timeout)
        try:
            yield
        except SmtpError as error:
            self.drop()
            raise SessionEnded(f"{error.problem} (stage {error.stage.value})") from error

    def _set_timeout(self, timeout: float) -> None:
        rest = self._deadline - time.monotonic()
        if rest <= 0:
            self.drop()
            raise NotKnown("the time for the tests is over")
        self._connection.timeout = min(timeout, rest)
        self._connection.final_timeout = min(self._settings.final_timeout, rest)

    def drop(self) -> None:
        """Close without a word."""
        self._connection.usable = False
        self._connection.close()

    def quit(self, seconds: float = 1.0) -> None:
        """Take leave, whatever the server says to it within this time."""
        if self.usable:
            with contextlib.suppress(SmtpError):
                self._connection.timeout = seconds
                self._connection.send(b"QUIT\r\n", Stage.QUIT)
                self._connection.read_reply(Stage.QUIT)
            self.drop()
