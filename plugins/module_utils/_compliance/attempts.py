# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was tried at the ports: logins, and mail without one, whichever document tells it."""

from __future__ import annotations

import dataclasses
import typing as t

from .._controls.control import EvidenceKind
from .._evidence.proof import Attempt, LoginProof
from .._evidence.smtp_answer import AnswerFacts
from .._evidence.smtp_probes import RelayFacts
from .case import Case, Document, NotSeen
from .ports import by_port, requires_login, services_on, unreached
from .profiles import setting

#: Restrictions of Postfix in the order in which they are asked. Each may refuse clients without a login.
_LISTS = ("smtpd_client_restrictions", "smtpd_recipient_restrictions", "smtpd_relay_restrictions")


@dataclasses.dataclass(frozen=True)
class Tried:
    """One attempt, and the document that tells of it."""

    attempt: Attempt
    document: Document
    #: The replies to the login and to the envelope, and where they are in the facts.
    login: AnswerFacts | None = None
    login_path: str = ""
    mail: AnswerFacts | None = None
    mail_path: str = ""
    user: str | None = None
    sender: str | None = None

    def need_login(self) -> AnswerFacts:
        """The reply to the login. Raises :class:`Missing` without one, and if it is of class 4yz."""
        return self._need(self.login, self.login_path)

    def need_mail(self) -> AnswerFacts:
        """The reply to the envelope, likewise."""
        return self._need(self.mail, self.mail_path)

    def _need(self, answer: AnswerFacts | None, path: str) -> AnswerFacts:
        document = self.document
        reason = unreached(document) if document.kind is EvidenceKind.SMTP else ""
        if reason:
            raise NotSeen(document.kind, document.subject, reason)
        known: AnswerFacts = document.known(answer, path)
        if 400 <= known.code < 500:
            raise NotSeen(document.kind, document.subject, f"the server cannot tell now: {said(known)}")
        return known


def said(answer: AnswerFacts) -> str:
    """A reply, quoted."""
    return f'"{answer.code} {answer.text}"'


def accepted(answer: AnswerFacts | None) -> bool:
    """Whether a reply is positive."""
    return answer is not None and answer.code < 400


def refused(answer: AnswerFacts | None) -> bool:
    """Whether a reply is a refusal for good."""
    return answer is not None and answer.code >= 500


def wants_tls(answer: AnswerFacts) -> bool:
    """Whether a refusal asks for STARTTLS (RFC 3207 section 4), which shows nothing of the login that may be needed."""
    return answer.code == 530 and "starttls" in answer.text.lower()


def login_ports(case: Case) -> list[int]:
    """The ports that require a login: declared, seen over SMTP, or used by a proof. Raises :class:`Missing`."""
    ports = {one.port for one in case.listeners or ()}
    if case.has(EvidenceKind.SMTP) or not (case.has(EvidenceKind.PROOF) or ports):
        ports |= set(by_port(case))
    ports |= {one.port for _document, _place, one in _proofs(case)}
    return sorted(port for port in ports if requires_login(case, port))


def tried(case: Case, port: int, *attempts: Attempt) -> list[Tried]:
    """What was tried at a port, of these kinds."""
    found = [
        Tried(
            *(one.attempt, document),
            *(one.login, f"logins[{place}].login", one.mail, f"logins[{place}].mail"),
            *(one.user, one.sender),
        )
        for document, place, one in _proofs(case)
        if one.port == port
    ]
    documents = by_port(case).get(port, []) if case.has(EvidenceKind.SMTP) else []
    # A vantage that may not connect shows nothing if another may.
    documents = [one for one in documents if not unreached(one)] or documents
    found += [one for document in documents for one in _by_smtp(document)]
    return [one for one in found if one.attempt in attempts]


def _proofs(case: Case) -> t.Iterator[tuple[Document, int, LoginProof]]:
    for document in case.proofs if case.has(EvidenceKind.PROOF) else ():
        for place, one in enumerate(document.facts.logins or ()):
            yield document, place, one


def _by_smtp(document: Document) -> t.Iterator[Tried]:
    """What smtp_info tried: its login or an envelope without one, and its active tests."""
    facts = document.facts
    mail = (facts.sender, "sender") if refused(facts.sender) else (facts.recipient, "recipient")
    if facts.login or document.why("login"):
        yield Tried(Attempt.RIGHT, document, facts.login and facts.login.answer, "login", *mail)
    elif mail[0] or document.why("recipient"):
        yield Tried(Attempt.NO_LOGIN, document, None, "login", *mail)
    if facts.wrong_login or document.why("wrong_login"):
        answer = facts.wrong_login and facts.wrong_login.answer
        yield Tried(Attempt.WRONG_PASSWORD, document, answer, "wrong_login")
    yield from _by_probes(document)


def _by_probes(document: Document) -> t.Iterator[Tried]:
    probes, path = document.facts.probes, "probes.login_replies"
    replies, relay = (probes.login_replies, probes.relay) if probes else (None, None)
    if replies or document.why(path):
        if not replies or replies.wrong_password:
            yield Tried(Attempt.WRONG_PASSWORD, document, replies and replies.wrong_password, path)
        yield Tried(Attempt.UNKNOWN_USER, document, replies and replies.unknown_user, path)
    if relay or document.why("probes.relay"):
        yield Tried(Attempt.NO_LOGIN, document, mail=relay and _without_login(relay), mail_path="probes.relay")


def _without_login(relay: RelayFacts) -> AnswerFacts | None:
    """The reply that shows whether mail is accepted at all: MAIL alone shows it only if it is refused."""
    if refused(relay.mail):
        return relay.mail
    replies = [one for one in (relay.local, *(one.answer for one in relay.variants)) if one]
    return next(filter(accepted, replies), replies[0] if replies else None)


def login_works(case: Case, port: int) -> bool:
    """Whether a right login was accepted there, which shows that the port serves those who may use it."""
    return any(accepted(one.login) for one in tried(case, port, Attempt.RIGHT))


def wants_login(case: Case, port: int) -> bool:
    """Whether the configuration refuses every client there that has not logged in."""
    found = services_on(case, port)
    return bool(found) and all(
        any(_is_for_logins(setting(instance, service, name)) for name in _LISTS) for instance, service in found
    )


def _is_for_logins(restrictions: str) -> bool:
    words = restrictions.replace(",", " ").split()
    return "permit_sasl_authenticated" in words and words[-1] == "reject" and "permit" not in words
