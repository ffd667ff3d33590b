# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of relaying without a login: what strangers can do, and what the configuration allows."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._evidence.host_config import Instance, Service
from .._evidence.smtp_probes import RelayFacts, RelayOutcome, RelayVariantFacts
from .._probes.relay import NO_RELAY
from .attempts import accepted, login_works, refused, said, wants_login, wants_tls
from .case import Case, Document, Judges, NotAsked
from .networks import WIDEST, is_one_host, is_public, read_network, within
from .ports import by_port, is_trusted, over_smtp, services_on, unreached
from .profiles import setting

# -- MR-RELAY-01: what strangers can do -------------------------------------------------------------------------------

#: Variants whose recipient is the sink as it is written: the server cannot take it for a mailbox of its own.
_PLAIN = re.compile(r'[^@%!":]+@[^@%!":]+\Z')
#: Parameters with the domains for which Postfix takes mail. A table among them is not in the evidence.
_OWN = ("relay_domains", "mydestination", "virtual_mailbox_domains", "virtual_alias_domains")
_ELSEWHERE = "Name a recipient in a domain of another server: compliance_recipient, or probe_sink of smtp_info."
_OUTSIDE = "Ask from a host outside of these networks, with the active test relay."


def _open_relay(case: Case, control: Control) -> t.Iterator[Finding]:
    closed = [port for port, documents in by_port(case).items() if _is_closed(case, port, documents)]
    for port in closed:
        message = f"Strangers cannot connect to port {port}: the packet filter of the host refuses them."
        yield control.passed(f"{case.target.host}:{port}", message)
    yield from over_smtp("probes.relay", only=lambda _case, port: port not in closed)(_by_variants)(case, control)


def _is_closed(case: Case, port: int, documents: t.Sequence[Document]) -> bool:
    """Whether no stranger can connect, though the port serves others: seen from both sides, and in the rules.

    That a connection fails shows nothing by itself: the server may be down, or the network on the way be in between.
    """
    strangers = [one for one in documents if not is_trusted(case, one)]
    serves = any(one.facts.greeting and one.facts.greeting.code == 220 for one in documents)
    firewall = case.host.facts.firewall if case.has(EvidenceKind.HOST) else None
    rules = [one.others for one in firewall.ports if one.port == port] if firewall else []
    return serves and bool(strangers) and all(map(unreached, strangers)) and bool(rules) and set(rules) == {"drop"}


