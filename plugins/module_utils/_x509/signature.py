# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature of a certificate, and the channel binding by its hash.

Channel binding ties a login to the TLS connection that carries it (RFC 5056, RFC 5929).
``tls-server-end-point`` is a hash of the server's certificate, so an attacker in the middle with another certificate
cannot relay a login, even if the certificate was not verified. It is the only type that Python supports in TLS 1.3:
``tls-unique`` ends with TLS 1.2 and ``tls-exporter`` (RFC 9266) has no interface in :mod:`ssl`.
"""

from __future__ import annotations

import hashlib
import typing as t

from .der import SEQUENCE, DerError, Node, parse


class ChannelBinding(t.NamedTuple):
    """The binding of one channel, the same at both ends.

    :param kind: the registered name of the type (RFC 5056 section 7).
    :param data: what identifies this channel.
    """

    kind: str
    data: bytes


#: Signature algorithm -> its name, and its hash. RFC 8017 appendix A.2, RFC 5758, RFC 3279 section 2.2, RFC 8410.
_ALGORITHMS: t.Mapping[str, tuple[str, str | None]] = {
    "1.2.840.113549.1.1.4": ("md5WithRSAEncryption", "md5"),
    "1.2.840.113549.1.1.5": ("sha1WithRSAEncryption", "sha1"),
    "1.2.840.113549.1.1.10": ("rsassaPss", None),  # its parameters name it
    "1.2.840.113549.1.1.11": ("sha256WithRSAEncryption", "sha256"),
    "1.2.840.113549.1.1.12": ("sha384WithRSAEncryption", "sha384"),
    "1.2.840.113549.1.1.13": ("sha512WithRSAEncryption", "sha512"),
    "1.2.840.113549.1.1.14": ("sha224WithRSAEncryption", "sha224"),
    "1.2.840.10040.4.3": ("dsa-with-SHA1", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("dsa-with-SHA224", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("dsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.1": ("ecdsa-with-SHA1", "sha1"),
    "1.2.840.10045.4.3.1": ("ecdsa-with-SHA224", "sha224"),
    "1.2.840.10045.4.3.2": ("ecdsa-with-SHA256", "sha256"),
    "1.2.840.10045.4.3.3": ("ecdsa-with-SHA384", "sha384"),
    "1.2.840.10045.4.3.4": ("ecdsa-with-SHA512", "sha512"),
    "1.3.101.112": ("ED25519", None),
    "1.3.101.113": ("ED448", None),
}
_HASHES: t.Mapping[str, str] = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_PSS = "rsassaPss"
#: Context tag of the hash in the parameters of RSASSA-PSS.
_PSS_HASH = 0xA0
#: Weak hash -> its replacement (RFC 5929 section 4.1).
_STRONG_ENOUGH = {"md5": "sha256", "sha1": "sha256"}


class Signature(t.NamedTuple):
    """How a certificate is signed.

    :ivar algorithm: its name, or else its object identifier.
    :ivar hash: None if it has none of its own, such as Ed25519, or is not known.
    """

    algorithm: str
    hash: str | None


def server_end_point(certificate: bytes) -> ChannelBinding | None:
    """Return the ``tls-server-end-point`` binding (RFC 5929 section 4.1).

    :param certificate: in DER, as ``getpeercert(binary_form=True)`` returns it, verified or not.
    :returns: None if the RFC defines no binding: the signature has no hash of its own, such as Ed25519, or is unknown.
    """
    try:
        name = read_signature(certificate).hash
    except DerError:
        return None
    if name is None:
        return None
    return ChannelBinding("tls-server-end-point", hashlib.new(_STRONG_ENOUGH.get(name, name), certificate).digest())


def read_signature(certificate: bytes) -> Signature:
    """Read Certificate ::= SEQUENCE {tbsCertificate, signatureAlgorithm, signature} (RFC 5280 section 4.1).

    Raises :class:`DerError`.
    """
    _body, algorithm, _value = parse(certificate).expect(SEQUENCE).children(fewest=3)[:3]
    identifier, *parameters = algorithm.expect(SEQUENCE).children(fewest=1)
    name, used = _ALGORITHMS.get(identifier.object(), (identifier.object(), None))
    return Signature(name, _pss_hash(parameters) if name == _PSS else used)


def _pss_hash(parameters: t.Sequence[Node]) -> str | None:
    """The hash that RSASSA-PSS-params name in a field that is omitted for SHA-1 (RFC 4055 section 3.1)."""
    if not parameters:
        raise DerError("it has a signature whose parameters are missing")
    for field in parameters[0].expect(SEQUENCE).children():
        if field.tag == _PSS_HASH:
            return _HASHES.get(parse(field.content).expect(SEQUENCE).children(fewest=1)[0].object())
    return "sha1"
