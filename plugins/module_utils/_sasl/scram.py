# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client side of SCRAM (RFC 5802, RFC 7677): neither end sends the password, both prove that they know it.

::

    C: n,,n=user,r=NONCE
    S: r=NONCE+MORE,s=SALT,i=4096
    C: c=biws,r=NONCE+MORE,p=PROOF
    S: v=SIGNATURE
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import typing as t

from .mechanisms import BadChallenge, Exchange, ExchangeContext, Response, ServerUnproven
from .saslprep import saslprep

if t.TYPE_CHECKING:
    from .credentials import Credentials

#: Careful servers require 600,000 iterations; more than this limit is an attack on the client's time.
MAX_ITERATIONS = 10_000_000

# RFC 5802 section 7. An extension before the nonce ("m=") is mandatory and unknown, so it must not match.
_SERVER_FIRST = re.compile(r"r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]{0,8})(?:,[^\0]*)?\Z")
_SERVER_FINAL = re.compile(r"([ev])=([^,\0]+)(?:,[^\0]*)?\Z")
_SERVER_ERROR = re.compile(r"e=([^,\0]+)")


class _Challenge(t.NamedTuple):
    """The server's first message."""

    nonce: str
    salt: bytes
    iterations: int


def scram(digest: str, credentials: Credentials, context: ExchangeContext, nonce: str = "") -> Exchange:
    """Run one exchange.

    :param digest: ``sha256`` or ``sha1``.
    :param nonce: the client's nonce, for tests with known answers; random if empty.
    :raises BadChallenge: the server's message is malformed or violates RFC 5802.
    :raises ServerUnproven: the server does not know the password.
    :raises NotPreparable: SASLprep prohibits the user name or the password.
    """
    nonce = nonce or secrets.token_urlsafe(24)
    password = saslprep(credentials.password or "").encode()
    bare = f"n={_saslname(credentials.username)},r={nonce}"
    first = yield Response(f"{context.gs2.header}{bare}".encode())

    challenge = _server_first(first, nonce)
    header = base64.b64encode(context.gs2.header.encode() + context.gs2.data).decode("ascii")
    without_proof = f"c={header},r={challenge.nonce}"
    salted = hashlib.pbkdf2_hmac(digest, password, challenge.salt, challenge.iterations)
    signed = b",".join([bare.encode(), first, without_proof.encode()])
    proof = base64.b64encode(_proof(digest, salted, signed)).decode("ascii")
    final = yield Response(f"{without_proof},p={proof}".encode())

    problem = _server_final(final, hmac.digest(hmac.digest(salted, b"Server Key", digest), signed, digest))
    yield Response(b"", complete=not problem, remark=problem)


def _saslname(username: str) -> str:
    """Return the user name as the attribute ``n`` (RFC 5802 section 5.1)."""
    return saslprep(username).replace("=", "=3D").replace(",", "=2C")


def _proof(digest: str, salted: bytes, signed: bytes) -> bytes:
    """Return ClientKey XOR ClientSignature (RFC 5802 section 3)."""
    client_key = hmac.digest(salted, b"Client Key", digest)
    signature = hmac.digest(hashlib.new(digest, client_key).digest(), signed, digest)
    return bytes(key ^ mark for key, mark in zip(client_key, signature))


def _server_first(message: bytes, nonce: str) -> _Challenge:
    text = _text(message)
    match = _SERVER_FIRST.match(text)
    if match is None:
        error = _SERVER_ERROR.match(text)
        if error:
            raise BadChallenge(f"the server aborted SCRAM: {error.group(1)}")
        raise BadChallenge("the server's first SCRAM challenge does not follow RFC 5802 section 7")
    server_nonce, salt, iterations = match.group(1), match.group(2), int(match.group(3))
    if not server_nonce.startswith(nonce) or server_nonce == nonce:
        raise BadChallenge("the nonce of the SCRAM challenge does not extend the client's (RFC 5802 section 5.1)")
    if iterations > MAX_ITERATIONS:
        raise BadChallenge(f"the server requires {iterations} SCRAM iterations; expected at most {MAX_ITERATIONS}")
    return _Challenge(server_nonce, _decode(salt), iterations)


def _server_final(message: bytes, signature: bytes) -> str:
    """Check the server's proof.

    :returns: the error that the server sends instead, or an empty string.
    """
    match = _SERVER_FINAL.match(_text(message))
    if match is None:
        raise ServerUnproven("the last SCRAM challenge has no signature of the server (RFC 5802 section 7)")
    attribute, value = match.groups()
    if attribute == "e":
        return f"the server reports {value}"
    if not hmac.compare_digest(_decode(value), signature):
        raise ServerUnproven(
            "the server's SCRAM signature is wrong: it does not know the password (RFC 5802 section 5)"
        )
    return ""


def _text(message: bytes) -> str:
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise BadChallenge("the SCRAM challenge is not UTF-8") from None


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadChallenge("a value of the SCRAM challenge is not base64") from None
