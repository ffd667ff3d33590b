# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real nft in a network namespace of its own, where this machine has one."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _in_a_namespace(script: str, given: str) -> subprocess.CompletedProcess[str]:
    sealed = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script]
    return subprocess.run(sealed, env={"PATH": _PATH}, input=given, capture_output=True, text=True, check=False)


def _works() -> bool:
    there = shutil.which("nft", path=_PATH) and shutil.which("unshare")
    return bool(there) and _in_a_namespace("nft list ruleset", "").returncode == 0


def in_a_namespace(script: str, given: str = "") -> str:
    """What the script prints. It must succeed and complain of nothing.

    :param given: its standard input.
    """
    done = _in_a_namespace(script, given)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


NEEDS_NFT = pytest.mark.skipif(
    not _works(), reason="nft, or a network namespace for it, is not available; the lab has both"
)
