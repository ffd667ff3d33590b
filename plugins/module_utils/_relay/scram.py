# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password hashes that serve SCRAM as well as PLAIN (RFC 5802 section 3, RFC 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

#: RFC 7677 section 4 asks for at least 4096. A client does the same work at each login.
ITERATIONS = 15000


def scram_sha256(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """Hash a password as Dovecot stores it: ``{SCRAM-SHA-256}iterations,salt,stored key,server key``."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8"), salt, iterations)
    stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    fields = (salt, stored_key, _hmac(salted, b"Server Key"))
    return f"{{SCRAM-SHA-256}}{iterations}," + ",".join(base64.b64encode(field).decode("ascii") for field in fields)


def user_salt(hostname: str, username: str) -> bytes:
    """Return a salt that is unique to host and user, and the same in every run.

    SCRAM sends the salt to every client (RFC 5802 section 5), so it is not secret and must not depend on a secret.
    Dovecot computes the same for names that do not exist (``dovecot.conf.j2``), so it must be able to.
    """
    return hashlib.sha256(f"{hostname}/{username}".encode()).digest()


def has_own_salt(password_hash: str, hostname: str, username: str) -> bool:
    """Whether a hash is one that :func:`scram_sha256` could have made with :func:`user_salt`."""
    own = base64.b64encode(user_salt(hostname, username)).decode("ascii")
    return password_hash.startswith(f"{{SCRAM-SHA-256}}{ITERATIONS},{own},")


def decoy(password_hash: str) -> str:
    """Return a hash that takes as long to verify as this one, and that no password has: without its salt and keys."""
    scheme, _brace, fields = password_hash.partition("}")
    return f"{scheme}}}" + re.sub(r"[^$,]+", lambda field: _without_secret(field.group()), fields)


def scram_decoy(salt: str) -> str:
    """Return a hash for SCRAM that no password has.

    :param salt: the salt in Base64, or what Dovecot expands to it.
    """
    return decoy(scram_sha256("", b"", 1)).replace("1,,", f"{ITERATIONS},{salt},")


def _without_secret(field: str) -> str:
    """Keep a parameter, such as ``6``, ``2y``, ``argon2id``, ``v=19`` or ``rounds=5000``; zero anything else."""
    return field if re.match(r"(?:\d+|2\w|argon2\w+|[a-z]+=\d+)\Z", field) else re.sub("[^=]", "A", field)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
