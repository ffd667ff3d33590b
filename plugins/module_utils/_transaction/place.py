# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a configuration a program found something, read from what it said."""

from __future__ import annotations

import re
import typing as t


class FileLine(t.NamedTuple):
    """:ivar line: counted from 1; ``None`` when only the file was named."""

    file: str | None
    line: int | None


def find_place(text: str, paths: t.Iterable[str]) -> FileLine:
    """The first of the paths that the text names with a line, or else the first it names at all.

    Read are ``PATH:12``, ``PATH: line 12``, ``PATH, line 12`` and ``PATH line 12``.
    """
    named: list[tuple[int, FileLine]] = []
    for path in paths:
        for match in re.finditer(rf"(?<![\w./-]){re.escape(path)}(?![\w/-]|\.\w)(?:[:,]? line |:)?(\d+)?", text):
            line = int(match.group(1)) if match.group(1) else None
            named.append((match.start(), FileLine(path, line)))
    named.sort(key=lambda found: (found[1].line is None, found[0]))
    return named[0][1] if named else FileLine(None, None)
