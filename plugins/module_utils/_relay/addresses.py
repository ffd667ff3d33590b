# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that are replaced: aliases of the host, and rewriting in transit (ADDRESS_REWRITING_README)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import partial

from .names import HostNames
from .reader import Options, Reader, as_list

#: Delimiters for a pattern (regexp_table(5)).
_DELIMITERS = "/%,;"
#: Actions of header_checks(5) in Postfix 3.5. Mail passes an unknown action, which only the log mentions.
_ACTIONS = (
    *("BCC", "DISCARD", "DUNNO", "FILTER", "HOLD", "IGNORE", "INFO", "PASS", "PREPEND", "REDIRECT", "REJECT"),
    *("REPLACE", "STRIP", "WARN"),
)


@dataclass(frozen=True)
class Rewrites:
    """Rules for rewriting, named as in Postfix.

    :param aliases: names of this host, each with its recipients.
    :param virtual: addresses, each with its recipients.
    :param tables: canonical, sender_canonical, recipient_canonical and generic: address to address.
    :param masquerade: domains whose subdomains are hidden.
    :param header_checks: lines of a regexp table.
    """

    aliases: t.Mapping[str, tuple[str, ...]]
    virtual: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    masquerade: tuple[str, ...] = ()
    header_checks: tuple[str, ...] = ()

    def alias_table(self, host: HostNames, listed: t.Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
        """Return the virtual alias table: names of this host, with and without the host name, then the addresses.

        A bare name is an address at ``myorigin`` (virtual(5)), where mail goes if a program of this host sends it to a
        name alone. Postmaster always exists (RFC 5321 section 4.5.1), and so does root, the recipient of system mail.
        Other names of this host are replaced before this table is asked.

        :param listed: domains that need a postmaster and do not list one.
        """
        aliases = {"root": (f"postmaster@{host.domain}",), **self.aliases}
        at_host = {"postmaster": aliases["root"], **aliases}
        table = {
            **aliases,
            **{f"{name}@{host.hostname}": recipients for name, recipients in at_host.items()},
            **{f"postmaster@{name}": at_host["postmaster"] for name in listed},
            **{host.at_host(address): recipients for address, recipients in self.virtual.items()},
        }
        return {name: tuple(map(host.at_host, recipients)) for name, recipients in table.items()}

    def address_tables(self, host: HostNames) -> dict[str, t.Mapping[str, str]]:
        """Return the tables of addresses, extended by the local names of this host.

        A recipient at a local name is one at the host name. A sender there is one at the domain, like a sender without
        one; ``canonical`` is asked last, after the recipients are replaced.
        """
        tables = dict(self.tables)
        recipients = host.with_local(tables.get("recipient_canonical", {}), host.hostname, rest=True)
        senders = host.with_local(tables.get("sender_canonical", {}), host.domain)
        both = host.with_local(tables.get("canonical", {}), host.domain, rest=True)
        return {**tables, "canonical": both, "sender_canonical": senders, "recipient_canonical": recipients}


def find_loop(table: t.Mapping[str, t.Sequence[str]], domain: str) -> list[str]:
    """Return a loop of addresses in an alias table, or an empty list; cleanup(8) refuses mail to a loop.

    An address that leads only to itself is not a loop: virtual(5) leaves it unchanged.

    :param domain: domain of names without one.
    """

    def key_of(address: str) -> str:
        """Return the first key that virtual(5) finds for an address, or an empty string."""
        name, _at, at_domain = address.partition("@")
        keys = (address, name if at_domain == domain else address, f"@{at_domain}")
        return next((key for key in keys if key in table), "")

    settled: set[str] = set()

    def walk(way: list[str]) -> list[str]:
        if way[-1] in settled:
            return []
        for one in table.get(key_of(way[-1]), ()):
            following = one if "@" in one else f"{one}@{domain}"
            if following in way[:-1]:
                return [*way[way.index(following) :], following]
            if following != way[-1] and (circle := walk([*way, following])):
                return circle
        settled.add(way[-1])
        return []

    starts = (f"any-name{key}" if key.startswith("@") else key if "@" in key else f"{key}@{domain}" for key in table)
    return next((circle for start in starts if (circle := walk([start]))), [])


def read_rewrites(reader: Reader, aliases: Options, rewrites: Options) -> Rewrites:
    """Read ``relay_aliases`` and ``relay_rewrites``."""
    return Rewrites(
        aliases=reader.table("relay_aliases", aliases, partial(_name, reader), partial(_recipients, reader)),
        virtual=reader.table(
            "relay_rewrites.virtual", rewrites.get("virtual") or {}, reader.senders, partial(_recipients, reader)
        ),
        # a right-hand side @domain keeps the local part (canonical(5), generic(5))
        tables={
            name: reader.table(f"relay_rewrites.{name}", rewrites[name], reader.senders, reader.senders)
            for name in ("canonical", "sender_canonical", "recipient_canonical", "generic")
            if rewrites.get(name)
        },
        masquerade=tuple(
            reader.domain("relay_rewrites.masquerade", one) for one in as_list(rewrites.get("masquerade"))
        ),
        header_checks=tuple(
            _header_check(reader, index, item) for index, item in enumerate(rewrites.get("header_checks") or ())
        ),
    )


def _name(reader: Reader, variable: str, given: t.Any) -> str:
    if "@" in str(given):
        reader.problem(
            f"{variable}.{given}", "is an address; expected a name; for addresses, use relay_rewrites.virtual"
        )
    return reader.address(f"{variable}.{given}", given, local=True)


def _recipients(reader: Reader, variable: str, given: t.Any) -> tuple[str, ...]:
    recipients = tuple(reader.address(variable, one, local=True) for one in as_list(given))
    if not recipients:
        reader.problem(variable, "has no recipient; expected at least one address")
    return recipients


def _header_check(reader: Reader, index: int, item: Options) -> str:
    """Read one header check, and return its line of a regexp table (regexp_table(5), header_checks(5))."""
    variable = f"relay_rewrites.header_checks[{index}]"
    pattern = reader.line(f"{variable}.match", item["match"])
    action = reader.line(f"{variable}.action", item["action"])
    if action.split(" ", 1)[0] not in _ACTIONS:
        reader.problem(
            f"{variable}.action", f"{action!r} is not a valid action; expected it to begin with {', '.join(_ACTIONS)}"
        )
    if pattern.startswith("/^"):
        reader.problem(f"{variable}.match", f"{pattern!r} never matches; expected the pattern without delimiters")
    delimiter = next((one for one in _DELIMITERS if one not in pattern), "")
    if not delimiter:
        reader.problem(
            f"{variable}.match",
            f"{pattern!r} contains every delimiter; expected a pattern without at least one of {' '.join(_DELIMITERS)}",
        )
    return f"{delimiter}{pattern}{delimiter} {action}"
