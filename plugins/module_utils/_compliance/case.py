# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged: the evidence about one host, and what its owner declared. Pure: nothing is asked here.

A judge asks a :class:`Document` for facts with :meth:`Document.need`. A fact that is missing raises, and becomes a
finding: ``not_checked`` if it was not asked for, ``error`` if it could not be seen. So no judge can pass over it.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import typing as t

from .._controls.control import Control, EvidenceKind, Profile
from .._controls.finding import Finding
from .._evidence.document import Evidence, Unknown

Made = t.TypeVar("Made")

#: Which module collects evidence of a kind.
COLLECTORS = {
    EvidenceKind.DNS: "mail_dns_info",
    EvidenceKind.SMTP: "smtp_info",
    EvidenceKind.HOST: "postfix_info",
    EvidenceKind.PROOF: "the role compliance, with a recipient, and an account or a mailbox where one is needed",
}


class Missing(Exception):
    """A fact that a judge needs is not in the evidence."""

    def __init__(self, kind: EvidenceKind, subject: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.subject = subject
        #: A clause.
        self.reason = reason

    def finding(self, control: Control) -> Finding:
        """What it means for a control."""
        raise NotImplementedError


class NotAsked(Missing):
    """The fact was not asked for."""

    def finding(self, control: Control) -> Finding:
        message = f"{self.subject} was not judged: {self.reason}."
        return control.not_checked(self.subject, message, f"Collect it with {COLLECTORS[self.kind]}.")


class NotSeen(Missing):
    """The fact was asked for, but could not be seen."""

    def finding(self, control: Control) -> Finding:
        return control.undecided(self.subject, self.reason, self.kind)


@dataclasses.dataclass(frozen=True)
class Document:
    """Evidence of one subject, as judges read it."""

    kind: EvidenceKind
    evidence: Evidence[t.Any]

    @property
    def subject(self) -> str:
        """A domain, a server with its port, or a host."""
        return self.evidence.subject

    @property
    def facts(self) -> t.Any:
        """The facts, of which None are missing. :meth:`need` is safer."""
        return self.evidence.facts

    def why(self, path: str) -> str:
        """Why the fact at ``path``, one below it or the group it is in, is not known; empty if nothing was noted."""
        return next((_clause(one.reason) for one in self.evidence.unknown if _touches(one, path)), "")

    def gaps(self, path: str) -> tuple[Unknown, ...]:
        """What is not known of the group at ``path``, which may be known in part."""
        return tuple(one for one in self.evidence.unknown if f"{one.path}.".startswith(f"{path}."))

    def need(self, path: str) -> t.Any:
        """The fact at a path such as ``mx`` or ``probes.relay``. Raises :class:`Missing`."""
        value = self.facts
        for name in path.split("."):
            value = self.known(getattr(value, name), path)
        return value

    def known(self, value: t.Any, path: str, subject: str = "") -> t.Any:
        """``value``, which is the fact at ``path``, unless it is None. Raises :class:`Missing`."""
        if value is not None:
            return value
        reason = self.why(path)
        if reason:
            raise NotSeen(self.kind, subject or self.subject, reason)
        raise NotAsked(self.kind, subject or self.subject, _not_asked(path))


def _touches(one: Unknown, path: str) -> bool:
    """Whether the unknown fact is the one at ``path``, in it, or around it. An empty path is around all."""
    return not one.path or f"{one.path}.".startswith(f"{path}.") or f"{path}.".startswith(f"{one.path}.")


def _not_asked(path: str) -> str:
    """Why nothing is known of a fact that was not asked for, as a clause."""
    group, _dot, name = path.partition(".")
    if group == "probes" and name:
        return f"the active test {name.partition('.')[0]} was not made (compliance_probes)"
    if name == "arrival":
        return "no mailbox was looked in (compliance_mailbox)"
    return f"its evidence does not have {path.replace('.', ' ')}"


def _clause(sentence: str) -> str:
    return sentence.strip().rstrip(".")


@dataclasses.dataclass(frozen=True)
class DeclaredListener:
    """A port on which the owner wants mail to be accepted."""

    port: int
    #: ``none``, ``opportunistic``, ``starttls`` (required) or ``implicit``.
    tls: str = "starttls"
    login: bool = True
    #: Networks that may connect; empty means any.
    sources: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the owner declared, such as the variables of the role. None if it is not known."""

    listeners: tuple[DeclaredListener, ...] | None = None
    #: Networks that may relay without a login.
    networks: tuple[str, ...] | None = None
    #: SASL mechanisms that may be offered.
    mechanisms: tuple[str, ...] | None = None
    #: Addresses that receivers see, such as that of a NAT gateway.
    egress: tuple[str, ...] | None = None
    #: Domains in which the host sends mail.
    domains: tuple[str, ...] | None = None
    #: Domains for which it accepts mail from strangers.
    relay_domains: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True)
class Target:
    """A host to judge."""

    #: Its name in the inventory.
    host: str
    #: What it is there for; empty if the evidence has to tell.
    profiles: tuple[Profile, ...] = ()
    declared: Declared = Declared()
    #: Why evidence of a kind could not be collected at all, as a clause. Such controls are errors, not ``not_checked``.
    unseen: t.Mapping[EvidenceKind, str] = dataclasses.field(default_factory=dict)
    #: The hosts of the run that have a DKIM key, by its digest. None if no others were asked.
    key_holders: t.Mapping[str, tuple[str, ...]] | None = None


class Case:
    """The evidence of one target by its kind."""

    def __init__(
        self, target: Target, evidence: t.Iterable[Evidence[t.Any]], shared: dict[t.Any, t.Any] | None = None
    ) -> None:
        self.target = target
        self.profiles: tuple[Profile, ...] = target.profiles
        #: The documents of kind ``smtp`` by port, once they are sorted.
        self.ports: dict[int, list[Document]] | None = None
        self._documents: dict[EvidenceKind, list[Document]] = {}
        self._made: dict[t.Any, t.Any] = {}
        self._shared: dict[t.Any, t.Any] = {} if shared is None else shared
        for one in evidence:
            kind = EvidenceKind(one.kind.value)
            self._documents.setdefault(kind, []).append(Document(kind, one))

    def has(self, kind: EvidenceKind) -> bool:
        """Whether there is evidence of this kind."""
        return kind in self._documents

    def all(self, kind: EvidenceKind) -> tuple[Document, ...]:
        """The documents of a kind, at least one. Raises :class:`Missing`."""
        found = self._documents.get(kind)
        if found:
            return tuple(found)
        if kind in self.target.unseen:
            raise NotSeen(kind, self.target.host, _clause(self.target.unseen[kind]))
        raise NotAsked(kind, self.target.host, f"no evidence of kind {kind.value} was collected")

    @property
    def listeners(self) -> tuple[DeclaredListener, ...] | None:
        """The declared listeners; None if they are not known. A null client has none."""
        declared = self.target.declared.listeners
        return () if declared is None and self.profiles == (Profile.NULL_CLIENT,) else declared

    @property
    def dns(self) -> tuple[Document, ...]:
        """What the DNS says, a document for each domain. Raises :class:`Missing`."""
        return self.all(EvidenceKind.DNS)

    @property
    def smtp(self) -> tuple[Document, ...]:
        """What the host says over SMTP, a document for each port and vantage. Raises :class:`Missing`."""
        return self.all(EvidenceKind.SMTP)

    @property
    def proofs(self) -> tuple[Document, ...]:
        """The messages that were followed. Raises :class:`Missing`."""
        return self.all(EvidenceKind.PROOF)

    @property
    def host(self) -> Document:
        """What the host says of itself: the newest document. Raises :class:`Missing`."""
        return max(self.all(EvidenceKind.HOST), key=lambda one: one.evidence.seen_at)

    @property
    def moment(self) -> str:
        """When the newest evidence was collected: saved evidence is judged as of then."""
        return max((one.evidence.seen_at for found in self._documents.values() for one in found), default="")

    def once(self, key: t.Hashable, make: t.Callable[[], Made]) -> Made:
        """What ``make`` returns, made once for all controls of this case."""
        return _once(self._made, key, make)

    def once_for_all(self, document: Document, what: str, make: t.Callable[[], Made]) -> Made:
        """What ``make`` makes of a document alone, once for all hosts of the run that share it."""
        return _once(self._shared, (id(document.evidence), what), make)


def _once(made: dict[t.Any, t.Any], key: t.Hashable, make: t.Callable[[], Made]) -> Made:
    if key not in made:
        made[key] = make()
    return t.cast("Made", made[key])


#: A function that judges one control. What it raises as :class:`Missing` becomes a finding.
Judge = t.Callable[[Case, Control], t.Iterable[Finding]]
#: By the id of the control.
Judges = t.Mapping[str, Judge]


def guarded(judge: Judge, case: Case, control: Control) -> list[Finding]:
    """The findings of a judge, with one for the fact that it misses."""
    found: list[Finding] = []
    try:
        found.extend(judge(case, control))  # a generator may have found something before it misses a fact
    except Missing as missing:
        found.append(missing.finding(control))
    return found


#: A judge of one document at a time.
DocumentJudge = t.Callable[[Case, Control, Document], t.Iterable[Finding]]


def for_each(kind: EvidenceKind) -> t.Callable[[DocumentJudge], Judge]:
    """A decorator for a judge that takes one document of ``kind``: what one misses does not keep others from it."""

    def decorated(judge: DocumentJudge) -> Judge:
        def judge_all(case: Case, control: Control) -> t.Iterator[Finding]:
            for document in case.all(kind):
                yield from guarded(functools.partial(_judge_one, judge, document), case, control)

        return judge_all

    return decorated


def _judge_one(judge: DocumentJudge, document: Document, case: Case, control: Control) -> t.Iterable[Finding]:
    return judge(case, control, document)


def together(*judges: Judge) -> Judge:
    """A judge that says what all of them say; each for itself, so that none is kept from it by what another misses."""
    return lambda case, control: itertools.chain.from_iterable(guarded(one, case, control) for one in judges)
