# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence: what was seen of one subject, when, and from where. Never a verdict.

The facts themselves are typed in ``dns.py``, ``smtp.py``, ``host.py`` and ``proof.py``. A fact is ``None`` if it was
not asked for or could not be seen; in the second case an :class:`Unknown` gives the reason.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import typing as t
from collections.abc import Mapping

#: Raised when a fact changes its name or meaning. New facts do not raise it.
VERSION = 1

#: A text that :func:`moment` made.
Moment = t.Annotated[str, "date-time"]
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
#: The years 1000 and 9999: all of them have four digits.
_FIRST, _LAST = -30_610_224_000, 253_402_300_799

Facts = t.TypeVar("Facts")


def fact(description: str, **options: t.Any) -> t.Any:
    """A field of a dataclass with its description, from which the JSON Schema and ``docs/evidence.md`` are made.

    ``forms.py`` lists the types that it may have.
    """
    return dataclasses.field(  # pylint: disable=invalid-field-call
        metadata={"description": description}, **options
    )


class Kind(str, enum.Enum):
    """What was asked."""

    DNS = "dns"
    SMTP = "smtp"
    HOST = "host"
    PROOF = "proof"


@dataclasses.dataclass(frozen=True)
class Vantage:
    """Where the facts were seen from."""

    host: str = fact("The name of the host that asked.")
    addresses: tuple[str, ...] = fact("The addresses from which it connected. Empty if it did not connect.", default=())


@dataclasses.dataclass(frozen=True)
class Unknown:
    """A fact that could not be seen."""

    path: str = fact("Which fact, as a path below facts, such as mx or dkim.s1.")
    reason: str = fact(
        "Why it is not known, as a sentence or a part of one: a time-out, SERVFAIL, a 421, a missing permission."
    )


@dataclasses.dataclass(frozen=True)
class Evidence(t.Generic[Facts]):
    """What was seen of one subject."""

    kind: Kind = fact("What was asked: the DNS, a server over SMTP, a host, or logins and messages that were followed.")
    subject: str = fact("The domain, the server with its port, or the host.")
    seen_at: Moment = fact("When the questions began, in UTC (RFC 3339).")
    seconds: float = fact("How long the questions took, in seconds.")
    seen_from: Vantage = fact("Where the facts were seen from.")
    facts: Facts = fact("What was seen.")
    unknown: tuple[Unknown, ...] = fact("What could not be seen, and why.", default=())
    version: int = fact("The version of this document.", default=VERSION)

    def to_dict(self) -> dict[str, t.Any]:
        """The document: dicts, lists, texts, numbers and None."""
        return t.cast("dict[str, t.Any]", plain(self))


def plain(value: t.Any) -> t.Any:
    """``value`` as JSON has it: a dataclass as a dict, an enumeration as its value, a tuple as a list."""
    kind: t.Any = type(value)
    if kind in _PLAIN:  # nearly all values, and a fleet has millions
        return value
    names = _names_of(kind)
    if names is not None:
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


_PLAIN = frozenset({str, int, float, bool, type(None)})


@functools.cache
def _names_of(kind: t.Hashable) -> tuple[str, ...] | None:
    """The names of the fields of a dataclass; None for any other type."""
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else None


def moment(seconds: float) -> Moment:
    """``seconds`` since the epoch as RFC 3339 in UTC, such as ``2026-03-01T12:00:00Z``.

    A file may have any time; one that RFC 3339 cannot write becomes the nearest that it can.
    """
    seconds = min(max(seconds, _FIRST), _LAST)
    return moment_of(datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc))


def moment_of(when: datetime.datetime) -> Moment:
    """A time in UTC as RFC 3339."""
    return when.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


@functools.lru_cache(maxsize=4096)
def seconds_of(text: Moment) -> float:
    """The inverse of :func:`moment`. Raises :class:`ValueError`."""
    when = datetime.datetime.strptime(text, _FORMAT)
    if when.strftime(_FORMAT) != text:
        raise ValueError(f"{text!r} lacks a zero, as in 2026-03-01")
    return when.replace(tzinfo=datetime.timezone.utc).timestamp()
