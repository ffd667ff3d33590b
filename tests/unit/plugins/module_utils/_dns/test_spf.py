# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``check_host()`` of RFC 7208 with a dictionary of records. Numbers in comments are sections of that RFC."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.errors import LookupTimedOut, ServerFailure
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address
from ansible_collections.mailops.smtp.plugins.module_utils._dns.spf import SpfOutcome, SpfResult, check_host
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import Zone, ZoneLookup

V4 = "192.0.2.25"
V6 = "2001:db8::25"
DOMAIN = "example.com"

HOSTS: Zone = {
    "mail.example.com": {"A": [V4], "AAAA": [V6]},
    "near.example.com": {"A": ["192.0.2.99"], "AAAA": ["2001:db8::99"]},
    "other.example.com": {"A": ["198.51.100.1"]},
    "alias.example.com": {"CNAME": ["mail.example.com"]},
    "relayed.example.com": {"MX": ["10 other.example.com", "20 mail.example.com"]},
    "deaf.example.com": {"MX": ["0 ."]},
    "yes.example.com": {"TXT": [f"v=spf1 ip4:{V4} ip6:{V6} -all"]},
    "no.example.com": {"TXT": ["v=spf1 -all"]},
    "soft.example.com": {"TXT": ["v=spf1 ~all"]},
    "neutral.example.com": {"TXT": ["v=spf1"]},
    "wrong.example.com": {"TXT": ["v=spf1 moo"]},
    "double.example.com": {"TXT": ["v=spf1 -all", "v=spf1 +all"]},
    "late.example.com": {"TXT": LookupTimedOut, "A": LookupTimedOut},
    "25.2.0.192.in-addr.arpa": {"PTR": ["mail.example.com"]},
    "25.2.0.192.listed.example.com": {"A": ["127.0.0.2"]},
    "user.at.example.com.example.com": {"A": ["127.0.0.2"]},
}


def evaluate(record: str, address: str = V4, zone=None, **more: str) -> SpfOutcome:
    records = {
        **HOSTS,
        DOMAIN: {"TXT": ["unrelated text", record], "A": [V4], "MX": ["10 mail.example.com"]},
        **(zone or {}),
    }
    return check_host(ZoneLookup(records), parse_address(address), DOMAIN, **more)


@pytest.mark.parametrize(
    ("record", "address", "expected"),
    [
        # Qualifiers (4.6.2), default (4.7), the first match decides (4.6).
        ("v=spf1 +all", V4, "pass"),
        ("v=spf1 -all", V4, "fail"),
        ("v=spf1 ~all", V4, "softfail"),
        ("v=spf1 ?all", V4, "neutral"),
        ("v=spf1", V4, "neutral"),
        (f"v=spf1 -ip4:{V4} +all", V4, "fail"),
        # ip4 and ip6 (5.6).
        (f"v=spf1 ip4:{V4} -all", V4, "pass"),
        ("v=spf1 ip4:192.0.2.0/27 -all", V4, "pass"),
        ("v=spf1 ip4:192.0.2.0/28 -all", V4, "fail"),
        ("v=spf1 ip4:0.0.0.0/0 -all", V4, "pass"),
        ("v=spf1 ip4:0.0.0.0/0 -all", V6, "fail"),
        (f"v=spf1 ip6:{V6} -all", V6, "pass"),
        ("v=spf1 ip6:2001:db8::/32 -all", V6, "pass"),
        ("v=spf1 ip6:2001:db9::/32 -all", V6, "fail"),
        ("v=spf1 ip6:::/0 -all", V4, "fail"),
        (f"v=spf1 ip4:{V4} -all", f"::ffff:{V4}", "pass"),
        # a (5.3).
        ("v=spf1 a -all", V4, "pass"),
        ("v=spf1 a -all", V6, "fail"),
        ("v=spf1 a:mail.example.com -all", V6, "pass"),
        ("v=spf1 a:alias.example.com -all", V4, "pass"),
        ("v=spf1 a:near.example.com -all", V4, "fail"),
        ("v=spf1 a:near.example.com/24 -all", V4, "pass"),
        ("v=spf1 a:near.example.com/24 -all", V6, "fail"),
        ("v=spf1 a:near.example.com/24//64 -all", V6, "pass"),
        ("v=spf1 a:absent.example.com -all", V4, "fail"),
        # mx (5.4).
        ("v=spf1 mx -all", V4, "pass"),
        ("v=spf1 mx:relayed.example.com -all", V6, "pass"),
        ("v=spf1 mx:other.example.com -all", V4, "fail"),
        ("v=spf1 mx:deaf.example.com -all", V4, "fail"),
        # ptr (5.5).
        ("v=spf1 ptr -all", V4, "pass"),
        ("v=spf1 ptr:mail.example.com -all", V4, "pass"),
        ("v=spf1 ptr:ample.com -all", V4, "fail"),
        ("v=spf1 ptr -all", "192.0.2.26", "fail"),
        # exists (5.7) and macros (7).
        ("v=spf1 exists:%{ir}.listed.example.com -all", V4, "pass"),
        ("v=spf1 exists:%{ir}.listed.example.com -all", "192.0.2.26", "fail"),
        ("v=spf1 a:%{p} -all", V4, "pass"),
        # Invalid names do not match (4.8).
        ("v=spf1 a:mail..example.com -all", V4, "fail"),
    ],
)
def test_result_of_each_mechanism(record, address, expected):
    assert evaluate(record, address).result.value == expected


