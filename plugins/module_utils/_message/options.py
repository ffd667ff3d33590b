# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one message's options go over those of all, and which of them are names for the same thing."""

from __future__ import annotations

import typing as t

Options = t.Mapping[str, t.Any]

#: The text itself, a file that holds it, a template that makes it: one of each line at most.
TEXTS: t.Mapping[str, tuple[str, str, str]] = {
    "body": ("body", "body_file", "body_template"),
    "html": ("html", "html_file", "html_template"),
}
_SAME_TEXT = {name: names for names in TEXTS.values() for name in names}


def overlay(common: Options, own: Options) -> dict[str, t.Any]:
    """Own options over common ones; None counts as not given.

    A message's own ``body`` also stands in place of the task's ``body_template``.

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
