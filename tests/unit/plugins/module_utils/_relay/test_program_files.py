# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of each program that a relay gets."""

from __future__ import annotations

import ast

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.program_files import PROGRAMS, program_files

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
]


def test_the_table_has_every_program() -> None:
    assert [name for name, *_rest in FILES] == list(PROGRAMS)


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
