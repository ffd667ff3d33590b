# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few connections that all active tests of one run share, and what is said over them."""

from __future__ import annotations

import dataclasses
import re
import secrets
import time
import typing as t

from .._evidence.document import Unknown
from .._smtp.connection import connect
from .._smtp.errors import SmtpError, Stage
from .._smtp.tls import TlsMode
from .line import PATIENCE, Line, NotKnown

if t.TYPE_CHECKING:
    from .._smtp.settings import ServerSettings

#: Longest time for the reply to a message, in seconds.
_FINAL_PATIENCE = 120.0
#: Seconds to take leave in all sessions.
_QUIT = 3.0
#: After so many refusals, a new session is faster: Postfix delays each reply by a second after ten of them.
_MOST_ERRORS = 8
#: A server that does not open a session so many times in a row is left alone.
_MOST_FAILURES = 2
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")


@dataclasses.dataclass(frozen=True)
class ProbeOptions:
    """What the tests may use.

    :raises ValueError: an address has characters that would end a command.
    :param sink: an address that the server is not responsible for and the tester is: relayed messages go there.
    :param local_recipient: a recipient of the server itself.
    :param local_domain: a domain of the server; by default that of ``local_recipient``, else its name without the first
        label.
    :param login_sender: the sender of messages sent with the login of the settings; by default its user name.
    :param username: an existing user; one login with a wrong password is tried.
    :param send_messages: whether a message is sent for each variant that is accepted at RCPT.
    :param arrived: given nonces, waits for the messages and returns the nonces of those that arrived, each as a message
        of its own; raises :class:`NotKnown` if it cannot look. Without it, arrivals are not looked for.
    :param address: the only address to connect to; by default those of the name.
    :param connections: how many connections may be opened.
    :param versions: TLS versions that the server is known to accept.
    :param seconds: time for all tests.
    :param nonce: the beginning of all nonces.
    """

    sink: str = ""
    local_recipient: str = "postmaster"
    local_domain: str = ""
    login_sender: str = ""
    username: str = ""
    send_messages: bool = False
    arrived: t.Callable[[t.Sequence[str]], t.Collection[str]] | None = None
    address: str = ""
    connections: int = 6
    versions: tuple[str, ...] = ()
    seconds: float = 300.0
    nonce: str = dataclasses.field(default_factory=lambda: secrets.token_hex(6))

    def __post_init__(self) -> None:
        options = {"sink": "probe_sink", "local_recipient": "probe_recipient"}
        for name in ("sink", "local_recipient", "local_domain", "login_sender"):
            if _UNFIT.search(getattr(self, name)):
                place, given = options.get(name, name), getattr(self, name)
                raise ValueError(f"{place} is {given!r}; expected an address without blanks and brackets")


