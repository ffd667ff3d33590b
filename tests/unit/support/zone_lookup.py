# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lookup in a dictionary, for tests that need DNS records but no network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupFailed
from ansible_collections.mailops.smtp.plugins.module_utils._dns.lookup import Answer
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import normalize

#: name -> type -> the texts of its records, or the error that the lookup raises.
Zone = Mapping[str, Mapping[str, Sequence[str] | type[LookupFailed]]]


class ZoneLookup:
    """A lookup that answers from ``zone`` like a resolver: it follows aliases and ignores case in names.

    :param secure: names whose answers DNSSEC proves.
    :param servers: the zone of each authoritative server, by its address; without an entry, it is ``zone``.
    """

    def __init__(self, zone: Zone, secure: Collection[str] = (), servers: Mapping[str, Zone] | None = None) -> None:
        self._zone = zone
        self._secure = secure
        self._servers = servers or {}
        self.asked: list[tuple[str, str]] = []

    def query(self, name: str, rdtype: str) -> Answer:
        """See ``Lookup.query``."""
        self.asked.append((name, rdtype))
        return self._find(self._zone, normalize(name), rdtype, ())

    def unchecked(self, name: str, rdtype: str) -> Answer:
        """See ``Lookup.unchecked``: the type ``UNCHECKED`` has what a resolver answers that does not validate."""
        self.asked.append((name, rdtype))
        values = self._zone.get(normalize(name), {}).get("UNCHECKED")
        if isinstance(values, type):
            raise values(name, rdtype, "failed in this test zone")
        return Answer(tuple(values or ()), signed=bool(values))

    def at(self, server: str, name: str, rdtype: str) -> Answer:
        """See ``Lookup.at``."""
        self.asked.append((name, rdtype))
        return self._find(self._servers.get(server, self._zone), normalize(name), rdtype, ())

    def prefetch(self, questions: Iterable[tuple[str, str]]) -> None:
        """Ask nothing ahead."""

    def _find(self, zone: Zone, name: str, rdtype: str, aliases: tuple[str, ...]) -> Answer:
        records = zone.get(name)
        if records is None:
            return Answer(exists=False, aliases=aliases, zone=self._zone_of(name))
        values = records.get(rdtype, ())
        if isinstance(values, type):
            raise values(name, rdtype, "failed in this test zone")
        alias = records.get("CNAME", ())
        if alias and not isinstance(alias, type) and rdtype != "CNAME":
            if alias[0] in aliases:
                raise LookupFailed(name, rdtype, "leads in a circle")
            return self._find(zone, alias[0], rdtype, (*aliases, alias[0]))
        return Answer(tuple(values), aliases=aliases, secure=name in self._secure, zone=self._zone_of(name))

    def _zone_of(self, name: str) -> str:
        zones = (one for one, records in self._zone.items() if "SOA" in records and f".{name}".endswith(f".{one}"))
        return max(zones, key=len, default="")
