# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the scripts have in common that write a Markdown page from data."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Writes every page anew.
COMMAND = "make docs"
#: Columns of Markdown; .pymarkdown.yml has the same number.
WIDTH = 120


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """A paragraph or an item of a list, in lines of at most :data:`WIDTH` columns.

    :param first: what the first line begins with, such as ``- ``.
    :param rest: what every other line begins with; without it, as many blanks.
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
    """The text, its bare URLs in angle brackets, as Markdown has them."""
    return re.sub(r"(?<![<(\"`])\bhttps?://[^\s>]*[^\s>.,;:)]", r"<\g<0>>", text)


def write(page: Path, text: str) -> None:
    """Write the page, and tell its name."""
    page.write_text(text, encoding="utf-8")
    print(page.relative_to(ROOT))
