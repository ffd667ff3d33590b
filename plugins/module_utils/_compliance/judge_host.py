# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of the host: its ports, its firewall, its programs, the files of the role, and mail to its operator."""

from __future__ import annotations

import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._evidence.host_config import Instance, Service
from .._evidence.host_network import Listener
from .case import Case, Judges, together
from .judge_firewall import judge_reach, judge_rules
from .profiles import MAIL_PORTS, MANDATORY_TLS, is_loopback, is_public, outgoing, setting

# -- MR-HOST-01: ports ------------------------------------------------------------------------------------------------

_PORTS = {"smtp": 25, "smtps": 465, "submissions": 465, "submission": 587}


def _ports(case: Case, control: Control) -> t.Iterator[Finding]:
    host = case.host
    listening = {one.port: one for one in host.need("listeners") if _takes_mail(one)}
    wanted, by = _declared_ports(case)
    for port in sorted(set(listening) - wanted):
        program = listening[port].program or "a program that is not known"
        message = f"Port {port} is open to others ({program}), but {by} does not declare it."
        remedy = "Remove its service, or declare it in relay_listeners."
        yield control.failed(f"{host.subject}:{port}", message, remedy)
    for port in sorted(wanted - set(listening)):
        message = f"{by[0].upper()}{by[1:]} declares port {port}, but nothing listens there beyond loopback."
        yield control.failed(f"{host.subject}:{port}", message, "Start Postfix, and look for errors in its log.")
    if wanted == set(listening):
        ports = ", ".join(map(str, sorted(wanted)))
        message = f"The mail ports that others reach are those of {by}: {ports}." if ports else _NO_PORT
        yield control.passed(host.subject, message)


_NO_PORT = "No mail port listens beyond loopback, as declared."


def _takes_mail(one: Listener) -> bool:
    """Whether it is a port for mail that others may reach: by its number, or since Postfix has it."""
    return not is_loopback(one.address) and (one.port in MAIL_PORTS or one.program == "master")


def _declared_ports(case: Case) -> tuple[set[int], str]:
    """The ports that should listen, and who says so."""
    if case.listeners is not None:
        return {one.port for one in case.listeners}, "relay_listeners"
    offered = (one for instance in case.host.need("config") for one in _offered(instance))
    return {port for port in map(_port_of, offered) if port}, "master.cf"


def _offered(instance: Instance) -> t.Iterator[Service]:
    return (one for one in instance.services or () if one.type == "inet" and is_public(instance, one))


def _port_of(service: Service) -> int:
    name = service.name.rpartition(":")[2]
    return int(name) if name.isdigit() else _PORTS.get(name, 0)


# -- MR-HOST-03: programs ---------------------------------------------------------------------------------------------


def _running(case: Case, control: Control) -> t.Iterator[Finding]:
    units = [one for one in case.host.need("units") if one.name.startswith("postfix") and one.name.endswith(".service")]
    failed = [one.name for one in units if one.active == "failed"]
    enabled = [one for one in units if (one.enabled or "").startswith(("enabled", "alias"))]
    subject = "postfix.service"
    if failed:
        message = f"{', '.join(failed)} has failed."
        yield control.failed(subject, message, f"Look for the reason with journalctl -u {failed[0]}.")
    elif not any(one.active in ("active", "reloading") for one in units):
        yield control.failed(subject, "Postfix does not run.", "Start it with systemctl enable --now postfix.")
    elif not enabled:
        message = "Postfix runs, but does not start again after a reboot."
        yield control.failed(subject, message, "Enable it with systemctl enable postfix.")
    else:
        yield control.passed(subject, "Postfix runs, and starts again after a reboot.")


def _complaints(case: Case, control: Control) -> t.Iterator[Finding]:
    for instance in case.host.need("config"):
        place = instance.config_directory
        if instance.parameters is None:
            yield control.undecided(place, case.host.why(f"config.{place}") or "its parameters are not known")
        elif instance.complaints:
            message = f"Postfix complains about {place}: {'; '.join(instance.complaints)}"
            yield control.failed(place, f"{message.rstrip('.')}.", "Correct these lines, then run postfix check.")
        else:
            yield control.passed(place, f"Postfix does not complain about {place}.")


def _only_one(case: Case, control: Control) -> t.Iterator[Finding]:
    others = case.host.need("mail_servers")
    for one in others:
        if one.running:
            message = f"{one.name} runs beside Postfix."
            yield control.failed(one.name, message, f"Remove {one.package or one.program}, once Postfix has its mail.")
        elif one.running is None:
            yield control.undecided(one.name, "it is not known whether it runs", EvidenceKind.HOST)
    if not any(one.running or one.running is None for one in others):
        yield control.passed(case.host.subject, "No other mail server runs.")


