# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the controls between two reports."""

from __future__ import annotations

import json

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.differences import Turn, differences
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import HostReport
from ansible_collections.mailops.smtp.tests.unit.support.reports import WAIVER, report, result

STATES = ("fail", "error", "waived", "not_checked", "pass", "not_applicable", None)
TURNS: dict[str | None, dict[str | None, str]] = {
    "fail": {"error": "unknown", "waived": "waived", "not_checked": "unknown", "pass": "mended",
             "not_applicable": "mended", None: "gone"},
    "error": {"fail": "known", "waived": "waived", "pass": "known", None: "gone"},
    "waived": {"fail": "failed", "error": "unknown", "not_checked": "unknown", "pass": "mended",
               "not_applicable": "mended", None: "gone"},
    "not_checked": {"fail": "known", "waived": "waived", "pass": "known", None: "gone"},
    "pass": {"fail": "failed", "error": "unknown", "waived": "waived", "not_checked": "unknown", None: "gone"},
    "not_applicable": {"fail": "failed", "error": "unknown", "waived": "waived", "not_checked": "unknown",
                       None: "gone"},
    None: {"fail": "known", "waived": "known", "pass": "known"},
}  # fmt: skip


def judged(state, **fields):
    """A report with one more result, in this state."""
    anchor = result("pass", "MR-SMTP-03")
    if state is None:
        return report(anchor)
    one = result("fail", waiver=WAIVER, **fields) if state == "waived" else result(state, **fields)
    return report(anchor, one)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_turn(before, after):
    found = differences(judged(before), judged(after)).found
    assert [one.turn.value for one in found] == [turn for turn in [TURNS[before].get(after)] if turn]


def test_sentence():
    (one,) = differences(judged("pass"), judged("fail", message="No PTR record")).found
    assert one.sentence == "MR-DNS-03 on relay1.example.com fails newly (pass -> fail): No PTR record."


def test_reports_that_are_alike_do_not_differ():
    found = differences(judged("fail"), judged("fail", message="Other words."))
    assert found.found == ()
    assert found.sentence == "Since 2026-11-28T12:00:00Z: no control has changed."


def test_subjects_are_told_apart():
    before = report(result("fail", subject="a"), result("pass", subject="b"))
    after = report(result("pass", subject="a"), result("fail", subject="b"))
    assert [(one.turn, one.subject) for one in differences(before, after).found] == [
        (Turn.FAILED, "b"),
        (Turn.MENDED, "a"),
    ]


def test_worst_of_several_findings_counts():
    before = report(result("pass"), result("fail"))
    assert differences(before, report(result("fail"), result("pass"))).found == ()


def fleet(**hosts):
    return report(hosts=tuple(HostReport(name, results=results) for name, results in hosts.items()))


def test_hosts_that_came_and_went_are_named():
    before, after = (
        fleet(old=(result("fail"),), kept=(result("pass"),)),
        fleet(kept=(result("pass"),), new=(result("pass"), result("fail", "MR-TLS-02"))),
    )
    found = differences(before, after)
    assert (found.hosts_added, found.hosts_removed) == (("new",), ("old",))
    assert [(one.turn, one.host, one.control) for one in found.found] == [(Turn.KNOWN, "new", "MR-TLS-02")]
    assert found.sentence.endswith(": 1 known only now, 1 host added, 1 host removed.")


def test_host_that_was_down_is_known_now():
    found = differences(fleet(relay1=()), fleet(relay1=(result("pass"), result("fail", "MR-TLS-02"))))
    assert [(one.turn, one.control) for one in found.found] == [(Turn.KNOWN, "MR-DNS-03"), (Turn.KNOWN, "MR-TLS-02")]


def test_host_that_is_down_now_is_told_once():
    found = differences(fleet(relay1=(result("pass"), result("fail", "MR-TLS-02"))), fleet(relay1=()))
    assert [(one.turn, one.control) for one in found.found] == [(Turn.UNKNOWN, "HOST")]
    assert differences(fleet(relay1=()), fleet(relay1=())).found == ()


def test_most_important_is_first():
    before = report(result("fail", "A", "low"), result("pass", "B", "low"), result("pass", "C", "critical"))
    after = report(result("pass", "A", "low"), result("fail", "B", "low"), result("fail", "C", "critical"))
    assert [one.control for one in differences(before, after).found] == ["C", "B", "A"]


def test_document_is_json():
    document = json.loads(json.dumps(differences(judged("pass"), judged("fail")).to_dict()))
    assert document["found"][0]["turn"] == "failed"
