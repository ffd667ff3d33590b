# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe one smtpd of a canary over SMTP, as a client from outside would."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._smtp.capabilities import Capabilities
from .._smtp.connection import Connection, connect
from .._smtp.errors import ConnectFailed, SmtpError, Stage, TlsFailed
from .._smtp.settings import ServerSettings
from .._smtp.tls import TlsMode, TlsPolicy

if t.TYPE_CHECKING:
    from .._smtp.reply import Reply

#: A domain that cannot exist (RFC 6761 section 6.4).
FOREIGN = "mailops-canary.invalid"

#: Seconds for one reply: on a busy host, a process is slow to start.
_TIMEOUT = 25.0
#: Codes with which smtpd rejects the command XCLIENT. With any other code it rejects the outside client.
_NO_STRANGER = (501, 502, 503, 530, 550)


@dataclass
class Conversation:
    """The results of probing one smtpd.

    :ivar greeted: whether the server sent a greeting.
    :ivar login_in_clear: the AUTH line of the reply to EHLO before TLS; empty if there was none.
    :ivar tls_failure: the reason why TLS failed; empty if it succeeded or was not offered.
    :ivar unasked: the reply that rejected the command XCLIENT; empty if none did.
    :ivar relayed: the commands and the reply with which the server agreed to relay; empty if it did not.
    """

    greeted: bool = False
    login_in_clear: str = ""
    tls_failure: str = ""
    unasked: str = ""
    relayed: str = ""


def converse(socket: str, implicit_tls: bool, outsider: str, own_names: t.Sequence[str]) -> Conversation:
    """Probe one smtpd.

    :param socket: the Unix socket on which it listens.
    :param implicit_tls: whether TLS starts with the first byte.
    :param outsider: the client address to claim, in the form of XCLIENT; empty to wait for the greeting only.
    :param own_names: the server's own domains, its host name first. An outside client may use them as sender.
    """
    tls = TlsPolicy(mode=TlsMode.IMPLICIT if implicit_tls else TlsMode.NONE, verify=False)
    settings = ServerSettings("localhost", tls=tls, unix_socket=socket, connect_timeout=_TIMEOUT, timeout=_TIMEOUT)
    conversation = Conversation()
    try:
        connection = connect(settings)
    except ConnectFailed:
        return conversation
    try:
        _Talk(connection, tls, conversation).run(outsider, own_names)
    except TlsFailed as error:
        conversation.tls_failure = str(error.problem)
    except SmtpError as error:
        if error.stage is Stage.TLS:
            conversation.tls_failure = str(error.problem)
    finally:
        connection.close()
    return conversation


class _Talk:
    def __init__(self, connection: Connection, tls: TlsPolicy, conversation: Conversation) -> None:
        self._connection = connection
        self._tls = tls
        self._conversation = conversation

    def run(self, outsider: str, own_names: t.Sequence[str]) -> None:
        """Hold the conversation.

        :raises SmtpError: the session failed; the results up to then are kept.
        """
        if self._tls.mode is TlsMode.IMPLICIT:
            self._connection.start_tls(self._tls, "localhost", Stage.TLS)
        self._connection.read_reply(Stage.GREETING)
        self._conversation.greeted = True
        if not outsider:
            return
        capabilities = self._ehlo("localhost")
        if "AUTH" in capabilities and self._connection.tls is None:
            self._conversation.login_in_clear = " ".join(["AUTH", *capabilities.auth_mechanisms])
        if "STARTTLS" in capabilities:
            reply = self._say("STARTTLS", Stage.STARTTLS)
            if reply.positive:
                self._connection.start_tls(self._tls, "localhost", Stage.TLS)
                self._ehlo("localhost")
            else:
                self._conversation.tls_failure = str(reply)
        reply = self._say(f"XCLIENT NAME=canary.{FOREIGN} ADDR={outsider}", Stage.EHLO)
        if reply.positive:
            self._ehlo(f"[{outsider}]")
            self._try_relaying(own_names)
        elif reply.code in _NO_STRANGER:
            self._conversation.unasked = str(reply)

    def _try_relaying(self, own_names: t.Sequence[str]) -> None:
        for sender in ("", *(f"postmaster@{name}" for name in own_names), f"sender@{FOREIGN}"):
            for recipient in (f"postmaster@{own_names[0]}", f"recipient@{FOREIGN}"):
                self._say(f"MAIL FROM:<{sender}>", Stage.MAIL)
                command = f"RCPT TO:<{recipient}>"
                reply = self._say(command, Stage.RCPT)
                if reply.positive and recipient.endswith(FOREIGN):
                    self._conversation.relayed = f"MAIL FROM:<{sender}>, {command}: {reply}"
                self._say("RSET", Stage.MAIL)

    def _ehlo(self, name: str) -> Capabilities:
        reply = self._say(f"EHLO {name}", Stage.EHLO)
        return Capabilities.parse(reply)

    def _say(self, line: str, stage: Stage) -> Reply:
        self._connection.send(line.encode("ascii") + b"\r\n", stage)
        return self._connection.read_reply(stage)
