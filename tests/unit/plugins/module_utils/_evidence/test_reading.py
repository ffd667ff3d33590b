# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saved evidence, read back: equal if it is valid, and otherwise refused with the place, whatever it is."""

from __future__ import annotations

import json
import typing as t

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Kind
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import (
    FACTS,
    MAX_DEPTH,
    InvalidEvidence,
    loads,
    read,
)
from ansible_collections.mailops.smtp.tests.setup import evidence_page
from ansible_collections.mailops.smtp.tests.unit.support.evidence import FEW, SAMPLES, Part, evidence_of, sample

Document = dict[str, t.Any]


def nested(depth: int, bottom: t.Any = None) -> t.Any:
    """Lists within lists."""
    for _number in range(depth):
        bottom = [bottom]
    return bottom


def parts_within_parts(depth: int) -> list[t.Any]:
    found: list[t.Any] = []
    for _number in range(depth):
        found = [{"name": "x", "parts": found}]
    return found


@given(evidence_of(Kind.DNS, SAMPLES[Kind.DNS]))
def test_what_was_written_is_read_back(evidence):
    assert read(evidence.to_dict(), SAMPLES) == evidence
    assert loads(json.dumps(evidence.to_dict()), SAMPLES) == evidence


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_read_back(kind: Kind):
    @FEW
    @given(evidence_of(kind, FACTS[kind]))
    def is_read_back(evidence):
        document = evidence.to_dict()
        assert read(document) == evidence
        assert json.loads(json.dumps(document, allow_nan=False)) == document

    is_read_back()


def test_field_of_a_newer_version_is_left_out():
    document = sample(parts=(Part("x"),)).to_dict()
    document["new"] = nested(10_000)
    document["facts"]["new"] = {1: nested(10_000)}
    document["facts"]["parts"][0]["new"] = object()
    assert read(document, SAMPLES) == sample(parts=(Part("x"),))


def test_field_with_a_default_may_be_missing():
    document = sample().to_dict()
    del document["unknown"], document["facts"]["parts"]
    assert read(document, SAMPLES) == sample()


def test_whole_number_of_any_size_is_a_number():
    assert read(sample(ratio=10**400).to_dict(), SAMPLES).facts.ratio == 10**400


#: Where a value goes, the value, and the words of the error.
NONSENSE: list[tuple[str, t.Any, str]] = [
    ("version", 2, "evidence: version 2 cannot be read; expected 1; collect the evidence again"),
    ("version", 1.0, "version: expected a whole number, not 1.0"),
    ("version", True, "version: expected a whole number, not True"),
    ("version", None, "version: expected a whole number, not null"),
    ("version", {}, "version: expected a whole number, not a dict"),
    ("version", 10**5000, "evidence: version a huge number cannot be read"),
    ("kind", "mail", "kind: 'mail' is not one of dns, smtp, host, proof"),
    ("kind", "", "kind: '' is not one of dns, smtp, host, proof"),
    ("kind", None, "kind: expected a text, not null"),
    ("kind", [], "kind: expected a text, not a list"),
    ("kind", {}, "kind: expected a text, not a dict"),
    ("kind", object(), "kind: expected a text, not an object"),
    ("kind", 1, "kind: expected a text, not 1"),
    ("subject", None, "subject: expected a text, not null"),
    ("subject", b"x", "subject: expected a text, not a bytes"),
    ("seen_at", "yesterday", "seen_at: 'yesterday' is not a time in UTC, such as 2026-03-01T12:00:00Z"),
    ("seen_at", 0, "seen_at: expected a text, not 0"),
    ("seconds", "1", "seconds: expected a number, not '1'"),
    ("seconds", float("nan"), "seconds: expected a number, not nan"),
    ("seconds", float("-inf"), "seconds: expected a number, not -inf"),
    ("seconds", False, "seconds: expected a number, not False"),
    ("seen_from", [], "seen_from: expected a mapping, not a list"),
    ("seen_from", {}, "seen_from: lacks host"),
    ("seen_from.addresses", "192.0.2.1", "seen_from.addresses: expected a list, not '192.0.2.1'"),
    ("seen_from.addresses", ["a", None], "seen_from.addresses.1: expected a text, not null"),
    ("unknown", {}, "unknown: expected a list, not a dict"),
    ("unknown", [{"path": "a"}], "unknown.0: lacks reason"),
    ("facts", None, "facts: expected a mapping, not null"),
    ("facts", {}, "facts: lacks text, number, ratio, flag, colour"),
    ("facts.number", 1.0, "facts.number: expected a whole number, not 1.0"),
    ("facts.number", True, "facts.number: expected a whole number, not True"),
    ("facts.flag", 1, "facts.flag: expected a boolean, not 1"),
    ("facts.colour", "green", "facts.colour: 'green' is not one of red, blue"),
    ("facts.colour", [[]], "facts.colour: expected a text, not a list"),
    ("facts.since", 1, "facts.since: expected a text or null, not 1"),
    ("facts.parts", {"name": "x"}, "facts.parts: expected a list or null, not a dict"),
    ("facts.parts", [None], "facts.parts.0: expected a mapping, not null"),
    ("facts.settings", [], "facts.settings: expected a mapping, not a list"),
    ("facts.settings", {1: "a"}, "facts.settings: expected texts as keys, not 1"),
    ("facts.settings", {None: "a"}, "facts.settings: expected texts as keys, not null"),
    ("facts.settings", {"a": 1}, "facts.settings.a: expected a text, not 1"),
    ("facts.by_name", {"a": [{"name": 1}]}, "facts.by_name.a.0.name: expected a text, not 1"),
    ("facts.text", 10**5000, "facts.text: expected a text, not a huge number"),
    ("facts.settings", {"x" * 10**6: 1}, "facts.settings.'xxx"),
    ("facts.settings", {"a\nb": 1}, r"facts.settings.'a\nb': expected"),
    ("facts.text", nested(100_000), "facts.text: expected a text, not a list"),
    (
        "facts.parts",
        parts_within_parts(MAX_DEPTH),
        f"facts.parts.0.parts.(...): nested too deeply; expected at most {MAX_DEPTH}",
    ),
    ("facts.parts", parts_within_parts(100_000), "facts.parts.0.parts.(...): nested too deeply"),
    ("facts.number", "x" * 10**6, "facts.number: expected a whole number, not 'xxx"),
]


