# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: what a user writes, what is wrong with it, and what they do to a report."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import (
    HostReport,
    State,
    Waiver,
    verdict,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.waivers import InvalidWaivers, apply, read
from ansible_collections.mailops.smtp.tests.unit.support.reports import WHEN, report, result

CONTROLS = ("MR-DNS-03", "MR-TLS-02", "MR-SMTP-03")
GOOD = {"control": "MR-DNS-03", "host": "*", "owner": "mail team", "reason": "No PTR yet.", "expires": "2026-12-31"}


def without(*names):
    return {name: value for name, value in GOOD.items() if name not in names}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (GOOD, Waiver("MR-DNS-03", "mail team", "No PTR yet.", "2026-12-31")),
        (
            {**GOOD, "expires": datetime.date(2026, 12, 31)},
            Waiver("MR-DNS-03", "mail team", "No PTR yet.", "2026-12-31"),
        ),
        (
            {**GOOD, "expires": datetime.datetime(2026, 12, 31, 23, 0)},
            Waiver("MR-DNS-03", "mail team", "No PTR yet.", "2026-12-31"),
        ),
        (
            {**without("host"), "subject": " 192.0.2.* "},
            Waiver("MR-DNS-03", "mail team", "No PTR yet.", "2026-12-31", subject="192.0.2.*"),
        ),
    ],
)
def test_waiver_is_read(given, expected):
    assert read([given], CONTROLS) == (expected,)


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ([{**GOOD, "control": "MR-DNS-3"}], ["[0].control: unknown control 'MR-DNS-3'. Did you mean MR-DNS-03?"]),
        ([{**GOOD, "control": "mr-dns-03"}], ["[0].control: unknown control 'mr-dns-03'. Did you mean MR-DNS-03?"]),
        ([{**GOOD, "control": "HOST"}], ["[0].control: unknown control 'HOST'. Expected one of MR-DNS-03, "]),
        ([GOOD, without("owner")], ["[1].owner: missing; give who accepts"]),
        ([without("reason")], ["[0].reason: missing; give why"]),
        ([{**GOOD, "reason": "  "}], ["[0].reason: empty; give why"]),
        ([{**GOOD, "owner": None}], ["[0].owner: missing"]),
        ([{**GOOD, "owner": ["me"]}], ["[0].owner: expected a text, not a list; give"]),
        ([without("expires")], ["[0].expires: missing; give the last day"]),
        ([without("control")], ["[0].control: missing; give the id"]),
        ([{**GOOD, "expires": "never"}], ["[0].expires: 'never' is not a valid date; expected one such as 2026-12-31"]),
        ([{**GOOD, "expires": "2026-02-30"}], ["[0].expires: '2026-02-30' is not a valid date"]),
        ([{**GOOD, "expires": "31.12.2026"}], ["is not a valid date"]),
        ([{**GOOD, "expires": "20261231"}], ["is not a valid date"]),
        ([{**GOOD, "expires": "2026-W01-1"}], ["is not a valid date"]),
        ([{**GOOD, "expires": 20261231}], ["[0].expires: expected a text, not a number"]),
        ([without("host")], ["[0]: host or subject is missing; give host: '*'"]),
        ([{**GOOD, "host": 5}], ["[0].host: expected a pattern, such as relay*.example.com, not a number"]),
        ([{**GOOD, "host": ""}], ["[0].host: expected a pattern"]),
        ([{**GOOD, "expiry": "x"}], ["[0]: unknown key 'expiry'. Did you mean expires?"]),
        ([dict([*GOOD.items(), (5, "x")])], ["[0]: unknown key '5'. Expected one of control, expires, host"]),
        (["MR-DNS-03"], ["[0]: expected a mapping with control, owner, reason, expires, not a text"]),
        ([None], ["[0]: expected a mapping with control, owner, reason, expires, not an empty value"]),
        (GOOD, ["compliance_waivers: expected a list of waivers, not a mapping"]),
        (None, ["compliance_waivers: expected a list of waivers, not an empty value"]),
        ("MR-DNS-03", ["expected a list of waivers, not a text"]),
        ([without("owner", "reason"), {**GOOD, "control": "X"}], ["[0].owner", "[0].reason", "[1].control"]),
    ],
)
def test_mistakes_are_told_with_their_place_all_at_once(given, messages):
    with pytest.raises(InvalidWaivers) as caught:
        read(given, CONTROLS)
    assert len(caught.value.mistakes) == len(messages)
    for mistake, message in zip(caught.value.mistakes, messages, strict=True):
        assert mistake.startswith("compliance_waivers")
        assert message in mistake


