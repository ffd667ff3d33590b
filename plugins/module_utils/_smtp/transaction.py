# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One message in one session: its commands, and the status that the replies decide (RFC 5321 section 3.3).

It does no input or output: it makes the commands and takes the replies, and the session decides when to send.
"""

from __future__ import annotations

import typing as t
from collections import deque
from dataclasses import replace

from .delivery import DeliveryResult, DeliveryStatus, Envelope, RecipientResult, too_many_recipients
from .errors import NotOffered, SmtpError, Stage

if t.TYPE_CHECKING:
    from .capabilities import Capabilities
    from .reply import Reply

_SUBJECTS = {Stage.MAIL: "the sender", Stage.RCPT: "the recipient"}

_T = t.TypeVar("_T")


class MailTransaction:
    """The mail transaction of one message, and further ones for the recipients that it set aside.

    Recipients are set aside if the server has enough of them for one transaction (RFC 5321 section 4.5.3.1.10), or if
    it refused a command that was sent ahead, which decides nothing about the message.

    :param server: ``host:port``, for error messages.
    :ivar commands: MAIL, RCPT and, without CHUNKING, DATA, of the current transaction.
    :ivar ahead: whether they were sent before the reply to the previous message: a refusal then sets recipients aside.
    """

    def __init__(self, envelope: Envelope, capabilities: Capabilities, server: str) -> None:
        self.envelope = envelope
        self._capabilities = capabilities
        self._chunking = "CHUNKING" in capabilities
        self._results: dict[str, RecipientResult] = {}
        self._set_aside: dict[str, RecipientResult] = {}
        self._refused_ahead: dict[str, RecipientResult] = {}
        self.ahead = False
        self.commands: list[tuple[Stage, bytes]] = []
        self._named: t.Sequence[str] = envelope.recipients
        try:
            check_offered(envelope, capabilities, server)
            self.commands = self._commands()
        except NotOffered as error:
            self.fail(error)

    def _commands(self) -> list[tuple[Stage, bytes]]:
        envelope = self.envelope
        commands = [(Stage.MAIL, mail_command(envelope, self._capabilities))]
        commands += [(Stage.RCPT, rcpt_command(envelope, address, self._capabilities)) for address in self._named]
        if not self._chunking:
            commands.append((Stage.DATA, b"DATA\r\n"))
        return commands

    @property
    def group(self) -> bytes:
        """All commands at once (RFC 2920)."""
        return b"".join(command for _stage, command in self.commands)

    @property
    def accepted(self) -> list[str]:
        """The recipients of the current transaction whose status is not decided yet."""
        return [one for one in self._named if one not in self._results and one not in self._set_aside]

    @property
    def accepted_envelope(self) -> Envelope:
        """The envelope with only the recipients who get the content of the current transaction."""
        accepted = tuple(self.accepted)
        return self.envelope if accepted == self.envelope.recipients else replace(self.envelope, recipients=accepted)

    @property
    def fallen_out(self) -> tuple[RecipientResult, ...]:
        """The recipients whose status is decided, and those set aside."""
        return (*self._results.values(), *self._set_aside.values())

    @property
    def decided(self) -> bool:
        """Whether the status of a recipient is decided, so that the message was tried."""
        return bool(self._results)

    @property
    def sent(self) -> int:
        """The number of recipients to whom the current transaction sent the message."""
        return sum(one in self._results and self._results[one].status is DeliveryStatus.SENT for one in self._named)

    @property
    def unfinished(self) -> bool:
        """Whether recipients are set aside for another transaction."""
        return bool(self._set_aside)

    def again(self, taken: int) -> bool:
        """Turn to the recipients set aside, if another transaction can get further with them than this one did.

        :param taken: how many recipients this transaction took; the next one names no more, unless it repeats what was
            refused ahead.
        :returns: whether there is another transaction.
        """
        if not self._set_aside or not (taken or self.ahead):
            return False
        self._named = [*self._set_aside][: None if self.ahead else taken]
        before = {address: self._set_aside.pop(address) for address in self._named}
        self._refused_ahead = before if self.ahead else {}
        self.ahead = False
        self.commands = self._commands()
        return True

    @property
    def contradicted(self) -> bool:
        """Whether the server says otherwise, now that it is asked in turn, than it said to the commands sent ahead."""
        return any(
            _code(self._results.get(address) or self._set_aside.get(address)) != _code(one)
            for address, one in self._refused_ahead.items()
        )

    def take(self, replies: t.Sequence[Reply]) -> bool:
        """Process the replies to the commands so far.

        :returns: whether a recipient is left, so that the transaction can continue.
        """
        for (stage, _command), address, reply in zip(self.commands, (None, *self._named), replies):
            if not reply.positive:
                self._judge([address] if address else self._named, stage, reply)
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
        no_verdict = self.ahead and stage is not Stage.END_OF_DATA
        aside = no_verdict or (stage is Stage.RCPT and too_many_recipients(reply))
        status = DeliveryStatus.DEFERRED if aside else DeliveryStatus.of(reply)
        subject = _SUBJECTS.get(stage, "the message")
        problem = "" if status is DeliveryStatus.SENT else f'{subject} was {status.value}: "{reply}"'
        results = self._set_aside if aside else self._results
        for address in addresses:
            if address not in self._results and address not in self._set_aside:
                results[address] = RecipientResult(address, status, stage, reply, problem)

    def result(self) -> DeliveryResult:
        """Return the status for each recipient, in the order of the envelope."""
        results = {**self._set_aside, **self._results}
        recipients = tuple(results[address] for address in self.envelope.recipients)
        return DeliveryResult(self.envelope.message_id, len(self.envelope.content), recipients)


def _code(result: RecipientResult | None) -> int | None:
    return result.reply.code if result and result.reply else None


class Lookahead(t.Iterator[_T]):
    """An iterator that can take items ahead. An exception of the source is raised only after the items before it.

    :ivar taken: items that were taken from the source and not returned yet.
    """

    def __init__(self, source: t.Iterable[_T]) -> None:
        self._source = iter(source)
        self._failure: Exception = StopIteration()
        self._open = True
        self.taken: deque[_T] = deque()

    def peek(self, number: int) -> _T | None:
        """Return the next item (1), the one after it (2) and so on, or None at the end."""
        while len(self.taken) < number and self._open:
            try:
                self.taken.append(next(self._source))
            except Exception as error:  # noqa: BLE001 - raised in its turn
                self._failure, self._open = error, False
        return self.taken[number - 1] if len(self.taken) >= number else None

    def __next__(self) -> _T:
        if self.peek(1) is None:
            raise self._failure
        return self.taken.popleft()


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
            f"an address or a header field is not ASCII, and {capabilities.lack('SMTPUTF8')}",
            "Use ASCII addresses, or a server that offers SMTPUTF8 (RFC 6531).",
        )
    if envelope.is_8bit and "8BITMIME" not in capabilities:
        raise refuse(
            f"the message contains octets above 127, and {capabilities.lack('8BITMIME')}",
            "Encode the message as base64 or quoted-printable (RFC 6152).",
        )
    if envelope.require_tls and "REQUIRETLS" not in capabilities:
        raise refuse(
            "the message requires TLS on every hop, and the server does not offer REQUIRETLS",
            "Set require_tls to false, or use a server that offers it (RFC 8689).",
        )


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
