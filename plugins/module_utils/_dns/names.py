# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain names and addresses as text, in the form in which they are compared and looked up."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import re
import typing as t
import unicodedata

from .dns_errors import InvalidName

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_MAX_NAME = 253
_MAX_LABEL = 63
_PRINTABLE = re.compile(r"[ -~]+")
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
#: The dots that IDNA separates labels at (RFC 3490 section 3.1).
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_ESCAPE = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)
#: Letters that IDNA 2003, which Python has, and IDNA 2008 convert to different names (RFC 5894 section 7.2).
_DEVIATION = re.compile("[\u00df\u1e9e\u03c2]")
_WRITE_ASCII = "write its ASCII form, whose labels begin with xn--"


def normalize(name: str) -> str:
    """Convert ``name`` to lower-case ASCII (IDNA) without the final dot; the root is the empty string.

    Raises :class:`InvalidName` for an empty or overlong label or name (RFC 1035 section 2.3.4), and for an escape
    (section 5.1), without which the name would be another one.
    """
    if name in ("", "."):
        return ""
    try:
        if "\\" in name:
            raise ValueError(f"it has an escaped character: {_escaped(name)}")
        return _ascii(name)
    except ValueError as error:
        raise InvalidName(name, "valid domain name", str(error)) from error


@functools.lru_cache(maxsize=4096)
def _ascii(name: str) -> str:
    """See :func:`normalize`. Raises ``ValueError`` with what is wrong."""
    labels = _DOTS.split(name)
    if not all(labels[:-1]):
        raise ValueError("a label is empty")
    if max(map(len, labels)) > _MAX_LABEL:
        raise ValueError(f"a label is longer than {_MAX_LABEL} characters")
    if len(name) > _MAX_NAME + 1:
        raise ValueError(f"it is longer than {_MAX_NAME} characters")
    hidden = next((character for character in name if unicodedata.category(character) in ("Cc", "Cf")), "")
    if hidden:
        raise ValueError(f"it has the invisible character {character_name(hidden)}")
    letter = _DEVIATION.search(name)
    if letter:
        raise ValueError(f"software disagrees on {character_name(letter.group())} in names; {_WRITE_ASCII}")
    try:
        ascii_name = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise ValueError(f"a label is too long or has a character that is not allowed; {_WRITE_ASCII}") from error
    if len(ascii_name) > _MAX_NAME:
        raise ValueError(f"it is longer than {_MAX_NAME} characters")
    if not _PRINTABLE.fullmatch(ascii_name):
        raise ValueError("it has a character that is not printable")
    return ascii_name


def _escaped(name: str) -> str:
    """What the escapes in the text of a record stand for (RFC 1035 section 5.1), and how to write the name."""
    text = _ESCAPE.sub(_meant, name)
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    if not text.isascii():
        return f"{character_name(next(one for one in text if not one.isascii()))}; {_WRITE_ASCII}"
    first = _ESCAPE.search(name)
    meant = _meant(first) if first else "\\"
    return {" ": "a blank", "\t": "a tab", ".": "a dot within a label"}.get(meant, character_name(meant))


def _meant(escape: t.Match[str]) -> str:
    return chr(int(escape[1]) & 0xFF) if len(escape[1]) > 1 else escape[1]


