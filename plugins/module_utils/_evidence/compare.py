# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed between two documents of evidence: since the last run, or between two hosts that should be alike."""

from __future__ import annotations

import collections
import dataclasses
import enum
import itertools
import json
import typing as t

from .document import Evidence, Unknown, plain

#: Facts that differ in every run: they are about the run, not about the subject. Every duration is another. What the
#: answers of the DNS mean is in the other facts.
VOLATILE = frozenset({"nonce", "queue_id", "queue_ids", "questions", "connections_made", "answers"})
_DURATION = "milliseconds"
#: Fields that may tell the items of a list apart. The first one with distinct values does, or else the first two.
NAMES = ("name", "selector", "domain", "host", "address", "path", "service", "port", "type", "ip_version", "state")
NOT_ASKED = "It was not asked for."
_Difference = tuple[str, t.Any, t.Any]


class ChangeKind(str, enum.Enum):
    """How a fact differs."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    #: One of the two documents does not know the fact, so that it may or may not have changed.
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True)
class Change:
    """A fact that differs."""

    #: The place in the document: ``facts.mx.mx1.example.com.preference``, or ``facts.names[]`` for an item of a list.
    path: str
    kind: ChangeKind
    #: ``None`` if the fact was added, or if it is not known.
    before: t.Any
    #: ``None`` if the fact was removed, or if it is not known.
    after: t.Any
    #: Why it is not known. Empty if it is known.
    reason: str = ""

    def to_dict(self) -> dict[str, t.Any]:
        """The change as JSON has it."""
        return t.cast("dict[str, t.Any]", plain(self))


def changes(before: Evidence[t.Any], after: Evidence[t.Any]) -> list[Change]:
    """The facts that differ, in the order of the documents. Raises :class:`ValueError` if their kinds differ.

    A fact is known unless the document says that it is not, or its whole group was not asked for. Within a group,
    ``None`` is a fact: there is none.

    The order of a list does not count, since name servers and kernels do not keep any. Its items are compared by name
    if they have distinct ones (:data:`NAMES`), otherwise as wholes. The times of the two runs are left out.
    """
    if before.kind != after.kind:
        raise ValueError(f"evidence of kind {before.kind.value} cannot be compared with {after.kind.value}")
    differences: list[_Difference] = []
    for part in ("subject", "seen_from", "facts"):
        one, other = getattr(before, part), getattr(after, part)
        if one != other:  # most are equal, and that is fast to see
            differences += _compared(_lasting(plain(one)), _lasting(plain(other)), part)
    return [_change(*difference, before.unknown, after.unknown) for difference in differences]


def _lasting(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        kept = (key for key in value if key not in VOLATILE and not key.endswith(_DURATION))
        return {key: _lasting(value[key]) for key in kept}
    return [_lasting(one) for one in value] if isinstance(value, list) else value


def _compared(before: t.Any, after: t.Any, place: str) -> t.Iterator[_Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from _compared(before.get(key), after.get(key), f"{place}.{key}")
    elif isinstance(before, list) and isinstance(after, list):
        for names in _CANDIDATES:
            named = _by_name(before, names), _by_name(after, names)
            if named[0] is not None and named[1] is not None:
                yield from _compared(*named, place)
                return
        yield from _items(before, after, f"{place}[]")
    else:
        yield place, before, after


_CANDIDATES = [*itertools.combinations(NAMES, 1), *itertools.combinations(NAMES, 2)]


def _by_name(items: t.Sequence[t.Any], names: t.Sequence[str]) -> dict[str, t.Any] | None:
    """The items by the values of these fields, or ``None`` if those do not tell them apart."""
    found = {}
    for one in items:
        values = [one.get(name) for name in names] if isinstance(one, dict) else [None]
        if not all(isinstance(value, (str, int)) for value in values):
            return None
        found[".".join(str(value) or "-" for value in values)] = one
    return found if len(found) == len(items) else None


def _items(before: t.Sequence[t.Any], after: t.Sequence[t.Any], place: str) -> t.Iterator[_Difference]:
    gone, come = (collections.Counter(json.dumps(one, sort_keys=True) for one in items) for items in (before, after))
    for item in (gone - come).elements():
        yield place, json.loads(item), None
    for item in (come - gone).elements():
        yield place, None, json.loads(item)


def _change(
    path: str, before: t.Any, after: t.Any, unknown_before: t.Sequence[Unknown], unknown_after: t.Sequence[Unknown]
) -> Change:
    reason = _why_unknown(path, before, unknown_before) or _why_unknown(path, after, unknown_after)
    if reason:
        kind = ChangeKind.UNKNOWN
    elif before is None:
        kind = ChangeKind.ADDED
    else:
        kind = ChangeKind.REMOVED if after is None else ChangeKind.CHANGED
    return Change(path, kind, before, after, reason)


def _why_unknown(path: str, value: t.Any, unknown: t.Sequence[Unknown]) -> str:
    """Why a document does not know this fact; empty if it does."""
    if value is not None:
        return ""
    reasons = (one.reason for one in unknown if _overlap(path, f"facts.{one.path}"))
    is_group = path.count(".") == 1 and not path.endswith("[]")
    return next(reasons, NOT_ASKED if is_group else "")


def _overlap(one: str, other: str) -> bool:
    """Whether one of two places is the other, or within it."""
    shorter, longer = sorted((one.replace("[]", "") + ".", other + "."), key=len)
    return longer.startswith(shorter)
