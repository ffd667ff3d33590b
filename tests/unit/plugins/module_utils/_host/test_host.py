# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file or a program that cannot be asked is unknown with its reason; nothing is waited for without an end."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._host import host as host_module
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

#: What is at the path, and why it is not known; empty if it is.
PLACES: list[tuple[t.Callable[[Path], object], bytes | None, str]] = [
    (lambda path: path.write_bytes(b"text"), b"text", ""),
    (lambda path: None, None, ""),
    (lambda path: path.mkdir(), None, "/f cannot be read: Is a directory."),
    (os.mkfifo, None, "/f cannot be read: It is not a file."),
    (lambda path: path.symlink_to("/dev/zero"), None, "/f cannot be read: It is not a file."),
    (lambda path: path.symlink_to("f"), None, "/f cannot be read: Too many levels of symbolic links."),
    (lambda path: path.write_bytes(b"x" * 2000), None, "/f cannot be read: It is larger than 0 MB."),
]


@pytest.mark.parametrize(("make", "content", "reason"), PLACES)
def test_content_of_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: t.Callable[[Path], object],
    content: bytes | None,
    reason: str,
) -> None:
    monkeypatch.setattr(host_module, "_MOST_OCTETS", 1000)
    host = FakeHost(tmp_path)
    make(tmp_path / "f")
    assert host.octets("x", "/f") == content
    assert host.reasons() == ({"x": reason} if reason else {})


#: Exit code and complaint of a program, and why the fact is not known.
ANSWERS = [
    (0, "", ""),
    (127, "", "tool is not installed."),
    (124, "", "tool did not answer in time."),
    (1, "first\nlast one.\n", "tool failed: last one."),
    (2, "", "tool failed: exit code 2."),
]


@pytest.mark.parametrize(("code", "complaint", "reason"), ANSWERS)
def test_answer_of_a_program(tmp_path: Path, code: int, complaint: str, reason: str) -> None:
    host = FakeHost(tmp_path, tool=(code, "output" if code == 0 else "", complaint))
    assert host.ask("x", "env", "TZ=UTC", "tool", "--all") == (None if reason else "output")
    assert host.reasons() == ({"x": reason} if reason else {})


def test_a_reason_is_told_once(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    for _time in range(2):
        host.cannot("x", "No.")
    assert len(host.unknown) == 1
