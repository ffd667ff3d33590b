# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate of a server: its facts, and by which options it would be accepted."""

from __future__ import annotations

import typing as t

from .._evidence.smtp import TlsFacts
from .._smtp.answer import cut
from .._x509.certificate import MOST_NAMES, read_certificate

if t.TYPE_CHECKING:
    from .._evidence.certificate import CertificateFacts
    from .._smtp.errors import SmtpError
    from .._smtp.tls import TlsMode
    from .._smtp.watched import Handshake

#: Most certificates of a chain whose facts are kept.
MOST = 10
#: Errors of X509_verify_cert_error_string(3): another name, an unknown authority, a certificate without an authority.
_NAME = (62, 63, 64)
_AUTHORITY, _SELF_SIGNED = (2, 19, 20, 21), (18,)
#: Names of a certificate that are told in a sentence.
_FEW = 3


def tls_facts(handshake: Handshake, mode: TlsMode, refusal: str) -> TlsFacts:
    """Return the facts of a handshake.

    :param refusal: why the certificate was refused; empty if it was not.
    """
    chain = []
    for certificate in handshake.chain[:MOST]:
        try:
            chain.append(read_certificate(certificate))
        except ValueError:
            break  # OpenSSL has read it, and refuses what is odd in it with a reason of its own
    return TlsFacts(
        began="implicit" if mode.value == "implicit" else "starttls",
        accepted=not refusal,
        verified=handshake.info.verified and not refusal,
        refusal=cut(refusal),
        version=handshake.info.version,
        cipher=handshake.info.cipher,
        chain=tuple(chain),
        chain_length=len(handshake.chain) if handshake.complete else None,
        milliseconds=round(handshake.milliseconds, 1),
    )


def accepted_by(tls: TlsFacts, error: SmtpError | None, now: str) -> dict[str, t.Any]:
    """Return the options by which the refused certificate would be accepted, each on its own.

    A pin accepts it in any case. Another name or authority is of no use to a certificate that has also expired.

    :param error: with which it was refused.
    :param now: the current time (RFC 3339).
    """
    if tls.accepted or not tls.chain:
        return {}
    own = tls.chain[0]
    code = getattr(error.__cause__, "verify_code", 0) if error else 0
    ways: dict[str, t.Any] = {"pinned_certificates": [own.sha256]}
    if not own.not_before <= now <= own.not_after:
        return ways
    if code in _NAME and own.names:
        ways["tls_server_name"] = [name for name in own.names if "*" not in name] or list(own.names)
    elif code in _SELF_SIGNED:
        ways["ca_file"] = f"a copy of this certificate ({own.subject or _names(own)})"
    elif code in _AUTHORITY:
        is_cut = tls.chain_length is not None and tls.chain_length > len(tls.chain)
        authority = "at the end of its long chain" if is_cut else f"({tls.chain[-1].issuer})"
        ways["ca_file"] = f"the certificate of its authority {authority}"
    return ways


def ways_told(ways: t.Mapping[str, t.Any], told_already: str = "") -> str:
    """Return the options that :func:`accepted_by` found, as sentences.

    :param told_already: advice that the reader has; what it says of pins is not repeated.
    """
    told = []
    if "tls_server_name" in ways:
        told.append(f"Here tls_server_name: {ways['tls_server_name'][0]} would do.")
    if "ca_file" in ways:
        told.append(f"Here ca_file needs {ways['ca_file']}.")
    if "pinned_certificates" in ways and "pinned_certificates" not in told_already:
        told.append(
            "Or, once the owner of the server has confirmed the digest above: pinned_certificates with it, and"
            " validate_certs: false, accept this one certificate."
        )
    return " ".join(told)


def described(own: CertificateFacts) -> str:
    """Return the certificate as a sentence."""
    issuer = cut(own.issuer) or "an authority without a name"
    valid = f"valid from {own.not_before[:10]} to {own.not_after[:10]}"
    return f"The certificate is for {_names(own)}, issued by {issuer}, {valid}, SHA-256 {own.sha256}."


def _names(own: CertificateFacts) -> str:
    names = own.names[:_FEW] or (own.subject or "no name",)
    more = len(own.names) - _FEW
    least = "at least " if len(own.names) >= MOST_NAMES else ""
    return ", ".join(names) + (f" and {least}{more} more names" if more > 0 else "")
