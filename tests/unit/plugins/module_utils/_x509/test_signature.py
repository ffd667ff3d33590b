# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel binding tls-server-end-point for certificates with every common signature (RFC 5929 section 4.1)."""

from __future__ import annotations

import datetime
import hashlib
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._x509.signature import server_end_point

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.test")])
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def certificate(key: t.Any, algorithm: t.Any, **how: t.Any) -> bytes:
    builder = x509.CertificateBuilder(NAME, NAME, key.public_key(), 1, START, START + datetime.timedelta(days=1))
    return builder.sign(key, algorithm, **how).public_bytes(serialization.Encoding.DER)


def pss(algorithm: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)


SIGNATURES = [
    (RSA, hashes.SHA256(), "sha256"),
    (RSA, hashes.SHA384(), "sha384"),
    (RSA, hashes.SHA512(), "sha512"),
    (EC, hashes.SHA256(), "sha256"),
    (EC, hashes.SHA384(), "sha384"),
    (EC, hashes.SHA512(), "sha512"),
]


@pytest.mark.parametrize(("key", "algorithm", "digest"), SIGNATURES)
def test_binding_uses_the_hash_of_the_signature(key: t.Any, algorithm: t.Any, digest: str) -> None:
    der = certificate(key, algorithm)
    assert server_end_point(der) == ("tls-server-end-point", hashlib.new(digest, der).digest())


@pytest.mark.parametrize(("algorithm", "digest"), [(hashes.SHA256(), "sha256"), (hashes.SHA512(), "sha512")])
def test_binding_uses_the_hash_of_rsassa_pss(algorithm: hashes.HashAlgorithm, digest: str) -> None:
    der = certificate(RSA, algorithm, rsa_padding=pss(algorithm))
    binding = server_end_point(der)
    assert binding is not None
    assert binding.data == hashlib.new(digest, der).digest()


#: Last octet of the identifier in place of sha256WithRSAEncryption's -> hash of the binding
@pytest.mark.parametrize(("arc", "digest"), [(4, "sha256"), (5, "sha256"), (12, "sha384"), (99, None), (10, None)])
def test_weak_hash_is_replaced_and_unknown_signature_has_no_binding(arc: int, digest: str | None) -> None:
    identifier = bytes.fromhex("2a864886f70d0101")
    der = certificate(RSA, hashes.SHA256()).replace(identifier + b"\x0b", identifier + bytes([arc]))
    binding = server_end_point(der)
    assert binding == (digest and ("tls-server-end-point", hashlib.new(digest, der).digest()))


def test_signature_without_a_hash_has_no_binding() -> None:
    assert server_end_point(certificate(ed25519.Ed25519PrivateKey.generate(), None)) is None


@settings(deadline=None)  # a busy machine must not fail the test
@given(st.binary(max_size=64))
def test_any_bytes_are_parsed_or_ignored(data: bytes) -> None:
    server_end_point(data)


@settings(deadline=None)  # a busy machine must not fail the test
@given(st.integers(0, 800), st.binary(min_size=1, max_size=4))
def test_damaged_certificate_is_parsed_or_ignored(place: int, damage: bytes) -> None:
    der = DAMAGED[:place] + damage + DAMAGED[place + len(damage) :]
    server_end_point(der)
    server_end_point(DAMAGED[:place])


DAMAGED = certificate(EC, hashes.SHA256())
