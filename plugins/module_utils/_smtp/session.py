# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SMTP session.

Greeting, EHLO, TLS, EHLO again, AUTH once, then messages (RFC 5321 section 3, RFC 3207, RFC 4954, RFC 2920).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .capabilities import Capabilities
from .connection import connect
from .delivery import DeliveryResult, Envelope, RecipientResult, Status
from .errors import CommandRefused, NotOffered, SmtpError, Stage, TlsFailed
from .login import Target, log_in
from .tls import TlsMode

if t.TYPE_CHECKING:
    from .auth import Credentials
    from .reply import Reply
    from .settings import ServerSettings
    from .tls import TlsInfo

#: How long a polite goodbye may take once everything that matters is done, in seconds.
_QUIT_TIMEOUT = 5.0


@dataclass(frozen=True)
class SessionInfo:
    """What an open session came to."""

    server: str
    address: str
    capabilities: Capabilities
    tls: TlsInfo | None
    mechanism: str | None

    def to_dict(self) -> dict[str, t.Any]:
        """The form a module returns."""
        return {
            "server": self.server,
            "address": self.address,
            "tls_version": self.tls.version if self.tls else None,
            "tls_cipher": self.tls.cipher if self.tls else None,
            "tls_verified": self.tls.verified if self.tls else False,
            "auth_mechanism": self.mechanism,
        }


