# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNSSEC, CAA, block lists and the servers of a zone: what is known, and what is not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut, ServerFailure
from ansible_collections.mailops.smtp.plugins.module_utils._dns.inquiry import Inquiry
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address
from ansible_collections.mailops.smtp.plugins.module_utils._dns.trust import (
    authority_facts,
    blocklist_facts,
    caa_facts,
    dnssec_facts,
)
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

SOA = ["ns1.example.com h.example.com 7 1 1 1 1"]
ROOT = {"SOA": ["a.root h.root 1 1 1 1 1"]}

#: The zone, the secure names, then what the resolver does, the state, whether it is signed, and what is not known.
DNSSEC: dict[str, t.Any] = {
    "secure": ({"example.com": {"SOA": SOA, "UNCHECKED": SOA}}, ["example.com"], True, "secure", True, []),
    "insecure": ({"example.com": {"SOA": SOA}, "": ROOT}, [""], True, "insecure", False, []),
    "signed without DS": (
        {"example.com": {"SOA": SOA, "UNCHECKED": SOA}, "": ROOT},
        [""],
        True,
        "insecure",
        True,
        [],
    ),
    "bogus": ({"example.com": {"SOA": ServerFailure, "UNCHECKED": SOA}}, [], True, "bogus", True, []),
    "no validation": ({"example.com": {"SOA": SOA}, "": ROOT}, [], False, None, False, ["dnssec.state"]),
    "no root": ({"example.com": {"SOA": SOA}}, [], None, None, False, ["dnssec.resolver_validates"]),
    "root times out": (
        {"example.com": {"SOA": SOA}, "": {"SOA": LookupTimedOut}},
        [],
        None,
        None,
        False,
        ["dnssec.resolver_validates"],
    ),
    "time-out": (
        {"example.com": {"SOA": LookupTimedOut, "UNCHECKED": LookupTimedOut}},
        [],
        None,
        None,
        None,
        ["dnssec.signed", "dnssec"],
    ),
    "failure with and without validation": (
        {"example.com": {"SOA": ServerFailure, "UNCHECKED": ServerFailure}},
        [],
        None,
        None,
        None,
        ["dnssec.signed", "dnssec"],
    ),
}


@pytest.mark.parametrize("case", DNSSEC)
def test_dnssec(case):
    zone, secure, validates, state, signed, unknown = DNSSEC[case]
    inquiry = Inquiry(ZoneLookup(zone, secure), MailSystem("example.com"))
    facts = dnssec_facts(inquiry)
    assert (facts.resolver_validates, facts.state and facts.state.value, facts.signed) == (validates, state, signed)
    assert [one.path for one in inquiry.unknown] == unknown


#: The zone, then where the records are, and who may issue. None: any authority.
CAA = {
    "none": ({}, None, None),
    "own": ({"mail.example.com": {"CAA": ['0 issue "ca.test"']}}, "mail.example.com", ("ca.test",)),
    "inherited": ({"example.com": {"CAA": ['0 issue "CA.test; account=1"']}}, "example.com", ("ca.test",)),
    "of the top-level domain": ({"com": {"CAA": ['0 issue "ca.test"']}}, "com", ("ca.test",)),
    "own before inherited": (
        {"mail.example.com": {"CAA": ['0 issue ";"']}, "example.com": {"CAA": ['0 issue "ca.test"']}},
        "mail.example.com",
        (),
    ),
    "critical and not known": ({"example.com": {"CAA": ['128 moo "x"', '0 issue "ca.test"']}}, "example.com", ()),
    "not critical and not known": (
        {"example.com": {"CAA": ['0 moo "x"', '128 iodef "mailto:a@b"']}},
        "example.com",
        None,
    ),
    "wildcards only": ({"example.com": {"CAA": ['0 issuewild "ca.test"']}}, "example.com", None),
    "several": (
        {"example.com": {"CAA": ['0 issue "b.test"', '128 ISSUE "a.test"', '0 iodef "mailto:a@b"']}},
        "example.com",
        ("a.test", "b.test"),
    ),
}


@pytest.mark.parametrize("case", CAA)
def test_caa(case):
    """RFC 8659 sections 3 and 4.2."""
    zone, place, issuers = CAA[case]
    facts = caa_facts(Inquiry(ZoneLookup(zone), MailSystem("example.com", "mail.example.com")))
    assert (facts.name, facts.found_at, facts.issuers) == ("mail.example.com", place, issuers)


def test_caa_that_cannot_be_looked_up_is_not_known():
    inquiry = Inquiry(ZoneLookup({"example.com": {"CAA": ServerFailure}}), MailSystem("example.com"))
    assert caa_facts(inquiry).records is None
    assert [one.path for one in inquiry.unknown] == ["caa"]


