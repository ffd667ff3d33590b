# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SASLprep: the common form of user names and passwords (RFC 4013), by stringprep (RFC 3454)."""

from __future__ import annotations

import stringprep
from unicodedata import ucd_3_2_0 as unicode_3_2

#: RFC 4013 section 2.3.
_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class NotPreparable(ValueError):
    """SASLprep prohibits the text. The message does not show the text, which may be a password."""


def saslprep(text: str) -> str:
    """Prepare the text as a query: characters newer than Unicode 3.2 pass (RFC 3454 section 7, RFC 5802 section 5.1).

    :raises NotPreparable: a prohibited character, or mixed writing directions (RFC 4013 sections 2.3 and 2.4).
    """
    mapped = "".join(_mapped(character) for character in text)
    prepared = unicode_3_2.normalize("NFKC", mapped)
    if any(prohibits(character) for character in prepared for prohibits in _PROHIBITED):
        raise NotPreparable("it contains a character that SASLprep prohibits (RFC 4013 section 2.3)")
    if not _has_one_direction(prepared):
        raise NotPreparable("it mixes writing directions in a way that SASLprep prohibits (RFC 4013 section 2.4)")
    return prepared


def _mapped(character: str) -> str:
    """Map any kind of space to a space, and invisible characters to nothing (RFC 4013 section 2.1)."""
    if stringprep.in_table_c12(character):
        return " "
    return "" if stringprep.in_table_b1(character) else character


def _has_one_direction(text: str) -> bool:
    """Return whether the text is right-to-left throughout and at both ends, or not at all (RFC 3454 section 6)."""
    if not any(map(stringprep.in_table_d1, text)):
        return True
    ends = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends and not any(map(stringprep.in_table_d2, text))
