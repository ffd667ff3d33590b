# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail addresses as people write them, taken apart and checked (RFC 5322 section 3.4, RFC 5321 section 4.1.2)."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .errors import InvalidAddress
from .headers import encode_phrase

#: RFC 5322 section 3.2.3, widened to UTF-8 by RFC 6531 section 3.3.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*\Z")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"\Z')
_DOMAIN_LITERAL = re.compile(r"\[(?:IPv6:[0-9A-Fa-f:.]+|[0-9.]+)\]\Z")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

#: UTS 46 section 4.1.2: IDNA 2003, which Python speaks, maps these to others; IDNA 2008 does not.
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")

#: RFC 5321 section 4.5.3.1.1 and 4.5.3.1.2, in octets.
_MAX_LOCAL, _MAX_DOMAIN = 64, 255


@dataclass(frozen=True)
class Mailbox:
    """One address with or without a display name.

    :param name: display name, decoded; empty for none.
    :param local: local part, quoted where it needs quotes.
    :param domain: domain in ASCII (A-labels) or an address literal; empty for a name of the server's own.
    """

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """What goes into the envelope: ``local@domain``."""
        return f"{self.local}@{self.domain}" if self.domain else self.local

    def header(self) -> str:
        """What goes into a header field."""
        return f"{encode_phrase(self.name)} <{self.address}>" if self.name else self.address


def parse_mailbox(text: str) -> Mailbox:
    """Take one address apart: ``a@example.com``, ``Jo Doe <a@example.com>`` or ``"Doe, Jo" <a@example.com>``.

    :raises InvalidAddress: anything else, more than one address included.
    """
    if _CONTROL.search(text):
        raise InvalidAddress(f"{text!r} holds a control character; an address is one line of text")
    parts = _split_outside_quotes(text)
    if len(parts) != 1:
        raise InvalidAddress(
            f"{text!r} reads as {len(parts)} addresses; give a list of addresses, and put a name that holds a comma "
            'in quotes: "Doe, Jo" <jo@example.com>'
        )
    text = parts[0]
    if not text.endswith(">"):
        return _mailbox("", text)
    name, bracket, address = text[:-1].rpartition("<")
    if not bracket:
        raise InvalidAddress(f"{text!r} closes an angle bracket that it never opened")
    return _mailbox(_unquote(name.strip()), address.strip())


def parse_mailboxes(text: str) -> list[Mailbox]:
    """Take a comma-separated list apart.

    :raises InvalidAddress: one of them is none. ``Doe, John <a@b>`` is refused: the comma makes ``Doe`` an address.
    """
    parts = [part for part in _split_outside_quotes(text) if part]
    for part, following in zip(parts, parts[1:]):
        if "@" not in part and following.endswith(">") and not following.startswith("<"):
            raise InvalidAddress(
                f"{text!r} reads as the address {part!r} and another one; put a name that holds a comma in quotes: "
                f'"{part}, {following.partition("<")[0].strip()}" <{following.partition("<")[2]}'
            )
    return [parse_mailbox(part) for part in parts]


def _split_outside_quotes(text: str) -> list[str]:
    parts, start, quoted, escaped = [], 0, False, False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            parts.append(text[start:index].strip())
            start = index + 1
    if quoted:
        raise InvalidAddress(f"{text!r} opens a quote that it never closes")
    return [*parts, text[start:].strip()]


def _unquote(name: str) -> str:
    if len(name) >= 2 and name.startswith('"') and name.endswith('"'):
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    if '"' in name or "<" in name or ">" in name or "@" in name:
        raise InvalidAddress(f"the name {name!r} holds a character that needs quotes around the whole name")
    return name


def _mailbox(name: str, address: str) -> Mailbox:
    local, at, domain = address.rpartition("@")
    if not at:
        local, domain = address, ""
    if not (_DOT_ATOM.match(local) or _QUOTED_LOCAL.match(local)) or len(local.encode()) > _MAX_LOCAL:
        raise InvalidAddress(f"{address!r} is no address; expected something like ops@example.com")
    return Mailbox(name, local, _ascii_domain(domain, address) if at else "")


def _ascii_domain(domain: str, address: str) -> str:
    if _DOMAIN_LITERAL.match(domain):
        return domain
    if set(domain) & _DEVIATIONS:
        raise InvalidAddress(
            f"the domain of {address!r} holds a letter that the two standards of international names read "
            "differently, as two domains; write it in its ASCII form, xn--..."
        )
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_domain = ""
    labels = ascii_domain.split(".")
    if len(ascii_domain) > _MAX_DOMAIN or not all(_LABEL.match(label) for label in labels):
        raise InvalidAddress(f"{address!r} has no valid domain after the @; expected something like ops@example.com")
    return ascii_domain


def unique_addresses(mailboxes: t.Iterable[Mailbox]) -> tuple[str, ...]:
    """The envelope's recipients: each address once, in the order given."""
    return tuple(dict.fromkeys(mailbox.address for mailbox in mailboxes))
