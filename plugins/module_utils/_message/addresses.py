# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse and validate mail addresses as users write them (RFC 5322 section 3.4, RFC 5321 section 4.1.2).

What has only one meaning is understood, even if no RFC allows it: semicolons between addresses, other quotes around a
name, a colon in a name. Anything else is refused with what to write, since a guess may reach the wrong person.
"""

from __future__ import annotations

import binascii
import functools
import re
import typing as t

from .charsets import UTF_8, Charset
from .domains import ascii_domain, check_length, check_visible
from .errors import InvalidAddress, InvalidHeader
from .headers import ATOM, check_text, encode_phrase
from .mistakes import advice_for, check_pasted, only_addresses, quoted_name

#: The forms of nearly all addresses, which are read faster: without a name, with a name of words, with a quoted name.
_COMMON = re.compile(
    r'(?:(?:(\w+\.?(?:[ -]\w+\.?)*)|"([\w ,.&()-]*)") ?<)?([A-Za-z0-9_+.-]+@[A-Za-z0-9.-]+)(?(1)>|(?(2)>))\Z'
)
#: A user of the server. With a dot, it is more likely a domain or an address without its ``@``; with other characters,
#: a path, a pattern, or a name of Exchange or a directory (``/o=Org/cn=Recipients/cn=jo``).
_USER = re.compile(rf"(?!\$|.*[/=|!*?#%{{}}^`]){ATOM}\Z")
#: Two slashes are the rest of a URL.
_DOT_ATOM = re.compile(rf"(?!//){ATOM}(?:\.{ATOM})*\Z")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\x00-\x1f\x7f<>]|\\[\x20-\x3b=?-\x7e])*"\Z')

#: Longest local part and longest address, in octets (RFC 5321 section 4.5.3.1, erratum 1690).
_MAX_LOCAL, _MAX_ADDRESS = 64, 254

# The pieces of an address. A comment with an angle bracket would hide an address, so it is not one.
_ENCODED = r"=\?[^?\s]+\?[BbQq]\?[^?]*\?="
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_COMMENT = r"\((?:[^()<>\\]|\\.|\((?:[^()<>\\]|\\.)*\))*\)"
_ANGLE = r"<[^<>]*>"
_PIECE = re.compile(rf'{_ENCODED}|{_QUOTED}|{_COMMENT}|{_ANGLE}|[^"(<=]+|.')
#: Text in which a separator or a colon is not one.
_HELD = re.compile(rf"{_ENCODED}|{_QUOTED}|{_COMMENT}|{_ANGLE}|@\[[^\[\]]*\]")
#: The wide ones separate addresses only after an address, as a name may contain them.
_SEMICOLON = re.compile("[;\uff1b]")
_COMMA = re.compile("[,\uff0c\u3001]")
_SEPARATOR = re.compile(f"{_SEMICOLON.pattern}|{_COMMA.pattern}")
#: One address behind a name: between semicolons, the name may contain commas, as Outlook writes it.
_ONE_NAMED = re.compile(r"[^<>@]+<[^<>@]+@[^<>@]+>\Z")
#: The beginning of ``friends: a@b, c@d;``, without what is held (RFC 5322 section 3.4). ``Server: db1 <a@b>;`` is not a
#: group, but an address whose name has a colon.
_GROUP = re.compile(r"(?:\A|[,;])\s*(?!mailto:|smtp:)([^:@,;<>]+:)(?!//)(?=(?:[^:;,@]*[,@][^:;]*|\s*);)", re.IGNORECASE)
#: Schemes of a URI and of Exchange's proxyAddresses; an escape or a query would change the meaning.
_SCHEME = re.compile(r"\A(?:mailto|smtp):(?=[^%?]*\Z)", re.IGNORECASE)
#: White space, also that of other scripts, and invisible characters that are pasted along with an address.
_BLANKS = (
    "\t\n\v\f\r \x85\xa0\xad\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c"
    "\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2061\u2062\u2063\u2064\u2066\u2067"
    "\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\u3000\ufeff"
)
#: Other quotes, which people write or word processors make: those that open, and those that close.
_OTHER_QUOTES = (
    ("'", "'"),
    ("`\u2018\u2019\u201a", "'\u2018\u2019"),
    ("\u201c\u201d\u201e\uff02", "\u201c\u201d\uff02"),
    ("\u00ab\u00bb", "\u00ab\u00bb"),
)
_QUOTED_OTHERWISE = "|".join(rf'[{opening}]([^<>"]*?(?:<[^<>"]*>)?)[{closing}]' for opening, closing in _OTHER_QUOTES)
#: A whole name or address in other quotes, or text in double quotes, which may contain the others.
_ANY_QUOTES = re.compile(rf"{_QUOTED}|((?:\A|[,;])\s*)(?:{_QUOTED_OTHERWISE})(?=\s*(?:<|[,;]|\Z))")
_ENCODED_WORD = re.compile(r"=\?([^?\s*]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?]*)\?=")
_ENCODED_WORDS = re.compile(rf"{_ENCODED}(?:\s*{_ENCODED})*")

#: A name and its address, with or without angle brackets.
_NAMED = re.compile(
    r"([^<@]*[^<@\s])\s*(?:<([^<>]*)>|\s[\[(]?(?:mailto:|smtp:)?([^\s\[()\]]+@[^\s\[()\]]+)[\])]?)\Z", re.IGNORECASE
)


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

    A comment beside a name is kept as part of the name; a comment beside a bare address becomes the name.

    :raises InvalidAddress: the text is not a valid address, or contains more than one.
    """
    found = _parse(text, "")
    if not found:
        raise InvalidAddress(f"{text!r} is not a valid address; expected one such as ops@example.com")
    if len(found) > 1:
        raise InvalidAddress(
            f"{text!r} reads as {len(found)} addresses; expected one. Put a name that contains a comma in quotes: "
            '"Doe, Jo" <jo@example.com>'
        )
    return found[0]


