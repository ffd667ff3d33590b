# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence for tests: recorded documents, invented ones, and the search for what no document may hold."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import (
    VERSION,
    Evidence,
    Kind,
    Moment,
    Vantage,
    fact,
    moment,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.forms import Form, Shape, fields_of
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.scrubbing import encoded_forms

ROOT = Path(__file__).resolve().parents[3]
#: Recorded by tests/lab/record, one document in each file.
FIXTURES = ROOT / "tests/unit/fixtures/evidence"


def recorded() -> list[Path]:
    """The files of the recorded documents."""
    return sorted(FIXTURES.glob("*.json"))


# A small kind of facts with every form that a fact can have.


class Colour(enum.StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass(frozen=True)
class Part:
    """A record, which may contain others of its type."""

    name: str = fact("A name.")
    type: str | None = fact("A type.", default=None)
    note: str | None = fact("A text.", default=None)
    milliseconds: float | None = fact("A duration.", default=None)
    parts: tuple[Part, ...] = fact("More of them.", default=())


@dataclasses.dataclass(frozen=True)
class Sample:
    """Facts with every form."""

    text: str = fact("A text.")
    number: int = fact("A whole number.")
    ratio: float = fact("A number.")
    flag: bool = fact("True or false.")
    colour: Colour = fact("A choice.")
    since: Moment | None = fact("A time.", default=None)
    texts: tuple[str, ...] = fact("Texts.", default=())
    parts: tuple[Part, ...] | None = fact("Records.", default=None)
    settings: dict[str, str] = fact("Texts by name.", default_factory=dict)
    by_name: t.Mapping[str, tuple[Part, ...]] = fact("Records by name.", default_factory=dict)
    part: Part | None = fact("A record.", default=None)


#: For ``read()``, in place of the real facts.
SAMPLES: dict[Kind, type] = {Kind.DNS: Sample}


def sample(**facts: t.Any) -> Evidence[Sample]:
    """Evidence with these facts, and a default for the others."""
    defaults: dict[str, t.Any] = {"text": "a", "number": 1, "ratio": 0.5, "flag": True, "colour": Colour.RED}
    return Evidence(
        kind=Kind.DNS,
        subject="example.com",
        seen_at="2026-03-01T12:00:00Z",
        seconds=1.5,
        seen_from=Vantage("controller"),
        facts=Sample(**{**defaults, **facts}),
    )


#: For tests over the real facts, of which there are many.
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def evidence_of(kind: Kind, facts: type) -> st.SearchStrategy[Evidence[t.Any]]:
    """Invent evidence with any facts of this type."""
    fixed = {"kind": st.just(kind), "version": st.just(VERSION)}
    return _records(t.cast("t.Any", Evidence)[facts], 4, fixed)


def _records(record: t.Any, depth: int, fixed: t.Mapping[str, st.SearchStrategy[t.Any]]) -> st.SearchStrategy[t.Any]:
    return st.builds(record, **{one.name: fixed.get(one.name, _values(one.form, depth)) for one in fields_of(record)})


def _values(form: Form, depth: int) -> st.SearchStrategy[t.Any]:
    """Invent values of this form; below ``depth`` further records, only empty ones."""
    if form.optional:
        inner = _values(dataclasses.replace(form, optional=False), depth) if depth else st.nothing()
        return st.none() | inner
    size = 2 if depth else 0
    if form.type is tuple and form.items:
        return st.lists(_values(form.items, depth) if depth else st.nothing(), max_size=size).map(tuple)
    if form.type is dict and form.items:
        return st.dictionaries(_TEXTS, _values(form.items, depth) if depth else st.nothing(), max_size=size)
    if form.shape is Shape.RECORD:
        return _records(form.type, depth - 1, {})
    if form.choices:
        return st.sampled_from(list(form.type))
    return st.integers(0, 4_000_000_000).map(moment) if form.format else _SCALARS[form.type]


_TEXTS = st.text(max_size=10)
_SCALARS: dict[t.Any, st.SearchStrategy[t.Any]] = {
    str: _TEXTS,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
    bool: st.booleans(),
}


# What no document may hold.

#: What it is, and how to know it in any text.
FORBIDDEN: dict[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|MII\w{3,4}IBA(?:AK|DAN)|MH[cQ]CAQEE|MIGHAgEAM|MC4CAQAw"),
    "hash of a password": re.compile(r"\$(?:1|2[abxy]|5|6|7|y|argon2\w+)\$[\w./$=,]{8}"),
    "hash of a login": re.compile(r"\{(?:SCRAM-|S?SHA|CRYPT|PLAIN|PBKDF2|CRAM-|BLF-|ARGON2)[\w.-]*\}\S"),
    "login": re.compile(r"\b(?i:AUTH [\w-]+) (?=\S*[a-z])[\w+/]{8,}=*"),
    "token": re.compile(r"\bBearer\s+[\w.~+/-]{8,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.|\bya29\.[\w-]{8,}", re.IGNORECASE),
    "password in a URL": re.compile(r"\w://[^/\s:@]+:[^/\s@]+@"),
    "password in a setting": re.compile(r"\bstatic:[^\s:]+:[^\s,]+"),
    "header of a message": re.compile(
        r"^(?:From|To|Cc|Subject|Received|Message-ID|MIME-Version|Content-Type|DKIM-Signature|Return-Path): \S",
        re.IGNORECASE | re.MULTILINE,
    ),
    "text of a message": re.compile(r"tests it with the Ansible collection mailops\.smtp"),
}
#: Names of fields and settings that hold a secret, but not of those that say where it is.
SECRET_NAME = re.compile(
    r"(?:password|passwd|passphrase|secret|token|bind_?pw|api_?key)$|^(?:message_)?body$", re.IGNORECASE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
#: Octets of AUTH PLAIN, XOAUTH2 and OAUTHBEARER, once decoded.
_LOGIN = re.compile(rb"^[\x20-\x7e]*\0[\x20-\x7e]+\0[\x20-\x7e]+$|\x01auth=Bearer ")


def forbidden_in(document: t.Any, secrets: t.Iterable[str] = (), place: str = "evidence") -> list[str]:
    """A sentence for each place of the document that holds a secret or the content of a message.

    :param secrets: texts that it may hold in no form, such as the passwords and the nonces of a test.
    """
    return list(_search(document, encoded_forms(secrets), place))


def _search(value: t.Any, secrets: t.Sequence[str], place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _search(str(key), secrets, f"{place}.{key} (the name)")
            yield from _search(one, secrets, f"{place}.{key}")
            if SECRET_NAME.search(str(key)) and one and isinstance(one, str) and set(one) != {"*"}:
                yield f"{place}.{key}: the name is that of a secret"
    elif isinstance(value, (list, tuple)):
        for number, one in enumerate(value):
            yield from _search(one, secrets, f"{place}[{number}]")
    elif isinstance(value, str):
        yield from (f"{place}: {name}" for name, pattern in FORBIDDEN.items() if pattern.search(value))
        if any(_LOGIN.search(_decoded(word)) for word in _BASE64.findall(value)):
            yield f"{place}: login in base64"
        if any(secret in value for secret in secrets):
            yield f"{place}: a secret of this test"


def _decoded(word: str) -> bytes:
    try:
        return base64.b64decode(word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4), altchars=b"-_")
    except binascii.Error:
        return b""
