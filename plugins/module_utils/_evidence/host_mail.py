# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about aliases and the queue."""

from __future__ import annotations

import dataclasses

from .document import Moment, fact


@dataclasses.dataclass(frozen=True)
class Target:
    """Where an alias ends."""

    kind: str = fact("address, mailbox, program, file, list, discard, or unresolved.")
    value: str | None = fact("The address, user or path. Null for a program, whose command may hold a password.")


@dataclasses.dataclass(frozen=True)
class Alias:
    """Where mail to a local name ends, after all aliases."""

    instance: str = fact("The name of the instance of Postfix. Empty for one without a name.")
    name: str = fact("The name, such as postmaster.")
    found: bool | None = fact("Whether a table has an entry for it.", default=None)
    targets: tuple[Target, ...] | None = fact("Where it ends.", default=None)
    loops: tuple[str, ...] | None = fact("Names that lead back to themselves.", default=None)


@dataclasses.dataclass(frozen=True)
class AgeBand:
    """Messages of about the same age."""

    up_to: str = fact("The greatest age, such as 5m, 1h or 1d; 'more' for all that are older.")
    messages: int = fact("How many messages.")


@dataclasses.dataclass(frozen=True)
class QueueState:
    """Messages in the same state."""

    state: str = fact("maildrop, hold, incoming, active, deferred or corrupt.")
    messages: int = fact("How many messages.")
    octets: int = fact("The size of their files.")
    oldest: Moment | None = fact("When the oldest one arrived, in UTC (RFC 3339).")
    ages: tuple[AgeBand, ...] = fact("How many messages by age.")


@dataclasses.dataclass(frozen=True)
class Destination:
    """Open recipients with the same domain."""

    domain: str = fact("The domain. Empty for local names.")
    recipients: int = fact("How many recipients wait.")
    oldest: Moment | None = fact("When the oldest of their messages arrived, in UTC (RFC 3339).")


@dataclasses.dataclass(frozen=True)
class Queue:
    """The queue of an instance of Postfix."""

    instance: str = fact("The name of the instance. Empty for one without a name.")
    directory: str = fact("The queue directory.")
    messages: int | None = fact("How many messages it holds. Null if it may not be read.", default=None)
    oldest: Moment | None = fact("When the oldest one arrived, in UTC (RFC 3339).", default=None)
    states: tuple[QueueState, ...] | None = fact("The messages by state.", default=None)
    destinations: tuple[Destination, ...] | None = fact(
        "The domains with the most open recipients, at most 50.", default=None
    )
    domains: int | None = fact("How many domains have open recipients.", default=None)
    partly_read: int = fact("Messages with so many recipients that not all were read.", default=0)
