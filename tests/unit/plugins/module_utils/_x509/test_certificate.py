# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from a certificate equals what the library cryptography and openssl read."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import ipaddress
import subprocess
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._x509.certificate import (
    certificate_key,
    certificate_names,
    covers,
    read_certificate,
    read_certificates,
)

KEYS: dict[str, t.Callable[[], t.Any]] = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "EC P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EC P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EC P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}
#: Type, length and curve of each.
KINDS = {
    "RSA": ("rsa", 2048, None),
    "EC P-256": ("ec", 256, "P-256"),
    "EC P-384": ("ec", 384, "P-384"),
    "EC P-521": ("ec", 521, "P-521"),
    "Ed25519": ("ed25519", 256, None),
}
NAMES: list[list[x509.GeneralName]] = [
    [],
    [x509.DNSName("mx.example.com"), x509.DNSName("*.example.com")],
    [x509.IPAddress(ipaddress.ip_address("192.0.2.1")), x509.IPAddress(ipaddress.ip_address("2001:db8::1"))],
    [x509.RFC822Name("a@b.test"), x509.DNSName("xn--bcher-kva.example")],
    [x509.DNSName(f"host{number}.example.com") for number in range(300)],
]
DATES = [
    (datetime.datetime(1999, 12, 31, 23, 59, 59), datetime.datetime(2049, 12, 31, 23, 59, 59)),
    (datetime.datetime(2026, 1, 1), datetime.datetime(2050, 1, 1)),
    (datetime.datetime(1950, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59)),
]


def make(key: t.Any, names: list[x509.GeneralName], dates: tuple[datetime.datetime, datetime.datetime]) -> t.Any:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bücher"),
            x509.NameAttribute(NameOID.COMMON_NAME, "mx.example.com"),
        ]
    )
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority\x1b[31m")]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=dates[0],
        not_valid_after=dates[1],
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA384())


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("dates", DATES)
def test_what_is_in_a_certificate(kind: str, dates: tuple[datetime.datetime, datetime.datetime]) -> None:
    for names in NAMES:
        made = make(KEYS[kind](), names, dates)
        found = read_certificate(made.public_bytes(Encoding.DER))
        assert found.subject == "CN=mx.example.com,O=Bücher,C=DE"
        assert found.issuer == "CN=An authority?[31m"
        wanted = [str(one.value) for one in names if not isinstance(one, x509.RFC822Name)][:100]
        assert list(found.names) == wanted
        assert (found.not_before, found.not_after) == tuple(f"{date:%Y-%m-%dT%H:%M:%SZ}" for date in dates)
        assert found.sha256 == made.fingerprint(hashes.SHA256()).hex()
        key = made.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        assert certificate_key(made.public_bytes(Encoding.DER)) == key
        assert found.spki_sha256 == hashlib.sha256(key).hexdigest()
        assert (found.key_type, found.key_bits, found.key_curve) == KINDS[kind]
        assert found.signature_hash == (None if kind == "Ed25519" else "sha384")
        assert not found.self_issued


def test_every_name_is_read_and_common_names_only_without_others() -> None:
    for names in NAMES:
        made = make(KEYS["EC P-256"](), names, DATES[1]).public_bytes(Encoding.DER)
        wanted = [str(one.value) for one in names if not isinstance(one, x509.RFC822Name)]
        assert list(certificate_names(made)) == (wanted or ["mx.example.com"])


#: A name of a certificate, a host, and whether it is for it.
COVERS = [
    ("mx.example.com", "mx.example.com", True),
    ("MX.example.com", "mx.Example.com", True),
    ("*.example.com", "mx.example.com", True),
    ("*.example.com", "example.com", False),
    ("*.example.com", "a.mx.example.com", False),
    ("*.example.com", ".example.com", False),
    ("m*.example.com", "mx.example.com", False),
    ("*", "mx", False),
    ("example.com", "mx.example.com", False),
]


@pytest.mark.parametrize(("pattern", "name", "covered"), COVERS)
def test_a_wildcard_stands_for_the_first_label(pattern: str, name: str, covered: bool) -> None:
    assert covers(pattern, name) is covered


