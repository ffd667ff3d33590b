# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a message: the forms a value may have, and a message's own options over the task's.

Each value is read into one form, or refused with the option, what was expected and what was found. Null counts as not
given, also within a list. ``headers``, ``attach`` and ``subtype`` have the forms of community.general.mail, so that its
tasks need no change.
"""

from __future__ import annotations

import functools
import re
import typing as t
from datetime import date

from .errors import InvalidHeader, InvalidMessage, either, quoted, wrong
from .forms import TEMPLATE_HINT, Form, Options, Shape

#: For each text, the options that exclude each other: the text itself, a file and a template.
TEXTS: t.Mapping[str, tuple[str, str, str]] = {
    "body": ("body", "body_file", "body_template"),
    "html": ("html", "html_file", "html_template"),
}
_SAME_TEXT = {name: names for names in TEXTS.values() for name in names}

_DASHED = r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+\s*[=:]"
#: ``a=1|X-B=2`` in one string: a bar separates headers only if a name follows. Any other bar is part of the value, and
#: so is one in angle brackets. In an item of a list, the name must look like that of a header.
_BAR = re.compile(rf"(?<!\s)\s*\|\s*(?={_DASHED}|[A-Za-z][A-Za-z0-9]*\s*=)(?![^<|]*>)")
_BAR_IN_ITEM = re.compile(rf"(?<!\s)\s*\|\s*(?={_DASHED}|[A-Z][a-z]+\s*=)(?![^<|]*>)")
#: What looks like a second header behind another separator; not within quotes or angle brackets.
_SECOND = re.compile(rf"(?:[,;]\s*|(?<!\s)\s+){_DASHED}|,\s*[A-Za-z][A-Za-z0-9]*\s*=")
_ENCLOSED = re.compile(r'"[^"]*"|<[^<>]*>')
#: ``Name=value`` or ``Name: value``; a value may contain either sign, a name contains none (RFC 5322 section 2.2).
_HEADER = re.compile(r"([^\s=:]+)\s*[=:]\s*(.*)\Z", re.DOTALL)
#: Of the characters that RFC 5322 section 2.2 allows, those that are not left over from another form of text.
_HEADER_NAME = re.compile(r"(?!(?:name|key|value)\Z)[A-Za-z0-9!#$%&*+.^_`~-]+\Z", re.IGNORECASE)
#: Keys of a header written as ``- name: X-A`` and ``value: b``, and of one from the filter ``dict2items``.
_PAIRS = ({"name", "value"}, {"key", "value"})

#: A comma between URIs; a URI may contain a comma itself.
_NEXT_URI = re.compile(r"(?<![\s,])\s*,[\s,]*(?=<|mailto:|[a-z][a-z0-9+.-]*://)(?![^<]*>)", re.IGNORECASE)

#: Line ends of any script, as :meth:`str.splitlines` has them.
_LINE_BREAK = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
#: Values of Ansible's type bool, in lower case.
_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "true", "1", "1.0", "y", "t"), True),
    **dict.fromkeys(("no", "off", "false", "0", "0.0", "n", "f"), False),
}


def message_form(arguments: Options) -> Form:
    """Return the form of a message; there is one text of each kind.

    :param arguments: the argument spec of a message.
    """
    return Form(arguments, TEMPLATE_HINT, TEXTS.values())


def overlay(common: Options, own: Options) -> dict[str, t.Any]:
    """Merge a message's own options over the common ones.

    A message's own ``body`` also replaces the task's ``body_file`` or ``body_template``.

    >>> overlay({"subject": "News", "body_file": "news.txt"}, {"body": "Dear Ann"})
    {'subject': 'News', 'body': 'Dear Ann'}
    """
    replaced = {same for name in own for same in _SAME_TEXT.get(name, ())}
    return {**{name: value for name, value in common.items() if name not in replaced}, **own}


def texts(subject: str, body: str | None, subtype: str) -> tuple[str | None, str | None]:
    """Return plain text and HTML: the body is one of them by ``subtype``, and defaults to the subject.

    :param subtype: ``plain`` or ``html``.
    """
    text = subject if body is None else body
    return (None, text) if subtype == "html" else (text, None)


def as_list(value: t.Any) -> t.Sequence[t.Any]:
    """Return the items of an option that may also be a single item; none for None and for empty text."""
    if isinstance(value, (list, tuple)):
        return value
    return [] if value is None or value == "" else [value]


def parse_attach(value: t.Any, place: str = "attach") -> list[str]:
    """Return the paths to attach: from a list, or from one string with commas, as Ansible splits a list.

    :raises InvalidMessage: the value is neither.
    """
    paths = _lines("a path", "a list of paths", value, place)
    for path in paths:
        _path(path, place)
    return paths


def parse_headers(value: t.Any, place: str = "headers") -> dict[str, str | list[str]]:
    """Return headers as a mapping: a list for a header that occurs more than once, and none for one without a value.

    >>> parse_headers(["Reply-To=jo@example.com", "X-Query: a=1", {"X-A": "b"}])
    {'Reply-To': 'jo@example.com', 'X-Query': 'a=1', 'X-A': 'b'}

    :param value: a mapping, text in the form of ``Name=value`` or ``Name: value``, or a list of these.
    :raises MessageError: the value has another form, or a header has a value of several lines.
    """
    found: dict[str, str | list[str]] = {}
    listed = isinstance(value, (list, tuple))
    between = _BAR_IN_ITEM if listed else _BAR
    for number, item in enumerate(as_list(value)):
        if isinstance(item, str):
            pairs: list[tuple[t.Any, t.Any]] = [_header(text, place) for text in between.split(item.strip()) if text]
        elif isinstance(item, dict):
            pair = item.keys() in _PAIRS
            pairs = [(item.get("name", item.get("key")), item["value"])] if pair else list(item.items())
        elif item is not None:
            one = f"{place}[{number}]" if listed else place
            raise wrong(one, "a mapping of names and values, or a list of Name=value", item)
        else:
            continue
        for name, values in pairs:
            name = _line("the name of a header", (str,), name, place)
            if not _HEADER_NAME.match(name):
                raise InvalidHeader(
                    f"{place}: {quoted(name)} is not a valid header name; expected one such as X-Ticket, or a mapping "
                    "with only name and value"
                )
            name = next((known for known in found if known.lower() == name.lower()), name)
            texts = [_line("text", _SCALARS, one, f"{place}, {name}") for one in as_list(values) if one is not None]
            given = [*as_list(found.get(name)), *filter(None, texts)]
            if given:
                found[name] = given if len(given) > 1 else given[0]
    return found


def _header(text: str, place: str) -> tuple[str, str]:
    match = _HEADER.match(text)
    if not match:
        expected = "expected Name=value, such as Reply-To=jo@example.com"
        raise InvalidHeader(f"{place}: {quoted(text)} is not a valid header; {expected}")
    if _SECOND.search(_ENCLOSED.sub("", match.group(2))):
        raise InvalidHeader(
            f"{place}: {quoted(text)} may be one header or several; write a list or a mapping of names and values"
        )
    return match.group(1), match.group(2)


# Readers, each for one shape

_SCALARS = (str, bool, int, float, date)
_NUMBERS = (str, int, float, date)


def _line(expected: str, kinds: tuple[type, ...], value: t.Any, place: str) -> str:
    """Return one line of text, without white space at its ends, which YAML's folded text always has.

    :param kinds: types that have an obvious form as text in this place.
    """
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise wrong(place, expected, value)
    text = value if isinstance(value, str) else str(value)
    if text[:1].isspace() or text[-1:].isspace():
        text = text.strip()
    if not text.isprintable() and _LINE_BREAK.search(text):
        raise InvalidHeader(
            f"{place}: {quoted(text)} contains a line break; expected one line of text. To write a long line as "
            "several lines of YAML, begin it with >-"
        )
    return text


def _path(value: t.Any, place: str) -> str | None:
    """Return a path, which no system call would take with a NUL or half of a character."""
    path = _word("a path", (str,), value, place)
    if path and not path.isprintable() and re.search("[\0\ud800-\udfff]", path):
        what = "a NUL character" if "\0" in path else "half of a surrogate pair"
        raise InvalidMessage(f"{place}: {quoted(path)} is not a valid path: it contains {what}")
    return path


def _word(expected: str, kinds: tuple[type, ...], value: t.Any, place: str) -> str | None:
    return _line(expected, kinds, value, place) or None


def _lines(one: str, many: str, value: t.Any, place: str) -> list[str]:
    """Return a list of lines; one string is split at its commas, as Ansible does."""
    if isinstance(value, str):
        found = [_line(one, (str,), item, place) for item in value.split(",")]
    elif isinstance(value, (list, tuple)):
        found = [_line(one, (str,), item, f"{place}[{at}]") for at, item in enumerate(value) if item is not None]
    else:
        raise wrong(place, f"{one} or {many}", value)
    return [line for line in found if line]


def _addresses(value: t.Any, place: str) -> str | list[str]:
    """Return one string, which addresses.py splits, as it knows quoted names, or a list."""
    if isinstance(value, str):
        return _line("an address", (str,), value, place)
    return _lines("an address", "a list of addresses", value, place)


def _uris(value: t.Any, place: str) -> list[str]:
    """Return URIs; a comma separates two of them only if another URI follows."""
    if isinstance(value, str):
        value = _NEXT_URI.split(value.strip(", \n"))
    return _lines("a URI", "a list of URIs", value, place)


def _message_ids(value: t.Any, place: str) -> list[str]:
    """Return Message-IDs; white space, line breaks or commas may stand between them (RFC 5322 section 3.6.4)."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, (list, tuple)):
        value = [" ".join(item.split()) if isinstance(item, str) else item for item in value]
    return " ".join(_lines("a Message-ID", "a list of Message-IDs", value, place)).replace(",", " ").split()


