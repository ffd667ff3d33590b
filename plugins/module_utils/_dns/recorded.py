# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the DNS as evidence keeps them, and a lookup that gives them again: checks judge saved evidence, too."""

from __future__ import annotations

from ipaddress import ip_address

from .._evidence.dns import DnsAnswer, DnsFacts
from .dns_errors import InvalidName, LookupFailed
from .lookup import Answer, CachedLookup
from .mail_system import MailSystem
from .names import normalize

#: More than any domain has. A zone that lies cannot make evidence large without end.
_MOST_CHARACTERS = 1 << 17
_TOO_LARGE = "has an answer that was too large to be kept"


def record(lookup: CachedLookup) -> tuple[DnsAnswer, ...]:
    """What the lookup was asked, and what was answered, by name and type."""
    found, size = [], 0
    for name, rdtype, answer in lookup.answered():
        kept = _kept(name, rdtype, answer)
        size += sum(map(len, kept.values))
        found.append(kept if size <= _MOST_CHARACTERS else DnsAnswer(name, rdtype, _TOO_LARGE))
    return tuple(sorted(found, key=lambda one: (one.name, one.type)))


def _kept(name: str, rdtype: str, answer: Answer | LookupFailed) -> DnsAnswer:
    if isinstance(answer, LookupFailed):
        return DnsAnswer(name, rdtype, answer.reason)
    return DnsAnswer(name, rdtype, None, answer.values, answer.exists, answer.aliases, answer.secure)


class RecordedLookup:
    """A lookup in recorded answers. A question that was not asked fails; it is never taken for an absent record."""

    def __init__(self, answers: tuple[DnsAnswer, ...]) -> None:
        self._answers = {(_key(one.name), one.type): one for one in answers}

    def knows(self, name: str, rdtype: str) -> bool:
        """Whether this question was asked."""
        return (_key(name), rdtype) in self._answers

    def query(self, name: str, rdtype: str) -> Answer:
        """See :meth:`.lookup.Lookup.query`."""
        found = self._answers.get((normalize(name), rdtype))
        if found is None:
            raise LookupFailed(name, rdtype, "is not in the evidence")
        if found.failure is not None:
            raise LookupFailed(name, rdtype, found.failure)
        return Answer(found.values, found.exists, found.aliases, found.secure)

    def unchecked(self, name: str, rdtype: str) -> Answer:
        """See :meth:`.lookup.Lookup.unchecked`. What it tells is in the facts."""
        raise LookupFailed(name, rdtype, "is not in the evidence")

    def at(self, server: str, name: str, rdtype: str) -> Answer:
        """See :meth:`.lookup.Lookup.at`. What it tells is in the facts."""
        raise LookupFailed(name, rdtype, f"at {server} is not in the evidence")


def _key(name: str) -> str:
    try:
        return normalize(name)
    except InvalidName:
        return name


def recorded_system(domain: str, facts: DnsFacts) -> MailSystem:
    """The mail system as far as the facts tell. Selectors and certificates were compared when they were given."""
    return MailSystem(
        domain=domain,
        hostname=facts.helo or "",
        addresses=tuple(map(ip_address, facts.addresses or ())),
        via=facts.upstreams or (),
        certificate_authority=facts.certificate_authority or "",
    )
