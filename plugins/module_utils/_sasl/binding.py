# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel binding: what ties a login to the TLS connection it travels in (RFC 5056, RFC 5929).

``tls-server-end-point`` is a hash of the server's certificate, so whoever sits between with another certificate cannot
pass a login on, even where the certificate was not verified. It is the one kind that Python can give in TLS 1.3:
``tls-unique`` ends with TLS 1.2 and ``tls-exporter`` (RFC 9266) has no interface in :mod:`ssl`.
"""

from __future__ import annotations

import hashlib
import typing as t


class ChannelBinding(t.NamedTuple):
    """One channel as both ends name it.

    :param kind: the registered name of the type (RFC 5056 section 7).
    :param data: what only the two ends of this channel share.
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
#: RFC 5929 section 4.1: what is too weak is replaced.
_STRONG_ENOUGH = {"md5": "sha256", "sha1": "sha256"}

#: In octets; those above have nine at most.
_LONGEST_IDENTIFIER = 32

_SEQUENCE = 0x30
_OBJECT_IDENTIFIER = 0x06
_PSS_HASH = 0xA0


class _NotDer(ValueError):
    """Bytes that are no such certificate."""


def server_end_point(certificate: bytes) -> ChannelBinding | None:
    """``tls-server-end-point`` (RFC 5929 section 4.1).

    :param certificate: in DER, as ``getpeercert(binary_form=True)`` gives it, verified or not.
    :returns: None where the RFC defines none: the signature has no hash of its own, as Ed25519, or is unknown.
    """
    try:
        name = _signature_hash(certificate)
    except _NotDer:
        return None
    if name is None:
        return None
    return ChannelBinding("tls-server-end-point", hashlib.new(_STRONG_ENOUGH.get(name, name), certificate).digest())


def _signature_hash(certificate: bytes) -> str | None:
    """Certificate ::= SEQUENCE {tbsCertificate, signatureAlgorithm, signature} (RFC 5280 section 4.1)."""
    fields = _children(_only(certificate, _SEQUENCE))
    if len(fields) != 3 or fields[1][0] != _SEQUENCE:
        raise _NotDer
    algorithm, parameters = _algorithm(fields[1][1])
    return _pss_hash(parameters) if algorithm == _RSASSA_PSS else _HASHES.get(algorithm)


def _pss_hash(parameters: bytes) -> str | None:
    """RSASSA-PSS-params name the hash in a field that is left out for SHA-1 (RFC 4055 section 3.1)."""
    for tag, value in _children(_only(parameters, _SEQUENCE)):
        if tag == _PSS_HASH:
            return _HASHES.get(_algorithm(_only(value, _SEQUENCE))[0])
    return "sha1"


def _algorithm(content: bytes) -> tuple[str, bytes]:
    """AlgorithmIdentifier: the object identifier in dots, and its parameters as they are."""
    tag, value, rest = _element(content)
    if tag != _OBJECT_IDENTIFIER:
        raise _NotDer
    return _dotted(value), rest


def _dotted(value: bytes) -> str:
    """X.690 section 8.19: the first two arcs share a number, each number in base 128."""
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
    """The content of the one element that the data must be."""
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
    """The first element's tag and content, and what follows it (X.690 section 8.1)."""
    if len(data) < 2:
        raise _NotDer
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise _NotDer
    return data[0], data[start : start + length], data[start + length :]