def _text(value: t.Any, place: str) -> str:
    """Return text of any number of lines; a list has the lines, and null in it is an empty one, as YAML writes it."""
    if isinstance(value, (list, tuple)):
        return "\n".join(["" if line is None else _part(line, f"{place}[{at}]") for at, line in enumerate(value)])
    return _part(value, place)


def _part(value: t.Any, place: str) -> str:
    if not isinstance(value, _SCALARS):
        advice = "flatten" if isinstance(value, (list, tuple)) else "to_nice_yaml"
        raise wrong(place, "text or a list of lines", value, f"; to send it as text, use {{{{ x | {advice} }}}}")
    return value if isinstance(value, str) else str(value)


def _boolean(value: t.Any, place: str) -> bool | None:
    if isinstance(value, str) and not value.strip():
        return None
    found = _BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise wrong(place, "true or false", value)
    return found


def _choice(choices: t.Sequence[str], value: t.Any, place: str) -> str | None:
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value  # YAML reads no as false
    text = text.strip() if isinstance(text, str) else text
    if text == "":
        return None
    if text not in choices:
        raise wrong(place, either(choices), value)
    return str(text)


def _choices(choices: t.Sequence[str], value: t.Any, place: str) -> list[str]:
    lines = _lines(either(choices), "a list of these", value, place)
    return [line for line in lines if _choice(choices, line, place)]


