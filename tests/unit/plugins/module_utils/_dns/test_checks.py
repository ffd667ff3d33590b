# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks, each with every status that its findings can have."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import FindingStatus
from ansible_collections.mailops.smtp.plugins.module_utils._dns.checks import CHECKS, run_checks
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut, ServerFailure
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address, reverse_pointer
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

V4 = "192.0.2.25"
V6 = "2001:db8::25"
DOMAIN = "example.com"
HOST = "mail.example.com"
UPSTREAM = "smtp.provider.example"
REVERSE4 = reverse_pointer(parse_address(V4))
REVERSE6 = reverse_pointer(parse_address(V6))

#: A zone without faults. Each test changes the records it is about.
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
    """Control, status and message of each finding in GOOD with ``changes`` (names with ``__`` for each dot)."""
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
        ("MR-SPF-04", DOMAIN, "pass"),
        ("MR-SPF-02", V4, "pass"),
        ("MR-SPF-02", V6, "pass"),
    ]


Cases = dict[str, tuple[t.Any, ...]]
A_CASES: Cases = {
    "egress address": (
        system(V4),
        {},
        "pass",
        "The EHLO name mail.example.com resolves to 192.0.2.25, 2001:db8::25.",
    ),
    "alias": (system(V4, hostname="alias.example.com"), {}, "pass", "The EHLO name alias.example.com resolves to"),
    "other address": (
        system("192.0.2.99"),
        {},
        "fail",
        "The EHLO name mail.example.com resolves to 192.0.2.25, 2001:db8::25, but mail leaves from 192.0.2.99.",
    ),
    "no address": (
        system(V4, hostname="bare.example.com"),
        {},
        "fail",
        "The EHLO name bare.example.com does not resolve",
    ),
    "unknown name": (system(V4, hostname="x.example.com"), {}, "fail", "The EHLO name x.example.com does not resolve"),
    "single label": (
        system(V4, hostname="mail"),
        {},
        "fail",
        "The EHLO name mail is not a fully qualified host name: it has a single label.",
    ),
    "address literal": (
        system(V4, hostname=f"[{V4}]"),
        {},
        "fail",
        "The EHLO name [192.0.2.25] is not a fully qualified",
    ),
    "time-out": (system(V4), {"mail__example__com": {"A": LookupTimedOut}}, "error", "mail.example.com could not be"),
    "one address family fails": (
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
        "The EHLO name mail.example.com resolves to 192.0.2.25, 2001:db8::25, but",
    ),
    "mail leaves through an upstream": (
        system(via=(UPSTREAM,)),
        {},
        "not_applicable",
        "Receivers see the EHLO name of smtp.provider.example, not mail.example.com.",
    ),
}


@pytest.mark.parametrize("case", A_CASES)
def test_ehlo_name(case):
    subject, changes, status, message = A_CASES[case]
    [(control, found, said)] = judge("a", subject, **changes)
    assert (control, found) == ("MR-DNS-04", status)
    assert said.startswith(message)


def mx(*records: str) -> dict:
    return {"example__com": {"MX": list(records)}}