def parse_mailboxes(value: str | t.Sequence[str]) -> list[Mailbox]:
    """Parse a list of addresses, or text with commas or semicolons between them; empty ones are dropped.

    A group is read as its members (RFC 5322 section 3.4).

    :raises InvalidAddress: one is not valid. ``Doe, John <a@b>`` is refused, as the comma makes ``Doe`` an address;
        with semicolons between addresses, it is one address.
    """
    if isinstance(value, str):
        return list(_parse(value, "write the addresses as a list"))
    return [mailbox for item in value for mailbox in _parse(item, "make it an item of its own")]


def unique_addresses(mailboxes: t.Iterable[Mailbox]) -> tuple[str, ...]:
    """Return the recipients of the envelope: each address once, in the given order."""
    return tuple(dict.fromkeys([mailbox.address for mailbox in mailboxes]))


@functools.lru_cache(maxsize=256)
def header_list(mailboxes: tuple[Mailbox, ...], charset: Charset | None = UTF_8) -> str:
    """Return the value of a header field with these addresses; see ``encode_phrase`` for the errors."""
    return ", ".join([mailbox.header(charset) for mailbox in mailboxes])


@functools.lru_cache(maxsize=256)
def _parse(text: str, several: str) -> tuple[Mailbox, ...]:
    """Parse text with any number of addresses.

    :param several: how to write the part of a name as an address of its own; empty if only one is expected.
    """
    common = _COMMON.match(text)
    if common:
        word, quoted, address = common.groups()
        return (_mailbox(word or quoted or "", address, address),)
    text = text.strip(_BLANKS)
    _check_line(text)
    text = _ungrouped(_tidied(text))
    _pieces(text)
    check_pasted(text, _masked(text))
    parts = _split(text)
    _check_commas(parts, several)
    return tuple([_one(part) for part in parts])


def _check_line(text: str) -> None:
    try:
        check_text(text.replace("\t", "\n"))
    except InvalidHeader:
        proposal = advice_for(" ".join(text.split())).partition("commas between addresses")[2]
        raise InvalidAddress(
            f"{text!r} contains a line break, a tab or another control character; expected one line of text, with "
            f"commas between addresses, or a list{proposal}"
        ) from None


def _tidied(text: str) -> str:
    r"""Return the text with ASCII's brackets and quotes in place of others, and of ``\"``, the rest of an escape."""
    if "<" not in text:
        text = text.replace("\uff1c", "<").replace("\uff1e", ">")
    if '\\"' in text and not re.search(r'(?<!\\)"', text):
        text = text.replace('\\"', '"')

    def mend(found: re.Match[str]) -> str:
        inner = next((group for group in found.groups()[1:] if group is not None), None)
        if inner is None or ("@" in inner.partition("<")[0] and _SEPARATOR.search(inner)):  # several addresses
            return found.group()
        escaped = inner.replace("\\", "\\\\")
        return f'{found.group(1)}"{escaped}"'

    return _ANY_QUOTES.sub(mend, text)


