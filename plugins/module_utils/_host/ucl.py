# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the configuration language of rspamd (UCL), as far as its modules' settings need it."""

from __future__ import annotations

import re
import typing as t

_TOKEN = re.compile(r'#[^\n]*|/\*.*?\*/|"((?:[^"\\]|\\.)*)"|([{}\[\]])|[=:;,]|([^\s{}\[\]=:;,"#]+)', re.DOTALL)

Value = t.Any


def parse(text: str) -> dict[str, Value]:
    """Parse a file: a section is a dict, a list a list, all else a text. A repeated section adds to the former."""
    tokens = [match for match in _TOKEN.finditer(text) if any(match.groups()) or match.group().startswith('"')]
    words = [match[2] or ("word", match[1] if match[1] is not None else match[3]) for match in tokens]
    words.reverse()
    return _section(words)


def _section(words: list[t.Any]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    while words:
        key = words.pop()
        if key == "}":
            break
        if isinstance(key, tuple) and words:
            # a section may have a name of its own: domain "example.com" { ... }
            value = _value(words)
            former = found.get(key[1])
            found[key[1]] = {**former, **value} if isinstance(former, dict) and isinstance(value, dict) else value
    return found


def _value(words: list[t.Any]) -> Value:
    word = words.pop()
    if word == "{":
        return _section(words)
    if word == "[":
        items = []
        while words and words[-1] != "]":
            items.append(_value(words))
        del words[-1:]
        return items
    if isinstance(word, tuple) and words and words[-1] == "{":
        return {word[1]: _value(words)}
    return word[1] if isinstance(word, tuple) else ""
