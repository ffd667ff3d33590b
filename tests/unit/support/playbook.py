# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a play on this machine, with the collection of this checkout and the interpreter of the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

COLLECTIONS = str(Path(__file__).resolve().parents[3] / ".build/collections")


def run_playbook(*options: str, cwd: Path, home: Path, environment: t.Mapping[str, str] | None = None) -> str:
    """Run ansible-playbook on localhost, and return what it printed, on either stream.

    :param options: the playbook, and options before it.
    :param home: Ansible's own directory.
    :param environment: further variables of the environment.
    """
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", *options],
        cwd=cwd,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_NOCOLOR": "1",
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
