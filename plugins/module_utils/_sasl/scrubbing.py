# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removal of secrets from text that servers send, in every form in which they may echo them."""

from __future__ import annotations

import base64
import json
import re
import typing as t
import urllib.parse

MASK = "********"
#: A shorter piece of base64 reveals nothing and occurs by chance.
_SHORTEST_PIECE = 4
#: This many consecutive characters of a secret do not occur by chance.
_TELLING = 8
_LOGIN_IN_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:([^\s\"'<>]+)@")


def encoded_forms(secrets: t.Iterable[str]) -> tuple[str, ...]:
    """Return each secret in clear, quoted for JSON and URLs, in hexadecimal, and in base64 at any offset in a blob.

    Base64 turns three octets into four characters, so a secret inside a blob (PLAIN, XOAUTH2, OAUTHBEARER) has one of
    three forms, depending on its offset; characters that depend on a neighbour are left out.

    :param secrets: octets that are not UTF-8 as surrogates (PEP 383).
    """
    forms: dict[str, None] = {}
    for secret in filter(None, secrets):
        octets = secret.encode("utf-8", "surrogateescape")
        in_url = (urllib.parse.quote(octets), urllib.parse.quote(octets, safe=""), urllib.parse.quote_plus(octets))
        quoted = (*in_url, json.dumps(secret)[1:-1])
        whole = base64.b64encode(octets).decode("ascii")
        pieces = [piece for place in range(3) for piece in _in_base64(octets, place)]
        forms.update(dict.fromkeys([secret, *quoted, whole, whole.translate(_URL_SAFE), *pieces, octets.hex()]))
    return tuple(sorted(forms, key=len, reverse=True))


_URL_SAFE = str.maketrans("+/", "-_")


def _in_base64(octets: bytes, place: int) -> t.Iterator[str]:
    """Yield the base64 of these octets that does not depend on neighbours, ``place`` octets into a group of three."""
    first = -(-place * 8 // 6)
    last = (place + len(octets)) * 8 // 6
    piece = base64.b64encode(b"\0" * place + octets).decode("ascii")[first:last]
    if len(piece) >= _SHORTEST_PIECE:
        yield from (piece, piece.translate(_URL_SAFE))


def scrub_text(text: str, hidden: t.Iterable[str]) -> str:
    """Mask each hidden form in the text, the longest first, and each word that contains a part of one.

    In upper and lower case alike: some servers echo what they do not understand in capitals.
    """
    forms = sorted({form.lower() for form in hidden if form}, key=len, reverse=True)
    for form in forms:
        if len(form) <= len(text):  # to compile a token takes milliseconds
            text = re.sub(re.escape(form), MASK, text, flags=re.IGNORECASE)
    return " ".join(MASK if _echoes(word, forms) else word for word in text.split(" "))


def passwords_in(text: str) -> t.Iterator[str]:
    """Yield the passwords of the URLs in a text, as written and decoded: ``http://user:password@proxy:3128``."""
    for found in _LOGIN_IN_URL.finditer(text):
        yield from {found[1], urllib.parse.unquote(found[1])}


def masked(value: t.Any, secrets: t.Iterable[str]) -> t.Any:
    """Return a value, such as the result of a module, with these texts masked in it, wherever they are."""
    forms = sorted(filter(None, secrets), key=len, reverse=True)
    return _masked(value, forms) if forms else value


def _masked(value: t.Any, forms: t.Sequence[str]) -> t.Any:
    if isinstance(value, str):
        for form in forms:
            value = value.replace(form, MASK)
    elif isinstance(value, t.Mapping):
        return {name: _masked(item, forms) for name, item in value.items()}
    elif isinstance(value, (list, tuple)):
        return [_masked(item, forms) for item in value]
    return value


def _echoes(word: str, forms: t.Sequence[str]) -> bool:
    """Return whether the word contains a telling part of a form; servers truncate what they echo."""
    word = word.lower()
    pieces = [word[start : start + _TELLING] for start in range(len(word) - _TELLING + 1)]
    return any(piece in form for form in forms for piece in pieces)
