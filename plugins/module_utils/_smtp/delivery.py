# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is handed to a session, and what became of it."""

from __future__ import annotations

import enum
import re
import typing as t
from dataclasses import dataclass

from .errors import Stage
from .reply import Reply

if t.TYPE_CHECKING:
    from .tls import TlsInfo

#: Nothing of this may reach a command line: CR and LF would start another command (RFC 5321 section 2.3.8).
_UNFIT = re.compile(r"[\x00-\x1f\x7f<>]")
#: Where Postfix, Exim, Exchange and the large providers name the queue entry in their reply to the message.
_QUEUE_ID = re.compile(
    r"(?:queued as|\bid[= ]|Ok:? queued:?|Message accepted as)\s*<?([A-Za-z0-9][\w.@-]{4,})", re.IGNORECASE
)


class DeliveryStatus(str, enum.Enum):
    """The fate of one message for one recipient."""

    SENT = "sent"  # the server took responsibility (RFC 5321 section 6.1)
    REFUSED = "refused"  # a 5yz reply: never like this
    DEFERRED = "deferred"  # known not to be accepted, and worth another attempt
    UNKNOWN = "unknown"  # the connection was lost between the final dot and its reply

    @classmethod
    def of(cls, reply: Reply) -> DeliveryStatus:
        """The status that a final reply means."""
        if reply.positive:
            return cls.SENT
        return cls.REFUSED if reply.permanent else cls.DEFERRED


@dataclass(frozen=True)
class DsnRequest:
    """Which delivery status notifications to ask for (RFC 3461).

    :param notify: ``success``, ``failure``, ``delay`` or only ``never``; empty leaves it to the servers.
    :param full: whether a notification brings the whole message back (RET=FULL) or only its header (RET=HDRS).
    :param envelope_id: comes back in the notification; empty for none.
    :raises ValueError: the envelope id is not all text.
    """

    notify: tuple[str, ...] = ()
    full: bool = False
    envelope_id: str = ""

    def __post_init__(self) -> None:
        try:
            self.envelope_id.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(
                f"the envelope id {self.envelope_id!r} is not all text: it holds half a character"
            ) from None

    def mail_parameters(self) -> str:
        """The parameters of MAIL, a space before each."""
        envelope_id = f" ENVID={_xtext(self.envelope_id)}" if self.envelope_id else ""
        return f" RET={'FULL' if self.full else 'HDRS'}{envelope_id}"

    def rcpt_parameters(self, address: str) -> str:
        """The parameters of RCPT, a space before each."""
        notify = f" NOTIFY={','.join(self.notify).upper()}" if self.notify else ""
        original = f" ORCPT=rfc822;{_xtext(address)}" if address.isascii() else ""
        return notify + original


def _xtext(text: str) -> str:
    """RFC 3461 section 4: printable ASCII but for ``+`` and ``=`` stands for itself."""
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}" for octet in text.encode("utf-8")
    )


@dataclass(frozen=True)
class Envelope:
    """One message ready for the wire.

    :param sender: reverse path without angle brackets; empty is the null sender (RFC 5321 section 4.5.5).
    :param recipients: forward paths without angle brackets, at least one.
    :param content: the message with CRLF line ends, the last line ended, dots not stuffed.
    :param message_id: the Message-ID in it, for the result.
    :param dsn: notifications to ask for where the server offers DSN.
    :param utf8_header: whether a header field is in UTF-8, which takes SMTPUTF8 like an address that is not ASCII.
    :param require_tls: whether every hop must use verified TLS (RFC 8689); such a message is sent that way or not.
    :raises ValueError: no recipient, a control character in an address, or content that ends within a line.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    message_id: str = ""
    dsn: DsnRequest | None = None
    require_tls: bool = False
    utf8_header: bool = False

    def __post_init__(self) -> None:
        if not self.recipients:
            raise ValueError("a message needs at least one recipient")
        for address in (self.sender, *self.recipients):
            if _UNFIT.search(address):
                raise ValueError(f"{address!r} holds a character that no address may hold")
        if not self.content.endswith(b"\r\n"):
            raise ValueError("the content of a message ends with CRLF")

    @property
    def is_8bit(self) -> bool:
        """Whether the content needs 8BITMIME (RFC 6152)."""
        return not self.content.isascii()

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address or a header field is not ASCII (RFC 6531 section 3.4)."""
        return self.utf8_header or not "".join((self.sender, *self.recipients)).isascii()


