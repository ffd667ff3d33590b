# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of messages that were sent and followed: whether they arrive, and how their receivers judge them."""

from __future__ import annotations

import functools
import re
import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._evidence.document import seconds_of
from .._evidence.host_mail import Queue
from .._evidence.proof import HopFacts, MessageProof
from .._evidence.proof_arrival import ArrivalFacts, ReceivedFacts, SignatureFacts, VerdictFacts
from .._evidence.smtp_answer import AnswerFacts
from .attempts import refused, said
from .case import Case, Document, Judge, Judges, NotSeen, guarded, together
from .ports import requires_login

#: A judge of one message: the case, its control, the document, the message, and its place in the document.
MessageJudge = t.Callable[[Case, Control, "Sent"], t.Iterable[Finding]]


class Sent(t.NamedTuple):
    """A message, and where the evidence has it."""

    document: Document
    place: int
    message: MessageProof

    @property
    def subject(self) -> str:
        """The way in that it proves."""
        port = self.message.port
        return f"{self.document.facts.host}:{port}" if port else f"{self.document.facts.host} sendmail"

    def known(self, name: str) -> t.Any:
        """A fact of the message. Raises :class:`Missing`."""
        return self.document.known(getattr(self.message, name), f"messages[{self.place}].{name}", self.subject)

    def arrival(self) -> ArrivalFacts:
        """What its headers say. Raises :class:`Missing`, also if it has not arrived."""
        if self.message.arrived is False or self.message.accepted is False:
            raise NotSeen(self.document.kind, self.subject, "the message has not arrived")
        arrival: ArrivalFacts = self.known("arrival")
        return arrival


def for_messages(returns: bool = False) -> t.Callable[[MessageJudge], Judge]:
    """A decorator for a judge of one message; what one misses does not keep others from it.

    :param returns: whether it judges the messages whose notification must return, or the others.
    """

    def decorated(judge: MessageJudge) -> Judge:
        def judge_all(case: Case, control: Control) -> t.Iterator[Finding]:
            for document in case.proofs:
                for place, message in enumerate(document.need("messages")):
                    if message.returns is returns:
                        sent = Sent(document, place, message)
                        yield from guarded(functools.partial(_judge_one, judge, sent), case, control)

        return judge_all

    return decorated


def _judge_one(judge: MessageJudge, sent: Sent, case: Case, control: Control) -> t.Iterable[Finding]:
    return judge(case, control, sent)


def _or_not_sent(judge: Judge) -> Judge:
    """The judge, with a finding if there was no message for it."""

    def judge_all(case: Case, control: Control) -> t.Iterator[Finding]:
        found = guarded(judge, case, control)
        message = f"No message was sent through {case.target.host}."
        remedy = "Give the role compliance a recipient, and an account where one is needed."
        yield from found or [control.not_checked(case.target.host, message, remedy)]

    return judge_all


# -- MR-E2E-01: it arrives --------------------------------------------------------------------------------------------

#: Servers that let a sender wait say so; nothing is wrong on the way then.
_GREYLISTED = re.compile(r"gr[ea]y-?list", re.IGNORECASE)
_SEND = "Send one from a host that may use the port, and follow it."
_LOOK = "Follow its queue ID in the logs, and mend what the reply names."


@for_messages()
def _arrives(case: Case, control: Control, sent: Sent) -> t.Iterator[Finding]:
    message, subject = sent.message, sent.subject
    if not sent.known("accepted"):
        answer = message.answer
        if answer and not refused(answer):
            raise NotSeen(sent.document.kind, subject, f"the server cannot tell now: {said(answer)}")
        reply = f": {said(answer)}" if answer else ""
        yield control.failed(subject, f"The message of the proof was refused{reply}.", "Mend what the reply names.")
    elif message.arrived:
        took = f" after {message.arrival_milliseconds / 1000:.1f} s" if message.arrival_milliseconds is not None else ""
        yield control.passed(subject, f"The message arrived in a mailbox of {message.mailbox}{took}.")
    else:
        yield _by_hops(control, sent)


