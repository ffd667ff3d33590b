# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS policy of a client that verifies the server (RFC 3207, RFC 8314, RFC 9525)."""

from __future__ import annotations

import enum
import hashlib
import os
import re
import ssl
import typing as t
from dataclasses import dataclass, replace

from .errors import Stage


class TlsMode(str, enum.Enum):
    """When TLS begins."""

    IMPLICIT = "implicit"  # with the first byte (RFC 8314 section 3.3)
    STARTTLS = "starttls"  # by the command STARTTLS, required (RFC 3207)
    OPPORTUNISTIC = "opportunistic"  # by STARTTLS if offered; never with a login in clear
    NONE = "none"


class TlsInfo(t.NamedTuple):
    """The result of a handshake.

    :param certificate_sha256: SHA-256 of the server's certificate in hexadecimal, in the form of a pin.
    :param subject: of the server's certificate, such as ``CN=mx.example.com``. Empty if the certificate was not
        verified: its content proves nothing then, and Python does not parse it.
    :param expires: the end of its validity, as OpenSSL formats it; empty like ``subject``.
    """

    version: str
    cipher: str
    verified: bool
    certificate_sha256: str
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
    :param trust_this_host: whether a server on this host need not prove its name, as no one is in between.
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
    trust_this_host: bool = False

    def toward(self, on_this_host: bool) -> TlsPolicy:
        """Return the policy for a server, which may run on this host."""
        return replace(self, verify=False) if on_this_host and self.trust_this_host else self

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
            context.load_cert_chain(self.client_certificate, self.client_key, _no_pass_phrase)
        return context

    def check_pin(self, stream: ssl.SSLSocket) -> str | None:
        """Compare the server's certificate with the pins.

        :returns: what is wrong with the certificate, as a sentence, or None.
        """
        digest = _sha256(stream)
        if not self.pins or digest in self.pins:
            return None
        return f"the server's certificate has the SHA-256 digest {digest}, which is not in pinned_certificates"


def _no_pass_phrase() -> str:
    """Stand in for the terminal, at which OpenSSL would wait for a pass phrase."""
    return ""


class UnusableFile(ValueError):
    """A file of certificates or keys cannot be used; the text names option, path and what was expected."""


_CERTIFICATE = re.compile(r"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----")
_KEY = re.compile(r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----")
_ENCRYPTED = re.compile(r"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED", re.MULTILINE)
#: How OpenSSL names a certificate, or a list of revoked ones, that it can find in a directory.
_HASHED = re.compile(r"[0-9a-f]{8}\.r?[0-9]+\Z")
_PEM = "expected -----BEGIN CERTIFICATE-----"
_WEAK = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "EE_MD_TOO_WEAK")


def check_files(policy: TlsPolicy, ca_file: str = "ca_file") -> None:
    """Check the files that the policy names, so that errors name the option.

    :param ca_file: the option of ``policy.ca_file``.
    :raises UnusableFile: a file is missing, cannot be read, or does not contain what the option needs.
    """
    if policy.ca_file:
        if not _CERTIFICATE.search(_text_of(ca_file, policy.ca_file)):
            raise UnusableFile(f"{ca_file} {policy.ca_file} has no certificate in PEM form; {_PEM}")
        _load(f"{ca_file} {policy.ca_file}", TlsPolicy(ca_file=policy.ca_file))
    if policy.ca_path:
        _check_directory(policy.ca_path)
    if policy.client_certificate:
        _check_client(policy.client_certificate, policy.client_key)


def _check_directory(path: str) -> None:
    try:
        names = os.listdir(path)
    except OSError as error:
        raise UnusableFile(
            f"ca_path {path} cannot be read: {error.strerror}; expected a directory with certificates in PEM form"
        ) from error
    if not any(map(_HASHED.match, names)):
        raise UnusableFile(
            f"ca_path {path} has no certificate that OpenSSL finds; expected PEM files with names such as 1a2b3c4d.0,"
            " which openssl rehash makes, or set ca_file"
        )


def _check_client(certificate: str, key: str | None) -> None:
    option, path = ("client_key", key) if key else ("client_cert", certificate)
    if not _CERTIFICATE.search(_text_of("client_cert", certificate)):
        raise UnusableFile(f"client_cert {certificate} has no certificate in PEM form; {_PEM}")
    text = _text_of(option, path)
    if _ENCRYPTED.search(text):
        raise UnusableFile(
            f"the key in {option} {path} has a pass phrase; expected one without, as openssl pkey -in KEY -out NEW"
            " writes it"
        )
    if not _KEY.search(text):
        expected = "expected -----BEGIN PRIVATE KEY-----" if key else "set client_key to the file with the key"
        raise UnusableFile(f"{option} {path} has no private key in PEM form; {expected}")
    pair = f"client_cert {certificate}" + (f" and client_key {key}" if key else "")
    _load(pair, TlsPolicy(verify=False, client_certificate=certificate, client_key=key))