class Lines:
    """All connections of one run. Tests share sessions: one in clear, and one that is ready for messages.

    The server's certificate is not verified, since nothing secret is said. A login needs all that the settings require.

    :param settings: of the server; its login is used by :meth:`logged_in` alone.
    :ivar opened: how many connections were opened.
    :ivar unknown: what could not be seen.
    :ivar versions: the TLS versions that the server has accepted.
    :ivar reserved: connections that later tests need.
    """

    def __init__(self, settings: ServerSettings, options: ProbeOptions) -> None:
        self._own = settings
        self._deadline = time.monotonic() + options.seconds
        mode = TlsMode.OPPORTUNISTIC if settings.tls.mode is TlsMode.STARTTLS else settings.tls.mode
        self.settings = dataclasses.replace(
            settings,
            credentials=None,
            tls=dataclasses.replace(settings.tls, mode=mode, verify=False, pins=(), client_certificate=None),
            timeout=min(settings.timeout, PATIENCE),
            final_timeout=min(settings.final_timeout, _FINAL_PATIENCE),
        )
        self._address = options.address
        self._limit = options.connections
        self._lines: list[Line] = []
        self._clear: Line | None = None
        self._ready: Line | None = None
        self._failures = 0
        self._tls_fails = False
        self._reason = ""
        self.opened = 0
        self.reserved = 0
        self.unknown: list[Unknown] = []
        self.versions = set(options.versions)

    @property
    def implicit(self) -> bool:
        """Whether TLS begins with the first octet."""
        return self.settings.tls.mode is TlsMode.IMPLICIT

    @property
    def left(self) -> int:
        """How many connections may still be opened."""
        return max(0, self._limit - self.opened)

    def note(self, path: str, reason: object) -> None:
        """Record that a fact is not known."""
        self.unknown.append(Unknown(f"probes.{path}", str(reason)))

    def bare(self, settings: ServerSettings | None = None) -> Line:
        """Open a connection on which nothing has been said, not even by TLS.

        :raises NotKnown: none may be opened, or it failed.
        """
        if self._failures >= _MOST_FAILURES:
            raise NotKnown(f"the server was not asked again: {self._reason}")
        if not self.left:
            raise NotKnown(
                f"no connection was left of the {self._limit} that may be opened; run this test alone, or allow more"
            )
        self.opened += 1
        settings = settings or self.settings
        try:
            line = Line(connect(settings, address=self._address), settings, self._deadline)
        except SmtpError as error:
            raise self._failed(error.problem) from error
        self._lines.append(line)
        return line

    def _failed(self, reason: str) -> NotKnown:
        self._failures += 1
        self._reason = reason
        return NotKnown(reason)

    def greeted(self, settings: ServerSettings | None = None) -> Line:
        """Open a session up to the reply to EHLO, in clear unless TLS is implicit."""
        line = self.bare(settings)
        try:
            if self.implicit:
                line.start_tls()
            line.read_greeting()
            line.say_hello()
        except NotKnown as error:
            line.drop()
            raise self._failed(str(error)) from error
        self._failures = 0
        self._saw(line)
        return line

    def clear(self, keep: bool = True) -> Line:
        """Return the session before STARTTLS.

        :param keep: whether others may use it afterwards.
        """
        line = self._clear if self._clear and self._is_fit(self._clear) else self.greeted()
        self._clear = line if keep else None
        return line

    def ready(self) -> Line:
        """Return the session in which messages may be sent: in TLS if the server offers it."""
        if self._ready and self._is_fit(self._ready):
            return self._ready
        line = self.clear(keep=False)
        try:
            self._secure(line)
        except NotKnown:
            self._tls_fails = True
            line = self.greeted()
        return self.keep(line)

    def _is_fit(self, line: Line) -> bool:
        """Whether to go on in a session; one that the server slows down is ended, if another one can be spared."""
        if line.usable and line.errors >= _MOST_ERRORS and self.left > self.reserved:
            line.quit(_QUIT)
        return line.usable

    def keep(self, line: Line) -> Line:
        """Make a session the one that :meth:`ready` returns."""
        self._ready = line
        self._saw(line)
        return line

    def logged_in(self) -> Line:
        """Open a session with the login of the settings and all that these require of TLS."""
        line = self.greeted(self._own)
        self._secure(line)
        line.log_in()
        return line

    @property
    def login(self) -> str | None:
        """The user name of the settings; None without a login."""
        return self._own.credentials.username if self._own.credentials else None

    def _secure(self, line: Line) -> None:
        if self.starts_tls(line):
            if line.ask("STARTTLS", Stage.STARTTLS).code >= 400:
                return
            line.start_tls()
            line.say_hello()
            self._saw(line)

    def starts_tls(self, line: Line) -> bool:
        """Whether a session continues in TLS by STARTTLS."""
        wanted = self.settings.tls.mode is TlsMode.OPPORTUNISTIC and not self._tls_fails
        return wanted and line.tls_version is None and "STARTTLS" in line.capabilities

    def _saw(self, line: Line) -> None:
        if line.tls_version:
            self.versions.add(line.tls_version)

    def close(self) -> None:
        """End all sessions."""
        until = time.monotonic() + _QUIT
        for line in self._lines:
            line.quit(max(0.1, until - time.monotonic()))
