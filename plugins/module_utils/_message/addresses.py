# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse and validate mail addresses as users write them (RFC 5322 section 3.4, RFC 5321 section 4.1.2).

A domain is returned as A-labels (RFC 5890 section 2.3.2.1), the form that DNS and every mail server understand. Letters
outside ASCII are mapped by IDNA 2003, which is in Python's standard library: it normalises case, width and dots as
UTS 46 does. IDNA 2008 maps four characters differently, to a domain that may have another owner; they are refused.
"""

from __future__ import annotations

import functools
import re
import typing as t

from .charsets import UTF_8, Charset
from .errors import InvalidAddress, InvalidHeader
from .headers import ATOM, check_text, encode_phrase

#: The form of nearly all addresses; it needs no further check of the local part.
_BARE = re.compile(r"[A-Za-z0-9_+.-]+@[A-Za-z0-9.-]+\Z")
_DOT_ATOM = re.compile(rf"{ATOM}(?:\.{ATOM})*\Z")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\x00-\x1f\x7f<>]|\\[\x20-\x3b=?-\x7e])*"\Z')
#: ``jo@example.com (Jo Doe)``, the form from before RFC 822.
_NAME_IN_COMMENT = re.compile(r"([^\s()<>\"]+)\s+\(([^()\\]*)\)\Z")
#: ``mailto:a@b``, ``group: a@b;`` or ``a@b; c@d``.
_NO_LIST = re.compile(r"[^\"<@\[]*:|[^\"<]*@[^\"<]*;")

#: Longest local part, in octets (RFC 5321 section 4.5.3.1.1).
_MAX_LOCAL = 64

_ASCII_DOMAIN = re.compile(
    r"(?=.{1,255}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\Z"
)
_LITERAL = re.compile(r"\[(?:IPv6:[0-9A-Fa-f:.]+|[0-9.]+)\]\Z")
#: Deviation characters (UTS 46 section 2.3): sharp s, final sigma, zero-width joiner and non-joiner.
_DEVIATION = re.compile("[\u00df\u03c2\u200c\u200d]")


class Mailbox(t.NamedTuple):
    """An address, with or without a display name.

    :param name: display name, decoded; empty if there is none.
    :param local: local part, in quotes if it needs them.
    :param domain: domain in ASCII (A-labels) or an address literal; empty for a name that is local to the server.
    """

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """The address for the envelope: ``local@domain``."""
        return f"{self.local}@{self.domain}" if self.domain else self.local

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the address needs a server with SMTPUTF8 (RFC 6531 section 3.3)."""
        return not self.local.isascii()

    def header(self, charset: Charset | None = UTF_8) -> str:
        """Return name and address for a header field; see ``encode_phrase`` for the charset and the errors."""
        return f"{encode_phrase(self.name, charset)} <{self.address}>" if self.name else self.address


def parse_mailbox(text: str) -> Mailbox:
    """Parse one address: ``a@example.com``, ``Jo Doe <a@example.com>`` or ``"Doe, Jo" <a@example.com>``.

    A comment beside a name is kept as part of the name; a comment after a bare address becomes the name.

    :raises InvalidAddress: the text is not a valid address, or contains more than one.
    """
    _check(text)
    parts = _split(text)
    if len(parts) != 1:
        raise InvalidAddress(
            f"{text!r} reads as {len(parts)} addresses; expected one. Put a name that contains a comma in quotes: "
            '"Doe, Jo" <jo@example.com>'
        )
    return _one(parts[0])


def parse_mailboxes(value: str | t.Sequence[str]) -> list[Mailbox]:
    """Parse a list of addresses, or text with commas between them; empty ones are dropped.

    :raises InvalidAddress: one is not valid. ``Doe, John <a@b>`` is refused, as the comma makes ``Doe`` an address.
    """
    if not isinstance(value, str):
        return [mailbox for item in value for mailbox in parse_mailboxes(item)]
    if _BARE.match(value):
        return [_one(value)]
    _check(value)
    parts = [part for part in _split(value) if part]
    for part, following in zip(parts, parts[1:]):
        if not ("@" in part or part.endswith(">")) and following.endswith(">") and not following.startswith("<"):
            raise InvalidAddress(
                f"{value!r} reads as the address {part!r} and another one; put a name that contains a comma in quotes: "
                f'"{part}, {following.partition("<")[0].strip()}" <{following.partition("<")[2]}'
            )
    return [_one(part) for part in parts]


