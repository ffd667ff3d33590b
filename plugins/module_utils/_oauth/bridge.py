# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge: an LMTP server for one client, Postfix, that passes each message on to a provider with an OAuth2 login.

It keeps nothing: Postfix has the queue, the retries and the log, and each recipient gets the provider's own reply.
Until a message begins, every failure is temporary, so that mail waits. Commands that arrive after a failure, such as
the rest of a thousand recipients, get the same reply.
"""

from __future__ import annotations

import typing as t

from .._smtp.errors import CommandRefused, SmtpError, Stage
from .._smtp.passing import PassedTransaction
from .._smtp.reply import Reply
from .lmtp import ClientGone, LmtpClient, verb_of
from .upstream import BridgeConfig, Log, Refused, Upstream, wants_login

#: Verbs of a transaction, which a client may send as one group.
_STAGES: t.Mapping[bytes, Stage] = {b"MAIL": Stage.MAIL, b"RCPT": Stage.RCPT, b"DATA": Stage.DATA}
#: Extensions of the provider that pass through the bridge unchanged.
_PASSED = ("SIZE", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS")
_OWN = ("PIPELINING", "ENHANCEDSTATUSCODES")

_OK = Reply(250, ("2.0.0 Ok",))
_NO_MAIL = Reply(503, ("5.5.1 MAIL first",))
_NO_LHLO = Reply(503, ("5.5.1 LHLO first",))
_SECOND_MAIL = Reply(503, ("5.5.1 The sender is already given",))

Group = list[tuple[Stage, bytes]]


class Bridge:
    """One conversation with the client.

    :param log: takes a line for each failure of the provider, without secrets.
    """

    def __init__(self, config: BridgeConfig, client: LmtpClient, log: Log) -> None:
        self._config = config
        self._client = client
        self._log = log
        self._upstream = Upstream(config, log)
        self._greeted = False
        self._used = False  # a transaction has ended in the current session
        self._transaction: PassedTransaction | None = None
        self._without = _NO_MAIL  # the reply to RCPT and DATA without a transaction: why there is none
        self._others: t.Mapping[bytes, t.Callable[[], Reply]] = {
            b"LHLO": self._hello,
            b"RSET": self._reset,
            b"NOOP": lambda: _OK,
            b"VRFY": lambda: Reply(252, ("2.1.5 Send some mail",)),
        }

    def run(self) -> None:
        """Serve the client until it quits or is gone."""
        name = self._config.settings.ehlo_name or "localhost"
        try:
            self._client.tell(Reply(220, (f"{name} LMTP bridge to {self._config.settings.server}",)))
            while self._serve(self._client.line()):
                pass
            self._client.tell(Reply(221, ("2.0.0 Bye",)))
        except ClientGone:
            if self._transaction and self._upstream.session:  # an incomplete message must not be ended by QUIT
                self._upstream.session.abandon()
        finally:
            self._upstream.close()

    def _serve(self, line: bytes) -> bool:
        """Answer a command, or a group of them; return whether the client may say more."""
        verb = verb_of(line)
        if verb == b"QUIT":
            return False
        if verb in _STAGES:
            self._serve_group(line)
        else:
            answer = self._others.get(verb)
            self._client.tell(answer() if answer else Reply(500, ("5.5.2 The bridge speaks LMTP (RFC 2033)",)))
        return True

    def _hello(self) -> Reply:
        """Announce what the provider offers, which is known only from a session."""
        self._drop_transaction()
        try:
            capabilities = self._upstream.ready().capabilities
        except Refused as refused:
            return refused.reply
        self._greeted = True
        name = self._config.settings.ehlo_name or "localhost"
        passed = (" ".join([one, *capabilities.keywords[one]]) for one in _PASSED if one in capabilities)
        return Reply(250, (name, *_OWN, *passed))

    def _reset(self) -> Reply:
        self._drop_transaction()
        return _OK

    def _drop_transaction(self) -> None:
        session = self._upstream.session
        if self._transaction and session and session.usable:
            try:
                reset = session.command("RSET", Stage.MAIL).positive
            except SmtpError:
                reset = False
            if not reset:
                self._upstream.close()
        self._transaction, self._without = None, _NO_MAIL

    # A transaction

    def _serve_group(self, line: bytes) -> None:
        """Pass on the commands that have arrived together; then the content, if the provider waits for it."""
        group: Group = []
        while line:
            group.append((_STAGES[verb_of(line)], line.rstrip(b"\r\n") + b"\r\n"))
            line = b"" if group[-1][0] is Stage.DATA else self._client.line_at_hand(_STAGES) or b""
        replies = self._ask(group)
        self._client.tell(*replies)
        if replies[-1].intermediate:
            self._pass_content()

    def _ask(self, group: Group) -> list[Reply]:
        """Return a reply to each command."""
        refusal = self._begin(group[0][0])
        if refusal:
            return [refusal] * len(group)
        replies: list[Reply] = []
        try:
            self._take(group, replies)
        except SmtpError as error:
            if replies or not self._may_repeat(group, error):
                return self._broken(group, replies, error)
            self._upstream.close()
            self._transaction, self._used = None, False
            return self._ask(group)
        return replies

    def _begin(self, stage: Stage) -> Reply | None:
        """Begin a transaction with MAIL, in a session that is logged in; return why that is not possible."""
        if stage is not Stage.MAIL:
            return None if self._transaction else self._without
        if not self._greeted or self._transaction:
            return _SECOND_MAIL if self._transaction else _NO_LHLO
        before = self._upstream.session
        try:
            session = self._upstream.ready()
        except Refused as refused:
            self._without = refused.reply
            return refused.reply
        self._used = self._used and session is before
        self._transaction = PassedTransaction(session)
        return None

    def _take(self, group: Group, replies: list[Reply]) -> None:
        transaction = t.cast(PassedTransaction, self._transaction)
        for (stage, _command), reply in zip(group, transaction.ask(group)):
            if wants_login(reply):
                raise CommandRefused(
                    "the session is not logged in any more",
                    stage=stage,
                    server=self._config.settings.server,
                    reply=reply,
                )
            replies.append(reply)
            if stage is Stage.MAIL and not reply.positive:
                self._transaction, self._without = None, reply  # the commands behind it are still answered

    def _may_repeat(self, group: Group, error: SmtpError) -> bool:
        """Whether the provider only ended a session between two messages, as it may at any time."""
        return self._used and group[0][0] is Stage.MAIL and error.temporary

    def _broken(self, group: Group, replies: list[Reply], error: SmtpError) -> list[Reply]:
        """End the session; all commands without a reply get the failure."""
        answer = self._without = self._upstream.answer(error)
        self._end_session()
        return [*replies, *[answer] * (len(group) - len(replies))]

    def _end_session(self) -> None:
        session = self._upstream.session
        if session:
            session.abandon()
        self._upstream.close()
        self._transaction = None

    def _pass_content(self) -> None:
        """Pass on the content, and tell the reply to it once for each recipient that was accepted."""
        transaction = t.cast(PassedTransaction, self._transaction)
        pieces = self._client.content()
        try:
            reply = transaction.pass_content(pieces)
        except SmtpError as error:
            for _piece in pieces:  # the client listens only at the end
                pass
            reply = self._upstream.answer(error, decided=True)
            self._end_session()
        self._transaction, self._used = None, True
        self._client.tell(*[reply] * transaction.accepted)
