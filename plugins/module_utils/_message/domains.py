# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains in the form that DNS and every mail server understand: A-labels (RFC 5890 section 2.3.2.1).

Letters outside ASCII are mapped by IDNA 2003, which is in Python's standard library: case, width and dots are evened
out as UTS 46 does. The four characters that IDNA 2008 reads otherwise name another owner's domain there: refused.
"""

from __future__ import annotations

import functools
import re

from .errors import InvalidAddress

_ASCII_DOMAIN = re.compile(
    r"(?=.{1,255}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\Z"
)
_LITERAL = re.compile(r"\[(?:IPv6:[0-9A-Fa-f:.]+|[0-9.]+)\]\Z")
#: UTS 46 section 2.3: sharp s, final sigma, zero-width joiner and non-joiner.
_DEVIATION = re.compile("[\u00df\u03c2\u200c\u200d]")


@functools.lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """The domain in ASCII; an address literal in brackets is one too (RFC 5321 section 4.1.3).

    :raises InvalidAddress: it is none.
    """
    if _ASCII_DOMAIN.match(domain) or _LITERAL.match(domain):
        return domain
    found = _DEVIATION.search(domain)
    if found:
        raise InvalidAddress(
            f"{domain!r} holds {found.group()!r}, which the versions of IDNA turn into different domains; "
            "write the domain as it is registered, with xn--"
        )
    try:
        encoded = domain.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if domain.isascii() or not _ASCII_DOMAIN.match(encoded):
        raise InvalidAddress(f"{domain!r} is no valid domain; expected something like example.com")
    return encoded