def _by_hops(control: Control, sent: Sent) -> Finding:
    """Judge a message that was not found: by the log of the host, as far as it leads."""
    message, subject = sent.message, sent.subject
    hops = message.hops or ()
    stuck = [hop for hop in hops if hop.status != "sent"]
    if stuck and _GREYLISTED.search(stuck[0].text):
        return control.undecided(subject, f"the next server lets it wait: {_hop(stuck[0])}")
    if stuck:
        return control.failed(subject, f"The message is {stuck[0].status}: {_hop(stuck[0])}.", _LOOK)
    if message.arrived is False:
        waited = f" within {message.waited_seconds:g} s" if message.waited_seconds else ""
        left = f", though {hops[-1].relay} accepted it" if hops else ""
        return control.failed(subject, f"The message did not arrive in {message.mailbox}{waited}{left}.", _LOOK)
    if sent.document.why(f"messages[{sent.place}].arrived") or not hops:
        sent.known("arrived")
    return control.passed(
        subject, f"{hops[-1].relay} accepted the message; no mailbox was looked in: {_hop(hops[-1])}."
    )


def _hop(hop: HopFacts) -> str:
    return f'"{hop.text.rstrip(".")}" ({hop.relay})'


def _every_way(case: Case, control: Control) -> t.Iterator[Finding]:
    """Each declared listener needs a message of its own."""
    used = {message.port for document in case.proofs for message in document.facts.messages or ()}
    for listener in case.listeners or ():
        if listener.port not in used and (requires_login(case, listener.port) or not listener.login):
            message = f"No message was sent through port {listener.port}."
            yield control.not_checked(f"{case.target.host}:{listener.port}", message, _SEND)


# -- how the receiver judges it ---------------------------------------------------------------------------------------


def _verdicts(case: Case, sent: Sent) -> tuple[VerdictFacts, ...]:
    """What the receiver found, and not the host itself. Raises :class:`Missing` if it does not say."""
    found = sent.arrival().verdicts
    own = _own_names(case, sent)
    others = [one for one in found if one.authserv_id not in own]
    named = (sent.message.authserv_id or "").lower()
    receiver = named or next((one.authserv_id for one in others), "")
    wanted = tuple(one for one in others if one.authserv_id in (receiver, ""))
    if wanted:
        return wanted
    where = f" of {named}" if named else ""
    raise NotSeen(sent.document.kind, sent.subject, f"the message has no Authentication-Results{where}")


def _own_names(case: Case, sent: Sent) -> set[str]:
    names = {case.target.host.lower(), sent.document.facts.host.lower()}
    config = case.host.facts.config if case.has(EvidenceKind.HOST) else None
    return names | {(one.parameters or {}).get("myhostname", "").lower() for one in config or ()} - {""}


def _results(verdicts: t.Sequence[VerdictFacts], method: str) -> set[str]:
    return {one.result for one in verdicts if one.method == method}


#: Results that say nothing of the mail.
_LATER = {"temperror"}


@for_messages()
def _passes(case: Case, control: Control, sent: Sent) -> t.Iterator[Finding]:
    verdicts = _verdicts(case, sent)
    results = {method: _results(verdicts, method) for method in ("spf", "dkim", "dmarc")}
    failed = [f"{name} is {' and '.join(sorted(found))}" for name, found in results.items() if _is_bad(found)]
    later = [name for name, found in results.items() if found and "pass" not in found and found <= _LATER]
    missing = [name for name, found in results.items() if not found]
    who = next((one.authserv_id for one in verdicts if one.authserv_id), "the receiver")
    if failed:
        yield control.failed(sent.subject, f"{who} says that {', '.join(failed)}.", control.by_hand)
    elif later or missing:
        yield control.undecided(sent.subject, f"{who} says nothing of {', '.join([*later, *missing])}")
    else:
        yield control.passed(sent.subject, f"{who} says that SPF, DKIM and DMARC pass.")


def _is_bad(results: set[str]) -> bool:
    return bool(results) and "pass" not in results and not results <= _LATER


#: Protocols with TLS (RFC 3848, RFC 6531).
_WITH_TLS = re.compile(r"(?:UTF8)?E?SMTPSA?\Z|(?:UTF8)?LMTPSA?\Z")
_WITH_LOGIN = re.compile(r"(?:UTF8)?(?:ESMTP|LMTP)S?A\Z")


