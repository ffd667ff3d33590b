# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive the plain text of HTML, for readers that show no HTML.

Lines are not wrapped: that would break URLs, and the transfer encoding handles long lines.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import unquote

from .html_page import BODY, FOOT, HEAD, Cell, Page, Table, leading_number, list_style, write_items
from .html_style import Styles, blanks, is_removed, read_attributes

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param", "source", "track"]
)
_PREFORMATTED = frozenset({"pre", "listing", "xmp", "textarea"})
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_CELLS = frozenset({"td", "th"})
_SECTIONS = {"thead": HEAD, "tbody": BODY, "tfoot": FOOT}
#: Elements that are set apart by an empty line, and those that start a line of their own.
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "table", "blockquote", "pre", "listing", "xmp"})
_LINES = frozenset(
    {
        *("address", "article", "aside", "body", "caption", "center", "dd", "details", "dialog", "div", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "legend", "li", "main", "nav"),
        *("option", "search", "section", "summary", "textarea", "tr", *_SECTIONS),
    }
)
_BLOCKS = _PARAGRAPHS | _LINES | _LISTS | _CELLS
#: Start of each line within these elements.
_MARGINS = {"blockquote": "> ", "dd": "  "}
#: What a browser shows around these elements, or another way to see that the text is struck out.
_MARKS = {"q": '"', "del": "~~", "s": "~~", "strike": "~~"}

_Tags = frozenset[str]
_TABLE_ENDS: _Tags = frozenset({"table"})
_CELL_ENDS: _Tags = _CELLS | _TABLE_ENDS
#: For each tag, the open elements that it ends, and those beyond which it ends none.
_IMPLIED: t.Mapping[str, tuple[_Tags, _Tags]] = {
    "a": (frozenset({"a"}), _CELL_ENDS),
    "li": (frozenset({"li"}), _CELL_ENDS | _LISTS),
    **dict.fromkeys(("dt", "dd"), (frozenset({"dt", "dd"}), _CELL_ENDS | {"dl"})),
    "option": (frozenset({"option"}), _CELL_ENDS),
    **dict.fromkeys(_CELLS, (_CELLS, _TABLE_ENDS)),
    "tr": (_CELLS | {"tr"}, _TABLE_ENDS),
    **dict.fromkeys(_SECTIONS, (_CELLS | {"tr", "caption", *_SECTIONS}, _TABLE_ENDS)),
}
_ENDS_PARAGRAPH = (frozenset({"p"}), _CELL_ENDS)

_RULE = "-" * 40
#: Levels of lists, quotes and tables that are shown; without a limit, a page of tags could make gigabytes of text.
_DEEPEST = 16
#: Starts of addresses that mean nothing outside the HTML.
_NO_ADDRESS = ("#", "javascript:", "vbscript:", "data:", "cid:", "about:", "blob:")
#: White space that HTML folds; a no-break space is not folded.
_SPACE = re.compile(r"[ \t\n\r\f]+")
#: Characters that only tell a browser where a word may break, and others that fill a hidden preview.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u034f]")
#: Values of the style ``white-space`` that keep it.
_KEEPS_SPACE = frozenset({"pre", "pre-wrap", "break-spaces"})


def html_to_text(html: str) -> str:
    """Return the text of an HTML document or fragment, with LF line ends.

    A link is followed by its address in angle brackets, an image becomes its alternative text, and list items have
    bullets or numbers. The cells of a table row are on one line, each under its heading; a table that is too wide for
    that names the heading before each cell. Text that the HTML hides is left out.
    """
    html = html.replace("\r\n", "\n").replace("\r", "\n")
    reader = _Reader(Styles(html))
    reader.feed(html)
    reader.close()
    return "".join([f"{line}\n" for line in reader.page.lines]).replace("\u00a0", " ")


def _essence(address: str) -> str:
    """Return an address without the parts that a reader does not miss: scheme, final slash, subject of a message."""
    address = unquote(_SPACE.sub(" ", address)).strip().lower()
    scheme, _colon, rest = address.partition(":")
    if scheme == "mailto":
        return rest.partition("?")[0]
    return re.sub(r"^(?:https?://(?:www\.)?|tel:)", "", address).rstrip("/")


class _Element:
    """An open element.

    :param blank: for which styles the text around it is not shown.
    :param items: of a list: the number that an item sets, and its page.
    """

    def __init__(self, tag: str, blank: frozenset[str], close: t.Callable[[], None] | None = None) -> None:
        self.tag = tag
        self.blank = blank
        self.close = close
        self.is_shown = True
        self.items: list[tuple[str, Page]] | None = None


