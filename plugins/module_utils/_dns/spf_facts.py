# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about SPF: the record, all records that it leads to, and the result for each egress address."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from .._evidence.dns_policy import SpfEvaluation, SpfFacts
from .dns_errors import InvalidName, LookupFailed, RecordSyntaxError
from .inquiry import Inquiry, all_shown
from .names import is_address
from .records import Qualifier, SpfRecord, parse_spf
from .spf import COUNTED, SpfOutcome, SpfResult, check_host, for_strangers, spf_records

#: No policy that receivers can evaluate leads to more records.
_MAX_RECORDS = 40


@dataclasses.dataclass
class _Tree:
    """What all records together have, whether or not an evaluation reaches them."""

    lookups: int = 0
    depth: int = 0
    breadth: int = 0
    networks: list[str] = dataclasses.field(default_factory=list)
    wide: list[str] = dataclasses.field(default_factory=list)
    uses_ptr: bool = False

    def add(self, record: SpfRecord, depth: int) -> None:
        """Count the terms of a record that ``depth`` includes and redirects lead to."""
        terms = record.mechanisms
        self.depth = max(self.depth, depth)
        redirects = bool(record.redirect) and not any(term.name == "all" for term in terms)
        self.breadth = max(self.breadth, len(terms) + redirects)
        self.lookups += sum(term.name in COUNTED for term in terms) + redirects
        self.networks += [term.text for term in terms if term.network and term.qualifier is Qualifier.PASS]
        self.wide += [term.text for term in terms if term.is_too_wide]
        self.uses_ptr = self.uses_ptr or any(term.name == "ptr" for term in terms)


def spf_facts(inquiry: Inquiry) -> SpfFacts:
    """Look at the record of the domain, and evaluate it for each egress address."""
    system = inquiry.system
    helo = system.hostname if system.hostname and not is_address(system.hostname) else ""
    inquiry.prefetch((name, "TXT") for name in (system.domain, helo) if name)
    facts = SpfFacts(helo_records=_records(inquiry, "spf.helo", helo) if helo else None)
    try:
        records = spf_records(inquiry.lookup, system.domain)
    except LookupFailed as error:
        inquiry.note("spf", error)
        return facts
    facts = dataclasses.replace(facts, records=all_shown(records))
    if not records:
        return facts
    fault, record = _parsed(records)
    facts = dataclasses.replace(facts, error=fault, size=len(records[0]))
    outcomes = _evaluations(inquiry, "mailfrom", system.domain, helo)
    facts = dataclasses.replace(facts, evaluations=(*outcomes, *_helo_evaluations(inquiry, helo)))
    return _with_tree(inquiry, facts, record) if record else facts


def _parsed(records: t.Sequence[str]) -> tuple[str | None, SpfRecord | None]:
    if len(records) > 1:
        return f"there are {len(records)} SPF records", None
    try:
        return None, parse_spf(records[0])
    except RecordSyntaxError as error:
        return str(error), None


def _records(inquiry: Inquiry, path: str, name: str) -> tuple[str, ...] | None:
    try:
        return all_shown(spf_records(inquiry.lookup, name))
    except InvalidName:
        return ()
    except LookupFailed as error:
        inquiry.note(path, error)
        return None


def _helo_evaluations(inquiry: Inquiry, helo: str) -> tuple[SpfEvaluation, ...]:
    return _evaluations(inquiry, "helo", helo, helo) if helo and helo != inquiry.system.domain else ()


def _evaluations(inquiry: Inquiry, identity: str, domain: str, helo: str) -> tuple[SpfEvaluation, ...]:
    def one(address: t.Any) -> SpfEvaluation:
        outcome = check_host(inquiry.lookup, address, domain, helo=helo)
        _note_error(inquiry, outcome)
        result = outcome.result.value
        return SpfEvaluation(identity, domain, str(address), result, outcome.reason, outcome.lookups, outcome.voids)

    return tuple(map(one, inquiry.system.addresses))


def _note_error(inquiry: Inquiry, outcome: SpfOutcome) -> None:
    if outcome.result is SpfResult.TEMPERROR:
        inquiry.note("spf.evaluations", outcome.reason)


def _with_tree(inquiry: Inquiry, facts: SpfFacts, record: SpfRecord) -> SpfFacts:
    domain = inquiry.system.domain
    strangers = for_strangers(inquiry.lookup, domain)
    _note_error(inquiry, strangers)
    tree = _walk(inquiry, domain, record)
    own = [one for one in facts.evaluations if one.identity == "mailfrom"]
    facts = dataclasses.replace(
        facts,
        voids=max([strangers.voids, *(one.voids for one in own)]),
        strangers=None if strangers.result is SpfResult.TEMPERROR else strangers.result.value,
    )
    if tree is None:
        return facts
    return dataclasses.replace(
        facts,
        lookups=tree.lookups,
        depth=tree.depth,
        breadth=tree.breadth,
        networks=tuple(tree.networks[: 10 * _MAX_RECORDS]),
        wide=tuple(tree.wide),
        uses_ptr=tree.uses_ptr,
    )


def _walk(inquiry: Inquiry, domain: str, record: SpfRecord) -> _Tree | None:
    """Follow includes and redirects, each as often as it appears. A name with macros cannot be followed."""
    tree = _Tree()
    waiting: collections.deque[tuple[SpfRecord, int, tuple[str, ...]]] = collections.deque([(record, 1, (domain,))])
    for _number in range(_MAX_RECORDS):
        if not waiting:
            break
        current, depth, trail = waiting.popleft()
        tree.add(current, depth)
        names = [name for name in _leads_to(current) if "%" not in name and name.lower() not in trail]
        inquiry.prefetch((name, "TXT") for name in names)
        for name in names:
            try:
                texts = spf_records(inquiry.lookup, name)
                waiting += [(parse_spf(texts[0]), depth + 1, (*trail, name.lower()))] if len(texts) == 1 else []
            except (InvalidName, RecordSyntaxError):
                continue
            except LookupFailed as error:
                inquiry.note("spf.lookups", error)
                return None
    return tree


def _leads_to(record: SpfRecord) -> list[str]:
    """The domains whose records are evaluated, too. A redirect beside ``all`` has no effect (RFC 7208 section 6.1)."""
    names = [term.domain for term in record.mechanisms if term.name == "include"]
    ends = any(term.name == "all" for term in record.mechanisms)
    return [*names, record.redirect] if record.redirect and not ends else names
