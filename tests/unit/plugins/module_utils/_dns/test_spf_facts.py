# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about SPF: what all records together have, and the results."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut
from ansible_collections.mailops.smtp.plugins.module_utils._dns.inquiry import Inquiry
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address
from ansible_collections.mailops.smtp.plugins.module_utils._dns.spf_facts import spf_facts
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

OTHERS: dict[str, t.Any] = {
    "mail.example.com": {"A": ["192.0.2.25"], "AAAA": ["2001:db8::25"], "TXT": ["v=spf1 a -all"]},
    "one.test": {"TXT": ["v=spf1 ip4:192.0.2.0/24 include:two.test -all"]},
    "two.test": {"TXT": ["v=spf1 a:mail.example.com mx:gone.test ~all"]},
    "loop.test": {"TXT": ["v=spf1 include:loop.test include:example.com -all"]},
    "late.test": {"TXT": LookupTimedOut},
    **{f"n{number}.test": {"TXT": [f"v=spf1 include:n{number + 1}.test -all"]} for number in range(1, 12)},
    "n12.test": {"TXT": ["v=spf1 -all"]},
}


def facts_of(record, hostname="mail.example.com"):
    records = [record] if isinstance(record, str) else record
    zone = {**OTHERS, "example.com": {"TXT": records, "MX": ["10 mail.example.com"]}}
    addresses = (parse_address("192.0.2.25"), parse_address("2001:db8::25"))
    inquiry = Inquiry(ZoneLookup(zone), MailSystem("example.com", hostname, addresses))
    return spf_facts(inquiry), inquiry.unknown


#: The record, then lookups, voids, depth, breadth.
COSTS = {
    "v=spf1 -all": (0, 0, 1, 1),
    "v=spf1 mx a:mail.example.com ip4:192.0.2.1 -all": (2, 0, 1, 4),
    "v=spf1 include:one.test -all": (4, 1, 3, 3),
    "v=spf1 redirect=two.test": (3, 1, 2, 3),
    "v=spf1 redirect=two.test -all": (0, 0, 1, 1),
    "v=spf1 a:gone.test mx:gone.test -all": (2, 2, 1, 3),
    "v=spf1 a:gone.test mx:gone.test exists:gone.test -all": (3, 3, 1, 4),
    "v=spf1 include:loop.test -all": (3, 0, 2, 3),
    "v=spf1 include:n1.test -all": (12, 0, 13, 2),
    "v=spf1 include:%{d}.test -all": (1, 0, 1, 2),
}


@pytest.mark.parametrize("record", COSTS)
def test_cost_of_a_record(record):
    facts, unknown = facts_of(record)
    assert (facts.lookups, facts.voids, facts.depth, facts.breadth) == COSTS[record]
    assert facts.size == len(record)
    assert unknown == []


def test_networks_and_what_is_wrong_with_them():
    facts, _unknown = facts_of("v=spf1 ip4:192.0.2.0/24 -ip4:10.0.0.0/8 ip4:64.0.0.0/2 ip6:2001:db8::/32 ptr ~all")
    assert facts.networks == ("ip4:192.0.2.0/24", "ip4:64.0.0.0/2", "ip6:2001:db8::/32")
    assert (facts.wide, facts.uses_ptr, facts.strangers) == (("ip4:64.0.0.0/2",), True, "pass")


def test_result_for_each_address_and_name():
    facts, _unknown = facts_of("v=spf1 ip4:192.0.2.25 -all")
    assert [(one.identity, one.address, one.result) for one in facts.evaluations] == [
        ("mailfrom", "192.0.2.25", "pass"),
        ("mailfrom", "2001:db8::25", "fail"),
        ("helo", "192.0.2.25", "pass"),
        ("helo", "2001:db8::25", "pass"),
    ]
    assert facts.helo_records == ("v=spf1 a -all",)


@pytest.mark.parametrize(
    ("records", "error"),
    [
        ([], None),
        (["v=spf1 moo -all"], "'moo' is not a known mechanism"),
        (["v=spf1 -all", "v=spf1 +all"], "there are 2 SPF records"),
        (["v=spf1 a:caf\xe9.example -all"], "which is not printable ASCII"),
    ],
)
def test_record_that_receivers_cannot_use(records, error):
    facts, _unknown = facts_of(records)
    assert (facts.error is None) if error is None else (error in facts.error)
    assert facts.lookups is None


def test_include_that_cannot_be_looked_up_is_not_known():
    facts, unknown = facts_of("v=spf1 include:late.test -all")
    assert (facts.lookups, facts.strangers) == (None, None)
    assert {one.path for one in unknown} == {"spf.evaluations", "spf.lookups"}
    assert facts.evaluations[0].result == "temperror"


@pytest.mark.parametrize("hostname", ["", "[192.0.2.25]", "example.com"])
def test_ehlo_name_that_is_no_other_name_has_no_evaluation(hostname):
    facts, _unknown = facts_of("v=spf1 -all", hostname)
    assert {one.identity for one in facts.evaluations} == {"mailfrom"}
