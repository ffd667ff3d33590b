# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write header fields: encode text, display names and parameters if they need it, and fold long lines.

RFC 2047 (encoded words), RFC 2231 (parameters), RFC 5322 section 2.2 (folding). A charset of None leaves text in UTF-8,
for the header of a message that needs SMTPUTF8 (RFC 6532). Encoded words stand only in free text and in display names:
readers of structured fields do not decode them (RFC 2047 section 5).
"""

from __future__ import annotations

import base64
import functools
import re
import typing as t

from .charsets import UTF_8, Charset
from .errors import InvalidHeader

#: Characters that a line should not, and must not, exceed, without its line end (RFC 5322 section 2.1.1).
_SOFT_LIMIT, _HARD_LIMIT = 78, 998
#: A name must leave room for a value on its line (RFC 5322 section 2.2).
_NAME = re.compile(r"[!-9;-~]{1,76}\Z")
#: Longest encoded word, and longest line with one, in characters (RFC 2047 section 2).
_MAX_WORD, _ENCODED_LIMIT = 75, 76
#: An encoded word that starts a value leaves this room for the name of its field, such as ``Reply-To: ``.
_NAME_ROOM = 10
#: Fewest characters that are worth an encoded word beside the name of its field.
_MIN_WORD = 32
#: From this length on, a name stands alone on its line if the first word does not fit there, and so does the name of a
#: MIME field. Another one does so only if it must: to Python before 3.12.8, the blank behind such a fold is part of the
#: value.
_LONG_NAME = 40
#: Longer parameters are written in sections of this many characters (RFC 2231 section 3).
_MAX_PARAMETER, _SECTION = 60, 50

#: Line breaks of any script, other control characters, and surrogates.
_UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: RFC 5322 section 3.2.3, extended to UTF-8 by RFC 6531 section 3.3. The class is negated because one up to U+10FFFF
#: takes milliseconds to compile.
ATOM = r"[^\x00-\x20\"(),.:;<>@\[\\\]\x7f-\xa0]+"
_PLAIN_PHRASE = re.compile(rf"{ATOM}(?: {ATOM})*\Z")
#: A parameter that needs no quotes: no character in it has a meaning in RFC 2231 section 7.
_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`{|}~-]+\Z")
#: Octets that a Q-encoded word in a phrase may contain unencoded (RFC 2047 section 5, rule 3).
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
#: So many blanks cannot be folded, as each line needs a word.
_LONG_RUN = " " * 60
#: White space and what it sets apart: a word, or a string in quotes, which is best not folded.
_PIECE = re.compile(r'[ \t]+(?:"(?:[^"\\]|\\.)*"|[^ \t])+')
_WORD = re.compile(r"[ \t]+[^ \t]+")
_Q_OCTETS = [chr(octet) if octet in _Q_SAFE else "_" if octet == 0x20 else f"={octet:02X}" for octet in range(256)]
#: attribute-char of RFC 2231 section 7.
_ATTRIBUTE_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`{|}~")


def check_text(text: str) -> None:
    """Check that text fits on one line.

    :raises InvalidHeader: the text contains a line break or another control character.
    """
    if not text.isprintable() and _UNWRITABLE.search(text):
        raise InvalidHeader(f"{text!r} contains a line break or another control character; expected one line of text")


def encode_text(text: str, charset: Charset | None = UTF_8, name: str = "Subject") -> str:
    """Return free text for a header such as Subject, with encoded words if it needs them.

    Only the words from the first to the last one that needs encoding are encoded. The rest stays readable, and
    ``List-Id: Jürgen's list <a.example.com>`` keeps its syntax.

    :param name: name of the header field, which shares a line with the first word.
    :raises InvalidHeader: a line break or another control character.
    :raises InvalidMessage: a character that the charset cannot represent.
    """
    check_text(text)
    if _is_plain(text, charset) and len(text) <= _SOFT_LIMIT:
        return text
    room = len(name) + 2
    if text != text.strip() or _LONG_RUN in text:  # servers may strip white space at the ends
        return _encoded_words(text, charset, room)
    words = text.split(" ")
    odd = [index for index, word in enumerate(words) if not (_is_plain(word, charset) and _fits_a_line(word))]
    if not odd:
        return text
    first, last = odd[0], odd[-1] + 1
    while first and not words[first - 1]:  # further blanks would make the line of an encoded word too long
        first -= 1
    encoded = _encoded_words(" ".join(words[first:last]), charset, 0 if first else room)
    return " ".join([*words[:first], encoded, *words[last:]])


def encode_phrase(text: str, charset: Charset | None = UTF_8) -> str:
    """Return a display name: plain, in quotes, or as encoded words (RFC 5322 section 3.2.5).

    :raises InvalidHeader: a line break or another control character.
    :raises InvalidMessage: a character that the charset cannot represent.
    """
    check_text(text)
    if _is_plain(text, charset) and _LONG_RUN not in text:
        phrase = text if _PLAIN_PHRASE.match(text) else _quoted(text)
        if all(map(_fits_a_line, phrase.split(" "))):
            return phrase
    return _encoded_words(text, charset, _NAME_ROOM)


def parameter(name: str, value: str) -> str:
    """Return a parameter of Content-Type or Content-Disposition, with its leading ``; `` (RFC 2045 section 5.1).

    A value that is not ASCII, or is too long, is written in numbered sections of percent-encoded UTF-8 (RFC 2231).

    :raises InvalidHeader: a line break or another control character.
    """
    check_text(value)
    if value.isascii() and len(value) <= _MAX_PARAMETER:
        return f"; {name}={value}" if _TOKEN.match(value) else f"; {name}={_quoted(value)}"
    sections = _sections(map(_percent, value))
    sections[0] = "utf-8''" + sections[0]
    if len(sections) == 1:
        return f"; {name}*={sections[0]}"
    return "".join(f"; {name}*{index}*={section}" for index, section in enumerate(sections))


def _is_plain(text: str, charset: Charset | None) -> bool:
    """Whether text needs no encoding. Text that looks encoded would be decoded, and white space at the ends lost."""
    if not text:
        return True
    kept = text.isascii() or charset is None
    return kept and "=?" not in text and not text[0].isspace() and not text[-1].isspace()


def _fits_a_line(word: str) -> bool:
    """Whether a line has room for the word and a blank."""
    return len(word) < 200 or len(word.encode("utf-8")) < _HARD_LIMIT


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _sections(units: t.Iterable[str]) -> list[str]:
    """Join units into sections without splitting a unit."""
    sections = [""]
    for unit in units:
        if len(sections[-1]) + len(unit) > _SECTION:
            sections.append("")
        sections[-1] += unit
    return sections


def _percent(character: str) -> str:
    if character in _ATTRIBUTE_SAFE:
        return character
    return "".join([f"%{octet:02X}" for octet in character.encode("utf-8")])


def _encoded_words(text: str, charset: Charset | None, used: int) -> str:
    """Encode text the shorter way, Q or B; no word splits a character (RFC 2047 section 5).

    :param used: characters of the line that the name of the field takes.
    """
    charset = charset or UTF_8
    octets = charset.encode(text, f"the header text {text!r}")
    encoding, encode = ("Q", _quote) if len(_quote(octets)) <= len(_base64(octets)) else ("B", _base64)
    start, frame = f"=?{charset.label}?{encoding}?", len(f"=?{charset.label}?Q??=")
    beside_name = _ENCODED_LIMIT - used
    room = beside_name - frame if _MIN_WORD <= beside_name < _MAX_WORD else _MAX_WORD - frame
    words, position = [], 0
    while position < len(text):
        end = _longest_prefix(text, position, lambda piece: len(encode(piece.encode(charset.codec))) <= room)  # noqa: B023 - called at once
        words.append(f"{start}{encode(text[position:end].encode(charset.codec))}?=")
        position, room = end, _MAX_WORD - frame
    return " ".join(words)


def _longest_prefix(text: str, start: int, fits: t.Callable[[str], bool]) -> int:
    """Return the end of the longest piece from ``start`` that fits; the piece has at least one character."""
    low, high = start + 1, min(start + _MAX_WORD, len(text))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[start:middle]) else (low, middle - 1)
    return low


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _quote(octets: bytes) -> str:
    return "".join([_Q_OCTETS[octet] for octet in octets])


@functools.lru_cache(maxsize=256)
def header_field(name: str, value: str) -> bytes:
    """Return one field with an already encoded value, folded at white space, with its line end.

    Results are cached, as consecutive messages share most of their fields.

    A value that is not ASCII is written as UTF-8 (RFC 6532), which only a message for SMTPUTF8 may contain.

    :raises InvalidHeader: the name is not valid, the value contains a control character, or a word is too long.
    """
    if not _NAME.match(name):
        raise InvalidHeader(
            f"{name!r} is not a valid header name; expected letters, digits and hyphens, at most 76 characters"
        )
    line = f"{name}: {value}"
    if value.isascii() and value.isprintable() and _fits(line):
        return f"{line}\r\n".encode("ascii")
    try:
        check_text(value)
    except InvalidHeader:
        raise InvalidHeader(f"the header {name} contains a line break or another control character") from None
    lines = [line.encode("utf-8") for line in _fold(name, value)]
    longest = max(map(len, lines))
    if longest > _HARD_LIMIT:
        raise InvalidHeader(
            f"the header {name} contains a word that makes a line of {longest} octets, which is too long for a line; "
            f"expected at most {_HARD_LIMIT}. Shorten the word, or insert white space where the line may be folded"
        )
    return b"\r\n".join(lines) + b"\r\n"


def _fold(name: str, value: str) -> list[str]:
    """Return lines that each hold a word, as a line of white space is not allowed (RFC 5322 section 3.2.2)."""
    lines: list[str] = []
    start = line = f"{name}:"
    for piece in _pieces(f" {value}", _SOFT_LIMIT - len(start)):
        if _fits(line + piece) or (line == start and _stays_beside(name, piece)):
            line += piece
        else:
            lines.append(line)
            line = piece
    return [*lines, line]


def _fits(line: str) -> bool:
    return len(line) <= (_ENCODED_LIMIT if "=?" in line else _SOFT_LIMIT)


def _stays_beside(name: str, piece: str) -> bool:
    """Whether the first word stays beside the name of the field although the line is longer than it should be."""
    if len(name) >= _LONG_NAME or name.startswith("Content-") or "=?" in piece:
        return not _fits(piece)
    return len(f"{name}:{piece}".encode()) <= _HARD_LIMIT


def _pieces(value: str, room: int) -> t.Iterator[str]:
    """Split before white space, but within quotes only if the quoted string is longer than a line.

    :param room: characters that are left on the first line.
    """
    for piece in _PIECE.findall(value):
        if len(piece) <= room:
            yield piece
        else:
            yield from _WORD.findall(piece)
        room = _SOFT_LIMIT
