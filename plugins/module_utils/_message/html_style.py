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

#: Elements that are never shown.
_DROPPED = frozenset(
    {"script", "style", "title", "template", "noframes", "noembed", "svg", "iframe", "datalist", "canvas"}
)
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
_CSS_SIMPLE = re.compile(r"(?:[A-Za-z][A-Za-z0-9]*)?(?:[.#](?:\\.|[\w-])+)+\Z")
_CSS_COMBINATOR = re.compile(r"[\s>+~]+")
_CSS_PARENTHESES = re.compile(r"\([^()]*\)|\[[^][]*\]")
_CSS_NARROW = re.compile(r"[.:\[]")
_CSS_TAG = re.compile(r"(?:^|[\s>+~])[A-Za-z]")
#: Levels of conditions around a rule that are read.
_DEEPEST_RULE = 16
_ZERO = re.compile(r"0*\.?0+(?:[a-z]+|%)?\Z")


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


#: How much a declaration counts: importance, then the names and tags of its selector.
_Rank = tuple[bool, int, int, int]
#: The value of each property, and whether it is important.
_Declarations = t.Mapping[str, tuple[bool, str]]
_INLINE = (1 << 30, 0, 0)


class _Rule(t.NamedTuple):
    """Declarations for a selector, and what an element needs so that the selector may stand for it."""

    tag: str
    names: list[str]
    is_certain: bool
    weight: tuple[int, int, int]
    declarations: _Declarations


class Styles:
    """The style sheets of a document. What depends on anything but the name of an element is not evaluated."""

    def __init__(self, html: str) -> None:
        self._rules: list[_Rule] = []
        self._names: set[str] = set()
        for attributes, css in _SHEET.findall(html):
            media = _MEDIA.search(attributes)
            self._read(_CSS_COMMENT.sub("", css), f"@media {media.group(1) if media else ''}")

    def _read(self, css: str, media: str) -> None:
        outer = [media]
        for text, brace in _CSS_BRACE.findall(css):
            if brace == "{":
                outer.append(text.rpartition(";")[2].strip())
            elif len(outer) > 1 and (not text.strip() or len(outer) > _DEEPEST_RULE):
                outer.pop()
            elif len(outer) > 1:
                selectors, within = outer.pop(), [_compact(rule) for rule in outer]
                if not selectors.startswith("@") and not any(map(_OTHER_MEDIUM.match, within)):
                    self._add(selectors, _declarations(text), all(map(_ANY_MEDIUM.match, within)))

    def _add(self, selectors: str, declarations: _Declarations, is_certain: bool) -> None:
        for selector in map(str.strip, selectors.split(",") if declarations else []):
            last = _CSS_COMBINATOR.split(_CSS_PARENTHESES.sub("", selector))[-1]
            part, _colon, pseudo = last.replace("\\:", "\0").partition(":")
            if pseudo.lstrip(":") in ("before", "after"):
                continue
            tag, *names = re.split(r"(?=[.#])", part.replace("\0", ":").replace("\\", ""))
            is_simple = bool(_CSS_SIMPLE.match(selector))
            weight = selector.count("#"), len(_CSS_NARROW.findall(selector)), len(_CSS_TAG.findall(selector))
            self._rules.append(_Rule(tag.lower(), names, is_certain and is_simple, weight, declarations))
            self._names.update(names)

    def of(self, tag: str, attributes: t.Mapping[str, str]) -> dict[str, str]:
        """Return the declarations for an element; one that something else may override is empty."""
        names = {f".{name}" for name in attributes.get("class", "").split()} | {f"#{attributes.get('id', '')}"}
        found: dict[str, tuple[_Rank, str]] = {}
        if not names.isdisjoint(self._names):
            for rule in self._rules:
                if rule.tag in ("", "*", tag) and names.issuperset(rule.names):
                    _cascade(found, rule.declarations, rule.weight, rule.is_certain)
        _cascade(found, _declarations(attributes.get("style", "")), _INLINE, True)
        return {name: value for name, (_rank, value) in found.items()}


def _cascade(
    found: dict[str, tuple[_Rank, str]],
    declarations: _Declarations,
    weight: tuple[int, int, int],
    is_certain: bool,
) -> None:
    for name, (is_important, value) in declarations.items():
        rank = (is_important, *weight)
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
        if colon and (important or not found.get(name, (False, ""))[0]):
            found[name] = bool(important), value
    return found


def is_removed(tag: str, attributes: t.Mapping[str, str], style: t.Mapping[str, str]) -> bool:
    """Return whether an element takes no place: it and all in it are not shown."""
    if tag in _DROPPED or "hidden" in attributes or (tag == "dialog" and "open" not in attributes):
        return True
    clips = style.get("overflow") in ("hidden", "clip")
    return style.get("display") == "none" or (
        clips and any(_ZERO.match(style.get(name, "")) for name in ("height", "max-height"))
    )


def blanks(style: t.Mapping[str, str], outer: frozenset[str]) -> frozenset[str]:
    """Return the properties for which the text in an element is not shown, though it keeps its place.

    :param outer: those of the element around it. Visibility and size of the font are inherited, so they may be undone.
    """
    if "visibility" in style:
        is_hidden = style["visibility"] in ("hidden", "collapse")
        outer = outer | {"visibility"} if is_hidden else outer - {"visibility"}
    if "font-size" in style:
        outer = outer | {"font-size"} if _ZERO.match(style["font-size"]) else outer - {"font-size"}
    return outer | {"opacity"} if _ZERO.match(style.get("opacity", "")) else outer
