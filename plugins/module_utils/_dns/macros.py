# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF macros (RFC 7208 section 7): the grammar of domain-specs and their expansion."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing as t
import urllib.parse

from .names import Address

_TRANSFORMERS = r"(?:0*[1-9][0-9]*)?r?[-.+,/_=]*"
#: c, r and t are allowed in explanation texts only (section 7.2).
_EXPAND = rf"%(?:\{{[slodiphv]{_TRANSFORMERS}\}}|[%_-])"
_EXPAND_ANY = rf"%(?:\{{[slodiphvcrt]{_TRANSFORMERS}\}}|[%_-])"
_LITERAL = r"[!-$&-~]"
#: Letters, digits and hyphens, but not only digits (section 7.1).
_TOP_LABEL = r"(?![0-9]+\.?\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_DOMAIN_SPEC = re.compile(rf"(?:{_EXPAND}|{_LITERAL})*(?:\.{_TOP_LABEL}\.?|{_EXPAND})", re.IGNORECASE)
_MACRO_STRING = re.compile(rf"(?:{_EXPAND_ANY}|{_LITERAL})*", re.IGNORECASE)
_MACRO = re.compile(r"%(?:\{([a-z])([0-9]*)(r?)([-.+,/_=]*)\}|([%_-]))", re.IGNORECASE)
_OF_ADDRESS = re.compile(r"%\{[ip]", re.IGNORECASE)
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
_MAX_NAME = 253


def is_domain_spec(text: str) -> bool:
    """Whether ``text`` follows the rule ``domain-spec`` (RFC 7208 section 7.1)."""
    return bool(_DOMAIN_SPEC.fullmatch(text))


def is_macro_string(text: str) -> bool:
    """Whether ``text`` follows the rule ``macro-string`` (RFC 7208 section 7.1)."""
    return bool(_MACRO_STRING.fullmatch(text))


def depends_on_address(text: str) -> bool:
    """Whether a domain-spec is another name for each sending address."""
    return bool(_OF_ADDRESS.search(text))


@dataclasses.dataclass(frozen=True)
class MacroValues:
    """The values of the macro letters (RFC 7208 section 7.2)."""

    address: Address
    sender: str
    domain: str
    helo: str
    #: Finds the validated name of the address for ``%{p}``; called only if the macro is used.
    validated_name: t.Callable[[], str]


_LETTERS: dict[str, t.Callable[[MacroValues], str]] = {
    "s": lambda values: values.sender,
    "l": lambda values: values.sender.rpartition("@")[0],
    "o": lambda values: values.sender.rpartition("@")[2],
    "d": lambda values: values.domain,
    "i": lambda values: _dotted(values.address),
    "p": lambda values: values.validated_name(),
    "h": lambda values: values.helo,
    "v": lambda values: "in-addr" if values.address.version == 4 else "ip6",
}


def expand_domain(spec: str, values: MacroValues) -> str:
    """Expand a valid domain-spec. A name that is too long loses whole labels on the left (section 7.3)."""
    name = _MACRO.sub(lambda match: _expand(match, values), spec).rstrip(".")
    while len(name) > _MAX_NAME and "." in name:
        name = name.partition(".")[2]
    return name


def _expand(match: t.Match[str], values: MacroValues) -> str:
    letter, digits, reverse, delimiters, escape = match.groups()
    if escape:
        return _ESCAPES[escape]
    parts = re.split(f"[{re.escape(delimiters or '.')}]", _LETTERS[letter.lower()](values))
    if reverse:
        parts.reverse()
    text = ".".join(parts[-int(digits) :] if digits else parts)
    # An upper-case letter asks for URL escaping (section 7.3).
    return urllib.parse.quote(text, safe="-._~") if letter.isupper() else text


def _dotted(address: Address) -> str:
    """The address for ``%{i}``: IPv6 as single hexadecimal digits with dots (section 7.3)."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return ".".join(address.exploded.replace(":", ""))
