# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the configuration of Postfix."""

from __future__ import annotations

import dataclasses

from .document import fact


@dataclasses.dataclass(frozen=True)
class Service:
    """A service of master.cf."""

    name: str = fact("Its name, such as smtp or 127.0.0.1:10025.")
    type: str = fact("Its type, such as inet or unix.")
    private: str = fact("Whether only Postfix may connect: y, n, or - for the default.")
    unprivileged: str = fact("Whether it runs without root: y, n, or - for the default.")
    chroot: str = fact("Whether it runs in the queue directory: y, n, or - for the default.")
    wakeup: str = fact("Seconds between its wake-ups, or - for none.")
    processes: str = fact("How many processes may run, or - for the default.")
    program: str = fact("The program of Postfix, such as smtpd.")
    command: str | None = fact("The program that a service of pipe or spawn starts, without arguments.", default=None)
    user: str | None = fact("The user of that program, as user[:group].", default=None)
    own: tuple[str, ...] = fact("The parameters that it sets itself, with -o.", default=())
    parameters: dict[str, str] = fact(
        "The parameters whose effective value for this service differs from that of the instance, with every"
        " variable expanded: those it sets, and those that refer to one of them.",
        default_factory=dict,
    )


@dataclasses.dataclass(frozen=True)
class Instance:
    """A Postfix with its own configuration (postmulti(1))."""

    name: str = fact("Its name. Empty for one without a name, as the first usually is.")
    group: str = fact("Its group. Empty if it has none.")
    enabled: bool = fact("Whether it starts with Postfix. The first always does.")
    config_directory: str = fact("Where its main.cf and master.cf are.")
    version: str | None = fact("The version of Postfix.", default=None)
    parameters: dict[str, str] | None = fact(
        "The effective value of every parameter, with every variable expanded. Passwords are masked.", default=None
    )
    own: tuple[str, ...] | None = fact("The parameters that main.cf sets.", default=None)
    services: tuple[Service, ...] | None = fact("The services of master.cf.", default=None)
    complaints: tuple[str, ...] = fact("What postconf warns of in main.cf and master.cf.", default=())
