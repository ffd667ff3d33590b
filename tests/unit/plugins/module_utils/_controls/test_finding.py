# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The type that every check returns."""

from __future__ import annotations

import json

from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import Finding, FindingStatus, Severity

FINDING = Finding(
    control="MR-DNS-03",
    status=FindingStatus.FAIL,
    severity=Severity.HIGH,
    subject="192.0.2.25",
    message="192.0.2.25 has no PTR record.",
    remedy="Set one.",
    source="RFC 1912 section 2.1",
)


def test_dict_form_has_only_strings():
    found = FINDING.to_dict()
    assert {type(value) for value in found.values()} == {str}
    assert json.loads(json.dumps(found)) == {
        "control": "MR-DNS-03",
        "status": "fail",
        "severity": "high",
        "subject": "192.0.2.25",
        "message": "192.0.2.25 has no PTR record.",
        "remedy": "Set one.",
        "source": "RFC 1912 section 2.1",
    }


def test_sentence_has_the_control_and_the_remedy():
    assert FINDING.sentence == "MR-DNS-03: 192.0.2.25 has no PTR record. Set one."
    assert Finding("X", FindingStatus.PASS, Severity.LOW, "s", "Fine.").sentence == "X: Fine."
