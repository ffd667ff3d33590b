# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create keys, certificates and passwords of the lab's hosts and accounts, once for each build folder.

Standard input names them, further names of servers on the hosts, and what signs JWTs:

    {"hosts": {"relay": "relay.sender.test", ...}, "names": ["acme.lab.test", ...],
     "signers": ["app.provider.test", ...],
     "accounts": ["inbox@dest.test", ...]}

Writes to the folder named on the command line:

    pki/ca.pem, ca.key           the lab's certificate authority
    pki/NAME.pem, NAME.key       certificate with chain, and key, for each host's mail name and each further name;
                                 a signer's key is RSA
    ssh/id_ed25519, known_hosts  the login key for all hosts, and their host keys
    hosts/HOST/                  files of a new host before its first boot
    secrets.yml                  lab_passwords, one for each account

Existing files are kept; certificates are renewed when a third of their life is left.
"""

from __future__ import annotations

import datetime
import json
import os
import secrets
import sys
from pathlib import Path

import trustme
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LIFETIME = datetime.timedelta(days=90)
MARGIN = LIFETIME / 3


def write(path: Path, content: bytes, mode: int) -> None:
    """Write a file that has its final mode from the first octet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    path.chmod(mode)


def lasts(certificate: Path) -> bool:
    """Return whether the certificate exists and is valid beyond the margin."""
    if not certificate.exists():
        return False
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc > now() + MARGIN


def now() -> datetime.datetime:
    """Return the current time in UTC."""
    return datetime.datetime.now(datetime.UTC)


def certificates(folder: Path, names: dict[str, trustme.KeyType]) -> None:
    """Create a certificate authority and a certificate for each name, with a key of its type."""
    authority_file, authority_key = folder / "ca.pem", folder / "ca.key"
    if lasts(authority_file):
        authority = trustme.CA.from_pem(authority_file.read_bytes(), authority_key.read_bytes())
    else:
        authority = trustme.CA(organization_name="mailops.smtp lab")
        write(authority_key, authority.private_key_pem.bytes(), 0o600)
        write(authority_file, authority.cert_pem.bytes(), 0o644)
        for name in names:
            (folder / f"{name}.pem").unlink(missing_ok=True)
    for name, key_type in names.items():
        if lasts(folder / f"{name}.pem"):
            continue
        leaf = authority.issue_cert(name, common_name=name, not_after=now() + LIFETIME, key_type=key_type)
        write(folder / f"{name}.key", leaf.private_key_pem.bytes(), 0o600)
        chain = [pem.bytes() for pem in leaf.cert_chain_pems] + [authority.cert_pem.bytes()]
        write(folder / f"{name}.pem", b"".join(chain), 0o644)


def ssh_key(path: Path) -> bytes:
    """Return the public part of the key at ``path``; create the key if it is missing."""
    if not path.exists():
        private = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        write(path, private, 0o600)
    key = serialization.load_ssh_private_key(path.read_bytes(), password=None)
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH) + b"\n"


def host_files(build: Path, hosts: list[str]) -> None:
    """Create each host's ssh key, authorized keys and trusted certificate authority."""
    client = ssh_key(build / "ssh/id_ed25519")
    known = b""
    for host in hosts:
        tree = build / "hosts" / host
        key = tree / "etc/ssh/ssh_host_ed25519_key"
        public = ssh_key(key)
        write(key.with_suffix(".pub"), public, 0o644)
        write(tree / "root/.ssh/authorized_keys", client, 0o600)
        (tree / "root").chmod(0o700)
        (tree / "root/.ssh").chmod(0o700)
        authority = (build / "pki/ca.pem").read_bytes()
        write(tree / "usr/local/share/ca-certificates/mailops-lab.crt", authority, 0o644)
        known += f"mailops-lab-{host} ".encode() + public
    write(build / "ssh/known_hosts", known, 0o644)


def passwords(path: Path, accounts: list[str]) -> None:
    """Create a password for each new account and keep existing ones."""
    known: dict[str, str] = yaml.safe_load(path.read_text())["lab_passwords"] if path.exists() else {}
    kept = {account: known.get(account) or secrets.token_urlsafe(18) for account in accounts}
    if kept != known:
        text = "# Made by tests/lab/pki.py for this build folder only.\n" + yaml.safe_dump({"lab_passwords": kept})
        write(path, text.encode(), 0o600)


def main() -> None:
    """Read the hosts and accounts, and create what is missing."""
    os.umask(0o022)
    build = Path(sys.argv[1])
    wanted = json.load(sys.stdin)
    usual = dict.fromkeys([*wanted["hosts"].values(), *wanted["names"]], trustme.KeyType.ECDSA)
    certificates(build / "pki", usual | dict.fromkeys(wanted["signers"], trustme.KeyType.RSA))
    host_files(build, sorted(wanted["hosts"]))
    passwords(build / "secrets.yml", sorted(wanted["accounts"]))


if __name__ == "__main__":
    main()
