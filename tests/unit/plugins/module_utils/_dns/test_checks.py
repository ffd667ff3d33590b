# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks, each with every status it can give."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import FindingStatus
from ansible_collections.mailops.smtp.plugins.module_utils._dns.checks import CHECKS, MailSystem, run_checks
from ansible_collections.mailops.smtp.plugins.module_utils._dns.errors import LookupTimedOut, ServerFailure
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address, reverse_pointer
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

V4 = "192.0.2.25"
V6 = "2001:db8::25"
DOMAIN = "example.com"
HOST = "mail.example.com"
UPSTREAM = "smtp.provider.example"
REVERSE4 = reverse_pointer(parse_address(V4))
REVERSE6 = reverse_pointer(parse_address(V6))

#: All is well here; a test changes what it is about.
GOOD = {
    DOMAIN: {"MX": [f"10 {HOST}"], "TXT": ["v=spf1 mx ip4:203.0.113.0/24 -all"]},
    HOST: {"A": [V4], "AAAA": [V6]},
    "other.example.com": {"A": ["198.51.100.1"]},
    "alias.example.com": {"CNAME": [HOST]},
    "bare.example.com": {"TXT": ["no address"]},
    REVERSE4: {"PTR": [HOST]},
    REVERSE6: {"PTR": [HOST]},
    UPSTREAM: {"A": ["203.0.113.9"]},
    "big.provider.example": {"A": ["198.51.100.9"]},
}


def system(*addresses: str, hostname: str = HOST, via: tuple[str, ...] = ()) -> MailSystem:
    return MailSystem(DOMAIN, hostname, tuple(map(parse_address, addresses)), via)


def judge(check: str, subject: MailSystem, **changes) -> list[tuple[str, str, str]]:
    """Control, status and message of each finding, in a zone with ``changes`` (dots written as double underscores)."""
    zone = {**GOOD, **{name.replace("__", "."): records for name, records in changes.items()}}
    findings = run_checks(ZoneLookup(zone), subject, [check])
    for finding in findings:
        assert bool(finding.remedy) is (
            finding.status in {FindingStatus.FAIL, FindingStatus.ERROR, FindingStatus.NOT_CHECKED}
        ), finding
        assert finding.message.endswith(".")
        assert finding.source.startswith("RFC ")
    return [(finding.control, finding.status.value, finding.message) for finding in findings]


def test_a_good_system_passes_every_check():
    findings = run_checks(ZoneLookup(GOOD), system(V4, V6), CHECKS)
    assert [(finding.control, finding.subject, finding.status.value) for finding in findings] == [
        ("MR-DNS-04", HOST, "pass"),
        ("MR-DNS-01", HOST, "pass"),
        ("MR-DNS-03", V4, "pass"),
        ("MR-DNS-04", V4, "pass"),
        ("MR-DNS-03", V6, "pass"),
        ("MR-DNS-04", V6, "pass"),
        ("MR-SPF-01", DOMAIN, "pass"),
        ("MR-SPF-02", V4, "pass"),
        ("MR-SPF-02", V6, "pass"),
    ]


Cases = dict[str, tuple[t.Any, ...]]
A_CASES: Cases = {
    "an egress address": (
        system(V4),
        {},
        "pass",
        "The HELO name mail.example.com resolves to 192.0.2.25, 2001:db8::25.",
    ),
    "an alias": (system(V4, hostname="alias.example.com"), {}, "pass", "The HELO name alias.example.com resolves to"),
    "another address": (
        system("192.0.2.99"),
        {},
        "fail",
        "The HELO name mail.example.com resolves to 192.0.2.25, 2001:db8::25, but mail leaves from 192.0.2.99.",
    ),
    "no address": (
        system(V4, hostname="bare.example.com"),
        {},
        "fail",
        "The HELO name bare.example.com does not resolve",
    ),
    "no such name": (system(V4, hostname="x.example.com"), {}, "fail", "The HELO name x.example.com does not resolve"),
    "one label": (system(V4, hostname="mail"), {}, "fail", "The HELO name mail is not a fully qualified host name."),
    "a literal": (system(V4, hostname=f"[{V4}]"), {}, "fail", "The HELO name [192.0.2.25] is not a fully qualified"),
    "a time-out": (system(V4), {"mail__example__com": {"A": LookupTimedOut}}, "error", "mail.example.com could not be"),
    "half an answer": (
        system(V4),
        {"mail__example__com": {"A": [V4], "AAAA": ServerFailure}},
        "error",
        "mail.example.com",
    ),
    "no name given": (system(V4, hostname=""), {}, "not_checked", "No host name was given."),
    "no egress given": (
        system(),
        {},
        "not_checked",
        "The HELO name mail.example.com resolves to 192.0.2.25, 2001:db8::25, but",
    ),
    "an upstream": (system(via=(UPSTREAM,)), {}, "not_applicable", "smtp.provider.example greets the Internet, not"),
}