def test_place_is_that_of_the_user():
    with pytest.raises(InvalidWaivers, match=r"waivers.yml\[0\].owner"):
        read([without("owner")], CONTROLS, "waivers.yml")


def waiver(host="*", subject="*", expires="2026-12-31", control="MR-DNS-03"):
    return Waiver(control, "mail team", "Accepted.", expires, host, subject)


def applied(*results, waivers, host="relay1.example.com"):
    found = apply(report(*results, host=host), waivers)
    return [one.state for _host, one in found.all_results()], found


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        ("relay1.example.com", True),
        ("RELAY1.example.com", True),
        ("relay?.example.com", True),
        ("relay*", True),
        ("*.example.com", True),
        ("relay1", False),
        ("example.com", False),
        ("relay[0-9].example.com", False),
        ("relay1xexample.com", False),
        (".*", False),
        ("", False),
    ],
)
def test_pattern_of_hosts(pattern, matches):
    states, _report = applied(result("fail"), waivers=[waiver(pattern)])
    assert states == [State.WAIVED if matches else State.FAIL]


def test_brackets_of_an_address_are_no_pattern():
    states, _report = applied(result("fail", subject="[2001:db8::1]:25"), waivers=[waiver(subject="[2001:db8::1]:*")])
    assert states == [State.WAIVED]


def test_subject_tells_findings_of_a_control_apart():
    results = [result("fail", subject=subject) for subject in ("192.0.2.1", "192.0.2.2")]
    states, _report = applied(*results, waivers=[waiver(subject="192.0.2.2")])
    assert states == [State.FAIL, State.WAIVED]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("fail", State.WAIVED),
        ("error", State.WAIVED),
        ("pass", State.PASS),
        ("not_checked", State.NOT_CHECKED),
        ("not_applicable", State.NOT_APPLICABLE),
    ],
)
def test_status_that_needs_a_waiver(status, state):
    states, found = applied(result(status), waivers=[waiver()])
    assert states == [state]
    assert next(found.all_results())[1].finding.status.value == status
    unused = "nothing that it matches fails. Remove it."
    assert [notice.endswith(unused) for notice in found.notices] == ([] if state is State.WAIVED else [True])


def test_expired_waiver_changes_nothing_and_is_told():
    states, found = applied(result("fail"), waivers=[waiver(expires="2026-11-27")])
    assert states == [State.FAIL]
    assert verdict(found).exit_code == 1
    (notice,) = found.notices
    assert "MR-DNS-03 for host * (owner mail team) expired on 2026-11-27" in notice
    assert "expired on 2026-11-27" in next(found.all_results())[1].waiver_note


def test_expired_waiver_is_told_even_if_the_control_is_met():
    _states, found = applied(result("pass"), waivers=[waiver(expires="2020-01-01")])
    assert "expired" in found.notices[0]


def test_waiver_that_matches_no_finding_is_told():
    _states, found = applied(result("fail"), waivers=[waiver("relay9*"), waiver(control="MR-TLS-02")])
    assert ["no finding matches it" in notice for notice in found.notices] == [True, True]


def test_waiver_that_holds_longest_is_taken():
    _states, found = applied(result("fail"), waivers=[waiver(expires="2026-11-01"), waiver(expires="2027-01-01")])
    assert next(found.all_results())[1].waiver.expires == "2027-01-01"


def test_host_that_is_down_cannot_be_waived():
    down = report(hosts=(HostReport("relay1", problem="No route."),))
    assert verdict(apply(down, [waiver()])).exit_code == 2


def test_report_without_waivers_stays_as_it_is():
    before = report(result("fail"), when=WHEN)
    assert apply(before, []) == before
