# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a walk through a server is asked, and what it answers."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._smtp.tls import TlsMode
from .steps import Result, State, Step

if t.TYPE_CHECKING:
    from .._evidence.document import Evidence
    from .._evidence.smtp import SmtpFacts
    from .._smtp.delivery import Envelope
    from .._smtp.settings import ServerSettings

#: The steps of opening a session that every server must pass; with opportunistic TLS the server decides about the rest.
OPENINGS: t.Mapping[TlsMode, tuple[Step, ...]] = {
    TlsMode.IMPLICIT: (Step.TLS, Step.GREETING, Step.EHLO_IN_TLS),
    TlsMode.STARTTLS: (Step.GREETING, Step.EHLO, Step.STARTTLS, Step.TLS, Step.EHLO_IN_TLS),
    TlsMode.OPPORTUNISTIC: (Step.GREETING, Step.EHLO),
    TlsMode.NONE: (Step.GREETING, Step.EHLO),
}


@dataclass(frozen=True)
class Questions:
    """What to ask a server.

    :param settings: the server and the login.
    :param provider: whose advice and ports apply; None without one.
    :param sender: to be tried in MAIL; None for no such step.
    :param recipient: to be tried in RCPT, after the sender; None for no such step.
    :param message: a test message to send in place of only trying its sender and recipient.
    :param wrong_login: whether to try a wrong secret after the right one.
    :param no_login: problem and advice if the secret of the login could not be obtained.
    :param vantage: name of this host.
    """

    settings: ServerSettings
    provider: str | None = None
    sender: str | None = None
    recipient: str | None = None
    message: Envelope | None = None
    wrong_login: bool = False
    no_login: tuple[str, str] | None = None
    vantage: str = ""

    @property
    def direct(self) -> bool:
        """Whether this host resolves the name and connects; else a proxy does, or there is nothing to resolve."""
        return not self.settings.unix_socket and not self.settings.proxy

    @property
    def steps(self) -> t.Iterator[Step]:
        """The steps that are asked for."""
        mode = self.settings.tls.mode
        if self.direct:
            yield Step.NAME
        yield Step.CONNECT
        yield from OPENINGS[mode]
        if self.settings.credentials or self.no_login:
            yield Step.LOGIN
        if self.sender is not None:
            yield Step.SENDER
        if self.recipient is not None:
            yield Step.RECIPIENT
        if self.message:
            yield Step.MESSAGE
        if self.wrong_login:
            yield Step.WRONG_LOGIN


@dataclass(frozen=True)
class Answers:
    """What the walk found.

    :param results: the steps that were asked for, in their order.
    :param accepted_by: options by which a certificate that was refused would be accepted.
    """

    evidence: Evidence[SmtpFacts]
    results: tuple[Result, ...]
    accepted_by: dict[str, t.Any]

    @property
    def problem(self) -> Result | None:
        """The first step that did not pass."""
        return next((one for one in self.results if one.state is not State.PASSED), None)
