# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to write in place of text that is not a valid address.

The advice can be wrong about the intention, so the text is refused all the same. An address is proposed only if it is
a usual one. The patterns are compiled when they are needed, as hardly any address is wrong.
"""

from __future__ import annotations

import re
import typing as t

from .errors import InvalidAddress
from .headers import encode_phrase

#: Longer texts are not searched: neither is an address with a name, and it would take time.
_MAX_TEXT = 508
_USUAL = r"(?:[\w+'=&~-]+\.)*[\w+'=&~-]+@(?:\w(?:[\w-]*\w)?\.)*\w(?:[\w-]*\w)?"
_PROPOSAL = rf"{_USUAL}(?:, {_USUAL})*|[^<>@]+ <{_USUAL}>"
#: The name of a header field that was pasted along.
_FIELD = r"(?:to|cc|bcc|from|sender|reply-to|e-?mail)\s*:\s*"
#: ``jo@b,example``: a domain of one word, and a word directly behind the comma.
_COMMA_AS_DOT = r"(?:\A|[,;\s])([^\s,;<>@\0]+@(?!localhost,)[\w-]+),(\w[\w-]*(?:\.\w[\w-]*)*)\s*(?=[,;]|\Z)"
_SCHEME = r"(?:mailto|smtp|sip|xmpp):"
#: A name and an address without angle brackets.
_UNBRACKETED = (
    rf"\A(?!\S*//|{_SCHEME})(?P<name>[^@:\s(\[{{<][^@<]*?)"
    rf"(?:\s*:\s*|\s*[(\[{{]\s*|\s+(?:-+\s+)?)(?:{_SCHEME})?(?P<one>{_USUAL})[)\]}}]*\Z"
)


def _with_brackets(found: re.Match[str]) -> str:
    return f"{quoted_name(found['name'])} <{found['one']}>"


#: What is replaced, by what, and what is told if the result is an address.
_REPAIRS: tuple[tuple[str, str | t.Callable[[re.Match[str]], str], str], ...] = (
    (r"(?!)", "", "expected dots"),
    (r"\s*@\s*", "@", "expected no blank beside the @"),
    (r"(@\S*)\s*\.\s*", r"\1.", "expected no blank beside the dot"),
    (r"%40", "@", "expected an @"),
    (
        rf"\A({_USUAL[: _USUAL.index('@')]})\s*(?:\sat\s|[\[({{]\s*(?:at|@)\s*[\])}}])\s*([\w.-]+)\Z",
        r"\1@\2",
        "expected an @",
    ),
    (r",", ".", "is a comma meant as a dot? Expected"),
    (
        rf"({_USUAL})(?:\s*[|/&+:\\\u00b7\u2022]\s*|\s+(?:(?:[^\W\d_]{{1,4}}|[-\u2013\u2014]+)\s+)?)(?={_USUAL})",
        r"\1, ",
        "expected commas between addresses",
    ),
    (rf"\A(?:and|or|&)\s+({_USUAL})\Z", r"\1", "expected only a comma between addresses"),
    (
        rf"\A[^\w@]*(?:\d+[.)]\s)?(?:{_SCHEME}|\w+://)?({_USUAL})(?:[^\w@]*(?:{_SCHEME})?\1)?(?:\?\S*|[^\w@]*)\Z",
        r"\1",
        "expected only the address",
    ),
    (
        _UNBRACKETED,
        _with_brackets,
        "expected angle brackets around the address, if a name stands before it",
    ),
)
_WORD = r"[^\s\"\\()<>\[\]{},;:@/=%]+"
#: What is written, and what is told.
_MISTAKES = (
    (r"\[\s*['\"].*", "expected a list, not a list that was turned into text"),
    (
        rf"(?P<one>\.{_WORD}|{_WORD}\.(?:\.{_WORD})?)@(?P<two>{_WORD})",
        'expected single dots within what stands before the @; if they are really so, write "{one}"@{two}',
    ),
    (
        rf"(?P<one>{_WORD}\.{_WORD})",
        "expected one with an @, such as ops@example.com; for a user of the server, write {one}@localhost",
    ),
    (
        r"[^@]*[/=][^@]*",
        "expected one with an @, such as ops@example.com, not a path, or a name in Exchange or a directory",
    ),
)


def advice_for(text: str) -> str:
    """Return what to write in place of this text, or an empty string."""
    if len(text) > _MAX_TEXT or (not text.isprintable() and " " not in text):  # it is told which character is hidden
        return ""
    for pattern, advice in _MISTAKES:
        found = re.fullmatch(pattern, text)
        if found:
            return advice.format(**found.groupdict())
    comment = "expected a comment only before or after the address: ops@example.com (Jo Doe)"
    return _repaired(text) or (comment if re.search("[()]", text) else "")


def _repaired(text: str) -> str:
    plain = re.sub(r"\s*[\[({]\s*dot\s*[\])}]\s*|\s+dot\s+", ".", text, flags=re.IGNORECASE)
    for pattern, replacement, advice in _REPAIRS:
        proposal = re.sub(pattern, replacement, plain, flags=re.IGNORECASE)
        if proposal != text and re.fullmatch(_PROPOSAL, proposal):
            return f"{advice}: {proposal}"
    return ""


def check_pasted(text: str, masked: str) -> None:
    """Check for mistakes that would be read as other addresses, or as a part of a name.

    :param masked: the text, of the same length, without quoted strings, comments and what is in angle brackets.
    :raises InvalidAddress: there is one.
    """
    field = re.match(_FIELD, masked, re.IGNORECASE)
    if field:
        raise InvalidAddress(f"{text!r} begins with the name of a header field; expected only {text[field.end() :]}")
    comma = re.search(_COMMA_AS_DOT, masked, re.IGNORECASE) if "@" in masked and "," in masked else None
    if comma:
        address, word = comma.groups()
        raise InvalidAddress(
            f"'{address},{word}' reads as two addresses; is a comma meant as a dot? Expected {address}.{word}, or for "
            f"two addresses a blank behind the comma: {address}, {word}"
        )


def only_addresses(parts: t.Sequence[str]) -> str:
    """Return the addresses of a list with a label before it, as in ``Team: a@b, c@d``, or an empty string."""
    found = re.fullmatch(rf"(?!{_SCHEME})[^:@<>\"]+:\s*({_USUAL})", parts[0], re.IGNORECASE) if len(parts) > 1 else None
    addresses = ", ".join([found.group(1), *parts[1:]]) if found else ""
    return addresses if re.fullmatch(_PROPOSAL, addresses) else ""


def quoted_name(name: str) -> str:
    """Return a name as a user can write it."""
    return encode_phrase(re.sub(r'\\(?=,)|"', "", name), None)
