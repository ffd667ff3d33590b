# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail domains and address literals (RFC 5321 sections 4.1.2 and 4.1.3).

A domain is returned as A-labels (RFC 5890 section 2.3.2.1), the form that DNS and every mail server understand. Letters
outside ASCII are mapped by IDNA 2003, which is in Python's standard library: it normalises case, width and dots as
UTS 46 does. IDNA 2008 maps four characters differently, to a domain that may have another owner; they are refused.
"""

from __future__ import annotations

import functools
import re

from .errors import InvalidAddress

#: Longest domain and longest label, in octets (RFC 1035 section 2.3.4).
_MAX_DOMAIN, _MAX_LABEL = 255, 63
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\Z")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}\Z")
_IPV6_GROUP = re.compile(r"[0-9A-Fa-f]{1,4}\Z")
#: Deviation characters (UTS 46 section 2.3): sharp s, final sigma, zero-width joiner and non-joiner.
_DEVIATION = re.compile("[\u00df\u03c2\u200c\u200d]")
#: Punctuation that IDNA 2003 lets pass and IDNA 2008 does not, such as a quote that was pasted along.
_NOT_IN_DOMAIN = re.compile("[\u00ab\u00bb\u2010-\u2027\u2030-\u205e\u3008-\u301f]")


@functools.lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """Return the domain in ASCII; an address literal in brackets is accepted too (RFC 5321 section 4.1.3).

    :raises InvalidAddress: the text is not a valid domain.
    """
    if domain.startswith("["):
        return _check_literal(domain)
    if domain.isascii():
        return _check_labels(domain, domain)
    found = _DEVIATION.search(domain)
    if found:
        raise InvalidAddress(
            f"{domain!r} contains {found.group()!r}, which IDNA 2003 and IDNA 2008 map to different domains; "
            "write the domain in its registered form, with xn--"
        )
    check_visible(domain)
    try:
        encoded = "" if _NOT_IN_DOMAIN.search(domain) else domain.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    return _check_labels(encoded, domain)


def _check_labels(encoded: str, domain: str) -> str:
    labels = encoded.split(".")
    for label in labels:
        if not _LABEL.match(label):
            raise InvalidAddress(f"{domain!r} is not a valid domain; expected one such as example.com")
        check_length(label, _MAX_LABEL, f"the label {label!r} of the domain")
    check_length(encoded, _MAX_DOMAIN, "the domain")
    return encoded


def _check_literal(literal: str) -> str:
    """Check an address literal. IPv6 is the only tag that is registered (RFC 5321 section 4.1.3)."""
    text = literal[1:-1]
    valid = _is_ipv6(text[5:]) if text[:5].lower() == "ipv6:" else bool(_IPV4.match(text))
    if literal.endswith("]") and valid:
        return literal
    raise InvalidAddress(
        f"{literal!r} is not a valid address literal; expected one such as [192.0.2.1] or [IPv6:2001:db8::1]"
    )


def _is_ipv6(text: str) -> bool:
    """Whether this is an IPv6 address; ``::`` stands for at least two groups (RFC 5321 section 4.1.3)."""
    before, gap, behind = text.partition("::")
    groups = [group for side in (before, behind) if side for group in side.split(":")]
    ends_in_ipv4 = bool(groups) and text.endswith(groups[-1]) and bool(_IPV4.match(groups[-1]))
    count = len(groups) + ends_in_ipv4
    if ends_in_ipv4:
        groups.pop()
    return all(map(_IPV6_GROUP.match, groups)) and (count <= 6 if gap else count == 8)


def check_visible(text: str) -> None:
    """Check that every character can be seen, as others are pasted by mistake.

    :raises InvalidAddress: one cannot, such as a no-break space.
    """
    found = next((character for character in text if not character.isprintable()), "")
    if found:
        raise InvalidAddress(f"it contains the invisible character U+{ord(found):04X}; type it again without it")


def check_length(text: str, limit: int, what: str) -> None:
    """Check the length of a text in octets.

    :param what: what the text is, for errors.
    :raises InvalidAddress: it is too long.
    """
    octets = len(text.encode("utf-8"))
    if octets > limit:
        raise InvalidAddress(f"{what} has {octets} octets; expected at most {limit}")
