# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which community.general.mail takes its options, so that a task of it needs no change."""

from __future__ import annotations

import re
import typing as t

from .errors import InvalidHeader

#: ``a=1|X-B=2`` in one string: a bar parts headers only where a name such as ``X-B`` and an equals sign follow. Any
#: other bar belongs to the value, and so does one in angle brackets.
_BAR = re.compile(r"\s*\|\s*(?=[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+\s*=)(?![^<|]*>)")


def parse_header_strings(strings: str | t.Sequence[str]) -> dict[str, str | list[str]]:
    """``Name=value`` strings as a mapping; a name that occurs again has a list of values.

    >>> parse_header_strings(["Reply-To=jo@example.com", "X-Query=a=1"])
    {'Reply-To': 'jo@example.com', 'X-Query': 'a=1'}

    :raises InvalidHeader: one without an equals sign.
    """
    found: dict[str, str | list[str]] = {}
    for string in [strings] if isinstance(strings, str) else strings:
        for item in _BAR.split(string.strip()):
            name, equals, value = item.partition("=")
            if not equals:
                raise InvalidHeader(f"{item!r} is no header; expected something like Reply-To=jo@example.com")
            _add(found, name.strip(), value.strip())
    return found


def parse_attach(value: str | t.Sequence[str]) -> list[str]:
    """Paths to attach: a list, or one string with commas between, as Ansible splits a list."""
    items = value.split(",") if isinstance(value, str) else value
    return [item.strip() for item in items if item.strip()]


def texts(subject: str, body: str | None, subtype: str) -> tuple[str | None, str | None]:
    """Plain text and HTML as that module means them: the body is the subject unless given, in the subtype.

    :param subtype: ``plain`` or ``html``.
    """
    text = subject if body is None else body
    return (None, text) if subtype == "html" else (text, None)


def _add(found: dict[str, str | list[str]], name: str, value: str) -> None:
    name = next((known for known in found if known.lower() == name.lower()), name)
    known = found.get(name)
    if known is None:
        found[name] = value
    else:
        found[name] = [known, value] if isinstance(known, str) else [*known, value]
