# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read saved evidence back into its types. Needs Python 3.10, as ``forms.py`` does."""

from __future__ import annotations

import json
import math
import reprlib
import typing as t
from collections.abc import Mapping

from .dns import DnsFacts
from .document import VERSION, Evidence, Kind, seconds_of
from .forms import Form, Shape, fields_of, required_of
from .host import HostFacts
from .proof import ProofFacts
from .smtp import SmtpFacts

#: The type of the facts of each kind.
FACTS: t.Mapping[Kind, type] = {
    Kind.DNS: DnsFacts,
    Kind.SMTP: SmtpFacts,
    Kind.HOST: HostFacts,
    Kind.PROOF: ProofFacts,
}

#: Deeper than any evidence. Bounds the recursion.
MAX_DEPTH = 50
Record = t.TypeVar("Record")
_NAMES = {str: "text", int: "whole number", float: "number", bool: "boolean", tuple: "list", dict: "mapping"}


class InvalidEvidence(ValueError):
    """A document that does not have the form of evidence. The text names the place, and no value but a short one."""

    def __init__(self, wrong: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        #: The names that lead to it, from the outside.
        self.place: list[str] = []

    def __str__(self) -> str:
        names = [*self.place[:4], "(...)"] if len(self.place) > 8 else self.place
        return f"{'.'.join(map(_short, names)) or 'evidence'}: {self.wrong}"


def loads(text: str | bytes, facts: t.Mapping[Kind, type] | None = None) -> Evidence[t.Any]:
    """Read a document from JSON. Raises :class:`InvalidEvidence`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidEvidence(f"not valid JSON: {error}") from error
    return read(document, facts)


def read(document: t.Any, facts: t.Mapping[Kind, type] | None = None) -> Evidence[t.Any]:
    """Read a document. Raises :class:`InvalidEvidence`.

    Fields that this version does not know are left out: a newer one may have added them.

    :param facts: the type of the facts of each kind; by default :data:`FACTS`.
    """
    if not isinstance(document, Mapping):
        raise _unexpected("a mapping", document)
    head = _each([("version", document.get("version"), Form(int)), ("kind", document.get("kind"), Form(Kind))], 0)
    if head["version"] != VERSION:
        raise InvalidEvidence(
            f"version {_shown(head['version'])} cannot be read; expected {VERSION}; collect the evidence again"
        )
    wanted = t.cast("t.Any", Evidence)[(facts or FACTS)[head["kind"]]]
    return t.cast("Evidence[t.Any]", _record(document, Form(wanted), 0))


def read_record(document: t.Any, wanted: type[Record]) -> Record:
    """Read any other document whose types ``forms.py`` knows. Raises :class:`InvalidEvidence`."""
    return t.cast("Record", _record(document, Form(wanted), 0))


def _each(items: t.Iterable[tuple[t.Any, t.Any, Form]], depth: int) -> dict[t.Any, t.Any]:
    """Read these values by name, and add the name to the place of an error."""
    if depth > MAX_DEPTH:
        raise InvalidEvidence(f"nested too deeply; expected at most {MAX_DEPTH} levels")
    found = {}
    name: t.Any = ""
    try:
        for name, value, form in items:
            # Nearly all values, and saved evidence has millions. A bool is an int to isinstance().
            if type(value) is form.any_of or (value is None and form.optional):  # pylint: disable=unidiomatic-typecheck
                found[name] = value
            else:
                found[name] = _READERS[form.shape](value, form, depth + 1)
    except InvalidEvidence as error:
        error.place.insert(0, str(name))
        raise
    return found


def _list(value: t.Any, form: Form, depth: int) -> tuple[t.Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _unexpected(_wanted(form), value)
    items = t.cast("Form", form.items)
    return tuple(_each(((number, one, items) for number, one in enumerate(value)), depth).values())


def _mapping(value: t.Any, form: Form, depth: int) -> dict[str, t.Any]:
    if not isinstance(value, Mapping):
        raise _unexpected(_wanted(form), value)
    for key in value:
        if not isinstance(key, str):
            raise _unexpected("texts as keys", key)
    items = t.cast("Form", form.items)
    return _each(((key, one, items) for key, one in value.items()), depth)


def _record(value: t.Any, form: Form, depth: int) -> t.Any:
    if not isinstance(value, Mapping):
        raise _unexpected(_wanted(form), value)
    fields = fields_of(form.type)
    if not required_of(form.type) <= value.keys():
        missing = [field.name for field in fields if field.required and field.name not in value]
        raise InvalidEvidence(f"lacks {', '.join(missing)}")
    return form.type(**_each(((one.name, value[one.name], one.form) for one in fields if one.name in value), depth))


def _choice(value: t.Any, form: Form, dummy: int) -> t.Any:
    if not isinstance(value, str):
        raise _unexpected(_wanted(form), value)
    try:
        return form.type(value)
    except ValueError as error:
        raise InvalidEvidence(f"{_shown(value)} is not one of {', '.join(form.choices)}") from error


def _scalar(value: t.Any, form: Form, dummy: int) -> t.Any:
    if not _FITS[form.type](value):
        raise _unexpected(_wanted(form), value)
    if form.format == "date-time":
        try:
            seconds_of(value)
        except ValueError as error:
            expected = "a time in UTC, such as 2026-03-01T12:00:00Z"
            raise InvalidEvidence(f"{_shown(value)} is not {expected}") from error
    return value


_READERS: t.Mapping[Shape, t.Callable[[t.Any, Form, int], t.Any]] = {
    Shape.LIST: _list,
    Shape.MAPPING: _mapping,
    Shape.RECORD: _record,
    Shape.CHOICE: _choice,
    Shape.SCALAR: _scalar,
}
#: Whether a value of JSON fits a scalar. A boolean is an int in Python, and NaN a float, but not in JSON.
_FITS: t.Mapping[t.Any, t.Callable[[t.Any], bool]] = {
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: _FITS[int](value) or (isinstance(value, float) and math.isfinite(value)),
}


def _wanted(form: Form) -> str:
    name = "mapping" if form.shape is Shape.RECORD else _NAMES.get(form.type, "text")
    return f"a {name}{' or null' if form.optional else ''}"


def _unexpected(wanted: str, value: t.Any) -> InvalidEvidence:
    return InvalidEvidence(f"expected {wanted}, not {_shown(value)}")


def _shown(value: t.Any) -> str:
    """A short form of a text or a small number, and only the type of anything else: it may be long, deep or secret."""
    if value is None:
        return "null"
    if isinstance(value, int) and abs(value) > 1_000_000_000:
        return "a huge number"  # Python refuses to print one of more than 4300 digits
    name = type(value).__name__
    article = "an" if name.lower().startswith(("a", "e", "i", "o", "u")) else "a"
    return reprlib.repr(value) if isinstance(value, (bool, int, float, str)) else f"{article} {name}"


def _short(name: str) -> str:
    return name if name.isprintable() and len(name) <= 60 else reprlib.repr(name)
