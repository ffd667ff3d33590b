# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions of one run about one mail system, and what could not be answered."""

from __future__ import annotations

import typing as t
from ipaddress import ip_address

from .._evidence.document import Unknown
from .dns_errors import DnsError, InvalidName, LookupFailed
from .lookup import ADDRESS_TYPES, Answer, Lookup
from .mail_system import MailSystem
from .names import Address, normalize, printable

#: How much of one record the facts show. A record may have 64 kB.
_SHOWN = 4096


class PrefetchingLookup(Lookup, t.Protocol):
    """A lookup that can be told what will be asked."""

    def prefetch(self, questions: t.Iterable[tuple[str, str]]) -> None:
        """Ask ``questions``, pairs of a name and a type, without waiting for the answers."""


class Inquiry:
    """Asks, and keeps in :attr:`unknown` what has no answer, by its path below the facts."""

    def __init__(self, lookup: PrefetchingLookup, system: MailSystem) -> None:
        self.lookup = lookup
        self.system = system
        self.unknown: list[Unknown] = []

    def note(self, path: str, reason: object) -> None:
        """Keep that the fact at ``path`` is not known, and why."""
        one = Unknown(path, str(reason))
        if one not in self.unknown:
            self.unknown.append(one)

    def answer(self, path: str, name: str, rdtype: str) -> Answer | None:
        """The answer, or None if there is none. A name that is not a valid one does not exist."""
        try:
            normalize(name)
        except InvalidName:
            return Answer(exists=False)
        try:
            return self.lookup.query(name, rdtype)
        except LookupFailed as error:
            self.note(path, error)
            return None

    def values(self, path: str, name: str, rdtype: str) -> tuple[str, ...] | None:
        """The records; None without an answer."""
        answer = self.answer(path, name, rdtype)
        return None if answer is None else answer.values

    def addresses(self, path: str, name: str) -> tuple[Address, ...] | None:
        """The addresses of both families, or None if one of them cannot be looked up."""
        self.prefetch((name, rdtype) for rdtype in ADDRESS_TYPES.values())
        found = [self.values(path, name, rdtype) for rdtype in ADDRESS_TYPES.values()]
        if any(values is None for values in found):
            return None
        return tuple(ip_address(text) for values in found for text in values or ())

    def prefetch(self, questions: t.Iterable[tuple[str, str]]) -> None:
        """Ask ``questions`` at the same time; those with a name that is not a valid one are left out."""
        self.lookup.prefetch(question for question in questions if _is_name(question[0]))


def _is_name(name: str) -> bool:
    try:
        normalize(name)
    except DnsError:
        return False
    return True


def shown(text: str) -> str:
    """``text``, whose characters are octets, as a zone file has it; a very long one is cut off."""
    written = printable(text[:_SHOWN])
    return f"{written}..." if len(text) > _SHOWN else written


def all_shown(texts: t.Iterable[str] | None) -> tuple[str, ...] | None:
    """:func:`shown` for each text; None stays None."""
    return None if texts is None else tuple(map(shown, texts))