def _masked(text: str) -> str:
    """Return the text, of the same length, without what is held together."""
    return _HELD.sub(lambda found: "\0" * len(found.group()), text)


def _ungrouped(text: str) -> str:
    """Return the text with the members of groups, without the names of the groups and the semicolons that end them."""
    kept, start = [], 0
    masked = _masked(text)
    for found in _GROUP.finditer(masked if ":" in text else ""):
        end = masked.index(";", found.end())
        kept += [text[start : found.start(1)], text[found.end(1) : end], ","]
        start = end + 1
    return "".join([*kept, text[start:]])


def _split(text: str) -> list[str]:
    """Split at the separators, and drop empty parts. Between semicolons, a comma may belong to a name."""
    if not _SEMICOLON.search(_masked(text)):
        return _cut(text, _COMMA)
    parts = []
    for section in _cut(text, _SEMICOLON):
        members = [section] if _ONE_NAMED.match(section) else _cut(section, _COMMA)
        if len(members) > 1 and not re.search("[@\uff20<>]", section):
            raise InvalidAddress(
                f"{section!r} reads as a name without an address; expected one such as {section} <jo@example.com>. For "
                f"users of the server, use the same separator between all: {'; '.join(members)}"
            )
        parts += members
    return parts


def _cut(text: str, separator: re.Pattern[str]) -> list[str]:
    parts, start = [], 0
    for found in separator.finditer(_masked(text)):
        if found.group() in ",;" or re.search("[@\uff20>]", text[start : found.start()]):
            parts.append(text[start : found.start()])
            start = found.end()
    parts.append(text[start:])
    return [part for part in (part.strip(_BLANKS) for part in parts) if part]


def _check_commas(parts: t.Sequence[str], several: str) -> None:
    """Check that no part is the beginning of a name that contains a comma, and that no name stands before them all."""
    labelled = only_addresses(parts)
    if labelled:
        raise InvalidAddress(f"{', '.join(parts)!r} begins with a name; expected only the addresses: {labelled}")
    beginning: list[str] = []
    for part in parts:
        named = _NAMED.match(part)
        if beginning and named:
            name = ", ".join([*beginning, named.group(1)])
            written, first = ", ".join([*beginning, part]), beginning[0]
            raise InvalidAddress(
                f"{written!r} reads as the address {first!r} and another one; put a name that contains a comma in "
                f"quotes: {quoted_name(name)} <{named.group(2) or named.group(3)}>"
                + (f". If {first!r} is an address, {several}" if several else "")
            )
        beginning = [] if "@" in part or ">" in part else [*beginning, part]


def _pieces(text: str) -> list[str]:
    pieces = _PIECE.findall(text)
    if '"' in pieces:
        raise InvalidAddress(f"{text!r} has an opening quote that is never closed; add the closing quote")
    return pieces


def _one(part: str) -> Mailbox:
    pieces = _pieces(part)
    if len(pieces) == 1 and part[0] == '"':  # the whole address is in quotes
        return _one(_unescaped(part[1:-1]).strip(_BLANKS))
    angles = [index for index, piece in enumerate(pieces) if len(piece) > 1 and piece[0] == "<"]
    if not angles:
        _check_brackets(part)
        address, comments = _without_comments(pieces)
        return _mailbox(_decoded(" ".join(comments)), _without_scheme(address), part)
    after, comments_after = _without_comments(pieces[angles[0] + 1 :])
    if after:
        raise InvalidAddress(
            f"{part!r} has text after an address in angle brackets; put a comma between addresses, and quotes around "
            "a name that contains an angle bracket"
        )
    address, comments = _without_comments(_PIECE.findall(pieces[angles[0]][1:-1]))
    address = _without_scheme(address)
    return _mailbox(_name(pieces[: angles[0]], [*comments, *comments_after], address), address, address or part)


def _check_brackets(part: str) -> None:
    if "<" in re.sub(_QUOTED, "", part):
        raise InvalidAddress(f"{part!r} has an opening angle bracket that is never closed; expected {part}>")
    if ">" in re.sub(_QUOTED, "", part):
        raise InvalidAddress(
            f"{part!r} has a closing angle bracket that was never opened; expected Jo Doe <jo@example.com>"
        )


