# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between two SMTP hosts, as types.

Every error says at which stage of the session it happened, with which server, what that server said, and what a
person can do about it. ``str(error)`` is the whole sentence.
"""

from __future__ import annotations

import enum
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
    """A session that could not do what it was asked to.

    :param problem: what happened, as a sentence without the final full stop.
    :param stage: where in the session.
    :param server: ``host:port`` as the user named it.
    :param reply: what the server answered, where it answered.
    :param advice: what to do, as a sentence; empty where nothing general is known.
    """

    #: Whether the same attempt may succeed later where no reply tells.
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
        """What another process needs to have the same error."""
        again = functools.partial(
            type(self), stage=self.stage, server=self.server, reply=self.reply, advice=self.advice
        )
        return again, (self.problem,)

    def sentence(self, advice: str) -> str:
        """What happened, with this advice in place of the general one, where it is not empty."""
        said = f' The server said: "{self.reply}".' if self.reply else ""
        advice = advice or self.advice
        return f"{self.server}, stage {self.stage.value}: {self.problem}.{said}" + (f" {advice}" if advice else "")

    @property
    def temporary(self) -> bool:
        """Whether the same attempt may succeed later: what a reply says (RFC 5321 section 4.2.1), or the kind."""
        return self.reply.transient if self.reply else self.passing


class ConnectFailed(SmtpError):
    """No TCP connection: the name does not resolve, nobody listens, or nobody answers."""


class ConnectionLost(SmtpError):
    """The peer closed, reset or fell silent in the middle of a session."""


class TlsFailed(SmtpError):
    """TLS was required and is not to be had, or the certificate does not prove who the server is."""

    passing = False


class ProtocolViolation(SmtpError):
    """The peer does not speak SMTP: a malformed or endless reply, or plaintext sent ahead of TLS."""

    passing = False


class CommandRefused(SmtpError):
    """A 4yz or 5yz reply to a command the session cannot do without."""


class AuthRefused(CommandRefused):
    """The login was refused (RFC 4954 section 6)."""


class ServerNotProven(SmtpError):
    """A login that must prove the server as well did not: it may be anybody (RFC 5802 section 5)."""

    passing = False


class ProxyFailed(Exception):
    """The proxy did not connect; the text is a sentence."""


class NotOffered(SmtpError):
    """The server lacks an extension that this message or login needs."""

    passing = False
