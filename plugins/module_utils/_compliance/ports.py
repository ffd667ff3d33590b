# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of a host as judges see them: what is expected of each, what was seen over SMTP, and from where."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .._controls.control import Control, EvidenceKind, Profile
from .._controls.finding import Finding, FindingStatus
from .._evidence.host_config import Instance, Service
from .._evidence.smtp import Reach, ReachFacts
from .case import Case, DeclaredListener, Document, DocumentJudge, Judge, Missing, guarded
from .networks import is_of_site, membership
from .profiles import services, setting

#: What ports are there for, if the owner does not say (RFC 6409, RFC 8314 section 3.3).
_USUAL = {
    25: DeclaredListener(25, "opportunistic", login=False),
    465: DeclaredListener(465, "implicit"),
    587: DeclaredListener(587, "starttls"),
}
#: Names of ports in master.cf.
_NAMES = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587}
_WORDS = {
    Reach.REFUSED: "refuses the connection",
    Reach.FILTERED: "does not answer",
    Reach.UNREACHABLE: "cannot be reached",
    Reach.NO_ROUTE: "cannot be reached: there is no route",
}

# -- what is expected -------------------------------------------------------------------------------------------------


def expected(case: Case, port: int) -> DeclaredListener:
    """What the owner declared for a port, or what it is usually there for; ``tls`` is empty if nothing tells."""
    declared = next((one for one in case.listeners or () if one.port == port), None)
    return declared or _USUAL.get(port) or DeclaredListener(port, tls="", login=False)


def requires_login(case: Case, port: int) -> bool:
    """Whether mail is accepted there only after a login."""
    if any(one.port == port for one in case.listeners or ()):
        return expected(case, port).login
    return expected(case, port).login and Profile.SUBMISSION_RELAY in case.profiles


def offers_login(case: Case, port: int) -> bool:
    """Whether the server takes logins there, as it says itself."""
    offers = (offer for one in by_port(case).get(port, ()) for offer in (one.facts.ehlo, one.facts.ehlo_in_tls))
    return any(offer.auth_mechanisms for offer in offers if offer)


# -- what was seen over SMTP ------------------------------------------------------------------------------------------


def by_port(case: Case) -> dict[int, list[Document]]:
    """The documents of kind ``smtp`` by port. Their subject names the vantage, if a port was seen from several.

    Raises :class:`Missing` if there is none at all.
    """
    if case.ports is None:
        case.ports = _by_port(case)
    return case.ports


def _by_port(case: Case) -> dict[int, list[Document]]:
    found: dict[int, list[Document]] = {}
    for one in case.smtp:
        if one.facts.port is not None:
            found.setdefault(one.facts.port, []).append(one)
    return {port: [_named(one, len(ones) > 1) for one in ones] for port, ones in sorted(found.items())}


def _named(document: Document, several: bool) -> Document:
    evidence = document.evidence
    subject = f"{evidence.subject} from {evidence.seen_from.host}" if several else evidence.subject
    return dataclasses.replace(document, evidence=dataclasses.replace(evidence, subject=subject))


def fact(document: Document, path: str) -> t.Any:
    """The fact at ``path``, or None if it is missing for whatever reason."""
    try:
        return document.need(path)
    except Missing:
        return None


def lacks_tls(document: Document) -> bool:
    """Whether the server is known to have no TLS on this port, so that there is no certificate to judge."""
    facts = document.facts
    if facts.tls or facts.tls_at_once or facts.ehlo is None:
        return False
    refused = facts.starttls is not None and facts.starttls.code >= 500
    return refused or "STARTTLS" not in facts.ehlo.extensions


def over_smtp(*paths: str, only: t.Callable[[Case, int], bool] | None = None) -> t.Callable[[DocumentJudge], Judge]:
    """A decorator for a judge of what was seen on one port.

    It judges the documents that have a fact at one of ``paths``. Without one, it judges one that reached the server,
    so that the missing fact is told, and if none did, it tells why. A declared port that was not asked is told, too.

    :param only: for which ports; all by default.
    """

    def decorated(judge: DocumentJudge) -> Judge:
        def judge_all(case: Case, control: Control) -> t.Iterator[Finding]:
            ports = by_port(case)
            wanted = [one.port for one in case.listeners or ()]
            for port in sorted({*ports, *wanted}):
                if only is None or only(case, port):
                    found = [
                        finding
                        for one in _telling(ports.get(port, ()), paths)
                        for finding in guarded(functools.partial(_judge_one, judge, one), case, control)
                    ]
                    narrow = _only_others(case, control, port, ports.get(port, ()))
                    yield from narrow or decisive(found or [not_asked(case, control, port)])

        return judge_all

    return decorated


