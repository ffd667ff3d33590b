# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter evidence_changes as templates call it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.mailops.smtp.plugins.filter import evidence_changes as plugin
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Kind, Vantage
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import read
from ansible_collections.mailops.smtp.tests.unit.support.evidence import SAMPLES, sample

DOCUMENTS = yaml.safe_load(Path(plugin.__file__).with_suffix(".yml").read_text(encoding="utf-8"))

evidence_changes = plugin.FilterModule().filters()["evidence_changes"]


@pytest.fixture(autouse=True)
def samples(monkeypatch: pytest.MonkeyPatch):
    """The small facts of the tests, in place of the real ones."""
    monkeypatch.setattr(plugin, "read", lambda document: read(document, SAMPLES))


def test_the_older_document_is_the_argument():
    now, saved = sample(text="b").to_dict(), sample(text="a").to_dict()
    (change,) = evidence_changes(now, saved)
    assert change == {"path": "facts.text", "kind": "changed", "before": "a", "after": "b", "reason": ""}
    assert list(change) == list(DOCUMENTS["RETURN"]["_value"]["contains"])
    assert evidence_changes(now, before=now) == []


@pytest.mark.parametrize(
    ("after", "before", "words"),
    [
        (None, sample().to_dict(), "evidence_changes: the input: evidence: expected a mapping, not null."),
        (
            sample().to_dict(),
            "saved.json",
            "evidence_changes: before: evidence: expected a mapping, not 'saved.json'. Parse",
        ),
        (
            sample().to_dict(),
            {**sample().to_dict(), "version": 7},
            "before: evidence: version 7 cannot be read; expected 1",
        ),
        (sample().to_dict(), {**sample().to_dict(), "kind": "mail"}, "before: kind: 'mail' is not one of dns, smtp"),
    ],
)
def test_error_is_a_sentence(after: t.Any, before: t.Any, words: str):
    with pytest.raises(AnsibleFilterError) as caught:
        evidence_changes(after, before)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_other_kind_is_refused(monkeypatch: pytest.MonkeyPatch):
    kinds = iter([Kind.DNS, Kind.SMTP])
    vantage = Vantage("controller")
    monkeypatch.setattr(plugin, "read", lambda _document: Evidence(next(kinds), "x", "", 0.0, vantage, None))
    with pytest.raises(AnsibleFilterError, match="evidence of kind dns cannot be compared with smtp\\."):
        evidence_changes({}, {})