@for_messages()
def _over_tls(case: Case, control: Control, sent: Sent) -> t.Iterator[Finding]:
    received, subject = sent.arrival().received, f"{sent.subject} over TLS"
    own = _own_names(case, sent)
    at = next((place for place, one in enumerate(received) if one.by in own), None)
    hidden = at is not None and not received[at].protocol  # by smtpd_hide_client_session
    ways = [] if at is None or hidden else [received[at]] * bool(sent.message.port)
    after = received[:at] if at is not None else received
    ways += [one for one in reversed(after) if _is_remote(one)][:1]
    clear = [one for one in ways if not _is_encrypted(one)]
    if at is not None and not hidden and sent.message.user and not _WITH_LOGIN.match(received[at].protocol or ""):
        message = f"{received[at].by} does not note the login: it got the message with {received[at].protocol}."
        yield control.failed(subject, message, "Let Postfix write its Received field itself.")
    elif clear:
        message = f"{clear[0].by} got the message without TLS, with {clear[0].protocol}."
        yield control.failed(subject, message, "Offer TLS there, and set smtp_tls_security_level to may or more.")
    elif ways:
        steps = " and ".join(f"{one.by} with {one.protocol}" for one in ways)
        yield control.passed(subject, f"The message went over TLS, to {steps}.")
    else:
        yield control.undecided(subject, "no Received field tells how the message came in")


def _is_remote(one: ReceivedFacts) -> bool:
    """Whether another host handed it over; filters and delivery into the mailbox are on one host."""
    local = (one.from_address or "").startswith(("127.", "::1")) or (one.from_name or "").startswith("localhost")
    return bool(one.protocol and one.from_name and not local and not (one.protocol or "").startswith("LMTP"))


def _is_encrypted(one: ReceivedFacts) -> bool:
    local = (one.from_address or "").startswith(("127.", "::1"))
    return bool(one.tls or _WITH_TLS.match(one.protocol or "") or local)


# -- MR-DKIM-07, MR-DMARC-04 ------------------------------------------------------------------------------------------


@for_messages()
def _signed(case: Case, control: Control, sent: Sent) -> t.Iterator[Finding]:
    arrival, subject = sent.arrival(), sent.subject
    if not arrival.signatures:
        yield control.failed(subject, "The message arrived without a DKIM signature.", control.by_hand)
        return
    verdicts = [one for one in _verdicts(case, sent) if one.method == "dkim"]
    if not verdicts:
        raise NotSeen(sent.document.kind, subject, "the receiver says nothing of DKIM")
    valid = [one for one in arrival.signatures if any(_is_of(verdict, one) for verdict in verdicts)]
    results = {one.result for one in verdicts}
    protected = [one for one in valid if one.signed.count("from") > arrival.from_fields]
    if not valid and results <= _LATER:
        yield control.undecided(subject, "the receiver could not verify the signature at the time")
    elif not valid:
        message = f"No DKIM signature is valid: the receiver says {' and '.join(sorted(results))}."
        yield control.failed(subject, message, "Compare the key in the DNS with that of the signing program.")
    elif not protected:
        message = f"The signature of {valid[0].domain} is valid, but lets a second From be added."
        remedy = "Let the signing program list From once more than it is there (OversignHeaders of OpenDKIM)."
        yield control.failed(subject, message, remedy)
    else:
        yield control.passed(subject, f"The signature of {protected[0].domain} is valid, and protects From.")


def _is_of(verdict: VerdictFacts, signature: SignatureFacts) -> bool:
    """Whether it says that this signature is valid. Some receivers name the domain alone, or only the identity."""
    said_of = verdict.properties
    domain = (said_of.get("header.d") or said_of.get("header.i", "").rpartition("@")[2]).lower()
    selector = said_of.get("header.s", "").lower()
    fits = domain in ("", signature.domain) or ("header.d" not in said_of and is_below(domain, signature.domain or ""))
    return verdict.result == "pass" and fits and selector in ("", signature.selector)