def _only_others(case: Case, control: Control, port: int, documents: t.Sequence[Document]) -> list[Finding]:
    """A finding, if no vantage reached a port that is declared to be for some networks only."""
    sources = next((one.sources for one in case.listeners or () if one.port == port), ())
    if not (sources and documents and all(map(unreached, documents))):
        return []
    reason = f"only {', '.join(sources)} may connect to it, and no vantage did: {unreached(documents[0])}"
    finding = control.undecided(f"{case.target.host}:{port}", reason, EvidenceKind.SMTP)
    return [dataclasses.replace(finding, remedy="Name a host of these networks in compliance_vantages.")]


def decisive(findings: t.Iterable[Finding]) -> list[Finding]:
    """The findings of one port: what was not asked is left out if others decide, and of equal passes all but one."""
    found = list(findings)
    decided = any(one.status in (FindingStatus.PASS, FindingStatus.FAIL) for one in found)
    passed: set[str] = set()
    kept = []
    for one in found:
        if one.status is FindingStatus.NOT_CHECKED and decided:
            continue
        if one.status is FindingStatus.PASS and one.subject in passed:
            continue
        passed |= {one.subject} if one.status is FindingStatus.PASS else set()
        kept.append(one)
    return kept


def _judge_one(judge: DocumentJudge, document: Document, case: Case, control: Control) -> t.Iterable[Finding]:
    reason = unreached(document)
    return (
        [control.undecided(document.subject, reason, EvidenceKind.SMTP)] if reason else judge(case, control, document)
    )


def _telling(documents: t.Sequence[Document], paths: t.Sequence[str]) -> t.Sequence[Document]:
    found = [one for one in documents if any(fact(one, path) is not None for path in paths)]
    # One that was asked has the reason why the fact is missing.
    return found or sorted(documents, key=lambda one: (bool(unreached(one)), not any(map(one.why, paths))))[:1]


def not_asked(case: Case, control: Control, port: int) -> Finding:
    """The finding for a port of which nothing is known."""
    subject = f"{case.target.host}:{port}"
    return control.not_checked(subject, f"Port {port} was not asked.", "Ask it with smtp_info.")


def unreached(document: Document) -> str:
    """Why no connection was made, as a clause; empty if one was."""
    facts = document.facts
    if facts.addresses is not None and not facts.addresses and facts.connections is None:
        return f"the name {facts.host} has no address"
    if not facts.connections or any(one.state is Reach.OPEN for one in facts.connections):
        return ""
    tried: ReachFacts = next((one for one in facts.connections if one.state in _WORDS), facts.connections[0])
    what = f"port {tried.port} of {tried.address} {_WORDS.get(tried.state, 'was not tried')}"
    return f"seen from {document.evidence.seen_from.host}, {what}"


# -- from where -------------------------------------------------------------------------------------------------------


def is_trusted(case: Case, document: Document) -> bool | None:
    """Whether Postfix lets the vantage relay without a login, since it is in ``mynetworks``. None if not known."""
    facts, vantage = document.facts, document.evidence.seen_from.addresses
    family = [one for one in vantage if facts.address and (":" in one) == (":" in facts.address)]
    lists = _networks(case, facts.port)
    if not lists or not (family or vantage):
        return None
    answers = [membership(address, networks) for networks in lists for address in family or vantage]
    return True if True in answers else None if None in answers else False


def _networks(case: Case, port: int) -> list[t.Sequence[str]]:
    """The lists of networks whose clients may relay there: as declared, and as each service has it."""
    declared = case.target.declared.networks
    lists: list[t.Sequence[str]] = [] if declared is None else [declared]
    for instance, service in services_on(case, port):
        entries = setting(instance, service, "mynetworks").replace(",", " ").split()
        lists.append([one for one in entries if is_of_site(one)])
    return lists


# -- what the configuration says of a port ----------------------------------------------------------------------------


def services_on(case: Case, port: int) -> list[tuple[Instance, Service]]:
    """The services of master.cf that accept mail there. Empty if the configuration is not known."""
    config = case.host.facts.config if case.has(EvidenceKind.HOST) else None
    found = [(instance, one) for instance in config or () for one in services(instance) if port_of(one) == port]
    return [(instance, behind) for instance, one in found for behind in _behind(instance, one)]


def port_of(service: Service) -> int:
    """The port of a service; 0 if its name is not known."""
    name = service.name.rpartition(":")[2]
    return int(name) if name.isdigit() else _NAMES.get(name, 0)


def _behind(instance: Instance, service: Service) -> list[Service]:
    """The service that talks to clients: postscreen hands them over to the smtpd of type pass."""
    if service.program != "postscreen":
        return [service]
    return [one for one in instance.services or () if one.type == "pass" and one.program == "smtpd"] or [service]
