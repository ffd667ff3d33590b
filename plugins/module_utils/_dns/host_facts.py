# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about names and addresses: MX records, hosts, egress addresses with their reverse names."""

from __future__ import annotations

import typing as t

from .._evidence.dns import EgressFacts, HostNameFacts, MxFacts
from .dns_errors import RecordSyntaxError
from .inquiry import Inquiry
from .lookup import ADDRESS_TYPES
from .names import Address, is_address, reverse_pointer
from .records import MxRecord, parse_mx
from .scope import scope_of

#: No domain has more. The targets of the others are not looked up.
MAX_TARGETS = 20
#: The same for the reverse names of an address.
MAX_NAMES = 10


def exchangers(inquiry: Inquiry) -> list[MxRecord] | None:
    """The MX records of the domain, by preference; None if they are not known. One with a malformed target is kept."""
    texts = inquiry.values("mx", inquiry.system.domain, "MX")
    if texts is None:
        return None
    try:
        records = sorted(map(parse_mx, texts))
    except RecordSyntaxError as error:
        inquiry.note("mx", error)
        return None
    if len(records) > MAX_TARGETS:
        more = f"{inquiry.system.domain} has {len(records)} MX records; only {MAX_TARGETS} targets were looked up"
        inquiry.note("mx", more)
    return records


def targets(inquiry: Inquiry) -> list[str] | None:
    """The names of the mail servers, without a null MX, at most 20; None if they are not known."""
    records = exchangers(inquiry)
    if records is None:
        return None
    return list(dict.fromkeys(record.exchange for record in records if not record.is_null))[:MAX_TARGETS]


def mx_facts(inquiry: Inquiry) -> tuple[MxFacts, ...] | None:
    """The MX records, by preference."""
    records = exchangers(inquiry)
    if records is None:
        return None
    return tuple(MxFacts(record.preference, record.exchange) for record in records[: 10 * MAX_TARGETS])


def host_facts(inquiry: Inquiry) -> tuple[HostNameFacts, ...]:
    """The EHLO name and the targets of the MX records."""
    helo = inquiry.system.hostname
    names = [helo] if helo and not is_address(helo) else []
    names = list(dict.fromkeys(names + (targets(inquiry) or [])))
    inquiry.prefetch((name, rdtype) for name in names for rdtype in ADDRESS_TYPES.values())
    return tuple(_host(inquiry, name) for name in names)


def _host(inquiry: Inquiry, name: str) -> HostNameFacts:
    found = {rdtype: inquiry.answer(f"hosts.{name}", name, rdtype) for rdtype in ADDRESS_TYPES.values()}
    known = [answer for answer in found.values() if answer]
    values = {rdtype: answer.values if answer else None for rdtype, answer in found.items()}
    return HostNameFacts(
        name,
        exists=known[0].exists if known else None,
        aliases=known[0].aliases if known else None,
        ipv4=values["A"],
        ipv6=values["AAAA"],
    )


def egress_facts(inquiry: Inquiry) -> tuple[EgressFacts, ...]:
    """The egress addresses and their reverse names."""
    inquiry.prefetch((reverse_pointer(address), "PTR") for address in inquiry.system.addresses)
    return tuple(_egress(inquiry, address) for address in inquiry.system.addresses)


def names_asked(names: t.Sequence[str], host: str) -> list[str]:
    """The reverse names that are looked up: the EHLO name first, which is the one that matters."""
    return sorted(names, key=lambda name: name.lower() != host.rstrip(".").lower())[:MAX_NAMES]


def _egress(inquiry: Inquiry, address: Address) -> EgressFacts:
    path = f"egress.{address}"
    scope = scope_of(address)
    facts = EgressFacts(str(address), scope.name if scope else "")
    names = inquiry.values(path, reverse_pointer(address), "PTR")
    if names is None:
        return facts
    rdtype = ADDRESS_TYPES[address.version]
    if len(names) > MAX_NAMES:
        inquiry.note(path, f"{address} has {len(names)} reverse names; only {MAX_NAMES} were looked up")
    asked = names_asked(names, inquiry.system.hostname)
    inquiry.prefetch((name, rdtype) for name in asked)
    found = {name: inquiry.values(path, name, rdtype) for name in asked}
    known = None not in found.values() and len(asked) == len(names)
    confirmed = tuple(name for name, values in found.items() if values and str(address) in values)
    return EgressFacts(facts.address, facts.scope, names[: 10 * MAX_NAMES], confirmed if known or confirmed else None)
