# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests of the lab: no log is read from a whole second, in which an earlier test may have logged the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[1] / "lab/suite"
WHOLE_SECOND = re.compile(r"date \+@?%s(?!\.%N)")


def test_no_moment_is_a_whole_second() -> None:
    """``journal_from_now`` marks a moment of the journal, and ``%s.%N`` one of the clock."""
    files = sorted(SUITE.rglob("*.py"))
    assert len(files) > 20
    assert [str(path) for path in files if WHOLE_SECOND.search(path.read_text())] == []


@pytest.mark.parametrize(("line", "found"), [("date +%s", True), ("date +@%s", True), ("date +%s.%N", False)])
def test_whole_second_is_found(line: str, found: bool) -> None:
    assert bool(WHOLE_SECOND.search(line)) is found
