# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls that the DNS alone can decide, as data. Their ids are stable."""

from __future__ import annotations

import dataclasses

from .._controls.finding import Finding, FindingStatus, Severity
from .dns_errors import DnsError
from .scope import is_private_name, is_within


@dataclasses.dataclass(frozen=True)
class DnsControl:
    """One control, with a constructor for each status of its findings."""

    control: str
    severity: Severity
    source: str

    def passed(self, subject: str, message: str) -> Finding:
        """The subject meets the control."""
        return self._finding(FindingStatus.PASS, subject, message)

    def failed(self, subject: str, message: str, remedy: str) -> Finding:
        """The subject does not meet the control."""
        return self._finding(FindingStatus.FAIL, subject, message, remedy)

    def undecided(self, subject: str, error: DnsError | str) -> Finding:
        """The DNS gave no usable answer."""
        message = f"{subject} could not be judged: {error}."
        return self._finding(FindingStatus.ERROR, subject, message, "Check the name servers, then run this again.")

    def not_checked(self, subject: str, message: str, remedy: str) -> Finding:
        """A value that the check needs is not known."""
        return self._finding(FindingStatus.NOT_CHECKED, subject, message, remedy)

    def not_applicable(self, subject: str, message: str) -> Finding:
        """The control does not apply to this subject."""
        return self._finding(FindingStatus.NOT_APPLICABLE, subject, message)

    def _finding(self, status: FindingStatus, subject: str, message: str, remedy: str = "") -> Finding:
        return Finding(self.control, status, self.severity, subject, message, remedy, self.source)


MX = DnsControl("MR-DNS-01", Severity.HIGH, "RFC 5321 section 5.1, RFC 2181 section 10.3")
FCRDNS = DnsControl("MR-DNS-03", Severity.HIGH, "RFC 1912 section 2.1")
HELO = DnsControl("MR-DNS-04", Severity.HIGH, "RFC 5321 section 4.1.1.1")
SPF_RECORD = DnsControl("MR-SPF-01", Severity.HIGH, "RFC 7208 section 4.5")
SPF_POLICY = DnsControl("MR-SPF-03", Severity.HIGH, "RFC 7208 sections 2.6 and 5.5")
SPF_PASS = DnsControl("MR-SPF-02", Severity.CRITICAL, "RFC 7208 section 2.6")


def remedy_for_domain(domain: str) -> str:
    """What to do if a mail domain does not exist in the DNS."""
    if is_private_name(domain) and not is_within(domain, ["test"]):
        return f"Use a registered domain, or set nameservers to those of the private network that has {domain}."
    return f"Check the spelling of {domain}, its registration and its delegation."
