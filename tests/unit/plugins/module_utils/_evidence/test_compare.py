# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed between two documents."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from hypothesis import given

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.compare import (
    NOT_ASKED,
    Change,
    ChangeKind,
    changes,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Kind, Unknown, Vantage
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import FACTS
from ansible_collections.mailops.smtp.tests.unit.support.evidence import FEW, SAMPLES, Colour, Part, evidence_of, sample

SLOW = "The name servers did not answer in time."
CHANGED, ADDED, REMOVED, UNKNOWN = ChangeKind


def part(name: str, parts: tuple[Part, ...] = ()) -> dict[str, t.Any]:
    """What a change shows of a part without a duration."""
    return {"name": name, "type": None, "note": None, "parts": [part(one.name) for one in parts]}


#: Facts before, facts after, and the changes.
DIFFERENCES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[Change]]] = {
    "nothing": ({}, {}, []),
    "a text": ({"text": "a"}, {"text": "b"}, [Change("facts.text", CHANGED, "a", "b")]),
    "a choice": ({}, {"colour": Colour.BLUE}, [Change("facts.colour", CHANGED, "red", "blue")]),
    "false and zero are facts": ({"flag": True}, {"flag": False}, [Change("facts.flag", CHANGED, True, False)]),
    "a text of a list": (
        {"texts": ("a", "b")},
        {"texts": ("b", "c")},
        [Change("facts.texts[]", REMOVED, "a", None), Change("facts.texts[]", ADDED, None, "c")],
    ),
    "the order of a list": ({"texts": ("a", "b")}, {"texts": ("b", "a")}, []),
    "a second equal text": (
        {"texts": ("a",)},
        {"texts": ("a", "a")},
        [Change("facts.texts[]", ADDED, None, "a")],
    ),
    "an item with a name": (
        {"parts": (Part("a"), Part("b", parts=(Part("x"),)))},
        {"parts": (Part("b", parts=(Part("y"),)), Part("c"))},
        [
            Change("facts.parts.a", REMOVED, part("a"), None),
            Change("facts.parts.b.parts.x", REMOVED, part("x"), None),
            Change("facts.parts.b.parts.y", ADDED, None, part("y")),
            Change("facts.parts.c", ADDED, None, part("c")),
        ],
    ),
    "items with the same name": (
        {"parts": (Part("a"), Part("a", parts=(Part("x"),)))},
        {"parts": (Part("a"), Part("a"))},
        [
            Change("facts.parts[]", REMOVED, part("a", parts=(Part("x"),)), None),
            Change("facts.parts[]", ADDED, None, part("a")),
        ],
    ),
    "a list that was empty": (
        {"parts": ()},
        {"parts": (Part("a"),)},
        [Change("facts.parts.a", ADDED, None, part("a"))],
    ),
    "a duration": ({"parts": (Part("a", milliseconds=1.5),)}, {"parts": (Part("a", milliseconds=2.5),)}, []),
    "a duration that is not known": ({"part": Part("a", milliseconds=1.5)}, {"part": Part("a", milliseconds=None)}, []),
    "a name of a mapping": (
        {"settings": {"a": "1", "b": "2"}},
        {"settings": {"b": "3", "c": "4"}},
        [
            Change("facts.settings.a", REMOVED, "1", None),
            Change("facts.settings.b", CHANGED, "2", "3"),
            Change("facts.settings.c", ADDED, None, "4"),
        ],
    ),
    "a fact that was not asked": (
        {"part": Part("a")},
        {"part": None},
        [Change("facts.part", UNKNOWN, part("a"), None, NOT_ASKED)],
    ),
    "a fact that was not asked before": (
        {"parts": None},
        {"parts": ()},
        [Change("facts.parts", UNKNOWN, None, [], NOT_ASKED)],
    ),
    "a fact that there is none of, within a group": (
        {"part": Part("a", note="x")},
        {"part": Part("a")},
        [Change("facts.part.note", REMOVED, "x", None)],
    ),
    "an empty name": (
        {"parts": (Part("", note="x"), Part("b"))},
        {"parts": (Part("", note="y"), Part("b"))},
        [Change("facts.parts.-.note", CHANGED, "x", "y")],
    ),
    "a name of two fields": (
        {"parts": (Part("a", type="inet"), Part("a", type="unix", note="x"))},
        {"parts": (Part("a", type="unix", note="y"), Part("a", type="inet"), Part("b", type="inet"))},
        [
            Change("facts.parts.a.unix.note", CHANGED, "x", "y"),
            Change("facts.parts.b.inet", ADDED, None, {**part("b"), "type": "inet"}),
        ],
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_difference_is_found(name: str):
    before, after, expected = DIFFERENCES[name]
    assert changes(sample(**before), sample(**after)) == expected


@pytest.mark.parametrize(
    ("path", "before", "after", "place"),
    [
        ("part", {"part": Part("a")}, {"part": None}, "facts.part"),
        ("parts", {"parts": (Part("a"),)}, {"parts": None}, "facts.parts"),
        ("parts.a", {"parts": (Part("a"),)}, {"parts": ()}, "facts.parts.a"),
        ("parts.a.parts", {"parts": (Part("a"),)}, {"parts": ()}, "facts.parts.a"),
        ("texts", {"texts": ("a",)}, {"texts": ()}, "facts.texts[]"),
    ],
)
def test_fact_that_could_not_be_seen_is_not_a_change(
    path: str, before: dict[str, t.Any], after: dict[str, t.Any], place: str
):
    blind = dataclasses.replace(sample(**after), unknown=(Unknown(path, SLOW),))
    for pair in [(sample(**before), blind), (blind, sample(**before))]:
        (found,) = changes(*pair)
        assert (found.path, found.kind, found.reason) == (place, UNKNOWN, SLOW)


@pytest.mark.parametrize("path", ["part", "parts.ab", "parts.a.parts.x", "text"])
def test_reason_of_another_fact_does_not_count(path: str):
    blind = dataclasses.replace(sample(parts=(Part("b"),)), unknown=(Unknown(path, SLOW),))
    (found,) = changes(sample(parts=(Part("a b"), Part("b"))), blind)
    assert (found.kind, found.reason) == (REMOVED, "")


def test_both_do_not_know_it():
    blind = dataclasses.replace(sample(), unknown=(Unknown("part", SLOW),))
    assert changes(blind, blind) == []
    assert changes(sample(), blind) == []


def test_subject_and_vantage_are_compared_but_not_the_time():
    later = dataclasses.replace(
        sample(),
        subject="example.net",
        seen_from=Vantage("controller", ("192.0.2.1",)),
        seen_at="2026-03-02T12:00:00Z",
        seconds=9.0,
    )
    assert [change.path for change in changes(sample(), later)] == ["subject", "seen_from.addresses[]"]


def test_kinds_are_not_mixed():
    other = dataclasses.replace(sample(), kind=Kind.HOST)
    with pytest.raises(ValueError, match="evidence of kind dns cannot be compared with host"):
        changes(sample(), other)


def test_change_is_plain():
    (change,) = changes(sample(), sample(text="b"))
    assert change.to_dict() == {
        "path": "facts.text",
        "kind": "changed",
        "before": "a",
        "after": "b",
        "reason": "",
    }


ALL = [*FACTS.items(), *SAMPLES.items()]


@pytest.mark.parametrize(("kind", "facts"), ALL)
def test_document_does_not_differ_from_itself(kind: Kind, facts: type):
    @FEW
    @given(evidence_of(kind, facts))
    def is_the_same(evidence: Evidence[t.Any]):
        assert changes(evidence, evidence) == []

    is_the_same()


@given(evidence_of(Kind.DNS, SAMPLES[Kind.DNS]), evidence_of(Kind.DNS, SAMPLES[Kind.DNS]))
def test_what_was_added_is_removed_the_other_way_round(before: Evidence[t.Any], after: Evidence[t.Any]):
    opposite = {ADDED: REMOVED, REMOVED: ADDED}
    forth = [(one.path, one.kind, one.before, one.after) for one in changes(before, after)]
    back = [
        (one.path, opposite.get(one.kind, one.kind), one.after, one.before)
        for one in changes(before=after, after=before)
    ]
    assert sorted(map(repr, forth)) == sorted(map(repr, back))