def _without_comments(pieces: t.Sequence[str]) -> tuple[str, list[str]]:
    """Return the text, and the comments before and after it."""
    rest = [piece for piece in pieces if piece.strip(_BLANKS)]
    before: list[str] = []
    after: list[str] = []
    while rest and _is_comment(rest[0]):
        before.append(_unescaped(rest.pop(0)[1:-1]).strip())
    while rest and _is_comment(rest[-1]):
        after.insert(0, _unescaped(rest.pop()[1:-1]).strip())
    return "".join(rest).strip(_BLANKS), [*before, *after]


def _without_scheme(address: str) -> str:
    address = _SCHEME.sub("", address, count=1)
    return address if "@" in address else re.sub("[\uff20\ufe6b]", "@", address)


def _is_comment(piece: str) -> bool:
    return len(piece) > 1 and piece[0] == "("


def _name(pieces: t.Sequence[str], comments: t.Sequence[str], address: str) -> str:
    """Return a display name: quoted strings without their quotes, comments with their parentheses."""
    plain = "".join([piece for piece in pieces if not re.match(f"{_QUOTED}|{_COMMENT}|{_ENCODED}", piece)])
    written = "".join(pieces).strip(_BLANKS)
    if re.search("[@<>]", plain) and plain.strip(_BLANKS).lower() != address.lower():
        raise InvalidAddress(
            f"the name {written!r} contains a character that needs quotes around the whole name: "
            f"{quoted_name(written)} <{address}>; if it is an address of its own, put a comma after it"
        )
    name, others = _without_comments(pieces)
    if not name:
        return _decoded(" ".join([*others, *comments]))
    words = [_unescaped(piece[1:-1]) if piece[0] == '"' else re.sub(" +", " ", piece) for piece in pieces]
    if pieces[-1][0] != '"':
        words[-1] = words[-1].rstrip(_BLANKS)
    return _decoded("".join([*words, *[f" ({comment})" for comment in comments]]))


def _unescaped(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted)


def _decoded(name: str) -> str:
    """Return a name with its encoded words decoded (RFC 2047), since it is encoded when it is written.

    :raises InvalidAddress: they cannot be decoded, or to a control character.
    """
    if "=?" not in name:
        return name
    try:
        decoded = _ENCODED_WORDS.sub(_decode_words, name)
        check_text(decoded)
    except (ValueError, LookupError):  # MessageError is a ValueError
        raise InvalidAddress(f"the name {name!r} is encoded and cannot be decoded; write it as plain text") from None
    return decoded


def _decode_words(found: re.Match[str]) -> str:
    """Decode adjacent words. A character may be split between them, which RFC 2047 forbids and programs do."""
    text, octets, last = "", b"", ""
    for charset, encoding, word in _ENCODED_WORD.findall(found.group()):
        if charset.lower() != last:
            text, octets, last = text + (octets.decode(last) if last else ""), b"", charset.lower()
        octets += binascii.a2b_base64(word + "==") if encoding in "Bb" else binascii.a2b_qp(word, header=True)
    text += octets.decode(last)
    return _unescaped(text[1:-1]) if re.fullmatch(_QUOTED, text) else text


def _mailbox(name: str, address: str, written: str) -> Mailbox:
    """Check an address, and return it with its name.

    :param written: what the user wrote, for errors.
    """
    local, at, domain = address.rpartition("@")
    try:
        if not at:
            return Mailbox(name, _check_local(address, _USER), "")
        mailbox = Mailbox(name, _check_local(local, _DOT_ATOM, _QUOTED_LOCAL), ascii_domain(_without_dot(domain)))
        check_length(mailbox.address, _MAX_ADDRESS, "the whole")
        return mailbox
    except InvalidAddress as error:
        advice = advice_for(written) or str(error)
        mark = ";" if advice.startswith("expected") else ":"
        raise InvalidAddress(f"{written!r} is not a valid address{mark} {advice}") from None


def _without_dot(domain: str) -> str:
    """Return the domain without the dot of the DNS root, or of the end of a sentence."""
    return domain[:-1] if domain[-1:] in (".", "\u3002", "\uff0e", "\uff61") else domain


def _check_local(local: str, *forms: re.Pattern[str]) -> str:
    check_visible(local)
    check_length(local, _MAX_LOCAL, "what stands before the @")
    if any(form.match(local) for form in forms):
        return local
    raise InvalidAddress("expected one such as ops@example.com")
