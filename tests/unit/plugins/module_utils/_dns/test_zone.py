# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records that a mail system calls for."""

from __future__ import annotations

import base64
import dataclasses
import typing as t

import dns.rdata
import dns.rdatatype
import dns.zonefile
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut, ServerFailure
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem, Selector
from ansible_collections.mailops.smtp.plugins.module_utils._dns.names import parse_address
from ansible_collections.mailops.smtp.plugins.module_utils._dns.zone import (
    Wishes,
    sts_policy,
    txt,
    wanted_records,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.dns_policy import StsMode
from ansible_collections.mailops.smtp.plugins.module_utils._x509.keys import parse_ed25519
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

V4, V6 = "192.0.2.25", "2001:db8::25"
SYSTEM = MailSystem("example.com", "mail.example.com", (parse_address(V4), parse_address(V6)))
SOA = {"SOA": ["ns.example.com h.example.com 1 1 1 1 1"]}


def wanted(zone, system=SYSTEM, **wishes):
    records = wanted_records(ZoneLookup({"example.com": SOA, **zone}), system, Wishes(**wishes))
    return {(one["record"], one["type"]): one for one in records}


#: What is published for the domain, then what the SPF record should be, and whether that is there.
SPF = {
    "nothing": ([], f"v=spf1 ip4:{V4} ip6:{V6} -all", False),
    "right": ([f"v=spf1 ip4:{V4} ip6:{V6} ~all"], f"v=spf1 ip4:{V4} ip6:{V6} ~all", True),
    "right in another way": (["v=spf1 a:mail.example.com -all"], "v=spf1 a:mail.example.com -all", True),
    "lacks one": ([f"v=spf1 ip4:{V4} -all"], f"v=spf1 ip6:{V6} ip4:{V4} -all", False),
    "keeps its includes": (
        ["V=SPF1 include:ok.example ~all"],
        f"v=spf1 ip4:{V4} ip6:{V6} include:ok.example ~all",
        False,
    ),
    "lets all send": (["v=spf1 +all"], f"v=spf1 ip4:{V4} ip6:{V6} -all", False),
    "without all": (["v=spf1 a:mail.example.com"], f"v=spf1 ip4:{V4} ip6:{V6} -all", False),
    "broken": (["v=spf1 moo -all"], f"v=spf1 ip4:{V4} ip6:{V6} -all", False),
    "two": (["v=spf1 -all", "v=spf1 +all"], f"v=spf1 ip4:{V4} ip6:{V6} -all", False),
}


@pytest.mark.parametrize("case", SPF)
def test_spf_record(case):
    published, expected, right = SPF[case]
    zone = {
        "example.com": {**SOA, "TXT": ["other=1", *published]},
        "mail.example.com": {"A": [V4], "AAAA": [V6]},
        "ok.example": {"TXT": ["v=spf1 ip4:203.0.113.1 -all"]},
    }
    record = wanted(zone)["example.com.", "TXT"]
    assert record["value"] == ['"other=1"', f'"{expected}"']
    assert (record["right"], record["there"]) == (right, bool(published))
    assert record["zone"] == "example.com"


#: The DMARC record that is published, and whether it stays as it is.
DMARC = {
    "v=DMARC1; p=reject; rua=mailto:a@example.com": True,
    "v=DMARC1; p=quarantine; sp=reject; rua=mailto:a@example.com": True,
    "v=DMARC1; p=none; rua=mailto:a@example.com": False,
    "v=DMARC1; p=reject; np=none; rua=mailto:a@example.com": False,
    "v=DMARC1; p=reject; t=y; rua=mailto:a@example.com": False,
    "v=DMARC1; p=reject; pct=10; rua=mailto:a@example.com": False,
    "v=DMARC1; p=reject": False,
    "v=DMARC1; p=rejekt; rua=mailto:a@example.com": False,
}


@pytest.mark.parametrize("text", DMARC)
def test_dmarc_record_that_is_right_stays(text):
    record = wanted({"_dmarc.example.com": {"TXT": [text]}})["_dmarc.example.com.", "TXT"]
    assert record["right"] is DMARC[text]
    assert (record["value"] == [f'"{text}"']) is DMARC[text]


def test_records_of_a_bare_domain():
    records = wanted({}, sts_mode=StsMode.TESTING, sts_addresses=("192.0.2.80", "2001:db8::80"))
    assert list(records) == [
        ("mail.example.com.", "A"),
        ("mail.example.com.", "AAAA"),
        ("25.2.0.192.in-addr.arpa.", "PTR"),
        ("5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "PTR"),
        ("example.com.", "MX"),
        ("example.com.", "TXT"),
        ("mail.example.com.", "TXT"),
        ("_dmarc.example.com.", "TXT"),
        ("_mta-sts.example.com.", "TXT"),
        ("mta-sts.example.com.", "A"),
        ("mta-sts.example.com.", "AAAA"),
        ("_smtp._tls.example.com.", "TXT"),
    ]
    assert not any(one["right"] or one["there"] for one in records.values())
    assert "Ask the provider of 192.0.2.25" in records["25.2.0.192.in-addr.arpa.", "PTR"]["note"]


def test_lines_are_those_of_a_zone_file():
    """dnspython reads them, and finds the same values."""
    records = wanted({}, sts_mode=StsMode.ENFORCE)
    lines = [line for one in records.values() for line in one["lines"]]
    found = {
        (str(one.name), dns.rdatatype.to_text(one.rdtype)): one
        for one in dns.zonefile.read_rrsets("\n".join(lines), rdclass=None)
    }
    assert set(found) == set(records)
    assert found["_dmarc.example.com.", "TXT"][0].strings == (
        b"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.com",
    )


def strings_of(value: str) -> tuple[bytes, ...]:
    record: t.Any = dns.rdata.from_text("IN", "TXT", value)
    return record.strings


def test_long_text_is_split_into_strings():
    text = "v=DKIM1; p=" + "A" * 600
    assert b"".join(strings_of(txt(text))).decode() == text
    assert strings_of(txt('a"b\\c\xe4')) == (b'a"b\\c\xe4',)


def test_id_changes_with_the_policy_and_only_then():
    first, again = (wanted({}, sts_mode=StsMode.ENFORCE)["_mta-sts.example.com.", "TXT"]["value"] for _run in "ab")
    other = wanted({}, sts_mode=StsMode.TESTING)["_mta-sts.example.com.", "TXT"]["value"]
    assert first == again != other


def test_policy_lists_the_mail_servers():
    lookup = ZoneLookup({"example.com": {"MX": ["20 b.example.net", "10 a.example.net"]}})
    assert sts_policy(lookup, SYSTEM, Wishes(sts_mode=StsMode.ENFORCE)).split("\r\n") == [
        "version: STSv1",
        "mode: enforce",
        "mx: a.example.net",
        "mx: b.example.net",
        "max_age: 604800",
        "",
    ]


@pytest.mark.parametrize(
    "system",
    [
        MailSystem("example.com"),
        MailSystem("example.com", "mail.example.com", via=("smtp.provider.example",)),
        MailSystem("example.com", "relay.internal", (parse_address(V4),)),
    ],
)
def test_nothing_is_proposed_that_receivers_do_not_see(system):
    records = wanted({}, system)
    assert not any(rdtype in ("A", "AAAA", "PTR") for _name, rdtype in records)


def test_record_that_cannot_be_looked_up_is_neither_there_nor_right():
    record = wanted({"_dmarc.example.com": {"TXT": LookupTimedOut}})["_dmarc.example.com.", "TXT"]
    assert (record["there"], record["right"]) == (None, None)


#: What cannot be looked up or judged, and which records must not be replaced for that.
NOT_KNOWN: dict[str, tuple[dict[str, t.Any], list[tuple[str, str]]]] = {
    "an include": (
        {
            "example.com": {**SOA, "TXT": ["v=spf1 a:mail.example.com include:other.example -all"]},
            "other.example": {"TXT": ServerFailure},
        },
        [("example.com.", "TXT")],
    ),
    "a target of a": (
        {
            "example.com": {**SOA, "TXT": ["v=spf1 a:mail.example.com -all"]},
            "mail.example.com": {"A": LookupTimedOut, "TXT": ["v=spf1 a -all"]},
        },
        [("example.com.", "TXT"), ("mail.example.com.", "A"), ("mail.example.com.", "TXT")],
    ),
    "the SPF record": ({"example.com": {**SOA, "TXT": ServerFailure}}, [("example.com.", "TXT")]),
    "the MX records": ({"example.com": {**SOA, "MX": ServerFailure}}, [("example.com.", "MX")]),
}


@pytest.mark.parametrize("case", NOT_KNOWN)
def test_what_is_not_known_is_not_to_be_replaced(case):
    zone, expected = NOT_KNOWN[case]
    records = wanted({"mail.example.com": {"A": [V4], "AAAA": [V6]}, **zone}, sts_mode=StsMode.ENFORCE)
    for key in expected:
        assert records[key]["right"] is None
        texts = zone.get(key[0].rstrip("."), {}).get(key[1], ())
        assert isinstance(texts, type) or records[key]["value"] == [f'"{text}"' for text in texts]
    assert (("_mta-sts.example.com.", "TXT") in records) is (case != "the MX records")


#: The MX records, and which of them stay; without any, the own host is proposed.
MX = {
    "one": (["10 a.example.net"], ["10 a.example.net."]),
    "null alone": (["0 ."], ["10 mail.example.com."]),
    "null beside another": (["0 .", "10 a.example.net"], ["10 a.example.net."]),
    "an address": (["10 192.0.2.25"], ["10 mail.example.com."]),
    "an address beside another": (["10 192.0.2.25", "20 a.example.net"], ["20 a.example.net."]),
    "a blank": (["10 a\\032b.example"], ["10 mail.example.com."]),
}


@pytest.mark.parametrize("case", MX)
def test_mx_records_that_name_no_host_do_not_stay(case):
    published, expected = MX[case]
    record = wanted({"example.com": {**SOA, "MX": published}})["example.com.", "MX"]
    assert record["value"] == expected
    assert record["right"] is (case == "one")


KEY = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
DKIM = f"v=DKIM1; k=ed25519; p={base64.b64encode(KEY).decode()}"


@pytest.mark.parametrize(
    ("tags", "right"),
    [
        ("", True),
        ("; s=email; h=sha256; t=s", True),
        ("; t=y:s", False),
        ("; h=sha1", False),
        ("; s=tlsrpt", False),
    ],
)
def test_dkim_record_that_receivers_accept_stays(tags, right):
    system = dataclasses.replace(SYSTEM, selectors=(Selector("s", "example.com", parse_ed25519(KEY)),))
    record = wanted({"s._domainkey.example.com": {"TXT": [DKIM + tags]}}, system)["s._domainkey.example.com.", "TXT"]
    assert (record["right"], record["value"]) == (right, [f'"{DKIM}{tags if right else ""}"'])


#: What is published beside the zone example.com, then the zone of the DKIM record and of the DMARC record.
CUTS: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "none": ({}, "example.com", "example.com"),
    "delegated": (
        {"_domainkey.example.com": SOA, "_dmarc.example.com": SOA},
        "_domainkey.example.com",
        "_dmarc.example.com",
    ),
    "aliases": (
        {
            "_domainkey.example.com": {"CNAME": ["d.example.net"]},
            "_dmarc.example.com": {"CNAME": ["d.example.net"]},
            "example.net": SOA,
        },
        "example.com",
        "example.com",
    ),
    "servers that are down": ({"_dmarc.example.com": {"SOA": ServerFailure}}, "example.com", "example.com"),
}


@pytest.mark.parametrize("case", CUTS)
def test_zone_of_a_record(case):
    published, of_dkim, of_dmarc = CUTS[case]
    system = dataclasses.replace(SYSTEM, selectors=(Selector("s", "example.com", parse_ed25519(KEY)),))
    records = wanted({"example.com": SOA, **published}, system)
    assert records["s._domainkey.example.com.", "TXT"]["zone"] == of_dkim
    assert records["_dmarc.example.com.", "TXT"]["zone"] == of_dmarc
    assert records["example.com.", "TXT"]["zone"] == "example.com"


def test_alias_is_told():
    zone = {"_dmarc.example.com": {"CNAME": ["d.example.net"]}, "d.example.net": {"TXT": ["v=DMARC1; p=none"]}}
    assert "is an alias of d.example.net" in wanted(zone)["_dmarc.example.com.", "TXT"]["note"]


def test_mx_records_of_others_are_kept():
    record = wanted({"example.com": {**SOA, "MX": ["10 mx.other.example"]}})["example.com.", "MX"]
    assert (record["value"], record["right"]) == (["10 mx.other.example."], True)
