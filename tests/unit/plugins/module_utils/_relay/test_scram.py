# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password hashes for SCRAM."""

from __future__ import annotations

import base64
import hashlib
import hmac

from ansible_collections.mailops.smtp.plugins.module_utils._relay.scram import scram_sha256, user_salt


def test_hash_verifies_the_example_of_rfc_7677() -> None:
    """The example of RFC 7677 section 3: the stored key verifies its client proof, the server key its signature."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    iterations, stored_salt, stored_key, server_key = scram_sha256("pencil", salt, 4096)[
        len("{SCRAM-SHA-256}") :
    ].split(",")
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    auth_message = (
        f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}".encode()
    )

    def signature(key: str) -> bytes:
        return hmac.new(base64.b64decode(key), auth_message, hashlib.sha256).digest()

    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(proof, signature(stored_key), strict=True))
    assert hashlib.sha256(client_key).digest() == base64.b64decode(stored_key)
    assert base64.b64encode(signature(server_key)) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert (iterations, stored_salt) == ("4096", "W22ZaJ0SNY7soEsUEjb6gQ==")


def test_salts_differ_by_user_and_host() -> None:
    salts = {user_salt(host, user) for host in ("a.test", "b.test") for user in ("x", "y")}
    assert len(salts) == 4