MX_CASES: Cases = {
    "a good target": (system(), {}, ["pass"], "The MX target mail.example.com of example.com resolves to 192.0.2.25"),
    "one of two targets has no address": (
        system(),
        mx("20 gone.example.com", "10 mail.example.com"),
        ["pass", "fail"],
        "The MX target gone.example.com of example.com has no address.",
    ),
    "target is an alias": (
        system(),
        mx("10 alias.example.com"),
        ["fail"],
        "The MX target alias.example.com of example.com is an alias of mail.example.com.",
    ),
    "target without an address": (
        system(),
        mx("10 bare.example.com"),
        ["fail"],
        "The MX target bare.example.com of example.com has no",
    ),
    "target is an IP address": (
        system(),
        mx("10 192.0.2.25"),
        ["fail"],
        "The MX target 192.0.2.25 of example.com is an IP address, but an MX record must name a host.",
    ),
    "malformed target": (
        system(),
        mx("10 a..b"),
        ["fail"],
        "The MX target of example.com is malformed: 'a..b' is not",
    ),
    "no MX record": (system(), mx(), ["fail"], "example.com has no MX record, so"),
    "target is an address literal": (
        system(),
        mx("10 [2001:db8::1]"),
        ["fail"],
        "The MX target [2001:db8::1] of example.com is an IP address, but an MX record must name a host.",
    ),
    "target without its final dot in the zone file": (
        system(),
        mx("10 mail.example.net.example.com"),
        ["fail"],
        (
            "The MX target mail.example.net.example.com of example.com has no address. "
            "mail.example.net.example.com does not exist in the DNS."
        ),
    ),
    "target exists without an address": (
        system(),
        mx("10 bare.example.com"),
        ["fail"],
        "The MX target bare.example.com of example.com has no address. bare.example.com has no A or AAAA record.",
    ),
    "target is an alias of an absent name": (
        system(),
        {**mx("10 dead.example.com"), "dead__example__com": {"CNAME": ["gone.example"]}},
        ["fail"],
        "The MX target dead.example.com of example.com is an alias of gone.example, which has no address.",
    ),
    "target with a dot in a label": (
        system(),
        {**mx("10 a\\.b.example.com"), "a\\__b__example__com": {"A": [V4]}},
        ["fail"],
        "The MX target of example.com is malformed: a\\.b.example.com is not a valid domain name: it has an escaped",
    ),
    "target with octets beyond ASCII": (
        system(),
        mx("10 m\\195\\188.example.com"),
        ["fail"],
        "The MX target of example.com is malformed: m\\195\\188.example.com is not a valid domain name: it has an",
    ),
    "blank target": (system(), mx("10 \\032"), ["fail"], "The MX target of example.com is malformed: \\032 is not a"),
    "unknown domain": (MailSystem("gone.example"), {}, ["fail"], "gone.example does not exist in the DNS, so no mail"),
    "domain is an alias of an absent name": (
        system(),
        {"example__com": {"CNAME": ["gone.example"]}},
        ["fail"],
        "example.com is an alias of gone.example, which does not exist, so no mail can reach example.com.",
    ),
    "address in place of an MX record": (
        system(),
        {"example__com": {"A": [V4]}},
        ["fail"],
        (
            "example.com has no MX record, so replies and bounces may not reach it. Servers that fall back to its "
            "address try 192.0.2.25."
        ),
    ),
    "server failure": (system(), {"example__com": {"MX": ServerFailure}}, ["error"], "example.com could not be judged"),
    "null MX": (system(), mx("0 ."), ["not_applicable"], "example.com has a null MX: it accepts no mail."),
    "null MX of a domain that sends": (
        system(V4),
        mx("0 ."),
        ["fail"],
        "example.com sends mail but has a null MX, so many",
    ),
    "null MX of a domain that sends through an upstream": (
        system(via=(UPSTREAM,)),
        mx("0 ."),
        ["fail"],
        "example.com sends mail but has",
    ),
    "null MX and others": (system(), mx("0 .", "10 mail.example.com"), ["fail"], "example.com has both a null MX and"),
    "time-out": (
        system(),
        {"example__com": {"MX": LookupTimedOut}},
        ["error"],
        "example.com could not be judged: the MX",
    ),
    "time-out of a target": (
        system(),
        {"mail__example__com": {"A": LookupTimedOut}},
        ["error"],
        "mail.example.com could not be judged: the A lookup for mail.example.com failed",
    ),
}


@pytest.mark.parametrize("case", MX_CASES)
def test_mx_records(case):
    subject, changes, statuses, last_message = MX_CASES[case]
    findings = judge("mx", subject, **changes)
    assert {control for control, _status, _message in findings} == {"MR-DNS-01"}
    assert [status for _control, status, _message in findings] == statuses
    assert findings[-1][2].startswith(last_message)


def ptr(*names: str) -> dict:
    return {REVERSE4.replace(".", "__"): {"PTR": list(names)}}