def _load(what: str, policy: TlsPolicy) -> None:
    """Load the files, which are readable PEM.

    :param what: the options and the files.
    """
    try:
        policy.context()
    except OSError as error:
        reason = getattr(error, "reason", "") or ""
        problem = "cannot be used: PEM is damaged; expected a copy as it was issued"
        if reason.endswith("_MISMATCH"):
            problem = "do not belong together: the key is not that of the first certificate; put the certificate of the"
            problem += " client before its chain, or use its key"
        elif reason in _WEAK:
            problem = "are too weak for this host; have a certificate with a longer key issued"
        raise UnusableFile(f"{what} {problem}") from error


def _text_of(option: str, path: str) -> str:
    try:
        with open(path, encoding="latin-1") as file:
            return file.read()
    except OSError as error:
        raise UnusableFile(
            f"{option} {path} cannot be read: {error.strerror}; expected a file in PEM form on the host that sends"
        ) from error


_VERSIONS: t.Mapping[str, ssl.TLSVersion] = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}

_PIN = "pinned_certificates with validate_certs: false accepts this one certificate."
_NAME_ADVICE = "Set host or tls_server_name to a name in the certificate."
#: OpenSSL cannot tell an unknown authority from a missing intermediate certificate; the authorities to trust can.
_ISSUER_ADVICE = (
    "If its authority is your own, set ca_file to the authority's certificate. If it is public, the server does not"
    " send an intermediate certificate: have it send its chain, or set ca_file to the intermediate and the root one."
)
_ISSUER_ADVICE_WITH_AUTHORITIES = (
    "Either its authority is unknown to ca_file and ca_path, or the server does not send an intermediate certificate:"
    " add the missing certificate there, or have the server send its chain."
)
_WEAK_ADVICE = f"Have the certificate replaced by one with a stronger key and signature; until then, {_PIN}"
#: Code of X509_verify_cert_error_string(3) -> what to do about the server's certificate.
_CERTIFICATE_ADVICE: t.Mapping[int, str] = {
    # certificate is not yet valid
    9: "Check the clock of this host: according to it, the certificate becomes valid only later.",
    # certificate has expired
    10: f"Have the server's certificate renewed, and check the clock of this host. Until then, {_PIN}",
    # self-signed certificate
    18: f"It is self-signed: set ca_file to a copy of it. Or {_PIN}",
    # self-signed certificate in certificate chain
    19: "Its authority is not trusted here: set ca_file to the authority's certificate.",
    # certificate revoked
    23: "Its authority has revoked it: have the server's certificate replaced.",
    # unsuitable certificate purpose
    26: "It was issued for another purpose: have the server use a certificate for servers (serverAuth).",
    # unable to get local issuer certificate, and the like
    **dict.fromkeys((2, 20, 21), _ISSUER_ADVICE),
    # certificate is not valid for the host name or the address
    **dict.fromkeys((62, 63, 64), _NAME_ADVICE),
    # EE certificate key too weak, and the like
    **dict.fromkeys((66, 67, 68), _WEAK_ADVICE),
}
_OTHER_CERTIFICATE_ADVICE = f"Have the server's certificate replaced by one that meets RFC 5280; until then, {_PIN}"
_THIS_HOST_ADVICE = "For a server on this host, tls: opportunistic without a login accepts any certificate."

_NO_VERSION = "server and client have no TLS version in common"
_NO_VERSION_ADVICE = "Have the server updated, or lower tls_min_version if it is above TLSv1.2."
_NO_CLIENT_CERTIFICATE = "the server requires a client certificate"
_NO_CLIENT_CERTIFICATE_ADVICE = "Set client_cert, and client_key if the key is in another file."
_CLIENT_REFUSED = "the server refused the client certificate"
_CLIENT_REFUSED_ADVICE = "Check that client_cert has not expired, contains its chain, and that the server trusts it."
_OUTDATED = "the server's TLS is too weak for this host"
_OUTDATED_ADVICE = "Have the server updated: key, ciphers or protocol do not meet the security level of this host."
#: OpenSSL's reasons, for the server's alert and for an error on the client's side -> problem and advice.
_BY_REASON: t.Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE"),
        (_NO_VERSION, _NO_VERSION_ADVICE),
    ),
    **dict.fromkeys(
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_NO_CERTIFICATE"),
        (_NO_CLIENT_CERTIFICATE, _NO_CLIENT_CERTIFICATE_ADVICE),
    ),
    **dict.fromkeys(
        (
            *("TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED", "SSLV3_ALERT_BAD_CERTIFICATE"),
            *("SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"),
            "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        ),
        (_CLIENT_REFUSED, _CLIENT_REFUSED_ADVICE),
    ),
    **dict.fromkeys(
        (
            *("DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL", "WRONG_SIGNATURE_TYPE", "NO_CIPHERS_AVAILABLE", "UNKNOWN_CIPHER"),
            *("UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "TLSV1_ALERT_INSUFFICIENT_SECURITY", "WRONG_CIPHER_RETURNED"),
            "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED",
        ),
        (_OUTDATED, _OUTDATED_ADVICE),
    ),
    "TLSV1_UNRECOGNIZED_NAME": ("the server does not serve this name", _NAME_ADVICE),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "the server refused the TLS handshake",
        "It may require a client certificate (set client_cert), or be too old for the ciphers of this host.",
    ),
    "UNEXPECTED_EOF_WHILE_READING": (
        "the server closed the connection during the TLS handshake",
        "Check that port and tls fit the server; it may also be too old for TLS 1.2, or require client_cert.",
    ),
}
#: What OpenSSL calls plain text where TLS should be.
_PLAIN_TEXT = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"})
_PLAIN_TEXT_ADVICE: t.Mapping[TlsMode, str] = {
    TlsMode.IMPLICIT: "The port starts without TLS: use tls: starttls (usual on port 587), or port 465 for implicit"
    " TLS.",
    TlsMode.STARTTLS: "Its STARTTLS does not work: try port 465 with tls: implicit, or have the server repaired.",
}


