# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of tags such as ``v=DKIM1; p=...`` (RFC 6376 section 3.2), which DKIM, DMARC, MTA-STS and TLS-RPT share."""

from __future__ import annotations

import re
import urllib.parse

from .dns_errors import RecordSyntaxError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VALUE = re.compile(r"[ -~\t\r\n]*")


def read_tags(text: str) -> tuple[dict[str, str], list[str]]:
    """The tags, by their names in lower case, and what is wrong with the others. The first of two equal names counts.

    Blanks around names and values do not count.
    """
    tags: dict[str, str] = {}
    faults = []
    for part in text.split(";"):
        name, equals, value = (piece.strip(" \t\r\n") for piece in part.partition("="))
        if not name and not equals:
            continue
        if not equals or not _NAME.fullmatch(name):
            faults.append(f"{_excerpt(part)} is not a tag such as name=value")
        elif not _VALUE.fullmatch(value):
            faults.append(f"the value of {name}= has a character that is not printable ASCII")
        elif name.lower() in tags:
            faults.append(f"{name}= appears twice")
        else:
            tags[name.lower()] = value
    return tags, faults


def parse_tags(text: str) -> dict[str, str]:
    """The tags by their names. Raises :class:`RecordSyntaxError` if one is wrong."""
    tags, faults = read_tags(text)
    if faults:
        raise RecordSyntaxError(faults[0])
    return tags


def scheme_of(uri: str) -> str:
    """The scheme of a URI in lower case; empty if it has none, or cannot be read, such as ``https://[``."""
    try:
        return urllib.parse.urlsplit(uri.strip()).scheme
    except ValueError:
        return ""


def _excerpt(text: str) -> str:
    return repr(text.strip()[:40])