@t.final
class SmtpSession:
    """A session that is open from ``with`` to the end of its block.

    ::

        with SmtpSession(settings) as session:
            result = session.deliver(envelope)

    :raises SmtpError: from ``with``, when the session cannot be opened as the settings demand.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._transaction_open = False

    def __enter__(self) -> SmtpSession:
        self._connection = connect(self._settings)
        try:
            mechanism = self._open()
        except BaseException:
            self._connection.close()
            raise
        self.info = SessionInfo(
            self._settings.server, self._connection.address, self._capabilities, self._connection.tls, mechanism
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        """Say QUIT. What was accepted stays accepted, whatever the server does now (RFC 5321 section 4.1.1.10)."""
        try:
            if self._connection.usable:
                self._connection.timeout = _QUIT_TIMEOUT
                self._command("QUIT", Stage.QUIT)
        except SmtpError:
            pass
        finally:
            self._connection.close()

    # Opening

    def _open(self) -> str | None:
        settings = self._settings
        if settings.tls.mode is TlsMode.IMPLICIT:
            self._connection.start_tls(settings.tls, settings.host, Stage.TLS)
        self._expect_positive(self._connection.read_reply(Stage.GREETING), Stage.GREETING)
        self._ehlo()
        if settings.tls.mode is TlsMode.STARTTLS:
            self._starttls()
            self._ehlo()
        return self._login(settings.credentials) if settings.credentials else None

    def _ehlo(self) -> None:
        reply = self._command(f"EHLO {self._settings.ehlo_name or self._connection.own_name}", Stage.EHLO)
        self._expect_positive(reply, Stage.EHLO)
        self._capabilities = Capabilities.parse(reply)

    def _starttls(self) -> None:
        if "STARTTLS" not in self._capabilities:
            raise TlsFailed(
                "STARTTLS is required and the server does not offer it",
                stage=Stage.STARTTLS,
                server=self._settings.server,
                advice="Nothing was sent. If the port speaks TLS from the first byte use tls: implicit.",
            )
        self._expect_positive(self._command("STARTTLS", Stage.STARTTLS), Stage.STARTTLS)
        self._connection.start_tls(self._settings.tls, self._settings.host, Stage.STARTTLS)

    def _login(self, credentials: Credentials) -> str:
        settings = self._settings
        binding = self._connection.channel_binding
        target = Target(settings.server, settings.host, settings.port, settings.auth_mechanism, binding)
        return log_in(
            lambda line: self._command(line, Stage.AUTH), self._capabilities.auth_mechanisms, credentials, target
        )

    # Messages

    def deliver(self, envelope: Envelope) -> DeliveryResult:
        """Hand over one message; never raises for what the server or the network does to it.

        From the positive reply to the final dot on the message is sent, for each recipient that was accepted. A
        connection lost before the final dot leaves them deferred, after it unknown (RFC 5321 section 4.2.5).
        """
        results: dict[str, RecipientResult] = {}
        try:
            self._check_offered(envelope)
            if self._open_transaction(envelope, results):
                reply = self._send_content(envelope.content)
                for address in envelope.recipients:
                    results.setdefault(address, _judged(address, Stage.END_OF_DATA, reply))
        except SmtpError as error:
            for address in envelope.recipients:
                results.setdefault(address, _failed(address, error))
        recipients = tuple(results[address] for address in envelope.recipients)
        return DeliveryResult(envelope.message_id, len(envelope.content), recipients)

    def _check_offered(self, envelope: Envelope) -> None:
        limit = self._capabilities.max_size
        if limit and len(envelope.content) > limit:
            raise NotOffered(
                f"the message has {len(envelope.content)} octets, the server takes {limit}",
                stage=Stage.MAIL,
                server=self._settings.server,
                advice="Send less, or a link in place of the attachment.",
            )
        if envelope.needs_smtputf8 and "SMTPUTF8" not in self._capabilities:
            raise NotOffered(
                "an address is not ASCII and the server does not offer SMTPUTF8",
                stage=Stage.MAIL,
                server=self._settings.server,
                advice="Use an ASCII address, or a server that offers SMTPUTF8 (RFC 6531).",
            )

    def _open_transaction(self, envelope: Envelope, results: dict[str, RecipientResult]) -> bool:
        """MAIL, RCPT and DATA, in one go where PIPELINING is offered (RFC 2920 section 3.1).

        :param results: receives the recipients that fell out, and why.
        :returns: whether the server now waits for the message.
        """
        mail = self._mail_command(envelope)
        recipients = {address: f"RCPT TO:<{address}>" for address in envelope.recipients}
        pipelining = "PIPELINING" in self._capabilities
        reset = self._transaction_open
        if pipelining:
            batch = ["RSET"] * reset + [mail, *recipients.values(), "DATA"]
            self._connection.send(b"".join(map(_line, batch)), Stage.MAIL)

        def ask(command: str, stage: Stage) -> Reply:
            return self._connection.read_reply(stage) if pipelining else self._command(command, stage)

        if reset:
            ask("RSET", Stage.MAIL)
        self._transaction_open = True
        reply = ask(mail, Stage.MAIL)
        if not reply.positive:
            results.update({address: _judged(address, Stage.MAIL, reply) for address in recipients})
            if not pipelining:
                return False
        for address, command in recipients.items():
            reply = ask(command, Stage.RCPT)
            if not reply.positive:
                results.setdefault(address, _judged(address, Stage.RCPT, reply))
        nobody_left = len(results) == len(recipients)
        if nobody_left and not pipelining:
            return False
        return self._start_data(ask("DATA", Stage.DATA), nobody_left, recipients, results)

    def _start_data(
        self, reply: Reply, nobody_left: bool, recipients: t.Iterable[str], results: dict[str, RecipientResult]
    ) -> bool:
        if reply.intermediate and not nobody_left:
            return True
        if reply.intermediate:
            self._send_content(b"")  # RFC 2920 section 3.1: the server waits, so give it an empty message for nobody
        for address in recipients:
            results.setdefault(address, _judged(address, Stage.DATA, reply))
        return False

    def _mail_command(self, envelope: Envelope) -> str:
        parameters = ""
        if "SIZE" in self._capabilities:
            parameters += f" SIZE={len(envelope.content)}"
        if envelope.needs_smtputf8:
            parameters += " BODY=8BITMIME SMTPUTF8"
        return f"MAIL FROM:<{envelope.sender}>{parameters}"

    def _send_content(self, content: bytes) -> Reply:
        stuffed = content.replace(b"\r\n.", b"\r\n..")  # RFC 5321 section 4.5.2
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        self._connection.send(stuffed + b".\r\n", Stage.BODY)
        reply = self._connection.read_reply(Stage.END_OF_DATA)
        self._transaction_open = False
        return reply

    # Commands

    def _command(self, line: str, stage: Stage) -> Reply:
        self._connection.send(_line(line), stage)
        return self._connection.read_reply(stage)

    def _expect_positive(self, reply: Reply, stage: Stage) -> None:
        if not reply.positive:
            raise CommandRefused("the server refused", stage=stage, server=self._settings.server, reply=reply)


def _line(command: str) -> bytes:
    return command.encode("utf-8") + b"\r\n"


_SUBJECTS = {Stage.MAIL: "the sender", Stage.RCPT: "the recipient"}


def _judged(address: str, stage: Stage, reply: Reply) -> RecipientResult:
    """The result that a reply means for one recipient."""
    status = Status.of(reply)
    problem = "" if status is Status.SENT else f'{_SUBJECTS.get(stage, "the message")} was {status.value}: "{reply}"'
    return RecipientResult(address, status, stage, reply, problem)


def _failed(address: str, error: SmtpError) -> RecipientResult:
    """The result for one recipient when there is no reply; only the end of data leaves it undecided."""
    if error.stage is Stage.END_OF_DATA:
        status = Status.UNKNOWN
    else:
        status = Status.DEFERRED if error.temporary else Status.REFUSED
    return RecipientResult(address, status, error.stage, error.reply, str(error))
