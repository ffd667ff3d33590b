# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a message, one type for each kind. The text of each is written for the user."""

from __future__ import annotations

import typing as t
from datetime import date

_T = t.TypeVar("_T")
#: Longest part of a value that an error quotes.
_QUOTED = 60


class MessageError(ValueError):
    """A message that cannot be sent as described; found before any connection is opened."""


class InvalidAddress(MessageError):
    """Text that is not a valid address; the error quotes it and has what was expected."""


class InvalidHeader(MessageError):
    """A header field that cannot be written."""


class InvalidMediaType(MessageError):
    """A media type that is not of the form type/subtype."""


class InvalidMessage(MessageError):
    """A message that is invalid as a whole, or in a part that has no error of its own."""


class RowError(MessageError):
    """A file of messages, or a row in it, that cannot be read; the error has file, line and what was expected."""


def in_option(option: str, parse: t.Callable[..., _T], *values: t.Any) -> _T:
    """Call a function, and name the option in its errors.

    :raises MessageError: as the function does.
    """
    try:
        return parse(*values)
    except MessageError as error:
        raise type(error)(f"{option}: {error}") from error


def wrong(place: str, expected: str, value: t.Any, advice: str = "") -> InvalidMessage:
    """Return the error for a value of another form."""
    return InvalidMessage(f"{place}: expected {expected}, got {found_value(value)}{advice}")


def found_value(value: t.Any) -> str:
    """Name a value, for errors."""
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    names = {dict: "a mapping", list: "a list", tuple: "a list", date: "a date", type(None): "null"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a value of another type")


def quoted(text: str) -> str:
    """Quote a text, shortened, for errors."""
    return repr(str(text)) if len(text) <= _QUOTED else repr(str(text[:_QUOTED]) + "...")


def either(names: t.Sequence[str]) -> str:
    """Join names as in ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
