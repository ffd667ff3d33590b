# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement of one control: the type that every check returns and every report consists of."""

from __future__ import annotations

import dataclasses
import enum


class FindingStatus(str, enum.Enum):
    """The outcome of one control for one subject."""

    PASS = "pass"
    FAIL = "fail"
    #: The control could not be decided, such as after a time-out, SERVFAIL or a 421. Never counted as a failure.
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    #: The control applies, but a value that the check needs was not given or cannot be known.
    NOT_CHECKED = "not_checked"


class Severity(str, enum.Enum):
    """The impact of a failure."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclasses.dataclass(frozen=True)
class Finding:
    """The judgement of one control for one subject."""

    #: Stable id, such as ``MR-DNS-03``.
    control: str
    status: FindingStatus
    severity: Severity
    #: A domain, a host name or an address.
    subject: str
    #: What was found, in one sentence.
    message: str
    #: What to do, in one sentence. Empty on a pass.
    remedy: str = ""
    #: The rule behind the control, such as ``RFC 1912 section 2.1``.
    source: str = ""

    @property
    def sentence(self) -> str:
        """The text of a warning or an error."""
        return " ".join(part for part in (f"{self.control}: {self.message}", self.remedy) if part)

    def to_dict(self) -> dict[str, str]:
        """The form that a module returns: strings by the names of the fields."""
        return {**dataclasses.asdict(self), "status": self.status.value, "severity": self.severity.value}
