# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DMARC records and the tree walk of RFC 9989. Numbers in comments are sections of that RFC."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dmarc import (
    is_dmarc,
    mail_domain,
    organization,
    parse_dmarc,
    policy_source,
    walk_names,
    walked,
)
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dmarc_facts import dmarc_facts
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut
from ansible_collections.mailops.smtp.plugins.module_utils._dns.inquiry import Inquiry
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("com", ["com"]),
        ("example.com", ["example.com", "com"]),
        ("a.mail.example.com", ["a.mail.example.com", "mail.example.com", "example.com", "com"]),
        (
            "a.b.c.d.e.f.g.h",
            ["a.b.c.d.e.f.g.h", "b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h", "e.f.g.h", "f.g.h", "g.h", "h"],
        ),
        # The example of 4.10: eight questions, whatever the length.
        (
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            [
                "a.b.c.d.e.f.g.h.i.j.mail.example.com",
                "g.h.i.j.mail.example.com",
                "h.i.j.mail.example.com",
                "i.j.mail.example.com",
                "j.mail.example.com",
                "mail.example.com",
                "example.com",
                "com",
            ],
        ),
    ],
)
def test_names_of_the_tree_walk(domain, expected):
    """4.10: at most eight."""
    assert walk_names(domain) == expected


#: The domain, the tags by place, the organizational domain, and the place of the policy.
WALKS = {
    "own record": ("example.com", {"example.com": "p=reject"}, "example.com", "example.com"),
    "parent's record": ("a.example.com", {"example.com": "p=reject"}, "example.com", "example.com"),
    "both": ("a.example.com", {"a.example.com": "p=none", "example.com": "p=reject"}, "example.com", "a.example.com"),
    "one in between does not count": (
        "a.b.example.com",
        {"b.example.com": "p=none", "example.com": "p=reject"},
        "example.com",
        "example.com",
    ),
    "only one in between": ("a.b.example.com", {"b.example.com": "p=none"}, "b.example.com", "b.example.com"),
    "psd=n ends the walk": (
        "a.b.example.com",
        {"b.example.com": "p=none; psd=n", "example.com": "p=reject"},
        "b.example.com",
        "b.example.com",
    ),
    "public suffix": ("a.example.bank", {"bank": "p=reject; psd=y"}, "example.bank", "bank"),
    "public suffix below an organization with a record": (
        "a.example.bank",
        {"example.bank": "p=none", "bank": "p=reject; psd=y"},
        "example.bank",
        "example.bank",
    ),
    "public suffix itself": ("bank", {"bank": "p=reject; psd=y"}, "bank", "bank"),
    "a top-level domain without psd": ("example.com", {"com": "p=reject"}, "com", "com"),
    "none": ("a.example.com", {}, "a.example.com", None),
}


@pytest.mark.parametrize("case", WALKS)
def test_policy_and_organization_that_the_walk_finds(case):
    """4.10.1 and 4.10.2."""
    domain, tags, organizational, place = WALKS[case]
    steps = [(name, parse_dmarc(f"v=DMARC1; {tags[name]}") if name in tags else None) for name in walk_names(domain)]
    found = walked(steps)
    assert organization(domain, found) == organizational
    source = policy_source(domain, organizational, found)
    assert (source and source[0]) == place


#: The record, the policies for the domain, for subdomains and for absent ones, and the first error.
RECORDS = {
    "v=DMARC1; p=reject": ("reject", "reject", "reject", ""),
    "v=DMARC1;p=Reject;": ("reject", "reject", "reject", ""),
    "v=DMARC1; p=reject; sp=quarantine": ("reject", "quarantine", "quarantine", ""),
    "v=DMARC1; p=reject; sp=quarantine; np=none": ("reject", "quarantine", "none", ""),
    "v=DMARC1; p=none; np=reject": ("none", "none", "reject", ""),
    "v=DMARC1": ("none", "none", "none", ""),
    "v = DMARC1 ; p = reject": ("reject", "reject", "reject", ""),
    "v=DMARC1; sp=reject": ("none", "reject", "reject", ""),
    "v=DMARC1; p=rejekt": ("none", "none", "none", "p=rejekt is not one of none, quarantine, reject"),
    "v=DMARC1; p=reject; sp=all": ("none", "none", "none", "sp=all is not one of none, quarantine, reject"),
    "v=DMARC1; p=reject; adkim=x": ("reject", "reject", "reject", "adkim=x is not one of r, s"),
    "v=DMARC1; p=reject; p=none": ("reject", "reject", "reject", "p= appears twice"),
    "v=DMARC1; p=reject; word": ("reject", "reject", "reject", "'word' is not a tag such as name=value"),
    "v=DMARC1; p=reject; rua=a@example.com": ("reject",) * 3 + ("rua= has 'a@example.com', which is not a URI",),
    "v=DMARC1; p=reject; rua=mailto:": ("reject",) * 3 + ("rua= has 'mailto:', which has no mail address",),
    "v=DMARC1; p=reject; rua=https://[x": ("reject",) * 3 + ("rua= has 'https://[x', which is not a URI",),
    "v=DMARC1; p=reject; rua=mailto:a@example.com!10m": ("reject", "reject", "reject", ""),
    "v=DMARC1; p=reject; rua=mailto:a%21b@example.com, https://r.example/x": ("reject", "reject", "reject", ""),
}


