# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM key records and public keys in the forms in which people have them."""

from __future__ import annotations

import base64
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ansible_collections.mailops.smtp.plugins.module_utils._dns.dkim import dkim_facts, parse_dkim, parse_given_key
from ansible_collections.mailops.smtp.plugins.module_utils._dns.dns_errors import LookupTimedOut, RecordSyntaxError
from ansible_collections.mailops.smtp.plugins.module_utils._dns.inquiry import Inquiry
from ansible_collections.mailops.smtp.plugins.module_utils._dns.mail_system import MailSystem, Selector
from ansible_collections.mailops.smtp.plugins.module_utils._dns.zone import dkim_text
from ansible_collections.mailops.smtp.plugins.module_utils._x509.keys import parse_dkim_key
from ansible_collections.mailops.smtp.tests.unit.support.zone_lookup import ZoneLookup

RSA = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505
OTHER = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()
EC = ec.generate_private_key(ec.SECP256R1())
DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
SPKI, PKCS1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1


def written(key, encoding=DER, form=SPKI) -> bytes:
    return key.public_key().public_bytes(encoding, form)


def b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


RSA_KEY = parse_dkim_key(written(RSA))
ED_KEY = parse_dkim_key(written(ED))
RAW = written(ED)[-32:]

#: The record, then its key or the error.
RECORDS = {
    "all tags": (f"v=DKIM1; k=rsa; h=sha256; s=email; t=s; n=note; p={b64(written(RSA))}", RSA_KEY),
    "p alone": (f"p={b64(written(RSA))}", RSA_KEY),
    "blanks in p": (f"v=DKIM1; p={b64(written(RSA))[:50]} {b64(written(RSA))[50:]} ;", RSA_KEY),
    "RSAPublicKey": (f"v=DKIM1; p={b64(written(RSA, form=PKCS1))}", RSA_KEY),
    "Ed25519": (f"v=DKIM1; k=ed25519; p={b64(RAW)}", ED_KEY),
    "revoked": ("v=DKIM1; p=", None),
    "no p": ("v=DKIM1; k=rsa", "it has no p="),
    "another type": (f"v=DKIM1; k=dsa; p={b64(RAW)}", "k=dsa is not a key type that receivers know"),
    "v later": (f"k=rsa; v=DKIM1; p={b64(RAW)}", "v= must be the first tag"),
    "another version": (f"v=DKIM2; p={b64(RAW)}", "v= must be the first tag and DKIM1"),
    "not base64": ("v=DKIM1; p=abc!", "p= is not a valid RSA key: it is not valid base64"),
    "cut off": (f"v=DKIM1; p={b64(written(RSA)[:200])}", "p= is not a valid RSA key: it ends too early"),
    "half of the base64": (
        f"v=DKIM1; p={b64(written(RSA))[:101]}",
        "p= is not a valid RSA key: it is not valid base64",
    ),
    "wrong type": (f"v=DKIM1; k=rsa; p={b64(written(ED))}", "p= has an Ed25519 key, but k= says rsa"),
    "Ed25519 with its type": (f"v=DKIM1; k=ed25519; p={b64(written(ED))}", "an Ed25519 key has 32 octets, not 44"),
    "elliptic curve": (f"v=DKIM1; p={b64(written(EC))}", "it is neither an RSA nor an Ed25519 key"),
    "double tag": (f"v=DKIM1; p={b64(RAW)}; p=", "p= appears twice"),
    "no tag": ("v=DKIM1; hello", "'hello' is not a tag"),
    "octets": ("v=DKIM1; n=\xe4; p=", "n= has a character that is not printable ASCII"),
}


@pytest.mark.parametrize("case", RECORDS)
def test_key_record(case):
    """RFC 6376 section 3.6.1."""
    text, expected = RECORDS[case]
    if isinstance(expected, str):
        with pytest.raises(RecordSyntaxError) as caught:
            parse_dkim(text)
        assert expected in str(caught.value)
    else:
        assert parse_dkim(text).key == expected