def _by_variants(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    relay: RelayFacts = document.need("probes.relay")
    vantage, trusted = document.evidence.seen_from, is_trusted(case, document)
    open_ = [one for one in relay.variants if _is_open(one)]
    sinks = [one.recipient for one in relay.variants if _PLAIN.match(one.recipient)]
    outside = [one for one in by_port(case)[document.facts.port] if not is_trusted(case, one) and unreached(one)]
    if trusted and outside:
        yield from (control.undecided(one.subject, unreached(one)) for one in outside)
    elif trusted:
        message = f"{vantage.host} is in the networks that may relay, so that its attempts prove nothing."
        yield control.not_checked(document.subject, message, _OUTSIDE)
    elif sinks and all(_is_own(case, document, one) for one in sinks):
        reason = f"the host takes mail for {sinks[0]} from everyone, so that the attempts prove nothing"
        yield dataclasses.replace(control.undecided(document.subject, reason), remedy=_ELSEWHERE)
    elif open_ and trusted is None and not any(map(_is_of_internet, vantage.addresses)):
        reason = f"{vantage.host} can relay, and it is not known whether it is in the networks that may"
        yield control.undecided(document.subject, reason, EvidenceKind.HOST)
    elif open_:
        yield _accepted(control, document, open_)
    else:
        yield _refused(case, control, document, relay)


def _is_open(one: RelayVariantFacts) -> bool:
    """Whether the server accepted the recipient, and did not refuse the message after all."""
    if one.outcome is RelayOutcome.CONFIRMED or one.arrived:
        return True
    return one.outcome is RelayOutcome.ACCEPTED and not refused(one.end_of_data)


def _is_of_internet(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _accepted(control: Control, document: Document, found: t.Sequence[RelayVariantFacts]) -> Finding:
    confirmed = [one for one in found if one.outcome is RelayOutcome.CONFIRMED or one.arrived]
    plain = [one for one in found if _PLAIN.match(one.recipient) and one.arrived is None]
    if confirmed:
        message = f"Strangers can relay: {_names(confirmed)} arrived at another server."
        return control.failed(document.subject, message, control.by_hand)
    if plain:
        message = f"Mail of strangers to strangers is accepted: {_names(plain)}. No message was sent to confirm it."
        return control.failed(document.subject, message, control.by_hand)
    reason = f"{_names(found)} was accepted at RCPT, which may mean a mailbox of the server"
    if all(one.arrived is False for one in found):
        reason = f"{_names(found)} was accepted, but has not arrived"
    return control.undecided(document.subject, reason)


def _is_own(case: Case, document: Document, address: str) -> bool:
    """Whether the host itself takes mail for the domain of the address, as declared or configured."""
    domains = set(case.target.declared.relay_domains or ())
    for instance, service in services_on(case, document.facts.port):
        domains |= {one for name in _OWN for one in setting(instance, service, name).replace(",", " ").split()}
    return address.rpartition("@")[2].lower() in {one.lower() for one in domains}


def _refused(case: Case, control: Control, document: Document, relay: RelayFacts) -> Finding:
    open_ = [one for one in relay.variants if one.outcome is None]
    if not _is_proven(case, document, relay):
        reason = f"every recipient was refused, also one of the server itself ({said(relay.local or relay.mail)})"
        return control.undecided(document.subject, f"{reason}, so that the refusals may be of the client that asked")
    if open_ or not relay.variants:
        why = document.why("probes.relay.variants")
        reason = f"it is not known whether {_names(open_)} works" if open_ else "no way was tried"
        return control.undecided(document.subject, f"{reason}: {why}" if why else reason)
    where = document.evidence.seen_from.host
    return control.passed(document.subject, f"No way to relay works, tried from {where}: {len(relay.variants)}.")


def _is_proven(case: Case, document: Document, relay: RelayFacts) -> bool:
    """Whether the server serves this client, so that its refusals are refusals to relay."""
    port = document.facts.port
    if wants_tls(relay.mail):
        return False
    if relay.mail.code == 530 or login_works(case, port) or wants_login(case, port):
        return True
    if not accepted(relay.mail):
        return False
    if accepted(relay.local) or (relay.local and (relay.local.enhanced_code or "").startswith("5.1.")):
        return True
    wants = any(one.outcome is RelayOutcome.AUTHENTICATION_REQUIRED for one in relay.variants)
    answers = [one.answer for one in relay.variants if one.answer]
    return wants or any(NO_RELAY.search(one.text) for one in answers)


def _names(found: t.Sequence[RelayVariantFacts]) -> str:
    names = [f"{one.number} ({one.name})" for one in found]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"variant{'s' * (len(names) > 1)} {', '.join(names[:3])}{more}"


# -- MR-RELAY-02: networks --------------------------------------------------------------------------------------------

#: Wider than most sites. Public ranges may never be, and others have to be declared.
_WIDE = {4: 16, 6: 48}


def _networks(case: Case, control: Control) -> t.Iterator[Finding]:
    host = case.host
    for label, instance, service in _listeners(host, "mynetworks"):
        entries = setting(instance, service, "mynetworks").replace(",", " ").split()
        entries = [one for one in entries if not one.startswith("!")]
        wide = [reason for one in entries for reason in _too_wide(case, one)]
        tables = [one for one in entries if read_network(one) is None]
        if wide:
            message = f"mynetworks is too wide: {'; '.join(wide)}."
            yield control.failed(label, message, control.by_hand)
        elif tables:
            message = f"mynetworks has {', '.join(tables)}, whose networks are not in the evidence."
            yield control.not_checked(label, message, "List the networks in mynetworks itself.")
        else:
            yield control.passed(label, f"mynetworks is {', '.join(entries) or 'empty'}.")


def _too_wide(case: Case, entry: str) -> t.Iterator[str]:
    network = read_network(entry)
    named = case.target.declared.networks
    declared = None if named is None else [one for one in map(read_network, named) if one]
    if network is None or network.is_loopback:
        return
    widest = _WIDE if is_public(network) else WIDEST
    if network.prefixlen < widest[network.version]:
        yield f"{entry} has more addresses than any site"
    elif declared is not None and not within(network, declared) and not is_one_host(network):
        yield f"{entry} is not declared in relay_networks"
    elif declared is None and is_public(network) and not is_one_host(network):
        yield f"{entry} is a range of public addresses"
    elif declared is None and network.prefixlen < _WIDE[network.version]:
        yield f"{entry} has more addresses than most sites"


def _listeners(host: Document, name: str) -> t.Iterator[tuple[str, Instance, Service | None]]:
    """The places where a parameter is set for services that accept mail: main.cf if it counts, and services.

    Raises :class:`Missing` if the configuration is not known.
    """
    config: t.Sequence[Instance] = host.need("config")
    if not config:
        raise NotAsked(host.kind, host.subject, "Postfix is not installed there")
    for instance in config:
        path = f"config.{instance.config_directory}"
        host.known(instance.parameters, path)
        label = " ".join(filter(None, [host.subject, instance.name]))
        found = [one for one in host.known(instance.services, path) if one.program == "smtpd"]
        own = [one for one in found if name in one.parameters]
        if name not in (instance.parameters or {}) and len(own) < max(len(found), 1):
            raise NotAsked(host.kind, host.subject, f"its evidence does not have the value of {name}")
        if len(own) < len(found) or not found:
            yield label, instance, None
        yield from ((f"{label} {one.name}", instance, one) for one in own)


# -- MR-RELAY-03: restrictions ----------------------------------------------------------------------------------------

_RESTRICTIONS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
_REFUSALS = ("reject_unauth_destination", "defer_unauth_destination", "reject", "defer")
#: They let strangers through.
_OPEN = ("permit", "permit_dnswl_client", "permit_rhswl_client", "permit_naked_ip_address")
_TOKEN = re.compile(r"\{[^{}]*\}|[^\s,{}]+")
_ACCESS = re.compile(r"check_\w+_access\Z")
_STATIC = re.compile(r"static:\{?\s*(?:ok|permit)\b", re.IGNORECASE)


def _restrictions(case: Case, control: Control) -> t.Iterator[Finding]:
    for label, instance, service in _listeners(case.host, "smtpd_relay_restrictions"):
        # Older than 2.10, Postfix had the second one alone, and an empty first one still leaves it to that.
        values = {name: setting(instance, service, name) for name in _RESTRICTIONS}
        name = next((one for one in _RESTRICTIONS if values[one]), _RESTRICTIONS[0])
        fault, tables = _fault(values[name]), _tables(values[name])
        if fault:
            yield control.failed(label, f"{name} {fault}.", control.by_hand)
        elif tables:
            message = f"{name} asks {tables} before it refuses, whose entries are not in the evidence."
            yield control.not_checked(label, message, "See that no entry lets strangers in, or remove the table.")
        else:
            yield control.passed(label, f"{name} leads to a refusal: {values[name]}.")


def _fault(value: str) -> str:
    """What is wrong with relay restrictions; empty if nothing is."""
    before = ""
    for token in _TOKEN.findall(value):
        if token in _REFUSALS and before != "warn_if_reject":
            return ""
        if token in _OPEN or _STATIC.match(token):
            return f"has {token} before any refusal"
        before = token
    return f"ends with {before}, not with a refusal" if before else "is empty"


def _tables(value: str) -> str:
    """The first access table that may let clients relay before any refusal; empty if there is none."""
    before = ""
    for token in _TOKEN.findall(value):
        if token in _REFUSALS and before != "warn_if_reject":
            return ""
        if _ACCESS.match(before) and ":" in token and not _STATIC.match(token):
            return f"{before} {token}"
        before = token
    return ""


JUDGES: Judges = {
    "MR-RELAY-01": _open_relay,
    "MR-RELAY-02": _networks,
    "MR-RELAY-03": _restrictions,
}
