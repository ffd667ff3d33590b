# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of evidence of kind ``host``: what a mail host says of itself."""

from __future__ import annotations

import dataclasses

from .document import fact
from .host_config import Instance
from .host_files import CertificateFile, DkimKey, HostFile, ManagedFile
from .host_mail import Alias, Queue
from .host_network import Egress, FirewallFacts, Listener
from .host_system import MailServer, Packages, Unit


@dataclasses.dataclass(frozen=True)
class HostFacts:
    """What a mail host says of itself. A group that was not gathered is null."""

    config: tuple[Instance, ...] | None = fact(
        "The configuration of each instance of Postfix. Empty if Postfix is not installed.", default=None
    )
    listeners: tuple[Listener, ...] | None = fact("The TCP sockets that accept connections.", default=None)
    egress: tuple[Egress, ...] | None = fact(
        "The addresses from which Postfix connects to other hosts, by service and version of IP.", default=None
    )
    files: tuple[HostFile, ...] | None = fact(
        "The files that the configuration names: keys, certificates, lookup tables. Never their content.", default=None
    )
    managed: tuple[ManagedFile, ...] | None = fact(
        "The files that this collection has deployed, and whether they are still the same.", default=None
    )
    dkim: tuple[DkimKey, ...] | None = fact("The DKIM keys of the host.", default=None)
    certificates: tuple[CertificateFile, ...] | None = fact("The certificates that Postfix presents.", default=None)
    aliases: tuple[Alias, ...] | None = fact("Where mail to the names that every domain needs ends.", default=None)
    firewall: FirewallFacts | None = fact("What the packet filters let in.", default=None)
    packages: Packages | None = fact("Packages that concern mail, and their pending updates.", default=None)
    units: tuple[Unit, ...] | None = fact("Units of systemd that concern mail.", default=None)
    mail_servers: tuple[MailServer, ...] | None = fact("Mail servers other than Postfix on the host.", default=None)
    queue: tuple[Queue, ...] | None = fact("The queue of each instance of Postfix.", default=None)
