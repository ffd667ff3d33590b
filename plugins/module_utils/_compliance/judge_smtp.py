# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of what a server says and takes over SMTP."""

from __future__ import annotations

import functools
import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._evidence.host_config import Instance, Service
from .._evidence.smtp_probes import CommandFacts, SmugglingFacts, SmugglingOutcome
from .._probes.commands import banner_of
from .attempts import accepted, refused, said
from .case import Case, Document, Judges, guarded
from .networks import lets_everyone_in
from .ports import fact, over_smtp, requires_login, services_on
from .profiles import is_public, services, setting

# -- MR-SMTP-01: the end of a message, and commands sent too early ----------------------------------------------------

_FORBID = ("yes", "normalize", "reject")


@over_smtp("probes.smuggling", "probes.early_talk")
def _smuggling(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    early = fact(document, "probes.early_talk")
    if early and accepted(early.answer) and _serves_early(case, document.facts.port):
        message = f"A client may send EHLO before the greeting: {said(early.answer)}."
        remedy = "Set smtpd_forbid_unauth_pipelining to yes, or let postscreen wait for the greeting."
        yield control.failed(document.subject, message, remedy)
    yield _by_sequences(control, document, document.need("probes.smuggling"))


def _serves_early(case: Case, port: int) -> bool:
    """Whether a stranger gains from it: the port takes mail without a login, and the configuration never forbids it.

    Postfix accepts an EHLO that comes early, and forbids only commands behind another one.
    """
    found = services_on(case, port)
    if requires_login(case, port):
        return False
    return bool(found) and all(setting(*one, "smtpd_forbid_unauth_pipelining") in ("no", "") for one in found)


def _by_sequences(control: Control, document: Document, tried: t.Sequence[SmugglingFacts]) -> Finding:
    ended = [one.sequence for one in tried if one.outcome is SmugglingOutcome.ENDED or one.arrived]
    open_ = [one.sequence for one in tried if one.outcome is None]
    if ended:
        message = f"A message is ended by {', '.join(ended)}, so that a second one can hide in it."
        return control.failed(document.subject, message, control.by_hand)
    if open_ or not tried:
        why = document.why("probes.smuggling")
        reason = f"it is not known what {', '.join(open_)} does" if open_ else "no sequence was tried"
        return control.undecided(document.subject, f"{reason}: {why}" if why else reason, EvidenceKind.SMTP)
    return control.passed(document.subject, f"None of {len(tried)} false ends of a message ended one.")


def _smuggling_in_config(case: Case, control: Control) -> t.Iterator[Finding]:
    """Services that were not tried, and clients for which there is an exception."""
    for label, instance, service in _public_services(case):
        value = setting(instance, service, "smtpd_forbid_bare_newline")
        exceptions = setting(instance, service, "smtpd_forbid_bare_newline_exclusions").replace(",", " ").split()
        if value and value not in _FORBID and not _stops_pipelining(instance, service):
            message = f"smtpd_forbid_bare_newline is {value}, so that a line feed alone can end a message."
            yield control.failed(label, message, control.by_hand)
        elif value in _FORBID and lets_everyone_in(exceptions):
            message = "smtpd_forbid_bare_newline_exclusions lets everyone end a message with a line feed alone."
            yield control.failed(label, message, control.by_hand)


def _stops_pipelining(instance: Instance, service: Service) -> bool:
    """Whether the work-around of 2023 is there: commands behind a false end are refused, and BDAT is not offered."""
    stops = "reject_unauth_pipelining" in setting(instance, service, "smtpd_data_restrictions")
    return stops and "chunking" in setting(instance, service, "smtpd_discard_ehlo_keywords").lower()


def _public_services(case: Case) -> t.Iterator[tuple[str, Instance, Service]]:
    """The services of Postfix that others reach, each with a name for it."""
    config = case.host.facts.config if case.has(EvidenceKind.HOST) else None
    for instance in config or ():
        for service in services(instance):
            if is_public(instance, service) and service.program == "smtpd":
                yield f"{case.host.subject} {service.name}", instance, service


def _ends(case: Case, control: Control) -> t.Iterator[Finding]:
    yield from guarded(_smuggling_in_config, case, control)
    yield from guarded(_smuggling, case, control)


# -- MR-SMTP-02: commands ---------------------------------------------------------------------------------------------

_FORBIDDEN = ("VRFY", "EXPN", "ETRN", "XCLIENT")
#: EHLO offers these to clients that may use them.
_OFFERED = ("ETRN", "XCLIENT")
#: A reply that neither confirms nor denies (RFC 5321 section 3.5.3).
_LEFT_OPEN = 252


@over_smtp("probes.commands")
def _commands(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    tried: t.Sequence[CommandFacts] = document.need("probes.commands")
    by_verb = {verb: [one for one in tried if one.command.split(" ")[0] == verb] for verb in _FORBIDDEN}
    usable = [verb for verb, found in by_verb.items() if any(map(_is_usable, found))]
    open_ = [one for found in by_verb.values() for one in found if one.usable is None and one.answer.code != _LEFT_OPEN]
    missing = [verb for verb, found in by_verb.items() if not found]
    if usable:
        yield control.failed(document.subject, f"Clients can use {', '.join(usable)}.", control.by_hand)
    elif missing:
        why = document.why("probes.commands") or "the server did not reply"
        yield control.undecided(document.subject, f"{', '.join(missing)} is not known: {why}", EvidenceKind.SMTP)
    elif open_:
        reason = f"{open_[0].command.split(' ')[0]} was answered by {said(open_[0].answer)}"
        yield control.undecided(document.subject, reason, EvidenceKind.SMTP)
    else:
        yield control.passed(document.subject, f"Clients cannot use {', '.join(_FORBIDDEN)}.")


def _is_usable(one: CommandFacts) -> bool:
    return bool(one.usable) or (one.offered and one.command.split(" ")[0] in _OFFERED)


# -- MR-SMTP-03: the greeting -----------------------------------------------------------------------------------------


@over_smtp("greeting", "probes.banner")
def _greeting(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    facts = fact(document, "probes.banner") or banner_of(document.need("greeting"))
    told = [*facts.products, *facts.versions]
    if facts.answer.code >= 400:
        reason = f"the server refused the connection: {said(facts.answer)}"
        yield control.undecided(document.subject, reason, EvidenceKind.SMTP)
    elif told:
        yield control.failed(document.subject, f"The greeting names {', '.join(told)}.", control.by_hand)
    else:
        yield control.passed(document.subject, f"The greeting names no product: {said(facts.answer)}.")


# -- MR-SMTP-04: postmaster and abuse ---------------------------------------------------------------------------------

_NAMES = ("postmaster", "abuse")


def _addresses(case: Case, control: Control) -> t.Iterator[Finding]:
    tried = list(_tried(case))
    for name in _NAMES:
        found = [one for one in tried if one[0].partition("@")[0].lower() == name]
        for one in found:
            yield from guarded(functools.partial(_by_reply, one), case, control)
        if not found:
            yield _by_alias(case, control, name)


#: An address, and the document that tells of it with the place of the reply.
_Address = tuple[str, Document, int]


def _tried(case: Case) -> t.Iterator[_Address]:
    for document in case.proofs if case.has(EvidenceKind.PROOF) else ():
        for place, one in enumerate(document.facts.recipients or ()):
            yield one.recipient, document, place


def _by_reply(tried: _Address, case: Case, control: Control) -> t.Iterator[Finding]:
    recipient, document, place = tried
    answer = document.known(document.facts.recipients[place].answer, f"recipients[{place}].answer", recipient)
    if accepted(answer):
        yield control.passed(recipient, f"Mail to {recipient} is accepted.")
    elif refused(answer):
        yield control.failed(recipient, f"Mail to {recipient} is refused: {said(answer)}.", control.by_hand)
    else:
        yield control.undecided(recipient, f"the server cannot tell now: {said(answer)}", EvidenceKind.PROOF)


def _by_alias(case: Case, control: Control, name: str) -> Finding:
    """Without a reply, an alias of the host shows that the address leads somewhere."""
    aliases = case.host.facts.aliases if case.has(EvidenceKind.HOST) else None
    one = next((one for one in aliases or () if one.name == name and one.targets is not None), None)
    if one and any(target.kind not in ("unresolved", "discard") for target in one.targets or ()):
        return control.passed(name, f"Mail to {name} leads to {one.targets[0].value or one.targets[0].kind}.")
    if one and one.targets:
        return control.failed(name, f"Mail to {name} leads nowhere.", control.by_hand)
    message = f"Whether mail to {name} is accepted was not asked."
    return control.not_checked(name, message, "Let the role compliance ask for these addresses in each domain.")


# -- MR-SMTP-05: the size of messages ---------------------------------------------------------------------------------

_TOO_LARGE = 552
#: Replies about something else: a login or TLS is needed first, or a command is out of order.
_OTHERS = (503, 530, 538)


@over_smtp("probes.size", "ehlo", "ehlo_in_tls")
def _size(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    offer = document.facts.ehlo_in_tls or document.facts.ehlo or document.need("ehlo")
    found = fact(document, "probes.size")
    limit = (found.offered if found else None) or offer.max_size
    if not limit:
        yield control.failed(
            document.subject, "The server announces no limit for the size of messages.", control.by_hand
        )
        return
    answer = document.need("probes.size.answer")
    if answer.code == _TOO_LARGE:
        yield control.passed(document.subject, f"Messages of more than {limit} octets are refused: {said(answer)}.")
    elif answer.code in _OTHERS:
        message = (
            f"Whether larger messages are refused is not known, since the server wants something else: {said(answer)}."
        )
        yield control.not_checked(document.subject, message, "Ask a port that takes mail without TLS or a login.")
    elif accepted(answer):
        message = f"A message of {limit + 1} octets is not refused at MAIL, though the limit is {limit}."
        yield control.failed(document.subject, message, control.by_hand)
    else:
        reason = f"the message was refused, but not for its size: {said(answer)}"
        yield control.undecided(document.subject, reason, EvidenceKind.SMTP)


# -- MR-SMTP-06: limits of a client -----------------------------------------------------------------------------------

#: What is limited -> parameters, of which one is enough. 0 stands for any number. Messages are not counted here: some
#: senders have thousands in a minute, and each of them needs a connection and a recipient.
_LIMITS = {
    "connections": ("smtpd_client_connection_count_limit", "smtpd_client_connection_rate_limit"),
    "recipients": ("smtpd_recipient_limit", "smtpd_client_recipient_rate_limit"),
}


def _limits(case: Case, control: Control) -> t.Iterator[Finding]:
    for instance in case.host.need("config"):
        case.host.known(instance.parameters, f"config.{instance.config_directory}")
    found = list(_public_services(case))
    for label, instance, service in found:
        lacking = [
            f"{what} ({names[0]})"
            for what, names in _LIMITS.items()
            if not any(setting(instance, service, name) not in ("", "0") for name in names)
        ]
        exceptions = setting(instance, service, "smtpd_client_event_limit_exceptions").replace(",", " ").split()
        if lets_everyone_in(exceptions):
            yield control.failed(label, "smtpd_client_event_limit_exceptions exempts everyone.", control.by_hand)
        elif lacking:
            yield control.failed(label, f"Nothing limits a client's {' and '.join(lacking)}.", control.by_hand)
        else:
            yield control.passed(label, "Connections and recipients of a client are limited.")
    if not found:
        yield control.not_applicable(case.host.subject, "No service of Postfix takes mail from others.")


JUDGES: Judges = {
    "MR-SMTP-01": _ends,
    "MR-SMTP-02": _commands,
    "MR-SMTP-03": _greeting,
    "MR-SMTP-04": _addresses,
    "MR-SMTP-05": _size,
    "MR-SMTP-06": _limits,
}