PTR_CASES: Cases = {
    "reverse name is the EHLO name": (
        system(V4),
        {},
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the EHLO name mail.example.com.",
    ),
    "reverse name in upper case": (
        system(V4),
        ptr("MAIL.example.com"),
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the EHLO",
    ),
    "one of two reverse names is the EHLO name": (
        system(V4),
        ptr("other.example.com", HOST),
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is",
    ),
    "reverse name is not the EHLO name": (
        system(V4, hostname="other.example.com"),
        {},
        ["pass", "fail"],
        "The reverse name of 192.0.2.25 is mail.example.com, but the EHLO name is other.example.com.",
    ),
    "no EHLO name": (
        system(V4, hostname=""),
        {},
        ["pass"],
        "192.0.2.25 has the reverse name mail.example.com, which",
    ),
    "no PTR record": (system(V4), ptr(), ["fail"], "192.0.2.25 has no PTR record."),
    "no reverse zone": (system("192.0.2.26"), {}, ["fail"], "192.0.2.26 has no PTR record."),
    "reverse name does not lead back": (
        system(V4),
        ptr("other.example.com"),
        ["fail"],
        "192.0.2.25 has the reverse name other.example.com, which does not lead back to it. other.example.com resolves",
    ),
    "reverse name does not resolve": (
        system(V4),
        ptr("gone.example.com"),
        ["fail"],
        "192.0.2.25 has the reverse name gone.example.com, which does not lead back to it. gone.example.com does not",
    ),
    "malformed reverse name": (
        system(V4),
        ptr("a..b"),
        ["fail"],
        "192.0.2.25 has the reverse name a..b, which does not lead back to it. 'a..b' is not a valid domain name",
    ),
    "reverse name with a dot in a label": (
        system(V4),
        ptr("mail\\.example.com"),
        ["fail"],
        "192.0.2.25 has the reverse name mail\\.example.com, which does not lead back to it. mail\\.example.com is not",
    ),
    "reverse name with octets beyond ASCII": (
        system(V4),
        ptr("mail\\226\\128\\139.example.com"),
        ["fail"],
        "192.0.2.25 has the reverse name mail\\226\\128\\139.example.com, which does not lead back to it. ",
    ),
    "reverse name is the root": (
        system(V4),
        ptr("."),
        ["fail"],
        "192.0.2.25 has the reverse name ., which does not lead back to it. The root of the DNS is not a host.",
    ),
    "time-out": (
        system(V4),
        {REVERSE4.replace(".", "__"): {"PTR": LookupTimedOut}},
        ["error"],
        "192.0.2.25 could not be",
    ),
    "time-out of the forward lookup": (
        system(V4),
        {"mail__example__com": {"A": LookupTimedOut}},
        ["error"],
        "192.0.2.25 could not be",
    ),
    "time-out of the other address family": (
        system(V4),
        {"mail__example__com": {"A": [V4], "AAAA": LookupTimedOut}},
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the EHLO name mail.example.com.",
    ),
    "one of two reverse names leads back": (
        system(V4),
        {**ptr("late.example.com", HOST), "late__example__com": {"A": LookupTimedOut}},
        ["pass", "pass"],
        "The reverse name of 192.0.2.25 is the EHLO name mail.example.com.",
    ),
    "no egress given": (system(), {}, ["not_checked"], "No egress address was given."),
    "mail leaves through an upstream": (
        system(via=(UPSTREAM,)),
        {},
        ["not_applicable"],
        "Receivers see the addresses of smtp.provider.example",
    ),
}


@pytest.mark.parametrize("case", PTR_CASES)
def test_reverse_names(case):
    subject, changes, statuses, last_message = PTR_CASES[case]
    findings = judge("ptr", subject, **changes)
    assert [status for _control, status, _message in findings] == statuses
    assert [control for control, _status, _message in findings] == ["MR-DNS-03", "MR-DNS-04"][: len(statuses)]
    assert findings[-1][2].startswith(last_message)


def spf(*records: str) -> dict:
    return {"example__com": {"MX": [f"10 {HOST}"], "TXT": list(records)}}


