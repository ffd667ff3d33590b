# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel binding, which ties a login to the TLS connection that carries it (RFC 5056, RFC 5929).

``tls-server-end-point`` is a hash of the server's certificate, so an attacker in the middle with another certificate
cannot relay a login, even if the certificate was not verified. It is the only type that Python supports in TLS 1.3:
``tls-unique`` ends with TLS 1.2 and ``tls-exporter`` (RFC 9266) has no interface in :mod:`ssl`.
"""

from __future__ import annotations

import hashlib
import typing as t


class ChannelBinding(t.NamedTuple):
    """The binding of one channel, the same at both ends.

    :param kind: the registered name of the type (RFC 5056 section 7).
    :param data: what identifies this channel.
    """

    kind: str
    data: bytes


#: Signature or hash algorithm -> hash. RFC 8017 appendix A.2, RFC 5758, RFC 3279 section 2.2.
_HASHES = {
    "1.2.840.113549.1.1.4": "md5",
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.10040.4.3": "sha1",
    "2.16.840.1.101.3.4.3.1": "sha224",
    "2.16.840.1.101.3.4.3.2": "sha256",
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_RSASSA_PSS = "1.2.840.113549.1.1.10"
#: Weak hash -> its replacement (RFC 5929 section 4.1).
_STRONG_ENOUGH = {"md5": "sha256", "sha1": "sha256"}

#: In octets; the identifiers above have at most nine.
_LONGEST_IDENTIFIER = 32

_SEQUENCE = 0x30
_OBJECT_IDENTIFIER = 0x06
_PSS_HASH = 0xA0


class _NotDer(ValueError):
    """The bytes are not a certificate in DER."""


def server_end_point(certificate: bytes) -> ChannelBinding | None:
    """Return the ``tls-server-end-point`` binding (RFC 5929 section 4.1).

    :param certificate: in DER, as ``getpeercert(binary_form=True)`` returns it, verified or not.
    :returns: None if the RFC defines no binding: the signature has no hash of its own, such as Ed25519, or is unknown.
    """
    try:
        name = _signature_hash(certificate)
    except _NotDer:
        return None
    if name is None:
        return None
    return ChannelBinding("tls-server-end-point", hashlib.new(_STRONG_ENOUGH.get(name, name), certificate).digest())


def _signature_hash(certificate: bytes) -> str | None:
    """Return the hash of Certificate ::= SEQUENCE {tbsCertificate, signatureAlgorithm, signature} (RFC 5280 4.1)."""
    fields = _children(_only(certificate, _SEQUENCE))
    if len(fields) != 3 or fields[1][0] != _SEQUENCE:
        raise _NotDer
    algorithm, parameters = _algorithm(fields[1][1])
    return _pss_hash(parameters) if algorithm == _RSASSA_PSS else _HASHES.get(algorithm)


def _pss_hash(parameters: bytes) -> str | None:
    """Return the hash that RSASSA-PSS-params name in a field that is omitted for SHA-1 (RFC 4055 section 3.1)."""
    for tag, value in _children(_only(parameters, _SEQUENCE)):
        if tag == _PSS_HASH:
            return _HASHES.get(_algorithm(_only(value, _SEQUENCE))[0])
    return "sha1"


def _algorithm(content: bytes) -> tuple[str, bytes]:
    """Split an AlgorithmIdentifier into the dotted object identifier and its parameters in DER."""
    tag, value, rest = _element(content)
    if tag != _OBJECT_IDENTIFIER:
        raise _NotDer
    return _dotted(value), rest


def _dotted(value: bytes) -> str:
    """Decode an object identifier: the first two arcs share a number, and numbers are base 128 (X.690 section 8.19)."""
    if len(value) > _LONGEST_IDENTIFIER:
        raise _NotDer
    arcs: list[int] = []
    number = 0
    for octet in value:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    if not arcs:
        raise _NotDer
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def _only(data: bytes, tag: int) -> bytes:
    """Return the content of the only element of the data."""
    found, content, rest = _element(data)
    if found != tag or rest:
        raise _NotDer
    return content


def _children(content: bytes) -> list[tuple[int, bytes]]:
    found = []
    while content:
        tag, value, content = _element(content)
        found.append((tag, value))
    return found


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and content of the first element, and the bytes after it (X.690 section 8.1)."""
    if len(data) < 2:
        raise _NotDer
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise _NotDer
    return data[0], data[start : start + length], data[start + length :]
