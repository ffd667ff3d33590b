# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Header fields as they stand in a message: encoded, folded, closed to injection (RFC 5322 section 2.2, RFC 2047)."""

from __future__ import annotations

import base64
import re
import typing as t

from .errors import InvalidHeader

#: RFC 5322 section 2.1.1, without the line end: what a line should and must not exceed.
_SOFT_LIMIT, _HARD_LIMIT = 78, 998
#: RFC 2047 section 2: an encoded word has at most 75 characters, of which 12 are ``=?utf-8?B??=``.
_WORD_OCTETS_BASE64, _WORD_LENGTH_Q = 45, 63

_NAME = re.compile(r"[!-9;-~]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+\Z")
#: What may stand for itself in a Q-encoded word within a phrase (RFC 2047 section 5, rule 3).
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATTRIBUTE_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")


def header_field(name: str, value: str) -> bytes:
    """One field with an already encoded value, folded at white space, its line end included.

    A value that is not ASCII is written as UTF-8 (RFC 6532), which only a message for SMTPUTF8 may do.

    :raises InvalidHeader: the name is none, the value holds a control character, or a word is too long for a line.
    """
    if not _NAME.match(name):
        raise InvalidHeader(f"{name!r} is no header name; expected letters, digits and hyphens")
    if _CONTROL.search(value):
        raise InvalidHeader(f"the header {name} holds a line break or another control character")
    lines = [f"{name}:"]
    for word in value.split(" "):
        line_is_full = len(lines[-1]) + 1 + len(word) > _SOFT_LIMIT
        if line_is_full and word and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    encoded = [line.encode("utf-8") for line in lines]
    if any(len(line) > _HARD_LIMIT for line in encoded):
        raise InvalidHeader(f"the header {name} holds a word too long for a line of {_HARD_LIMIT} octets")
    return b"\r\n".join(encoded) + b"\r\n"


def encode_text(text: str) -> str:
    """Free text for a header such as Subject: itself where ASCII, encoded words otherwise (RFC 2047).

    :raises InvalidHeader: a line break or another control character.
    """
    if _CONTROL.search(text):
        raise InvalidHeader(f"{text!r} holds a line break or another control character")
    looks_encoded = "=?" in text
    too_long = any(len(word) > _HARD_LIMIT // 2 for word in text.split(" "))
    return text if text.isascii() and not looks_encoded and not too_long else _encoded_words(text)


def encode_phrase(text: str) -> str:
    """A display name: plain, in quotes, or as encoded words (RFC 5322 section 3.2.5)."""
    if not text.isascii():
        return _encoded_words(text)
    if _PLAIN_PHRASE.match(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parameter(name: str, value: str) -> str:
    """A parameter of Content-Type or Content-Disposition, leading ``; `` included (RFC 2045 section 5.1, RFC 2231).

    A value that is not ASCII, or longer than a line, is written in numbered sections of percent-encoded UTF-8.
    """
    if value.isascii() and len(value) <= 60:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f"; {name}={value}" if _TOKEN.match(value) else f'; {name}="{escaped}"'
    units = [chr(octet) if octet in _ATTRIBUTE_SAFE else f"%{octet:02X}" for octet in value.encode("utf-8")]
    sections = _pack(units, 50)
    sections[0] = "utf-8''" + sections[0]
    if len(sections) == 1:
        return f"; {name}*={sections[0]}"
    return "".join(f"; {name}*{index}*={section}" for index, section in enumerate(sections))


def _pack(units: t.Iterable[str], limit: int) -> list[str]:
    """Join units into pieces of at most ``limit`` characters; a unit is never split."""
    pieces = [""]
    for unit in units:
        if len(pieces[-1]) + len(unit) > limit:
            pieces.append("")
        pieces[-1] += unit
    return pieces


def _encoded_words(text: str) -> str:
    """The shorter of the two encodings, in words that never split a character (RFC 2047 section 5)."""
    quoted = [_quote_character(character) for character in text]
    if sum(map(len, quoted)) <= len(text.encode("utf-8")) * 4 // 3:
        return " ".join(f"=?utf-8?Q?{word}?=" for word in _pack(quoted, _WORD_LENGTH_Q))
    words, octets = [], b""
    for character in text:
        encoded = character.encode("utf-8")
        if len(octets) + len(encoded) > _WORD_OCTETS_BASE64:
            words.append(octets)
            octets = b""
        octets += encoded
    words.append(octets)
    return " ".join(f"=?utf-8?B?{base64.b64encode(word).decode('ascii')}?=" for word in words)


def _quote_character(character: str) -> str:
    if character == " ":
        return "_"
    octets = character.encode("utf-8")
    return "".join(chr(octet) if octet in _Q_SAFE else f"={octet:02X}" for octet in octets)
