# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit: the elements that GitLab and Jenkins read."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.junit import write
from ansible_collections.mailops.smtp.tests.unit.support.reports import WAIVER, each_state, report, result


def suites(found):
    return ET.fromstring(write(found))  # noqa: S314, of our own text


def cases(found):
    return suites(found).findall("testsuite/testcase")


def properties(case):
    return {one.get("name"): one.get("value") for one in case.findall("properties/property")}


def test_suite_for_each_host_with_its_numbers():
    root = suites(each_state())
    assert root.tag == "testsuites"
    assert root.attrib == {"name": "Mail relays", "tests": "7", "failures": "1", "errors": "2"}
    first, second = root
    assert first.attrib == {
        "name": "relay1.example.com", "hostname": "relay1.example.com", "timestamp": "2026-11-28T12:00:00Z",
        "tests": "6", "failures": "1", "errors": "1", "skipped": "3",
    }  # fmt: skip
    assert properties(first)["profile"] == "submission_relay"
    assert (second.get("tests"), second.get("errors")) == ("1", "1")


@pytest.mark.parametrize(
    ("one", "element", "kind", "message"),
    [
        (result("fail", message="No PTR."), "failure", "high", "No PTR."),
        (result("error", message="A time-out."), "error", "error", "A time-out."),
        (result("not_checked", message="No account."), "skipped", "not_checked", "No account."),
        (result("not_applicable", message="A null client."), "skipped", "not_applicable", "A null client."),
        (
            result("fail", waiver=WAIVER),
            "skipped",
            "waived",
            "Waived by mail team until 2026-12-31: An old printer needs TLS 1.0. The real result is fail.",
        ),
        (result("fail", waiver=WAIVER, waiver_expired=True, message="No PTR."), "failure", "high", "No PTR."),
    ],
)
def test_element_of_each_state(one, element, kind, message):
    (case,) = cases(report(one))
    (told,) = (child for child in case if child.tag != "properties")
    assert (told.tag, told.get("type"), told.get("message")) == (element, kind, message)
    assert one.finding.message in told.text


def test_control_that_is_met_has_no_element():
    (case,) = cases(report(result("pass")))
    assert [child.tag for child in case] == ["properties"]


def test_properties_of_a_case():
    (case,) = cases(report(result("fail", waiver=WAIVER, subject="192.0.2.1")))
    assert properties(case) == {
        "id": "MR-DNS-03",
        "severity": "high",
        "status": "fail",
        "sources": "RFC 1912 section 2.1; SP 800-53 (Rev. 5) SC-20",
        "subject": "192.0.2.1",
        "waiver_owner": "mail team",
        "waiver_expires": "2026-12-31",
    }


def test_failure_tells_the_remedy_and_the_role_variable():
    (case,) = cases(report(result("fail", "MR-TLS-02", remedy="Raise the minimum.")))
    text = case.find("failure").text
    assert "Raise the minimum." in text
    assert "relay_tls:\n  minimum: TLSv1.2" in text


def test_expired_waiver_is_told_in_the_failure():
    (case,) = cases(report(result("fail", waiver=WAIVER, waiver_expired=True)))
    assert "expired on 2026-12-31" in case.find("failure").text


def test_names_tell_cases_apart():
    found = report(result(subject="a"), result(subject="b"), result(), result())
    names = [case.get("name") for case in cases(found)]
    assert len(set(names)) == 4
    assert names[0].endswith("[a]")
    assert {case.get("classname") for case in cases(found)} == {"relay1.example.com"}
