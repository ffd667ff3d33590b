# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface between the checks and the resolver: a lookup and its answer."""

from __future__ import annotations

import dataclasses
import typing as t
from ipaddress import ip_address

from .dns_errors import LookupFailed
from .names import Address


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer of the DNS for one name and type.

    ``values`` has one text for each record: ``192.0.2.1`` for A, ``10 mx.example.com`` for MX, the joined strings for
    TXT. Names are without the final dot, with the escapes of a zone file (RFC 1035 section 5.1). In a TXT record, one
    character stands for each octet; :func:`~.names.printable` writes it for people. ``values`` is empty if the name has
    no such record or does not exist; ``exists`` tells the two apart.
    """

    values: tuple[str, ...] = ()
    exists: bool = True


class Lookup(t.Protocol):
    """An object that answers DNS queries."""

    def query(self, name: str, rdtype: str) -> Answer:
        """Look up the ``rdtype`` records of ``name``, following aliases.

        Raises :class:`LookupFailed` if there is no usable answer, and :class:`InvalidName` if ``name`` is not a valid
        domain name.
        """


class CachedLookup:
    """A lookup that sends each query once. Failures are cached too, so that a dead zone costs one time-out."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._answers: dict[tuple[str, str], Answer | LookupFailed] = {}

    def query(self, name: str, rdtype: str) -> Answer:
        """See :meth:`Lookup.query`."""
        key = (name.lower(), rdtype)
        if key not in self._answers:
            try:
                self._answers[key] = self._lookup.query(name, rdtype)
            except LookupFailed as error:
                self._answers[key] = error
        answer = self._answers[key]
        if isinstance(answer, LookupFailed):
            raise answer
        return answer


#: Resolvers follow about as many.
_MAX_ALIASES = 10
#: The type of the record that holds an address, by IP version.
ADDRESS_TYPES = {4: "A", 6: "AAAA"}


def addresses_of(lookup: Lookup, name: str, versions: t.Iterable[int] = (4, 6)) -> tuple[Address, ...]:
    """Look up the addresses of ``name`` for the IP ``versions``. Raises the errors of :meth:`Lookup.query`."""
    return tuple(ip_address(text) for version in versions for text in lookup.query(name, ADDRESS_TYPES[version]).values)


def why_absent(lookup: Lookup, name: str, rdtype: str, records: str) -> str:
    """Say why ``name`` has no ``rdtype`` record, such as ``example.com does not exist in the DNS``.

    ``records`` describes the record that was looked for, such as ``no MX record``. Raises the errors of
    :meth:`Lookup.query`.
    """
    if lookup.query(name, rdtype).exists:
        return f"{name} has {records}"
    alias = lookup.query(name, "CNAME").values
    return f"{name} is an alias of {alias[0]}, which does not exist" if alias else f"{name} does not exist in the DNS"


def why_no_address(lookup: Lookup, name: str, rdtype: str = "A") -> str:
    """Say why ``name`` has no address. Raises the errors of :meth:`Lookup.query`."""
    if name in ("", "."):
        return "The root of the DNS is not a host"
    return why_absent(lookup, name, rdtype, "no A or AAAA record")


def end_of_alias(lookup: Lookup, name: str) -> str:
    """The name at the end of the aliases that begin at ``name``. Raises the errors of :meth:`Lookup.query`."""
    for _step in range(_MAX_ALIASES):
        target = lookup.query(name, "CNAME").values
        if not target:
            break
        name = target[0]
    return name
