# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive the plain text of HTML, for readers that show no HTML.

Lines are not wrapped: that would break URLs, and the transfer encoding handles long lines.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

#: Elements that are never shown.
_DROPPED = frozenset({"script", "style", "title", "template", "noframes", "svg", "math"})
#: Elements that are set apart by an empty line, and those that start a line of their own.
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "table", "blockquote", "pre", "hr"})
_LINES = frozenset(
    {
        *("address", "article", "aside", "body", "caption", "center", "dd", "details", "div", "dt", "fieldset"),
        *("figcaption", "figure", "footer", "form", "header", "legend", "li", "main", "nav", "option", "section"),
        *("summary", "tbody", "tfoot", "thead", "tr"),
    }
)
_LISTS = frozenset({"ul", "ol"})
_CELLS = frozenset({"td", "th"})
_CELL_SEPARATOR = " | "
_RULE = "-" * 40
#: Starts of addresses that mean nothing outside the HTML.
_NO_ADDRESS = ("#", "javascript:", "data:", "cid:")
#: White space that HTML folds; a no-break space is not folded.
_SPACE = re.compile(r"[ \t\n\r\f]+")
#: Levels of lists and quotes that are shown; without a limit, a page of tags could make gigabytes of text.
_DEEPEST = 16
#: Characters that only tell a browser where a word may break.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")


def html_to_text(html: str) -> str:
    """Return the text of an HTML document or fragment, with LF line ends.

    A link is followed by its address in angle brackets, an image becomes its alternative text, list items have bullets
    or numbers, and the cells of a table row are on one line.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page.text()


class _Page:
    """Lines of text, each after its list marker and quote marks."""

    def __init__(self) -> None:
        self.lists: list[int] = []  # for each open list, the number of its next item; 0 for bullets
        self.quotes = 0
        self.preformatted = 0
        self._lines: list[str] = []
        self._line = ""
        self._marker = ""
        self._new_cell = self._gap = False

    def text(self) -> str:
        self.end_line()
        return "".join(f"{line}\n" for line in self._lines).replace("\u00a0", " ")

    def write(self, text: str) -> None:
        """Append to the line; white space is folded unless the text is preformatted."""
        if self._new_cell and text.strip():
            self._line = self._line.rstrip(" ") + _CELL_SEPARATOR
            self._new_cell = False
        if not self.preformatted and (not self._line or self._line.endswith(" ")):
            text = text.lstrip(" ")
        self._line += text

    def write_address(self, address: str) -> None:
        self._line = self._line.rstrip(" ")
        self.write(f" <{address}>" if self._line else f"<{address}>")

    def start_item(self) -> None:
        number = self.lists[-1] if self.lists else 0
        self._marker = f"{number}. " if number else "- "
        if number:
            self.lists[-1] += 1

    def start_cell(self) -> None:
        self._new_cell = bool(self._line.strip())

    def end_line(self) -> None:
        line, self._line, self._new_cell = self._line.rstrip(), "", False
        if line:
            if self._gap and self._lines:
                self._lines.append(("> " * min(self.quotes, _DEEPEST)).rstrip())
            self._gap = False
            self._lines.append("> " * min(self.quotes, _DEEPEST) + self._indent() + line)

    def end_paragraph(self) -> None:
        self.end_line()
        self._gap = True

    def break_line(self) -> None:
        """Break the line; a second break in a row leaves an empty line."""
        if self._line.strip():
            self.end_line()
        else:
            self._gap = True

    def _indent(self) -> str:
        outer = "  " * min(len(self.lists) - 1, _DEEPEST)
        marker, self._marker = self._marker or ("  " if self.lists else ""), ""
        return outer + marker


class _Reader(HTMLParser):
    """Parser that writes to the page. A tag that is never closed, or closed twice, does no harm."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = _Page()
        self._dropping = ""
        self._link, self._link_text = "", ""

    def updatepos(self, i: int, j: int) -> int:
        """Skip counting lines, which is not needed and would take a tenth of the time."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping:
            return
        if tag in _DROPPED:
            self._dropping = tag
            return
        self._part_from_neighbours(tag)
        page = self.page
        attributes = {name: value or "" for name, value in attrs}
        if tag == "br":
            page.break_line()
        elif tag == "hr":
            page.write(_RULE)
            page.end_paragraph()
        elif tag == "img":
            page.write(_SPACE.sub(" ", attributes.get("alt", "")))
        elif tag == "a":
            self._end_link()
            self._link, self._link_text = attributes.get("href", "").strip(), ""
        elif tag == "li":
            page.start_item()
        elif tag in _CELLS:
            page.start_cell()
        else:
            self._open(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            self._dropping = "" if tag == self._dropping else self._dropping
            return
        if tag == "a":
            self._end_link()
        page = self.page
        if tag in _LISTS:
            page.end_line()
            page.lists[-1:] = []
        self._part_from_neighbours(tag)
        if tag == "pre":
            page.preformatted = max(0, page.preformatted - 1)
        elif tag == "blockquote":
            page.quotes = max(0, page.quotes - 1)

    def handle_data(self, data: str) -> None:
        if self._dropping:
            return
        data = _INVISIBLE.sub("", data)
        self._link_text += data if self._link else ""
        if not self.page.preformatted:
            self.page.write(_SPACE.sub(" ", data))
            return
        first, *others = data.split("\n")
        self.page.write(first)
        for line in others:
            self.page.break_line()
            self.page.write(line)

    def _open(self, tag: str) -> None:
        if tag in _LISTS:
            self.page.lists.append(1 if tag == "ol" else 0)
        elif tag == "pre":
            self.page.preformatted += 1
        elif tag == "blockquote":
            self.page.quotes += 1

    def _part_from_neighbours(self, tag: str) -> None:
        if tag in _PARAGRAPHS or (tag in _LISTS and not self.page.lists):
            self.page.end_paragraph()
        elif tag in _LINES or tag in _LISTS:
            self.page.end_line()

    def _end_link(self) -> None:
        """Write the address of a link, unless the text already shows it or it means nothing outside the HTML."""
        link, text = self._link, self._link_text.strip()
        self._link = ""
        shown = {f"{scheme}{text}" for scheme in ("", "mailto:", "tel:", "http://", "https://")}
        if link and link.rstrip("/") not in shown and link not in shown and not link.lower().startswith(_NO_ADDRESS):
            self.page.write_address(link)
