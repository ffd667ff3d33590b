# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking secrets out of what others say, in every form that they were or could have been sent in."""

from __future__ import annotations

import base64
import json
import typing as t
import urllib.parse

MASK = "********"
#: A piece of base64 shorter than this says nothing and occurs by chance.
_SHORTEST_PIECE = 4
#: So many characters of a secret in a row are no accident.
_TELLING = 8


def encoded_forms(secrets: t.Iterable[str]) -> tuple[str, ...]:
    """Each secret in clear, quoted for JSON and URLs, and in base64 wherever in a larger blob it stands.

    Base64 turns three octets into four characters, so a secret inside a blob (PLAIN, XOAUTH2, OAUTHBEARER) has one of
    three forms, by its place; their characters that depend on a neighbour are left out.
    """
    forms: dict[str, None] = {}
    for secret in filter(None, secrets):
        octets = secret.encode("utf-8")
        in_url = (urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret))
        quoted = (*in_url, json.dumps(secret)[1:-1])
        whole = base64.b64encode(octets).decode("ascii")
        pieces = [piece for place in range(3) for piece in _in_base64(octets, place)]
        forms.update(dict.fromkeys([secret, *quoted, whole, whole.translate(_URL_SAFE), *pieces, octets.hex()]))
    return tuple(sorted(forms, key=len, reverse=True))


_URL_SAFE = str.maketrans("+/", "-_")


def _in_base64(octets: bytes, place: int) -> t.Iterator[str]:
    """What is certain of the base64 of these octets when they begin ``place`` octets into a group."""
    first = -(-place * 8 // 6)
    last = (place + len(octets)) * 8 // 6
    piece = base64.b64encode(b"\0" * place + octets).decode("ascii")[first:last]
    if len(piece) >= _SHORTEST_PIECE:
        yield from (piece, piece.translate(_URL_SAFE))


def scrub_text(text: str, hidden: t.Iterable[str]) -> str:
    """The text with a mask in place of each hidden form, the longest first, and of each word with a part of one."""
    forms = sorted(filter(None, hidden), key=len, reverse=True)
    for form in forms:
        text = text.replace(form, MASK)
    return " ".join(MASK if _echoes(word, forms) else word for word in text.split(" "))


def _echoes(word: str, forms: t.Sequence[str]) -> bool:
    """Whether so many characters of a form stand in the word that it is no accident: servers cut what they echo."""
    pieces = [word[start : start + _TELLING] for start in range(len(word) - _TELLING + 1)]
    return any(piece in form for form in forms for piece in pieces)
