# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users install it: built, installed into an empty folder, and found there by Ansible."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent


def test_build_and_install(tmp_path: Path) -> None:
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_COLLECTIONS_PATH": str(tmp_path)}
    environment["ANSIBLE_NOCOLOR"] = "1"

    def run(*command: str) -> str:
        done = subprocess.run(
            [str(TOOLS / command[0]), *command[1:]],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("ansible-galaxy", "collection", "build", "--output-path", str(tmp_path))
    (package,) = tmp_path.glob("mailops-smtp-*.tar.gz")
    run("ansible-galaxy", "collection", "install", "--offline", "-p", str(tmp_path), str(package))
    assert "Sends one or many messages" in run("ansible-doc", "mailops.smtp.smtp_send")
    assert "relay_listeners" in run("ansible-doc", "-t", "role", "mailops.smtp.relay")
    installed = tmp_path / "ansible_collections/mailops/smtp"
    assert not [name for name in ("tests/lab", ".build", "Makefile") if (installed / name).exists()]