SPF_CASES: Cases = {
    "egress address passes": (
        system(V4),
        {},
        ["pass", "pass", "pass"],
        "The SPF result of example.com for 192.0.2.25 is pass: mx of example.com matches.",
    ),
    "egress address fails": (
        system("192.0.2.99"),
        {},
        ["pass", "pass", "fail"],
        "The SPF result of example.com for 192.0.2.99 is fail: -all of example.com matches.",
    ),
    "softfail": (
        system(V4),
        spf("v=spf1 ~all"),
        ["pass", "pass", "fail"],
        "The SPF result of example.com for 192.0.2.25 is softfail: ",
    ),
    "neutral": (
        system(V4),
        spf("v=spf1"),
        ["pass", "fail", "fail"],
        "The SPF result of example.com for 192.0.2.25 is neutral: ",
    ),
    "no record": (
        system(V4),
        spf(),
        ["fail", "fail"],
        "The SPF result of example.com for 192.0.2.25 is none: example.com has no SPF",
    ),
    "two records": (
        system(V4),
        spf("v=spf1 mx", "v=spf1 a"),
        ["fail", "fail"],
        "The SPF result of example.com for 192.0.2.25 is permerror: ",
    ),
    "invalid record": (
        system(V4),
        spf("v=spf1 mx al"),
        ["fail", "fail"],
        "The SPF result of example.com for 192.0.2.25 is permerror: the SPF",
    ),
    "include of a domain without SPF": (
        system(V4),
        spf("v=spf1 include:gone.example -all"),
        ["pass", "fail", "fail"],
        (
            "The SPF result of example.com for 192.0.2.25 is permerror: "
            "include:gone.example is invalid: gone.example does not exist in the DNS."
        ),
    ),
    "time-out": (
        system(V4),
        {"example__com": {"TXT": LookupTimedOut}},
        ["error", "error"],
        "192.0.2.25 could not be judged",
    ),
    "time-out of an include": (
        system(V4),
        {**spf("v=spf1 include:late.example -all"), "late__example": {"TXT": LookupTimedOut}},
        ["pass", "error", "error"],
        "192.0.2.25 could not be judged: the TXT lookup for late.example failed",
    ),
    "no egress given": (system(), {}, ["pass", "pass", "not_checked"], "No egress address was given."),
    "upstream passes": (
        system(via=(UPSTREAM,)),
        {},
        ["pass", "pass", "pass"],
        "The SPF result of example.com for smtp.provider.example is pass: 203.0.113.9.",
    ),
    "upstream given by address": (
        system(via=("203.0.113.9",)),
        {},
        ["pass", "pass", "pass"],
        "The SPF result of example.com for 203.0.113.9 is pass: ",
    ),
    "upstream does not pass": (
        system(via=("big.provider.example",)),
        {},
        ["pass", "pass", "not_checked"],
        "SPF of example.com does not pass the addresses of big.provider.example, which may send from other addresses.",
    ),
    "upstream does not resolve": (
        system(via=("gone.example",)),
        {},
        ["pass", "pass", "not_checked"],
        "The upstream gone.example cannot be judged by SPF: gone.example does not exist in the DNS.",
    ),
    "time-out of an upstream": (
        system(via=("late.example",)),
        {"late__example": {"A": LookupTimedOut}},
        ["pass", "pass", "error"],
        "late.example could not be judged",
    ),
    "mail leaves directly and through an upstream": (
        system(V4, via=(UPSTREAM,)),
        {},
        ["pass", "pass", "pass", "pass"],
        "The SPF result of example.com for smtp.provider.example is pass",
    ),
}


@pytest.mark.parametrize("case", SPF_CASES)
def test_spf_record_and_result(case):
    subject, changes, statuses, last_message = SPF_CASES[case]
    findings = judge("spf", subject, **changes)
    assert [status for _control, status, _message in findings] == statuses
    controls = (
        ["MR-SPF-01", "MR-SPF-04", "MR-SPF-02", "MR-SPF-02"] if statuses[0] == "pass" else ["MR-SPF-01", "MR-SPF-02"]
    )
    assert [control for control, _status, _message in findings] == controls[: len(statuses)]
    assert findings[-1][2].startswith(last_message)


ANYONE = "The SPF record of example.com lets hosts all over the Internet send for it: "
NEUTRAL = (
    "The SPF record of example.com gives hosts that are not listed the result neutral, as if there were no record: "
)
TOO_WIDE = "The SPF record of example.com lets networks send that no organization can have: "
NOT_LISTED = "SPF of example.com gives hosts that are not listed the result "

