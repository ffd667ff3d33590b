# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in a transaction: found, staged, put in place, put back."""

from __future__ import annotations

import getpass
import grp
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._transaction.files import (
    TransactionError,
    WantedFile,
    apply,
    find_changes,
    undo,
    write_tree,
)

OWNER = getpass.getuser()
GROUP = grp.getgrgid(os.getgid()).gr_name


def wanted(path: Path, content: str = "new", mode: int = 0o640) -> WantedFile:
    return WantedFile(str(path), content.encode(), mode, OWNER, GROUP)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_apply_and_undo(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old", tmp_path / "deep/er/fresh"
    old.write_text("before")
    old.chmod(0o604)
    changes = find_changes([wanted(old), wanted(fresh)])
    apply(changes)
    assert (old.read_text(), mode_of(old)) == ("new", 0o640)
    assert (fresh.read_text(), mode_of(fresh)) == ("new", 0o640)
    assert find_changes([wanted(old), wanted(fresh)]) == []
    undo(changes)
    assert (old.read_text(), mode_of(old)) == ("before", 0o604)
    assert not fresh.exists()


@pytest.mark.parametrize("difference", ["content", "mode", "missing"])
def test_what_counts_as_a_change(tmp_path: Path, difference: str) -> None:
    path = tmp_path / "file"
    apply(find_changes([wanted(path)]))
    if difference == "content":
        path.write_text("edited")
    elif difference == "mode":
        path.chmod(0o600)
    else:
        path.unlink()
    assert [change.wanted.path for change in find_changes([wanted(path)])] == [str(path)]


def test_an_owner_to_come_is_a_change_and_cannot_be_applied(tmp_path: Path) -> None:
    file = WantedFile(str(tmp_path / "x"), b"", owner="no-such-user", group=GROUP)
    changes = find_changes([file])
    assert len(changes) == 1
    with pytest.raises(TransactionError, match="no-such-user"):
        apply(changes)


def test_a_run_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file.mailops-new").write_text("half")
    apply(find_changes([wanted(tmp_path / "file")]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(TransactionError, match="no regular file"):
        find_changes([wanted(tmp_path / "link")])


def test_staged_tree(tmp_path: Path) -> None:
    write_tree(str(tmp_path), [WantedFile("/etc/a/b.cf", b"x", 0o600, OWNER, GROUP)])
    staged = tmp_path / "etc/a/b.cf"
    assert (staged.read_bytes(), mode_of(staged)) == (b"x", 0o600)
