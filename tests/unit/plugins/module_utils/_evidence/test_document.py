# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The envelope of evidence, and what it becomes as JSON."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import (
    Evidence,
    Unknown,
    Vantage,
    moment,
    plain,
    seconds_of,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.forms import UnsupportedType, fields_of
from ansible_collections.mailops.smtp.tests.unit.support.evidence import Colour, Part, sample


def test_document_is_what_json_has():
    evidence = dataclasses.replace(
        sample(parts=(Part("x", milliseconds=1.5),), colour=Colour.BLUE, settings={"a": "b"}),
        seen_from=Vantage("controller", ("192.0.2.1",)),
        unknown=(Unknown("text", "The name servers did not answer in time."),),
    )
    document = evidence.to_dict()
    assert document["kind"] == "dns"
    assert document["seen_from"] == {"host": "controller", "addresses": ["192.0.2.1"]}
    assert document["unknown"] == [{"path": "text", "reason": "The name servers did not answer in time."}]
    assert document["facts"]["colour"] == "blue"
    assert document["facts"]["parts"] == [{"name": "x", "type": None, "note": None, "milliseconds": 1.5, "parts": []}]
    assert document["facts"]["part"] is None
    assert document["version"] == 1


def test_values_of_an_enumeration_are_plain_texts():
    assert plain(Colour.RED).__class__ is str


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1772366400.9, "2026-03-01T12:00:00Z"),
        (4102444800, "2100-01-01T00:00:00Z"),
        (1e12, "9999-12-31T23:59:59Z"),
        (1e300, "9999-12-31T23:59:59Z"),
        (-1e12, "1000-01-01T00:00:00Z"),
    ],
)
def test_moment_is_utc(seconds: float, text: str):
    assert moment(seconds) == text


@given(st.integers(0, 250_000_000_000))
def test_moment_can_be_read_back(seconds: int):
    assert seconds_of(moment(seconds)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-03-01T12:00:00+00:00",
        "2026-3-1T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:00Z\n",
    ],
)
def test_other_times_are_refused(text: str):
    with pytest.raises(ValueError, match="does not match|lacks|remains|out of range"):
        seconds_of(text)


@dataclasses.dataclass(frozen=True)
class Several:
    field: str | int


@dataclasses.dataclass(frozen=True)
class Pair:
    field: tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Numbered:
    field: dict[int, str]


@dataclasses.dataclass(frozen=True)
class Anything:
    field: object


@dataclasses.dataclass(frozen=True)
class Listed:
    field: list[str]


@dataclasses.dataclass(frozen=True)
class Octets:
    field: tuple[bytes, ...]


@dataclasses.dataclass(frozen=True)
class Ambiguous:
    field: str | int | None


@pytest.mark.parametrize("record", [Several, Pair, Numbered, Anything, Listed, Octets, Ambiguous])
def test_type_that_evidence_cannot_have_is_refused(record: type):
    with pytest.raises(UnsupportedType, match=rf"^{record.__name__}\.field: .* expected str, int"):
        fields_of(record)


def test_fields_of_a_generic_record_have_its_types():
    fields = {field.name: field for field in fields_of(Evidence[Part])}
    assert fields["facts"].form.type is Part
    assert fields["facts"].required
    assert not fields["unknown"].required
    assert fields["kind"].form.choices == ("dns", "smtp", "host", "proof")