#: The status of MR-SPF-04 and its message, by the record.
POLICY_CASES = {
    "v=spf1 mx -all": ("pass", f"{NOT_LISTED}fail: -all of example.com matches."),
    "v=spf1 mx ~all": ("pass", f"{NOT_LISTED}softfail: ~all of"),
    "v=spf1 redirect=ok.example": ("pass", f"{NOT_LISTED}fail: -all of ok.example"),
    "v=spf1 include:ok.example -all": ("pass", f"{NOT_LISTED}fail"),
    "v=spf1 ip4:17.0.0.0/8 -all": ("pass", f"{NOT_LISTED}fail"),
    "v=spf1 -ip4:0.0.0.0/1 -all": ("pass", f"{NOT_LISTED}fail"),
    "v=spf1 +all": ("fail", f"{ANYONE}+all of example.com matches."),
    "v=spf1 mx all": ("fail", f"{ANYONE}all (which means +all) of example.com"),
    "v=spf1 +ALL": ("fail", f"{ANYONE}+ALL of"),
    "v=spf1 ip4:0.0.0.0/0 -all": ("fail", f"{ANYONE}ip4:0.0.0.0/0 of"),
    "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all": ("fail", f"{ANYONE}ip4:0.0.0.0/1 of"),
    "v=spf1 ip4:64.0.0.0/3 -all": ("fail", f"{ANYONE}ip4:64.0.0.0/3 of"),
    "v=spf1 ip4:8.0.0.0/7 -all": ("fail", f"{TOO_WIDE}ip4:8.0.0.0/7."),
    "v=spf1 ip6:::/0 -all": ("fail", f"{ANYONE}ip6:::/0 of"),
    "v=spf1 ip6:2000::/3 -all": ("fail", f"{ANYONE}ip6:2000::/3 of"),
    "v=spf1 ip6:2000::/12 -all": ("fail", f"{TOO_WIDE}ip6:2000::/12."),
    "v=spf1 a:mail.example.com/0 -all": ("fail", f"{ANYONE}a:mail.example.com/0 of"),
    "v=spf1 mx/1 -all": ("fail", f"{ANYONE}mx/1 of"),
    "v=spf1 mx//0 -all": ("fail", f"{ANYONE}mx//0 of"),
    "v=spf1 exists:mail.example.com -all": ("fail", f"{ANYONE}exists:mail.example.com of"),
    "v=spf1 redirect=open.example": ("fail", f"{ANYONE}+all of open.example"),
    "v=spf1 include:open.example -all": ("fail", f"{ANYONE}include:open.example of"),
    "v=spf1 include:nested.example -all": ("fail", f"{ANYONE}include:nested.example of"),
    "v=spf1 mx ?all": ("fail", f"{NEUTRAL}?all of example.com matches."),
    "v=spf1 mx": ("fail", f"{NEUTRAL}no mechanism of example.com matches."),
    "v=spf1": ("fail", NEUTRAL),
    "v=spf1 -ip4:0.0.0.0/1": ("fail", f"{NEUTRAL}no mechanism"),
    "v=spf1 ?ip4:0.0.0.0/1 -all": ("fail", f"{NEUTRAL}?ip4:0.0.0.0/1 of"),
    "v=spf1 redirect=empty.example": ("fail", f"{NEUTRAL}no mechanism of empty.example"),
    "v=spf1 mx ptr -all": ("fail", "The SPF record of example.com uses ptr, which"),
    "v=spf1 include:gone.example -all": (
        "fail",
        "The SPF record of example.com cannot be evaluated: include:gone.example",
    ),
    "v=spf1 include:late.example -all": ("error", "example.com could not be judged: the TXT lookup for late.example"),
}


@pytest.mark.parametrize("record", POLICY_CASES)
def test_spf_policy_for_hosts_that_are_not_listed(record):
    status, message = POLICY_CASES[record]
    others = {
        "open__example": {"TXT": ["v=spf1 +all"]},
        "nested__example": {"TXT": ["v=spf1 include:open.example -all"]},
        "empty__example": {"TXT": ["v=spf1"]},
        "ok__example": {"TXT": ["v=spf1 -all"]},
        "late__example": {"TXT": LookupTimedOut},
    }
    findings = judge("spf", system(V4), **spf(record), **others)
    assert findings[0] == ("MR-SPF-01", "pass", "example.com has one valid SPF record.")
    control, found, said = findings[1]
    assert (control, found) == ("MR-SPF-04", status)
    assert said.startswith(message)


