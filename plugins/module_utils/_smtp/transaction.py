# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One mail transaction: its commands, and the status that the replies decide (RFC 5321 section 3.3).

It does no input or output: it makes the commands and takes the replies, and the session decides when to send.
"""

from __future__ import annotations

import re
import typing as t

from .delivery import DeliveryResult, DeliveryStatus, Envelope, RecipientResult
from .errors import NotOffered, SmtpError, Stage

if t.TYPE_CHECKING:
    from .capabilities import Capabilities
    from .reply import Reply

_SUBJECTS = {Stage.MAIL: "the sender", Stage.RCPT: "the recipient"}
#: An address in a header, with the characters that it may contain without quotes.
_ADDRESS = re.compile(r"[^\s<>(),:;\"]+@[^\s<>(),:;\"]+")
#: Addresses to name in an error.
_NAMED = 5


class MailTransaction:
    """One mail transaction in one session.

    :param server: ``host:port``, for error messages.
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
        """Return all the commands before the content: MAIL, RCPT and, without CHUNKING, DATA."""
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
        """The recipients whose status is not decided yet."""
        return [address for address in self.envelope.recipients if address not in self._results]

    @property
    def fallen_out(self) -> tuple[RecipientResult, ...]:
        """The recipients whose status is decided."""
        return tuple(self._results.values())

    def take(self, replies: t.Sequence[Reply]) -> bool:
        """Process the replies to the commands so far.

        :returns: whether a recipient is left, so that the transaction can continue.
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
        """The content on the wire: one chunk (RFC 3030 section 2), or dot-stuffed with its end (RFC 5321 4.5.2)."""
        content = self.envelope.content
        if self._chunking:
            return b"BDAT %d LAST\r\n" % len(content) + content
        if b"\r\n." in content:
            content = content.replace(b"\r\n.", b"\r\n..")
        return (b"." if content.startswith(b".") else b"") + content + b".\r\n"

    def finish(self, replies: t.Sequence[Reply], one_each: bool = False) -> None:
        """Process the replies to the content.

        :param one_each: whether each accepted recipient has its own reply (LMTP, RFC 2033); else one is for all.
        """
        accepted = self.accepted
        for address, reply in zip(accepted, replies if one_each else [*replies] * len(accepted)):
            self._judge([address], Stage.END_OF_DATA, reply)

    def fail(self, error: SmtpError) -> None:
        """Give the undecided recipients the status of a session that failed: unknown only at the end of data."""
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
        """Return the status for each recipient, in the order of the envelope."""
        recipients = tuple(self._results[address] for address in self.envelope.recipients)
        return DeliveryResult(self.envelope.message_id, len(self.envelope.content), recipients)


def check_offered(envelope: Envelope, capabilities: Capabilities, server: str) -> None:
    """Check before the first command that the server's extensions and limits allow this message.

    :raises NotOffered: they do not.
    """

    def refuse(problem: str, advice: str) -> NotOffered:
        return NotOffered(problem, stage=Stage.MAIL, server=server, advice=advice)

    limit = capabilities.max_size
    if limit and len(envelope.content) > limit:
        raise refuse(
            f"the message has {len(envelope.content)} octets, the server accepts at most {limit}",
            "Make the attachments smaller, or send a link in place of them.",
        )
    if envelope.needs_smtputf8 and "SMTPUTF8" not in capabilities:
        raise refuse(
            f"the server does not offer SMTPUTF8, which is needed for {_not_ascii(envelope)}",
            "Use ASCII addresses, or a server that offers SMTPUTF8 (RFC 6531).",
        )
    if envelope.is_8bit and "8BITMIME" not in capabilities:
        raise refuse(
            "the message contains octets above 127, and the server does not offer 8BITMIME",
            "Encode the message as base64 or quoted-printable (RFC 6152).",
        )
    if envelope.require_tls and "REQUIRETLS" not in capabilities:
        raise refuse(
            "the message requires TLS on every hop, and the server does not offer REQUIRETLS in verified TLS",
            "Set require_tls to false, or use a server that offers it (RFC 8689), with validate_certs: true.",
        )


def _not_ascii(envelope: Envelope) -> str:
    """Return what needs SMTPUTF8, for an error: addresses of the envelope and the header."""
    header = envelope.content.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    addresses = (envelope.sender, *envelope.recipients, *_ADDRESS.findall(header))
    found = [repr(address) for address in dict.fromkeys(addresses) if not address.isascii()]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more or "a header field that is not ASCII"


def mail_command(envelope: Envelope, capabilities: Capabilities) -> bytes:
    """Return MAIL with the parameters of the extensions in use (RFC 1870, 6152, 6531, 8689, 3461)."""
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
    """Return RCPT, with the parameters of DSN if the server offers it (RFC 3461 section 4)."""
    parameters = envelope.dsn.rcpt_parameters(address) if envelope.dsn and "DSN" in capabilities else ""
    return f"RCPT TO:<{address}>{parameters}\r\n".encode()
