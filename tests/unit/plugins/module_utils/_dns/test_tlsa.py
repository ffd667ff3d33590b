# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLSA records compared with certificates (RFC 6698 section 2.1, RFC 7672 section 3.1)."""

from __future__ import annotations

import hashlib
import ssl
import typing as t

import pytest
import trustme

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut
from ansible_collections.mailops.smtp.plugins.module_utils._dns.inquiry import Inquiry
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import Certificates, MailSystem
from ansible_collections.mailops.smtp.plugins.module_utils._dns.tlsa import (
    dane_facts,
    matches,
    parse_tlsa,
    read_chain,
    wanted_tlsa,
)
from ansible_collections.mailops.smtp.plugins.module_utils._dns.zone import Wishes, wanted_records
from ansible_collections.mailops.smtp.plugins.module_utils._x509.certificate import certificate_key
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

CA = trustme.CA()
MIDDLE = CA.create_child_ca()
LEAF = MIDDLE.issue_cert("mail.example.com")
PEM = "".join(pem.bytes().decode() for pem in LEAF.cert_chain_pems) + CA.cert_pem.bytes().decode()
CHAIN = read_chain(PEM)
HOST = "mail.example.com"


def data(der: bytes, selector: int, matching: int) -> str:
    content = certificate_key(der) if selector else der
    return {0: content.hex(), 1: hashlib.sha256(content).hexdigest(), 2: hashlib.sha512(content).hexdigest()}[matching]


def test_chain_is_read_from_pem():
    assert len(CHAIN) == 3
    assert CHAIN[0] == ssl.PEM_cert_to_DER_cert(LEAF.cert_chain_pems[0].bytes().decode())


def test_public_key_is_that_of_the_certificate():
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    for der in CHAIN:
        key = x509.load_der_x509_certificate(der).public_key()
        assert certificate_key(der) == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it has no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "it is not DER"),
        ("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----", "it is not valid base64"),
        (LEAF.private_key_pem.bytes().decode(), "it has no certificate in PEM"),
        (PEM * 40, "it has 120 blocks; expected at most 100"),
    ],
)
def test_text_that_is_not_a_chain(text, told):
    with pytest.raises(ValueError, match=told):
        read_chain(text)


@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize(("usage", "place"), [(3, 0), (2, 1), (2, 2)])
def test_record_matches_its_certificate_and_no_other(usage, place, selector, matching):
    record = parse_tlsa(f"{usage} {selector} {matching} {data(CHAIN[place], selector, matching).upper()}")
    assert record.error is None
    assert matches(record, CHAIN)
    others = [der for number, der in enumerate(CHAIN) if number != place]
    assert not matches(record, others)


def test_own_certificate_does_not_match_an_authority():
    assert not matches(parse_tlsa(f"2 0 1 {data(CHAIN[0], 0, 1)}"), CHAIN)
    assert not matches(parse_tlsa(f"3 0 1 {data(CHAIN[1], 0, 1)}"), CHAIN)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (f"0 0 1 {'0' * 64}", "mail servers do not use the usage 0; expected 2 or 3"),
        (f"1 1 1 {'0' * 64}", "mail servers do not use the usage 1"),
        (f"3 2 1 {'0' * 64}", "the selector 2 or the matching type 1 does not exist"),
        (f"3 1 3 {'0' * 64}", "the selector 1 or the matching type 3 does not exist"),
        (f"3 1 1 {'0' * 40}", "the data has 40 digits; expected 64"),
        (f"3 1 2 {'0' * 64}", "the data has 64 digits; expected 128"),
    ],
)
def test_record_that_mail_servers_do_not_use(value, told):
    assert str(parse_tlsa(value).error).startswith(told)


def test_wanted_record_matches():
    assert matches(parse_tlsa(wanted_tlsa(CHAIN[0])), CHAIN)


ROLL_OVER = [wanted_tlsa(CHAIN[0]), f"3 1 1 {'0' * 64}"]
#: The records, and whether they match, and whether there is one for the next key.
FACTS: dict[str, t.Any] = {
    "one": ([wanted_tlsa(CHAIN[0])], True, False),
    "another": ([f"3 1 1 {'0' * 64}"], False, False),
    "two": (ROLL_OVER, True, True),
    "one that is not usable": ([wanted_tlsa(CHAIN[0]), f"1 1 1 {'0' * 64}"], True, False),
    "none": ([], None, None),
    "time-out": (LookupTimedOut, None, None),
}


@pytest.mark.parametrize("case", FACTS)
def test_facts_of_a_server(case):
    records, matched, spare = FACTS[case]
    zone = {"example.com": {"MX": [f"10 {HOST}"]}, f"_25._tcp.{HOST}": {"TLSA": records}}
    system = MailSystem("example.com", certificates=(Certificates(HOST, 25, CHAIN),))
    inquiry = Inquiry(ZoneLookup(zone, secure=[f"_25._tcp.{HOST}"]), system)
    [facts] = dane_facts(inquiry) or ()
    assert (facts.matches, facts.spare) == (matched, spare)
    assert (facts.records is None) is bool(inquiry.unknown) is (case == "time-out")


OTHER = read_chain(CA.issue_cert(HOST).cert_chain_pems[0].bytes().decode())
SECOND = wanted_tlsa(OTHER[0])
#: The records of a server with two certificates, whether both match, and the values that are proposed.
TWO: dict[str, t.Any] = {
    "none": ([], None, [wanted_tlsa(CHAIN[0]), SECOND]),
    "one of them": ([SECOND], False, [wanted_tlsa(CHAIN[0]), SECOND]),
    "both": ([wanted_tlsa(CHAIN[0]), SECOND], True, None),
    "an authority, and the other": ([f"2 1 1 {data(CHAIN[1], 1, 1)}", SECOND], True, None),
    "in another way": ([f"3 0 2 {data(CHAIN[0], 0, 2)}", f"3 1 0 {data(OTHER[0], 1, 0)}"], True, None),
}


@pytest.mark.parametrize("case", TWO)
def test_server_with_two_certificates_needs_a_record_for_each(case):
    records, matched, values = TWO[case]
    zone = {"example.com": {"MX": [f"10 {HOST}"]}, f"_25._tcp.{HOST}": {"TLSA": records}}
    system = MailSystem("example.com", certificates=(Certificates(HOST, 25, CHAIN), Certificates(HOST, 25, OTHER)))
    [facts] = dane_facts(Inquiry(ZoneLookup(zone), system)) or ()
    assert (facts.matches, facts.spare) == (matched, False if records else None)
    [proposed] = [one for one in wanted_records(ZoneLookup(zone), system, Wishes()) if one["type"] == "TLSA"]
    assert (proposed["value"], proposed["right"]) == (values or records, values is None)


def test_server_on_another_port_is_asked_for_too():
    system = MailSystem("example.com", certificates=(Certificates("relay.example.com", 465, CHAIN),))
    zone = {"example.com": {"MX": [f"10 {HOST}"]}, "_465._tcp.relay.example.com": {"TLSA": ROLL_OVER}}
    assert [(one.host, one.port, one.matches) for one in dane_facts(Inquiry(ZoneLookup(zone), system)) or ()] == [
        (HOST, 25, None),
        ("relay.example.com", 465, True),
    ]
