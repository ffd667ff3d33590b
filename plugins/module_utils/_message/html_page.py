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
#: A table repeats what spans rows, and headings, up to this many times the text of its cells, and this much more.
_REPEATED, _REPEATED_MORE = 20, 50_000
#: Lines of a cell that still have a place in one line of text.
_CELL_LINES = 3
#: A line of only these characters is empty.
_FILLER = " \u00a0\u200c\u200d\u2007"
#: In place of the lines of a cell, in the further columns of one that spans them.
_SPANNED: list[str] = []
#: Put around text that is struck out.
_STRIKE = "~~"
#: Characters of a line that are rewritten at most.
_SHORT = 100
_NUMBERING = re.compile(r"lower-alpha|lower-latin|upper-alpha|upper-latin|(?:lower|upper)-roman|none")
_STYLES = {"lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A"}
_STYLES.update({"lower-roman": "i", "upper-roman": "I", "none": ""})
_ROMAN = {1000: "m", 900: "cm", 500: "d", 400: "cd", 100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v"}
_ROMAN.update({4: "iv", 1: "i"})


class Page:
    """Lines of text: those of the document, of a list item, a quote or a table cell."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.has_columns = False
        self._parts: list[str] = []  # of the line that is being written
        self._struck = 0  # how many of them were there when the last was struck out
        self._starts_with_gap = self._gap = self._is_apart = False

    @property
    def is_simple(self) -> bool:
        """Whether the text may share a line with others."""
        return not self.has_columns and len(self.lines) <= _CELL_LINES and "" not in self.lines

    @property
    def place(self) -> tuple[int, int]:
        """The place where the next text goes."""
        return len(self.lines), len(self._parts)

    def write(self, text: str, is_struck: bool = False, keeps_space: bool = False) -> None:
        """Append to the line; white space is already folded, but not at the start of the line."""
        parts = self._parts
        if not keeps_space and (not parts or parts[-1].endswith(" ")):
            text = text.lstrip(" ")
        if self._is_apart and parts and _ends_word(parts[-1]) and text[:1].isalnum():
            text = f" {text}"
        if text:
            self._is_apart = False
        if is_struck and text.strip():
            self._strike(text)
        elif text:
            parts.append(text)

    def _strike(self, text: str) -> None:
        start, text, end = text.partition(text.strip(" "))
        if self._parts[-1:] == [_STRIKE]:
            self._parts.pop()
        elif self._struck == len(self._parts) and self._parts[-2:] == [_STRIKE, " "]:
            del self._parts[-2]
        else:
            start += _STRIKE
        self._parts += filter(None, [start, text, _STRIKE, end])
        self._struck = len(self._parts)

    def part(self) -> None:
        """Keep what follows from being read as one word with what is before."""
        self._is_apart = True

    def write_lines(self, text: str, is_struck: bool = False) -> None:
        """Write preformatted text."""
        first, *others = text.split("\n")
        self.write(first, is_struck, keeps_space=True)
        for line in others:
            self.append(["".join(self._parts).rstrip()])
            self._parts.clear()
            self.write(line, is_struck, keeps_space=True)

    def write_address(self, address: str, after_text: bool) -> None:
        """Write the address of a link; after text that ended its line, it goes there."""
        while self._parts and not self._parts[-1].strip(" "):
            self._parts.pop()
        if self._parts:
            self._parts[-1] = self._parts[-1].rstrip(" ")
            self.write(f" <{address}>")
        elif after_text and self.lines:
            self.lines[-1] += f" <{address}>"
        else:
            self.write(f"<{address}>")

    def rewrite(self, place: tuple[int, int], change: t.Callable[[str, str], str]) -> None:
        """Change what was written since a place, if it is short and on one line.

        :param change: gets what was written, and the end of what is before it.
        """
        lines, start = place
        if lines == len(self.lines) and start < len(self._parts) <= start + _SHORT:
            written, before = "".join(self._parts[start:]), self._parts[start - 1] if start else ""
            self._parts[start:] = [change(written, before) if len(written) <= _SHORT else written]

    def end_line(self) -> bool:
        """End the line; return whether it shows anything."""
        line = "".join(self._parts).rstrip()
        self._parts.clear()
        if not line.strip(_FILLER):
            return False
        self.append([line])
        return True

    def end_paragraph(self) -> None:
        self.end_line()
        self._gap = True

    def break_line(self) -> None:
        """Break the line; a second break in a row leaves an empty line."""
        if not self.end_line():
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


def _ends_word(text: str) -> bool:
    return text[-1].isalnum() or text[-1] in "%]"


class Cell(t.NamedTuple):
    page: Page
    is_heading: bool
    columns: int
    rows: int


class Table:
    """The rows of a table, each with the number of its section."""

    def __init__(self, page: Page, for_layout: bool) -> None:
        self.page = page
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

    def write(self) -> None:
        """Write the table: its cells one below the other if it only arranges them, otherwise its rows."""
        page = self.page
        page.end_line()
        rows = sorted(self._rows, key=lambda row: row[0])
        cells = [cell for _section, row in rows for cell in row]
        headings = _count_headings(rows)
        is_simple = all(cell.page.is_simple for cell in cells)
        placed = _grid([row for _section, row in rows])
        grid = _without_empty_columns(placed) if _is_bounded(placed, cells, headings) else []
        if not any(len(row) > 1 and any(row) for row in grid[headings:]):
            headings = 0  # nothing would name them
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
            _write_records(page, grid[:headings], grid[headings:])
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
                row[spanned] = _SPANNED if spanned > column else cell.page.lines
                if cell.rows > 1 and spanned < _WIDEST:
                    held[spanned] = (cell.rows - 1, row[spanned])
        grid.append(row)
    width = max([max(row) + 1 for row in grid if row], default=0)
    if width * len(grid) > _WIDEST * sum(map(len, rows)):
        return []
    return [
        [row[0]] if len(cells) == 1 and cells[0].columns >= width > 1 else [row.get(i, []) for i in range(width)]
        for row, cells in zip(grid, rows)
    ]


def _is_bounded(grid: list[list[list[str]]], cells: t.Sequence[Cell], headings: int) -> bool:
    """Return whether the rows are not much longer than the cells; a page of tags could make gigabytes of text."""
    sizes = [sum(len(line) for lines in row for line in lines) for row in grid]
    own = sum(len(line) + 1 for cell in cells for line in cell.page.lines)
    return sum(sizes) + sum(sizes[:headings]) * len(grid) <= _REPEATED * own + _REPEATED_MORE


def _without_empty_columns(grid: list[list[list[str]]]) -> list[list[list[str]]]:
    shown = [any(column) for column in zip(*[row for row in grid if len(row) > 1])]
    return [[cell for cell, is_shown in zip(row, shown) if is_shown] if len(row) > 1 else row for row in grid]


def _joined(row: t.Sequence[str], widths: t.Sequence[int]) -> str:
    if len(row) == 1:
        return row[0]
    return _SEPARATOR.join([text + " " * (width - _width(text)) for text, width in zip(row, widths)]).rstrip()


def _write_records(page: Page, headings: t.Sequence[list[list[str]]], rows: t.Sequence[list[list[str]]]) -> None:
    """Write each row as a paragraph, with a line such as ``State: FAILED`` for each cell.

    A heading that spans columns stands before the heading of each.
    """
    above: list[list[str]] = []
    for row in headings:
        if len(row) == 1:
            page.append(row[0])
            continue
        above.append([])
        for lines in row:
            above[-1].append(above[-1][-1] if lines is _SPANNED and above[-1] else " / ".join(lines))
    names = [" ".join(filter(None, dict.fromkeys(column))) for column in zip(*above)]
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


def write_options(page: Page, options: t.Sequence[tuple[str, Page]], is_open: bool) -> None:
    """Write the selected option of a menu, or if it is open each option with a box.

    :param options: a text that is not empty if the option is selected, and its lines.
    """
    if is_open:
        for selected, lines in options:
            page.absorb(lines, "[x] " if selected else "[ ] ", "    ")
    else:
        shown = [lines for selected, lines in options if selected][-1:] or [lines for _selected, lines in options[:1]]
        page.write(" ".join(line for lines in shown for line in lines.lines))


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