def _updates(case: Case, control: Control) -> t.Iterator[Finding]:
    packages = case.host.need("packages")
    updates = case.host.known(packages.updates, "packages.updates", packages.system)
    behind = [f"{one.name} {one.version}" for one in updates if one.security]
    if behind:
        message = f"Security updates are not installed: {', '.join(behind)}."
        yield control.failed(packages.system, message, f"Install them with {packages.manager}.")
    else:
        yield control.passed(packages.system, "No security update of a mail package is pending.")


# -- MR-HOST-05: mail to the operator ---------------------------------------------------------------------------------

_REQUIRED = ("root", "postmaster")
_LOST = {"discard": "is discarded", "unresolved": "leads to a name that does not exist"}


def _aliases(case: Case, control: Control) -> t.Iterator[Finding]:
    host = case.host
    for one in host.need("aliases"):
        if one.name not in _REQUIRED:
            continue
        subject = ".".join(filter(None, [one.instance, one.name]))
        fault = "" if one.targets is None else _why_lost(one.targets, one.loops or ())
        if one.targets is None:
            yield control.undecided(subject, host.why(f"aliases.{subject}") or "its aliases are not known")
        elif fault:
            message = f"Mail to {one.name} {fault}."
            yield control.failed(subject, message, f"Set {one.name} to a mailbox in relay_aliases, or in /etc/aliases.")
        else:
            where = ", ".join(target.value or target.kind for target in one.targets)
            yield control.passed(subject, f"Mail to {one.name} ends at {where}.")


def _why_lost(targets: t.Sequence[t.Any], loops: t.Sequence[str]) -> str:
    """What becomes of mail that ends in no mailbox; empty if one target is a mailbox or an address."""
    if loops:
        return f"goes in a circle: {', '.join(loops)}"
    if any(one.kind not in _LOST and one.value != "/dev/null" for one in targets):
        return ""
    return _LOST.get(targets[0].kind, _LOST["discard"]) if targets else "leads nowhere"


# -- MR-HOST-06: drift ------------------------------------------------------------------------------------------------


def _drift(case: Case, control: Control) -> t.Iterator[Finding]:
    host = case.host
    managed = host.need("managed")
    faults = 0
    for one in managed:
        fault = _drifted(one.state, one.mode, one.deployed_mode)
        if one.state is None or (one.mode is None and not fault):
            yield control.undecided(one.path, host.why(f"managed.{one.path}") or "its content is not known")
        elif fault:
            message = f"{one.path} {fault} since the role {one.transaction} deployed it."
            yield control.failed(one.path, message, "Bring the change into the variables of the role, and run it.")
        faults += bool(fault) or one.state is None or one.mode is None
    if not managed:
        yield control.not_applicable(host.subject, f"No role of this collection has deployed files on {host.subject}.")
    elif not faults:
        yield control.passed(host.subject, f"All {len(managed)} files of the role are as it deployed them.")


def _drifted(state: str | None, mode: str | None, deployed: str) -> str:
    if state in ("edited", "missing"):
        return {"edited": "was edited", "missing": "was removed"}[state]
    return f"had its mode changed from {deployed} to {mode}" if mode and mode != deployed else ""


# -- MR-DANE-03: TLS to other servers ---------------------------------------------------------------------------------

_DANE = ("dane", "dane-only")
_OUTGOING = ("smtp_tls_security_level", "smtp_tls_policy_maps", "smtp_dns_support_level")
#: How a policy server for MTA-STS is asked.
_POLICY_SERVERS = ("socketmap:", "tcp:")


def _outgoing_tls(case: Case, control: Control) -> t.Iterator[Finding]:
    for instance in case.host.need("config"):
        subject = instance.config_directory
        case.host.known(instance.parameters, f"config.{subject}", subject)
        level, maps, dns = (setting(instance, outgoing(instance), name) for name in _OUTGOING)
        level = level or "none"
        if level in _DANE and dns != "dnssec":
            message = f"smtp_tls_security_level is {level}, which has no effect without DNSSEC."
            yield control.failed(subject, message, "Set smtp_dns_support_level to dnssec.")
        elif level in (*_DANE, *MANDATORY_TLS):
            yield control.passed(subject, f"Mail leaves over TLS of the level {level}.")
        elif any(one in maps for one in _POLICY_SERVERS):
            yield control.passed(subject, f"A policy server decides about TLS (smtp_tls_policy_maps: {maps}).")
        else:
            message = f"smtp_tls_security_level is {level}, so that an attacker on the way can turn TLS off."
            yield control.failed(subject, message, control.by_hand)


JUDGES: Judges = {
    "MR-HOST-01": _ports,
    "MR-HOST-02": together(judge_rules, judge_reach),
    "MR-HOST-03": together(_running, _complaints, _only_one, _updates),
    "MR-HOST-05": _aliases,
    "MR-HOST-06": _drift,
    "MR-DANE-03": _outgoing_tls,
}