def character_name(character: str) -> str:
    """The code and the name of ``character``, such as ``U+200B ZERO WIDTH SPACE``."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


#: What a text has that stands where a name is expected but is something else, and what it is. The first one is told.
_NOT_NAMES = (
    (re.compile(r"[a-z][a-z0-9+.-]*:/|mailto:", re.IGNORECASE), "it is a URL; write the name alone"),
    (re.compile(r"[\"'`\u00ab\u00bb\u2018-\u201f]"), "it has a quotation mark"),
    (re.compile(r"@"), "it is a mail address; write what follows the @"),
    (re.compile(r"\S[\s,;|]+\S"), "it is more than one name; write one name"),
    (re.compile(r"\s"), "it has a blank at its beginning or end"),
    (re.compile(r"[,;|]"), "it has a punctuation mark at its beginning or end"),
    (re.compile(r":"), "it has a colon; write the name without a port"),
    (re.compile(r"/"), "it has a slash; write the name alone"),
    (re.compile(r"[\[\]()<>]"), "it has a bracket; write the name alone"),
)
#: The same for domain names that are not names of hosts (RFC 1123 section 2.1).
_NOT_HOSTS = (
    (re.compile(r"\*"), "it is a wildcard"),
    (re.compile(r"_"), "it has an underscore, which host names cannot have"),
    (re.compile(r"(?:^|\.)-|-(?:\.|$)"), "a label begins or ends with a hyphen"),
    (re.compile(r"[^a-z0-9.-]"), "it has a character other than letters, digits, hyphens and dots"),
    (re.compile(r"(?:^|\.)[0-9]+$"), "its last label is a number, as if it were an address"),
)


def require_name(name: str) -> None:
    """Raise :class:`InvalidName` if ``name`` is not a domain name but, say, a URL. Addresses are not names either."""
    reason = "it is empty" if name in ("", ".") else _first_fault(_NOT_NAMES, name)
    if is_address(name):
        reason = "it is an IP address"
    if reason:
        raise InvalidName(name, "valid domain name", reason)
    normalize(name)


def require_host(name: str) -> None:
    """Raise :class:`InvalidName` if ``name`` is not a host name, qualified or not (RFC 1123 section 2.1)."""
    require_name(name)
    reason = _first_fault(_NOT_HOSTS, normalize(name))
    if reason:
        raise InvalidName(name, "valid host name", reason)


def require_fqdn(name: str) -> None:
    """Raise :class:`InvalidName` if ``name`` is not a fully qualified host name: one of two or more labels.

    RFC 5321 section 2.3.5.
    """
    require_host(name)
    if "." not in normalize(name):
        raise InvalidName(name, "fully qualified host name", "it has a single label")


def _first_fault(faults: t.Iterable[tuple[t.Pattern[str], str]], name: str) -> str:
    name = name[: _MAX_NAME + 1]  # what is longer is not a name either, and would take long
    return next((reason for pattern, reason in faults if pattern.search(name)), "")


def without_final_dot(name: str) -> str:
    """Remove the dot that ends an absolute name; the root stays ``.``, and an escaped dot belongs to its label."""
    return name[:-1] if len(name) > 1 and name.endswith(".") and not name.endswith("\\.") else name


def printable(text: str) -> str:
    """Write ``text``, whose characters are octets, as a zone file does (RFC 1035 section 5.1).

    An octet that is not printable ASCII becomes ``\\DDD``, and a backslash is doubled: no two texts look the same.
    """
    return "".join(map(_printable, text))


def _printable(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if " " <= character <= "~":
        return character
    octets = character.encode("latin-1" if character <= "\xff" else "utf-8")
    return "".join(f"\\{octet:03d}" for octet in octets)


def reverse_pointer(address: Address) -> str:
    """The name that holds the PTR record of ``address`` (RFC 1035 section 3.5, RFC 3596 section 2.5)."""
    return address.reverse_pointer


@functools.lru_cache(maxsize=4096)
def parse_address(text: str) -> Address:
    """Parse an IPv4 or IPv6 address; an IPv4-mapped one becomes IPv4 (RFC 7208 section 5). Raises ``ValueError``."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def parse_literal(text: str) -> Address:
    """Parse an address that may be an address literal, such as ``[IPv6:2001:db8::1]`` (RFC 5321 section 4.1.3).

    Raises ``ValueError``.
    """
    bare = text[1:-1] if text[:1] + text[-1:] == "[]" else text
    try:
        return parse_address(bare[5:] if bare[:5].lower() == "ipv6:" else bare)
    except ValueError as error:
        raise ValueError(f"{text[:_MAX_LABEL]!r} is not a valid IP address") from error


def is_address(text: str) -> bool:
    """Whether ``text`` is an IP address, also as an address literal."""
    try:
        parse_literal(text)
    except ValueError:
        return False
    return True
