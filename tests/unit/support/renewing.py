# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose certificate the program keeps current: all its files are in one folder."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._relay.program_files import (
    PROGRAMS,
    program_files,
    sources_of,
)
from ansible_collections.mailops.smtp.plugins.module_utils._renewal import places

NAME = "relay.a.test"
#: Stands for certbot, sendmail and the others: records how it was called, and does what its environment says.
RECORDER = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case $(basename "$0") in
  sendmail) cat >> "$MAIL" ;;
  certbot)
    [ "$1" = --version ] && { echo "certbot ${CERTBOT_VERSION:-4.0.0}"; exit 0; }
    [ -n "$CERTBOT_KILLS" ] && { mkdir -p "$(dirname "$MAIL")/certbot/accounts/server/directory/abc"; kill -9 $PPID; }
    [ -n "$CERTBOT_FAILS" ] && { echo "${CERTBOT_SAYS-  Detail: $CERTBOT_FAILS}" >&2; exit 1; }
    cd "$(dirname "$MAIL")/certbot" || exit 1
    mkdir -p renewal live accounts/server/directory/abc
    live=live/mailops-relay
    [ -e renewal/mailops-relay.conf ] || mkdir "$live" || exit 1
    for name in fullchain cert chain privkey; do cp "$ISSUED" "$live/$name.pem"; done
    echo "version = 4" > renewal/mailops-relay.conf
    ;;
esac
"""

#: The files of the program, and what the module imports.
SOURCES = {
    **{f"relay_certificate/{path}": text for path, text in sources_of("_renewal/examining.py").items()},
    **{
        one["path"].removeprefix(f"{PROGRAMS['certificate'].directory}/"): one["content"]
        for one in program_files("certificate")
    },
}

#: Folders of a real host, and what stands for them.
FOLDERS = {places.PROGRAM: "lib", places.HOME: "home", places.CERTBOT: "certbot", places.RUN: "run"}


class Host(t.NamedTuple):
    """A host of which all files are in one folder."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "home/relay.pem"

    @property
    def source(self) -> Path:
        return self.folder / "own.pem"

    def settings(self, **changes: t.Any) -> dict[str, t.Any]:
        """Return the settings of a relay that follows the source and has no listener."""
        return {
            "file": str(self.file),
            "names": [NAME],
            "listeners": [],
            "source": {"chain": str(self.source), "key": str(self.source)},
            "acme": {},
            "unit": "postfix.service",
            "authorities": str(self.folder / "authorities.pem"),
            "addresses": [],
            **changes,
        }

    def acme(self, **changes: t.Any) -> dict[str, t.Any]:
        """Return the settings of a relay that orders its certificate."""
        live = self.folder / "certbot/live/mailops-relay"
        order = {
            "names": [NAME],
            "directory": "https://acme.a.test/dir",
            "email": "",
            "challenge": "http-01",
            "key_type": "ecdsa",
            "profile": "",
            "ca_file": "",
            "dns": {},
            **changes,
        }
        return self.settings(
            acme=order, source={"chain": str(live / "fullchain.pem"), "key": str(live / "privkey.pem")}
        )

    def write(self, settings: dict[str, t.Any]) -> None:
        (self.folder / "home/settings.json").write_text(json.dumps(settings))

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(self.folder / "calls"),
            "MAIL": str(self.folder / "mail"),
            "ISSUED": str(self.folder / "issued.pem"),
            **more,
        }

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-I", str(self.folder / "lib"), *arguments]
        return subprocess.run(
            argv, env=self.environment(**more), capture_output=True, text=True, timeout=60, check=False
        )

    def examine(self, settings: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what the module relay_host_info would."""
        done = self.python("examining", f"print(json.dumps(one.examine({settings!r})))")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def python(self, module: str, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line of Python, for which ``one`` is a module of the room."""
        code = f"""\
import json, os, signal, sys
sys.path.insert(0, {str(self.folder / "lib")!r})
from relay_certificate._renewal import {module} as one
from relay_certificate._renewal.program import main
{line}
"""
        argv = [sys.executable, "-B", "-I", "-c", code]
        return subprocess.run(argv, env=self.environment(), capture_output=True, text=True, timeout=60, check=False)

    def calls(self, program: str) -> list[str]:
        found = self.folder / "calls"
        lines = found.read_text().splitlines() if found.exists() else []
        return [line for line in lines if line.startswith(f"{program} ") and "--version" not in line]

    def left_over(self) -> list[str]:
        return [path.name for path in self.file.parent.iterdir() if path.name.endswith(".new")]


def new_host(tmp_path: Path) -> Host:
    """Return a host with the program, and with recorders in place of the other programs."""
    for name in ("home", "bin", "certbot"):
        (tmp_path / name).mkdir()
    for name in ("certbot", "sendmail", "systemctl", "postconf", "doveconf", "ss", "ip"):
        (tmp_path / "bin" / name).write_text(RECORDER)
        (tmp_path / "bin" / name).chmod(0o755)
    for path, text in SOURCES.items():
        place = tmp_path / "lib" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        for folder, name in FOLDERS.items():
            text = text.replace(f'"{folder}"', f'"{tmp_path / name}"')
        place.write_text(text.replace(f'"{places.STAMP}"', f'"{tmp_path / "stamp"}"'))
    return Host(tmp_path)


def issue(path: Path, name: str = NAME, begins: float = -1, ends: float = 60) -> str:
    """Write a certificate with its key, and return the text.

    :param begins, ends: days from now.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=begins))
        .not_valid_after(now + datetime.timedelta(days=ends))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(certificate.public_bytes(encoding) + private)
    return path.read_text()
