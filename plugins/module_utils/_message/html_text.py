# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive the plain text of HTML, for readers that show no HTML.

Lines are not wrapped: that would break URLs, and the transfer encoding handles long lines.
"""

from __future__ import annotations

import re
import typing as t
from html.parser import HTMLParser

from .html_page import BODY, FOOT, HEAD, Cell, Page, Table, leading_number, list_style, write_items, write_options
from .html_style import (
    BLOCKS,
    CELL_ENDS,
    CELLS,
    ENDS_PARAGRAPH,
    IMPLIED,
    LINES,
    LISTS,
    PARAGRAPHS,
    PREFORMATTED,
    TABLE_ENDS,
    VOID,
    Element,
    Look,
    OpenElements,
    Styles,
    Tags,
    address_of,
    is_removed,
    lowered,
    percentage,
    raised,
    read_attributes,
    role_of,
    says,
    text_instead,
)

_SECTIONS = {"thead": HEAD, "tbody": BODY, "tfoot": FOOT}
#: Start of each line within these elements.
_MARGINS = {"blockquote": "> ", "dd": "  "}
#: What a browser shows around these elements, or another way to see that the text is beside other text.
_MARKS = {"q": ('"', '"'), "rt": ("(", ")")}
_SCRIPTS = {"sup": raised, "sub": lowered}

#: Elements that are this and no other element whatever their style.
_INLINE = frozenset({"a", "button", "progress", "meter", *_MARKS, *_SCRIPTS})

_RULE = "-" * 40
#: Levels of lists, quotes and tables that are shown; without a limit, a page of tags could make gigabytes of text.
_DEEPEST = 16
#: White space that HTML folds; a no-break space is not folded.
_SPACE = re.compile(r"[ \t\n\r\f]+")
#: Characters that only tell a browser where a word may break, and others that fill a hidden preview.
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u034f]")
#: A comment, with the ends that browsers know (HTML standard, 13.2.5.43 to 13.2.5.52).
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL)


def html_to_text(html: str) -> str:
    """Return the text of an HTML document or fragment, with LF line ends.

    A link is followed by its address in angle brackets, an image becomes its alternative text, and list items have
    bullets or numbers. The cells of a table row are on one line, each under its heading; a table that is too wide for
    that names the heading before each cell. Text that the HTML hides is left out.
    """
    html = html.replace("\r\n", "\n").replace("\r", "\n")
    end = html.rfind(">") + 1  # no tag ends any more: a parser that looks for the end of each would take very long
    reader = _Reader(Styles(html[:end]))
    reader.feed(html[:end] + _COMMENT.sub("", html[end:]).replace("<", "&lt;"))
    reader.close()
    return "".join([f"{line}\n" for line in reader.page.lines]).replace("\u00a0", " ")


class _Reader(HTMLParser):
    """Parser that writes to the page. As in a browser, a tag that is never closed, or closed twice, does no harm."""

    def __init__(self, styles: Styles) -> None:
        super().__init__(convert_charrefs=True)
        self._styles = styles
        self._pages = [Page()]
        self._tables: list[Table] = []
        self._open = OpenElements()
        self._hidden = 0
        self._look = Look()
        self._base = ""
        self._link_text: list[str] = []
        self._skip_line_end = False
        self._openers: dict[str, t.Callable[[Element, dict[str, str]], None]] = {
            "a": self._open_link,
            "button": self._open_button,
            "li": self._open_item,
            "option": self._open_option,
            "select": self._open_menu,
            "table": self._open_table,
            "tr": self._open_row,
            **dict.fromkeys(("progress", "meter"), self._open_gauge),
            **dict.fromkeys(CELLS, self._open_cell),
            **dict.fromkeys(LISTS, self._open_list),
            **dict.fromkeys(_MARGINS, self._open_margin),
            **dict.fromkeys(_MARKS, self._open_mark),
            **dict.fromkeys(_SCRIPTS, self._open_script),
            **dict.fromkeys(_SECTIONS, self._open_section),
        }
        self._fixed = self._openers.keys() - _MARGINS.keys() - _INLINE

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
        while self._open.last:
            self._leave(self._open.last)
        self.page.end_line()

    def parse_comment(self, i: int, report: bool = True) -> int:
        """Skip a comment, with the ends that browsers know; HTMLParser knows fewer."""
        match = _COMMENT.match(self.rawdata, i)
        return match.end() if match else i + 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        closes, barrier = IMPLIED.get(tag, ENDS_PARAGRAPH)
        if tag in BLOCKS or tag in IMPLIED:
            while self._close(closes, barrier):
                pass
        text = self.get_starttag_text() or ""
        if attrs and "&" in text:
            attrs = read_attributes(text)
        attributes = {name: value or "" for name, value in reversed(attrs)}  # the first of a name counts
        style = self._styles.of(tag, attributes)
        role = role_of(tag, style, self._fixed)
        if role != "li":
            self._return_to_item()
        is_hidden = self._hidden > 0 or is_removed(tag, attributes, style)
        if tag in VOID:
            if not is_hidden:
                self._part(role)
                self._write_void(tag, attributes, self._look.within(tag, style).hides_images)
                self._part(role)
            return
        element = Element(tag, role, self._look)
        if is_hidden:
            element.is_shown = False
            self._hidden += 1
        else:
            self._part(role)
            self._look = self._look.within(tag, style)
            self._enter(element, attributes, style)
        is_marked = not element.is_shown or element.close or self._look is not element.outer
        if is_marked or tag in BLOCKS or role != tag or tag in self._open:
            self._open.push(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":  # as a browser reads it
            self.handle_starttag(tag, [])
        if tag in LISTS and tag not in self._open:  # for items outside a list
            self._close(frozenset({"li"}), CELL_ENDS)
            self._part(tag)
        self._close(frozenset({tag}), TABLE_ENDS if tag == "table" else IMPLIED.get(tag, ENDS_PARAGRAPH)[1])

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        look, page = self._look, self.page
        data = "" if "font-size" in look.blank else " " if look.blank else _INVISIBLE.sub("", data)
        if not data.isspace():
            self._return_to_item()
            page = self.page
        if self._skip_line_end and data.startswith("\n"):
            data = data[1:]
        self._skip_line_end = False
        if "a" in self._open:
            self._link_text.append(data)
        if look.space == "all":
            page.write_lines(data, look.is_struck)
            return
        for number, line in enumerate(data.split("\n") if look.space else [data]):
            if number:
                page.break_line()
            page.write(_SPACE.sub(" ", line), look.is_struck)

    def _close(self, tags: Tags, barrier: Tags) -> bool:
        """Close the innermost open element of these tags, and what is open in it; return whether there was one."""
        element = self._open.innermost(tags)
        end = self._open.innermost(barrier) if element else None
        if not element or (end and element.place < end.place):
            return False
        while element.holds and self._open.last not in (element, None):
            self._leave(self._open.last)
        self._leave(element)
        return True

    def _leave(self, element: Element) -> None:
        self._look = self._open.remove(element, self._look)
        if not element.is_shown:
            self._hidden -= 1
            return
        if element.close:
            element.close()
        self._part(element.role)

    def _part(self, tag: str) -> None:
        """Part a block from its neighbours."""
        if tag in PARAGRAPHS or (tag in LISTS and not self._open.innermost(LISTS)):
            self.page.end_paragraph()
        elif tag in LINES or tag in LISTS:
            self.page.end_line()

    def _enter(self, element: Element, attributes: dict[str, str], style: dict[str, str]) -> None:
        self._skip_line_end = element.tag in PREFORMATTED
        opener = self._openers.get(element.tag if element.tag in _INLINE else element.role)
        if opener:
            attributes["style"] = style.get("list-style-type") or style.get("list-style", "")
            opener(element, attributes)

    def _write_void(self, tag: str, attributes: dict[str, str], is_blank: bool) -> None:
        page = self.page
        if tag == "base":
            self._base = self._base or attributes.get("href", "")
        elif tag == "br" and self._look.space == "all":
            page.write_lines("\n")
        elif tag == "br":
            page.break_line()
        elif is_blank:
            return
        elif tag == "hr":
            page.end_paragraph()
            page.write(_RULE)
            page.end_paragraph()
        else:
            text = text_instead(tag, attributes)
            self._write_apart(text)
            if tag == "area":
                self._write_link(attributes.get("href", ""), text)

    def _write_apart(self, text: str) -> None:
        """Write the text of something that is shown beside the text, such as an image."""
        if text.strip():
            self.page.part()
            self.page.write(_SPACE.sub(" ", text), self._look.is_struck)
            self.page.part()

    def _nest(self, finish: t.Callable[[Page], None]) -> t.Callable[[], None]:
        """Begin a page within the page; return what ends it."""
        self._pages.append(Page())

        def close() -> None:
            self.page.end_line()
            finish(self._pages.pop())

        return close

    def _open_margin(self, element: Element, attributes: dict[str, str]) -> None:
        margin = _MARGINS[element.tag]
        if len(self._pages) <= _DEEPEST:
            element.close = self._nest(lambda inner: self.page.absorb(inner, margin, margin))

    def _open_mark(self, element: Element, attributes: dict[str, str]) -> None:
        start, end = ("", "") if self._look.blank else _MARKS[element.tag]
        self.page.write(start)
        element.close = lambda: self.page.write(end)

    def _open_script(self, element: Element, attributes: dict[str, str]) -> None:
        page, place = self.page, self.page.place
        change = _SCRIPTS[element.tag if element.tag in _SCRIPTS else element.role]
        element.close = lambda: page.rewrite(place, change)

    def _open_button(self, element: Element, attributes: dict[str, str]) -> None:
        self.page.part()
        element.close = self.page.part

    def _open_gauge(self, element: Element, attributes: dict[str, str]) -> None:
        """Show the number, unless there is text for programs that cannot draw it."""
        page, place = self.page, self.page.place
        text = "" if self._look.blank else percentage({"max": "1", **attributes})
        element.close = lambda: self._write_apart(text if page is self.page and place == page.place else "")

    def _open_link(self, element: Element, attributes: dict[str, str]) -> None:
        link = "" if self._look.hides_images else attributes.get("href", "")
        self._link_text = []
        element.close = lambda: self._write_link(link, "".join(self._link_text))

    def _write_link(self, link: str, text: str) -> None:
        """Write the address of a link, unless the text already shows it or it means nothing outside the HTML."""
        address = address_of(link, self._base)
        if address and not says(text, address):
            self.page.write_address(address, after_text=bool(text.strip()))

    def _open_menu(self, element: Element, attributes: dict[str, str]) -> None:
        """Show what is selected, or each option if all are shown."""
        if len(self._pages) > _DEEPEST:
            return
        options: list[tuple[str, Page]] = []
        element.items = options
        is_open = "multiple" in attributes or leading_number(attributes.get("size", ""), 1) > 1

        element.close = self._nest(lambda _inner: write_options(self.page, options, is_open))

    def _open_option(self, element: Element, attributes: dict[str, str]) -> None:
        menu = self._open.innermost(("select", *CELL_ENDS))
        options = menu.items if menu else None
        if options is not None:
            selected = "x" if "selected" in attributes else ""
            element.close = self._nest(lambda inner: options.append((selected, inner)))

    def _open_list(self, element: Element, attributes: dict[str, str]) -> None:
        items: list[tuple[str, Page]] = []
        element.items = items
        step = -1 if "reversed" in attributes else 1
        style = list_style(attributes.get("type", ""), attributes.get("style", "")) if element.tag == "ol" else ""
        element.close = lambda: write_items(self.page, items, style, attributes.get("start", ""), step)

    def _open_item(self, element: Element, attributes: dict[str, str]) -> None:
        items = self._items()
        if len(self._pages) > _DEEPEST:
            self.page.write("- ")
        elif items is None:
            element.close = self._nest(lambda inner: self.page.absorb(inner, "- ", "  "))
        else:
            element.close = self._nest(lambda inner: items.append((attributes.get("value", ""), inner)))

    def _return_to_item(self) -> None:
        """Go back to the last item of the list, for what stands between items."""
        last = self._open.last
        items = last.items if last and last.tag in LISTS else None
        if items and not self._hidden:
            self._pages.append(items[-1][1])
            self._open.push(Element("li", "li", self._look, self._leave_item))

    def _leave_item(self) -> None:
        self.page.end_line()
        self._pages.pop()

    def _items(self) -> list[tuple[str, Page]] | None:
        """Return the items of the innermost list in this cell."""
        holder = self._open.innermost(LISTS | CELL_ENDS)
        return holder.items if holder else None

    @property
    def _table(self) -> Table | None:
        """The table that the next cell belongs to."""
        return self._tables[-1] if self._tables and self._tables[-1].page is self.page else None

    def _open_table(self, element: Element, attributes: dict[str, str]) -> None:
        table = Table(self.page, attributes.get("role", "").lower() in ("presentation", "none"))
        self._tables.append(table)

        def close() -> None:
            self._tables.pop()
            table.write()

        element.close = close

    def _open_section(self, element: Element, attributes: dict[str, str]) -> None:
        if self._table:
            self._table.start_section(_SECTIONS[element.role])
            element.close = self._table.end_section

    def _open_row(self, element: Element, attributes: dict[str, str]) -> None:
        if self._table:
            self._table.start_row()
            element.close = self._table.end_row

    def _open_cell(self, element: Element, attributes: dict[str, str]) -> None:
        if not self._table or len(self._pages) > _DEEPEST:
            self.page.write(" ")
            return
        row = self._table.current_row()
        columns = max(leading_number(attributes.get("colspan", ""), 1), 1)
        rows = leading_number(attributes.get("rowspan", ""), 1) or 1 << 30  # 0: up to the end of the table
        element.close = self._nest(lambda inner: row.append(Cell(inner, element.tag == "th", columns, rows)))
