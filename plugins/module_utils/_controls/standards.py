# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standards as views on the catalogue: which requirement is checked by which controls."""

from __future__ import annotations

import dataclasses
import typing as t

from .catalogue import CONTROLS
from .control import Conflict, Profile, Rows
from .documents import DOCUMENTS, STANDARDS, Document
from .source import Source


@dataclasses.dataclass(frozen=True)
class Coverage:
    """A control that checks a requirement, or a part of it."""

    control: str
    #: What of the requirement it does not check, in a sentence. Empty if it checks all of it.
    not_covered: str


@dataclasses.dataclass(frozen=True)
class Requirement:
    """A requirement of a document, and what the catalogue has for it."""

    name: str
    requirement: str
    document: Document
    #: The requirement is met if all of these pass. Empty if controls only contradict it.
    coverage: tuple[Coverage, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def is_covered(self) -> bool:
        """Whether controls check all of the requirement, so that their results alone can show that it is met."""
        return bool(self.coverage) and not any(one.not_covered for one in self.coverage)

    def conflict(self, profile: Profile) -> Conflict | None:
        """The conflict with what a host of this profile is there for, if any."""
        return next((one for one in self.conflicts if profile in one.profiles), None)


def view(standard: str, controls: Rows = CONTROLS) -> tuple[Requirement, ...]:
    """The requirements of ``standard``, a key of :data:`STANDARDS`, by document and in the order of the catalogue.

    Raises :class:`KeyError` for another standard.
    """
    if standard not in STANDARDS:
        raise KeyError(standard)
    coverage: dict[tuple[str, str], list[Coverage]] = {}
    conflicts: dict[tuple[str, str], dict[Conflict, None]] = {}
    for control in controls:
        for source in _of_standard(standard, control.sources):
            found = coverage.setdefault((source.name, source.requirement), [])
            found.append(Coverage(control.id, source.not_covered))
        for conflict in control.conflicts:
            for source in _of_standard(standard, conflict.sources):
                coverage.setdefault((source.name, source.requirement), [])
                conflicts.setdefault((source.name, source.requirement), {})[conflict] = None
    order = list(DOCUMENTS)
    return tuple(
        Requirement(name, requirement, DOCUMENTS[name], tuple(found), tuple(conflicts.get((name, requirement), ())))
        for (name, requirement), found in sorted(coverage.items(), key=lambda item: order.index(item[0][0]))
    )


def _of_standard(standard: str, sources: t.Iterable[Source]) -> t.Iterator[Source]:
    return (source for source in sources if source.document.standard == standard)
