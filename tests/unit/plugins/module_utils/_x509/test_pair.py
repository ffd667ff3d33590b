# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a key is that of a certificate, with files that openssl made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._x509.pair import find_pair_problem, public_octets

KINDS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "other_ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa": ["-newkey", "rsa:2048"],
    "ed25519": ["-newkey", "ed25519"],
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Return certificate and key by the kind of the key."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, kind in KINDS.items():
        _openssl(folder, "req", "-x509", *kind, "-nodes", "-subj", "/CN=a.test", "-keyout", f"{name}.key", "-out", name)
    return {name: ((folder / name).read_text(), (folder / f"{name}.key").read_text()) for name in KINDS}


def _openssl(folder: Path, *arguments: str, text: str = "") -> str:
    done = subprocess.run(["openssl", *arguments], cwd=folder, input=text, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_key_of_the_certificate_is_accepted(pairs: dict[str, tuple[str, str]], kind: str) -> None:
    assert find_pair_problem(*pairs[kind]) == ""
    assert (public_octets(pairs[kind][1]) is None) == (kind == "ed25519")


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_key_in_the_older_form_is_accepted(pairs: dict[str, tuple[str, str]], kind: str, tmp_path: Path) -> None:
    certificate, key = pairs[kind]
    older = _openssl(tmp_path, kind, *(["-traditional"] if kind == "rsa" else []), text=key)
    assert f"BEGIN {kind.upper()} PRIVATE KEY" in older
    assert find_pair_problem(certificate, older) == ""


@pytest.mark.parametrize(("certificate", "key"), [("ec", "other_ec"), ("ec", "rsa"), ("rsa", "ec")])
def test_key_of_another_certificate_is_refused(pairs: dict[str, tuple[str, str]], certificate: str, key: str) -> None:
    problem = find_pair_problem(pairs[certificate][0], pairs[key][1])
    assert problem.startswith("key: the key is not that of the first certificate")


def test_other_files_are_refused_with_a_reason(pairs: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    certificate, key = pairs["rsa"]
    encrypted = _openssl(tmp_path, "pkey", "-aes256", "-passout", "pass:x", text=key)
    cases = [
        (key, key, "certificate: the file has no certificate"),
        (certificate, certificate, "key: the file has no private key"),
        (certificate, encrypted, "key: the key is encrypted"),
        (certificate.replace("MII", "MIJ", 1), key, "certificate: a file in PEM format is damaged"),
    ]
    assert [find_pair_problem(one, other)[: len(words)] for one, other, words in cases] == [one[2] for one in cases]
