# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SMTP session: greeting, EHLO, TLS, EHLO, AUTH once, messages (RFC 5321 section 3, RFC 3207, 4954, 2920)."""

from __future__ import annotations

import functools
import time
import typing as t

from .capabilities import NO_EHLO, Capabilities
from .connection import Connection, connect
from .delivery import SessionInfo
from .errors import CommandRefused, ConnectionLost, NotOffered, SmtpError, Stage, TlsFailed
from .tls import TlsMode
from .transaction import Lookahead, MailTransaction

if t.TYPE_CHECKING:
    import mmap

    from .._sasl.credentials import Credentials
    from .delivery import DeliveryObserver, DeliveryResult, Envelope, RecipientResult
    from .reply import Reply
    from .settings import ServerSettings

#: Longest time to wait for the reply to QUIT, in seconds; all that matters is done by then.
_QUIT_TIMEOUT = 5.0
#: Reply of a server that ends the session, to any command (RFC 5321 section 3.8).
_CLOSING = 421


@t.final
class SmtpSession:
    """A session that is open within a ``with`` block.

    ::

        with SmtpSession(settings) as session:
            result = session.deliver(envelope)

    :param observer: receives the progress of each message.
    :param in_turn: one octet that the sessions of a task share: a session sets it to 1 if the server does not take
        commands ahead, and none of them sends any from then on.
    :param opener: opens the connection.
    :raises SmtpError: from ``with``, if the session cannot be opened as the settings require.
    """

    def __init__(
        self,
        settings: ServerSettings,
        observer: DeliveryObserver | None = None,
        in_turn: bytearray | mmap.mmap | None = None,
        opener: t.Callable[[ServerSettings], Connection] = connect,
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._in_turn = bytearray(1) if in_turn is None else in_turn
        self._opener = opener
        self._transaction_open = False
        self._messages = 0
        self._given_back: list[MailTransaction] = []
        self._ended_between_messages = False

    def __enter__(self) -> SmtpSession:
        self._began = time.monotonic()
        self._connection = self._opener(self._settings)
        try:
            self._mechanism = self._open()
        except BaseException:
            self._connection.close()
            raise
        self._tls = self._connection.tls
        return self

    @property
    def info(self) -> SessionInfo:
        """The facts of the session so far."""
        return SessionInfo(
            self._settings.server,
            self._connection.address,
            self._tls,
            self._mechanism,
            self._messages,
            self._connection.round_trips,
            time.monotonic() - self._began,
        )

    def __exit__(self, *_exception: object) -> None:
        """Send QUIT. Accepted messages stay accepted, whatever the reply (RFC 5321 section 4.1.1.10)."""
        try:
            if self._connection.usable:
                self._connection.timeout = min(_QUIT_TIMEOUT, self._settings.timeout)
                self.command("QUIT", Stage.QUIT)
        except SmtpError:
            pass
        finally:
            self._connection.close()

    @property
    def usable(self) -> bool:
        """Whether another message can be sent."""
        return self._connection.usable

    # Opening

    def _open(self) -> str | None:
        settings = self._settings
        if settings.tls.mode is TlsMode.IMPLICIT:
            self._connection.start_tls(settings.tls, settings.host, Stage.TLS)
        greeting = self._expect_positive(self._connection.read_reply(Stage.GREETING), Stage.GREETING)
        self._sends_ahead = settings.may_send_ahead(greeting.text)
        self._ehlo()
        if settings.tls.mode in (TlsMode.STARTTLS, TlsMode.OPPORTUNISTIC) and self._starttls():
            self._ehlo()
        if not settings.credentials:
            return None
        if self._connection.tls is None and not settings.allow_cleartext_login:
            raise NotOffered(
                "the server offers no TLS, and the login would travel in clear",
                stage=Stage.AUTH,
                server=settings.server,
                advice="Use a host or port with TLS, or remove username and the secret to send without a login.",
            )
        return self._login(settings.credentials)

    def _ehlo(self) -> None:
        verb = "LHLO" if self._settings.lmtp else "EHLO"
        name = self._settings.ehlo_name or self._connection.own_name
        reply = self.command(f"{verb} {name}", Stage.EHLO)
        if reply.code in NO_EHLO and not self._settings.lmtp:
            reply = self.command(f"HELO {name}", Stage.EHLO)._replace(lines=("",))
        self._expect_positive(reply, Stage.EHLO)
        unused = set(self._settings.ignore_extensions)
        if self._sends_ahead:  # only DATA, with its 354, shows that replies and commands are in step
            unused.add("CHUNKING")
        tls = self._connection.tls
        if tls and not tls.verified:  # RFC 8689 section 4.2.1
            unused.add("REQUIRETLS")
        self.capabilities = Capabilities.parse(reply).without(unused)
        self._pipelining = "PIPELINING" in self.capabilities

    def _starttls(self) -> bool:
        """Start TLS if the server offers it, and return whether the session continues in TLS."""
        if "STARTTLS" not in self.capabilities:
            if self._settings.tls.mode is TlsMode.OPPORTUNISTIC:
                return False
            raise TlsFailed(
                "STARTTLS is required, and the server does not offer it",
                stage=Stage.STARTTLS,
                server=self._settings.server,
                advice="Use the submission port 587, or port 465 with tls: implicit. For a relay on this host, set"
                " tls: opportunistic.",
            )
        self._expect_positive(self.command("STARTTLS", Stage.STARTTLS), Stage.STARTTLS)
        self._connection.start_tls(self._settings.tls, self._settings.host, Stage.STARTTLS)
        return True

    def _login(self, credentials: Credentials) -> str:
        from .login import Target, log_in

        settings = self._settings
        # servers repeat the same few replies, so each is scrubbed only once
        scrubbed = functools.lru_cache(maxsize=256)(lambda reply: reply.rewritten(credentials.scrub_text))
        self._connection.scrub = scrubbed
        # Python does not provide tls-exporter, the binding that servers prefer in TLS 1.3 (RFC 9266), and there is only
        # one attempt, so channel binding is used only if the user sets a -PLUS mechanism
        bound = (settings.auth_mechanism or "").upper().endswith("-PLUS")
        binding = self._connection.channel_binding if bound else None
        target = Target(settings.server, settings.host, settings.port, settings.auth_mechanism, binding)
        return log_in(
            lambda line: self.command(line, Stage.AUTH), self.capabilities.auth_mechanisms, credentials, target
        )

    # Messages

    def deliver(self, envelope: Envelope) -> DeliveryResult:
        """Send one message; a failure of the server or the network is in the result, not raised.

        A positive reply to the end of data makes each accepted recipient ``sent``. If the connection is lost before the
        end of data, the status is ``deferred``; between the end of data and its reply, ``unknown`` (RFC 5321 section
        4.2.5).
        """
        result = next(self.deliver_all([envelope]), None)
        return result or self._given_back[0].result()

    def deliver_all(self, envelopes: t.Iterable[Envelope]) -> t.Iterator[DeliveryResult]:
        """Send messages, yielding a result for each in turn; see :meth:`deliver`.

        The caller processes results and makes further messages while the server works: two messages are taken ahead,
        and a result is yielded when the next message is on its way. If the connection is lost, the iterator ends early
        and :attr:`untried` has the messages that were taken. With a server that takes it, the commands of the next
        message follow the content of the current one (RFC 2920 section 3.1), so that a message costs one round trip.
        """
        waiting = Lookahead(MailTransaction(one, self.capabilities, self._settings.server) for one in envelopes)
        done: list[DeliveryResult] = []
        ahead = False
        try:
            for current in waiting:
                on_its_way = self._start(current, ahead)
                if not on_its_way and self._ended_between_messages:
                    waiting.taken.appendleft(current)
                    break
                following = waiting.peek(1) if on_its_way and self._may_send_ahead(current) else None
                on_its_way = on_its_way and self._send_content(current, following)
                yield from done
                done = []
                waiting.peek(2)
                if on_its_way:
                    self._take_end(current, following)
                ahead = on_its_way and following is not None
                if self._observer:
                    self._observer.end(current.result())
                if current.unfinished and self._connection.usable and current.again(current.room):
                    waiting.taken.appendleft(current)
                    continue
                done = [current.result()]
                if not self._connection.usable:
                    break
        except Exception:
            yield from done
            raise
        self._given_back = [*waiting.taken]
        yield from done

    def _may_send_ahead(self, current: MailTransaction) -> bool:
        """Return whether the commands of the next message may follow this content; what is left of this one is next."""
        return self._sends_ahead and self._pipelining and not self._in_turn[0] and not current.unfinished

    @property
    def untried(self) -> list[Envelope]:
        """The messages that :meth:`deliver_all` took but did not try before the session ended."""
        return [transaction.envelope for transaction in self._given_back]

    def probe(self, envelope: Envelope) -> tuple[RecipientResult, ...]:
        """Check by MAIL and RCPT whether the server would accept this message, then reset.

        :returns: the recipients that it would not accept.
        :raises SmtpError: the session failed.
        """
        transaction = MailTransaction(envelope, self.capabilities, self._settings.server)
        while self._ask(transaction) and transaction.again(len(transaction.accepted)):
            pass
        return transaction.fallen_out

    def _ask(self, transaction: MailTransaction) -> bool:
        """Say the commands before DATA one by one, then reset; return whether any was said."""
        replies: list[Reply] = []
        for stage, command in transaction.commands:
            if stage is not Stage.DATA and (len(replies) != 1 or transaction.take(replies)):
                self._connection.send(command, stage)
                replies.append(self.read(stage))
        transaction.take(replies)
        if replies:
            self.command("RSET", Stage.MAIL)
        return bool(replies)

    def _start(self, transaction: MailTransaction, ahead: bool) -> bool:
        """Send the commands of a transaction, unless they were sent ahead, and read the replies.

        :returns: whether the server now waits for the content.
        """
        transaction.ahead = ahead
        try:
            if not self._connection.usable:
                raise ConnectionLost(
                    "the connection was lost before its turn", stage=Stage.MAIL, server=self._settings.server
                )
            if not ahead:
                self.expect_silence(Stage.MAIL)
            if self._transaction_open and not ahead:
                self.command("RSET", Stage.MAIL)
            if self._pipelining and not ahead:
                self._connection.send(transaction.group, Stage.MAIL)
            waiting = self._take_replies(transaction)
        except SmtpError as error:
            # a server may end a session at any time (RFC 5321 section 3.8), which does not count against this message
            between = error.stage is Stage.MAIL and error.temporary and self._messages > 0
            self._ended_between_messages = (between or ahead) and not transaction.decided
            if ahead:
                self._in_turn[0] = 1
            transaction.fail(error)
            return False
        if transaction.contradicted:
            self._in_turn[0] = 1
        return waiting

    def _take_replies(self, transaction: MailTransaction) -> bool:
        replies: list[Reply] = []
        try:
            for stage, command in transaction.commands:
                if not self._pipelining:
                    decides = len(replies) == 1 or stage is Stage.DATA  # MAIL, and whether a recipient is left
                    if decides and not transaction.take(replies):
                        break
                    self.expect_silence(stage)
                    self._connection.send(command, stage)
                self._transaction_open = True
                replies.append(self.read(stage))
        finally:
            waiting = transaction.take(replies)  # replies from before a lost connection still count
        if not waiting and replies and replies[-1].intermediate:
            if any(reply.positive for reply in replies[1:-1]):
                raise self._connection.violation("the server takes recipients without the sender", Stage.DATA)
            # RFC 2920 section 3.1: the server waits although no recipient is left, so it gets an empty message
            self._connection.send(b".\r\n", Stage.BODY)
            self._connection.read_reply(Stage.END_OF_DATA)
            self._transaction_open = False
        return waiting

    def _send_content(self, transaction: MailTransaction, following: MailTransaction | None) -> bool:
        """Send the content, immediately followed by the commands of the following transaction.

        :returns: whether to read the reply to the content.
        """
        try:
            self.expect_silence(Stage.DATA)
            group = following.group if following else b""
            begin = self._observer.begin if self._observer else None
            before_end = functools.partial(begin, transaction.accepted_envelope) if begin else None
            self._connection.send_content(transaction.content, group, before_end)
        except SmtpError as error:
            transaction.fail(self.last_words(error))
            return False
        except BaseException:
            self._connection.usable = False  # in the middle of the content, QUIT would be part of it
            raise
        return True

    def _take_end(self, transaction: MailTransaction, following: MailTransaction | None) -> None:
        replies: list[Reply] = []
        try:
            count = len(transaction.accepted) if self._settings.lmtp else 1
            replies.extend(self.read(Stage.END_OF_DATA) for _number in range(count))
            self._transaction_open = False
        except SmtpError as error:
            transaction.finish(replies, self._settings.lmtp)  # replies from before a lost connection count
            transaction.fail(error)
            if following:
                self._in_turn[0] = 1
        else:
            transaction.finish(replies, self._settings.lmtp)
            self._messages += 1

    def last_words(self, error: SmtpError) -> SmtpError:
        """Return the error with the reply of a server that refuses the content and closes while it is being sent."""
        if error.stage not in (Stage.BODY, Stage.END_OF_DATA):
            return error
        try:
            reply = self._connection.read_reply(Stage.BODY)
        except SmtpError:
            return error
        if reply.positive or reply.intermediate:
            return error
        what = "the server refused the content before its end"
        return CommandRefused(what, stage=error.stage, server=self._settings.server, reply=reply)

    # Commands

    def command(self, line: str, stage: Stage) -> Reply:
        """Send a line without its end and return the reply."""
        self._connection.send(f"{line}\r\n".encode(), stage)
        return self._connection.read_reply(stage)

    def send(self, data: bytes, stage: Stage) -> None:
        """Send commands with their ends, or a piece of a content that is ready to be sent."""
        self._connection.send(data, stage)

    def abandon(self) -> None:
        """Send nothing more: in the middle of a content, QUIT would be part of it."""
        self._connection.usable = False

    def read(self, stage: Stage) -> Reply:
        """Read a reply of the class that fits this stage: 354 for DATA, 2yz for the others, 4yz and 5yz for all.

        Any other reply means that replies and commands are out of step, so that no "250" can be trusted.
        """
        reply = self._connection.read_reply(stage)
        if reply.code == _CLOSING:
            self._connection.usable = False
            if stage is not Stage.END_OF_DATA:
                self._expect_positive(reply, stage)
        if reply.code >= 400 or reply.intermediate is (stage is Stage.DATA):
            return reply
        raise self._connection.violation(f'the reply does not fit the command: "{reply}"', stage)

    def expect_silence(self, stage: Stage) -> None:
        """Check that no reply but a 421 is waiting: it would be read as the reply to the next command."""
        if self._connection.has_input:
            self.read(stage)
            raise self._connection.violation("the server sent a reply without a command", stage)

    def _expect_positive(self, reply: Reply, stage: Stage) -> Reply:
        if not reply.positive:
            raise CommandRefused("the server refused", stage=stage, server=self._settings.server, reply=reply)
        return reply
