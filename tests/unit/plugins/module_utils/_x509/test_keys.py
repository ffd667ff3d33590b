# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys, whole, in other forms and damaged. Keys of certificates are in ``test_certificate.py``."""

from __future__ import annotations

import base64
import contextlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._x509.keys import parse_dkim_key, public_half

RSA = rsa.generate_private_key(65537, 2048)
SPKI, PKCS1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1


def written(form=SPKI) -> bytes:
    return RSA.public_key().public_bytes(serialization.Encoding.DER, form)


def test_rsa_key_alone_is_the_same_key():
    assert parse_dkim_key(written(PKCS1)) == parse_dkim_key(written())


def test_published_rsa_key_is_what_openssl_writes():
    assert parse_dkim_key(written()).published == base64.b64encode(written()).decode()


@given(st.binary(max_size=120))
def test_octets_that_are_not_a_key_are_an_error_and_nothing_worse(octets):
    with pytest.raises(ValueError, match=r"."):
        parse_dkim_key(octets)


@given(st.integers(0, 293), st.binary(min_size=1, max_size=3))
def test_damaged_key_is_read_or_an_error(place, octets):
    damaged = bytearray(written())
    damaged[place : place + len(octets)] = octets
    with contextlib.suppress(ValueError):
        parse_dkim_key(bytes(damaged))


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_public_half_of_a_private_key(form):
    how = (serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form))
    assert public_half(RSA.private_bytes(*how, serialization.NoEncryption()).decode()) == parse_dkim_key(written())
    assert public_half(RSA.private_bytes(*how, serialization.BestAvailableEncryption(b"x")).decode()) is None