def unique_addresses(mailboxes: t.Iterable[Mailbox]) -> tuple[str, ...]:
    """Return the recipients of the envelope: each address once, in the given order."""
    return tuple(dict.fromkeys([mailbox.address for mailbox in mailboxes]))


@functools.lru_cache(maxsize=256)
def header_list(mailboxes: tuple[Mailbox, ...], charset: Charset | None = UTF_8) -> str:
    """Return the value of a header field with these addresses; see ``encode_phrase`` for the errors."""
    return ", ".join([mailbox.header(charset) for mailbox in mailboxes])


def _check(text: str) -> None:
    try:
        check_text(text.replace("\t", "\n"))
    except InvalidHeader:
        raise InvalidAddress(
            f"{text!r} contains a control character; expected an address, which is one line of text"
        ) from None


def _split(text: str) -> list[str]:
    """Split at the commas outside quotes."""
    if '"' not in text:
        return [part.strip() for part in text.split(",")]
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
        raise InvalidAddress(f"{text!r} has an opening quote that is never closed; add the closing quote")
    return [*parts, text[start:].strip()]


@functools.lru_cache(maxsize=256)
def _one(text: str) -> Mailbox:
    if _BARE.match(text):
        return _mailbox("", text)
    if _NO_LIST.match(text):
        raise InvalidAddress(
            f"{text!r} contains a colon or a semicolon; expected plain addresses with commas between them, not a group "
            "or a URI"
        )
    if not text.endswith(">"):
        comment = _NAME_IN_COMMENT.match(text)
        return _mailbox(comment.group(2).strip(), comment.group(1)) if comment else _mailbox("", text)
    name, bracket, address = text[:-1].rpartition("<")
    if not bracket:
        raise InvalidAddress(
            f"{text!r} has a closing angle bracket that was never opened; expected Jo Doe <jo@example.com>"
        )
    return _mailbox(_unquote(name.strip()), address.strip())


def _unquote(name: str) -> str:
    if len(name) >= 2 and name.startswith('"') and name.endswith('"'):
        inner = name[1:-1]
        name = re.sub(r"\\(.)", r"\1", inner)
        if '"' not in re.sub(r"\\.", "", inner):
            return name
    if '"' in name or "<" in name or ">" in name or "@" in name:
        raise InvalidAddress(f"the name {name!r} contains a character that needs quotes around the whole name")
    return name


def _mailbox(name: str, address: str) -> Mailbox:
    local, at, domain = address.rpartition("@")
    if not at or address.endswith('"'):  # the whole is the local part, with a quoted @ in it
        local, at, domain = address, "", ""
    if not _is_local(local):
        raise InvalidAddress(f"{address!r} is not a valid address; expected one such as ops@example.com")
    try:
        return Mailbox(name, local, ascii_domain(domain) if at else "")
    except InvalidAddress as error:
        raise InvalidAddress(f"{address!r} is not a valid address: {error}") from None


def _is_local(local: str) -> bool:
    """Whether the text is a valid local part. A no-break space and the like, often pasted by mistake, are refused."""
    if not local.isprintable() or len(local.encode("utf-8")) > _MAX_LOCAL:
        return False
    return bool(_DOT_ATOM.match(local) or _QUOTED_LOCAL.match(local))


@functools.lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """Return the domain in ASCII; an address literal in brackets is accepted too (RFC 5321 section 4.1.3).

    :raises InvalidAddress: the text is not a valid domain.
    """
    if _ASCII_DOMAIN.match(domain) or _LITERAL.match(domain):
        return domain
    found = _DEVIATION.search(domain)
    if found:
        raise InvalidAddress(
            f"{domain!r} contains {found.group()!r}, which IDNA 2003 and IDNA 2008 map to different domains; "
            "write the domain in its registered form, with xn--"
        )
    try:
        encoded = domain.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if domain.isascii() or not _ASCII_DOMAIN.match(encoded):
        raise InvalidAddress(f"{domain!r} is not a valid domain; expected one such as example.com")
    return encoded
