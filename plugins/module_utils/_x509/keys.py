# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys: their type and length, what DKIM publishes of them, and how to get one from a private key."""

from __future__ import annotations

import base64
import hashlib
import typing as t

from .der import BIT_STRING, INTEGER, NULL, OBJECT, SEQUENCE, DerError, Node, encode, parse, pem_blocks

_RSA = "1.2.840.113549.1.1.1"
_EC = "1.2.840.10045.2.1"
#: By the object identifier of the algorithm: the type and the length of the key.
_FIXED: t.Mapping[str, tuple[str, int]] = {"1.3.101.112": ("ed25519", 256), "1.3.101.113": ("ed448", 456)}
#: By the object identifier of a curve: its name and the length of its keys.
_CURVES: t.Mapping[str, tuple[str, int]] = {
    "1.2.840.10045.3.1.7": ("P-256", 256),
    "1.3.132.0.34": ("P-384", 384),
    "1.3.132.0.35": ("P-521", 521),
    "1.3.132.0.10": ("secp256k1", 256),
}
_RSA_ALGORITHM = encode(SEQUENCE, encode(OBJECT, bytes.fromhex("2a864886f70d010101")), encode(NULL))
_ED25519_ALGORITHM = encode(SEQUENCE, encode(OBJECT, bytes.fromhex("2b6570")))
_ED25519_OCTETS = 32


class PublicKey(t.NamedTuple):
    """A public key.

    :ivar type: ``rsa``, ``ec``, ``ed25519``, ``ed448``, or the object identifier of another.
    :ivar bits: its length; None if the type is not known.
    :ivar spki: SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    :ivar curve: of an EC key, by its name or else its object identifier.
    """

    type: str
    bits: int | None
    spki: bytes
    curve: str | None = None

    @property
    def spki_sha256(self) -> str:
        """Digest of the key."""
        return hashlib.sha256(self.spki).hexdigest()

    @property
    def published(self) -> str:
        """The p= of a DKIM record: for Ed25519 without the algorithm (RFC 8463 section 4)."""
        octets = parse(self.spki).children()[1].bits() if self.type == "ed25519" else self.spki
        return base64.b64encode(octets).decode("ascii")


def read_public(spki: Node) -> PublicKey:
    """Read SubjectPublicKeyInfo of any type. Raises :class:`DerError`."""
    algorithm, key = spki.expect(SEQUENCE).children(fewest=2)[:2]
    kind, *parameters = algorithm.expect(SEQUENCE).children(fewest=1)
    name = kind.object()
    if name == _RSA:
        modulus = parse(key.bits()).expect(SEQUENCE).children(fewest=2)[0].expect(INTEGER)
        return PublicKey("rsa", int.from_bytes(modulus.content, "big").bit_length(), spki.whole)
    if name == _EC:
        identifier = parameters[0].object() if parameters and parameters[0].tag == OBJECT else ""
        curve, bits = _CURVES.get(identifier, (identifier or None, None))
        return PublicKey("ec", bits, spki.whole, curve)
    known, bits = _FIXED.get(name, (name, None))
    return PublicKey(known, bits, spki.whole)


def parse_dkim_key(der: bytes) -> PublicKey:
    """Read a key for DKIM: a SubjectPublicKeyInfo, or an RSAPublicKey alone (RFC 8017 appendix A.1.1).

    Two that are equal are the same key, in whatever form they were written. Raises :class:`DerError`.
    """
    whole = parse(der).expect(SEQUENCE)
    fields = whole.children()
    tags = [field.tag for field in fields]
    if tags == [INTEGER, INTEGER]:
        return _from_numbers(fields)
    if tags != [SEQUENCE, BIT_STRING]:
        raise DerError("it is not a public key in DER")
    key = read_public(whole)
    if key.type == "rsa":
        return _from_numbers(parse(fields[1].bits()).children())
    if key.type == "ed25519":
        return parse_ed25519(fields[1].bits())
    raise DerError("it is neither an RSA nor an Ed25519 key")


def parse_ed25519(octets: bytes) -> PublicKey:
    """Read the 32 octets of an Ed25519 key (RFC 8463 section 3). Raises :class:`DerError`."""
    if len(octets) != _ED25519_OCTETS:
        raise DerError(f"an Ed25519 key has {_ED25519_OCTETS} octets, not {len(octets)}")
    return read_public(parse(encode(SEQUENCE, _ED25519_ALGORITHM, encode(BIT_STRING, b"\0", octets))))


def public_half(text: str) -> PublicKey | None:
    """The public half of an RSA key in PEM (PKCS #1, PKCS #8); ``None`` for others. Raises :class:`DerError`."""
    for label, octets in pem_blocks(text):
        if label == "RSA PRIVATE KEY":
            return _of_private(parse(octets))
        if label == "PRIVATE KEY":
            _version, algorithm, key = parse(octets).expect(SEQUENCE).children(fewest=3)[:3]
            if algorithm.children(fewest=1)[0].object() == _RSA:
                return _of_private(parse(key.content))
    return None


def _of_private(key: Node) -> PublicKey:
    """The public half of an RSAPrivateKey: version, modulus, public exponent, and what is secret."""
    return _from_numbers(key.expect(SEQUENCE).children(fewest=3)[1:3])


def _from_numbers(numbers: t.Sequence[Node]) -> PublicKey:
    """An RSA key from its modulus and its public exponent, written as DER demands."""
    if len(numbers) != 2 or any(one.tag != INTEGER for one in numbers):
        raise DerError("it is not an RSA key")
    plain = [one.content.lstrip(b"\0") for one in numbers]
    if not all(plain):
        raise DerError("the modulus or the exponent of the RSA key is 0")
    # a first bit that is set would be a sign
    key = encode(SEQUENCE, *(encode(INTEGER, b"\0" if one[0] & 0x80 else b"", one) for one in plain))
    return read_public(parse(encode(SEQUENCE, _RSA_ALGORITHM, encode(BIT_STRING, b"\0", key))))