#: The status of MR-SPF-01 and its message, by the records.
RECORD_CASES = {
    ("v=spf1 ip4:192.0.2.25 a:mail\u00e2\x80\x8b.example.com -all",): (
        "fail",
        "The SPF record of example.com is invalid: character 29 is U+200B ZERO WIDTH SPACE, which is not printable",
    ),
    ("v=spf1 ip4:192.0.2.25 include=ok.example -all",): (
        "fail",
        "The SPF record of example.com has terms that receivers ignore: 'include=' is not a mechanism; write include:.",
    ),
    ('"v=spf1 ip4:192.0.2.25 -all"',): (
        "fail",
        (
            'example.com has a mangled SPF record, which receivers ignore: it must begin with "v=spf1" and a blank, '
            "but character 1 is '\"' in"
        ),
    ),
    ("v=spf1ip4:192.0.2.25 -all", "other"): ("fail", "example.com has a mangled SPF record, which receivers ignore: "),
    ("v=spf1 ip4:192.0.2.25 -all", " v=spf1 mx"): (
        "pass",
        "example.com has one valid SPF record. Receivers ignore another TXT record, which was meant as one: it must",
    ),
    ("v=spf1 mx", "v=spf1 a"): ("fail", "example.com has 2 SPF records, and receivers may use none of them."),
    ("other",): ("fail", "example.com has no SPF record."),
    (): ("fail", "example.com has no SPF record."),
}


@pytest.mark.parametrize("records", RECORD_CASES)
def test_spf_record_is_told_as_what_it_is(records):
    status, message = RECORD_CASES[records]
    findings = judge("spf", system(V4), **spf(*records))
    assert findings[0][:2] == ("MR-SPF-01", status)
    assert findings[0][2].startswith(message)


def test_absent_domain_is_not_called_a_missing_record():
    subject = MailSystem("gone.example", "", (parse_address(V4),))
    said = [message for check in ("mx", "spf") for _control, _status, message in judge(check, subject)]
    assert said == [
        "gone.example does not exist in the DNS, so no mail can reach gone.example.",
        "gone.example does not exist in the DNS.",
        "The SPF result of gone.example for 192.0.2.25 is none: gone.example does not exist in the DNS.",
    ]


#: The addresses of an MX target, the egress addresses, the domain, and the address that is told to be unreachable.
REACH_CASES = {
    "loopback": ("127.0.0.1", "", "company.example.com", "127.0.0.1 (a loopback address)"),
    "loopback of IPv6": ("::1", "", DOMAIN, "::1 (a loopback address)"),
    "unspecified": ("0.0.0.0", "", DOMAIN, "0.0.0.0 (the unspecified address)"),
    "link-local": ("fe80::1", "", DOMAIN, "fe80::1 (a link-local address)"),
    "private": ("10.0.0.1", "", DOMAIN, "10.0.0.1 (a private address)"),
    "documentation on the Internet": (V4, "", "company.de", "192.0.2.25 (a documentation address)"),
    "one of two": (f"{V4} ::1", V4, DOMAIN, "::1 (a loopback address)"),
    "loopback in a laboratory": ("127.0.0.1", "", "lab.test", "127.0.0.1 (a loopback address)"),
    "private, with an egress elsewhere": ("10.0.0.1", "192.168.1.1", DOMAIN, "10.0.0.1 (a private address)"),
    "private, with a public egress": ("10.0.0.1", "8.8.8.8", DOMAIN, "10.0.0.1 (a private address)"),
    "private, in the network of the egress": ("10.0.0.1", "10.9.9.9", DOMAIN, ""),
    "private, in a laboratory": ("10.0.0.1", "", "lab.test", ""),
    "private, in an internal domain": ("fd00::1", "", "corp.internal", ""),
    "documentation in an example": (V4, "", DOMAIN, ""),
    "documentation in a laboratory": ("203.0.113.10", "", "lab.test", ""),
    "benchmarking in a laboratory": ("198.18.77.10", "198.18.77.10", "lab.test", ""),
    "public": ("8.8.8.8", "", "company.de", ""),
}


