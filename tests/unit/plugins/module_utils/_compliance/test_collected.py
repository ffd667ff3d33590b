# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the results of tasks to what is judged: collected.py, proving.py and fleet.py."""

from __future__ import annotations

import json

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import (
    Head,
    from_results,
    loads_collected,
    read_collected,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.fleet import Frame, judge_host, make_report
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import UNJUDGED, State, verdict
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Kind
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.proof import Attempt
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import InvalidEvidence
from ansible_collections.mailops.smtp.tests.unit.support import cases

PLAN = make_plan(
    {
        "inventory_hostname": "relay",
        "relay_domain": "sender.test",
        "relay_listeners": [{"port": 25}, {"port": 587}],
        "compliance_accounts": [{"username": "app@sender.test", "other_sender": "boss@sender.test"}],
        "compliance_recipient": "me@else.test",
        "compliance_probes": ["login_replies"],
    },
    None,
    "nonce",
).to_dict()
SSH = {"unreachable": True, "msg": "Task failed: Failed to connect to the host via ssh: refused"}


def smtp(**changed):
    """The results of smtp_info for the plan."""
    facts = cases.smtp().to_dict()
    return {"results": [{"item": item, "evidence": facts, **changed} for item in PLAN["smtp"]]}


def collected(**results):
    return read_collected(json.loads(json.dumps(from_results(Head("relay"), results))))


def proof(**results):
    (one,) = [one for one in collected(**results).evidence if one.kind is Kind.PROOF]
    return one


def test_each_task_has_its_evidence_and_accounts_are_a_proof():
    host, dns = {"evidence": cases.host().to_dict()}, {"results": [{"evidence": cases.DNS.to_dict()}]}
    found = collected(host=host, dns=dns, smtp=smtp())
    assert [one.kind for one in found.evidence] == [Kind.HOST, Kind.DNS, Kind.SMTP, Kind.SMTP, Kind.PROOF]
    assert not found.head.problems
    assert not found.head.unseen


PROBLEMS = [
    ({"host": SSH}, {"host": "Failed to connect to the host via ssh: refused"}),
    (
        {"dns": {"results": [{"msg": "No dnspython", "_ansible_item_label": "sender.test"}]}},
        {"dns": "sender.test: No dnspython"},
    ),
    ({"dns": {"results": []}, "smtp": {"skipped": True}}, {}),
    ({"host": {}}, {"host": "the task gave no result"}),
    ({"host": None}, {}),
]


@pytest.mark.parametrize(("results", "unseen"), PROBLEMS)
def test_result_without_evidence_is_a_problem(results, unseen):
    results = {name: {"x": 1} if one == {} else one for name, one in results.items()}
    head = collected(**results).head
    assert head.unseen == unseen
    assert len(head.problems) == len(unseen)


def test_logins_that_were_tried():
    found = proof(smtp=smtp()).facts.logins
    assert [one.attempt for one in found] == [
        Attempt.RIGHT,
        Attempt.WRONG_PASSWORD,
        Attempt.UNKNOWN_USER,
        Attempt.OTHER_SENDER,
    ]


def test_recipients_that_every_domain_needs():
    plan = make_plan({"relay_listeners": [{"port": 25}], "relay_domains": [{"name": "d.test"}]}, None, "n").to_dict()
    results = [{"item": item, "evidence": cases.smtp().to_dict()} for item in plan["smtp"]]
    found = proof(smtp={"results": results})
    assert [one.recipient for one in found.facts.recipients] == ["postmaster@d.test", "abuse@d.test"]
    assert [one.path for one in found.unknown] == ["recipients[0].answer", "recipients[1].answer"]


def test_login_that_could_not_be_tried_is_unknown_and_never_missing():
    found = proof(smtp=smtp(evidence=None, msg="vantage is down"))
    assert [one.login for one in found.facts.logins] == [None] * len(found.facts.logins)
    assert {one.reason for one in found.unknown} == {"vantage is down"}


LETTER = PLAN["letters"][0]
SENT = {
    "item": LETTER,
    "message_id": "<6740a1b2.0a1b@x>",
    "queue_id": "4X",
    "recipients": [{"address": "me@else.test", "status": "sent", "code": 250, "text": "ok"}],
}
HOPS = {"item": LETTER, "hops": [{"queue_id": "4X", "status": "sent", "relay": "mx", "recipient": "a", "tls": None}]}
ARRIVED = {"server": "imap:993", "seconds": 1.5, "messages": [{"nonce": LETTER["nonce"], "arrived": False}]}


def message(sent=None, **results):
    found = proof(sent={"results": [SENT if sent is None else sent]}, **results)
    return found.facts.messages[0], {one.path for one in found.unknown}


def test_message_that_was_sent_followed_and_looked_for():
    one, unknown = message(traced={"results": [HOPS]}, mailbox=ARRIVED)
    assert (one.accepted, one.queue_id, one.hops[0].status, one.arrived) == (True, "4X", "sent", False)
    assert one.sent_at == "2024-11-22T15:22:26Z"
    assert not unknown


@pytest.mark.parametrize(
    ("change", "results", "unknown"),
    [
        ({"recipients": [], "msg": "no route"}, {}, {"messages[0].accepted"}),
        ({"recipients": [{"status": "deferred", "code": 450, "text": "later"}]}, {}, {"messages[0].accepted"}),
        ({}, {"traced": {"results": [{"item": LETTER, "msg": "no log"}]}}, {"messages[0].hops"}),
        ({}, {"mailbox": {"msg": "login refused"}}, {"messages[0].arrived"}),
        ({"recipients": [{"status": "refused", "code": 554, "text": "no"}]}, {"mailbox": ARRIVED}, set()),
    ],
)
def test_what_is_not_known_of_a_message_has_its_reason(change, results, unknown):
    assert message({**SENT, **change}, **results)[1] == unknown


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"host": "a"}', '{"host": 1, "evidence": []}', '{"host":"a","evidence":[{}]}'),
        '{"host": "a", "evidence": [], "unseen": {"x": "y"}}',
    ],
)
def test_document_that_is_not_what_was_collected(text):
    with pytest.raises(InvalidEvidence):
        loads_collected(text)


def report(*hosts):
    return make_report(map(judge_host, hosts), Frame("2026-11-28T12:00:00Z", "Title", "0.1.0"))


def test_host_without_evidence_is_an_error_with_its_reason():
    found = report(collected(host=SSH))
    (result,) = found.hosts[0].judged
    assert (result.finding.control, result.state) == (UNJUDGED, State.ERROR)
    assert "via ssh: refused" in result.finding.message
    assert verdict(found).exit_code == 2


def test_host_that_is_down_has_errors_and_no_pass_for_what_only_it_could_tell():
    found = report(collected(host=SSH, smtp=smtp())).hosts[0]
    states = {one.finding.control: one.state for one in found.results}
    assert states["MR-HOST-01"] is State.ERROR
    assert "via ssh: refused" in found.problem


def test_findings_that_are_open_show_their_facts_and_others_do_not():
    found = report(collected(host={"evidence": cases.host().to_dict()}, smtp=smtp())).hosts[0]
    assert not any(one.seen for one in found.results if not one.is_open)
    assert {one.kind for one in found.evidence} >= {"host", "smtp"}
