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

from .errors import InvalidHeader, InvalidMessage, either, found_value, quoted, wrong

Options = t.Mapping[str, t.Any]
#: Reads a value that is not None. The text is the place of the value, for errors; None is returned for no value.
Reader = t.Callable[[t.Any, str], t.Any]

#: For each text, the options that exclude each other: the text itself, a file and a template.
TEXTS: t.Mapping[str, tuple[str, str, str]] = {
    "body": ("body", "body_file", "body_template"),
    "html": ("html", "html_file", "html_template"),
}
_SAME_TEXT = {name: names for names in TEXTS.values() for name in names}

#: ``a=1|X-B=2`` in one string: a bar separates headers only if a name such as ``X-B`` and an equals sign follow. Any
#: other bar is part of the value, and so is one in angle brackets.
_BAR = re.compile(r"\s*\|\s*(?=[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+\s*=)(?![^<|]*>)")
#: ``Name=value`` or ``Name: value``; a value may contain either sign, a name contains none (RFC 5322 section 2.2).
_HEADER = re.compile(r"([^\s=:]+)\s*[=:]\s*(.*)\Z", re.DOTALL)
_HEADER_NAME = re.compile(r"[!-9;-~]+\Z")
#: Keys of a header written as ``- name: X-A`` and ``value: b``, and of one from the filter ``dict2items``.
_PAIRS = ({"name", "value"}, {"key", "value"})

#: Line ends of any script, as :meth:`str.splitlines` has them.
_LINE_BREAK = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
#: Values of Ansible's type bool, in lower case.
_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "true", "1", "1.0", "y", "t"), True),
    **dict.fromkeys(("no", "off", "false", "0", "0.0", "n", "f"), False),
}


class Shape(str):
    """The documented type of an option, such as ``str``, with the function that reads its values.

    Ansible converts a value to its type in its own way: a list to the text ``['a', 'b']``. As a callable type gets the
    value itself, this one passes it on unchanged, for :class:`Form` to read.

    :param documented: the type in the documentation, which Ansible's tests compare with this one.
    """

    read: Reader

    def __new__(cls, documented: str, read: Reader) -> Shape:
        shape = super().__new__(cls, documented)
        shape.read = read
        return shape

    def __call__(self, value: t.Any) -> t.Any:
        """Return the value unchanged."""
        return value


class Form:
    """The options of a message, or of an item in one of them.

    :param arguments: an argument spec whose types are shapes.
    :param hint: what to do about an option that is not in it.
    :param exclusive: sets of options of which only one may be given.
    """

    def __init__(self, arguments: Options, hint: str = "", exclusive: t.Iterable[t.Sequence[str]] = ()) -> None:
        self._readers: dict[t.Any, tuple[str, Reader]] = {
            known: (name, spec["type"].read)
            for name, spec in arguments.items()
            for known in (name, *spec.get("aliases", ()))
        }
        self._hint = hint or f"expected {either(list(arguments))}"
        self._exclusive = tuple(exclusive)

    def read(self, options: t.Any, place: str = "") -> dict[str, t.Any]:
        """Return the given options under their documented names; as in Ansible, an alias takes precedence.

        To read the result again does not change it.

        :param place: the item in the message, for errors; empty for the message itself.
        :raises MessageError: an option is unknown, has a value that it cannot have, or excludes another one.
        """
        prefix = f"{place}: " if place else ""
        if not isinstance(options, dict):
            raise InvalidMessage(f"{prefix}expected a mapping of options and values, got {found_value(options)}")
        unknown = sorted(str(name) for name in options if name not in self._readers)
        if unknown:
            raise InvalidMessage(f"{prefix}unknown option {', '.join(unknown)}; {self._hint}")
        found: dict[str, t.Any] = {}
        for known, value in options.items():
            name, read = self._readers[known]
            if value is None or (name == known and name in found):
                continue
            value = read(value, f"{place}.{known}" if place else known)
            if value is not None:
                found[name] = value
        for names in self._exclusive:
            given = [name for name in names if name in found]
            if len(given) > 1:
                raise InvalidMessage(f"{prefix}{' and '.join(given)} are mutually exclusive; choose one")
        return found


def message_form(arguments: Options) -> Form:
    """Return the form of a message; there is one text of each kind.

    :param arguments: the argument spec of a message.
    """
    return Form(arguments, "variables for templates belong under vars", TEXTS.values())


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
    return _lines("a path", "a list of paths", value, place)


def parse_headers(value: t.Any, place: str = "headers") -> dict[str, str | list[str]]:
    """Return headers as a mapping: a list for a header that occurs more than once, and none for one without a value.

    >>> parse_headers(["Reply-To=jo@example.com", "X-Query: a=1", {"X-A": "b"}])
    {'Reply-To': 'jo@example.com', 'X-Query': 'a=1', 'X-A': 'b'}

    :param value: a mapping, text in the form of ``Name=value`` or ``Name: value``, or a list of these.
    :raises MessageError: the value has another form, or a header has a value of several lines.
    """
    found: dict[str, str | list[str]] = {}
    listed = isinstance(value, (list, tuple))
    for number, item in enumerate(as_list(value)):
        if isinstance(item, str):
            pairs: list[tuple[t.Any, t.Any]] = [_header(text, place) for text in _BAR.split(item.strip()) if text]
        elif isinstance(item, dict):
            pair = listed and item.keys() in _PAIRS
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
                    f"{place}: {quoted(name)} is not a valid header name; expected one such as X-Ticket"
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
PATH = Shape("path", functools.partial(_word, "a path", (str,)))
PATHS = Shape("raw", parse_attach)
URIS = Shape("raw", functools.partial(_lines, "a URI", "a list of URIs"))
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