def _sha256(stream: ssl.SSLSocket) -> str:
    return hashlib.sha256(stream.getpeercert(binary_form=True) or b"").hexdigest()


def describe(stream: ssl.SSLSocket, policy: TlsPolicy) -> TlsInfo:
    """Return the TLS parameters of an established connection."""
    cipher = stream.cipher()
    certificate = t.cast("dict[str, t.Any]", stream.getpeercert() or {})
    return TlsInfo(
        version=stream.version() or "unknown",
        cipher=cipher[0] if cipher else "unknown",
        verified=policy.verify or bool(policy.pins),
        certificate_sha256=_sha256(stream),
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


def explain(error: ssl.SSLError, policy: TlsPolicy, on_this_host: bool = False) -> tuple[str, str]:
    """Turn an error of OpenSSL into a problem and advice, each a sentence.

    :param on_this_host: whether the server is known to run on this host.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        advice = _CERTIFICATE_ADVICE.get(error.verify_code, _OTHER_CERTIFICATE_ADVICE)
        if advice is _ISSUER_ADVICE and (policy.ca_file or policy.ca_path):
            advice = _ISSUER_ADVICE_WITH_AUTHORITIES
            advice += " The files in ca_path need names from openssl rehash." if policy.ca_path else ""
        if on_this_host:
            advice += f" {_THIS_HOST_ADVICE}"
        return f"the server's certificate was refused: {error.verify_message.rstrip('.')}", advice
    reason = error.reason or ""
    if reason in _PLAIN_TEXT:
        mode = TlsMode.IMPLICIT if policy.mode is TlsMode.IMPLICIT else TlsMode.STARTTLS
        return "the server answered without TLS", _PLAIN_TEXT_ADVICE[mode]
    problem, advice = _BY_REASON.get(
        reason, (f"the TLS handshake failed: {reason or error}", "Check that port and tls fit the server.")
    )
    if problem is _CLIENT_REFUSED and not policy.client_certificate:
        return _NO_CLIENT_CERTIFICATE, _NO_CLIENT_CERTIFICATE_ADVICE
    return problem, advice


def is_about_client_certificate(error: OSError) -> bool:
    """Whether the server ended the connection for want of a good client certificate.

    In TLS 1.3 it does so after the handshake (RFC 8446 section 4.4.2.4).
    """
    problem, _advice = _BY_REASON.get(getattr(error, "reason", "") or "", ("", ""))
    return problem in (_NO_CLIENT_CERTIFICATE, _CLIENT_REFUSED)


#: Ports where TLS begins with the first byte, and ports where it never does (RFC 8314 section 3.3, RFC 6409).
_IMPLICIT_PORTS, _PLAIN_PORTS = (465,), (25, 587)
_TOO_SLOW = "If the server is only slow, increase timeout."
_GREETING_ADVICE = "The port may expect TLS from the first byte, as 465 does: set tls: implicit."
_HELLO_ADVICE = "The port may begin without TLS, as 587 and 25 do: set tls: starttls."


def begins_otherwise(mode: TlsMode, port: int, stage: Stage) -> bool:
    """Whether silence at this stage means that TLS begins at another time on this port than the mode says."""
    if mode is TlsMode.IMPLICIT:
        return stage is Stage.TLS and port in _PLAIN_PORTS
    return stage is Stage.GREETING and port in _IMPLICIT_PORTS


def explain_silence(mode: TlsMode, stage: Stage) -> str:
    """Return what to do about a server that does not answer."""
    if stage is Stage.END_OF_DATA:
        return "If the server is only slow, increase final_timeout."
    if stage is Stage.GREETING and mode is not TlsMode.IMPLICIT:
        return f"{_GREETING_ADVICE} {_TOO_SLOW}"
    return f"{_HELLO_ADVICE} {_TOO_SLOW}" if stage is Stage.TLS and mode is TlsMode.IMPLICIT else _TOO_SLOW


def explain_close(mode: TlsMode, stage: Stage, after_handshake: bool) -> str:
    """Return what to do about a server that closes the connection; empty if that depends on the server alone.

    :param after_handshake: whether nothing was received since the handshake.
    """
    if after_handshake:
        return "The server may require a client certificate: set client_cert."
    if stage is Stage.TLS:
        return "Check that port and tls fit the server, and that no firewall in between forbids TLS."
    return _GREETING_ADVICE if stage is Stage.GREETING and mode is not TlsMode.IMPLICIT else ""
