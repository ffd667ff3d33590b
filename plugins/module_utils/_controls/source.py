# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a control comes from: a requirement of a document with its version."""

from __future__ import annotations

import dataclasses
import typing as t

from .documents import DOCUMENTS, Document

_RFC = "RFC "


@dataclasses.dataclass(frozen=True)
class Source:
    """A requirement of a document."""

    #: A key of :data:`DOCUMENTS`.
    name: str
    #: The section, rule or requirement as the document numbers or names it. Empty for the whole document.
    requirement: str
    #: What of the requirement the control does not check, in a sentence. Empty if it checks all of it.
    not_covered: str = ""

    @property
    def document(self) -> Document:
        """The document with its version."""
        return DOCUMENTS[self.name]

    @property
    def is_rfc(self) -> bool:
        """Whether the document is an RFC."""
        return self.name.startswith(_RFC)

    def __str__(self) -> str:
        return f"{self.name} {self.requirement}".rstrip()


def rfc(number: int, *sections: str) -> Source:
    """One or more sections of an RFC, or all of it."""
    label = {0: "", 1: "section "}.get(len(sections), "sections ")
    return Source(f"{_RFC}{number}", label + _enumerated(sections))


def _enumerated(words: t.Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def each(name: str, *requirements: str, not_covered: str = "") -> tuple[Source, ...]:
    """Several requirements of one document."""
    return tuple(Source(name, one, not_covered) for one in requirements)
