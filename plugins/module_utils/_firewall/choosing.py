# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend can enforce the rules on this host, and if not, why. Changes nothing, and turns no firewall on."""

from __future__ import annotations

import re
import typing as t

from .backends import BACKENDS
from .host import read_lines, run

#: Choose by what is active.
AUTO = "auto"
#: Firewalls that decide about every port of the host once they are active.
_WHOLE_HOST = ("firewalld", "ufw")
_CAP_NET_ADMIN = 12  # capabilities(7)


class Choice(t.NamedTuple):
    """The backend.

    :ivar active: active firewalls that decide about every port of the host.
    :ivar problem: why the backend cannot be used, and what to do; empty if it can.
    """

    backend: str
    active: list[str]
    problem: str


def choose(wanted: str) -> Choice:
    """Take the firewall that is active, or nftables if none is.

    :param wanted: name of a backend, or :data:`AUTO`.
    """
    active = [name for name in _WHOLE_HOST if BACKENDS[name].at_work()]
    backend = (active or ["nftables"])[0] if wanted == AUTO else wanted
    return Choice(backend, active, _find_problem(backend, active))


def _find_problem(backend: str, active: list[str]) -> str:
    if not may_change_firewalls():
        return (
            "Ansible may not change the firewall of this host: CAP_NET_ADMIN is missing, as in many containers and for"
            " every user but root. Protect the host from outside, and set relay_firewall.backend to none."
        )
    if backend in _WHOLE_HOST and backend not in active:
        return (
            f"relay_firewall.backend is {backend}, and {backend} is not active on this host. The role turns no firewall"
            " on, since that decides about every port, that of SSH included. Turn it on first, or set"
            " relay_firewall.backend to auto."
        )
    for other in active:
        if other != backend:
            return (
                f"{other} is active on this host, and what it closes the backend {backend} cannot open. Set"
                f" relay_firewall.backend to {other}, or turn one of the firewalls off."
            )
    for chain in find_dropping_chains(run("nft", "list", "chains").stdout):
        if chain not in BACKENDS[backend].dropping_chains:
            return (
                f"The nftables chain {chain!r} drops unmatched packets, and no backend of the role can open a port in"
                " it. Set relay_firewall.backend to none and open the ports there."
            )
    return ""


def may_change_firewalls() -> bool:
    """Whether this process has CAP_NET_ADMIN (capabilities(7))."""
    effective = next((line for line in read_lines("/proc/self/status") if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(effective.split()[1], 16) >> _CAP_NET_ADMIN & 1)


def find_dropping_chains(chains: str) -> list[str]:
    """From ``nft list chains``: family, table and name of chains that see all input and drop by policy."""
    found, table, chain = [], "", ""
    for line in chains.splitlines():
        if header := re.match(r"table (\S+ \S+) \{", line):
            table = header[1]
        elif header := re.match(r"\s+chain (\S+) \{", line):
            chain = header[1]
        elif "hook input" in line and "policy drop" in line:
            found.append(f"{table} {chain}")
    return found
