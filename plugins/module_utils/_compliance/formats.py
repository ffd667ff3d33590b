# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of a report: a row for each."""

from __future__ import annotations

import dataclasses
import typing as t

from . import hdf, html_report, junit, markdown, openmetrics, report, sarif, text
from .differences import Differences


@dataclasses.dataclass(frozen=True)
class Format:
    """How a report is written."""

    #: The name of its file.
    file: str
    write: t.Callable[[report.Report, Differences | None], str]


def _alone(write: t.Callable[[report.Report], str]) -> t.Callable[[report.Report, Differences | None], str]:
    """A format that has no place for what changed since the last run."""
    return lambda found, _since: write(found)


FORMATS: t.Mapping[str, Format] = {
    "json": Format("report.json", _alone(report.write)),
    "html": Format("report.html", html_report.write),
    "junit": Format("junit.xml", _alone(junit.write)),
    "sarif": Format("report.sarif", _alone(sarif.write)),
    "hdf": Format("hdf.json", _alone(hdf.write)),
    "openmetrics": Format("mailops_compliance.prom", _alone(openmetrics.write)),
    "markdown": Format("report.md", markdown.write),
    "text": Format("report.txt", text.write),
}