@pytest.mark.parametrize("case", REACH_CASES)
def test_unreachable_address_is_told_as_what_it_is(case):
    found, egress, domain, told = REACH_CASES[case]
    host = f"mx.{domain}"
    records: dict[str, list[str]] = {"A": [], "AAAA": []}
    for address in found.split():
        records["AAAA" if ":" in address else "A"].append(address)
    subject = MailSystem(domain, host, tuple(map(parse_address, egress.split())))
    lookup = ZoneLookup({domain: {"MX": [f"10 {host}"]}, host: records})
    [finding] = run_checks(lookup, subject, ["mx"])
    assert finding.status.value == ("fail" if told else "pass")
    assert told in finding.message
    assert bool(told) is finding.remedy.startswith("Remove ")
    [helo] = run_checks(lookup, subject, ["a"])
    assert helo.status.value != "pass" or not told
    assert told in helo.message


def test_null_mx_is_advised_only_to_a_domain_that_may_not_send():
    zone = {DOMAIN: {"MX": ["10 localhost"]}}
    for subject, advised in ((system(), True), (system(V4), False), (system(via=(UPSTREAM,)), False)):
        [finding] = run_checks(ZoneLookup(zone), subject, ["mx"])
        assert finding.status is FindingStatus.FAIL
        assert "means, on each host, that host itself" in finding.message
        assert ("null MX" in finding.remedy) is advised


#: MX targets that are not names of hosts, and what they are told to be.
TARGET_CASES = {
    "https://mail.example.com": "it is a URL",
    "mail.example.com ": "it has a blank",
    "mail.example.com\\032": "it has an escaped character: a blank",
    '\\"mail.example.com\\"': "it has a quotation mark",
    "mail_1.example.com": "it has an underscore",
    "mail.example.com:25": "it has a colon",
    "jo\\@example.com": "it is a mail address",
    "*.example.com": "it is a wildcard",
    "192.0.2.25": "is an IP address",
    "[ipv6:2001:db8::1]": "is an IP address",
    "localhost": "that host itself",
    "localhost.localdomain": "that host itself",
    "x" * 64 + ".example.com": "a label is longer than 63",
    "mail": "mail does not exist in the DNS",
}


@pytest.mark.parametrize("target", TARGET_CASES)
def test_mx_target_that_is_not_a_host_is_told_as_what_it_is(target):
    [(control, status, message)] = judge("mx", system(), **mx(f"10 {target}"))
    assert (control, status) == ("MR-DNS-01", "fail")
    assert TARGET_CASES[target] in message


#: A subject whose check fails, and what its remedy must and must not advise.
REMEDY_CASES = {
    "PTR of a private address": ("ptr", system("10.0.0.5"), {}, "Set addresses to that one", "Ask the provider"),
    "SPF of a private address": ("spf", system("10.0.0.5"), {}, "Set addresses to that one", "ip4:10.0.0.5"),
    "SPF of a private address, no record": ("spf", system("fd00::5"), spf(), "Set addresses to that one", "ip6:"),
    "EHLO name of a private address": ("a", system("10.0.0.5"), {}, "Set addresses to that one", "with 10.0.0.5"),
    "EHLO name of one private address": ("a", system("10.0.0.5", "192.0.2.9"), {}, "with 192.0.2.9.", "10.0.0.5"),
    "private address in a laboratory": (
        "ptr",
        MailSystem("lab.test", "mx.lab.test", (parse_address("10.0.0.5"),)),
        {},
        "in its own DNS",
        "provider",
    ),
    "PTR for an EHLO name that is not one": (
        "ptr",
        system(V4, hostname="localhost"),
        ptr(),
        "the name that",
        "localhost",
    ),
    "reverse name beside an EHLO name that is not one": (
        "ptr",
        system(V4, hostname="[192.0.2.25]"),
        {},
        "Use mail.example.com with EHLO",
        "Ask the provider",
    ),
    "EHLO name that cannot be published": (
        "a",
        system(V4, hostname="mail.corp.local"),
        {},
        "Use a name in a registered domain",
        "Publish",
    ),
    "domain that cannot be registered": (
        "mx",
        MailSystem("corp.local"),
        {},
        "Use a registered domain, or set nameservers",
        "its registration",
    ),
    "alias of an absent name": (
        "mx",
        system(),
        {**mx("10 dead.example.com"), "dead__example__com": {"CNAME": ["gone.example"]}},
        "Replace the CNAME record of dead.example.com",
        "Name gone.example",
    ),
    "alias of an alias": (
        "mx",
        system(),
        {**mx("10 far.example.com"), "far__example__com": {"CNAME": ["alias.example.com"]}},
        "Name mail.example.com in the MX record",
        "Name alias.example.com",
    ),
    "absolute name of one label": (
        "mx",
        system(),
        mx("10 mail"),
        "If mail.example.com is meant, remove",
        "end the name",
    ),
    "no SPF record": ("spf", system(V4), spf(), "with ip4:192.0.2.25", "-all alone"),
    "mangled SPF record": ("spf", system(V4), spf(" v=spf1 -all"), "Correct the mangled record", "Publish"),
    "SPF record without the address": (
        "spf",
        system(V4),
        spf("v=spf1 -all"),
        'Add ip4:192.0.2.25 behind "v=spf1"',
        "Publish",
    ),
    "EHLO name without an address": ("a", system(V4, hostname="bare.example.com"), {}, "with 192.0.2.25.", "provider"),
    "split DNS": (
        "mx",
        system(),
        {"mail__example__com": {"A": ["10.0.0.1"]}},
        "set nameservers to public ones",
        "provider",
    ),
    "null MX and others of a domain that sends": (
        "mx",
        system(V4),
        mx("0 .", "10 mail.example.com"),
        "Remove the null MX.",
        "all other MX records",
    ),
    "private upstream": (
        "spf",
        system(via=("inner.example.com",)),
        {"inner__example__com": {"A": ["10.0.0.9"]}},
        "the public addresses from which mail leaves behind inner.example.com",
        "include:",
    ),
}


