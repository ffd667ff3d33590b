# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types that facts may have, for those who read, describe or invent documents: few, so that all of them agree.

Needs Python 3.10: it evaluates the annotations.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import functools
import types
import typing as t

SCALARS = (str, int, float, bool)


class Shape(enum.Enum):
    """How a value is taken apart."""

    SCALAR = 1
    CHOICE = 2
    RECORD = 3
    LIST = 4
    MAPPING = 5


_EXPECTED = "str, int, float, bool, an Enum of texts, a dataclass, tuple[X, ...], dict[str, X], or one of these | None"


class UnsupportedType(TypeError):
    """A field whose type evidence cannot have. A mistake in this collection, never in a document."""


@dataclasses.dataclass(frozen=True)
class Form:
    """The type of a fact, taken apart."""

    #: One of SCALARS, an enumeration, a dataclass, tuple or dict; of a generic dataclass a type variable.
    type: t.Any
    #: What a tuple or a dict holds.
    items: Form | None = None
    optional: bool = False
    #: Of a text, in the words of JSON Schema: ``date-time``, or empty.
    format: str = ""

    @functools.cached_property
    def shape(self) -> Shape:
        """How a value is taken apart."""
        if self.type in (tuple, dict):
            return Shape.LIST if self.type is tuple else Shape.MAPPING
        if dataclasses.is_dataclass(t.get_origin(self.type) or self.type):
            return Shape.RECORD
        return Shape.CHOICE if _is_choice(self.type) else Shape.SCALAR

    @functools.cached_property
    def any_of(self) -> type | None:
        """The type of which every instance fits; None if a value has to be looked at."""
        return self.type if self.type in (str, int, bool) and not self.format else None

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of an enumeration, otherwise empty."""
        return tuple(one.value for one in self.type) if self.shape is Shape.CHOICE else ()


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of a record."""

    name: str
    form: Form
    description: str
    required: bool


@functools.cache
def fields_of(record: t.Any) -> tuple[Field, ...]:
    """The fields of a dataclass, or of a generic one with its types, such as ``Evidence[DnsFacts]``.

    Raises :class:`UnsupportedType`.
    """
    plain = t.get_origin(record) or record
    given = dict(zip(getattr(plain, "__parameters__", ()), t.get_args(record)))
    hints = t.get_type_hints(plain, include_extras=True)
    return tuple(
        Field(
            field.name,
            _form(given.get(hints[field.name], hints[field.name]), f"{plain.__name__}.{field.name}"),
            field.metadata.get("description", ""),
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(plain)
    )


@functools.cache
def required_of(record: t.Any) -> frozenset[str]:
    """The names of the fields that a record must have."""
    return frozenset(field.name for field in fields_of(record) if field.required)


def _form(annotation: t.Any, place: str) -> Form:
    origin, inner = t.get_origin(annotation), t.get_args(annotation)
    if origin is t.Annotated and inner[0] is str:
        return Form(str, format=inner[1])
    if origin in (t.Union, types.UnionType) and len(inner) == 2 and type(None) in inner:
        (wanted,) = (one for one in inner if one is not type(None))
        return dataclasses.replace(_form(wanted, place), optional=True)
    if origin is tuple and inner[1:] == (Ellipsis,):
        return Form(tuple, _form(inner[0], place))
    if origin in (dict, collections.abc.Mapping) and inner[0] is str:
        return Form(dict, _form(inner[1], place))
    form = Form(annotation)
    if annotation in SCALARS or form.shape is not Shape.SCALAR or isinstance(annotation, t.TypeVar):
        return form
    raise UnsupportedType(f"{place}: evidence cannot have the type {annotation}; expected {_EXPECTED}")


def _is_choice(wanted: t.Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, enum.Enum) and issubclass(wanted, str)
