# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of evidence of kind ``proof``: logins that were tried, and messages that were sent and followed.

One document holds what one host did to one server. Its collector gathers, as far as the accounts that it was given
allow:

- **logins**: for each listener that takes logins, one attempt of each :class:`Attempt`. ``RIGHT``: the right password,
  then MAIL and RCPT with an address of the user. ``OTHER_SENDER``: the same with an address of another user.
  ``WRONG_PASSWORD`` and ``UNKNOWN_USER``: the login alone, each once, since servers count refused logins. ``NO_LOGIN``:
  MAIL and RCPT without a login, to a recipient elsewhere. :func:`login_proof` makes one of what ``smtp_info`` returns.
- **recipients**: on port 25 of a host that takes mail from strangers, the reply to RCPT for postmaster and abuse in
  each domain, without a login: ``recipient`` of ``smtp_info``.
- **messages**: one through each way in (each listener, and the command sendmail), with a nonce of its own in the
  subject. Its queue ID is that of the server's reply, its ``hops`` those of ``postfix_info`` with ``trace``. If a
  mailbox is given, it looks there for the nonce until the message has arrived, or its time is over: ``arrived`` is then
  true or false, and ``arrival`` what ``arrived.py`` reads in the headers. Only headers are fetched, and none is kept.
- **a bounce** (``returns``): a message to an address that does not exist, whose notification must come back to the
  mailbox of the sender. ``arrived`` is then about the notification.