@pytest.mark.parametrize("case", A_CASES)
def test_a(case):
    subject, changes, status, message = A_CASES[case]
    [(control, found, said)] = judge("a", subject, **changes)
    assert (control, found) == ("MR-DNS-04", status)
    assert said.startswith(message)


def mx(*records: str) -> dict:
    return {"example__com": {"MX": list(records)}}


MX_CASES: Cases = {
    "a good target": (system(), {}, ["pass"], "The MX target mail.example.com of example.com resolves to 192.0.2.25"),
    "one of two": (
        system(),
        mx("20 gone.example.com", "10 mail.example.com"),
        ["pass", "fail"],
        "The MX target gone.example.com of example.com has no address.",
    ),
    "an alias": (
        system(),
        mx("10 alias.example.com"),
        ["fail"],
        "The MX target alias.example.com of example.com is an alias of mail.example.com.",
    ),
    "no address": (
        system(),
        mx("10 bare.example.com"),
        ["fail"],
        "The MX target bare.example.com of example.com has no",
    ),
    "an address": (system(), mx("10 192.0.2.25"), ["fail"], "The MX target 192.0.2.25 of example.com has no address."),
    "a malformed target": (
        system(),
        mx("10 a..b"),
        ["fail"],
        "The MX target of example.com is malformed: 'a..b' is not",
    ),
    "none": (system(), mx(), ["fail"], "example.com has no MX record, so"),
    "no such domain": (MailSystem("gone.example"), {}, ["fail"], "gone.example has no MX record, so"),
    "null": (system(), mx("0 ."), ["not_applicable"], "example.com accepts no mail, as its null MX says."),
    "null, but it sends": (system(V4), mx("0 ."), ["fail"], "example.com sends mail but has a null MX, for which"),
    "null, but it sends by an upstream": (
        system(via=(UPSTREAM,)),
        mx("0 ."),
        ["fail"],
        "example.com sends mail but has",
    ),
    "null and others": (system(), mx("0 .", "10 mail.example.com"), ["fail"], "example.com has a null MX beside other"),
    "a time-out": (
        system(),
        {"example__com": {"MX": LookupTimedOut}},
        ["error"],
        "example.com could not be judged: the MX",
    ),
    "a target times out": (
        system(),
        {"mail__example__com": {"A": LookupTimedOut}},
        ["error"],
        "mail.example.com could not be judged: the A lookup for mail.example.com failed",
    ),
}


@pytest.mark.parametrize("case", MX_CASES)
def test_mx(case):
    subject, changes, statuses, last_message = MX_CASES[case]
    findings = judge("mx", subject, **changes)
    assert {control for control, _status, _message in findings} == {"MR-DNS-01"}
    assert [status for _control, status, _message in findings] == statuses
    assert findings[-1][2].startswith(last_message)


def ptr(*names: str) -> dict:
    return {REVERSE4.replace(".", "__"): {"PTR": list(names)}}


PTR_CASES: Cases = {
    "the HELO name": (
        system(V4),
        {},
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the HELO name mail.example.com.",
    ),
    "another case": (
        system(V4),
        ptr("MAIL.example.com"),
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the HELO",
    ),
    "one of two names": (
        system(V4),
        ptr("other.example.com", HOST),
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is",
    ),
    "another name": (
        system(V4, hostname="other.example.com"),
        {},
        ["pass", "fail"],
        "The reverse name of 192.0.2.25 is mail.example.com, but the HELO name is other.example.com.",
    ),
    "no HELO name given": (
        system(V4, hostname=""),
        {},
        ["pass"],
        "192.0.2.25 has the reverse name mail.example.com, which",
    ),
    "none": (system(V4), ptr(), ["fail"], "192.0.2.25 has no PTR record."),
    "no zone": (system("192.0.2.26"), {}, ["fail"], "192.0.2.26 has no PTR record."),
    "not back": (
        system(V4),
        ptr("other.example.com"),
        ["fail"],
        "192.0.2.25 has the reverse name other.example.com, which does not",
    ),
    "to nowhere": (
        system(V4),
        ptr("gone.example.com"),
        ["fail"],
        "192.0.2.25 has the reverse name gone.example.com, which does",
    ),
    "malformed": (
        system(V4),
        ptr("a..b"),
        ["fail"],
        "192.0.2.25 has the reverse name a..b, which does not lead back to it.",
    ),
    "a time-out": (
        system(V4),
        {REVERSE4.replace(".", "__"): {"PTR": LookupTimedOut}},
        ["error"],
        "192.0.2.25 could not be",
    ),
    "the way back times out": (
        system(V4),
        {"mail__example__com": {"A": LookupTimedOut}},
        ["error"],
        "192.0.2.25 could not be",
    ),
    "the other family times out": (
        system(V4),
        {"mail__example__com": {"A": [V4], "AAAA": LookupTimedOut}},
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the HELO name mail.example.com.",
    ),
    "one way back is enough": (
        system(V4),
        {**ptr("late.example.com", HOST), "late__example__com": {"A": LookupTimedOut}},
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the HELO name mail.example.com.",
    ),
    "no egress given": (system(), {}, ["not_checked"], "No egress address was given."),
    "an upstream": (
        system(via=(UPSTREAM,)),
        {},
        ["not_applicable"],
        "Receivers see the addresses of smtp.provider.example",
    ),
}


