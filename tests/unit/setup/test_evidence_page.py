# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/evidence.md and docs/evidence.schema.json say what the types of the evidence say."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Kind, fact
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.forms import fields_of
from ansible_collections.mailops.smtp.tests.setup import evidence_page
from ansible_collections.mailops.smtp.tests.unit.support.evidence import SAMPLES

FIELDS = [(record, field) for record in evidence_page.records() for field in fields_of(record)]


@pytest.mark.parametrize(
    ("file", "made"), [(evidence_page.PAGE, evidence_page.page), (evidence_page.SCHEMA, evidence_page.schema)]
)
def test_the_file_is_up_to_date(file, made):
    assert file.read_text(encoding="utf-8") == made(), f"docs/{file.name} is stale; run {evidence_page.COMMAND}"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json.loads(evidence_page.schema()))


def test_every_field_is_described_by_a_sentence():
    assert [
        f"{record.__name__}.{field.name}" for record, field in FIELDS if not field.description.endswith((".", ")"))
    ] == []


def test_every_type_is_described_by_a_sentence():
    # The docstring that dataclasses make has the signature.
    assert [
        one.__name__ for one in evidence_page.records() if not (one.__doc__ or "").split("\n")[0].endswith(".")
    ] == []


def test_the_page_names_every_field():
    page = evidence_page.page()
    assert [field.name for _record, field in FIELDS if f"| `{field.name}` | " not in page] == []


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch):
    """The generator with the small facts of the tests."""
    monkeypatch.setattr(evidence_page, "FACTS", SAMPLES)


def test_the_page_shows_every_form(samples):
    page = evidence_page.page()
    for row in [
        "| `facts` | [Sample](#sample) | What was seen. |",
        "| `colour` | `red` or `blue` | A choice. |",
        "| `since` | time or null | A time. |",
        "| `texts` | list of text | Texts. |",
        "| `parts` | list of [Part](#part) or null | Records. |",
        "| `settings` | mapping of names to text | Texts by name. |",
        "| `by_name` | mapping of names to list of [Part](#part) | Records by name. |",
    ]:
        assert row in page
    assert page.count("### Part\n") == 1


def test_the_schema_shows_every_form(samples):
    schema = json.loads(evidence_page.schema())
    properties = schema["$defs"]["Sample"]["properties"]
    assert properties["colour"] == {"description": "A choice.", "enum": ["red", "blue"]}
    assert properties["since"]["anyOf"] == [{"type": "string", "format": "date-time"}, {"type": "null"}]
    assert properties["settings"]["additionalProperties"] == {"type": "string"}
    assert properties["by_name"]["additionalProperties"] == {"type": "array", "items": {"$ref": "#/$defs/Part"}}
    assert schema["$defs"]["Part"]["required"] == ["name"]


def test_markup_in_a_description_stays_text(monkeypatch: pytest.MonkeyPatch):
    @dataclasses.dataclass(frozen=True)
    class Marked:
        """Marked."""

        field: str = fact("A | B, <c>, *d* at _dmarc and _smtp, see https://example.com/a_b.")

    monkeypatch.setattr(evidence_page, "FACTS", {Kind.DNS: Marked})
    row = next(line for line in evidence_page.page().splitlines() if line.startswith("| `field`"))
    assert row == r"| `field` | text | A \| B, \<c>, \*d\* at \_dmarc and \_smtp, see <https://example.com/a_b>. |"


def test_words_of_python_become_those_of_json(monkeypatch: pytest.MonkeyPatch):
    @dataclasses.dataclass(frozen=True)
    class Absent:
        """None if it was not asked for."""

        field: str | None = fact("False, or None if there is none.")

    monkeypatch.setattr(evidence_page, "FACTS", {Kind.DNS: Absent})
    page, schema = evidence_page.page(), json.loads(evidence_page.schema())["$defs"]["Absent"]
    assert "null if it was not asked for." in page
    assert "| `field` | text or null | false, or null if there is none. |" in page
    assert schema["description"] == "null if it was not asked for."
    assert schema["properties"]["field"]["description"] == "false, or null if there is none."


def test_two_types_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch):
    other = dataclasses.make_dataclass("Vantage", [], namespace={"__doc__": "Another."})
    monkeypatch.setattr(evidence_page, "FACTS", {Kind.DNS: other})
    with pytest.raises(ValueError, match="two types of evidence have the name Vantage"):
        evidence_page.schema()
