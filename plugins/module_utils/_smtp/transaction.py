# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One mail transaction: its commands, and what the replies to them make of it (RFC 5321 section 3.3).

Pure: it makes bytes and takes replies, and leaves it to the session when which of them travel.
"""

from __future__ import annotations

import typing as t

from .delivery import DeliveryResult, DeliveryStatus, Envelope, RecipientResult
from .errors import NotOffered, SmtpError, Stage

if t.TYPE_CHECKING:
    from .capabilities import Capabilities
    from .reply import Reply

_SUBJECTS = {Stage.MAIL: "the sender", Stage.RCPT: "the recipient"}


class MailTransaction:
    """One message on its way through one session.

    :param server: ``host:port``, for the sentences of what cannot be sent.
    """

    def __init__(self, envelope: Envelope, capabilities: Capabilities, server: str) -> None:
        self.envelope = envelope
        self._chunking = "CHUNKING" in capabilities
        self._results: dict[str, RecipientResult] = {}
        try:
            check_offered(envelope, capabilities, server)
            self.commands = self._commands(capabilities)
        except NotOffered as error:
            self.commands = []
            self.fail(error)

    def _commands(self, capabilities: Capabilities) -> list[tuple[Stage, bytes]]:
        """MAIL, RCPT and, without CHUNKING, DATA: all that goes ahead of the content."""
        envelope = self.envelope
        commands = [(Stage.MAIL, mail_command(envelope, capabilities))]
        commands += [(Stage.RCPT, rcpt_command(envelope, address, capabilities)) for address in envelope.recipients]
        if not self._chunking:
            commands.append((Stage.DATA, b"DATA\r\n"))
        return commands

    @property
    def group(self) -> bytes:
        """All commands at once (RFC 2920)."""
        return b"".join(command for _stage, command in self.commands)

    @property
    def accepted(self) -> list[str]:
        """The recipients that nothing was said against yet."""
        return [address for address in self.envelope.recipients if address not in self._results]

    @property
    def fallen_out(self) -> tuple[RecipientResult, ...]:
        """The recipients that something was said against."""
        return tuple(self._results.values())

    def take(self, replies: t.Sequence[Reply]) -> bool:
        """Take the replies to the commands so far.

        :returns: whether the server now waits for the content.
        """
        for (stage, _command), address, reply in zip(self.commands, (None, *self.envelope.recipients), replies):
            if not reply.positive:
                self._judge([address] if address else self.envelope.recipients, stage, reply)
        complete = replies and len(replies) == len(self.commands)
        if complete and not self._chunking and not replies[-1].intermediate:
            self._judge(self.accepted, Stage.DATA, replies[-1])
        return bool(self.accepted)

    @property
    def content(self) -> bytes:
        """The message as it travels: one chunk (RFC 3030 section 2), or dots stuffed and ended (RFC 5321 4.5.2)."""
        content = self.envelope.content
        if self._chunking:
            return b"BDAT %d LAST\r\n" % len(content) + content
        if b"\r\n." in content:
            content = content.replace(b"\r\n.", b"\r\n..")
        return (b"." if content.startswith(b".") else b"") + content + b".\r\n"

    def finish(self, replies: t.Sequence[Reply], one_each: bool = False) -> None:
        """Take what was said to the content.

        :param one_each: whether each accepted recipient gets a reply (LMTP, RFC 2033); else one is for all.
        """
        accepted = self.accepted
        for address, reply in zip(accepted, replies if one_each else [*replies] * len(accepted)):
            self._judge([address], Stage.END_OF_DATA, reply)

    def fail(self, error: SmtpError) -> None:
        """Everybody who is still open shares the fate of the session; only the end of the data leaves it undecided."""
        if error.stage is Stage.END_OF_DATA and not error.reply:
            status = DeliveryStatus.UNKNOWN
        else:
            status = DeliveryStatus.DEFERRED if error.temporary else DeliveryStatus.REFUSED
        for address in self.accepted:
            self._results[address] = RecipientResult(address, status, error.stage, error.reply, str(error))

    def _judge(self, addresses: t.Iterable[str], stage: Stage, reply: Reply) -> None:
        status = DeliveryStatus.of(reply)
        subject = _SUBJECTS.get(stage, "the message")
        problem = "" if status is DeliveryStatus.SENT else f'{subject} was {status.value}: "{reply}"'
        for address in addresses:
            self._results.setdefault(address, RecipientResult(address, status, stage, reply, problem))

    def result(self) -> DeliveryResult:
        """What became of the message, for each recipient in the order given."""
        recipients = tuple(self._results[address] for address in self.envelope.recipients)
        return DeliveryResult(self.envelope.message_id, len(self.envelope.content), recipients)


def check_offered(envelope: Envelope, capabilities: Capabilities, server: str) -> None:
    """See before anything is said whether this server can take this message.

    :raises NotOffered: it cannot.
    """

    def refuse(problem: str, advice: str) -> NotOffered:
        return NotOffered(problem, stage=Stage.MAIL, server=server, advice=advice)

    limit = capabilities.max_size
    if limit and len(envelope.content) > limit:
        raise refuse(
            f"the message has {len(envelope.content)} octets, the server takes {limit}",
            "Send less, or a link in place of the attachment.",
        )
    if envelope.needs_smtputf8 and "SMTPUTF8" not in capabilities:
        raise refuse(
            "an address is not ASCII and the server does not offer SMTPUTF8",
            "Use an ASCII address, or a server that offers SMTPUTF8 (RFC 6531).",
        )
    if envelope.is_8bit and "8BITMIME" not in capabilities:
        raise refuse(
            "the message holds octets over 127 and the server does not offer 8BITMIME",
            "Let the message be encoded (RFC 6152).",
        )
    if envelope.require_tls and "REQUIRETLS" not in capabilities:
        raise refuse(
            "the message demands TLS all the way and the server does not offer REQUIRETLS",
            "Send it without that demand, or by a server that offers it (RFC 8689).",
        )


def mail_command(envelope: Envelope, capabilities: Capabilities) -> bytes:
    """MAIL with the parameters of the extensions in use (RFC 1870, 6152, 6531, 8689, 3461)."""
    parameters = f" SIZE={len(envelope.content)}" if "SIZE" in capabilities else ""
    needs_smtputf8 = envelope.needs_smtputf8
    if needs_smtputf8 or envelope.is_8bit:
        parameters += " BODY=8BITMIME"
    if needs_smtputf8:
        parameters += " SMTPUTF8"
    if envelope.require_tls:
        parameters += " REQUIRETLS"
    if envelope.dsn and "DSN" in capabilities:
        parameters += envelope.dsn.mail_parameters()
    return f"MAIL FROM:<{envelope.sender}>{parameters}\r\n".encode()


def rcpt_command(envelope: Envelope, address: str, capabilities: Capabilities) -> bytes:
    """RCPT with the parameters of DSN where offered (RFC 3461 section 4)."""
    parameters = envelope.dsn.rcpt_parameters(address) if envelope.dsn and "DSN" in capabilities else ""
    return f"RCPT TO:<{address}>{parameters}\r\n".encode()
