# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What judging one control gave: the type every check returns and every report is made of."""

from __future__ import annotations

import dataclasses
import enum


class FindingStatus(str, enum.Enum):
    """The outcome of one control for one subject."""

    PASS = "pass"
    FAIL = "fail"
    #: It could not be decided: a time-out, SERVFAIL, a 421. Never counted as a failure.
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    #: It would apply, but what is needed to judge it was not given or cannot be known.
    NOT_CHECKED = "not_checked"
    WAIVED = "waived"


class Severity(str, enum.Enum):
    """How much a failure matters."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One control, judged for one subject."""

    #: Stable id, such as ``MR-DNS-03``.
    control: str
    status: FindingStatus
    severity: Severity
    #: What was judged: a domain, a host name, an address.
    subject: str
    #: One sentence: what was found.
    message: str
    #: One sentence: what to do. Empty on a pass.
    remedy: str = ""
    #: The rule behind the control, such as ``RFC 1912 section 2.1``.
    source: str = ""

    @property
    def sentence(self) -> str:
        """What a person reads in a warning or a failure."""
        return " ".join(part for part in (f"{self.control}: {self.message}", self.remedy) if part)

    def to_dict(self) -> dict[str, str]:
        """The form a module returns: plain strings under the names of the fields."""
        return {**dataclasses.asdict(self), "status": self.status.value, "severity": self.severity.value}