CERTIFICATE = make(KEYS["EC P-256"](), NAMES[1], DATES[0]).public_bytes(Encoding.DER)


@given(st.integers(0, len(CERTIFICATE) - 1), st.integers(0, 255), st.integers(0, len(CERTIFICATE)))
def test_a_damaged_certificate_raises_nothing_but_a_value_error(place: int, octet: int, end: int) -> None:
    damaged = bytearray(CERTIFICATE)
    damaged[place] = octet
    for data in (bytes(damaged), CERTIFICATE[:end], bytes(damaged)[:end]):
        with contextlib.suppress(ValueError):
            read_certificate(data)


#: A key, more options of openssl req, and what is expected.
MADE: list[tuple[tuple[str, ...], tuple[str, ...], dict[str, object]]] = [
    (
        ("rsa:2048",),
        (
            "-subj",
            "/C=CN/O=Foo, Inc/CN=relay.test",
            "-addext",
            "subjectAltName=DNS:relay.test,DNS:*.x.test,IP:2001:db8::1",
        ),
        {"names": ("relay.test", "*.x.test", "2001:db8::1"), "key_type": "rsa", "key_bits": 2048, "authority": True},
    ),
    (
        ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        ("-subj", "/CN=relay.test", "-addext", "basicConstraints=CA:FALSE", "-set_serial", "0xff01"),
        {
            "names": (),
            "key_type": "ec",
            "key_curve": "P-256",
            "serial": "ff01",
            "signature": "ecdsa-with-SHA256",
        },
    ),
    (
        ("ed25519",),
        ("-subj", "/CN=邮件/emailAddress=a@b.test", "-utf8", "-days", "30000"),
        {"key_type": "ed25519", "key_bits": 256, "signature": "ED25519"},
    ),
    (
        ("rsa:1024",),
        ("-subj", "/CN=old", "-sha1"),
        {"signature": "sha1WithRSAEncryption", "signature_hash": "sha1"},
    ),
]


def openssl(*words: str, given: bytes = b"") -> str:
    done = subprocess.run(["openssl", *words], capture_output=True, check=True, timeout=60, input=given)
    return done.stdout.decode()


def made_by_openssl(folder: Path, key: tuple[str, ...], more: tuple[str, ...]) -> Path:
    path = folder / "made.pem"
    openssl("req", "-x509", "-newkey", *key, "-nodes", "-keyout", str(folder / "k"), "-out", str(path), *more)
    return path


@pytest.mark.parametrize(("key", "more", "expected"), MADE)
def test_certificate_equals_what_openssl_says(
    tmp_path: Path, key: tuple[str, ...], more: tuple[str, ...], expected: dict[str, object]
) -> None:
    path = made_by_openssl(tmp_path, key, more)
    (der,) = read_certificates(path.read_text())
    found = read_certificate(der)
    assert {name: getattr(found, name) for name in expected} == expected
    options = ("-noout", "-subject", "-issuer", "-serial", "-startdate", "-enddate", "-fingerprint", "-sha256")
    words = openssl("x509", "-in", str(path), *options, "-nameopt", "RFC2253,-esc_msb,utf8").splitlines()
    said = dict(line.split("=", 1) for line in words)
    assert (found.subject, found.issuer) == (said["subject"], said["issuer"])
    assert (found.serial.upper(), found.sha256.upper()) == (said["serial"], said["sha256 Fingerprint"].replace(":", ""))
    for own, name in ((found.not_before, "notBefore"), (found.not_after, "notAfter")):
        moment = datetime.datetime.strptime(said[name], "%b %d %H:%M:%S %Y GMT")
        assert own == moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    public = openssl("x509", "-in", str(path), "-noout", "-pubkey")
    spki = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "DER"],
        input=public.encode(),
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    assert openssl("dgst", "-sha256", given=spki).split()[-1] == found.spki_sha256


def test_certificate_that_openssl_trusts_has_more_after_it(tmp_path: Path) -> None:
    path = made_by_openssl(tmp_path, ("rsa:1024",), ("-subj", "/CN=a"))
    trusted = openssl("x509", "-in", str(path), "-addtrust", "serverAuth", "-trustout")
    assert read_certificates(trusted) == read_certificates(path.read_text())
