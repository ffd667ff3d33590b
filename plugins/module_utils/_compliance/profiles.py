# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which profiles a host has, by the evidence. The first rule that applies decides, and gives the reason."""

from __future__ import annotations

import typing as t

from .._controls.control import EvidenceKind, Profile
from .._evidence.host_config import Instance, Service
from .._evidence.host_network import Listener
from .case import Case, Document

Choice = tuple[tuple[Profile, ...], str]

MAIL_PORTS = (25, 465, 587, 2525)
#: Parameters that name domains of others for which a host takes mail.
_MX = ("relay_domains", "virtual_mailbox_domains")
_LOOPBACK = ("127.", "::1", "[::1]", "localhost", "loopback-only")


def choose(case: Case) -> Choice:
    """The profiles of a host, and why, in a sentence."""
    if case.target.profiles:
        return case.target.profiles, "The profile was named."
    for rule in (_by_declaration, _by_host, _by_smtp):
        found = rule(case)
        if found:
            return found
    return (Profile.OUTBOUND_RELAY,), "No evidence tells what the host is there for, so it is judged as a relay."


def _by_declaration(case: Case) -> Choice | None:
    declared = case.target.declared
    if declared.listeners is None:
        return None
    if not declared.listeners:
        return (Profile.NULL_CLIENT,), "The host is declared to have no listener."
    login = any(one.login for one in declared.listeners)
    return _relay(login, bool(declared.relay_domains), "The declared listeners tell so.")


def _by_host(case: Case) -> Choice | None:
    """By the ports that others reach, and by the login that Postfix offers there."""
    if not case.has(EvidenceKind.HOST):
        return None
    facts = case.host.facts
    if not facts.config:
        return None
    offered = [(instance, one) for instance in facts.config for one in services(instance) if is_public(instance, one)]
    if facts.listeners is not None and not any(map(reaches_others, facts.listeners)):
        offered = []
    if not offered:
        return (Profile.NULL_CLIENT,), "Postfix listens on loopback alone."
    login = any(setting(instance, one, "smtpd_sasl_auth_enable") == "yes" for instance, one in offered)
    mx = any(name in (instance.own or ()) and setting(instance, one, name) for instance, one in offered for name in _MX)
    return _relay(login, mx or _is_mx(case), "The configuration of Postfix tells so.")


def _by_smtp(case: Case) -> Choice | None:
    """By what the server offers to others."""
    if not case.has(EvidenceKind.SMTP):
        return None
    login = any(one.auth_mechanisms for document in case.smtp for one in _offers(document))
    return _relay(login, _is_mx(case), "What the server offers over SMTP tells so.")


def _offers(document: Document) -> t.Iterator[t.Any]:
    facts = document.facts
    return (one for one in (facts.ehlo, facts.ehlo_in_tls) if one is not None)


def _relay(login: bool, mx: bool, reason: str) -> Choice:
    found = [Profile.SUBMISSION_RELAY] * login + [Profile.MX] * mx
    return tuple(found or [Profile.OUTBOUND_RELAY]), reason


def _is_mx(case: Case) -> bool:
    """Whether an MX record names the host."""
    names = {case.target.host.lower()}
    if case.has(EvidenceKind.SMTP):
        names |= {document.facts.host.lower() for document in case.smtp}
    if case.has(EvidenceKind.HOST):
        names |= {(one.parameters or {}).get("myhostname", "").lower() for one in case.host.facts.config or ()}
    documents = case.dns if case.has(EvidenceKind.DNS) else ()
    return any(mx.host and mx.host.lower() in names for document in documents for mx in document.facts.mx or ())


# -- what the configuration says, for judges too ----------------------------------------------------------------------


def services(instance: Instance, program: str = "smtpd") -> tuple[Service, ...]:
    """The services of master.cf that accept mail over TCP. postscreen hands over to smtpd."""
    wanted = (program, "postscreen") if program == "smtpd" else (program,)
    return tuple(one for one in instance.services or () if one.type == "inet" and one.program in wanted)


#: Levels of smtp_tls_security_level without which Postfix sends nothing, whatever the server offers.
MANDATORY_TLS = ("encrypt", "fingerprint", "verify", "secure")


def outgoing(instance: Instance) -> Service | None:
    """The service that delivers mail without a more exact rule."""
    transport = setting(instance, None, "default_transport").partition(":")[0]
    return next((one for one in instance.services or () if one.name == transport), None)


def setting(instance: Instance, service: Service | None, name: str) -> str:
    """The effective value of a parameter for a service, or for the instance. Empty if it is not known."""
    own = service.parameters.get(name) if service else None
    return ((instance.parameters or {}).get(name, "") if own is None else own).strip()


def is_public(instance: Instance, service: Service) -> bool:
    """Whether the service listens on more than loopback, as its entry and inet_interfaces say."""
    host, colon, _port = service.name.rpartition(":")
    where = host if colon else setting(instance, service, "inet_interfaces")
    names = where.replace(",", " ").split()
    return not names or not all(map(is_loopback, names))


def is_loopback(address: str) -> bool:
    """Whether an address, or a word of inet_interfaces, is reached from the host alone."""
    return address.startswith(_LOOPBACK)


def reaches_others(listener: Listener) -> bool:
    """Whether a mail port accepts connections on more than loopback."""
    return listener.port in MAIL_PORTS and not is_loopback(listener.address)