class RecipientResult(t.NamedTuple):
    """What became of a message for one recipient.

    :param stage: the stage that decided.
    :param problem: a sentence, empty when sent.
    """

    address: str
    status: DeliveryStatus
    stage: Stage
    reply: Reply | None = None
    problem: str = ""

    @classmethod
    def from_dict(cls, form: t.Mapping[str, t.Any]) -> RecipientResult:
        """:param form: what :meth:`to_dict` gave."""
        reply = Reply(form["code"], (form["text"],)) if form["code"] else None
        return cls(form["address"], DeliveryStatus(form["status"]), Stage(form["stage"]), reply, form["problem"])

    def to_dict(self) -> dict[str, t.Any]:
        """The form a module returns."""
        return {
            "address": self.address,
            "status": self.status.value,
            "stage": self.stage.value,
            "code": self.reply.code if self.reply else None,
            "enhanced_code": self.reply.enhanced if self.reply else None,
            "text": self.reply.text if self.reply else "",
            "problem": self.problem,
        }


class DeliveryResult(t.NamedTuple):
    """What became of one message.

    :param size: octets of the content.
    :param attempts: how often it was tried.
    :param number: its place among the messages of a pool, from 0.
    """

    message_id: str
    size: int
    recipients: tuple[RecipientResult, ...]
    attempts: int = 1
    number: int = 0

    def having(self, status: DeliveryStatus) -> tuple[RecipientResult, ...]:
        """The recipients with this status."""
        return tuple(recipient for recipient in self.recipients if recipient.status is status)

    @property
    def queue_id(self) -> str | None:
        """The server's name for the message, where its last reply tells."""
        for recipient in self.having(DeliveryStatus.SENT):
            match = _QUEUE_ID.search(recipient.reply.text) if recipient.reply else None
            if match:
                return match.group(1)
        return None

    @classmethod
    def from_dict(cls, form: t.Mapping[str, t.Any]) -> DeliveryResult:
        """:param form: what :meth:`to_dict` gave."""
        recipients = tuple(map(RecipientResult.from_dict, form["recipients"]))
        return cls(form["message_id"], form["size"], recipients, form["attempts"], form["index"])

    def to_dict(self) -> dict[str, t.Any]:
        """The form a module returns."""
        return {
            "index": self.number,
            "message_id": self.message_id,
            "size": self.size,
            "queue_id": self.queue_id,
            "attempts": self.attempts,
            "recipients": [recipient.to_dict() for recipient in self.recipients],
        }


class SessionInfo(t.NamedTuple):
    """What a session came to.

    :param seconds: from the first packet on.
    :param messages: how many had a reply to their end, whatever it said.
    """

    server: str
    address: str
    tls: TlsInfo | None
    mechanism: str | None
    messages: int
    round_trips: int
    seconds: float

    def to_dict(self) -> dict[str, t.Any]:
        """The form a module returns."""
        return {
            "server": self.server,
            "address": self.address,
            "tls_version": self.tls.version if self.tls else None,
            "tls_cipher": self.tls.cipher if self.tls else None,
            "tls_verified": self.tls.verified if self.tls else False,
            "certificate_subject": self.tls.subject if self.tls else None,
            "certificate_expires": self.tls.expires if self.tls else None,
            "certificate_sha256": self.tls.digest if self.tls else None,
            "auth_mechanism": self.mechanism,
            "messages": self.messages,
            "round_trips": self.round_trips,
            "seconds": round(self.seconds, 3),
        }
