# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about packages, units and other mail servers of a host."""

from __future__ import annotations

import dataclasses

from .document import Moment, fact


@dataclasses.dataclass(frozen=True)
class Update:
    """A newer version of an installed package."""

    name: str = fact("The package.")
    version: str = fact("The newer version.")
    security: bool = fact("Whether it comes as a security update.")
    advisory: str | None = fact("The advisory, such as RHSA-2026:1234.", default=None)


@dataclasses.dataclass(frozen=True)
class Packages:
    """Packages that concern mail."""

    system: str = fact("The name of the distribution with its version.")
    manager: str = fact("What installs packages: apt or dnf.")
    installed: dict[str, str] | None = fact("The versions of installed packages, by name.", default=None)
    updates: tuple[Update, ...] | None = fact(
        "Their pending updates, as far as the stored package lists know them.", default=None
    )
    security_updates_of_host: int | None = fact(
        "How many packages of the whole host have security updates.", default=None
    )
    lists_from: Moment | None = fact("When the stored package lists were fetched, in UTC (RFC 3339).", default=None)


@dataclasses.dataclass(frozen=True)
class Unit:
    """A unit of systemd."""

    name: str = fact("Its name, such as postfix.service.")
    enabled: str | None = fact("enabled, disabled, static, masked or another state of its file.")
    active: str = fact("active, inactive, failed or another state.")
    sub: str = fact("The state in words of its type, such as running or exited.")
    since: Moment | None = fact("Since when it is so, in UTC (RFC 3339). Null if it has never been active.")


@dataclasses.dataclass(frozen=True)
class MailServer:
    """A mail server other than Postfix."""

    name: str = fact("Its name, such as Exim.")
    program: str = fact("The program that shows that it is installed.")
    package: str | None = fact("The package that the program is from. Null if none.", default=None)
    running: bool | None = fact("Whether a process runs it.", default=None)
    sendmail: bool = fact("Whether the command sendmail is its own.", default=False)