TEST6 = "2.0.0.0.0.0.f.7.f.f.f.f" + ".0" * 20
HIT6 = "5.2.0.0" + ".0" * 20 + ".8.b.d.0.1.0.0.2"
WORKS = {"2.0.0.127.list.test": {"A": ["127.0.0.2"]}}
WORKS6 = {**WORKS, f"{TEST6}.list.test": {"A": ["127.0.0.2"]}}
#: The zone, then whether the list works, the codes of 192.0.2.25 and of 2001:db8::25, and the reason for what is not.
LISTS: dict[str, t.Any] = {
    "not listed": (WORKS6, True, (), (), ""),
    "listed": ({**WORKS6, "25.2.0.192.list.test": {"A": ["127.0.0.4"]}}, True, ("127.0.0.4",), (), ""),
    "listed over IPv6": ({**WORKS6, f"{HIT6}.list.test": {"A": ["127.0.0.3"]}}, True, (), ("127.0.0.3",), ""),
    "IPv4 only": (WORKS, True, (), None, "does not list its test entry for IPv6"),
    "gone": ({}, False, None, None, "does not list its test entry for IPv4"),
    "lists the world": (
        {**WORKS6, "1.0.0.127.list.test": {"A": ["127.0.0.2"]}, "25.2.0.192.list.test": {"A": ["127.0.0.2"]}},
        True,
        None,
        (),
        "lists the entry that must not be listed for IPv4",
    ),
    "a parked domain": (
        {"2.0.0.127.list.test": {"A": ["203.0.113.1"]}},
        False,
        None,
        None,
        "has the address 203.0.113.1, which no list answers",
    ),
    "answers what no list answers": (
        {**WORKS6, "25.2.0.192.list.test": {"A": ["127.0.0.1"]}},
        True,
        None,
        (),
        "has the address 127.0.0.1, which no list answers",
    ),
    "refuses": (
        {**WORKS6, "25.2.0.192.list.test": {"A": ["127.255.255.254"]}},
        True,
        None,
        (),
        "the list refuses to answer these name servers",
    ),
    "refuses its test": (
        {**WORKS6, "2.0.0.127.list.test": {"A": ["127.255.255.252"]}},
        True,
        None,
        (),
        "the list refuses to answer these name servers",
    ),
    "time-out": ({**WORKS6, "25.2.0.192.list.test": {"A": LookupTimedOut}}, True, None, (), "failed in this test zone"),
}


@pytest.mark.parametrize("case", LISTS)
def test_block_list_is_believed_only_if_it_passes_its_test(case):
    """RFC 5782 sections 2.1, 2.4 and 5."""
    zone, works, codes4, codes6, reason = LISTS[case]
    addresses = (parse_address("192.0.2.25"), parse_address("2001:db8::25"))
    inquiry = Inquiry(ZoneLookup(zone), MailSystem("example.com", addresses=addresses, blocklists=("list.test",)))
    [facts] = blocklist_facts(inquiry)
    assert (facts.works, [one.codes for one in facts.listings]) == (works, [codes4, codes6])
    assert reason in "".join(one.reason for one in inquiry.unknown)
    assert bool(inquiry.unknown) is bool(reason)


def test_list_of_domains_has_its_own_test():
    zone = {"test.names.test": {"A": ["127.0.1.2"]}, "example.com.names.test": {"A": ["127.0.1.4"], "TXT": ["spam"]}}
    inquiry = Inquiry(ZoneLookup(zone), MailSystem("example.com", domain_blocklists=("names.test",)))
    [facts] = blocklist_facts(inquiry)
    assert [(one.subject, one.codes, one.reason) for one in facts.listings] == [("example.com", ("127.0.1.4",), "spam")]


ZONE = {
    "example.com": {"SOA": SOA, "NS": ["ns1.example.com", "ns2.example.com"], "MX": ["10 a.example.com"], "TXT": ["x"]},
    "ns1.example.com": {"A": ["192.0.2.1"]},
    "ns2.example.com": {"AAAA": ["2001:db8::2"]},
}


def differing(**records):
    return {"example.com": {**ZONE["example.com"], **records}}


#: The zone of the second server, its serial number, and the types in which the servers differ.
SERVERS: dict[str, t.Any] = {
    "agree": (ZONE, 7, ()),
    "another serial": (differing(SOA=["ns1.example.com h.example.com 8 1 1 1 1"]), 8, ("SOA",)),
    "another MX": (differing(MX=["10 b.example.com"]), 7, ("MX",)),
    "no TXT": (differing(TXT=[]), 7, ("TXT",)),
    "another delegation": (differing(NS=["ns1.example.com"]), 7, ("NS",)),
    "silent": ({"example.com": {"SOA": LookupTimedOut}}, None, ()),
}


@pytest.mark.parametrize("case", SERVERS)
def test_servers_of_the_zone(case):
    zone, serial, types = SERVERS[case]
    inquiry = Inquiry(ZoneLookup(ZONE, servers={"2001:db8::2": zone}), MailSystem("example.com"))
    facts = authority_facts(inquiry)
    assert facts
    assert [(one.name, one.serial) for one in facts.servers] == [("ns1.example.com", 7), ("ns2.example.com", serial)]
    assert facts.differing == types
    assert [one.path for one in inquiry.unknown] == (["authority.ns2.example.com"] if case == "silent" else [])


def test_domain_below_its_zone_is_asked_for_at_the_servers_of_the_zone():
    zone = {**ZONE, "sub.example.com": {"MX": ["10 a.example.com"]}}
    facts = authority_facts(Inquiry(ZoneLookup(zone), MailSystem("sub.example.com")))
    assert facts
    assert (facts.zone, facts.differing) == ("example.com", ())
