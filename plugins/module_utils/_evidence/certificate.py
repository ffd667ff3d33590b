# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about a certificate, wherever it was seen: in TLS, or in a file of a host."""

from __future__ import annotations

import dataclasses

from .document import Moment, fact


@dataclasses.dataclass(frozen=True)
class CertificateFacts:
    """An X.509 certificate (RFC 5280)."""

    subject: str = fact("The name of its subject (RFC 4514), such as CN=mx.example.com,O=Example.")
    issuer: str = fact("The name of its issuer (RFC 4514).")
    names: tuple[str, ...] = fact("The host names and addresses that it is for (subjectAltName), at most 100.")
    serial: str = fact("Its serial number in hexadecimal.")
    not_before: Moment = fact("When it becomes valid, in UTC (RFC 3339).")
    not_after: Moment = fact("When it expires, in UTC (RFC 3339).")
    sha256: str = fact("SHA-256 of the certificate, in the form of pinned_certificates (TLSA selector 0).")
    spki_sha256: str = fact("SHA-256 of its public key (SubjectPublicKeyInfo, TLSA selector 1).")
    key_type: str = fact("rsa, ec, ed25519, ed448, or the object identifier of another.")
    key_bits: int | None = fact("The length of the key. Null if the type or the curve is not known.")
    key_curve: str | None = fact("The curve of an EC key, such as P-256; else null.")
    signature: str = fact("The algorithm of its signature, such as sha256WithRSAEncryption; else its identifier.")
    signature_hash: str | None = fact("The hash of its signature, such as sha256; null if it has none or is unknown.")
    self_issued: bool = fact("Whether subject and issuer are the same.")
    authority: bool = fact("Whether it may sign other certificates (basicConstraints).")
