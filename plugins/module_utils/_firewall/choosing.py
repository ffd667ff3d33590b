# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend can enforce the rules on this host, and if not, why. Changes nothing, and turns no firewall on."""

from __future__ import annotations

import ipaddress
import os
import re
import typing as t

from .backends import BACKENDS
from .from_iptables import list_tables
from .from_nft import list_ruleset
from .host import is_installed, read_lines, ssh_ends
from .rules import Network
from .walk import Chain, Packet, refusing_chains

#: Choose by what is active.
AUTO = "auto"
#: Firewalls that decide about every port of the host once they are active.
_WHOLE_HOST = ("firewalld", "ufw")
_CAP_NET_ADMIN = 12  # capabilities(7)
#: Chains of programs that ban single addresses for a time, by their defaults: fail2ban, CrowdSec, sshguard. A client
#: that is banned now is meant to be.
_BANS = re.compile(r"\S+ (?:f2b-table |\S+ f2b-|crowdsec6? |\S+ (?:CROWDSEC|crowdsec)|sshguard |\S+ sshguard)")
#: Clients of a port that is open to all. A host that closes only IPv6 is often meant to.
_ANY = ipaddress.ip_network("0.0.0.0/0")

Ports = t.Mapping[int, t.Collection[Network]]


class Choice(t.NamedTuple):
    """The backend, and what it was chosen by.

    :ivar active: active firewalls that decide about every port of the host.
    :ivar problem: why the backend cannot be used, and what to do; empty if it can.
    :ivar unread: whether rules of nftables cannot be read, as nft is not installed. Those of iptables have been.
    :ivar ssh_from: address of the SSH client as this host sees it; empty without SSH.
    :ivar ssh_to: the address of this host that it is connected to.
    """

    backend: str
    active: list[str]
    problem: str
    unread: bool = False
    ssh_from: str = ""
    ssh_to: str = ""


def choose(wanted: str, ports: Ports | None = None) -> Choice:
    """Take the firewall that is active, or nftables if none is.

    :param wanted: name of a backend, or :data:`AUTO`.
    :param ports: declared ports, each with the clients that may connect; an empty collection admits all clients.
    """
    active = active_firewalls()
    backend = (active or ["nftables"])[0] if wanted == AUTO else wanted
    problem = _find_problem(backend, active, ports or {})
    return Choice(backend, active, problem, not is_installed("nft"), *ssh_ends())


def active_firewalls() -> list[str]:
    """Active firewalls that decide about every port of the host."""
    return [name for name in _WHOLE_HOST if BACKENDS[name].at_work()]


def _find_problem(backend: str, active: list[str], ports: Ports) -> str:
    if not may_change_firewalls():
        if os.geteuid():
            return "Only root can read and change the firewall of this host. Set become: true for the role."
        return (
            "Ansible can neither read nor change the firewall of this host: CAP_NET_ADMIN is missing, as in many"
            " containers. Protect its ports from outside, where relay_listeners[].from must be enforced too, and set"
            " relay_firewall.backend to none."
        )
    if backend in _WHOLE_HOST and backend not in active:
        return (
            f"relay_firewall.backend is {backend}, and {backend} is not active on this host. The role turns no firewall"
            " on, since that decides about every port, that of SSH included. Set relay_firewall.backend to auto, or let"
            f" {backend} accept SSH first and turn it on then."
        )
    for other in active:
        if other != backend:
            return (
                f"{other} is active on this host, and what it closes the backend {backend} cannot open. Set"
                f" relay_firewall.backend to {other} or auto."
            )
    rulesets = [list_ruleset(), *list_tables()]
    own = (*BACKENDS["nftables"].own_chains, *BACKENDS[backend].own_chains)  # a table may be left of an earlier run
    return _find_refusal([_without(chains, own) for chains in rulesets], ports)


def _without(chains: t.Iterable[Chain], own: tuple[str, ...]) -> list[Chain]:
    """Leave out the backend's own chains, and bans. What jumps to one of them may end in any way."""
    return [chain for chain in chains if not (chain.label.startswith(own) or _BANS.match(chain.label))]


def _find_refusal(rulesets: t.Collection[list[Chain]], ports: Ports) -> str:
    """A sentence about the declared clients that a chain of others refuses for certain; empty if there are none."""
    refused: dict[str, list[str]] = {}
    for port, sources in ports.items():
        for source in sources or [_ANY]:
            for chains in rulesets:
                for chain in refusing_chains(chains, Packet(port, source)):
                    clients = refused.setdefault(chain.label, [])
                    client = f"port {port}" + (f" from {source}" if sources else "")
                    clients += [client] if client not in clients else []
    if not refused:
        return ""
    chains_of_others = "; ".join(f"{label!r} refuses {', '.join(clients)}" for label, clients in refused.items())
    return (
        f"Another packet filter of this host refuses clients of the relay, and the role can open no port in it. Chain"
        f" {chains_of_others}. Accept these ports there, where its rules are kept, for all clients: the rules of the"
        " role decide who may connect."
    )


def may_change_firewalls() -> bool:
    """Whether this process has CAP_NET_ADMIN (capabilities(7))."""
    effective = next((line for line in read_lines("/proc/self/status") if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(effective.split()[1], 16) >> _CAP_NET_ADMIN & 1)
