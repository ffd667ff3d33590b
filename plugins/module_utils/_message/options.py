# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a message: the forms a value may have, and a message's own options over the task's.

``headers``, ``attach`` and ``subtype`` have the forms of community.general.mail, so that its tasks need no change.
"""

from __future__ import annotations

import re
import typing as t

from .errors import InvalidHeader

Options = t.Mapping[str, t.Any]

#: For each text, the options that exclude each other: the text itself, a file and a template.
TEXTS: t.Mapping[str, tuple[str, str, str]] = {
    "body": ("body", "body_file", "body_template"),
    "html": ("html", "html_file", "html_template"),
}
_SAME_TEXT = {name: names for names in TEXTS.values() for name in names}

#: ``a=1|X-B=2`` in one string: a bar separates headers only if a name such as ``X-B`` and an equals sign follow. Any
#: other bar is part of the value, and so is one in angle brackets.
_BAR = re.compile(r"\s*\|\s*(?=[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+\s*=)(?![^<|]*>)")


def overlay(common: Options, own: Options) -> dict[str, t.Any]:
    """Merge a message's own options over the common ones; None counts as not set.

    A message's own ``body`` also replaces the task's ``body_file`` or ``body_template``.

    >>> overlay({"subject": "News", "body_file": "news.txt"}, {"body": "Dear Ann", "cc": None})
    {'subject': 'News', 'body': 'Dear Ann'}
    """
    merged = dict(common)
    for name, value in own.items():
        if value is None:
            continue
        for same in _SAME_TEXT.get(name, ()):
            merged.pop(same, None)
        merged[name] = value
    return merged


def parse_header_strings(strings: str | t.Sequence[str]) -> dict[str, str | list[str]]:
    """Parse ``Name=value`` strings into a mapping; a name that occurs more than once has a list of values.

    >>> parse_header_strings(["Reply-To=jo@example.com", "X-Query=a=1"])
    {'Reply-To': 'jo@example.com', 'X-Query': 'a=1'}

    :raises InvalidHeader: a string without an equals sign.
    """
    found: dict[str, str | list[str]] = {}
    for string in [strings] if isinstance(strings, str) else strings:
        for item in _BAR.split(string.strip()):
            name, equals, value = item.partition("=")
            if not equals:
                raise InvalidHeader(
                    f"headers: {item!r} is not a valid header; expected Name=value, such as Reply-To=jo@example.com"
                )
            _add(found, name.strip(), value.strip())
    return found


def parse_attach(value: str | t.Sequence[str]) -> list[str]:
    """Return the paths to attach: from a list, or from one string with commas, as Ansible splits a list."""
    items = value.split(",") if isinstance(value, str) else value
    return [item.strip() for item in items if item.strip()]


def texts(subject: str, body: str | None, subtype: str) -> tuple[str | None, str | None]:
    """Return plain text and HTML: the body is one of them by ``subtype``, and defaults to the subject.

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
