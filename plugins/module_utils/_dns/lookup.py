# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface between the checks and the resolver: a lookup, its answer, and one that asks each question once."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import threading
import time
import typing as t
from ipaddress import ip_address

from .dns_errors import LookupFailed, LookupTimedOut
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
    #: The names that aliases lead to, in order.
    aliases: tuple[str, ...] = dataclasses.field(default=(), compare=False)
    #: Whether the name server vouches that DNSSEC proves the answer (RFC 4035 section 3.2.3).
    secure: bool = dataclasses.field(default=False, compare=False)
    #: Whether signatures came with the answer. Of :meth:`Lookup.unchecked` only.
    signed: bool = dataclasses.field(default=False, compare=False)
    #: The zone that the answer is from, if it has an SOA record.
    zone: str = dataclasses.field(default="", compare=False)


class Lookup(t.Protocol):
    """An object that answers DNS queries.

    Each method raises :class:`LookupFailed` if there is no usable answer, and :class:`InvalidName` if ``name`` is not a
    valid domain name.
    """

    def query(self, name: str, rdtype: str) -> Answer:
        """Look up the ``rdtype`` records of ``name``, following aliases."""

    def unchecked(self, name: str, rdtype: str) -> Answer:
        """Look up as :meth:`query` does, but have no name server reject what DNSSEC disproves (RFC 4035, CD bit)."""

    def at(self, server: str, name: str, rdtype: str) -> Answer:
        """Ask the authoritative server at the address ``server``, without recursion."""


#: A method of a lookup, and what it is asked: the name and the type last.
Question = tuple[str, ...]

#: More than any domain needs. A server that lies cannot make a run ask without end.
MAX_QUESTIONS = 500
#: How many questions wait for their answers at the same time.
_AT_ONCE = 16


class CachedLookup:
    """A lookup that asks each question once, many at a time. Failures are kept too: a dead zone costs one time-out.

    May be used by several threads. ``seconds`` bounds the time in which questions are asked.
    """

    def __init__(self, lookup: Lookup, seconds: float = 60.0, limit: int = MAX_QUESTIONS) -> None:
        self._lookup = lookup
        self._limit = limit
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._dead = False
        self._lock = threading.Lock()
        self._pool = concurrent.futures.ThreadPoolExecutor(_AT_ONCE)
        self._answers: dict[Question, concurrent.futures.Future[Answer]] = {}

    @property
    def questions(self) -> int:
        """How many different questions there were."""
        return len(self._answers)

    def answered(self) -> t.Iterator[tuple[str, str, Answer | LookupFailed]]:
        """Each name and type that :meth:`query` was asked for, with its answer or its error, in that order."""
        with self._lock:
            asked = [(question, future) for question, future in self._answers.items() if question[0] == "query"]
        for (_method, name, rdtype), future in asked:
            error = future.exception() if future.done() and not future.cancelled() else None
            if isinstance(error, LookupFailed):
                yield name, rdtype.upper(), error
            elif future.done() and not future.cancelled() and error is None:
                yield name, rdtype.upper(), future.result()

    def knock(self, questions: t.Iterable[tuple[str, str]]) -> None:
        """Ask ``questions`` at the same time. If all of them time out, ask no others: the name servers are silent."""
        pending = [self._future("query", *question) for question in questions]
        for future in concurrent.futures.as_completed(pending):
            if not isinstance(future.exception(), LookupTimedOut):
                return
        self._dead = True

    def prefetch(self, questions: t.Iterable[tuple[str, str]]) -> None:
        """Ask ``questions``, pairs of a name and a type, without waiting for the answers."""
        for question in questions:
            self._future("query", *question)

    def query(self, name: str, rdtype: str) -> Answer:
        """See :meth:`Lookup.query`."""
        return self._future("query", name, rdtype).result()

    def unchecked(self, name: str, rdtype: str) -> Answer:
        """See :meth:`Lookup.unchecked`."""
        return self._future("unchecked", name, rdtype).result()

    def at(self, server: str, name: str, rdtype: str) -> Answer:
        """See :meth:`Lookup.at`."""
        return self._future("at", server, name, rdtype).result()

    def close(self) -> None:
        """End the threads. No question may follow that was not asked before."""
        self._pool.shutdown(cancel_futures=True)

    def _future(self, *asked: str) -> concurrent.futures.Future[Answer]:
        question = tuple(map(str.lower, asked))
        with self._lock:
            if question not in self._answers:
                number = len(self._answers)
                self._answers[question] = self._pool.submit(self._ask, number, *asked)
            return self._answers[question]

    def _ask(self, number: int, method: str, *asked: str) -> Answer:
        name, rdtype = asked[-2:]
        if self._dead:
            raise LookupTimedOut(name, rdtype, "was not asked for, since no name server answers")
        if number >= self._limit:
            raise LookupFailed(name, rdtype, f"was not asked for, since this run asks at most {self._limit} questions")
        if time.monotonic() > self._until:
            raise LookupTimedOut(name, rdtype, f"was not asked for, since the others took {self._seconds:g} s")
        return t.cast("Answer", getattr(self._lookup, method)(*asked))


#: The type of the record that holds an address, by IP version.
ADDRESS_TYPES = {4: "A", 6: "AAAA"}
#: SPF reads the same few addresses again and again.
_read = functools.lru_cache(maxsize=4096)(ip_address)


def addresses_of(lookup: Lookup, name: str, versions: t.Iterable[int] = (4, 6)) -> tuple[Address, ...]:
    """Look up the addresses of ``name`` for the IP ``versions``. Raises the errors of :meth:`Lookup.query`."""
    return tuple(_read(text) for version in versions for text in lookup.query(name, ADDRESS_TYPES[version]).values)


def why_absent(lookup: Lookup, name: str, rdtype: str, records: str) -> str:
    """Say why ``name`` has no ``rdtype`` record, such as ``example.com does not exist in the DNS``.

    ``records`` describes the record that was looked for, such as ``no MX record``. Raises the errors of
    :meth:`Lookup.query`.
    """
    answer = lookup.query(name, rdtype)
    if answer.exists:
        return f"{name} has {records}"
    if answer.aliases:
        return f"{name} is an alias of {answer.aliases[0]}, which does not exist"
    return f"{name} does not exist in the DNS"


def why_no_address(lookup: Lookup, name: str, rdtype: str = "A") -> str:
    """Say why ``name`` has no address. Raises the errors of :meth:`Lookup.query`."""
    if name in ("", "."):
        return "The root of the DNS is not a host"
    return why_absent(lookup, name, rdtype, "no A or AAAA record")


def end_of_alias(lookup: Lookup, name: str) -> str:
    """The name at the end of the aliases that begin at ``name``. Raises the errors of :meth:`Lookup.query`."""
    return (name, *lookup.query(name, "A").aliases)[-1]