@pytest.mark.parametrize(
    ("other", "as_include", "as_redirect"),
    [
        ("yes", "pass", "pass"),
        ("no", "neutral", "fail"),
        ("soft", "neutral", "softfail"),
        ("neutral", "neutral", "neutral"),
        ("wrong", "permerror", "permerror"),
        ("double", "permerror", "permerror"),
        ("late", "temperror", "temperror"),
        ("mail", "permerror", "permerror"),
        ("absent", "permerror", "permerror"),
    ],
)
def test_include_matches_on_pass_and_redirect_replaces_the_result(other, as_include, as_redirect):
    """Sections 5.2 and 6.1."""
    assert evaluate(f"v=spf1 include:{other}.example.com ?all").result.value == as_include
    assert evaluate(f"v=spf1 redirect={other}.example.com").result.value == as_redirect


def test_redirect_applies_only_if_no_mechanism_matches():
    """Section 6.1: at any position in the record."""
    assert evaluate(f"v=spf1 redirect=no.example.com ip4:{V4}").result is SpfResult.PASS
    assert evaluate("v=spf1 redirect=absent.example.com ~all").result is SpfResult.SOFTFAIL


def test_qualifier_of_the_include_decides_not_the_included_one():
    assert evaluate("v=spf1 -include:yes.example.com +all").result is SpfResult.FAIL


def test_macros_use_the_sender_and_the_current_domain():
    zone = {"inner.example.com": {"TXT": ["v=spf1 exists:%{l}.at.%{o}.%{d2} -all"]}}
    outcome = evaluate("v=spf1 include:inner.example.com -all", zone=zone, sender="user@example.com")
    assert outcome == SpfOutcome(SpfResult.PASS, "include:inner.example.com of example.com matches")


def test_macros_use_the_ehlo_name():
    assert evaluate("v=spf1 a:%{h} -all", helo="mail.example.com").result is SpfResult.PASS


def test_sender_without_local_part_is_postmaster():
    """Section 4.3."""
    zone = {"postmaster.example.com": {"A": ["127.0.0.2"]}}
    for sender in ("", "@example.com"):
        assert evaluate("v=spf1 exists:%{l}.example.com -all", zone=zone, sender=sender).result is SpfResult.PASS


@pytest.mark.parametrize(("terms", "expected"), [(10, "pass"), (11, "permerror")])
def test_ten_terms_may_cause_lookups(terms, expected):
    """Section 4.6.4: over all includes together."""
    zone = {"inner.example.com": {"TXT": ["v=spf1 " + "a:other.example.com " * (terms - 2) + "-all"]}}
    record = "v=spf1 include:inner.example.com mx -all"
    assert evaluate(record, zone=zone).result.value == expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("a:other.example.com", "permerror"),
        ("mx:other.example.com", "permerror"),
        ("exists:no.example.com", "permerror"),
        ("ptr:other.example.com", "permerror"),
        ("include:no.example.com", "permerror"),
        ("ip4:203.0.113.1", "pass"),
        ("ip6:2001:db8:1::1", "pass"),
        ("x=y", "pass"),
    ],
)
def test_terms_that_count_as_lookups(term, expected):
    """Section 4.6.4."""
    nine = "a:other.example.com " * 9
    assert evaluate(f"v=spf1 {nine} {term} a -all").result.value == expected


