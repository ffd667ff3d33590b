# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password hashes for SCRAM."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.scram import (
    decoy,
    has_own_salt,
    scram_decoy,
    scram_sha256,
    user_salt,
)


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


def test_a_hash_with_the_salt_of_the_relay_is_recognised() -> None:
    made = scram_sha256("pw", user_salt("a.test", "x"))
    assert has_own_salt(made, "a.test", "x")
    assert not has_own_salt(made, "a.test", "y")
    assert not has_own_salt(scram_sha256("pw", user_salt("a.test", "x"), 4096), "a.test", "x")


DECOYS = [
    ("{SHA256-CRYPT}$5$UcRA7cL2$Xt2c.R/Y7", "{SHA256-CRYPT}$5$AAAAAAAA$AAAAAAAAA"),
    ("{SHA512-CRYPT}$6$rounds=5000$Ur.A7$Xt2/Y7", "{SHA512-CRYPT}$6$rounds=5000$AAAAA$AAAAAA"),
    ("{BLF-CRYPT}$2y$05$vxMGzZAkcAuT6d", "{BLF-CRYPT}$2y$05$AAAAAAAAAAAAAA"),
    ("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$oH7Q$tcp/", "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$AAAA$AAAA"),
    ("{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$vKLA$W6CR", "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$AAAA$AAAA"),
    ("{PBKDF2}$1$cTx3Hl.uEw$5000$22a2fe3fc2", "{PBKDF2}$1$AAAAAAAAAA$5000$AAAAAAAAAA"),
    ("{SCRAM-SHA-1}4096,5pM7YoEm+A==,lrOvQI=,WWCW=", "{SCRAM-SHA-1}4096,AAAAAAAAAA==,AAAAAA=,AAAA="),
]


@pytest.mark.parametrize(("known", "expected"), DECOYS)
def test_decoy_costs_the_same_and_shows_nothing_of_the_hash(known: str, expected: str) -> None:
    assert decoy(known) == expected


def test_decoy_for_scram_differs_from_a_hash_of_the_relay_only_in_its_keys() -> None:
    salt = base64.b64encode(user_salt("a.test", "x")).decode()
    known, false = scram_sha256("pw", user_salt("a.test", "x")), scram_decoy(salt)
    assert known.split(",")[:2] == false.split(",")[:2]
    assert [len(one) for one in known.split(",")] == [len(one) for one in false.split(",")]
    assert base64.b64decode(false.split(",")[2]) == bytes(32)
