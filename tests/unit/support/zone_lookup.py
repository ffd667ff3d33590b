# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lookup in a dictionary, for tests that need DNS records but no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.mailops.smtp.plugins.module_utils._dns.errors import LookupFailed
from ansible_collections.mailops.smtp.plugins.module_utils._dns.lookup import Answer
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import normalize

#: name -> type -> the texts of its records, or the error that the lookup raises.
Zone = Mapping[str, Mapping[str, Sequence[str] | type[LookupFailed]]]


class ZoneLookup:
    """A lookup that answers from ``zone`` like a resolver: it follows aliases and ignores case in names."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self.asked: list[tuple[str, str]] = []

    def query(self, name: str, rdtype: str) -> Answer:
        """See ``Lookup.query``."""
        self.asked.append((name, rdtype))
        return self._find(normalize(name), rdtype)

    def _find(self, name: str, rdtype: str) -> Answer:
        records = self._zone.get(name)
        if records is None:
            return Answer(exists=False)
        values = records.get(rdtype, ())
        if isinstance(values, type):
            raise values(name, rdtype, "failed in this test zone")
        alias = records.get("CNAME", ())
        if alias and not isinstance(alias, type) and rdtype != "CNAME":
            return self._find(alias[0], rdtype)
        return Answer(tuple(values))
