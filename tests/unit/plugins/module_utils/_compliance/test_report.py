# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run comes to, and the report as a document that can be read back."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given, settings

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import (
    HostReport,
    InvalidReport,
    State,
    Threshold,
    Waiver,
    counts,
    read,
    verdict,
    write,
)
from ansible_collections.mailops.smtp.tests.unit.support.reports import (
    ANY_REPORT,
    WAIVER,
    WHEN,
    each_state,
    report,
    result,
)

HIGH, LOW, CRITICAL = ({"severity": one} for one in ("high", "low", "critical"))
WAIVED = {"waiver": WAIVER}
DOWN = HostReport("relay1.example.com", problem="relay1.example.com could not be reached.")


VERDICTS = [
    ("all pass", [result("pass")], "high", 0),
    ("a failure at the threshold", [result("pass"), result("fail", **HIGH)], "high", 1),
    ("a failure above the threshold", [result("fail", **CRITICAL)], "high", 1),
    ("a failure below the threshold", [result("pass"), result("fail", **LOW)], "high", 0),
    ("nothing but a failure below the threshold", [result("fail", **LOW)], "high", 0),
    ("a failure of low severity that counts", [result("fail", **LOW)], "low", 1),
    ("a failure and an error", [result("error"), result("fail")], "high", 1),
    ("an error", [result("pass"), result("error")], "high", 2),
    ("an error above, a failure below", [result("fail", **LOW), result("error", **CRITICAL)], "high", 2),
    ("an error below the threshold", [result("pass"), result("error", **LOW)], "critical", 0),
    ("a waived failure", [result("pass"), result("fail", **WAIVED)], "high", 0),
    ("a waiver that has expired", [result("fail", waiver_expired=True, **WAIVED)], "high", 1),
    ("a waived error and nothing else", [result("error", **WAIVED)], "high", 2),
    ("nothing applies", [result("not_applicable")], "high", 2),
    ("nothing was checked", [result("not_checked"), result("not_applicable")], "high", 2),
    ("no results", [], "high", 2),
    ("no results, whatever the threshold", [], "critical", 2),
    ("report only", [result("fail", **CRITICAL), result("error")], "never", 0),
]


@pytest.mark.parametrize(
    ("results", "fail_on", "code"), [row[1:] for row in VERDICTS], ids=[row[0] for row in VERDICTS]
)
def test_exit_code(results, fail_on, code):
    assert verdict(report(*results, fail_on=fail_on)).exit_code == code


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        ([result("pass")], "No finding of severity high or above failed."),
        ([result("fail")], "1 finding of severity high or above failed."),
        ([result("fail"), result("fail", **CRITICAL)], "2 findings of severity high or above failed."),
        ([result("error")], "1 finding of severity high or above could not be decided."),
        ([result("not_checked")], "Nothing was decided: no control passed or failed on any host."),
        (
            [result("pass"), result("fail", **LOW)],
            "No finding of severity high or above failed. 1 finding of lower severity failed or could not be decided.",
        ),
    ],
)
def test_verdict_is_told_in_a_sentence(results, sentence):
    assert verdict(report(*results)).sentence == sentence


def test_no_hosts_is_never_fine():
    assert verdict(report(hosts=())).exit_code == 2


@pytest.mark.parametrize("status", ["not_checked", "not_applicable"])
def test_host_on_which_nothing_was_decided_is_not_fine(status):
    fine = HostReport("relay1", results=(result("pass"),))
    found = verdict(report(hosts=(fine, HostReport("relay2", results=(result(status),)))))
    assert found.exit_code == 2
    assert found.sentence == "Nothing was decided on relay2: no control passed or failed there."


def test_host_that_is_down_is_an_error():
    found = report(hosts=(DOWN, HostReport("relay2", results=(result("pass"),))))
    assert verdict(found).exit_code == 2
    assert counts(one for _host, one in found.all_results())[State.ERROR] == 1
    assert DOWN.judged[0].finding.message == DOWN.problem


