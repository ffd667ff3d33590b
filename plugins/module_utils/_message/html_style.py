# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes and styles of HTML elements, as far as they decide what text is shown.

Where a style is not certain to hide text, the text is shown.
"""

from __future__ import annotations

import re
import typing as t
from html.entities import html5
from html.parser import HTMLParser
from urllib.parse import quote, urljoin

if t.TYPE_CHECKING:
    from .html_page import Page

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param", "source", "track"]
)
LISTS = frozenset({"ul", "ol", "menu", "dir"})
CELLS = frozenset({"td", "th"})
SECTIONS = ("thead", "tbody", "tfoot")
#: Elements that are set apart by an empty line, and those that start a line of their own.
PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "table", "blockquote", "pre", "listing", "xmp"})
LINES = frozenset(
    {
        *("address", "article", "aside", "body", "caption", "center", "dd", "details", "dialog", "div", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "legend", "li", "main", "nav"),
        *("option", "search", "section", "summary", "textarea", "tr", *SECTIONS),
    }
)
BLOCKS = PARAGRAPHS | LINES | LISTS | CELLS

Tags = frozenset[str]
TABLE_ENDS: Tags = frozenset({"table"})
CELL_ENDS: Tags = CELLS | TABLE_ENDS
#: For each tag, the open elements that it ends, and those beyond which it ends none.
IMPLIED: t.Mapping[str, tuple[Tags, Tags]] = {
    "a": (frozenset({"a"}), CELL_ENDS),
    "li": (frozenset({"li"}), CELL_ENDS | LISTS),
    **dict.fromkeys(("dt", "dd"), (frozenset({"dt", "dd"}), CELL_ENDS | {"dl"})),
    "option": (frozenset({"option"}), CELL_ENDS),
    **dict.fromkeys(CELLS, (CELLS, TABLE_ENDS)),
    "tr": (CELLS | {"tr"}, TABLE_ENDS),
    **dict.fromkeys(SECTIONS, (CELLS | {"tr", "caption", *SECTIONS}, TABLE_ENDS)),
}
ENDS_PARAGRAPH = (frozenset({"p"}), CELL_ENDS)

#: Elements that are never shown.
_DROPPED = frozenset(
    {"script", "style", "title", "template", "noframes", "noembed", "svg", "iframe", "datalist", "canvas", "rp"}
)
PREFORMATTED = frozenset({"pre", "listing", "xmp", "textarea"})
_STRUCK = frozenset({"del", "s", "strike"})
#: Values of the style ``white-space`` as how white space is kept: not at all, with only the ends of lines, or all.
_SPACE = {"normal": "", "nowrap": "", "initial": "", "pre-line": "lines"}
_SPACE.update(dict.fromkeys(("pre", "pre-wrap", "break-spaces"), "all"))
#: Values of the style ``display`` as elements that are shown in this way.
_ROLES = {"inline": "span", "contents": "span", "list-item": "li", "table-row": "tr", "table-cell": "td"}
_ROLES.update(dict.fromkeys(("table", "inline-table"), "table"))
_ROLES.update({"table-header-group": "thead", "table-row-group": "tbody", "table-footer-group": "tfoot"})
_ROLES.update(dict.fromkeys(("block", "flex", "grid", "flow-root", "table-caption"), "div"))
#: What an exponent or an index is made of, as far as it would be misread beside the text before it.
_NUMBER = re.compile(r"[-+\u2212\u2013\u00b1(]*[0-9]")
_LETTER = re.compile(r"[-+\u2212\u2013]*[^\W\d_]\W*\Z")
_TERM = re.compile(r"\w\W*[-+\u2212\u2013*/^_\u00b7\u00d7\s=]\W*\w")
#: In attributes, what may be a character reference.
_REFERENCE = re.compile(r"&([A-Za-z][A-Za-z0-9]*[;=]?)")
#: A style sheet or a comment in HTML, and the parts of a sheet.
_SHEET = re.compile(r"<!--(?:-?>|.*?(?:-->|\Z))|<style\b([^>]*)>(.*?)(?:</style|\Z)", re.DOTALL | re.IGNORECASE)
_MEDIA = re.compile(r"\bmedia\s*=\s*[\"']?([^\"'>]*)", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_CSS_BRACE = re.compile(r"([^{}]*)([{}]|\Z)")
_ANY_MEDIUM = re.compile(r"@(?:layer|media(?:only)?(?:all|screen)?(?:,|$)|media.*,(?:only)?(?:all|screen)(?:,|$))")
_OTHER_MEDIUM = re.compile(r"@(?!layer|media|supports|container)|@media(?:print|speech|aural|braille|tty)[^,]*$")
#: Selectors: one of only a tag and names, the last part of any other, and what counts in it.
_CSS_SIMPLE = re.compile(r"[A-Za-z][A-Za-z0-9]*\Z|(?:[A-Za-z][A-Za-z0-9]*)?(?:[.#](?:\\.|[\w-])+)+\Z")
_CSS_COMBINATOR = re.compile(r"[\s>+~]+")
_CSS_PARENTHESES = re.compile(r"\([^()]*\)|\[[^][]*\]")
_CSS_NARROW = re.compile(r"[.:\[]")
_CSS_TAG = re.compile(r"(?:^|[\s>+~])[A-Za-z]")
#: Levels of conditions around a rule that are read.
_DEEPEST_RULE = 16
#: Characters of a condition that are read.
_LONGEST_CONDITION = 200
#: Starts of addresses that mean nothing outside the HTML.
_NO_ADDRESS = ("#", "javascript:", "vbscript:", "data:", "cid:", "about:", "blob:")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
#: In telephone numbers (RFC 3966 section 3), and the blanks of people.
_SEPARATORS = re.compile(r"[-.()]|%20|%C2%A0")
_ZERO = re.compile(r"(?:0+(?:\.0*)?|\.0+)(?:[a-z]+|%)?\Z")


def read_attributes(start_tag: str) -> list[tuple[str, str | None]]:
    """Return the attributes of a start tag; ``&copy=1`` stays as it is in them (HTML standard, 13.2.5.73)."""
    parser = _StartTag()
    parser.feed(_REFERENCE.sub(lambda match: match[0] if match[1] in html5 else f"&amp;{match[1]}", start_tag))
    return parser.attributes


class _StartTag(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes = attrs


#: How much a declaration counts: importance, then the names and tags of its selector, then its place in the sheets.
_Weight = tuple[int, int, int, int]
#: The value of each property, and whether it is important.
_Declarations = t.Mapping[str, tuple[bool, str]]
#: The value of each property, and how much it counts.
_Found = dict[str, tuple[tuple[bool, _Weight], str]]
_INLINE = (1 << 30, 0, 0, 0)
#: Properties that are read.
_READ = frozenset({"display", "visibility", "opacity", "font-size", "overflow", "overflow-x", "overflow-y", "height"})
_READ |= {"max-height", "width", "max-width", "white-space", "list-style", "list-style-type", "vertical-align"}
_READ |= {"text-decoration", "text-decoration-line"}


class Styles:
    """The style sheets of a document. What depends on anything but the name of an element is not evaluated."""

    def __init__(self, html: str) -> None:
        #: For the tag, class or ID that a selector ends with: tag and names that it needs, and the declarations.
        self._rules: dict[str, dict[tuple[str, ...], _Found]] = {}
        self._known: dict[tuple[str, str, str], _Found] = {}
        self._place = 0
        for attributes, css in _SHEET.findall(html) if "<style" in html.lower() else []:
            media = _MEDIA.search(attributes)
            self._read(_CSS_COMMENT.sub("", css), f"@media {media.group(1) if media else ''}")

    def _read(self, css: str, media: str) -> None:
        outer = [_compact(media)]
        for text, brace in _CSS_BRACE.findall(css):
            if brace == "{":
                outer.append(text.rpartition(";")[2].strip())
            elif len(outer) > 1 and (not text.strip() or len(outer) > _DEEPEST_RULE):
                outer.pop()
            elif len(outer) > 1:
                selectors, within = outer.pop(), [_compact(rule[:_LONGEST_CONDITION]) for rule in outer]
                if not selectors.startswith("@") and not any(map(_OTHER_MEDIUM.match, within)):
                    self._add(selectors, _declarations(text), all(map(_ANY_MEDIUM.match, within)))

    def _add(self, selectors: str, declarations: _Declarations, is_certain: bool) -> None:
        self._place += 1
        for selector in map(str.strip, selectors.split(",") if declarations else []):
            last = _CSS_COMBINATOR.split(_CSS_PARENTHESES.sub("", selector))[-1]
            part, _colon, pseudo = last.replace("\\:", "\0").partition(":")
            if pseudo.lstrip(":") in ("before", "after"):
                continue
            tag, *names = re.split(r"(?=[.#])", part.replace("\0", ":").replace("\\", ""))
            is_simple = bool(_CSS_SIMPLE.match(selector))
            ids, narrow, tags = selector.count("#"), len(_CSS_NARROW.findall(selector)), _CSS_TAG.findall(selector)
            needs = ("" if tag == "*" else tag.lower(), *names)
            found = self._rules.setdefault(needs[-1], {}).setdefault(needs, {})
            _cascade(found, declarations, (ids, narrow, len(tags), self._place), is_certain and is_simple)

    def of(self, tag: str, attributes: t.Mapping[str, str]) -> dict[str, str]:
        """Return the declarations for an element; one that something else may override is empty."""
        found: _Found = {}
        if self._rules:
            element = tag, attributes.get("class", ""), attributes.get("id", "")
            if element not in self._known:
                self._known[element] = self._sheets(*element)
            found = self._known[element]
        if "style" in attributes:
            found = dict(found)
            _cascade(found, _declarations(attributes["style"]), _INLINE, True)
        return {name: value for name, (_rank, value) in found.items()}

    def _sheets(self, tag: str, classes: str, identity: str) -> _Found:
        names = {f".{name}" for name in classes.split()} | {f"#{identity}", tag, ""}
        found: _Found = {}
        for name in names & self._rules.keys():
            for needs, declared in self._rules[name].items():
                if names.issuperset(needs):
                    for key, (rank, value) in declared.items():
                        if key not in found or rank >= found[key][0]:
                            found[key] = rank, value
        return found


def _cascade(found: _Found, declarations: _Declarations, weight: _Weight, is_certain: bool) -> None:
    for name, (is_important, value) in declarations.items():
        rank = (is_important, weight)
        if name not in found or rank >= found[name][0]:
            found[name] = rank, value if is_certain else ""


def _compact(text: str) -> str:
    return re.sub(r"\s+", "", text.lower())


def _declarations(style: str) -> _Declarations:
    """Return the value of each property, and whether it is important; the last one counts."""
    found: dict[str, tuple[bool, str]] = {}
    for declaration in _compact(_CSS_COMMENT.sub("", style)).split(";"):
        name, colon, value = declaration.partition(":")
        value, important, _rest = value.partition("!important")
        if colon and name in _READ and (important or not found.get(name, (False, ""))[0]):
            found[name] = bool(important), value
    return found


def is_removed(tag: str, attributes: t.Mapping[str, str], style: t.Mapping[str, str]) -> bool:
    """Return whether an element takes no place: it and all in it are not shown."""
    if tag in _DROPPED or (tag == "dialog" and "open" not in attributes):
        return True
    if not style:
        return "hidden" in attributes
    clips = any(style.get(name, "").startswith(("hidden", "clip")) for name in ("overflow", "overflow-x", "overflow-y"))
    return style.get("display", "none" if "hidden" in attributes else "") == "none" or (
        clips and any(_ZERO.match(style.get(name, "")) for name in ("height", "max-height", "width", "max-width"))
    )


def role_of(tag: str, style: t.Mapping[str, str], fixed: t.Container[str]) -> str:
    """Return the element that an element is shown like; fixed ones stay what they are."""
    if tag in fixed or not style:
        return tag
    if tag not in BLOCKS and style.get("vertical-align") in ("sub", "super"):
        return style["vertical-align"].replace("super", "sup")
    role = _ROLES.get(style.get("display", ""), tag)
    return tag if role == "div" and tag in BLOCKS else role


class Look(t.NamedTuple):
    """How text looks, as far as the elements in an element inherit it.

    :param blank: the properties for which the text is not shown, though it keeps its place.
    :param space: which white space is kept: none, ``lines`` for only the ends of lines, or ``all``.
    """

    blank: frozenset[str] = frozenset()
    space: str = ""
    is_struck: bool = False

    @property
    def hides_images(self) -> bool:
        return bool(self.blank - {"font-size"})

    def within(self, tag: str, style: t.Mapping[str, str]) -> Look:
        """Return the look in an element. Only an opacity and a line through the text cannot be undone."""
        if not style and tag not in PREFORMATTED and tag not in _STRUCK:
            return self
        blank = self.blank
        if "visibility" in style:
            is_hidden = style["visibility"] in ("hidden", "collapse")
            blank = blank | {"visibility"} if is_hidden else blank - {"visibility"}
        if "font-size" in style:
            blank = blank | {"font-size"} if _ZERO.match(style["font-size"]) else blank - {"font-size"}
        if _ZERO.match(style.get("opacity", "")):
            blank = blank | {"opacity"}
        space = _SPACE.get(style.get("white-space", ""), "all" if tag in PREFORMATTED else self.space)
        line = style.get("text-decoration", "") + style.get("text-decoration-line", "")
        is_struck = "line-through" in line or (tag in _STRUCK and not line.startswith("none"))
        return Look(blank, space, self.is_struck or is_struck)


def raised(text: str, before: str) -> str:
    """Return the text of ``<sup>``: ``10^-3``, but ``1st``."""
    bare = text.strip()
    is_ordinal = bare in ("a", "e", "o") and before[-1:].isdigit()
    is_exponent = _NUMBER.match(bare) or (_LETTER.match(bare) and not is_ordinal)
    return _marked("^", text) if is_exponent or _TERM.search(bare) else text


def lowered(text: str, before: str) -> str:
    """Return the text of ``<sub>``: ``1010_2``, but ``H2O``."""
    bare = text.strip()
    is_index = _NUMBER.match(bare) and before[-1:].isdigit()
    return _marked("_", text) if is_index or _TERM.search(bare) else text


def _marked(mark: str, text: str) -> str:
    bare = text.strip()
    end = text[len(text.rstrip()) :]
    return f"{mark}({bare}){end}" if _TERM.search(bare) else f"{mark}{bare}{end}"


def text_instead(tag: str, attributes: t.Mapping[str, str]) -> str:
    """Return the text for an image or a field of a form, empty for other elements."""
    kind = attributes.get("type", "").lower()
    if tag in ("img", "area") or kind == "image":
        return attributes.get("alt", "")
    if tag != "input" or kind in ("hidden", "password", "file"):
        return ""
    if kind in ("checkbox", "radio"):
        return "[x]" if "checked" in attributes else "[ ]"
    return attributes.get("value", "")


def percentage(attributes: t.Mapping[str, str]) -> str:
    """Return what ``<progress>`` or ``<meter>`` shows, empty if that has no value."""
    try:
        low, high, value = (float(attributes.get(*name)) for name in (("min", "0"), ("max", "1"), ("value", "")))
        return f"{min(max(round((value - low) / (high - low) * 100), 0), 100)}%"
    except (ValueError, ArithmeticError):  # also of a number that is not finite
        return ""


def address_of(link: str, base: str) -> str:
    """Return the address of a link, or an empty text if it means nothing outside the HTML."""
    link = re.sub(r"[\t\n]", "", link).strip().replace(" ", "%20")
    if link.lower().startswith(_NO_ADDRESS) or not link:
        return ""
    try:
        return urljoin(base, link) if base else link
    except ValueError:  # not a valid address
        return link


def says(text: str, link: str) -> bool:
    """Return whether a text says the same as the address of its link.

    A text may leave out the scheme, the slash of an empty path, and separators in a telephone number.
    """
    scheme, *address = _split(link)
    said, *shown = _split(text)
    if scheme == "tel":
        address, shown = ([_SEPARATORS.sub("", part) for part in parts] for parts in (address, shown))
    return address == shown and (said == scheme or (not said and scheme in ("http", "https", "mailto", "tel")))


def _split(address: str) -> tuple[str, str, str, str]:
    """Return scheme, user and host of an address, and the rest."""
    address = quote(address.strip(), safe="%/:?#[]@!$&'()*+,;=~", errors="replace")
    address = _ENCODED.sub(lambda match: match[0].upper(), address)
    scheme, host, rest = re.findall(r"\A(?:(\w+):(?://)?(?![0-9]+(?:[/?#]|\Z)))?([^/?#]*)(.*)", address)[0]
    user, at, domain = host.rpartition("@")
    return scheme.lower(), user + at, domain.lower(), "" if rest == "/" else rest


class Element:
    """An open element.

    :param role: the element that it is shown like.
    :param outer: how the text around it looks.
    :param items: of a list: the number that an item sets, and its page; of a menu: whether an item is selected.
    """

    def __init__(self, tag: str, role: str, outer: Look, close: t.Callable[[], None] | None = None) -> None:
        self.tag = tag
        self.role = role
        self.outer = outer
        self.close = close
        self.is_shown = self.is_open = True
        self.items: list[tuple[str, Page]] | None = None
        self.place = 0

    @property
    def holds(self) -> bool:
        """Whether what is open in it ends with it; a block that began in a link or the like goes on.

        What is hidden ends with what hides it, or a tag that is not closed in it would hide the rest of the page.
        """
        return not self.is_shown or self.tag in BLOCKS or self.role in BLOCKS or self.items is not None


class OpenElements:
    """The open elements, which are also found by their tag, since there may be very many."""

    def __init__(self) -> None:
        self._elements: list[Element] = []
        self._by_tag: dict[str, list[Element]] = {}

    def __contains__(self, tag: str) -> bool:
        return tag in self._by_tag

    @property
    def last(self) -> Element | None:
        return self._elements[-1] if self._elements else None

    def innermost(self, tags: t.Iterable[str]) -> Element | None:
        found = [self._by_tag[tag][-1] for tag in tags if tag in self._by_tag]
        return max(found, key=lambda element: element.place) if found else None

    def push(self, element: Element) -> None:
        element.place = len(self._elements)
        self._by_tag.setdefault(element.tag, []).append(element)
        self._elements.append(element)

    def remove(self, element: Element, look: Look) -> Look:
        """Remove the innermost element of its tag; return the look after it, which is that within what stays open."""
        element.is_open = False
        self._by_tag[element.tag].pop()
        if not self._by_tag[element.tag]:
            del self._by_tag[element.tag]
        while self._elements and not self._elements[-1].is_open:
            look = self._elements.pop().outer
        return look
