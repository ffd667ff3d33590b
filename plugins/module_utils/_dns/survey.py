# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts about a mail system, collected side by side."""

from __future__ import annotations

import dataclasses
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._evidence.dns import DnsFacts
from .._evidence.document import Unknown
from .dkim import dkim_facts
from .dmarc_facts import dmarc_facts
from .host_facts import egress_facts, host_facts, mx_facts
from .inquiry import Inquiry
from .lookup import CachedLookup
from .mail_system import MailSystem
from .spf_facts import spf_facts
from .sts import FetchPolicy, mta_sts_facts, tls_rpt_facts
from .tlsa import dane_facts
from .trust import ROOT, authority_facts, blocklist_facts, caa_facts, dnssec_facts

Collector = t.Callable[[Inquiry], t.Any]

#: The collector of each part of the facts. ``mta_sts`` also needs the web.
_COLLECTORS: dict[str, Collector] = {
    "mx": mx_facts,
    "hosts": host_facts,
    "egress": egress_facts,
    "spf": spf_facts,
    "dkim": dkim_facts,
    "dmarc": dmarc_facts,
    "tls_rpt": tls_rpt_facts,
    "dane": dane_facts,
    "dnssec": dnssec_facts,
    "caa": caa_facts,
    "blocklists": blocklist_facts,
    "authority": authority_facts,
}
PARTS = (*_COLLECTORS, "mta_sts")


@dataclasses.dataclass(frozen=True)
class Survey:
    """The facts, and what is not known."""

    facts: DnsFacts
    unknown: tuple[Unknown, ...]

    def why(self, path: str) -> str:
        """Why the fact at ``path``, or one below it, is not known; empty if nothing was noted."""
        return next((one.reason for one in self.unknown if f"{one.path}.".startswith(f"{path}.")), "")


def survey(lookup: CachedLookup, system: MailSystem, parts: t.Collection[str], fetch: FetchPolicy) -> Survey:
    """Collect ``parts`` of the facts. Silent name servers cost one time-out altogether."""
    lookup.knock([(system.domain, "SOA"), (ROOT, "SOA")])
    inquiry = Inquiry(lookup, system)
    inquiry.prefetch([(system.domain, "MX"), (system.domain, "TXT")])
    collectors = {name: collector for name, collector in _COLLECTORS.items() if name in parts}
    if "mta_sts" in parts:
        collectors["mta_sts"] = lambda one: mta_sts_facts(one, fetch)
    with ThreadPoolExecutor(len(PARTS)) as pool:
        running = {name: pool.submit(collector, inquiry) for name, collector in collectors.items()}
    found = {name: future.result() for name, future in running.items()}
    answer = inquiry.answer("exists", system.domain, "SOA")
    facts = DnsFacts(
        exists=answer.exists if answer else None,
        zone=answer.zone or None if answer else None,
        helo=system.hostname or None,
        upstreams=system.via,
        addresses=tuple(map(str, system.addresses)),
        certificate_authority=system.certificate_authority or None,
        **found,
    )
    return Survey(facts, tuple(sorted(inquiry.unknown, key=lambda one: (one.path, one.reason))))
