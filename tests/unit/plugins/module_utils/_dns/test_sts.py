# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS (RFC 8461) and TLS reporting (RFC 8460): records, policies and what is known of them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import RecordSyntaxError, ServerFailure
from ansible_collections.mailops.smtp.plugins.module_utils._dns.inquiry import Inquiry
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem
from ansible_collections.mailops.smtp.plugins.module_utils._dns.sts import (
    PolicyAnswer,
    PolicyUnreachable,
    mta_sts_facts,
    parse_policy,
    parse_sts,
    parse_tls_rpt,
    tls_rpt_facts,
)
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

GOOD = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=STSv1; id=20260301T120000;", "20260301T120000"),
        ("v=STSv1;id=1", "1"),
        ("v=STSv1; id=1; x=y", "1"),
    ],
)
def test_id_of_a_record(text, expected):
    assert parse_sts(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("v=STSv1", "it has no id="),
        ("v=STSv1; id=", "is not 1 to 32 letters and digits"),
        ("v=STSv1; id=2026-03-01", "id=2026-03-01 is not 1 to 32 letters and digits"),
        ("v=STSv1; id=" + "1" * 33, "is not 1 to 32 letters and digits"),
        ("v=STSv1; id=1; id=2", "id= appears twice"),
    ],
)
def test_record_that_senders_ignore(text, told):
    with pytest.raises(RecordSyntaxError) as caught:
        parse_sts(text)
    assert told in str(caught.value)


#: The policy, and its first error.
POLICIES = {
    GOOD: "",
    GOOD.replace("\n", "\r\n"): "",
    GOOD.replace(": ", ":"): "",
    GOOD + "future: field\n": "",
    GOOD + "mode: none\n": "",
    "version: STSv1\nmode: none\nmax_age: 0\n": "",
    "": "it has no line version: STSv1",
    GOOD.replace("STSv1", "STSv2"): "it has no line version: STSv1",
    GOOD.replace("enforce", "Enforce"): "mode is Enforce; expected enforce, testing, none",
    GOOD.replace("604800", "31557601"): "max_age is 31557601; expected 0 to 31557600 seconds",
    GOOD.replace("604800", "-1"): "max_age is -1",
    GOOD.replace("604800", "1" * 5000): "max_age is 11111111111111111111; expected",
    GOOD.replace("mx: mail.example.com\n", ""): "it has no mx, which names a mail server",
    GOOD.replace("mail.example.com", "10 mail.example.com"): "mx: 10 mail.example.com is not the name",
    GOOD.replace("mail.example.com", "*"): "mx: * is not the name of a mail server",
    GOOD.replace("mail.example.com", "mail.*.com"): "mx: mail.*.com is not the name",
    "<!DOCTYPE html>\n" + GOOD: "the line '<!DOCTYPE html>' is not a field",
}


@pytest.mark.parametrize("text", POLICIES)
def test_policy(text):
    errors = parse_policy(text).errors
    assert "".join(errors[:1]).startswith(POLICIES[text])
    assert bool(errors) is bool(POLICIES[text])


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("mail.example.com", "mail.example.com", True),
        ("Mail.Example.com.", "mail.example.com", True),
        ("*.example.com", "mail.example.com", True),
        ("*.example.com", "a.mail.example.com", False),
        ("*.example.com", "example.com", False),
        ("mail.example.com", "xmail.example.com", False),
    ],
)
def test_pattern_covers_a_server(pattern, host, expected):
    """RFC 8461 section 4.1: an asterisk stands for one label."""
    assert parse_policy(GOOD.replace("mail.example.com", pattern)).covers(host) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=TLSRPTv1; rua=mailto:a@example.com", ("mailto:a@example.com",)),
        ("v=TLSRPTv1;rua=mailto:a@example.com,https://r.example/x", ("mailto:a@example.com", "https://r.example/x")),
    ],
)
def test_reports_about_tls(text, expected):
    assert parse_tls_rpt(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "v=TLSRPTv1",
        "v=TLSRPTv1; rua=",
        "v=TLSRPTv1; rua=a@example.com",
        "v=TLSRPTv1; rua",
        "v=TLSRPTv1; rua=https://[x",
    ],
)
def test_record_for_reports_that_senders_ignore(text):
    with pytest.raises(RecordSyntaxError):
        parse_tls_rpt(text)


def unreachable(_host, _addresses):
    raise PolicyUnreachable("https://mta-sts.example.com gave no answer")


#: The record, the addresses of the web server, how it answers, and what is known.
FACTS: dict[str, t.Any] = {
    "no record": ([], ["192.0.2.1"], None, {"records": (), "status": None}),
    "two records": (["v=STSv1; id=1", "v=STSv1; id=2"], [], None, {"id": None}),
    "others beside it": (["x", "v=STSv1; id=1"], [], None, {"records": ("v=STSv1; id=1",), "id": "1"}),
    "no web server": (["v=STSv1; id=1"], [], None, {"host_addresses": (), "status": None}),
    "silent web server": (["v=STSv1; id=1"], ["192.0.2.1"], unreachable, {"status": None, "mode": None}),
    "refused": (
        ["v=STSv1; id=1"],
        ["192.0.2.1"],
        lambda *_all: PolicyAnswer(certificate_error="expired"),
        {"certificate_error": "expired", "status": None},
    ),
    "missing": (["v=STSv1; id=1"], ["192.0.2.1"], lambda *_all: PolicyAnswer(404), {"status": 404, "policy": None}),
    "there": (
        ["v=STSv1; id=1"],
        ["192.0.2.1"],
        lambda *_all: PolicyAnswer(200, "text/plain", GOOD),
        {"status": 200, "max_age": 604800, "uncovered": ("other.example.com",)},
    ),
}


@pytest.mark.parametrize("case", FACTS)
def test_facts_of_mta_sts(case):
    records, addresses, fetch, expected = FACTS[case]
    zone = {
        "example.com": {"MX": ["10 mail.example.com", "20 other.example.com"]},
        "_mta-sts.example.com": {"TXT": records},
        "mta-sts.example.com": {"A": addresses},
    }
    inquiry = Inquiry(ZoneLookup(zone), MailSystem("example.com"))
    facts = mta_sts_facts(inquiry, fetch or unreachable)
    assert {name: getattr(facts, name) for name in expected} == expected
    assert bool(inquiry.unknown) is (case == "silent web server")


def test_time_out_is_not_the_absence_of_a_record():
    zone = {"_mta-sts.example.com": {"TXT": ServerFailure}, "_smtp._tls.example.com": {"TXT": ServerFailure}}
    inquiry = Inquiry(ZoneLookup(zone), MailSystem("example.com"))
    assert mta_sts_facts(inquiry, unreachable).records is None
    assert tls_rpt_facts(inquiry).records is None
    assert [one.path for one in inquiry.unknown] == ["mta_sts", "tls_rpt"]
