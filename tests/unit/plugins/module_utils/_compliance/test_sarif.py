# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF: the properties that its schema requires, and those that GitHub reads."""

from __future__ import annotations

import json

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.sarif import write
from ansible_collections.mailops.smtp.tests.unit.support.reports import WAIVER, each_state, report, result


def run(found):
    document = json.loads(write(found))
    assert document["version"] == "2.1.0"
    (only,) = document["runs"]
    return only


@pytest.mark.parametrize(
    ("status", "severity", "kind", "level"),
    [
        ("fail", "critical", "fail", "error"),
        ("fail", "high", "fail", "error"),
        ("fail", "medium", "fail", "warning"),
        ("fail", "low", "fail", "note"),
        ("error", "critical", "open", "none"),
    ],
)
def test_kind_and_level(status, severity, kind, level):
    (one,) = run(report(result(status, severity=severity)))["results"]
    assert (one["kind"], one["level"]) == (kind, level)
    assert "suppressions" not in one


@pytest.mark.parametrize("status", ["pass", "not_applicable", "not_checked"])
def test_what_needs_no_attention_is_not_a_result(status):
    assert run(report(result(status)))["results"] == []


def test_waived_failure_is_suppressed_and_keeps_its_kind():
    (one,) = run(report(result("fail", waiver=WAIVER)))["results"]
    assert one["kind"] == "fail"
    (suppression,) = one["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert "mail team" in suppression["justification"]


def test_result_refers_to_its_rule():
    found = run(each_state())
    rules = found["tool"]["driver"]["rules"]
    for one in found["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]


def test_rule():
    rule = run(each_state())["tool"]["driver"]["rules"][1]
    assert rule["id"] == "MR-TLS-02"
    assert rule["shortDescription"]["text"] == "Only TLS 1.2 and 1.3 are offered."
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["properties"]["security-severity"] == "8.0"
    assert "relay_tls:" in rule["help"]["text"]
    assert "PCI DSS (v4.0.1) 4.2.1" in rule["help"]["text"]


def test_location_is_the_host():
    (one,) = run(report(result(subject="192.0.2.1"), host="relay [1]"))["results"]
    (location,) = one["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "hosts/relay%20%5B1%5D"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "relay [1]/192.0.2.1"


def prints(found):
    return [one["partialFingerprints"]["mailopsFinding/v1"] for one in run(found)["results"]]


def test_fingerprint_stays_when_words_and_order_change():
    one = prints(report(result(message="5 days left"), result(subject="b")))
    other = prints(
        report(result(subject="b"), result(message="4 days left", severity="low"), when="2027-01-01T00:00:00Z")
    )
    assert one == other[::-1]
    assert one[0] == "c3c75e345d17db11604350e08d7b373d"


def test_fingerprints_tell_results_apart():
    found = report(result(), result(), result(subject="b"), result("fail", "MR-TLS-02"))
    assert len(set(prints(found))) == 4


def test_host_that_is_down_is_told_as_a_failure_of_the_run():
    (invocation,) = run(each_state())["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 1
    levels = [(one["level"], one["message"]["text"]) for one in invocation["toolExecutionNotifications"]]
    assert levels == [
        ("error", "relay2.example.com: relay2.example.com could not be reached: no route to host."),
        ("note", "The waiver of MR-DNS-10 was not used."),
    ]


def test_run_that_reached_all_hosts_was_successful():
    assert run(report(result("fail")))["invocations"][0]["executionSuccessful"] is True
