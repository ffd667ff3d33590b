# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of active tests of an SMTP server: what it did when a client tried what it should not allow.

A reply of class 4yz, a 421 and silence say nothing: the fact is then unknown.
"""

from __future__ import annotations

import dataclasses
import enum

from .certificate import CertificateFacts
from .document import fact
from .smtp_answer import AnswerFacts


class RelayOutcome(str, enum.Enum):
    """What the server did with one way to relay."""

    REFUSED = "refused"
    AUTHENTICATION_REQUIRED = "authentication_required"
    ACCEPTED = "accepted_at_rcpt"
    CONFIRMED = "confirmed"


@dataclasses.dataclass(frozen=True)
class RelayVariantFacts:
    """One way to relay through the server."""

    number: int = fact("The number of the variant; 1 to 16 as nmap has them.")
    name: str = fact("What is special about it.")
    sender: str = fact("The reverse path in MAIL.")
    recipient: str = fact("The forward path in RCPT.")
    outcome: RelayOutcome | None = fact(
        "refused by a reply; authentication_required: by a 530; accepted_at_rcpt, which proves nothing yet; confirmed:"
        " a message with the nonce was accepted and has arrived. Null if it is not known."
    )
    answer: AnswerFacts | None = fact("The reply that decided at MAIL or RCPT.", default=None)
    end_of_data: AnswerFacts | None = fact("The reply to the message, if one was sent.", default=None)
    nonce: str | None = fact("The nonce in the subject of the message, if one was sent.", default=None)
    arrived: bool | None = fact("Whether the message has arrived; null if it was not looked for.", default=None)


@dataclasses.dataclass(frozen=True)
class RelayFacts:
    """The open-relay variants, tried without a login."""

    mail: AnswerFacts = fact("The reply to MAIL FROM:<>, which shows that the server serves this client.")
    local: AnswerFacts | None = fact(
        "The reply to RCPT for a recipient of the server itself. If it is refused as well, the refusals of the variants"
        " may be refusals of this client."
    )
    variants: tuple[RelayVariantFacts, ...] = fact("The variants, in the order of their numbers.")


class SmugglingOutcome(str, enum.Enum):
    """What the server made of a false end of data."""

    REFUSED = "refused"
    ENDED = "ended_the_data"
    SWALLOWED = "taken_as_text"


@dataclasses.dataclass(frozen=True)
class SmugglingFacts:
    """One message with a false end of data, behind which a second message hides (CVE-2023-51764)."""

    sequence: str = fact("The false end of data, with CR as \\r, LF as \\n and NUL as \\0.")
    outcome: SmugglingOutcome | None = fact(
        "refused: the message was refused. ended_the_data: the server answered commands behind the sequence, so there"
        " were more replies than to a right message. taken_as_text: it gave one reply to all. Null if it is not known."
    )
    answer: AnswerFacts | None = fact("The reply to the message.", default=None)
    replies: int | None = fact("How many replies followed the content.", default=None)
    queue_ids: tuple[str, ...] = fact("The queue IDs in these replies.", default=())
    nonce: str | None = fact("The nonce in the subject of the second message.", default=None)
    arrived: bool | None = fact(
        "Whether the second message has arrived as a message of its own; null if it was not looked for.", default=None
    )


@dataclasses.dataclass(frozen=True)
class HandshakeFacts:
    """What the server answered to one ClientHello."""

    offered: str = fact("What the ClientHello offered, such as TLSv1.2 NULL EXPORT RC4 3DES ANON.")
    version: str | None = fact("The version that the server chose; null if it refused.", default=None)
    cipher: str | None = fact("The cipher suite that it chose.", default=None)
    group: str | None = fact(
        "The group of the key exchange, or the size of DH, as far as it is in clear.", default=None
    )
    signature: str | None = fact("The signature scheme of the key exchange, as far as it is in clear.", default=None)
    refusal: str | None = fact("How it refused: the TLS alert, or that it closed the connection.", default=None)
    milliseconds: float = fact("Time from the ClientHello to the answer.", default=0.0)


@dataclasses.dataclass(frozen=True)
class TlsVersionFacts:
    """One TLS version."""

    version: str = fact("Such as TLSv1.2.")
    accepted: bool | None = fact("Whether the server accepts it; null if it is not known.")
    weak: dict[str, bool | None] = fact(
        "Whether the server accepts a cipher suite of each group: NULL, EXPORT, RC4, 3DES, ANON, CBC. Null if it is not"
        " known; empty for a version that it does not accept."
    )


@dataclasses.dataclass(frozen=True)
class TlsOfferFacts:
    """The TLS versions and cipher suites that the server accepts, asked for without a TLS library."""

    versions: tuple[TlsVersionFacts, ...] = fact("The versions, oldest first.")
    handshakes: tuple[HandshakeFacts, ...] = fact("The answers from which this is known.")
    certificate: CertificateFacts | None = fact(
        "The certificate, if it was sent in clear, as TLS 1.2 and older versions do.", default=None
    )


@dataclasses.dataclass(frozen=True)
class CommandFacts:
    """One command that a client has no need of."""

    command: str = fact("The line that was sent.")
    offered: bool = fact("Whether the reply to EHLO offers it.")
    usable: bool | None = fact(
        "Whether the server did as told; VRFY also if it tells an unknown user from one that exists. Null if the reply,"
        " such as 252, leaves that open."
    )
    answer: AnswerFacts = fact("The reply.")


@dataclasses.dataclass(frozen=True)
class SizeFacts:
    """The limit for the size of a message (RFC 1870)."""

    offered: int | None = fact("The limit in the reply to EHLO, in octets; null without one.")
    answer: AnswerFacts | None = fact(
        "The reply to MAIL with a size of one octet more; 552 is right. Null without a limit.", default=None
    )


@dataclasses.dataclass(frozen=True)
class BannerFacts:
    """What the greeting tells of the software."""

    answer: AnswerFacts = fact("The greeting.")
    name: str = fact("The host name in it.")
    products: tuple[str, ...] = fact("Names of products in it.")
    versions: tuple[str, ...] = fact("Version numbers in it.")


@dataclasses.dataclass(frozen=True)
class ClearAuthFacts:
    """AUTH before TLS (RFC 4954 section 4)."""

    mechanisms: tuple[str, ...] = fact("The mechanisms offered before TLS; empty is right where TLS can be had.")
    answer: AnswerFacts = fact("The reply to AUTH PLAIN without a login; a 334 would take a password in clear.")


@dataclasses.dataclass(frozen=True)
class InjectionFacts:
    """Commands in clear behind STARTTLS, as an attacker would inject them (CVE-2011-0411, RFC 3207 section 4.2)."""

    starttls: AnswerFacts = fact("The reply to STARTTLS with NOOP in the same segment.")
    answered_in_clear: AnswerFacts | None = fact("A reply to the injected command before TLS.", default=None)
    answered_in_tls: bool | None = fact(
        "Whether the injected command was answered inside TLS, which is the fault. Null if there was no TLS to see it.",
        default=None,
    )
    refusal: str | None = fact("How the handshake ended, if it failed.", default=None)
    mail_without_ehlo: AnswerFacts | None = fact(
        "The reply to MAIL in TLS before a new EHLO; 503 shows that the server forgot what was said in clear.",
        default=None,
    )


@dataclasses.dataclass(frozen=True)
class EarlyTalkFacts:
    """A client that speaks before the greeting."""

    greeting: AnswerFacts = fact("The greeting, or the refusal in its place.")
    answer: AnswerFacts | None = fact("The reply to the EHLO sent before the greeting; null if the server closed.")


@dataclasses.dataclass(frozen=True)
class LoginReplyFacts:
    """A wrong password for a user that exists, and one for a user that does not, each once."""

    wrong_password: AnswerFacts | None = fact("The reply for the user of the task; null if none is known.")
    unknown_user: AnswerFacts = fact("The reply for a random user.")
    same: bool | None = fact("Whether code and words are the same; null if only one was tried.")


@dataclasses.dataclass(frozen=True)
class LimitFacts:
    """How often something could be done until the server objected."""

    done: int = fact("How often the server allowed it.")
    tried: int = fact("How often it was tried at most.")
    answer: AnswerFacts | None = fact("The reply with which the server objected; null if it did not.", default=None)
    closed: bool = fact("Whether the server closed the connection.", default=False)
    milliseconds: float = fact("How long all attempts took.", default=0.0)


@dataclasses.dataclass(frozen=True)
class RateFacts:
    """Limits, looked for by a bounded number of quick attempts."""

    connections: LimitFacts = fact("Connections open side by side.")
    transactions: LimitFacts | None = fact("MAIL and RSET in turn, as limits of messages count them.", default=None)
    errors: LimitFacts | None = fact("Unknown commands.", default=None)


@dataclasses.dataclass(frozen=True)
class SmtpProbes:
    """What the active tests found; a test that was not asked for is null."""

    banner: BannerFacts | None = fact("What the greeting tells of the software.", default=None)
    auth_before_tls: ClearAuthFacts | None = fact("AUTH before TLS.", default=None)
    commands: tuple[CommandFacts, ...] | None = fact("VRFY, EXPN, ETRN, XCLIENT and others.", default=None)
    size: SizeFacts | None = fact("The limit for the size of a message.", default=None)
    injection: InjectionFacts | None = fact("Commands in clear behind STARTTLS.", default=None)
    relay: RelayFacts | None = fact("The open-relay variants.", default=None)
    smuggling: tuple[SmugglingFacts, ...] | None = fact("The false ends of data.", default=None)
    login_replies: LoginReplyFacts | None = fact("Wrong password and unknown user.", default=None)
    tls: TlsOfferFacts | None = fact("TLS versions and weak ciphers.", default=None)
    early_talk: EarlyTalkFacts | None = fact("A client that speaks before the greeting.", default=None)
    rate: RateFacts | None = fact("Limits of connections, messages and errors.", default=None)
    connections: int = fact("How many connections the tests opened.", default=0)
