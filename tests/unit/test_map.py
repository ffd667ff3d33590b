# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/design.md, the map: it names every room, and every path that it names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "docs/design.md"
MAX_LINES = 140
TOPS = ("plugins/", "roles/", "playbooks", "tests/", "docs/", "meta/", "changelogs/")
#: What the map may name in code style without it being a path.
_PATH = re.compile(r"[\w./-]+\Z")


def section(title: str) -> str:
    """The text below one heading of the map."""
    text = MAP.read_text(encoding="utf-8")
    assert f"\n## {title}\n" in text, f"{MAP.name} has no section {title!r}"
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table below one heading, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def room_folder(name: str) -> Path:
    """The folder of a room as the map names it."""
    return ROOT / ("plugins/module_utils" if name.startswith("_") else "") / name


def paths(cell: str, folder: Path | None = None) -> Iterator[Path]:
    """The paths in a cell. A bare file name is in the folder of the path before it, or in ``folder``."""
    for word in re.findall(r"`([^`]+)`", cell):
        if not _PATH.match(word) or not (word.startswith(TOPS) or re.search(r"\.\w+\Z", word) or "/" in word):
            continue
        if word.startswith(TOPS):
            path = ROOT / word
            folder = path.parent if path.suffix else path
        else:
            assert folder, f"{word} follows no path that says in which folder it is"
            path = folder / word if (folder / word).exists() else _room_above(folder) / word
        yield path


def _room_above(folder: Path) -> Path:
    """The role of a folder within a role, since a row may name several of its folders."""
    return ROOT / "roles/relay" if folder.is_relative_to(ROOT / "roles/relay") else folder


def test_the_map_fits_on_one_page():
    assert len(MAP.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_the_map_names_every_room():
    """A room is a folder with files of its own."""
    folders = {path.parent for path in (ROOT / "plugins").rglob("*.py")} | set((ROOT / "roles").iterdir())
    folders |= {path for path in (ROOT / "tests").iterdir() if path.is_dir()} | {ROOT / "playbooks"}
    folders = {path for path in folders if path.name not in ("__pycache__", "output")}
    named = {room_folder(cells[0].strip("`")) for cells in rows("Rooms")}
    assert {str(path.relative_to(ROOT)) for path in folders} == {str(path.relative_to(ROOT)) for path in named}


@pytest.mark.parametrize("cells", rows("Rooms"), ids=lambda cells: cells[0].strip("`"))
def test_the_files_to_begin_with_exist(cells):
    folder = room_folder(cells[0].strip("`"))
    for name in re.findall(r"`([^`]+)`", cells[2]):
        assert (folder / name).exists(), f"{folder.relative_to(ROOT)} has no {name}"


@pytest.mark.parametrize("cells", rows("To change something"), ids=lambda cells: cells[0])
def test_the_paths_of_a_change_exist(cells):
    for cell in cells[1:]:
        found = list(paths(cell))
        assert found, f"{cells[0]}: no path in {cell!r}"
        assert [str(path.relative_to(ROOT)) for path in found if not path.exists()] == []


def test_other_paths_of_the_map_exist():
    words = re.findall(r"`([^`]+)`", section("Rules"))
    wanted = [word for word in words if word.startswith((*TOPS, "_")) and "/" in word]
    assert wanted
    missing = [word for word in wanted if not (ROOT / word).exists() and not room_folder(word).exists()]
    assert missing == []


def test_the_list_of_decisions_is_complete():
    """The pages of docs/decisions are listed on its first page."""
    folder = ROOT / "docs/decisions"
    listed = set(re.findall(r"\((\w+)\.md\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.stem for path in folder.glob("*.md")} - {"README"}
