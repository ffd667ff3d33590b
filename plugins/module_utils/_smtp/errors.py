# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of an SMTP session, as types.

Every error has the stage of the session, the server, the server's reply and advice for the user. ``str(error)`` is the
whole message.
"""

from __future__ import annotations

import enum
import errno
import functools
import typing as t

if t.TYPE_CHECKING:
    from .reply import Reply


class Stage(str, enum.Enum):
    """The steps of a session, in their order (RFC 5321 section 3, RFC 3207, RFC 4954)."""

    COMPOSE = "compose"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    END_OF_DATA = "end of data"
    QUIT = "quit"


class SmtpError(Exception):
    """A session failed.

    :param problem: what happened, as a sentence without the final full stop.
    :param stage: where in the session it happened.
    :param server: ``host:port`` as the user named it.
    :param reply: the server's reply, if there was one.
    :param advice: what to do, as a sentence; empty if there is no general advice.
    """

    #: Whether a later attempt may succeed, for an error without a reply.
    passing: t.ClassVar[bool] = True

    def __init__(
        self, problem: str, *, stage: Stage, server: str, reply: Reply | None = None, advice: str = ""
    ) -> None:
        self.problem = problem
        self.stage = stage
        self.server = server
        self.reply = reply
        self.advice = advice
        super().__init__(self.sentence(advice))

    def __reduce__(self) -> tuple[t.Any, ...]:
        """Return what another process needs to rebuild the error."""
        again = functools.partial(
            type(self), stage=self.stage, server=self.server, reply=self.reply, advice=self.advice
        )
        return again, (self.problem,)

    def sentence(self, advice: str) -> str:
        """Return the whole message, with this advice in place of the general one unless it is empty."""
        quoted = f' The server said: "{self.reply}".' if self.reply else ""
        advice = advice or self.advice
        return f"{self.server}, stage {self.stage.value}: {self.problem}.{quoted}" + (f" {advice}" if advice else "")

    @property
    def temporary(self) -> bool:
        """Whether a later attempt may succeed: decided by the reply (RFC 5321 section 4.2.1), else by the type."""
        return self.reply.transient if self.reply else self.passing


class ConnectFailed(SmtpError):
    """No TCP connection: the name does not resolve, the port is closed, or the host does not answer."""


class CannotConnect(ConnectFailed):
    """No TCP connection, for a reason that does not pass by itself, such as a name that does not exist."""

    passing = False


class ConnectionLost(SmtpError):
    """The server closed or reset the connection, or stopped answering, in the middle of a session."""


class TlsFailed(SmtpError):
    """TLS is required but not available, or the certificate does not prove the server's identity."""

    passing = False


class ProtocolViolation(SmtpError):
    """The server does not speak SMTP: a malformed or endless reply, or plaintext sent before TLS."""

    passing = False


class CommandRefused(SmtpError):
    """A 4yz or 5yz reply to a command that the session needs."""


class AuthRefused(CommandRefused):
    """The login was refused (RFC 4954 section 6)."""


class ServerNotProven(SmtpError):
    """The server did not prove its identity in the login, so it may be an impostor (RFC 5802 section 5)."""

    passing = False


class ProxyFailed(Exception):
    """The proxy did not connect to the server; the text is a sentence.

    :param passing: whether a later attempt may succeed.
    """

    def __init__(self, problem: str, passing: bool = False) -> None:
        super().__init__(problem)
        self.passing = passing


class NotOffered(SmtpError):
    """The server lacks an extension that this message or login needs."""

    passing = False


#: Failures of a connection that pass by themselves; all others need another option or another configuration.
PASSING_ERRORS = (
    *(errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN),
    *(errno.ETIMEDOUT, errno.EAGAIN),
    *(errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH, errno.ENETDOWN, errno.ENETRESET, errno.EINTR),
    *(errno.ENOENT, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM),  # ENOENT: a socket before its server
)
CHECK_SOCKET = "Check unix_socket, and that the server is running on this host."
#: Problem and advice for a socket on this host.
SOCKET_PROBLEMS: t.Mapping[int, tuple[str, str]] = {
    errno.ENOENT: ("the socket does not exist", CHECK_SOCKET),
    errno.ENOTDIR: ("the socket does not exist: a part of its path is not a directory", CHECK_SOCKET),
    errno.ECONNREFUSED: ("no server listens on the socket", CHECK_SOCKET),
    errno.ENOTSOCK: ("the path is not a socket", CHECK_SOCKET),
    errno.EPROTOTYPE: ("the socket is not a stream socket", CHECK_SOCKET),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        (
            "permission denied for the socket",
            "Check unix_socket, and run the task as a user that may write to it, as with become.",
        ),
    ),
}
