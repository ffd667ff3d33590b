# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files have the certificates of Postfix. What is in one: ``_x509/test_certificate.py``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._host import certificates
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

EC = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def openssl(*words: str, given: bytes = b"") -> str:
    done = subprocess.run(["openssl", *words], capture_output=True, check=True, timeout=60, input=given)
    return done.stdout.decode()


def make(folder: Path, key: tuple[str, ...], more: tuple[str, ...]) -> Path:
    path = folder / "made.pem"
    openssl("req", "-x509", "-newkey", *key, "-nodes", "-keyout", str(folder / "k"), "-out", str(path), *more)
    return path


def test_files_of_every_parameter_and_chain(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, "nested")
    one = make(tmp_path, EC, ("-subj", "/CN=one")).read_text()
    two = make(tmp_path, EC, ("-subj", "/CN=two")).read_text()
    host.put("/etc/postfix/custom/rsa.pem", (tmp_path / "k").read_text() + one + two)
    host.put("/etc/postfix/custom/ecdsa.pem", "no certificate")
    found = {one.path.rpartition("/")[2]: one for one in certificates.find(host) or ()}
    assert [one.subject for one in found["rsa.pem"].chain or ()] == ["CN=one", "CN=two"]
    assert found["rsa.pem"].named_by == ("smtpd_tls_chain_files",)
    assert found["ecdsa.pem"].chain == ()
    assert host.reasons() == {}


#: Content of a file, and why it is not known.
BROKEN = [
    (None, "/etc/postfix/custom/rsa.pem does not exist."),
    (b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "has a certificate that cannot be read"),
    (b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----", "has a certificate that cannot be read"),
    (b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "has a certificate that cannot be read"),
]


@pytest.mark.parametrize(("content", "reason"), BROKEN)
def test_file_that_cannot_be_read_is_unknown(tmp_path: Path, content: bytes | None, reason: str) -> None:
    host = FakeHost(tmp_path, "nested")
    if content is not None:
        host.put("/etc/postfix/custom/rsa.pem", content)
    host.put("/etc/postfix/custom/ecdsa.pem")
    (rsa, _ecdsa) = certificates.find(host) or ()
    assert rsa.chain is None
    assert reason in host.reasons()["certificates./etc/postfix/custom/rsa.pem"]
