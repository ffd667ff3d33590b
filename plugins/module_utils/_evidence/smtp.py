# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of evidence of kind ``smtp``: what a server says over SMTP, in the order of a session.

A reply of class 4yz says that the server cannot tell now, so the fact that was asked for is unknown; a reply of class
2yz or 5yz is a fact. No fact holds a secret or the content of a message.
"""

from __future__ import annotations

import dataclasses
import enum

from .certificate import CertificateFacts
from .document import fact
from .smtp_answer import AnswerFacts
from .smtp_probes import SmtpProbes


class Reach(str, enum.Enum):
    """What became of a TCP connection."""

    OPEN = "open"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FILTERED = "filtered"
    NO_ROUTE = "no route"
    NOT_TRIED = "not tried"


@dataclasses.dataclass(frozen=True)
class ReachFacts:
    """One TCP connection to one address."""

    address: str = fact("The address that was tried.")
    port: int = fact("The port that was tried.")
    state: Reach = fact(
        "open: accepted. refused: nothing listens there, or a packet filter rejects. unreachable: a router or a packet"
        " filter answered that the address cannot be reached. filtered: no answer. no route: this host has no way to"
        " the address. not tried: the limit of connections was reached."
    )
    source: str = fact("The address of this host that was used. Empty without a route.", default="")
    detail: str = fact("What the system said of a connection that was not accepted.", default="")
    milliseconds: float | None = fact("Time until the answer; null without one.", default=None)


@dataclasses.dataclass(frozen=True)
class EhloFacts:
    """What the server offers in one reply to EHLO."""

    answer: AnswerFacts = fact("The reply.")
    extensions: dict[str, tuple[str, ...]] = fact("The extensions by EHLO keyword, each with its parameters.")
    auth_mechanisms: tuple[str, ...] = fact("The login mechanisms, in the server's order.", default=())
    max_size: int | None = fact("The largest message in octets, if the server gives a limit.", default=None)


@dataclasses.dataclass(frozen=True)
class TlsFacts:
    """The TLS of the connection, and the certificate with which the server proves its identity."""

    began: str = fact("How it begins: implicit or starttls.")
    accepted: bool = fact("Whether the certificate met the options of the task: authorities, name, pins.")
    verified: bool = fact("Whether it was verified; not with validate_certs: false, nor for a server on this host.")
    refusal: str = fact("Why it was not accepted. Empty if it was.")
    version: str = fact("The TLS version.")
    cipher: str = fact("The cipher suite.")
    chain: tuple[CertificateFacts, ...] = fact("The certificates that the server sends, its own first.")
    chain_length: int | None = fact(
        "How many certificates it sends, of which the chain lists at most the first ten; null if only its own is known."
    )
    milliseconds: float = fact("Time of the handshake.")


@dataclasses.dataclass(frozen=True)
class LoginFacts:
    """One attempt to log in."""

    accepted: bool = fact("Whether the server accepted it.")
    mechanism: str | None = fact("The mechanism that was used; null if it is not known.")
    answer: AnswerFacts = fact("The final reply.")


@dataclasses.dataclass(frozen=True)
class MessageFacts:
    """The test message."""

    accepted: bool = fact("Whether the server took responsibility for it.")
    queue_id: str | None = fact("The server's queue ID, if its reply has one.")
    answer: AnswerFacts = fact("The reply to the end of the message, or to the command that was refused before it.")


@dataclasses.dataclass(frozen=True)
class SmtpFacts:
    """What a server says over SMTP."""

    host: str = fact("The server as the task names it: its host, or the path of a Unix socket.")
    port: int | None = fact("Its port; null for a Unix socket.")
    addresses: tuple[str, ...] | None = fact("The addresses of the name; empty if the name does not exist.")
    resolving_milliseconds: float | None = fact("Time to resolve the name.", default=None)
    connections: tuple[ReachFacts, ...] | None = fact("A connection to the port at each address.", default=None)
    address: str | None = fact("The address with which the rest of the conversation took place.", default=None)
    greeting: AnswerFacts | None = fact("The first reply of the server.", default=None)
    tls_at_once: bool | None = fact(
        "Whether TLS begins with the first byte, tried if no greeting came in clear.", default=None
    )
    ehlo: EhloFacts | None = fact("What it offers before TLS.", default=None)
    starttls: AnswerFacts | None = fact("The reply to STARTTLS.", default=None)
    tls: TlsFacts | None = fact("TLS and the certificate.", default=None)
    ehlo_in_tls: EhloFacts | None = fact("What it offers in TLS.", default=None)
    login: LoginFacts | None = fact("The login of the task.", default=None)
    wrong_login: LoginFacts | None = fact("A login with a random password.", default=None)
    sender: AnswerFacts | None = fact(
        "The reply to MAIL with the sender of the task, or to RCPT if that refuses the sender.", default=None
    )
    recipient: AnswerFacts | None = fact("The reply to RCPT with the recipient of the task.", default=None)
    message: MessageFacts | None = fact("The test message.", default=None)
    other_ports: tuple[ReachFacts, ...] | None = fact(
        "Connections to other ports for mail, tried if no address accepted one to the port of the task.", default=None
    )
    firewall_refuses: tuple[str, ...] | None = fact(
        "Chains of this host's packet filter that refuse the connection for certain, read if no address accepted one;"
        " empty if none does.",
        default=None,
    )
    probes: SmtpProbes | None = fact("The active tests that were asked for.", default=None)
    connections_made: int = fact("How many connections were made to the port of the task.", default=0)
