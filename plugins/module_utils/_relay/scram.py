# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password hashes that serve SCRAM as well as PLAIN (RFC 5802 section 3, RFC 7677)."""

from __future__ import annotations

import base64
import hashlib
import hmac

#: RFC 7677 section 4 asks for at least 4096. A client does the same work at each login.
ITERATIONS = 15000


def scram_sha256(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """Hash a password as Dovecot stores it: ``{SCRAM-SHA-256}iterations,salt,stored key,server key``."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8"), salt, iterations)
    stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    fields = (salt, stored_key, _hmac(salted, b"Server Key"))
    return f"{{SCRAM-SHA-256}}{iterations}," + ",".join(base64.b64encode(field).decode("ascii") for field in fields)


def user_salt(hostname: str, username: str) -> bytes:
    """Return a salt of 16 octets that is unique to host and user, and the same in every run.

    SCRAM sends the salt to every client (RFC 5802 section 5), so it is not secret and must not depend on a secret.
    """
    return hashlib.sha256(f"{hostname}\0{username}".encode()).digest()[:16]


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
