# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON Web Tokens that prove a client to a token server in place of a secret (RFC 7519, RFC 7523).

Microsoft Entra takes one signed with the key of a certificate, Google one signed with the key of a service account.
They are signed by ``openssl``, which every relay has; the key reaches it over a pipe, never as an argument or a file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import tempfile
import time
import typing as t
import uuid
from dataclasses import dataclass, field

from .._evidence.document import seconds_of
from .._x509.certificate import certificate_key, read_certificate, read_certificates
from .._x509.der import DerError, pem_blocks
from .._x509.keys import PublicKey, public_half

__all__ = ["ClientCertificate", "InvalidSigner", "ServiceAccount", "Signer"]

#: Seconds that a JWT is valid for; it is used at once.
_LIFETIME = 540
#: It is valid from so many seconds ago, so that the clocks need not agree to the second.
_SLACK = 60
_SECONDS = 20.0
_SHORTEST_KEY = 2048
#: In characters; with its certificates, a key has some thousand, and a pipe takes 65,536.
_LONGEST_KEY = 32_768
_PATH = re.compile(r"[~.]{0,2}/[^\n]*\Z|[^\s{}]+\.(?:pem|key|crt|cer|json|p12|pfx)\Z", re.IGNORECASE)
_ENCRYPTED = re.compile(r"BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED")

#: Options of openssl's dgst for each algorithm (RFC 7518 section 3.1).
_ALGORITHMS: t.Mapping[str, t.Sequence[str]] = {
    "RS256": (),
    "PS256": ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"),
}


class InvalidSigner(ValueError):
    """The certificate or the key cannot be used; the text is a sentence that names the option, without secrets."""


@dataclass(frozen=True)
class ClientCertificate:
    """The certificate of an application in Microsoft Entra, and its key.

    learn.microsoft.com/entra/identity-platform/certificate-credentials

    :param certificate: in PEM; of a chain, the first is used. It may contain the key.
    :param private_key: in PEM, without a pass phrase.
    :raises InvalidSigner: they cannot be used, or do not belong together.
    """

    certificate: str
    private_key: str = field(repr=False)

    def __post_init__(self) -> None:
        key = _read_key("private_key", self.private_key)
        if certificate_key(self._der()) != key.spki:
            raise InvalidSigner(
                "private_key is not the key of certificate; set both to the files that were made together"
            )

    def _der(self) -> bytes:
        _refuse_path("certificate", self.certificate, "-----BEGIN CERTIFICATE-----")
        try:
            found = read_certificates(self.certificate)
            if not found:
                raise InvalidSigner("certificate has no certificate in PEM; expected -----BEGIN CERTIFICATE-----")
            certificate_key(found[0])
        except DerError as error:
            raise InvalidSigner(f"certificate cannot be read: {error}; expected a certificate in PEM") from None
        return found[0]

    @property
    def expires(self) -> str:
        """The end of the certificate's validity (RFC 3339)."""
        return read_certificate(self._der()).not_after

    def check_validity(self) -> None:
        """Check the certificate by the clock of this host.

        :raises InvalidSigner: it has expired.
        """
        if seconds_of(self.expires) < time.time():
            raise InvalidSigner(
                f"certificate expired on {self.expires[:10]}; register a new one at the provider, and set it here"
            )

    def assertion(self, audience: str, client_id: str) -> str:
        """Return the JWT with which the client identifies itself (RFC 7523 section 2.2).

        :raises InvalidSigner: the certificate has expired, or it could not be signed.
        """
        self.check_validity()
        header = {"alg": "PS256", "x5t#S256": _base64url(hashlib.sha256(self._der()).digest())}
        claims = {"iss": client_id, "sub": client_id, "jti": str(uuid.uuid4())}
        return _signed(header, claims, audience, self.private_key)


