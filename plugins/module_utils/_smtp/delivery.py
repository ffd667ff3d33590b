# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The envelope that a session sends, and the results that it returns."""

from __future__ import annotations

import enum
import functools
import itertools
import re
import typing as t
from dataclasses import dataclass

from .errors import Stage
from .reply import ENHANCED, Reply

if t.TYPE_CHECKING:
    from .tls import TlsInfo

#: Characters that must not reach a command: CR and LF would start another one (RFC 5321 section 2.3.8).
_UNFIT = re.compile(r"[\x00-\x1f\x7f<>]")
#: The ID in a line of the reply to a message, most specific form first. The text is without code and enhanced code.
_QUEUE_IDS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"\benvid=([\w.-]+)",  # Alibaba DirectMail: Data Ok: queued as freedom ### envid=600000123
        r"\[InternalId=(\d+)",  # Exchange, Microsoft 365: <message ID> [InternalId=5368709120, Hostname=...] ...
        r"<([^<>\s]+)> \[Hostname=",  # Microsoft 365, submission: OK <message ID> [Hostname=...]
        r"<([^<>\s]+)> Queued mail for delivery",  # Windows SMTP service, old Exchange
        r"\bSESSIONID=<?([^\s<>]+)",  # Cyrus
        r"<[^<>\s]*> (\S+) Saved\b",  # Dovecot LMTP: <user@example.com> 8Gi6OvL7X1zwfQAA Saved
        r"queued on \S+ (?:as )?([\w.-]+)",  # Yandex: Ok: queued on mail-nwsmtp.yandex.net 1700000000-AbCdEf
        r"queued with id <?([^\s<>]+)",  # Stalwart
        r"queued as:? ?<?([^\s<>]+)",  # Postfix, Zimbra, SendGrid, Mailjet, Brevo, NetEase, and many more
        r"\bqueued \(([\w.-]+)\)",  # Haraka
        r"\bOk \(([\w.-]+)\)",  # Proxmox Mail Gateway
        r"\bReceived OK \[([^\]\s]+)\]",  # Mimecast
        # Exim, Mail.ru, 1&1, amavis, Oracle (iCloud), Sina, Ethereal: id=ID, [MSGID=ID], <Message-ID: ID>, (id ID)
        r"(?:\b|_|queue|mail|message|msg)id(?: ?[:=#] ?| )[<\"]?([^\s<>,;()\]\"]+)",
        r"\bqp (\d+)",  # qmail
        r"\A:? ?([\w.-]+) Message accepted for delivery",  # Sendmail, OpenSMTPD, Kerio, CommuniGate
        r"\bMessage <?([\w.@-]*\d[\w.@-]*)>? (?:accepted|queued|received)\b",  # Cisco Secure Email
        r"\bMessage (?:accepted|received)(?: as|:)? <?([\w.@-]*\d[\w.@-]*)",  # T-Online, James
        r"\AOk\b.* ([\w.-]+) - gsmtp",  # Gmail, also with a verdict: OK DMARC:Quarantine 1700000000 ID - gsmtp
        # Amazon SES, Courier, SparkPost, XMail: Ok <ID>
        r"\AOk[:,.]? (?:queued:? )?<?(?=\S*\d)([\w./@-]{6,})>?(?:\Z| (?:queued|accepted)\b)",
    )
)
#: A word that follows such a form, but is not an ID. The eight hexadecimal digits of OpenSMTPD may all be letters.
_NO_ID = re.compile(r"(?![0-9a-f]{8}\Z)[A-Z]?[a-z]{0,12}\Z|\d{1,2}\.\d{1,3}\Z")
#: Words about the number of recipients; servers use them with many codes.
_TOO_MANY = re.compile(
    r"too many (?:\w+ ){0,3}(?:recipients?|rcpts?|addressees|addresses)\b|too many rcpt\b|[(#][45]\.5\.3\b"
    r"|\b(?:recipients?|rcpts?)[ -](?:count |number )?(?:limit|maximum)\b|\brecipients exceed"
    r"|\b(?:maximum|max|limit|number)(?: allowed)?(?: number)?(?: of| on)? (?:\w+ )?(?:recipients|rcpts)\b"
    r"|\bonly (?:one|1) recipient\b|\b(?:one|single|1) recipient (?:at a time|per )",
    re.IGNORECASE,
)
#: Words of the other meaning of 452 and 552.
_STORAGE = re.compile(r"storage|quota|\bfull\b|space|\bsize|large|\bbig\b|disk|mailbox|allocation", re.IGNORECASE)


@functools.lru_cache(maxsize=256)  # servers without an ID repeat the same reply
def find_queue_id(reply: Reply) -> str | None:
    """Return the server's ID of a message, from its reply to the content; None if it has none."""
    texts = [ENHANCED.sub("", line) for line in reply.lines]
    for form, text in itertools.product(_QUEUE_IDS, texts):
        match = form.search(text)
        found = match.group(1).rstrip(".,;:") if match else ""
        labelled = match is not None and match.string[match.start(1) - 1] == "="
        if found and (labelled or not _NO_ID.match(found)):
            return found
    return None


def too_many_recipients(reply: Reply) -> bool:
    """Return whether a reply to RCPT refuses the number of recipients, so that another transaction may take this one.

    The code is 452, or 552 from the days of RFC 821 (RFC 5321 section 4.5.3.1.10), but both also stand for a full
    mailbox or disk, and servers use others. So X.5.3 decides (RFC 3463 section 3.6), else the words. A permanent
    refusal with another enhanced code, such as 5.7.1, is a policy that another transaction does not change.
    """
    about = reply.enhanced
    if about:
        number = about.endswith(".5.3")
        return number or ((reply.transient or reply.code == 552) and bool(_TOO_MANY.search(reply.text)))
    return bool(_TOO_MANY.search(reply.text)) or (reply.code == 452 and not _STORAGE.search(reply.text))


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
        replies = [one.reply for one in self.having(DeliveryStatus.SENT) if one.reply]
        return next(filter(None, map(find_queue_id, replies)), None)

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


class DeliveryObserver(t.Protocol):
    """Receives the progress of each message, such as to record it. An exception that it raises ends the session."""

    def begin(self, envelope: Envelope) -> None:
        """Called before the end of the message is sent; if this raises, the message is not sent."""

    def end(self, attempt: DeliveryResult) -> None:
        """Called with the result of the message."""


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
            "certificate_sha256": self.tls.certificate_sha256 if self.tls else None,
            "auth_mechanism": self.mechanism,
            "messages": self.messages,
            "round_trips": self.round_trips,
            "seconds": round(self.seconds, 3),
        }
