# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that shows the progress of many messages."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.plugin_utils._progress import progress_line

LINES = [
    (
        {"sent": 1198, "refused": 2, "deferred": 0, "unknown": 0, "total": 10000},
        3.0,
        "1,200 of 10,000 messages: 1,198 sent, 2 refused, 400 a second, about 22 s left",
    ),
    (
        {"sent": 5, "deferred": 1, "unknown": 2, "total": 100},
        16.0,
        "8 of 100 messages: 5 sent, 1 deferred, 2 unknown, 30 a minute, about 3 min left",
    ),
    ({"sent": 10, "total": 3010}, 20.0, "10 of 3,010 messages: 10 sent, 30 a minute, about 1 h 40 min left"),
    ({"sent": 0, "total": 300}, 10.0, "0 of 300 messages: 0 sent"),
    ({"sent": 300, "total": 300}, 10.0, "300 of 300 messages: 300 sent, 30 a second, about 0 s left"),
]


@pytest.mark.parametrize(("progress", "elapsed", "line"), LINES)
def test_progress_line_has_counts_rate_and_remaining_time(
    progress: dict[str, t.Any], elapsed: float, line: str
) -> None:
    assert progress_line(progress, elapsed) == line
