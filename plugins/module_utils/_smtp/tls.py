# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS policy of a client that verifies the server (RFC 3207, RFC 8314, RFC 9525)."""

from __future__ import annotations

import enum
import hashlib
import ssl
import typing as t
from dataclasses import dataclass


class TlsMode(str, enum.Enum):
    """When TLS begins."""

    IMPLICIT = "implicit"  # with the first byte (RFC 8314 section 3.3)
    STARTTLS = "starttls"  # by the command STARTTLS, required (RFC 3207)
    OPPORTUNISTIC = "opportunistic"  # by STARTTLS if offered; never with a login in clear
    NONE = "none"


class TlsInfo(t.NamedTuple):
    """The result of a handshake.

    :param digest: SHA-256 of the server's certificate in hexadecimal, in the form of a pin.
    :param subject: of the server's certificate, such as ``CN=mx.example.com``. Empty if the certificate was not
        verified: its content proves nothing then, and Python does not parse it.
    :param expires: the end of its validity, as OpenSSL formats it; empty like ``subject``.
    """

    version: str
    cipher: str
    verified: bool
    digest: str
    subject: str
    expires: str


@dataclass(frozen=True)
class TlsPolicy:
    """The requirements for TLS.

    :param mode: when TLS begins.
    :param verify: whether the chain and the host name must be valid.
    :param ca_file: PEM file of trusted authorities in place of the system's.
    :param ca_path: directory of trusted authorities, named by hash.
    :param server_name: the name that the certificate must be issued for, in place of the host's.
    :param client_certificate: PEM file with the client's certificate and its chain.
    :param client_key: PEM file with its key, if the certificate's file does not contain it.
    :param pins: SHA-256 digests in hexadecimal; the server's certificate must have one of them. With ``verify`` off, a
        pin alone is sufficient.
    :param minimum_version: ``TLSv1.2`` or ``TLSv1.3``.
    """

    mode: TlsMode = TlsMode.STARTTLS
    verify: bool = True
    ca_file: str | None = None
    ca_path: str | None = None
    server_name: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    pins: tuple[str, ...] = ()
    minimum_version: str = "TLSv1.2"

    def context(self) -> ssl.SSLContext:
        """Return an SSL context: TLS 1.2 or later (RFC 8996), verified by default. The only place that makes contexts.

        :raises OSError: a file cannot be read, or is not valid PEM (:class:`ssl.SSLError`).
        """
        context = ssl.create_default_context(cafile=self.ca_file, capath=self.ca_path)
        context.minimum_version = _VERSIONS[self.minimum_version]
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_certificate:
            context.load_cert_chain(self.client_certificate, self.client_key)
        return context

    def check_pin(self, stream: ssl.SSLSocket) -> str | None:
        """Compare the server's certificate with the pins.

        :returns: what is wrong with the certificate, as a sentence, or None.
        """
        digest = hashlib.sha256(stream.getpeercert(binary_form=True) or b"").hexdigest()
        if not self.pins or digest in self.pins:
            return None
        return f"the server's certificate has the SHA-256 digest {digest}, which is not in pinned_certificates"


_VERSIONS: t.Mapping[str, ssl.TLSVersion] = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

#: OpenSSL's reasons, for the server's alert and for an error on the client's side.
_NO_COMMON_VERSION = frozenset({"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION"})


def describe(stream: ssl.SSLSocket, policy: TlsPolicy) -> TlsInfo:
    """Return the TLS parameters of an established connection."""
    cipher = stream.cipher()
    certificate = t.cast("dict[str, t.Any]", stream.getpeercert() or {})
    return TlsInfo(
        version=stream.version() or "unknown",
        cipher=cipher[0] if cipher else "unknown",
        verified=policy.verify or bool(policy.pins),
        digest=hashlib.sha256(stream.getpeercert(binary_form=True) or b"").hexdigest(),
        subject=_subject(certificate),
        expires=certificate.get("notAfter", ""),
    )


def _subject(certificate: t.Mapping[str, t.Any]) -> str:
    """Return the subject, or the alternative names, since many certificates name their host only there."""
    names = [f"{_SHORT.get(name, name)}={value}" for part in certificate.get("subject", ()) for name, value in part]
    names = names or [f"{kind}:{name}" for kind, name in certificate.get("subjectAltName", ())]
    return ", ".join(names)


#: OpenSSL's long name of an attribute -> its short name (RFC 4514 section 3).
_SHORT: t.Mapping[str, str] = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
}


def explain(error: ssl.SSLError) -> tuple[str, str]:
    """Turn an error of OpenSSL into a problem and advice, each a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate was refused: {error.verify_message.rstrip('.')}",
            "Set host or tls_server_name to a name in the certificate, or ca_file to the authority that issued it.",
        )
    if error.reason == "WRONG_VERSION_NUMBER":
        return (
            "the server answered without TLS",
            "The port starts without TLS: use tls: starttls (usual on 587 and 25), or port 465 for implicit TLS.",
        )
    if error.reason in _NO_COMMON_VERSION:
        return (
            "server and client have no TLS version in common",
            "Have the server updated, or lower tls_min_version if it is above TLSv1.2.",
        )
    return f"the TLS handshake failed: {error.reason or error}", ""