@pytest.mark.parametrize("case", PTR_CASES)
def test_ptr(case):
    subject, changes, statuses, last_message = PTR_CASES[case]
    findings = judge("ptr", subject, **changes)
    assert [status for _control, status, _message in findings] == statuses
    assert [control for control, _status, _message in findings] == ["MR-DNS-03", "MR-DNS-04"][: len(statuses)]
    assert findings[-1][2].startswith(last_message)


def spf(*records: str) -> dict:
    return {"example__com": {"MX": [f"10 {HOST}"], "TXT": list(records)}}


SPF_CASES: Cases = {
    "good": (
        system(V4),
        {},
        ["pass", "pass"],
        "SPF of example.com gives pass for 192.0.2.25: mx of example.com matches.",
    ),
    "another address": (
        system("192.0.2.99"),
        {},
        ["pass", "fail"],
        "SPF of example.com gives fail for 192.0.2.99: -all of example.com matches.",
    ),
    "softfail": (system(V4), spf("v=spf1 ~all"), ["pass", "fail"], "SPF of example.com gives softfail for 192.0.2.25"),
    "neutral": (system(V4), spf("v=spf1"), ["pass", "fail"], "SPF of example.com gives neutral for 192.0.2.25"),
    "none": (
        system(V4),
        spf(),
        ["fail", "fail"],
        "SPF of example.com gives none for 192.0.2.25: example.com has no SPF",
    ),
    "two": (
        system(V4),
        spf("v=spf1 mx", "v=spf1 a"),
        ["fail", "fail"],
        "SPF of example.com gives permerror for 192.0.2.25",
    ),
    "invalid": (
        system(V4),
        spf("v=spf1 mx al"),
        ["fail", "fail"],
        "SPF of example.com gives permerror for 192.0.2.25: the SPF",
    ),
    "a bad include": (
        system(V4),
        spf("v=spf1 include:gone.example -all"),
        ["pass", "fail"],
        "SPF of example.com gives permerror for 192.0.2.25: include:gone.example leads to no SPF record",
    ),
    "a time-out": (
        system(V4),
        {"example__com": {"TXT": LookupTimedOut}},
        ["error", "error"],
        "192.0.2.25 could not be judged",
    ),
    "an include times out": (
        system(V4),
        {**spf("v=spf1 include:late.example -all"), "late__example": {"TXT": LookupTimedOut}},
        ["pass", "error"],
        "192.0.2.25 could not be judged: the TXT lookup for late.example failed",
    ),
    "no egress given": (system(), {}, ["pass", "not_checked"], "No egress address was given."),
    "an upstream that passes": (
        system(via=(UPSTREAM,)),
        {},
        ["pass", "pass"],
        "SPF of example.com gives pass for smtp.provider.example: 203.0.113.9.",
    ),
    "an upstream by address": (
        system(via=("203.0.113.9",)),
        {},
        ["pass", "pass"],
        "SPF of example.com gives pass for 203",
    ),
    "an upstream with other senders": (
        system(via=("big.provider.example",)),
        {},
        ["pass", "not_checked"],
        "SPF of example.com does not name the addresses of big.provider.example; those it sends from are not known.",
    ),
    "an upstream that is unknown": (
        system(via=("gone.example",)),
        {},
        ["pass", "not_checked"],
        "SPF of example.com does not",
    ),
    "an upstream that times out": (
        system(via=("late.example",)),
        {"late__example": {"A": LookupTimedOut}},
        ["pass", "error"],
        "late.example could not be judged",
    ),
    "both ways": (
        system(V4, via=(UPSTREAM,)),
        {},
        ["pass", "pass", "pass"],
        "SPF of example.com gives pass for smtp.provider",
    ),
}


@pytest.mark.parametrize("case", SPF_CASES)
def test_spf(case):
    subject, changes, statuses, last_message = SPF_CASES[case]
    findings = judge("spf", subject, **changes)
    assert [status for _control, status, _message in findings] == statuses
    assert [control for control, _status, _message in findings] == ["MR-SPF-01", "MR-SPF-02", "MR-SPF-02"][
        : len(statuses)
    ]
    assert findings[-1][2].startswith(last_message)
