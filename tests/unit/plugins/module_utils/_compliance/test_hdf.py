# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF: the keys that MITRE's exec JSON requires, and what Heimdall computes from them."""

from __future__ import annotations

import json

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.hdf import write
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import HostReport
from ansible_collections.mailops.smtp.tests.unit.support.reports import WAIVER, each_state, report, result

REQUIRED = {
    "document": {"platform", "profiles", "statistics", "version"},
    "profile": {"attributes", "controls", "groups", "name", "sha256", "supports"},
    "control": {"id", "impact", "refs", "results", "source_location", "tags"},
    "result": {"code_desc", "start_time", "status"},
}


def controls(found):
    return [control for profile in json.loads(write(found))["profiles"] for control in profile["controls"]]


def test_required_keys():
    document = json.loads(write(each_state()))
    assert set(document) >= REQUIRED["document"]
    for profile in document["profiles"]:
        assert set(profile) >= REQUIRED["profile"]
        for control in profile["controls"]:
            assert set(control) >= REQUIRED["control"]
            assert all(set(one) >= REQUIRED["result"] for one in control["results"])


def test_profile_for_each_host():
    document = json.loads(write(each_state()))
    assert [profile["name"] for profile in document["profiles"]] == ["relay1.example.com", "relay2.example.com"]
    assert document["platform"]["target_id"] is None
    alone = json.loads(write(each_state().of_host("relay1.example.com")))
    assert alone["platform"]["target_id"] == "relay1.example.com"


@pytest.mark.parametrize(
    ("status", "expected", "key"),
    [
        ("pass", "passed", "message"),
        ("fail", "failed", "message"),
        ("error", "error", "message"),
        ("not_applicable", "skipped", "skip_message"),
        ("not_checked", "skipped", "skip_message"),
    ],
)
def test_status(status, expected, key):
    (control,) = controls(report(result(status, message="Why.")))
    (one,) = control["results"]
    assert (one["status"], one[key]) == (expected, "Why.")


@pytest.mark.parametrize(
    ("statuses", "impact"), [(["fail"], 0.7), (["not_applicable"], 0.0), (["not_applicable", "pass"], 0.7)]
)
def test_impact_of_nothing_means_that_the_control_does_not_apply(statuses, impact):
    (control,) = controls(report(*map(result, statuses)))
    assert control["impact"] == impact
    assert control["tags"]["severity"] == "high"


def test_findings_of_a_control_are_its_results():
    (control,) = controls(report(result(subject="a"), result("pass", subject="b")))
    assert [one["status"] for one in control["results"]] == ["failed", "passed"]


def test_waiver_shows_the_real_status():
    (control,) = controls(report(result("fail", waiver=WAIVER)))
    assert control["results"][0]["status"] == "failed"
    waiver = control["waiver_data"]
    assert (waiver["run"], waiver["skipped_due_to_waiver"], waiver["expiration_date"]) == (True, True, "2026-12-31")
    assert waiver["justification"] == "An old printer needs TLS 1.0 (mail team)"


@pytest.mark.parametrize(
    "results",
    [
        [result("fail", waiver=WAIVER, waiver_expired=True)],
        [result("fail", waiver=WAIVER), result("fail", subject="b")],
        [result("fail", waiver=WAIVER), result("error", subject="b")],
    ],
)
def test_control_is_not_waived_while_a_failure_is_left(results):
    (control,) = controls(report(*results))
    assert control["waiver_data"]["skipped_due_to_waiver"] is False


def test_control_without_waiver():
    assert controls(report(result("fail")))[0]["waiver_data"] == {}


def test_tags_of_nist():
    assert controls(report(result()))[0]["tags"]["nist"] == ["SC-20"]
    assert "nist" not in controls(report(result("fail", "MR-TLS-02")))[0]["tags"]


def test_host_that_is_down():
    found = report(hosts=(HostReport("relay1", problem="No route."),))
    (profile,) = json.loads(write(found))["profiles"]
    assert profile["status_message"] == "No route."
    assert profile["controls"][0]["results"][0]["status"] == "error"
