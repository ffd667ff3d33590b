# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that is derived from HTML: lines, lists and tables, without the HTML itself."""

from __future__ import annotations

import re
import typing as t
import unicodedata

#: Parts of a table, in their order: a browser shows the foot last.
HEAD, BODY, FOOT = range(3)

_SEPARATOR = " | "
#: A table is aligned if its last column starts in this column of the text or before.
_ALIGNED = 60
#: Columns into which a cell may span; more would only inflate the text.
_WIDEST = 100
#: Lines of a cell that still have a place in one line of text.
_CELL_LINES = 3
#: A line of only these characters is empty.
_FILLER = " \u00a0\u200c\u200d\u2007"
_NUMBERING = re.compile(r"lower-alpha|lower-latin|upper-alpha|upper-latin|(?:lower|upper)-roman|none")
_STYLES = {"lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A"}
_STYLES.update({"lower-roman": "i", "upper-roman": "I", "none": ""})
_ROMAN = {1000: "m", 900: "cm", 500: "d", 400: "cd", 100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v"}
_ROMAN.update({4: "iv", 1: "i"})


class Page:
    """Lines of text: those of the document, of a list item, a quote or a table cell."""

    def __init__(self, preformatted: int = 0) -> None:
        self.lines: list[str] = []
        self.preformatted = preformatted
        self.has_columns = False
        self._line = ""
        self._starts_with_gap = self._gap = False

    @property
    def is_simple(self) -> bool:
        """Whether the text may share a line with others."""
        return not self.has_columns and len(self.lines) <= _CELL_LINES and "" not in self.lines

    def write(self, text: str) -> None:
        """Append to the line; white space is already folded, but not at the start of the line."""
        if not self.preformatted and (not self._line or self._line.endswith(" ")):
            text = text.lstrip(" ")
        self._line += text

    def write_lines(self, text: str) -> None:
        """Write preformatted text."""
        first, *others = text.split("\n")
        self.write(first)
        for line in others:
            self.append([self._line.rstrip()])
            self._line = line

    def write_address(self, address: str, after_text: bool) -> None:
        """Write the address of a link; after text that ended its line, it goes there."""
        self._line = self._line.rstrip(" ")
        if not self._line and after_text and self.lines:
            self.lines[-1] += f" <{address}>"
        else:
            self.write(f" <{address}>" if self._line else f"<{address}>")

    def end_line(self) -> None:
        line, self._line = self._line.rstrip(), ""
        if line.strip(_FILLER):
            self.append([line])

    def end_paragraph(self) -> None:
        self.end_line()
        self._gap = True

    def break_line(self) -> None:
        """Break the line; a second break in a row leaves an empty line."""
        if self.preformatted:
            self.write_lines("\n")
        elif self._line.strip():
            self.end_line()
        else:
            self._gap = True

    def append(self, lines: t.Sequence[str]) -> None:
        if self._gap and self.lines:
            self.lines.append("")
        elif self._gap:
            self._starts_with_gap = True
        self._gap = False
        self.lines += lines

    def absorb(self, other: Page, first: str = "", further: str = "") -> None:
        """Append the lines of another page, with a margin before the first and the further ones."""
        if other.lines:
            self.end_line()
            self._gap = self._gap or other._starts_with_gap
            self.append([((further if index else first) + line).rstrip() for index, line in enumerate(other.lines)])
            self._gap = other._gap
            self.has_columns = self.has_columns or other.has_columns


class Cell(t.NamedTuple):
    page: Page
    is_heading: bool
    columns: int
    rows: int


class Table:
    """The rows of a table, each with the number of its section."""

    def __init__(self, for_layout: bool) -> None:
        self._rows: list[tuple[int, list[Cell]]] = []
        self._section = BODY
        self._in_row = False
        self._for_layout = for_layout

    def start_section(self, section: int) -> None:
        self._section = section

    def end_section(self) -> None:
        self._section = BODY

    def start_row(self) -> None:
        self._rows.append((self._section, []))
        self._in_row = True

    def end_row(self) -> None:
        self._in_row = False

    def current_row(self) -> list[Cell]:
        """Return the cells of the current row; a cell outside rows begins one."""
        if not self._in_row:
            self.start_row()
        return self._rows[-1][1]

    def write(self, page: Page) -> None:
        """Write the table: its cells one below the other if it only arranges them, otherwise its rows."""
        page.end_line()
        rows = sorted(self._rows, key=lambda row: row[0])
        cells = [cell for _section, row in rows for cell in row]
        grid = _without_empty_columns(_grid([row for _section, row in rows]))
        headings = _count_headings(rows)
        is_simple = all(cell.page.is_simple for cell in cells)
        if self._for_layout or max(map(len, grid), default=0) <= 1 or not (is_simple or headings):
            for cell in cells:
                page.absorb(cell.page)
                page.end_line()
            return
        page.has_columns = True
        texts = [[" / ".join(lines) for lines in row] for row in grid]
        widths = [max(map(_width, column)) for column in zip(*[row for row in texts if len(row) > 1])]
        if is_simple and sum(widths[:-1]) + len(_SEPARATOR) * (len(widths) - 1) <= _ALIGNED:
            page.append([_joined(row, widths) for row in texts if any(row)])
        elif headings:
            _write_records(page, texts[:headings], grid[headings:])
        else:
            page.append([_joined(row, [0] * len(widths)) for row in texts if any(row)])


def _count_headings(rows: t.Sequence[tuple[int, t.Sequence[Cell]]]) -> int:
    """Return how many rows at the start have only headings; 0 if there is nothing below them."""
    for number, (section, cells) in enumerate(rows):
        are_headings = any(cell.is_heading for cell in cells) and all(
            cell.is_heading or not cell.page.lines for cell in cells
        )
        if section != HEAD and not are_headings:
            return number
    return 0


def _grid(rows: t.Sequence[t.Sequence[Cell]]) -> list[list[list[str]]]:
    """Return rows of equal length, each column with its lines; a row of one cell over all columns has only that one.

    A cell that spans rows is repeated in each; the further columns of a cell are empty.
    """
    grid: list[dict[int, list[str]]] = []
    held: dict[int, tuple[int, list[str]]] = {}
    for cells in rows:
        row = {column: lines for column, (_rows, lines) in held.items()}
        held = {column: (rows_left - 1, lines) for column, (rows_left, lines) in held.items() if rows_left > 1}
        column = 0
        for cell in cells:
            while column in row:
                column += 1
            for spanned in range(column, max(column + 1, min(column + cell.columns, _WIDEST))):
                row[spanned] = [] if spanned > column else cell.page.lines
                if cell.rows > 1 and spanned < _WIDEST:
                    held[spanned] = (cell.rows - 1, row[spanned])
        grid.append(row)
    width = max([max(row) + 1 for row in grid if row], default=0)
    return [
        [row[0]] if len(cells) == 1 and cells[0].columns >= width > 1 else [row.get(i, []) for i in range(width)]
        for row, cells in zip(grid, rows)
    ]


def _without_empty_columns(grid: list[list[list[str]]]) -> list[list[list[str]]]:
    shown = [any(column) for column in zip(*[row for row in grid if len(row) > 1])]
    return [[cell for cell, is_shown in zip(row, shown) if is_shown] if len(row) > 1 else row for row in grid]


def _joined(row: t.Sequence[str], widths: t.Sequence[int]) -> str:
    if len(row) == 1:
        return row[0]
    return _SEPARATOR.join([text + " " * (width - _width(text)) for text, width in zip(row, widths)]).rstrip()


def _write_records(page: Page, headings: t.Sequence[t.Sequence[str]], rows: t.Sequence[list[list[str]]]) -> None:
    """Write each row as a paragraph, with a line such as ``State: FAILED`` for each cell."""
    for title in headings:
        if len(title) == 1:
            page.append(title)
    names = [" ".join(filter(None, column)) for column in zip(*[row for row in headings if len(row) > 1])]
    for row in filter(any, rows):
        page.end_paragraph()
        for name, lines in zip(names if len(row) > 1 else [""], row):
            start = f"{name}: " if name else ""
            page.append([(start + line).rstrip() for line in lines or [""]] if len(lines) < 2 else [])
            page.append([start.rstrip(), *(f"  {line}".rstrip() for line in lines)] if len(lines) > 1 else [])


def _width(text: str) -> int:
    """Return the columns that the text takes in a font of fixed width."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.category(character) in ("Mn", "Me", "Cf") for character in text)


def leading_number(text: str, default: int) -> int:
    """Return the number that an attribute starts with."""
    match = re.match(r"\s*([+-]?[0-9]{1,9})", text)
    return int(match.group(1)) if match else default


def write_items(page: Page, items: t.Sequence[tuple[str, Page]], style: str, start: str, step: int) -> None:
    """Write the items of a list, each with its marker.

    :param items: the number that an item sets, or an empty text, and its lines.
    :param style: style of the markers, see ``list_style``; empty for bullets.
    :param start: number of the first item; empty for 1, or for the number of items if the step is negative.
    """
    number = leading_number(start, len(items) if step < 0 else 1)
    for value, lines in items:
        number = leading_number(value, number)
        marker = _marker(style, number)
        page.absorb(lines, marker, " " * len(marker))
        number += step


def list_style(kind: str, css: str) -> str:
    """Return the style of an ordered list: ``1``, ``a``, ``A``, ``i`` or ``I``, or empty for bullets.

    :param kind: the attribute type.
    :param css: the value of list-style-type or list-style.
    """
    found = _NUMBERING.search(css)
    return _STYLES[found.group()] if found else kind.strip()[:1] or "1"


def _marker(style: str, number: int) -> str:
    if not style:
        return "- "
    text = str(number)
    if style in "aA" and number > 0:
        text, rest = "", number
        while rest:
            rest, letter = divmod(rest - 1, 26)
            text = chr(ord("a") + letter) + text
    elif style in "iI" and 0 < number < 4000:
        text = ""
        for value, letters in _ROMAN.items():
            count, number = divmod(number, value)
            text += letters * count
    return f"{text.upper() if style.isupper() else text}. "
