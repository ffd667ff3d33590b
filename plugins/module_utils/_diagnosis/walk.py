# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk through a server: its name, a connection to each address, then one session, step by step.

It ends at the first step that does not pass, and makes at most :data:`MOST_CONNECTIONS` connections to the port: one to
each address, one for the session, one to look at a server that was refused or silent, and one for a wrong login.
"""

from __future__ import annotations

import re
import secrets
import time
import typing as t
from dataclasses import replace

from .._evidence.document import Evidence, Kind, Unknown, Vantage, moment
from .._evidence.smtp import LoginFacts, MessageFacts, Reach, SmtpFacts
from .._firewall.outgoing import refusing_outgoing
from .._sasl.choice import NoUsableMechanism, choose_mechanism
from .._sasl.credentials import Credentials
from .._smtp.answer import answer
from .._smtp.capabilities import NO_EHLO
from .._smtp.delivery import DeliveryStatus, Envelope, find_queue_id
from .._smtp.errors import AuthRefused, ConnectionLost, SmtpError, Stage, TlsFailed
from .._smtp.session import SmtpSession
from .._smtp.tls import TlsMode
from .._smtp.transaction import check_offered, mail_command, rcpt_command
from .._smtp.watched import Watch
from . import certificates, reaching
from .questions import OPENINGS, Answers
from .record import Record, ehlo
from .steps import Result, State, Step

if t.TYPE_CHECKING:
    from .._evidence.smtp import ReachFacts
    from .._smtp.reply import Reply
    from .._smtp.watched import Heard, WatchedConnection
    from .questions import Questions

#: Connections to one port in one walk: more of them make servers refuse a client.
MOST_CONNECTIONS = 6

#: Stage of a session and whether it is in TLS, if that matters -> step.
_STEPS: t.Mapping[tuple[Stage, bool | None], Step] = {
    (Stage.CONNECT, None): Step.CONNECT,
    (Stage.GREETING, None): Step.GREETING,
    (Stage.EHLO, False): Step.EHLO,
    (Stage.STARTTLS, None): Step.STARTTLS,
    (Stage.TLS, None): Step.TLS,
    (Stage.EHLO, True): Step.EHLO_IN_TLS,
    (Stage.AUTH, None): Step.LOGIN,
}
_PLACES = {step: place for place, step in _STEPS.items()}
#: Words of a reply to RCPT that refuses the sender, and codes of RFC 3463 section 3.2.
_ABOUT_SENDER = re.compile(r"\bsender\b(?!.*\brecipient\b)|\bmail from\b|\b5\.1\.[78]\b", re.IGNORECASE)
#: Longest wait for a reply on a connection that only looks, in seconds.
_PATIENCE = 10.0
_AT_ONCE = "The server says nothing in clear: on this port TLS begins with the first byte."
_SET_IMPLICIT = "Set tls: implicit."


def walk(questions: Questions) -> Answers:
    """Ask the server. Nothing that the server, the network or the name server do raises an error."""
    return _Walk(questions).run()


class _Walk:
    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._settings = questions.settings
        self._record = Record(questions.provider)
        self._facts = self._record.facts
        self._accepted_by: dict[str, t.Any] = {}
        self._sources: list[str] = []
        self._made = 0
        self._address = ""

    def run(self) -> Answers:
        began, clock = time.time(), time.monotonic()
        if self._questions.direct:
            self._reach()
        if self._record.going_well:
            self._converse()
        if self._record.going_well and self._questions.wrong_login:
            self._try_wrong_login()
        self._record.fill_in(self._questions.steps)
        settings = self._settings
        facts = SmtpFacts(
            host=settings.unix_socket or settings.host,
            port=None if settings.unix_socket else settings.port,
            **{"addresses": None, **self._facts},
            connections_made=self._made,
        )
        vantage = Vantage(self._questions.vantage, tuple(dict.fromkeys(filter(None, self._sources))))
        seconds, unknown = round(time.monotonic() - clock, 3), tuple(self._record.unknown)
        evidence = Evidence(Kind.SMTP, settings.server, moment(began), seconds, vantage, facts, unknown)
        return Answers(evidence, tuple(self._record.results), self._accepted_by)

    # The way to the server

    def _reach(self) -> None:
        """Resolve the name, connect to each address, and choose the first that accepts for the session."""
        settings = self._settings
        clock = time.monotonic()
        addresses, reason = reaching.resolve(settings.host, settings.connect_timeout)
        took = (time.monotonic() - clock) * 1000
        self._facts["resolving_milliseconds"] = round(took, 1)
        if addresses is not None and len(addresses) > reaching.MOST_ADDRESSES:
            reason = f"Only the first {reaching.MOST_ADDRESSES} of {len(addresses)} addresses are kept."
            self._record.unknown.append(Unknown("addresses", reason))
            addresses = dict(list(addresses.items())[: reaching.MOST_ADDRESSES])
        if addresses is not None:
            self._facts["addresses"] = tuple(addresses)
        self._record.add(reaching.name_result(settings.host, addresses, reason, took, self._questions.provider))
        if not addresses:
            return
        most = MOST_CONNECTIONS - 2 - self._questions.wrong_login
        connections = reaching.try_each(addresses, settings.port, settings.connect_timeout, most)
        self._made += sum(one.state not in (Reach.NOT_TRIED, Reach.NO_ROUTE) for one in connections)
        self._facts["connections"] = tuple(connections)
        self._sources += [one.source for one in connections]
        self._address = next((one.address for one in connections if one.state is Reach.OPEN), "")
        endpoints = reaching.other_ports(self._questions.provider, settings.port)
        others: t.Sequence[ReachFacts] = ()
        refusing: t.Sequence[str] = ()
        if not self._address:
            others = reaching.try_others(addresses, connections, endpoints, settings.connect_timeout)
            self._facts["other_ports"] = tuple(others)
            refusing = self._look_at_firewall()
        self._record.add(reaching.connect_result(settings, connections, others, endpoints, refusing))

    def _look_at_firewall(self) -> list[str]:
        """Return the chains of this host that refuse the connection, if they can be read."""
        sources = [one for one in self._sources if one]
        if not sources:  # without a route there is no connection to refuse
            return []
        chains = refusing_outgoing(self._settings.port, sources)
        if chains is None:
            reason = "Only root can read the packet filter of this host."
            self._record.unknown.append(Unknown("firewall_refuses", reason))
            return []
        self._facts["firewall_refuses"] = tuple(chains)
        return chains

    # The session

    def _converse(self) -> None:
        """Open a session, and ask what needs one."""
        settings = self._settings.without_login() if self._questions.no_login else self._settings
        watch = Watch(self._address)
        clock = time.monotonic()
        try:
            with SmtpSession(settings, opener=watch) as session:
                self._open(watch.opened[0], None, session.info.mechanism)
                if self._record.going_well and self._questions.message:
                    self._send(session, self._questions.message, watch.opened[0])
                elif self._record.going_well and self._questions.sender is not None:
                    self._ask(session, self._questions.sender, watch.opened[0])
        except SmtpError as error:
            if watch.opened:
                self._open(watch.opened[0], error, None)
            else:
                self._record.results = [one for one in self._record.results if one.step is not Step.CONNECT]
                self._record.failed(Step.CONNECT, error, (time.monotonic() - clock) * 1000)
        self._made += 1

    def _open(self, connection: WatchedConnection, error: SmtpError | None, mechanism: str | None) -> None:
        """Take the steps up to the login, the last of which failed if there is an error."""
        if not self._questions.direct:
            self._record.passed(Step.CONNECT)
        self._facts["address"] = connection.address
        self._sources.append(connection.source)
        failed = _step_of(error, connection) if error else None
        for step in _order(self._settings.tls.mode):
            if error and step is failed:
                self._fail(step, error, connection)
                return
            if step is Step.TLS and connection.handshake:
                self._take_tls(connection)
            heard = _heard(step, connection)
            if heard:
                self._record.judge(
                    step, heard.stage, heard.reply, heard.milliseconds, _fact(step, heard, connection, mechanism)
                )
        if self._questions.no_login:
            problem, advice = self._questions.no_login
            self._record.add(Result(Step.LOGIN, State.FAILED, None, None, problem, advice))

    def _take_tls(self, connection: WatchedConnection, refusal: str = "") -> None:
        """Take the fact of a handshake, and the step unless the certificate was refused."""
        handshake = connection.handshake
        if not handshake:
            return
        self._facts["tls"] = certificates.tls_facts(handshake, self._settings.tls.mode, refusal)
        if not handshake.complete:
            self._record.unknown.append(
                Unknown("tls.chain_length", "Before Python 3.10, this host sees only the server's own certificate.")
            )
        if not refusal:
            self._record.passed(Step.TLS, handshake.milliseconds)

    def _fail(self, step: Step, error: SmtpError, connection: WatchedConnection) -> None:
        """Take the step that failed, with the facts that are known in spite of it."""
        took = connection.waited
        if step is Step.TLS:
            self._take_refused_certificate(error, connection)
            self._record.failed(step, error, took)
            self._tell_certificate()
            return
        reply = error.reply
        fact: t.Any = None
        if step is Step.GREETING and self._begins_with_tls(error):
            self._record.add(Result(step, State.FAILED, took, None, _AT_ONCE, _SET_IMPLICIT), known=True)
            return
        if reply and step is Step.LOGIN:
            fact = LoginFacts(False, self._mechanism(connection, self._settings.credentials), answer(reply, took))
        elif reply:
            heard = _heard(step, connection)
            fact = _fact(step, heard, connection, None) if heard else None
            fact = fact or answer(reply, took)
        self._record.failed(step, error, took, fact)

    def _mechanism(self, connection: WatchedConnection, credentials: Credentials | None) -> str | None:
        """Return the mechanism of a login that was refused: its choice is the same each time."""
        if self._settings.auth_mechanism:
            return self._settings.auth_mechanism
        offer = _heard(Step.EHLO_IN_TLS if connection.encrypted else Step.EHLO, connection)
        if not offer or not credentials:
            return None
        try:
            offered = ehlo(offer.reply, 0, is_helo=False).auth_mechanisms
            return choose_mechanism(offered, credentials).name
        except NoUsableMechanism:
            return None

    def _begins_with_tls(self, error: SmtpError) -> bool:
        """Return whether a server that says nothing in clear waits for TLS, as another connection finds out."""
        silent = isinstance(error, (ConnectionLost, TlsFailed))
        if not silent or self._settings.tls.mode is TlsMode.IMPLICIT:
            return False
        connection = self._look(TlsMode.IMPLICIT)
        begins = connection is not None and connection.handshake is not None
        self._facts["tls_at_once"] = begins
        return begins

    def _look(self, mode: TlsMode) -> WatchedConnection | None:
        """Open a session that verifies nothing, and return what its connection heard; None if it could not connect.

        It says nothing but EHLO and STARTTLS, and shows a client certificate if there is one.
        """
        policy = replace(self._settings.tls, mode=mode, verify=False, pins=())
        patience = min(self._settings.timeout, _PATIENCE)
        watch = Watch(self._address)
        self._made += 1
        try:
            with SmtpSession(replace(self._settings, credentials=None, tls=policy, timeout=patience), opener=watch):
                pass
        except SmtpError:
            pass
        return watch.opened[0] if watch.opened else None

    # The certificate that was refused

    def _take_refused_certificate(self, error: SmtpError, connection: WatchedConnection) -> None:
        """Take the certificate, which another connection reads if the handshake ended with its refusal."""
        if connection.handshake is None and getattr(error.__cause__, "verify_code", None):
            connection = self._look(self._settings.tls.mode) or connection
        self._take_tls(connection, error.problem)
        tls = self._facts.get("tls")
        if tls:
            self._accepted_by = certificates.accepted_by(tls, error, moment(time.time()))

    def _tell_certificate(self) -> None:
        """Add what is in the certificate to the problem of the step, and by which options it would be accepted."""
        tls = self._facts.get("tls")
        if tls and tls.chain:
            result = self._record.results[-1]
            problem = f"{result.problem} {certificates.described(tls.chain[0])}"
            more = certificates.ways_told(self._accepted_by, result.advice)
            self._record.results[-1] = replace(result, problem=problem).advising(more)

    # A wrong login

    def _try_wrong_login(self) -> None:
        """Try a random secret on a connection of its own. It passes if the server refuses it."""
        right = self._settings.credentials
        if not right:
            return
        secret = secrets.token_hex(16)
        wrong = Credentials(right.username, token=secret) if right.token else Credentials(right.username, secret)
        watch = Watch(self._address)
        self._made += 1
        try:
            with SmtpSession(replace(self._settings, credentials=wrong), opener=watch) as session:
                heard = watch.opened[0].last(Stage.AUTH)
                if heard:
                    said = answer(heard.reply, heard.milliseconds)
                    self._facts["wrong_login"] = LoginFacts(True, session.info.mechanism, said)
                problem = "The server accepted a login with a random secret, so it does not check it."
                advice = "Have the server repaired: anyone can send mail through it."
                took = heard.milliseconds if heard else None
                self._record.add(Result(Step.WRONG_LOGIN, State.FAILED, took, None, problem, advice))
        except AuthRefused as error:
            connection = watch.opened[0]
            if error.reply and error.reply.permanent:
                said = answer(error.reply, connection.waited)
                self._facts["wrong_login"] = LoginFacts(False, self._mechanism(connection, wrong), said)
                self._record.passed(Step.WRONG_LOGIN, connection.waited, error.reply)
            else:
                self._record.failed(Step.WRONG_LOGIN, error, connection.waited)
        except SmtpError as error:
            self._record.failed(Step.WRONG_LOGIN, error, watch.opened[0].waited if watch.opened else 0.0)

    # Sender, recipient and message

    def _ask(self, session: SmtpSession, sender: str, connection: WatchedConnection) -> None:
        """Try sender and recipient, without a message.

        Many servers refuse a sender only at RCPT. So without a recipient the sender is tried as its own.
        """
        envelope = Envelope(sender, (self._questions.recipient or sender or "postmaster",), b"\r\n")
        step = Step.SENDER
        try:
            check_offered(envelope, session.capabilities, self._settings.server)
            reply = session.command(_text(mail_command(envelope, session.capabilities)), Stage.MAIL)
            self._record.judge(step, Stage.MAIL, reply, connection.waited)
            if self._record.going_well and (self._questions.recipient or sender):
                step = Step.RECIPIENT if self._questions.recipient else step
                command = rcpt_command(envelope, envelope.recipients[0], session.capabilities)
                self._judge_recipient(session.command(_text(command), Stage.RCPT), connection.waited)
        except SmtpError as error:
            self._record.results = [one for one in self._record.results if one.step is not step]
            self._record.failed(step, error, connection.waited)

    def _judge_recipient(self, reply: Reply, milliseconds: float) -> None:
        """Take the reply to RCPT, which may be about the sender."""
        if reply.permanent and _ABOUT_SENDER.search(reply.text):
            self._record.results.pop()
            self._record.judge(Step.SENDER, Stage.MAIL, reply, milliseconds)
        elif self._questions.recipient:
            self._record.judge(Step.RECIPIENT, Stage.RCPT, reply, milliseconds)

    def _send(self, session: SmtpSession, envelope: Envelope, connection: WatchedConnection) -> None:
        """Send the test message."""
        clock = time.monotonic()
        (result,) = session.deliver(envelope).recipients
        took = (time.monotonic() - clock) * 1000
        mail, rcpt = connection.last(Stage.MAIL), connection.last(Stage.RCPT)
        if mail:
            self._record.judge(Step.SENDER, Stage.MAIL, mail.reply, mail.milliseconds)
        if rcpt and self._record.going_well:
            self._judge_recipient(rcpt.reply, rcpt.milliseconds)
        if not self._record.going_well:
            return
        if result.reply:
            sent = result.status is DeliveryStatus.SENT
            said = answer(result.reply, took)
            fact = MessageFacts(sent, find_queue_id(result.reply) if sent else None, said)
            self._record.judge(Step.MESSAGE, result.stage, result.reply, took, fact)
            return
        step = {Stage.MAIL: Step.SENDER, Stage.RCPT: Step.RECIPIENT}.get(result.stage, Step.MESSAGE)
        state = State.FAILED if result.status is DeliveryStatus.REFUSED else State.UNKNOWN
        problem = result.problem.rstrip(".")
        self._record.add(Result(step, state, took, None, f"{problem[:1].upper()}{problem[1:]}."))


def _text(command: bytes) -> str:
    return command.decode("utf-8").rstrip("\r\n")


def _order(mode: TlsMode) -> tuple[Step, ...]:
    """Return the steps of opening a session: TLS from the first byte comes before the greeting."""
    opening = OPENINGS[TlsMode.IMPLICIT if mode is TlsMode.IMPLICIT else TlsMode.STARTTLS]
    return (*opening, Step.LOGIN)


def _step_of(error: SmtpError, connection: WatchedConnection) -> Step:
    return _STEPS.get((error.stage, None)) or _STEPS[error.stage, connection.encrypted]


def _heard(step: Step, connection: WatchedConnection) -> Heard | None:
    """Return the last reply of a step; of TLS there is none."""
    return connection.last(*_PLACES[step])


def _fact(step: Step, heard: Heard, connection: WatchedConnection, mechanism: str | None) -> t.Any:
    """Return the fact that a reply tells; None if it is the reply itself."""
    if step is Step.LOGIN:
        return LoginFacts(heard.reply.positive, mechanism, answer(heard.reply, heard.milliseconds))
    if step in (Step.EHLO, Step.EHLO_IN_TLS):
        said = [one.reply.code for one in connection.heard if one[:2] == heard[:2]]
        return ehlo(heard.reply, heard.milliseconds, is_helo=len(said) > 1 and said[-2] in NO_EHLO)
    return None