@pytest.mark.parametrize(("place", "value", "words"), NONSENSE, ids=[words[:60] for _p, _v, words in NONSENSE])
def test_nonsense_is_refused_with_its_place(place: str, value: t.Any, words: str):
    document = sample().to_dict()
    *folders, name = place.split(".")
    target = document
    for folder in folders:
        target = target[folder]
    target[name] = value
    with pytest.raises(InvalidEvidence) as caught:
        read(document, SAMPLES)
    assert str(caught.value).startswith(words)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ["version", "kind", "subject", "seen_at", "seconds", "seen_from", "facts"])
def test_missing_field_is_named(name: str):
    document = sample().to_dict()
    del document[name]
    with pytest.raises(InvalidEvidence, match=rf"\b{name}\b"):
        read(document, SAMPLES)


@pytest.mark.parametrize("document", [None, [], "", 1, b"", object(), nested(100_000)])
def test_what_is_not_a_mapping_is_refused(document: t.Any):
    with pytest.raises(InvalidEvidence, match="^evidence: expected a mapping, not "):
        read(document)


@pytest.mark.parametrize("text", ["", "{", "nonsense", b"\xff\xfe", b"\x80", "[" * 100_000, "1" * 10_000])
def test_text_that_is_not_a_document_is_refused(text: str | bytes):
    with pytest.raises(InvalidEvidence, match="^evidence: "):
        loads(text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner) | st.tuples(inner),
    max_leaves=10,
)


@given(document=ANYTHING, text=st.text() | st.binary())
def test_anything_is_read_or_refused(document, text):
    for attempt in (lambda: read(document), lambda: loads(text)):
        with pytest.raises(InvalidEvidence):
            attempt()


def places(value: t.Any, place: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Every place in a document."""
    yield place
    if isinstance(value, (dict, list)):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*place, key))


def with_value(document: t.Any, place: tuple[t.Any, ...], value: t.Any) -> t.Any:
    """A copy of the document with another value in one place."""
    if not place:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[place[0]] = with_value(copy[place[0]], place[1:], value)
    return copy


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def is_read(document: t.Any) -> bool:
    try:
        read(document, SAMPLES)
    except InvalidEvidence:
        return False
    return True


@given(evidence=evidence_of(Kind.DNS, SAMPLES[Kind.DNS]), data=st.data(), value=JSON)
def test_reader_and_schema_refuse_the_same_documents(schema_of_samples, evidence, data, value):
    document = evidence.to_dict()
    place = data.draw(st.sampled_from(list(places(document))))
    changed = with_value(document, place, value)
    valid = schema_of_samples.is_valid(changed)
    # JSON Schema takes 1.0 for an integer, and does not check a date-time unless asked to.
    differs = (isinstance(value, float) and value.is_integer()) or (isinstance(value, str) and valid)
    assert is_read(changed) == valid or differs


@pytest.fixture(scope="module")
def schema_of_samples():
    """A validator of the schema that the samples have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence_page, "FACTS", SAMPLES)
        return jsonschema.Draft202012Validator(json.loads(evidence_page.schema()))
