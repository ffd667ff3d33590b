# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standards as views on a report: which of their requirements are met, by the controls that check them.

Also the one place that knows what a row of the catalogue looks like: :func:`described`.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._controls.finding import Severity
from .report import Citation, ControlInfo, Report, Result, State, worst


@dataclasses.dataclass(frozen=True)
class Requirement:
    """A requirement of a standard, on all hosts of a report."""

    #: The document and its version.
    document: str
    requirement: str
    #: The ids of the controls that check it.
    controls: tuple[str, ...]
    #: The worst state of these controls on any host. ``None`` if no host was judged by them.
    state: State | None
    #: What of it no control checks, in sentences. It is not shown to be met then, even if all controls pass.
    not_covered: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class StandardView:
    """A standard and its requirements."""

    standard: str
    requirements: tuple[Requirement, ...]

    def count(self, state: State) -> int:
        """How many requirements come to this state."""
        return sum(one.state is state for one in self.requirements)


def standards(report: Report) -> tuple[StandardView, ...]:
    """The standards that the controls of the report cite, by name."""
    results: dict[str, list[Result]] = {}
    for _host, result in report.all_results():
        results.setdefault(result.finding.control, []).append(result)
    cited: dict[str, dict[tuple[str, str, str], list[tuple[ControlInfo, Citation]]]] = {}
    for control in report.controls:
        for one in control.sources:
            key = (one.name, one.version, one.requirement)
            cited.setdefault(one.standard, {}).setdefault(key, []).append((control, one))
    return tuple(
        StandardView(name, tuple(_requirement(found, results) for found in cited[name].values()))
        for name in sorted(cited)
    )


def _requirement(
    found: t.Sequence[tuple[ControlInfo, Citation]], results: t.Mapping[str, t.Sequence[Result]]
) -> Requirement:
    first = found[0][1]
    controls = tuple(dict.fromkeys(control.id for control, _source in found))
    state = worst(result for control in controls for result in results.get(control, ()))
    missing = tuple(dict.fromkeys(one.not_covered for _control, one in found if one.not_covered))
    document = str(dataclasses.replace(first, requirement=""))
    return Requirement(document, first.requirement, controls, state, missing)


class _Document(t.Protocol):
    @property
    def version(self) -> str: ...

    @property
    def standard(self) -> str: ...


class _Source(t.Protocol):
    @property
    def name(self) -> str: ...

    @property
    def requirement(self) -> str: ...

    @property
    def not_covered(self) -> str: ...

    @property
    def document(self) -> _Document: ...


class CatalogueControl(t.Protocol):
    """What a report needs of a row of the catalogue."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def severity(self) -> Severity: ...

    @property
    def rationale(self) -> str: ...

    @property
    def sources(self) -> t.Sequence[_Source]: ...

    @property
    def variables(self) -> t.Sequence[str]: ...

    @property
    def by_hand(self) -> str: ...


def described(control: CatalogueControl, names: t.Mapping[str, str], variable: str = "") -> ControlInfo:
    """What a report tells about a row of the catalogue.

    :param names: the standards by their keys, as the catalogue has them.
    :param variable: the role variable as YAML that is ready to paste; else the names of the variables are told.
    """
    return ControlInfo(
        id=control.id,
        title=control.title,
        severity=control.severity,
        rationale=control.rationale,
        sources=tuple(
            Citation(
                names.get(one.document.standard, one.document.standard),
                one.name,
                one.requirement,
                one.document.version,
                one.not_covered,
            )
            for one in control.sources
        ),
        variable=variable or "\n".join(control.variables),
        by_hand=control.by_hand,
    )
