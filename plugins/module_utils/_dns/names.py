# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain names and addresses as text, in the form in which they are compared and looked up."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .dns_errors import InvalidName

Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_MAX_NAME = 253
_PRINTABLE = re.compile(r"[ -~]+")
_HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def normalize(name: str) -> str:
    """Convert ``name`` to lower-case ASCII (IDNA) without the final dot; the root is the empty string.

    Raises :class:`InvalidName` for an empty or overlong label or name (RFC 1035 section 2.3.4), and for an escape
    (section 5.1), without which the name would be another one.
    """
    if name in ("", "."):
        return ""
    if "\\" in name:
        raise InvalidName(f"{name} is not a valid domain name: it has an escaped character")
    try:
        ascii_name = name.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidName(f"{name!r} is not a valid domain name: a label is empty, too long or not allowed") from error
    ascii_name = ascii_name.removesuffix(".")
    if len(ascii_name) > _MAX_NAME or not _PRINTABLE.fullmatch(ascii_name):
        raise InvalidName(f"{name!r} is not a valid domain name: it is too long or not printable")
    return ascii_name


def is_fqdn(name: str) -> bool:
    """Whether ``name`` is a fully qualified host name: two or more labels of letters, digits and hyphens.

    RFC 5321 section 2.3.5 and RFC 1123 section 2.1. With a numeric last label it would look like an address.
    """
    try:
        labels = normalize(name).split(".")
    except InvalidName:
        return False
    return len(labels) > 1 and all(map(_HOST_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


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


def parse_address(text: str) -> Address:
    """Parse an IPv4 or IPv6 address; an IPv4-mapped one becomes IPv4 (RFC 7208 section 5). Raises ``ValueError``."""
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
