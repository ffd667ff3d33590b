# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tested versions of ansible-core: the table, the pages that tell of it, and tests/setup/versions.sh."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = "tests/setup/versions.sh"


class Version(t.NamedTuple):
    core: str
    python: str

    @property
    def short(self) -> str:
        """Without the patch level and the stage of a release."""
        return ".".join(self.core.split(".")[:2])


TABLE = [
    Version(*line.split()[:2])
    for line in (ROOT / "tests/versions.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def test_the_oldest_is_the_one_that_everything_else_uses() -> None:
    pins = (ROOT / "tests/requirements.txt").read_text(encoding="utf-8")
    assert f"\nansible-core=={TABLE[0].core}\n" in pins
    required = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    assert required == f">={TABLE[0].short}.0"
    order = [[int(part) for part in version.short.split(".")] for version in TABLE]
    assert order == sorted(order)


@pytest.mark.parametrize("version", TABLE, ids=[version.core for version in TABLE])
def test_readme_names_every_version(version: Version) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| controller \| ([^|]*)\|", readme, flags=re.MULTILINE)
    assert f"{version.short} (Python {version.python}" in row


def run(*words: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the script on a machine with no other Python than those in a folder."""
    environment = {"PATH": f"{path}:/usr/bin:/bin", "HOME": str(path), "PYENV_ROOT": str(path / "none")}
    return subprocess.run([str(ROOT / SCRIPT), *words], env=environment, capture_output=True, text=True, check=False)


def missing() -> list[Version]:
    """The versions that cannot be tested with the Pythons of the system."""
    found = {name for name in os.listdir("/usr/bin") if re.fullmatch(r"python3\.\d+", name)}
    versions = [version for version in TABLE if f"python{version.python}" not in found]
    if not versions:  # without a version, the script would test all of them
        pytest.skip("the system has every Python")
    return versions


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    done = run("unit", *[version.core for version in missing()], path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"left out: ansible-core {version.core}: no Python {version.python} in PATH or pyenv" for version in missing()
    ]


def test_unknown_word_is_refused(tmp_path: Path) -> None:
    done = run("2.1", path=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "Unknown word 2.1. Expected unit, sanity, integration, oldest, newest, or a version:"
        f" {' '.join(version.core for version in TABLE)}\n"
    )


def test_results_of_another_run_are_kept(tmp_path: Path) -> None:
    """These tests are part of such a run, which reads its results at the end."""
    result = ROOT / ".build/versions/unit-of-another-run.result"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text("0 1")
    try:
        run("unit", *[version.core for version in missing()], path=tmp_path)
        assert result.read_text() == "0 1"
    finally:
        result.unlink(missing_ok=True)