@for_messages()
def _aligned(case: Case, control: Control, sent: Sent) -> t.Iterator[Finding]:
    verdicts, subject = _verdicts(case, sent), sent.subject
    author = next(iter(sent.arrival().author_domains), "")
    results = _results(verdicts, "dmarc")
    domains = [domain for one in verdicts if one.result == "pass" for domain in _authenticated(one)]
    aligned = [one for one in domains if one == author or is_below(author, one) or is_below(one, author)]
    related = [one for one in domains if len(common(one, author)) > 1]
    if "pass" in results or (aligned and "fail" not in results):
        by = f" by {', '.join(dict.fromkeys(aligned))}" if aligned else ""
        yield control.passed(subject, f"The domain in From, {author}, is authenticated{by}.")
    elif "fail" in results or not related:
        names = f"only {', '.join(dict.fromkeys(domains))}" if domains else "no domain"
        message = f"The domain in From is {author}, but {names} is authenticated by SPF or DKIM."
        yield control.failed(subject, message, control.by_hand)
    else:
        yield control.undecided(
            subject, f"whether {related[0]} and {author} belong together, the receiver does not say"
        )


def _authenticated(one: VerdictFacts) -> t.Iterator[str]:
    """The domain for which SPF or DKIM passes."""
    names = {"spf": ("smtp.mailfrom",), "dkim": ("header.d", "header.i")}.get(one.method, ())
    found = next((one.properties[name] for name in names if one.properties.get(name)), "")
    if found:
        yield found.rpartition("@")[2].strip("<>").lower()


def is_below(name: str, domain: str) -> bool:
    """Whether a name is a subdomain."""
    return bool(domain) and name.endswith(f".{domain}")


def common(one: str, other: str) -> list[str]:
    """The labels with which both names end, the last first."""
    pairs = zip(reversed(one.split(".")), reversed(other.split(".")))
    labels = []
    for mine, theirs in pairs:
        if mine != theirs:
            break
        labels.append(mine)
    return labels


# -- MR-E2E-03: the queue and bounces ---------------------------------------------------------------------------------

#: A message of this age shows that something is wrong that does not pass by itself, in seconds.
_OLD = 6 * 3600
#: Deferred messages of a busy host; beyond, something keeps them.
_MANY = 1000


def _queue_moves(case: Case, control: Control) -> t.Iterator[Finding]:
    host = case.host
    queues: t.Sequence[Queue] = host.need("queue")
    for one in queues:
        subject = " ".join(filter(None, [host.subject, one.instance]))
        states = host.known(one.states, f"queue.{one.instance}", subject)
        deferred = [state for state in states if state.state == "deferred" and state.messages]
        now = seconds_of(host.evidence.seen_at)
        old = [state.oldest for state in deferred if state.oldest and now - seconds_of(state.oldest) > _OLD]
        count = sum(state.messages for state in deferred)
        if count > _MANY or (old and count):
            since = f", the oldest since {min(old)}" if old else ""
            yield control.failed(subject, f"{count} messages are deferred{since}.", control.by_hand)
        else:
            yield control.passed(subject, f"The queue moves: {count} messages are deferred.")
    if not queues:
        yield control.not_applicable(host.subject, "Postfix has no queue on this host.")


@for_messages(returns=True)
def _bounces(case: Case, control: Control, sent: Sent) -> t.Iterator[Finding]:
    message, subject = sent.message, f"{sent.subject} bounce"
    if message.answer and message.accepted is False and refused(message.answer):
        yield _refused_at_once(control, sent, message.answer, subject)
    elif sent.known("arrived"):
        yield control.passed(subject, "The notification of a message that could not be delivered returned.")
    else:
        noted = any(one.notification_id for one in message.hops or ())
        what = "was sent, but did not return" if noted else "was not sent"
        yield control.failed(subject, f"The notification of a message that could not be delivered {what}.", _LOOK)


def _refused_at_once(control: Control, sent: Sent, answer: AnswerFacts, subject: str) -> Finding:
    """A refusal is of the recipient if the reply says so, or if another message went the same way."""
    message, others = sent.message, sent.document.facts.messages or ()
    served = any(one.accepted and not one.returns and one.port == message.port for one in others)
    if served or (answer.enhanced_code or "").startswith("5.1.1"):
        reason = "A recipient that does not exist is refused at once, so that no bounce is needed."
        return control.passed(subject, reason)
    return control.undecided(subject, f"{said(answer)} may be a refusal of every message")


JUDGES: Judges = {
    "MR-DKIM-07": _or_not_sent(_signed),
    "MR-DMARC-04": _or_not_sent(_aligned),
    "MR-E2E-01": _or_not_sent(together(_arrives, _every_way)),
    "MR-E2E-02": _or_not_sent(together(_passes, _over_tls)),
    "MR-E2E-03": together(_queue_moves, _bounces),
}
