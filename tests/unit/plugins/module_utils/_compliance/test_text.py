# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for a terminal, as a user reads it."""

from __future__ import annotations

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.differences import differences
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.text import write
from ansible_collections.mailops.smtp.tests.unit.support.reports import each_state, report, result

EXPECTED = """\
relay1.example.com (submission_relay)
  MR-DNS-03 [failed, high] 192.0.2.25 has no PTR record. Set one.
  MR-AUTH-01 [not decided, critical] relay1.example.com:587 replied 421.
  MR-TLS-02 [waived, high] TLS 1.0 is offered. Waived by mail team until 2026-12-31: An old printer needs TLS 1.0. \
The real result is fail.
relay2.example.com
  HOST [not decided, critical] relay2.example.com could not be reached: no route to host. Mend what is named, then run \
this again.
The waiver of MR-DNS-10 was not used.
2 hosts: 1 failed, 2 not decided, 1 waived, 1 not checked, 1 passed, 1 not applicable.
1 finding of severity high or above failed.
"""


def test_report():
    assert write(each_state()) == EXPECTED


def test_host_without_faults_is_not_told():
    assert write(report(result("pass"))) == "1 host: 1 passed.\nNo finding of severity high or above failed.\n"


def test_subject_is_told_if_the_message_does_not():
    assert "] example.com: It fails." in write(
        report(result(subject="example.com", message="It fails."), host="relay1")
    )


def test_same_words_are_told_once():
    """A host that is down leaves many controls undecided for one reason."""
    message = "relay1.example.com could not be judged."
    told = [
        result("error", control, severity, message=message)
        for control, severity in (("MR-TLS-08", "high"), ("MR-RELAY-01", "critical"), ("MR-RELAY-01", "critical"))
    ]
    text = write(report(*told, result("error", "MR-TLS-01", message="Another.")))
    assert "  MR-TLS-08, MR-RELAY-01 [not decided, critical] relay1.example.com could not be judged." in text
    assert text.count("could not be judged.") == 1
    assert "  MR-TLS-01 [not decided, high] " in text


def test_changes_are_told():
    found = report(result("fail"))
    text = write(found, differences(report(result("pass")), found))
    assert "\nSince 2026-11-28T12:00:00Z: 1 failed newly.\n" in text