@pytest.mark.parametrize(("terms", "expected"), [(9, "pass"), (10, "permerror")])
def test_redirect_counts_as_a_lookup(terms, expected):
    """Section 4.6.4."""
    record = "v=spf1 " + "a:other.example.com " * terms + "redirect=yes.example.com"
    assert evaluate(record).result.value == expected


def test_include_loop_is_a_permanent_error():
    outcome = evaluate("v=spf1 include:example.com -all")
    assert outcome == SpfOutcome(SpfResult.PERMERROR, "more than 10 terms need a DNS lookup")


@pytest.mark.parametrize(("voids", "expected"), [(2, "pass"), (3, "permerror")])
def test_two_lookups_may_find_no_record(voids, expected):
    """Section 4.6.4: a name that does not exist and a name without such a record both count."""
    terms = ["a:absent.example.com", "exists:no.example.com", "mx:gone.example.com"][:voids]
    assert evaluate(f"v=spf1 {' '.join(terms)} a -all").result.value == expected


@pytest.mark.parametrize(("count", "expected"), [(10, "pass"), (11, "permerror")])
def test_ten_exchangers_are_allowed(count, expected):
    """Section 4.6.4."""
    exchangers = [f"{number} other.example.com" for number in range(count - 1)] + ["99 mail.example.com"]
    assert (
        evaluate("v=spf1 mx:many.example.com -all", zone={"many.example.com": {"MX": exchangers}}).result.value
        == expected
    )


@pytest.mark.parametrize(("position", "expected"), [(9, "pass"), (10, "fail")])
def test_ten_reverse_names_are_used(position, expected):
    """Section 4.6.4: the rest are ignored."""
    names = ["other.example.com"] * position + ["mail.example.com"]
    assert evaluate("v=spf1 ptr -all", zone={"25.2.0.192.in-addr.arpa": {"PTR": names}}).result.value == expected


@pytest.mark.parametrize("error", [LookupTimedOut, ServerFailure])
@pytest.mark.parametrize(
    ("record", "zone_of"),
    [
        ("v=spf1 a:broken.example.com -all", lambda error: {"broken.example.com": {"A": error}}),
        ("v=spf1 mx:broken.example.com -all", lambda error: {"broken.example.com": {"MX": error}}),
        ("v=spf1 exists:broken.example.com -all", lambda error: {"broken.example.com": {"A": error}}),
        ("v=spf1 include:broken.example.com -all", lambda error: {"broken.example.com": {"TXT": error}}),
    ],
)
def test_failed_lookup_is_a_temporary_error(record, zone_of, error):
    outcome = evaluate(record, zone=zone_of(error))
    assert outcome.result is SpfResult.TEMPERROR
    assert outcome.reason.endswith("lookup for broken.example.com failed in this test zone")


@pytest.mark.parametrize(
    "zone",
    [
        {"25.2.0.192.in-addr.arpa": {"PTR": LookupTimedOut}},
        {"25.2.0.192.in-addr.arpa": {"PTR": ["late.example.com"]}},
    ],
)
def test_failed_reverse_lookup_does_not_match(zone):
    """Section 5.5."""
    assert evaluate("v=spf1 ptr ~all", zone=zone).result is SpfResult.SOFTFAIL


def test_syntax_error_takes_precedence_over_a_match():
    """Section 4.6."""
    outcome = evaluate("v=spf1 +all moo")
    expected = "the SPF record of example.com is invalid: 'moo' is not a known mechanism"
    assert outcome == SpfOutcome(SpfResult.PERMERROR, expected)


@pytest.mark.parametrize(
    "domain", ["absent.example.com", "mail.example.com", "localhost", "a..example", "x" * 64 + ".example"]
)
def test_domain_without_a_record_gives_none(domain):
    """Sections 4.3 and 4.5."""
    assert check_host(ZoneLookup(HOSTS), parse_address(V4), domain).result is SpfResult.NONE


def test_two_records_are_a_permanent_error():
    """Section 4.5."""
    outcome = check_host(ZoneLookup(HOSTS), parse_address(V4), "double.example.com")
    assert outcome == SpfOutcome(SpfResult.PERMERROR, "double.example.com has 2 SPF records")
