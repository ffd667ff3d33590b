# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the controller hands many messages to the host that sends them: one a line, with its line in the user's file.

The first line names that file, or holds null where the messages stood in the task.
"""

from __future__ import annotations

import json
import typing as t
from datetime import date

from .rows import JsonLines, Names


class SpoolWriter:
    """Writes messages one by one."""

    def __init__(self, stream: t.IO[str], label: str | None) -> None:
        self._stream = stream
        self._line(label)

    def add(self, line: int, options: t.Mapping[str, t.Any]) -> None:
        """:raises TypeError: a value that JSON cannot hold."""
        self._line([line, options])

    def _line(self, value: t.Any) -> None:
        self._stream.write(_ENCODER.encode(value) + "\n")


def _plain(value: t.Any) -> str:
    if isinstance(value, date):  # what YAML makes of 2026-11-22
        return value.isoformat()
    raise TypeError(f"expected text, a number, a list or a mapping, got {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


class Spool(JsonLines):
    """Reads them; every key is an option, for whoever wrote them knows which are."""

    def __init__(self, path: str) -> None:
        super().__init__(path, Names(frozenset(), frozenset()))
        self._origin: str | None = json.loads(self._text(0))
        del self._starts[0], self._lines[0]

    def _options(self, index: int, text: str) -> dict[str, t.Any]:
        options: dict[str, t.Any] = json.loads(text)[1]
        return options

    def where(self, index: int) -> str:
        """File and line, or place in the option ``messages``."""
        if self._origin is None:
            return f"messages[{index}]"
        return f"{self._origin}, line {json.loads(self._text(index))[0]}"
