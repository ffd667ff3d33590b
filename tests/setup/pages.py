# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions for scripts that generate a Markdown page."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: The command that generates every page.
COMMAND = "make docs"
#: Line length of Markdown, in columns; the same as in .pymarkdown.yml.
WIDTH = 120


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """Wrap a paragraph or a list item to at most :data:`WIDTH` columns.

    :param first: prefix of the first line, such as ``- ``.
    :param rest: prefix of the other lines; by default, spaces of the same width.
    """
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def linked(text: str) -> str:
    """Return the text with bare URLs in angle brackets."""
    return re.sub(r"(?<![<(\"`])\bhttps?://[^\s>]*[^\s>.,;:)]", r"<\g<0>>", text)


def write(page: Path, text: str) -> None:
    """Write the page, and print its path."""
    page.write_text(text, encoding="utf-8")
    print(page.relative_to(ROOT))