class _Reader(HTMLParser):
    """Parser that writes to the page. As in a browser, a tag that is never closed, or closed twice, does no harm."""

    def __init__(self, styles: Styles) -> None:
        super().__init__(convert_charrefs=True)
        self._styles = styles
        self._pages = [Page()]
        self._tables: list[Table] = []
        self._open: list[_Element] = []
        self._count: Counter[str] = Counter()
        self._hidden = 0
        self._blank: frozenset[str] = frozenset()
        self._link_text = ""
        self._skip_line_end = False
        self._openers: dict[str, t.Callable[[_Element, dict[str, str]], None]] = {
            "a": self._open_link,
            "li": self._open_item,
            "table": self._open_table,
            "tr": self._open_row,
            **dict.fromkeys(_CELLS, self._open_cell),
            **dict.fromkeys(_LISTS, self._open_list),
            **dict.fromkeys(_MARGINS, self._open_margin),
            **dict.fromkeys(_MARKS, self._open_mark),
            **dict.fromkeys(_SECTIONS, self._open_section),
        }

    @property
    def page(self) -> Page:
        return self._pages[-1]

    def updatepos(self, i: int, j: int) -> int:
        """Skip counting lines, which is not needed and would take a tenth of the time."""
        return j

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Read ``<![if !mso]>`` as a comment, as browsers do; HTMLParser fails at some of them."""
        return self.parse_bogus_comment(i)

    def close(self) -> None:
        super().close()
        while self._open:
            self._pop()
        self.page.end_line()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        closes, barrier = _IMPLIED.get(tag, _ENDS_PARAGRAPH)
        if tag in _BLOCKS or tag in _IMPLIED:
            while self._close(closes, barrier):
                pass
        if tag != "li":
            self._return_to_item()
        text = self.get_starttag_text() or ""
        if attrs and "&" in text:
            attrs = read_attributes(text)
        attributes = {name: value or "" for name, value in reversed(attrs)}  # the first of a name counts
        style = self._styles.of(tag, attributes)
        is_hidden = self._hidden > 0 or is_removed(tag, attributes, style)
        if tag in _VOID:
            if not is_hidden:
                self._write_void(tag, attributes, bool(blanks(style, self._blank) - {"font-size"}))
            return
        element = _Element(tag, self._blank)
        if is_hidden:
            element.is_shown = False
            self._hidden += 1
        else:
            self._part(tag)
            self._blank = blanks(style, self._blank)
            self._enter(element, attributes, style)
        is_marked = not element.is_shown or element.close or self._blank != element.blank
        if is_marked or tag in _BLOCKS or tag == "sup" or self._count[tag]:
            self._push(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":  # as a browser reads it
            self.handle_starttag(tag, [])
        if tag in _LISTS and not self._count[tag]:  # for items outside a list
            self._close(frozenset({"li"}), _CELL_ENDS)
            self._part(tag)
        self._close(frozenset({tag}), _TABLE_ENDS if tag == "table" else _IMPLIED.get(tag, _ENDS_PARAGRAPH)[1])

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        data = "" if "font-size" in self._blank else " " if self._blank else _INVISIBLE.sub("", data)
        if not data.isspace():
            self._return_to_item()
        if self._skip_line_end and data.startswith("\n"):
            data = data[1:]
        self._skip_line_end = False
        self._link_text += data
        if self._count["sup"] and data.strip()[:1].isdigit():
            data = f"^{data.strip()}"  # 10^6, not 106
        if self.page.preformatted:
            self.page.write_lines(data)
        else:
            self.page.write(_SPACE.sub(" ", data))

    def _close(self, tags: _Tags, barrier: _Tags) -> bool:
        """Close the innermost open element of these tags, and what is open in it; return whether there was one."""
        if tags.isdisjoint(self._count):
            return False
        for index in range(len(self._open) - 1, -1, -1):
            tag = self._open[index].tag
            if tag in tags:
                if tag in _BLOCKS:
                    while len(self._open) > index:
                        self._pop()
                else:  # a block that began in a link or the like goes on
                    self._pop(index)
                return True
            if tag in barrier:
                break
        return False

    def _push(self, element: _Element) -> None:
        self._open.append(element)
        self._count[element.tag] += 1

    def _pop(self, index: int = -1) -> None:
        element = self._open.pop(index)
        if index in (-1, len(self._open)):
            self._blank = element.blank
        else:
            self._open[index].blank = element.blank
        self._count[element.tag] -= 1
        if not self._count[element.tag]:
            del self._count[element.tag]
        if element.is_shown:
            if element.close:
                element.close()
            self._part(element.tag)
        else:
            self._hidden -= 1

    def _part(self, tag: str) -> None:
        """Part a block from its neighbours."""
        if tag in _PARAGRAPHS or (tag in _LISTS and _LISTS.isdisjoint(self._count)):
            self.page.end_paragraph()
        elif tag in _LINES or tag in _LISTS:
            self.page.end_line()

    def _enter(self, element: _Element, attributes: dict[str, str], style: dict[str, str]) -> None:
        opener = self._openers.get(element.tag)
        if opener:
            attributes["style"] = style.get("list-style-type") or style.get("list-style", "")
            opener(element, attributes)
        elif element.tag in _PREFORMATTED or style.get("white-space") in _KEEPS_SPACE:
            self._open_preformatted(element)

    def _write_void(self, tag: str, attributes: dict[str, str], is_blank: bool) -> None:
        page, kind = self.page, attributes.get("type", "").lower()
        if tag == "br":
            page.break_line()
        elif is_blank:
            return
        elif tag == "hr":
            page.end_paragraph()
            page.write(_RULE)
            page.end_paragraph()
        elif tag == "img" or kind == "image":
            page.write(_SPACE.sub(" ", attributes.get("alt", "")))
        elif tag == "input" and kind in ("checkbox", "radio"):
            page.write("[x]" if "checked" in attributes else "[ ]")
        elif tag == "input" and kind not in ("hidden", "password", "file"):
            page.write(_SPACE.sub(" ", attributes.get("value", "")))

    def _nest(self, finish: t.Callable[[Page], None]) -> t.Callable[[], None]:
        """Begin a page within the page; return what ends it."""
        self._pages.append(Page(self.page.preformatted))

        def close() -> None:
            self.page.end_line()
            finish(self._pages.pop())

        return close

    def _open_margin(self, element: _Element, attributes: dict[str, str]) -> None:
        margin = _MARGINS[element.tag]
        if len(self._pages) <= _DEEPEST:
            element.close = self._nest(lambda inner: self.page.absorb(inner, margin, margin))

    def _open_mark(self, element: _Element, attributes: dict[str, str]) -> None:
        mark = "" if self._blank else _MARKS[element.tag]
        self.page.write(mark)
        element.close = lambda: self.page.write(mark)

    def _open_preformatted(self, element: _Element) -> None:
        page = self.page
        page.preformatted += 1
        self._skip_line_end = element.tag in _PREFORMATTED

        def close() -> None:
            page.end_line()
            page.preformatted -= 1

        element.close = close

    def _open_link(self, element: _Element, attributes: dict[str, str]) -> None:
        link = _SPACE.sub("%20", re.sub(r"[\t\n]", "", attributes.get("href", "")).strip())
        if self._blank - {"font-size"}:
            link = ""
        self._link_text = ""
        element.close = lambda: self._end_link(link)

    def _end_link(self, link: str) -> None:
        """Write the address of a link, unless the text already shows it or it means nothing outside the HTML."""
        if link and not link.lower().startswith(_NO_ADDRESS) and _essence(link) != _essence(self._link_text):
            self.page.write_address(link, after_text=bool(self._link_text.strip()))

    def _open_list(self, element: _Element, attributes: dict[str, str]) -> None:
        items: list[tuple[str, Page]] = []
        element.items = items
        step = -1 if "reversed" in attributes else 1
        style = list_style(attributes.get("type", ""), attributes.get("style", "")) if element.tag == "ol" else ""
        element.close = lambda: write_items(self.page, items, style, attributes.get("start", ""), step)

    def _open_item(self, element: _Element, attributes: dict[str, str]) -> None:
        items = self._items()
        if len(self._pages) > _DEEPEST:
            self.page.write("- ")
        elif items is None:
            element.close = self._nest(lambda inner: self.page.absorb(inner, "- ", "  "))
        else:
            element.close = self._nest(lambda inner: items.append((attributes.get("value", ""), inner)))

    def _return_to_item(self) -> None:
        """Go back to the last item of the list, for what stands between items."""
        items = self._open[-1].items if self._open else None
        if items and not self._hidden:
            self._pages.append(items[-1][1])
            self._push(_Element("li", self._blank, self._leave_item))

    def _leave_item(self) -> None:
        self.page.end_line()
        self._pages.pop()

    def _items(self) -> list[tuple[str, Page]] | None:
        """Return the items of the innermost list in this cell."""
        if not _LISTS.isdisjoint(self._count):
            for element in reversed(self._open):
                if element.items is not None or element.tag in _CELL_ENDS:
                    return element.items
        return None

    def _open_table(self, element: _Element, attributes: dict[str, str]) -> None:
        table = Table(attributes.get("role", "").lower() in ("presentation", "none"))
        self._tables.append(table)

        def close() -> None:
            self._tables.pop()
            table.write(self.page)

        element.close = close

    def _open_section(self, element: _Element, attributes: dict[str, str]) -> None:
        if self._tables:
            self._tables[-1].start_section(_SECTIONS[element.tag])
            element.close = self._tables[-1].end_section

    def _open_row(self, element: _Element, attributes: dict[str, str]) -> None:
        if self._tables:
            self._tables[-1].start_row()
            element.close = self._tables[-1].end_row

    def _open_cell(self, element: _Element, attributes: dict[str, str]) -> None:
        if not self._tables or len(self._pages) > _DEEPEST:
            self.page.write(" ")
            return
        row = self._tables[-1].current_row()
        columns = max(leading_number(attributes.get("colspan", ""), 1), 1)
        rows = leading_number(attributes.get("rowspan", ""), 1) or 1 << 30  # 0: up to the end of the table
        element.close = self._nest(lambda inner: row.append(Cell(inner, element.tag == "th", columns, rows)))
