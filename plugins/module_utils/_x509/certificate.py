# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a certificate, whether or not it was verified (RFC 5280).

Python parses only certificates that it has verified, and those that were refused are the ones to read.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
import typing as t

from .._evidence.certificate import CertificateFacts
from .._evidence.document import Moment, moment_of
from .der import BOOLEAN, OCTET_STRING, SEQUENCE, UTC_TIME, DerError, Node, parse, pem_blocks
from .keys import read_public
from .signature import read_signature

#: How files in PEM label a certificate; the last form has what OpenSSL trusts it for after it.
_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
#: Attributes of a distinguished name by object identifier (RFC 4514 section 3).
_ATTRIBUTES: t.Mapping[str, str] = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_ALTERNATIVE_NAMES, _CONSTRAINTS = "2.5.29.17", "2.5.29.19"
#: Context tags: version and extensions of a certificate; names of a subject.
_VERSION, _EXTENSIONS, _DNS_NAME, _IP_ADDRESS = 0xA0, 0xA3, 0x82, 0x87
#: Encodings of a text other than ASCII and UTF-8, by its tag.
_ENCODINGS: t.Mapping[int, str] = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}
#: Characters that a name of RFC 4514 has with a backslash.
_SPECIAL = re.compile(r'([,+"\\<>;])')
#: A certificate with more names is cut: those of large providers have a hundred.
MOST_NAMES = 100


def read_certificates(text: str) -> list[bytes]:
    """The certificates of a text in PEM, in DER. Raises :class:`DerError`."""
    return [parse(octets).whole for label, octets in pem_blocks(text) if label in _LABELS]


def certificate_key(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate. Raises :class:`DerError`."""
    return _fields(der)[5].expect(SEQUENCE).whole


def read_certificate(der: bytes) -> CertificateFacts:
    """Return what is in a certificate in DER. Raises :class:`DerError`."""
    serial, _algorithm, issuer, validity, subject, key, *rest = _fields(der)
    first, last = validity.expect(SEQUENCE).children(fewest=2)[:2]
    extensions = _extensions(rest)
    public = read_public(key)
    signature = read_signature(der)
    return CertificateFacts(
        subject=_name(subject),
        issuer=_name(issuer),
        names=tuple(_alternative_names(extensions.get(_ALTERNATIVE_NAMES)))[:MOST_NAMES],
        serial=serial.content.hex().removeprefix("00") or "00",
        not_before=_moment(first),
        not_after=_moment(last),
        sha256=hashlib.sha256(der).hexdigest(),
        spki_sha256=public.spki_sha256,
        key_type=public.type,
        key_bits=public.bits,
        key_curve=public.curve,
        signature=signature.algorithm,
        signature_hash=signature.hash,
        self_issued=subject.content == issuer.content,
        authority=_is_authority(extensions.get(_CONSTRAINTS)),
    )


def certificate_names(der: bytes) -> tuple[str, ...]:
    """Every host name and address that a certificate is for; without any, its common names (RFC 6125 section 6.4.4).

    Raises :class:`DerError`.
    """
    fields = _fields(der)
    names = tuple(_alternative_names(_extensions(fields[6:]).get(_ALTERNATIVE_NAMES)))
    return names or tuple(_common_names(fields[4]))


def covers(pattern: str, name: str) -> bool:
    """Whether a name of a certificate is for ``name`` (RFC 9525 section 6.3)."""
    pattern, name = pattern.lower(), name.lower()
    first, _dot, rest = name.partition(".")
    return pattern == name or (pattern.startswith("*.") and bool(first) and pattern[2:] == rest)


def _fields(der: bytes) -> list[Node]:
    """The fields of TBSCertificate without its version: serialNumber, signature, issuer, validity, subject, key, ..."""
    fields = parse(der).expect(SEQUENCE).children(fewest=1)[0].expect(SEQUENCE).children(fewest=1)
    if fields[0].tag == _VERSION:
        fields = fields[1:]
    if len(fields) < 6:
        raise DerError("it is not a certificate")
    return fields


def _extensions(fields: t.Iterable[Node]) -> dict[str, Node]:
    found = {}
    for field in fields:
        if field.tag == _EXTENSIONS:
            for extension in parse(field.content).children():
                parts = extension.children(fewest=2)
                found[parts[0].object()] = parse(parts[-1].expect(OCTET_STRING).content)
    return found


def _alternative_names(extension: Node | None) -> t.Iterator[str]:
    """The DNS names and IP addresses (section 4.2.1.6)."""
    for name in extension.children() if extension else ():
        if name.tag == _DNS_NAME:
            yield _text(name)
        elif name.tag == _IP_ADDRESS and len(name.content) in (4, 16):
            yield str(ipaddress.ip_address(name.content))


def _is_authority(extension: Node | None) -> bool:
    fields = extension.children() if extension else []
    return bool(fields) and fields[0].tag == BOOLEAN and fields[0].content != b"\0"


def _name(name: Node) -> str:
    """A name as RFC 4514 writes it: the last part first."""
    parts = []
    for relative in name.expect(SEQUENCE).children():
        pairs = [attribute.children(fewest=2)[:2] for attribute in relative.children()]
        parts.append("+".join(f"{_attribute(kind)}={_escaped(value)}" for kind, value in reversed(pairs)))
    return ",".join(reversed(parts))


def _common_names(name: Node) -> t.Iterator[str]:
    for relative in name.expect(SEQUENCE).children():
        for kind, value in (attribute.children(fewest=2)[:2] for attribute in relative.children()):
            if _attribute(kind) == "CN":
                yield _text(value)


def _attribute(kind: Node) -> str:
    number = kind.object()
    return _ATTRIBUTES.get(number, number)


def _escaped(value: Node) -> str:
    return _SPECIAL.sub(r"\\\1", _text(value))


def _text(value: Node) -> str:
    """A text; the name of a server must not write to a terminal."""
    text = value.content.decode(_ENCODINGS.get(value.tag, "utf-8"), "replace")
    return "".join(one if one.isprintable() else "?" for one in text)


def _moment(value: Node) -> Moment:
    """A UTCTime, whose years are 1950 to 2049, or a GeneralizedTime (section 4.1.2.5)."""
    text = value.content.decode("ascii", "replace")
    if value.tag == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    try:
        return moment_of(datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ"))
    except ValueError as error:
        raise DerError("it has a time that is damaged") from error
