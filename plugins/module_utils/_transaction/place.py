# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file and line to which a program's error message points."""

from __future__ import annotations

import re
import typing as t


class FileLine(t.NamedTuple):
    """A place in a configuration.

    :ivar file: ``None`` if the message names no known file.
    :ivar line: counted from 1; ``None`` if the message names no line.
    """

    file: str | None
    line: int | None


def find_place(text: str, paths: t.Iterable[str]) -> FileLine:
    """Return the first of the paths that the text names with a line, or else the first that it names.

    Recognised forms are ``PATH:12``, ``PATH: line 12``, ``PATH, line 12`` and ``PATH line 12``.
    """
    named: list[tuple[int, FileLine]] = []
    for path in paths:
        for match in re.finditer(rf"(?<![\w./-]){re.escape(path)}(?![\w/-]|\.\w)(?:[:,]? line |:)?(\d+)?", text):
            line = int(match.group(1)) if match.group(1) else None
            named.append((match.start(), FileLine(path, line)))
    named.sort(key=lambda found: (found[1].line is None, found[0]))
    return named[0][1] if named else FileLine(None, None)
