# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Header fields as they stand in a message: folded, and closed to injection (RFC 5322 section 2.2)."""

from __future__ import annotations

import functools
import re

from .errors import InvalidHeader
from .words import check_text

#: RFC 5322 section 2.1.1, without the line end: what a line should and must not exceed.
_SOFT_LIMIT, _HARD_LIMIT = 78, 998
#: A name leaves room for a value on its line (RFC 5322 section 2.2).
_NAME = re.compile(r"[!-9;-~]{1,76}\Z")


@functools.lru_cache(maxsize=256)
def header_field(name: str, value: str) -> bytes:
    """One field with an already encoded value, folded at white space, its line end included.

    Remembered, since most fields of a message are those of the message before.

    A value that is not ASCII is written as UTF-8 (RFC 6532), which only a message for SMTPUTF8 may do.

    :raises InvalidHeader: the name is none, the value holds a control character, or a word is too long for a line.
    """
    if not _NAME.match(name):
        raise InvalidHeader(f"{name!r} is no header name; expected letters, digits and hyphens, at most 76")
    if value.isascii() and value.isprintable() and len(name) + 2 + len(value) <= _SOFT_LIMIT:
        return f"{name}: {value}\r\n".encode("ascii")
    try:
        check_text(value)
    except InvalidHeader:
        raise InvalidHeader(f"the header {name} holds a line break or another control character") from None
    lines = [line.encode("utf-8") for line in _fold(f"{name}:", value)]
    if any(len(line) > _HARD_LIMIT for line in lines):
        raise InvalidHeader(f"the header {name} holds a word too long for a line of {_HARD_LIMIT} octets")
    return b"\r\n".join(lines) + b"\r\n"


def _fold(start: str, value: str) -> list[str]:
    """Lines that begin with a word, so that none is empty (RFC 5322 section 3.2.2)."""
    lines, at_start = [start], True
    for word in value.split(" "):
        if word.strip() and not at_start and len(lines[-1]) + 1 + len(word) > _SOFT_LIMIT:
            lines.append("")
        lines[-1] += f" {word}"
        at_start = at_start and not word
    return lines