FORMS = {
    "PEM": written(RSA, PEM).decode(),
    "PEM of PKCS1": written(RSA, PEM, PKCS1).decode(),
    "value of p": b64(written(RSA)),
    "value in lines": "\n".join([b64(written(RSA))[:64], b64(written(RSA))[64:]]),
    "record": f"v=DKIM1; k=rsa; p={b64(written(RSA))}",
    "record in strings": f'"v=DKIM1; k=rsa; " "p={b64(written(RSA))[:90]}" "{b64(written(RSA))[90:]}"',
    "PEM of Ed25519": written(ED, PEM).decode(),
    "value of Ed25519": b64(RAW),
    "record of Ed25519": f"v=DKIM1; k=ed25519; p={b64(RAW)}",
}


@pytest.mark.parametrize("form", FORMS)
def test_public_key_is_read_in_the_forms_that_people_have(form):
    assert parse_given_key(FORMS[form]) == (ED_KEY if "Ed25519" in form else RSA_KEY)


def private_forms():
    none = serialization.NoEncryption()
    formats = serialization.PrivateFormat
    yield RSA.private_bytes(PEM, formats.PKCS8, none)
    yield RSA.private_bytes(PEM, formats.TraditionalOpenSSL, none)
    yield EC.private_bytes(PEM, formats.TraditionalOpenSSL, none)
    yield ED.private_bytes(PEM, formats.OpenSSH, none)
    yield RSA.private_bytes(PEM, formats.PKCS8, serialization.BestAvailableEncryption(b"x"))


@pytest.mark.parametrize("pem", list(private_forms()))
def test_private_key_is_refused_and_not_quoted(pem):
    with pytest.raises(ValueError, match="it is a private key; give the public key alone") as caught:
        parse_given_key(pem.decode())
    assert pem.decode().split("\n")[1][:20] not in str(caught.value)


@pytest.mark.parametrize("key", [RSA_KEY, ED_KEY, parse_dkim_key(written(SHORT))])
def test_key_that_is_published_is_the_same_key(key):
    assert parse_dkim(dkim_text(key)).key == key


#: The TXT records of the selector, and what is known of it.
FACTS: dict[str, t.Any] = {
    "strong": ([f"v=DKIM1; p={b64(written(RSA))}"], {"key_bits": 2048, "matches": True, "revoked": False}),
    "short": ([f"v=DKIM1; p={b64(written(SHORT))}"], {"key_bits": 1024, "matches": False}),
    "another": ([f"v=DKIM1; p={b64(written(OTHER))}"], {"matches": False}),
    "test": ([f"v=DKIM1; t=s:y; p={b64(written(RSA))}"], {"testing": True}),
    "sha1": ([f"v=DKIM1; h=sha1; p={b64(written(RSA))}"], {"hashes": ("sha1",)}),
    "not for mail": ([f"v=DKIM1; s=other; p={b64(written(RSA))}"], {"email": False}),
    "for all": ([f"v=DKIM1; s=other:*; p={b64(written(RSA))}"], {"email": True}),
    "revoked": (["v=DKIM1; p="], {"revoked": True, "matches": False, "key_bits": None}),
    "two": (["v=DKIM1; p=", "x"], {"error": "there are 2 TXT records, of which receivers use any one"}),
    "broken": (["v=DKIM1"], {"error": "it has no p=, the public key"}),
    "none": ([], {"records": (), "error": None}),
    "time-out": (LookupTimedOut, {"records": None}),
}


@pytest.mark.parametrize("case", FACTS)
def test_facts_of_a_selector(case):
    texts, expected = FACTS[case]
    system = MailSystem("example.com", selectors=(Selector("s1", "example.com", RSA_KEY),))
    inquiry = Inquiry(ZoneLookup({"s1._domainkey.example.com": {"TXT": texts}}), system)
    [facts] = dkim_facts(inquiry)
    assert {name: getattr(facts, name) for name in expected} == expected
    assert [one.path for one in inquiry.unknown] == (["dkim.s1"] if case == "time-out" else [])
