# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS for a client that wants to know whom it talks to (RFC 3207, RFC 8314, RFC 9525)."""

from __future__ import annotations

import enum
import hashlib
import ssl
import typing as t
from dataclasses import dataclass


class TlsMode(str, enum.Enum):
    """When TLS begins."""

    IMPLICIT = "implicit"  # with the first byte (RFC 8314 section 3.3)
    STARTTLS = "starttls"  # by command, and required (RFC 3207)
    OPPORTUNISTIC = "opportunistic"  # by command, where offered; never with a login in clear
    NONE = "none"


class TlsInfo(t.NamedTuple):
    """What a handshake came to.

    :param digest: SHA-256 of the server's certificate in hexadecimal, as a pin names it.
    :param subject: whose certificate it is, such as ``CN=mx.example.com``, and until when it is valid, in the words of
        OpenSSL. Empty where the certificate was not verified: its words prove nothing then, and Python reads none.
    """

    version: str
    cipher: str
    verified: bool
    digest: str
    subject: str
    expires: str


@dataclass(frozen=True)
class TlsPolicy:
    """What to ask of TLS.

    :param mode: when it begins.
    :param verify: whether the chain and the host name must check.
    :param ca_file: PEM file of trusted authorities in place of the system's.
    :param ca_path: directory of them, named by hash.
    :param server_name: the name to look for in the certificate in place of the host's.
    :param client_certificate: PEM file with the client's certificate and its chain.
    :param client_key: PEM file with its key, where the certificate's file does not hold it.
    :param pins: SHA-256 digests in hexadecimal; the server's certificate must have one of them. With ``verify`` off a
        pin is proof enough.
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
        """The one place where contexts are made: TLS 1.2 or later (RFC 8996), verified unless said otherwise.

        :raises OSError: a file cannot be read, or holds not what it should (:class:`ssl.SSLError`).
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
        """:returns: what is wrong with the server's certificate, as a sentence, or None."""
        digest = hashlib.sha256(stream.getpeercert(binary_form=True) or b"").hexdigest()
        if not self.pins or digest in self.pins:
            return None
        return f"the server's certificate has the SHA-256 digest {digest}, which is none of those pinned"


_VERSIONS: t.Mapping[str, ssl.TLSVersion] = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

#: OpenSSL's names for it: what the server says, and what this side finds.
_NO_COMMON_VERSION = frozenset({"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION"})


def describe(stream: ssl.SSLSocket, policy: TlsPolicy) -> TlsInfo:
    """Say what an established connection uses."""
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
    """Whose certificate it is; many name their host as an alternative only."""
    names = [f"{_SHORT.get(name, name)}={value}" for part in certificate.get("subject", ()) for name, value in part]
    names = names or [f"{kind}:{name}" for kind, name in certificate.get("subjectAltName", ())]
    return ", ".join(names)


#: How people write what OpenSSL calls in full (RFC 4514 section 3).
_SHORT: t.Mapping[str, str] = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
}


def explain(error: ssl.SSLError) -> tuple[str, str]:
    """Turn OpenSSL's words into a problem and an advice, each a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate was refused: {error.verify_message.rstrip('.')}",
            "Use the host name that the certificate carries, or name the right authority in ca_file.",
        )
    if error.reason == "WRONG_VERSION_NUMBER":
        return (
            "the server answered without TLS",
            "The port speaks plaintext first: use tls: starttls (usual on 587 and 25); implicit TLS is usual on 465.",
        )
    if error.reason in _NO_COMMON_VERSION:
        return (
            "server and client have no TLS version in common",
            "Have the server updated, or lower tls_min_version, if it is above TLSv1.2.",
        )
    return f"the TLS handshake failed: {error.reason or error}", ""