def _mapping(form: Form | None, value: t.Any, place: str) -> dict[t.Any, t.Any] | None:
    """Return a mapping with the options of the form, or with any names."""
    if value == "":
        return None
    if not isinstance(value, dict):
        raise wrong(place, "a mapping of names and values", value)
    return form.read(value, place) if form else value


def _files(form: Form, needed: t.Sequence[t.Sequence[str]], value: t.Any, place: str) -> list[dict[str, t.Any]]:
    """Return a list of files; a path may stand for a file that needs nothing else."""
    by_path = ("path",) in needed
    items = value.split(",") if isinstance(value, str) and by_path else value
    found = []
    for number, item in enumerate(as_list(items)):
        one = f"{place}[{number}]" if isinstance(items, (list, tuple)) else place
        if isinstance(item, str) and by_path:
            item = {"path": item} if item.strip() else None
        if item is not None:
            found.append(_file(form, needed, item, one))
    return found


def _file(form: Form, needed: t.Sequence[t.Sequence[str]], item: t.Any, place: str) -> dict[str, t.Any]:
    expected = ", or ".join([" and ".join(names) for names in needed])
    if not isinstance(item, dict):
        raise wrong(place, f"a mapping with {expected}", item)
    file = form.read(item, place)
    if not any(file.keys() >= set(names) for names in needed):
        raise InvalidMessage(f"{place}: expected {expected}, got {' and '.join(file) or 'nothing'}")
    return file


# Shapes

LINE = Shape("str", functools.partial(_line, "one line of text", _SCALARS))
WORD = Shape("str", functools.partial(_word, "one line of text", _NUMBERS))
TEXT = Shape("str", _text)
ADDRESS = Shape("str", functools.partial(_word, "one address", (str,)))
RETURN_ADDRESS = Shape("str", functools.partial(_line, "one address", (str,)))
ADDRESSES = Shape("raw", _addresses)
MESSAGE_ID = Shape("str", functools.partial(_word, "one Message-ID", (str,)))
MESSAGE_IDS = Shape("raw", _message_ids)
PATH = Shape("path", _path)
PATHS = Shape("raw", parse_attach)
URIS = Shape("raw", _uris)
HEADERS = Shape("raw", parse_headers)
BOOLEAN = Shape("bool", _boolean)
VARIABLES = Shape("dict", functools.partial(_mapping, None))


def choice(*choices: str) -> Shape:
    """Return the shape of an option that has one of these values."""
    return Shape("str", functools.partial(_choice, choices))


def several(*choices: str) -> Shape:
    """Return the shape of an option that has some of these values."""
    return Shape("raw", functools.partial(_choices, choices))


def mapping(arguments: Options) -> Shape:
    """Return the shape of an option that is a mapping with these options."""
    return Shape("raw", functools.partial(_mapping, Form(arguments)))


def files(arguments: Options, *needed: t.Sequence[str]) -> Shape:
    """Return the shape of an option that lists files, each with these options.

    :param needed: the sets of options of which a file has one; the first one of each excludes the others.
    """
    form = Form(arguments, exclusive=[[names[0] for names in needed]])
    return Shape("raw", functools.partial(_files, form, needed))
