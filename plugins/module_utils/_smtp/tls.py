# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS for a client that wants to know whom it talks to (RFC 3207, RFC 8314, RFC 9525)."""

from __future__ import annotations

import enum
import ssl
import typing as t
from dataclasses import dataclass


class TlsMode(str, enum.Enum):
    """When TLS begins."""

    IMPLICIT = "implicit"  # with the first byte (RFC 8314 section 3.3)
    STARTTLS = "starttls"  # by command, and required (RFC 3207)
    NONE = "none"


class TlsInfo(t.NamedTuple):
    """What a handshake came to."""

    version: str
    cipher: str
    verified: bool


@dataclass(frozen=True)
class TlsPolicy:
    """What to ask of TLS.

    :param mode: when it begins.
    :param verify: whether the chain and the host name must check.
    :param ca_file: PEM file of trusted authorities in place of the system's.
    """

    mode: TlsMode = TlsMode.STARTTLS
    verify: bool = True
    ca_file: str | None = None

    def context(self) -> ssl.SSLContext:
        """The one place where contexts are made: TLS 1.2 or later (RFC 8996), verified unless said otherwise.

        :raises OSError: ``ca_file`` cannot be read.
        :raises ssl.SSLError: ``ca_file`` holds no certificate.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def describe(stream: ssl.SSLSocket) -> TlsInfo:
    """Say what an established connection uses."""
    cipher = stream.cipher()
    verified = stream.context.verify_mode == ssl.CERT_REQUIRED and stream.context.check_hostname
    return TlsInfo(stream.version() or "unknown", cipher[0] if cipher else "unknown", verified)


def explain(error: ssl.SSLError) -> tuple[str, str]:
    """Turn OpenSSL's words into a problem and an advice, each a sentence."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate was refused: {error.verify_message}",
            "Use the host name that the certificate carries, or name the right authority in ca_file.",
        )
    if error.reason == "WRONG_VERSION_NUMBER":
        return (
            "the server answered without TLS",
            "The port speaks plaintext first: use tls: starttls (usual on 587 and 25); implicit TLS is usual on 465.",
        )
    return f"the TLS handshake failed: {error.reason or error}", ""
