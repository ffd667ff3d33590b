# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of hosts and servers, made harmless for every format: a banner may hold anything."""

from __future__ import annotations

import json
import re
import typing as t

#: What XML 1.0 cannot hold (section 2.2), what moves a terminal's cursor, and what reverses the text that follows.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_REPLACEMENT = "\ufffd"


def clean(text: str) -> str:
    """``text`` with a replacement character for each character that no report can show."""
    return _HARMFUL.sub(_REPLACEMENT, text)


def one_line(text: str) -> str:
    """``text``, clean, on one line."""
    return " ".join(clean(text).split())


def json_lines(document: dict[str, t.Any], items: t.Iterable[t.Any]) -> str:
    """``document`` as JSON, with the items, a line each, in the empty list that it ends with.

    The items are made one by one, since those of a large fleet take ten times as much room as their text.
    """
    head, bracket, end = json.dumps(document).rpartition("[")
    lines = ",\n".join(json.dumps(item) for item in items)
    return f"{head}{bracket}\n{lines}\n{end}\n"
