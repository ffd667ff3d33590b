# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the headers of a message that has arrived. Pure: from text to facts, whatever the text is.

The headers may be forged by its sender, or be malformed. What cannot be read is left out, or None.
"""

from __future__ import annotations

import re
import typing as t
from email import utils
from email.parser import HeaderParser

from .document import Moment, moment
from .proof_arrival import ArrivalFacts, ReceivedFacts, SignatureFacts, VerdictFacts

#: A message passes a few servers, and few of them judge it. More is of no use to a judge.
MOST = 50
#: Longest header that is read, in characters.
LONGEST = 200_000
#: Longest field that is read, and longest name or value that is kept.
_LONGEST_FIELD = 20_000
_LONGEST_WORD = 300
#: Names of Received-SPF (RFC 7208 section 9.1) as Authentication-Results has them.
_SPF_NAMES = {"envelope-from": "smtp.mailfrom", "helo": "smtp.helo"}

_TLS = re.compile(r"\b(?:TLS|SSL)v?[ _]?(1)(?:[._]([0-3]))?\b", re.IGNORECASE)
#: An address in brackets, or in parentheses as Microsoft writes it.
_ADDRESS = re.compile(r"[\[(](?:IPv6:)?([0-9a-f.:]{3,45})[\])]", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(from|by|with|id)[ \t]+([^\s;()]+)", re.IGNORECASE)
_PAIR = re.compile(r'(?<![\w.-])([\w.-]+)\s*(?:/\s*\d+\s*)?=\s*("(?:[^"\\]|\\.)*"|[^\s;]+)')


def arrival_of(headers: str, copies: int = 1) -> ArrivalFacts:
    """What the header section of a message says.

    :param headers: the text up to the empty line; anything behind it is not looked at.
    :param copies: how many messages with the nonce were found.
    """
    fields = [(name.lower(), _unfolded(str(value))) for name, value in _fields(headers)]
    authors = [_without_comments(value) for name, value in fields if name == "from"]
    paths = [value for name, value in fields if name == "return-path"]
    return ArrivalFacts(
        copies=copies,
        author_domains=tuple(filter(None, (_domain(one) for _name, one in utils.getaddresses(authors))))[:MOST],
        from_fields=len(authors),
        return_path=_domain(paths[0].strip("<> ")) if paths else None,
        received=tuple(_received(value) for name, value in fields if name == "received")[:MOST],
        verdicts=tuple(_verdicts(fields))[:MOST],
        signatures=tuple(_signature(value) for name, value in fields if name == "dkim-signature")[:MOST],
    )


def _fields(headers: str) -> list[tuple[str, t.Any]]:
    # An empty line ends the header, so that nothing of a body is ever read.
    text = re.split(r"\r?\n\r?\n", headers[:LONGEST].lstrip("\r\n"), maxsplit=1)[0]
    return HeaderParser().parsestr(text, headersonly=True).items()


def _unfolded(value: str) -> str:
    return re.sub(r"\s+", " ", value[:_LONGEST_FIELD]).strip()


def _word(text: str) -> str:
    """A name or value without quotes, and cut."""
    if text.startswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return text[:_LONGEST_WORD]


def _domain(address: str) -> str:
    return _word(address.rpartition("@")[2].strip(" <>").rstrip(".").lower()) if "@" in address else ""


def _without_comments(text: str) -> str:
    """``text`` without comments, which may be nested and quoted (RFC 5322 section 3.2.2)."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for one in text:
        if depth == 0 and (one != "(" or quoted or escaped):
            kept.append(one)
            quoted ^= one == '"' and not escaped
        elif one in "()" and not escaped:
            depth += 1 if one == "(" else -1
            kept.append(" " * (depth == 0))
        escaped = one == "\\" and not escaped
    return "".join(kept)


def _received(value: str) -> ReceivedFacts:
    """Read one Received field. Its clauses are words and comments, the time stands after the last semicolon."""
    way, _semicolon, date = value.rpartition(";")
    way = way or value
    said = {name.lower(): _word(word) for name, word in reversed(_CLAUSE.findall(_without_comments(way)))}
    client = re.split(r"\sby\s", f" {way}", maxsplit=1)[0] if "from" in said else ""
    address = _ADDRESS.search(client)
    return ReceivedFacts(
        by=said.get("by", "").rstrip(".").lower() or None,
        protocol=said.get("with", "").upper() or None,
        from_name=said.get("from"),
        from_address=address.group(1).lower() if address else None,
        tls=_tls(way),
        queue_id=said.get("id", "").strip("<>") or None,
        received_at=_time(date),
    )


def _tls(way: str) -> str | None:
    found = _TLS.search(way)
    return f"TLSv{found.group(1)}{'.' + found.group(2) if found.group(2) else ''}" if found else None


def _time(date: str) -> Moment | None:
    try:
        return moment(utils.parsedate_to_datetime(_without_comments(date).strip()).timestamp())
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None


def _verdicts(fields: t.Iterable[tuple[str, str]]) -> t.Iterator[VerdictFacts]:
    above = 0
    for name, value in fields:
        above += name == "received"
        if name == "authentication-results":
            yield from _results(value, above)
        elif name == "received-spf":
            yield _spf_result(value, above)


def _results(value: str, above: int) -> t.Iterator[VerdictFacts]:
    """Read one Authentication-Results field (RFC 8601 section 2.2). Some servers leave their name out."""
    first, *others = _parts(_without_comments(value))
    names = first.split()
    server = "" if "=" in first or not names else _word(names[0]).lower()
    for part in others if server else [first, *others]:
        pairs = [(name.lower(), _word(word)) for name, word in _PAIR.findall(part)]
        if pairs:
            method, result = pairs[0]
            properties = {key: word for key, word in pairs[1:] if "." in key and key != "header.b"}
            yield VerdictFacts(server, above, method, result.lower(), properties)


def _spf_result(value: str, above: int) -> VerdictFacts:
    result, _blank, rest = _without_comments(value).strip().partition(" ")
    said = {name.lower(): _word(word) for name, word in _PAIR.findall(rest)}
    server = said.get("receiver", "").lower()
    properties = {_SPF_NAMES[name]: word for name, word in said.items() if name in _SPF_NAMES}
    return VerdictFacts("" if "<" in server else server, above, "spf", result.lower()[:_LONGEST_WORD], properties)


def _parts(text: str) -> list[str]:
    """``text`` at its semicolons, but for those in quotes."""
    return re.findall(r'((?:"(?:[^"\\]|\\.)*"|[^;"]|")*)(?:;|\Z)', text)[:MOST] or [text]


def _signature(value: str) -> SignatureFacts:
    tags = {}
    for part in value.split(";")[:MOST]:
        name, _equals, content = part.partition("=")
        tags[name.strip()] = re.sub(r"\s+", "", content)[: _LONGEST_WORD * 10]
    signed = tuple(filter(None, tags.get("h", "").lower().split(":")))
    return SignatureFacts(
        domain=tags.get("d", "").lower() or None,
        selector=tags.get("s", "").lower() or None,
        algorithm=tags.get("a", "").lower() or None,
        signed=signed,
        body_is_cut="l" in tags,
        expires_at=_since_epoch(tags.get("x", "")),
    )


def _since_epoch(digits: str) -> Moment | None:
    if not re.fullmatch(r"[0-9]{1,11}", digits):
        return None
    try:
        return moment(int(digits))
    except (OverflowError, OSError, ValueError):
        return None