@pytest.mark.parametrize("text", RECORDS)
def test_policies_of_a_record(text):
    """4.7."""
    record = parse_dmarc(text)
    *policies, error = RECORDS[text]
    assert [record.policy, record.subdomain_policy, record.absent_policy] == policies
    assert "".join(record.errors[:1]).startswith(error)
    assert bool(record.errors) is bool(error)
    assert bool(record.uris("rua")) is ("rua=" in text and "not a URI" not in error)


@pytest.mark.parametrize(
    ("text", "applies"),
    [
        ("v=DMARC1; p=bad", False),
        ("v=DMARC1; p=bad; rua=mailto:a@example.com", True),
        ("v=DMARC1; p=reject", True),
    ],
)
def test_record_with_a_policy_that_is_not_valid_applies_only_for_its_reports(text, applies):
    """4.10.1."""
    assert parse_dmarc(text).applies is applies


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=DMARC1; p=none", True),
        ("v=DMARC1", True),
        ("V = DMARC1;", True),
        ("v=dmarc1; p=none", False),
        ("v=DMARC10; p=none", False),
        ("p=none; v=DMARC1", False),
        ("", False),
    ],
)
def test_version_comes_first_and_in_this_case(text, expected):
    """4.7."""
    assert is_dmarc(text) is expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mailto:a@Example.com", "example.com"),
        ("MAILTO:a@example.com?subject=x", "example.com"),
        ("mailto:a%40b@example.com!5m", "example.com"),
        ("https://example.com/x", ""),
        ("mailto:a", ""),
        ("mailto:@example.com", ""),
    ],
)
def test_domain_of_a_mailto_uri(uri, expected):
    assert mail_domain(uri) == expected


def facts_of(domain, **records):
    zone = {name.replace("__", "."): values for name, values in records.items()}
    zone.setdefault(domain, {"A": ["192.0.2.1"]})
    inquiry = Inquiry(ZoneLookup(zone), MailSystem(domain))
    return dmarc_facts(inquiry), inquiry.unknown


def test_two_records_are_ignored_and_told():
    facts, unknown = facts_of("example.com", _dmarc__example__com={"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]})
    assert (facts.found_at, facts.organization) == (None, "example.com")
    assert facts.errors == ("example.com has 2 DMARC records, which are all ignored",)
    assert unknown == []


def test_policy_of_a_domain_that_does_not_exist_is_np():
    record = {"TXT": ["v=DMARC1; p=none; sp=quarantine; np=reject"]}
    facts, _unknown = facts_of("a.example.com", _dmarc__example__com=record)
    assert (facts.found_at, facts.policy) == ("example.com", "quarantine")
    inquiry = Inquiry(ZoneLookup({"_dmarc.example.com": record}), MailSystem("gone.example.com"))
    assert dmarc_facts(inquiry).policy == "reject"


def test_walk_with_a_failure_says_nothing_of_the_policy():
    facts, unknown = facts_of(
        "a.example.com", _dmarc__example__com={"TXT": ["v=DMARC1; p=reject"]}, _dmarc__com={"TXT": LookupTimedOut}
    )
    assert (facts.found_at, facts.organization, facts.policy) == (None, None, None)
    assert [one.path for one in unknown] == ["dmarc"]
    assert [step.records for step in facts.walk] == [(), ("v=DMARC1; p=reject",), None]


def test_removed_and_unknown_tags_are_told_apart():
    facts, _unknown = facts_of("example.com", _dmarc__example__com={"TXT": ["v=DMARC1; p=none; pct=50; ri=1; xy=2"]})
    assert (facts.removed_tags, facts.unknown_tags) == (("pct", "ri"), ("xy",))


def test_reports_below_the_own_organization_need_no_agreement():
    facts, _unknown = facts_of(
        "a.example.com",
        _dmarc__example__com={
            "TXT": ["v=DMARC1; p=none; rua=mailto:r@b.example.com; ruf=mailto:f@other.net,https://x.net"]
        },
        b__example__com={"MX": ["10 mx.example.com"]},
        other__net={"A": ["192.0.2.9"]},
    )
    assert [(one.kind, one.domain, one.external, one.authorised, one.receives) for one in facts.reports] == [
        ("rua", "b.example.com", False, None, True),
        ("ruf", "other.net", True, False, True),
        ("ruf", "", None, None, None),
    ]
