# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS records behind the findings, for display. Pure: all DNS goes through a lookup."""

from __future__ import annotations

import typing as t

from .dns_errors import DnsError
from .lookup import Lookup, addresses_of
from .mail_system import MailSystem
from .names import printable, reverse_pointer
from .records import parse_mx
from .spf import spf_records


def collect(lookup: Lookup, system: MailSystem, names: t.Iterable[str]) -> dict[str, t.Any]:
    """Collect the records that the checks ``names`` use, by the name of the check.

    Records that could not be looked up are left out; the finding gives the reason.
    """
    return {name: _COLLECTORS[name](lookup, system) for name in names}


def _collect_a(lookup: Lookup, system: MailSystem) -> dict[str, list[str]]:
    hosts = [system.hostname] if system.hostname else []
    return _by_key(hosts, lambda host: map(str, addresses_of(lookup, host)))


def _collect_mx(lookup: Lookup, system: MailSystem) -> list[dict[str, t.Any]]:
    try:
        records = sorted(map(parse_mx, lookup.query(system.domain, "MX").values))
    except DnsError:
        return []
    hosts = [record.exchange for record in records if not record.is_null]
    addresses = _by_key(hosts, lambda host: map(str, addresses_of(lookup, host)))
    return [
        {
            "preference": record.preference,
            "exchange": record.exchange,
            "addresses": addresses.get(record.exchange, []),
        }
        for record in records
    ]


def _collect_ptr(lookup: Lookup, system: MailSystem) -> dict[str, list[str]]:
    pointers = {str(address): reverse_pointer(address) for address in system.addresses}
    return _by_key(pointers, lambda address: lookup.query(pointers[address], "PTR").values)


def _collect_spf(lookup: Lookup, system: MailSystem) -> list[str]:
    try:
        return list(map(printable, spf_records(lookup, system.domain)))
    except DnsError:
        return []


def _by_key(keys: t.Iterable[str], values_of: t.Callable[[str], t.Iterable[str]]) -> dict[str, list[str]]:
    found = {}
    for key in keys:
        try:
            found[key] = list(values_of(key))
        except DnsError:
            continue
    return found


_COLLECTORS: dict[str, t.Callable[[Lookup, MailSystem], t.Any]] = {
    "a": _collect_a,
    "mx": _collect_mx,
    "ptr": _collect_ptr,
    "spf": _collect_spf,
}