What was not asked is None. What was asked and is not known is None as well, with an :class:`Unknown` whose path is such
as ``logins[0].login`` or ``messages[2].arrived``: a mailbox that could not be read never shows that mail is missing.
"""

from __future__ import annotations

import dataclasses
import enum

from .document import Evidence, Moment, Unknown, fact
from .proof_arrival import ArrivalFacts
from .smtp import SmtpFacts
from .smtp_answer import AnswerFacts


class Attempt(str, enum.Enum):
    """What was tried at a listener."""

    RIGHT = "right"
    WRONG_PASSWORD = "wrong password"
    UNKNOWN_USER = "unknown user"
    NO_LOGIN = "no login"
    OTHER_SENDER = "sender of another"


@dataclasses.dataclass(frozen=True)
class LoginProof:
    """One attempt to log in, or to send without a login."""

    port: int = fact("The port of the listener.")
    attempt: Attempt = fact(
        "right: the right password and an address of the user. wrong password. unknown user. no login: a message"
        " without a login. sender of another: the right password, and the address of another user."
    )
    user: str | None = fact("The user name; null without a login.", default=None)
    sender: str | None = fact("The sender in MAIL; null if none was tried.", default=None)
    address: str | None = fact("The address of the server that was used.", default=None)
    login: AnswerFacts | None = fact("The final reply to the login.", default=None)
    mail: AnswerFacts | None = fact(
        "The reply to RCPT after MAIL with the sender, or to MAIL if that was refused. Null if none was tried.",
        default=None,
    )


@dataclasses.dataclass(frozen=True)
class RecipientProof:
    """An address that strangers must be able to write to, such as postmaster."""

    port: int = fact("The port of the listener.")
    recipient: str = fact("The address.")
    answer: AnswerFacts | None = fact("The reply to RCPT without a login.", default=None)


@dataclasses.dataclass(frozen=True)
class HopTls:
    """TLS of a delivery to the next server."""

    protocol: str = fact("Such as TLSv1.3.")
    cipher: str = fact("The cipher suite.")
    certificate: str = fact("verified (authority and name), trusted (authority only), untrusted or anonymous.")


@dataclasses.dataclass(frozen=True)
class HopFacts:
    """One delivery attempt in the log of the host, as postfix_info returns it."""

    queue_id: str = fact("The queue ID of the message at this hop.")
    recipient: str = fact("The recipient. Empty if it concerns the whole message, such as held.")
    status: str = fact("sent, deferred, bounced, or another status that Postfix logs.")
    relay: str = fact("The next server, or none.")
    dsn: str = fact("The enhanced status code. Empty without an attempt.")
    text: str = fact("The reply of the next server, or the error of Postfix.")
    next_queue_id: str = fact("The queue ID on the next server. Empty if its reply names none.", default="")
    notification_id: str = fact("The queue ID of the notification of the sender. Empty if there is none.", default="")
    tls: HopTls | None = fact("The TLS of the connection; null where Postfix logged none.", default=None)


@dataclasses.dataclass(frozen=True)
class MessageProof:
    """One message that was sent and followed."""

    port: int | None = fact("The port through which it was sent; null for the command sendmail.")
    user: str | None = fact("The user name of the login; null without a login.")
    sender: str = fact("The sender of the envelope.")
    author: str = fact("The address in From.")
    recipient: str = fact("The recipient.")
    nonce: str = fact("The word in its subject by which it was looked for.")
    sent_at: Moment = fact("When it was sent, in UTC (RFC 3339).")
    returns: bool = fact("Whether the recipient does not exist, so that a notification must return.", default=False)
    address: str | None = fact("The address of the server that was used.", default=None)
    accepted: bool | None = fact("Whether the server took responsibility for it.", default=None)
    answer: AnswerFacts | None = fact("The reply to the message, or to the command that was refused.", default=None)
    queue_id: str | None = fact("The queue ID on the host.", default=None)
    hops: tuple[HopFacts, ...] | None = fact(
        "The last attempt for each recipient under each queue ID. Null if it was not followed.", default=None
    )
    mailbox: str | None = fact("The server whose mailbox was looked in; null if none was.", default=None)
    authserv_id: str | None = fact(
        "The name with which its receiver writes Authentication-Results, if it was given.", default=None
    )
    waited_seconds: float | None = fact("For how long it was looked for.", default=None)
    arrived: bool | None = fact(
        "Whether it was found in the mailbox; of a message that returns, whether the notification was.", default=None
    )
    arrival_milliseconds: float | None = fact("Time from sending to finding it.", default=None)
    arrival: ArrivalFacts | None = fact("What its headers say of its way, if it arrived.", default=None)


@dataclasses.dataclass(frozen=True)
class ProofFacts:
    """What became of logins and of messages."""

    host: str = fact("The server as the task names it.")
    logins: tuple[LoginProof, ...] | None = fact("The logins that were tried.", default=None)
    recipients: tuple[RecipientProof, ...] | None = fact(
        "Whether mail to addresses that every domain needs is accepted.", default=None
    )
    messages: tuple[MessageProof, ...] | None = fact("The messages that were sent.", default=None)


def login_proof(
    attempt: Attempt, evidence: Evidence[SmtpFacts], user: str | None, sender: str | None, place: int
) -> tuple[LoginProof, list[Unknown]]:
    """What ``smtp_info`` shows of an attempt, and what is not known of it. The task has this login, or none.

    The task of every attempt but a wrong login needs a recipient: most servers refuse senders and strangers at RCPT.

    :param place: the place of the attempt in ``logins``, for the paths of what is not known.
    :raises ValueError: the server is a Unix socket.
    """
    facts = evidence.facts
    if facts.port is None:
        raise ValueError("a Unix socket takes no logins; expected a port")
    mail = facts.sender if facts.sender and facts.sender.code >= 500 else facts.recipient
    proof = LoginProof(
        facts.port, attempt, user, sender, facts.address, facts.login.answer if facts.login else None, mail
    )
    reasons: dict[str, str] = {}
    for one in evidence.unknown:
        if one.path in _PATHS:
            reasons.setdefault(_PATHS[one.path], one.reason)
    return proof, [
        Unknown(f"logins[{place}].{name}", reason) for name, reason in reasons.items() if not getattr(proof, name)
    ]


#: Which facts of ``smtp`` tell of an attempt.
_PATHS = {"login": "login", "sender": "mail", "recipient": "mail"}