def test_host_without_results_is_an_error():
    (only,) = HostReport("relay1").judged
    assert (only.state, only.finding.message) == (State.ERROR, "No control was judged on relay1.")


@pytest.mark.parametrize(
    ("status", "fields", "state"),
    [
        ("pass", {}, State.PASS),
        ("fail", {}, State.FAIL),
        ("fail", WAIVED, State.WAIVED),
        ("error", WAIVED, State.WAIVED),
        ("fail", {**WAIVED, "waiver_expired": True}, State.FAIL),
        ("error", {**WAIVED, "waiver_expired": True}, State.ERROR),
        ("pass", WAIVED, State.PASS),
        ("not_applicable", WAIVED, State.NOT_APPLICABLE),
        ("not_checked", WAIVED, State.NOT_CHECKED),
    ],
)
def test_state(status, fields, state):
    assert result(status, **fields).state is state


def test_waiver_shows_the_real_result():
    assert result("fail", **WAIVED).waiver_note == (
        "Waived by mail team until 2026-12-31: An old printer needs TLS 1.0. The real result is fail."
    )
    assert "expired on 2026-12-31" in result("fail", waiver_expired=True, **WAIVED).waiver_note


@pytest.mark.parametrize(
    ("expires", "is_expired"),
    [("2026-11-27", True), ("2026-11-28", False), ("2026-11-29", False), ("2025-12-31", True)],
)
def test_waiver_holds_until_the_end_of_its_last_day(expires, is_expired):
    assert Waiver("X", "o", "r", expires).is_expired(WHEN) is is_expired


def test_document_has_verdict_and_counts():
    document = json.loads(write(each_state()))
    assert document["verdict"]["exit_code"] == 1
    assert document["counts"] == {
        "fail": 1, "error": 2, "waived": 1, "not_checked": 1, "pass": 1, "not_applicable": 1
    }  # fmt: skip
    assert document == json.loads(json.dumps(each_state().to_dict()))


@given(ANY_REPORT)
@settings(max_examples=50)
def test_report_is_read_back_as_it_was(found):
    assert read(write(found)) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 1"),
        ({"version": True}, "version 1"),
        ({"hosts": None}, "hosts"),
        ({"hosts": [{}]}, "hosts.0: lacks host"),
        ({"fail_on": "sometimes"}, "fail_on: 'sometimes' is not one of critical"),
        ({"when": "yesterday"}, "when"),
    ],
)
def test_invalid_document_is_refused(change, message):
    document = {**each_state().to_dict(), **change}
    with pytest.raises(InvalidReport, match=message):
        read(json.dumps(document))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, b"\xff"])
def test_text_that_is_not_a_report_is_refused(text):
    with pytest.raises(InvalidReport):
        read(text)


def test_one_host_can_be_reported_alone():
    alone = each_state().of_host("relay2.example.com")
    assert [host.host for host in alone.hosts] == ["relay2.example.com"]
    assert verdict(alone).exit_code == 2


def test_control_that_the_report_lacks_is_named_by_its_id():
    found = dataclasses.replace(report(result("fail", "MR-NEW-01")), controls=())
    assert [control.title for control in found.used] == ["MR-NEW-01"]


def test_each_severity_reaches_its_threshold():
    for number, threshold in enumerate(Threshold):
        reached = [
            threshold.reached_by(result(severity=one).finding.severity) for one in ("critical", "high", "medium", "low")
        ]
        assert reached == ([False] * 4 if threshold is Threshold.NEVER else [rank <= number for rank in range(4)])


def test_name_of_a_host_cannot_harm_the_verdict():
    good, bad = report(result("pass")), report(result("not_checked"), host="bad\x1b[2J\n")
    found = dataclasses.replace(good, hosts=(*good.hosts, *bad.hosts))
    assert verdict(found).sentence.startswith("Nothing was decided on bad\ufffd[2J: ")
