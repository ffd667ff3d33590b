# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a private key is that of a certificate."""

from __future__ import annotations

import re

from .certificate import certificate_key, read_certificates
from .der import BIT_STRING, OCTET_STRING, SEQUENCE, DerError, Node, encode, parse, pem_blocks
from .keys import public_half

_EC_OBJECT = encode(0x06, bytes.fromhex("2a8648ce3d0201"))
_EC = "1.2.840.10045.2.1"
#: Context tags of an ECPrivateKey (RFC 5915 section 3): the curve, and the public key.
_CURVE, _PUBLIC = 0xA0, 0xA1
_ANY_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----")
_ENCRYPTED = re.compile(r"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED", re.MULTILINE)


def find_pair_problem(certificate: str, key: str) -> str:
    """Return what is wrong with a certificate and a private key in PEM, as the end of a sentence; empty if nothing.

    A key of a kind that cannot be read here is not judged.
    """
    try:
        chain = read_certificates(certificate)
        if not chain:
            return "certificate: the file has no certificate in PEM format; expected the certificate and its chain"
        if _ENCRYPTED.search(key):
            return "key: the key is encrypted, and Postfix cannot ask for its password; expected a key without one"
        if not _ANY_KEY.search(key):
            return "key: the file has no private key in PEM format; expected the key of the certificate"
        public = public_octets(key)
        if public and public != certificate_key(chain[0]):
            return (
                "key: the key is not that of the first certificate in the file of certificate; expected the key that"
                " the certificate was requested with, and the relay's own certificate before its chain"
            )
    except DerError as error:
        return (
            f"certificate: a file in PEM format is damaged: {error}; expected certificate and key as they were issued"
        )
    return ""


def public_octets(text: str) -> bytes | None:
    """Return SubjectPublicKeyInfo of an RSA or EC key in PEM, ``None`` for others. Raises :class:`DerError`."""
    for label, octets in pem_blocks(text):
        if label == "EC PRIVATE KEY":
            return _of_ec(parse(octets), None)
        if label == "PRIVATE KEY":
            algorithm, key = parse(octets).expect(SEQUENCE).children(fewest=3)[1:3]
            if algorithm.children(fewest=1)[0].object() == _EC:
                return _of_ec(parse(key.expect(OCTET_STRING).content), algorithm)
    public = public_half(text)
    return public.spki if public else None


def _of_ec(key: Node, algorithm: Node | None) -> bytes | None:
    """The public half of an ECPrivateKey, which holds it unless it was left out."""
    parts = {part.tag: part for part in key.expect(SEQUENCE).children(fewest=2)}
    if _PUBLIC not in parts or (algorithm is None and _CURVE not in parts):
        return None
    point = parse(parts[_PUBLIC].content).expect(BIT_STRING).whole
    kind = algorithm.whole if algorithm else encode(SEQUENCE, _EC_OBJECT, parts[_CURVE].content)
    return encode(SEQUENCE, kind, point)
