# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect the evidence of a host: which groups of facts there are, and who gathers each."""

from __future__ import annotations

import os
import time
import typing as t

from .._evidence.document import Evidence, Kind, Vantage, moment
from .._evidence.host import HostFacts
from . import (
    aliases,
    certificates,
    dkim,
    egress,
    files,
    firewall,
    instances,
    listeners,
    mail_servers,
    managed,
    packages,
    queue,
    units,
)
from .host import Host, Run

#: By the name of a group, which is also its field of :class:`HostFacts`: who gathers it.
GATHER: dict[str, t.Callable[[Host], t.Any]] = {
    "config": instances.find,
    "listeners": listeners.find,
    "egress": egress.find,
    "files": files.find,
    "managed": managed.find,
    "dkim": dkim.find,
    "certificates": certificates.find,
    "aliases": aliases.find,
    "firewall": firewall.find,
    "packages": packages.find,
    "units": units.find,
    "mail_servers": mail_servers.find,
    "queue": queue.find,
}


def collect(run: Run, groups: t.Collection[str], root: str = "") -> Evidence[HostFacts]:
    """Gather these groups of facts, each for itself: what one cannot see says nothing about the others."""
    began = time.time()
    host = Host(run, root)
    name = os.uname().nodename
    facts = HostFacts(**{group: gather(host) for group, gather in GATHER.items() if group in groups})
    return Evidence(
        kind=Kind.HOST,
        subject=name,
        seen_at=moment(began),
        seconds=round(time.time() - began, 3),
        seen_from=Vantage(host=name),
        facts=facts,
        unknown=tuple(host.unknown),
    )
