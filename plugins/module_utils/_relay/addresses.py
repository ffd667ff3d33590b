# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that become others: aliases of the host, and rewriting on the way through (ADDRESS_REWRITING_README)."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .reader import Options, Reader, as_list

#: RFC 5321 section 4.5.1, RFC 2142: a mail host has somebody to write to. root is whom Unix writes to.
_ALWAYS = ("postmaster", "root")


@dataclass(frozen=True)
class Rewrites:
    """Rewriting, by what Postfix calls it; tables as lines.

    :param aliases: names of this host, each with its recipients.
    :param virtual: addresses, each with its recipients.
    :param tables: canonical, sender_canonical, recipient_canonical, generic: address to address.
    :param masquerade: domains whose subdomains are hidden.
    :param header_checks: lines of a regexp table.
    """

    aliases: t.Mapping[str, tuple[str, ...]]
    virtual: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    masquerade: tuple[str, ...] = ()
    header_checks: tuple[str, ...] = ()

    def alias_lines(self, hostname: str, domain: str) -> t.Iterator[str]:
        """Of a virtual alias table: names of this host, with and without its name, then the addresses.

        A name alone is one at ``myorigin`` (virtual(5)), which is what programs of this host leave out.
        """
        everybody = f"postmaster@{domain}"
        aliases = {"root": (everybody,), **self.aliases}
        for name, recipients in aliases.items():
            yield f"{name} {', '.join(recipients)}"
        for name, recipients in {"postmaster": aliases["root"], **aliases}.items():
            yield f"{name}@{hostname} {', '.join(recipients)}"
        for address, recipients in self.virtual.items():
            yield f"{address} {', '.join(recipients)}"


def read_rewrites(reader: Reader, aliases: Options, rewrites: Options) -> Rewrites:
    """``relay_aliases`` and ``relay_rewrites``."""
    return Rewrites(
        aliases={
            _name(reader, str(name)): _recipients(reader, f"relay_aliases.{name}", given)
            for name, given in aliases.items()
        },
        virtual={
            reader.senders("relay_rewrites.virtual", address): _recipients(
                reader, f"relay_rewrites.virtual.{address}", given
            )
            for address, given in (rewrites.get("virtual") or {}).items()
        },
        tables={
            name: _table(reader, f"relay_rewrites.{name}", rewrites[name])
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


def _name(reader: Reader, name: str) -> str:
    if "@" in name:
        reader.problem(
            f"relay_aliases.{name}", "is an address; expected a name, or relay_rewrites.virtual for addresses"
        )
    return reader.address(f"relay_aliases.{name}", name, local=True)


def _recipients(reader: Reader, variable: str, given: t.Any) -> tuple[str, ...]:
    recipients = tuple(reader.address(variable, one, local=True) for one in as_list(given))
    if not recipients:
        reader.problem(variable, "has nobody to go to; expected an address")
    return recipients


def _table(reader: Reader, variable: str, given: Options) -> dict[str, str]:
    """Both sides may be an address or ``@domain``; a right side of that form keeps the name."""
    return {
        reader.senders(variable, address): reader.senders(f"{variable}.{address}", other)
        for address, other in given.items()
    }


def _header_check(reader: Reader, index: int, item: Options) -> str:
    """A line of a regexp table (regexp_table(5), header_checks(5))."""
    variable = f"relay_rewrites.header_checks[{index}]"
    pattern = reader.line(f"{variable}.match", item["match"])
    action = reader.line(f"{variable}.action", item["action"])
    if not re.match(r"[A-Z_]+(\s|\Z)", action):
        reader.problem(f"{variable}.action", f"{action!r} is none; expected one of header_checks(5), such as IGNORE")
    escaped = re.sub(r"(\\.)|/", lambda match: match.group(1) or r"\/", pattern)
    return f"/{escaped}/ {action}"
