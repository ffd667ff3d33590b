# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of MR-HOST-02: what the packet filters let in, and what other hosts found of it."""

from __future__ import annotations

import ipaddress
import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._evidence.host_network import PortAccess
from .._evidence.smtp import Reach
from .case import Case, DeclaredListener, NotAsked
from .networks import Network, within

_LOOPBACK = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))
_EVERYONE = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}


def declared(case: Case) -> tuple[DeclaredListener, ...]:
    """The listeners that the owner declared. Raises :class:`.case.Missing`."""
    listeners = case.listeners
    if listeners is None:
        reason = "it is not known which networks may connect to which port (relay_listeners)"
        raise NotAsked(EvidenceKind.HOST, case.target.host, reason)
    return listeners


def judge_rules(case: Case, control: Control) -> t.Iterator[Finding]:
    """Compare the rules for each declared port with the networks that may connect."""
    host = case.host
    firewall = host.need("firewall")
    wanted = declared(case)
    for listener in wanted:
        found = [one for one in firewall.ports if one.port == listener.port and _is_used(case, one)]
        if not found:
            yield control.undecided(f"{host.subject}:{listener.port}", "the rules for it were not read")
        for one in found:
            yield _judge_port(control, host.subject, listener, one)
    if not wanted:
        yield control.passed(host.subject, "No port is declared, so that none has to be open.")


def _is_used(case: Case, access: PortAccess) -> bool:
    """Whether the port listens in this version of IP, as far as is known."""
    listeners = case.host.facts.listeners
    if listeners is None:
        return True
    own = [one for one in listeners if one.port == access.port]
    return any(one.takes_ipv4 if access.ip_version == 4 else ":" in one.address for one in own)


def _judge_port(control: Control, host: str, listener: DeclaredListener, access: PortAccess) -> Finding:
    subject = f"{host}:{access.port} over IPv{access.ip_version}"
    own = [one for one in map(_network, listener.sources) if one.version == access.ip_version]
    wanted = own if listener.sources else [_EVERYONE[access.ip_version]]
    verdicts = {network: _verdict(access, network) for network in wanted}
    shut = [str(network) for network, verdict in verdicts.items() if verdict == "drop"]
    beyond = [] if not listener.sources else _beyond(access, wanted)
    unclear = [str(network) for network, verdict in verdicts.items() if verdict == "unknown"]
    unclear += [one for one in access.unknown if not within(_network(one), wanted)] if listener.sources else []
    if shut:
        message = f"The firewall refuses {_shown(shut)} on port {access.port}, though they may connect."
        return control.failed(subject, message, f"Allow port {access.port} for {_shown(shut)}.")
    if beyond:
        message = (
            f"The firewall lets {_shown(beyond)} connect to port {access.port}, beyond {_shown(listener.sources)}."
        )
        return control.failed(subject, message, "Set relay_firewall to auto, or remove the rule that lets them in.")
    if unclear or (listener.sources and access.others == "unknown"):
        what = _shown(unclear) if unclear else "other networks"
        return control.undecided(subject, f"what the rules mean for {what} is not understood", EvidenceKind.HOST)
    networks = _shown(listener.sources) if listener.sources else "everyone"
    return control.passed(subject, f"The firewall opens port {access.port} to {networks}, as declared.")


def _shown(networks: t.Iterable[str]) -> str:
    return ", ".join("everyone" if one.endswith("/0") else one for one in networks)


def _beyond(access: PortAccess, wanted: t.Sequence[Network]) -> list[str]:
    """Who may connect although the owner does not want it. Loopback always may."""
    if access.others == "accept" and not any(network.prefixlen == 0 for network in wanted):
        return [str(_EVERYONE[access.ip_version])]
    return [one for one in access.accepts if not within(_network(one), [*wanted, *_LOOPBACK])]


def _verdict(access: PortAccess, network: Network) -> str:
    """What becomes of a network: the smallest one around it that the rules name decides."""
    named = [("accept", one) for one in access.accepts] + [("drop", one) for one in access.drops]
    named += [("unknown", one) for one in access.unknown]
    around = [(_network(one).prefixlen, verdict) for verdict, one in named if within(network, [_network(one)])]
    return max(around, default=(0, access.others))[1]


def _network(text: str) -> Network:
    return ipaddress.ip_network(text, strict=False)


def judge_reach(case: Case, control: Control) -> t.Iterator[Finding]:
    """Compare what other hosts found of the declared ports with the networks that may connect."""
    by_port = {one.port: one for one in case.listeners or ()}
    for document in case.smtp if case.has(EvidenceKind.SMTP) else ():
        listener = by_port.get(document.facts.port)
        for one in (document.facts.connections or ()) if listener else ():
            subject = f"{document.subject} from {document.evidence.seen_from.host}"
            sources = [_network(text) for text in t.cast("DeclaredListener", listener).sources]
            may = not sources or _may_connect(one.source, sources)
            if may and one.state is Reach.FILTERED:
                message = f"Port {one.port} does not answer {one.source or 'this host'}, though it may connect."
                yield control.failed(subject, message, f"Allow port {one.port} in each firewall on the way.")
            elif may is False and one.state is Reach.OPEN:
                message = f"Port {one.port} accepts a connection from {one.source}, which may not connect."
                yield control.failed(subject, message, "Set relay_firewall to auto, or correct the rules.")


def _may_connect(source: str, sources: t.Sequence[Network]) -> bool | None:
    """Whether an address may connect; None if it is not known, or loopback, which always may."""
    if not source:
        return None
    network = _network(source.partition("%")[0])
    return None if within(network, _LOOPBACK) else within(network, sources)