@dataclass(frozen=True)
class ServiceAccount:
    """A service account of Google with domain-wide delegation, which acts for a user (RFC 7523 section 2.1).

    developers.google.com/identity/protocols/oauth2/service-account

    :param email: of the service account.
    :param private_key: in PEM.
    :param key_id: of the key at Google.
    :param user: whose mail is sent.
    """

    email: str
    private_key: str = field(repr=False)
    key_id: str
    user: str

    @classmethod
    def read(cls, text: str, user: str) -> ServiceAccount:
        """Read the JSON file that Google gives for a key.

        :raises InvalidSigner: it is not such a file, or its key cannot be used.
        """
        _refuse_path("service_account", text, "the JSON text of Google's key file")
        try:
            facts = json.loads(text.lstrip("\ufeff"))  # some editors begin a file with this mark
        except (ValueError, RecursionError):
            facts = None
        if not isinstance(facts, dict):
            raise InvalidSigner("service_account is not JSON; expected the text of the key file that Google gave")
        if facts.get("type", "service_account") != "service_account":
            raise InvalidSigner(
                "service_account is a key file of another type; create a key of a service account, not an OAuth client"
            )
        values = [facts.get(name) for name in ("client_email", "private_key", "private_key_id")]
        if not all(isinstance(value, str) and value for value in values):
            raise InvalidSigner(
                "service_account lacks client_email, private_key or private_key_id; expected the whole text of the key"
                " file that Google gave"
            )
        if not user:
            raise InvalidSigner("service_account needs username; set it to the address of the user who sends")
        email, private_key, key_id = (str(value) for value in values)
        _read_key("service_account: private_key", private_key)
        return cls(email, private_key, key_id, user)

    def assertion(self, audience: str, scope: str) -> str:
        """Return the JWT that is exchanged for a token.

        :raises InvalidSigner: it could not be signed.
        """
        claims = {"iss": self.email, "sub": self.user, "scope": scope}
        return _signed({"alg": "RS256", "kid": self.key_id}, claims, audience, self.private_key)


Signer = t.Union[ClientCertificate, ServiceAccount]


def _refuse_path(option: str, text: str, expected: str) -> None:
    if _PATH.match(text.strip()):
        raise InvalidSigner(
            f"{option} is a path; expected {expected}: use the lookup plugin file, as in"
            f" \"{{{{ lookup('ansible.builtin.file', 'PATH') }}}}\""
        )


def _read_key(option: str, text: str) -> PublicKey:
    """Return the public half of a private key that can sign."""
    _refuse_path(option, text, "-----BEGIN PRIVATE KEY-----")
    if len(text) > _LONGEST_KEY:
        raise InvalidSigner(f"{option} has {len(text)} characters; expected a key and nothing else")
    if _ENCRYPTED.search(text):
        raise InvalidSigner(f"{option} has a pass phrase; remove it with 'openssl pkey', and keep the key in a vault")
    try:
        key = public_half(text) or _other_key(text)
    except DerError as error:
        raise InvalidSigner(f"{option} cannot be read: {error}; expected -----BEGIN PRIVATE KEY-----") from None
    if key is None:
        raise InvalidSigner(f"{option} has no private key in PEM; expected -----BEGIN PRIVATE KEY-----")
    if key.type != "rsa" or (key.bits or 0) < _SHORTEST_KEY:
        kind = f"{key.type} with {key.bits} bits" if key.type == "rsa" else "not RSA"
        raise InvalidSigner(f"{option} is {kind}; expected an RSA key of at least {_SHORTEST_KEY} bits")
    return key


def _other_key(text: str) -> PublicKey | None:
    """A key that is not RSA, by its label alone."""
    labels = [label for label, _octets in pem_blocks(text)]
    return PublicKey("other", None, b"") if any(label.endswith("PRIVATE KEY") for label in labels) else None


def _signed(header: t.Mapping[str, str], claims: t.Mapping[str, str], audience: str, key: str) -> str:
    now = int(time.time())
    times = {"iat": now - _SLACK, "nbf": now - _SLACK, "exp": now + _LIFETIME}
    head = _base64url(_json({"typ": "JWT", **header}))
    text = f"{head}.{_base64url(_json({'aud': audience, **claims, **times}))}"
    return f"{text}.{_base64url(_sign(text.encode('ascii'), key, _ALGORITHMS[header['alg']]))}"


def _sign(data: bytes, key: str, options: t.Sequence[str]) -> bytes:
    """Return the signature by ``openssl``, which reads the key from a pipe; only what is signed is in a file."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:  # a key is smaller than a pipe
            pipe.write(_as_openssl(key))
        with tempfile.TemporaryFile() as signed:
            signed.write(data)
            signed.seek(0)
            command = ["openssl", "dgst", "-sha256", "-sign", f"/dev/fd/{reading}", *options]
            done = subprocess.run(
                command, stdin=signed, capture_output=True, pass_fds=[reading], timeout=_SECONDS, check=False
            )
    except FileNotFoundError:
        raise InvalidSigner("openssl is not on this host, and the JWT is signed with it; install openssl") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise InvalidSigner(f"openssl could not sign the JWT: {type(error).__name__}") from None
    finally:
        os.close(reading)
    if done.returncode or not done.stdout:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:200]
        raise InvalidSigner(f"openssl could not sign the JWT: {last or done.returncode}")
    return done.stdout


def _as_openssl(text: str) -> bytes:
    """The private key in PEM; openssl reads none whose lines were joined or indented, as YAML may do to them."""
    label, octets = next((label, octets) for label, octets in pem_blocks(text) if label.endswith("PRIVATE KEY"))
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(octets) + f"-----END {label}-----\n".encode()


def _json(value: t.Mapping[str, t.Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
