# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of each program that a relay gets."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay import program_files as program_module
from ansible_collections.mailops.smtp.plugins.module_utils._relay.program_files import PROGRAMS, program_files
from ansible_collections.mailops.smtp.plugins.module_utils._renewal import places

#: program -> files that it has, how many it has at most, rooms that it must not have
FILES = [
    (
        "oauth",
        ["__main__.py", "relay_oauth/_oauth/bridge.py", "relay_oauth/_oauth/refresher.py"],
        60,
        ["_module", "_relay"],
    ),
    (
        "certificate",
        ["__main__.py", "relay_certificate/_renewal/installing.py", "relay_certificate/_x509/certificate.py"],
        20,
        ["_module", "_relay", "_smtp"],
    ),
    ("dkim", ["__main__.py", "relay_dkim/_signing/program.py"], 10, ["_module", "_relay", "_smtp", "_dns"]),
]


def test_the_table_has_every_program() -> None:
    assert [name for name, *_rest in FILES] == list(PROGRAMS)


#: A place of the host, and the only file of the core that has it as a text.
PLACES = [
    (f'"{places.PROGRAM}"', "_renewal/places.py"),
    (f'"{places.JOINED}"', "_renewal/places.py"),
    (f'"{places.LINEAGE}"', "_renewal/places.py"),
    ("/etc/letsencrypt", "_renewal/places.py"),
    ('"sendmail", "-i"', "_message/to_root.py"),
]


@pytest.mark.parametrize(("text", "file"), PLACES)
def test_fact_about_the_host_is_in_at_most_one_file(text: str, file: str) -> None:
    core = Path(program_module.__file__).parents[1]
    files = {path.relative_to(core).as_posix() for path in core.rglob("*.py") if text in path.read_text()}
    assert files <= {file}


@pytest.mark.parametrize(("name", "some", "most", "foreign"), FILES)
def test_files_are_those_that_the_program_imports_and_nothing_of_ansible(
    name: str, some: list[str], most: int, foreign: list[str]
) -> None:
    listed = program_files(name)
    files = {one["path"].removeprefix(f"{PROGRAMS[name].directory}/"): one["content"] for one in listed}
    assert len(files) < most
    assert set(some) <= files.keys()
    assert not any(f"/{room}/" in path for path in files for room in foreign)
    for path, source in files.items():
        ast.parse(source, path, feature_version=(3, 9))
        assert "import ansible" not in source
        assert not source.startswith("#!")
