# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The envelope that a session sends, and the results that it returns."""

from __future__ import annotations

import enum
import re
import typing as t
from dataclasses import dataclass

from .errors import Stage
from .reply import Reply

if t.TYPE_CHECKING:
    from .tls import TlsInfo

#: Characters that must not reach a command: CR and LF would start another one (RFC 5321 section 2.3.8).
_UNFIT = re.compile(r"[\x00-\x1f\x7f<>]")
#: The queue ID in the reply to the message, as Postfix, Exim, Exchange and the large providers write it.
_QUEUE_ID = re.compile(
    r"(?:queued as|\bid[= ]|Ok:? queued:?|Message accepted as)\s*<?([A-Za-z0-9][\w.@-]{4,})", re.IGNORECASE
)


class DeliveryStatus(str, enum.Enum):
    """What became of one message for one recipient."""

    SENT = "sent"  # the server took responsibility (RFC 5321 section 6.1)
    REFUSED = "refused"  # a permanent failure, such as a 5yz reply
    DEFERRED = "deferred"  # not accepted, but a later attempt may succeed
    UNKNOWN = "unknown"  # the connection was lost between the end of data and its reply

    @classmethod
    def of(cls, reply: Reply) -> DeliveryStatus:
        """Return the status for a final reply."""
        if reply.positive:
            return cls.SENT
        return cls.REFUSED if reply.permanent else cls.DEFERRED


@dataclass(frozen=True)
class DsnRequest:
    """The delivery status notifications to request (RFC 3461).

    :param notify: ``success``, ``failure``, ``delay`` or only ``never``; empty leaves it to the servers.
    :param full: whether a notification returns the whole message (RET=FULL) or only its header (RET=HDRS).
    :param envelope_id: returned in the notification; empty for none.
    :raises ValueError: the envelope ID is not valid Unicode text.
    """

    notify: tuple[str, ...] = ()
    full: bool = False
    envelope_id: str = ""

    def __post_init__(self) -> None:
        try:
            self.envelope_id.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError(
                f"the envelope ID {self.envelope_id!r} is not valid text: it contains half of a surrogate pair"
            ) from None

    def mail_parameters(self) -> str:
        """Return the parameters of MAIL, each with a space before it."""
        envelope_id = f" ENVID={_xtext(self.envelope_id)}" if self.envelope_id else ""
        return f" RET={'FULL' if self.full else 'HDRS'}{envelope_id}"

    def rcpt_parameters(self, address: str) -> str:
        """Return the parameters of RCPT, each with a space before it."""
        notify = f" NOTIFY={','.join(self.notify).upper()}" if self.notify else ""
        original = f" ORCPT=rfc822;{_xtext(address)}" if address.isascii() else ""
        return notify + original


def _xtext(text: str) -> str:
    """Encode text as xtext: printable ASCII except ``+`` and ``=`` is unchanged (RFC 3461 section 4)."""
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}" for octet in text.encode("utf-8")
    )


@dataclass(frozen=True)
class Envelope:
    """One message and its addresses, ready to send.

    :param sender: reverse path without angle brackets; empty is the null sender (RFC 5321 section 4.5.5).
    :param recipients: forward paths without angle brackets, at least one.
    :param content: the message with CRLF line ends, also after the last line, without dot-stuffing.
    :param message_id: its Message-ID, for the result.
    :param dsn: notifications to request if the server offers DSN.
    :param utf8_header: whether a header field is in UTF-8, which needs SMTPUTF8 like a non-ASCII address.
    :param require_tls: whether every hop must use verified TLS (RFC 8689); otherwise the message is not sent.
    :raises ValueError: no recipient, a forbidden character in an address, or content that does not end with CRLF.
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
                raise ValueError(
                    f"{address!r} is not a valid address: it contains a control character or an angle bracket"
                )
        if not self.content.endswith(b"\r\n"):
            raise ValueError("the content of a message must end with CRLF")

    @property
    def is_8bit(self) -> bool:
        """Whether the content needs 8BITMIME (RFC 6152)."""
        return not self.content.isascii()

    @property
    def needs_smtputf8(self) -> bool:
        """Whether an address or a header field is not ASCII (RFC 6531 section 3.4)."""
        return self.utf8_header or not "".join((self.sender, *self.recipients)).isascii()


class RecipientResult(t.NamedTuple):
    """The result of a message for one recipient.

    :param stage: the stage that decided the status.
    :param problem: a sentence, empty if the message was sent.
    """

    address: str
    status: DeliveryStatus
    stage: Stage
    reply: Reply | None = None
    problem: str = ""

    @classmethod
    def from_dict(cls, form: t.Mapping[str, t.Any]) -> RecipientResult:
        """Return the result from the dictionary of :meth:`to_dict`."""
        reply = Reply(form["code"], (form["text"],)) if form["code"] else None
        return cls(form["address"], DeliveryStatus(form["status"]), Stage(form["stage"]), reply, form["problem"])

    def to_dict(self) -> dict[str, t.Any]:
        """Return the dictionary that a module returns."""
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
    """The result of one message.

    :param size: octets of the content.
    :param attempts: how many times it was tried.
    :param number: its index among the messages of a pool, from 0.
    """

    message_id: str
    size: int
    recipients: tuple[RecipientResult, ...]
    attempts: int = 1
    number: int = 0

    def having(self, status: DeliveryStatus) -> tuple[RecipientResult, ...]:
        """Return the recipients with this status."""
        return tuple(recipient for recipient in self.recipients if recipient.status is status)

    @property
    def queue_id(self) -> str | None:
        """The server's ID of the message, if its reply has one."""
        for recipient in self.having(DeliveryStatus.SENT):
            match = _QUEUE_ID.search(recipient.reply.text) if recipient.reply else None
            if match:
                return match.group(1)
        return None

    @classmethod
    def from_dict(cls, form: t.Mapping[str, t.Any]) -> DeliveryResult:
        """Return the result from the dictionary of :meth:`to_dict`."""
        recipients = tuple(map(RecipientResult.from_dict, form["recipients"]))
        return cls(form["message_id"], form["size"], recipients, form["attempts"], form["index"])

    def to_dict(self) -> dict[str, t.Any]:
        """Return the dictionary that a module returns."""
        return {
            "index": self.number,
            "message_id": self.message_id,
            "size": self.size,
            "queue_id": self.queue_id,
            "attempts": self.attempts,
            "recipients": [recipient.to_dict() for recipient in self.recipients],
        }


class SessionInfo(t.NamedTuple):
    """The facts of one session.

    :param seconds: since the start of the connection.
    :param messages: how many received a reply to the end of data, positive or negative.
    """

    server: str
    address: str
    tls: TlsInfo | None
    mechanism: str | None
    messages: int
    round_trips: int
    seconds: float

    def to_dict(self) -> dict[str, t.Any]:
        """Return the dictionary that a module returns."""
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