@pytest.mark.parametrize("case", REMEDY_CASES)
def test_remedy_does_no_harm(case):
    check, subject, changes, advised, harmful = REMEDY_CASES[case]
    zone = {**GOOD, **{name.replace("__", "."): records for name, records in changes.items()}}
    remedy = run_checks(ZoneLookup(zone), subject, [check])[-1].remedy
    assert advised in remedy
    assert harmful not in remedy


#: Records at other names or of other kinds, and what is said of the domain that has no SPF record.
MISPLACED_CASES = {
    "below _spf": ({"_spf__example__com": {"TXT": ["v=spf1 mx -all"]}}, "There is one at _spf.example.com, where"),
    "at the EHLO name": (
        {"mail__example__com": {"TXT": ["v=spf1 mx -all"]}},
        "There is one at mail.example.com, where",
    ),
    "where DMARC belongs": (
        {"_dmarc__example__com": {"TXT": ["v=spf1 -all"]}},
        "There is one at _dmarc.example.com, where",
    ),
    "without the final dot in the zone file": (
        {"example__com__example__com": {"TXT": ["v=spf1 -all"]}},
        "There is one at example.com.example.com, where",
    ),
    "DMARC": (
        spf("v=DMARC1; p=none"),
        "It has a DMARC record, which receivers ignore there: it belongs at _dmarc.example.com.",
    ),
    "quoted DMARC": (spf('" v = DMARC1; p=none"'), "It has a DMARC record"),
    "DKIM": (spf("v=DKIM1; p=x"), "It has a DKIM record"),
    "MTA-STS": (spf("v=STSv1; id=1"), "It has an MTA-STS record"),
    "terms alone": (spf("include:ok.example ~all"), 'must begin with "v=spf1" and a blank'),
    "time-out elsewhere": ({"_spf__example__com": {"TXT": LookupTimedOut}}, "example.com has no SPF record."),
}


@pytest.mark.parametrize("case", MISPLACED_CASES)
def test_record_in_the_wrong_place_is_told(case):
    changes, told = MISPLACED_CASES[case]
    control, status, message = judge("spf", system(V4), **{**spf(), **changes})[0]
    assert (control, status) == ("MR-SPF-01", "fail")
    assert told in message


def test_record_of_the_parent_is_not_inherited():
    zone = {DOMAIN: {"TXT": ["v=spf1 -all"]}, "sub.example.com": {"TXT": ["other"]}}
    [finding, *_others] = run_checks(ZoneLookup(zone), MailSystem("sub.example.com"), ["spf"])
    assert finding.message.startswith("sub.example.com has no SPF record. There is one at example.com, where receivers")


def test_stray_dmarc_record_is_told_beside_a_valid_spf_record():
    [(_control, status, message), *_others] = judge("spf", system(V4), **spf("v=spf1 mx -all", "v=DMARC1; p=none"))
    assert status == "pass"
    assert "it belongs at _dmarc.example.com" in message
