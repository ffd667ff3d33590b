# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standards are views on the catalogue."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CATALOGUE, CONTROLS
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import Effect, Profile
from ansible_collections.mailops.smtp.plugins.module_utils._controls.documents import STANDARDS
from ansible_collections.mailops.smtp.plugins.module_utils._controls.source import Source
from ansible_collections.mailops.smtp.plugins.module_utils._controls.standards import Requirement, view


def requirement(standard: str, name: str) -> Requirement:
    """The requirement of that id, of the first document that has it."""
    return next(one for one in view(standard) if one.requirement == name)


@pytest.mark.parametrize("standard", STANDARDS)
def test_view_has_what_the_rows_cite(standard):
    seen = {(one.name, one.requirement, coverage.control) for one in view(standard) for coverage in one.coverage}
    assert seen == {
        (source.name, source.requirement, control.id)
        for control in CONTROLS
        for source in control.sources
        if source.document.standard == standard
    }
    assert seen


CASES = {
    "RHEL-08-040290": ("stig", "V2R8", ["MR-RELAY-01", "MR-RELAY-03"], False),
    "RHEL-09-252050": ("stig", "V2R9", ["MR-RELAY-01", "MR-RELAY-03"], False),
    "RHEL-10-200692": ("stig", "V1R2", ["MR-RELAY-01", "MR-RELAY-03"], False),
    "OL09-00-000150": ("stig", "V1R6", ["MR-HOST-03"], True),
    "2.1.22": ("cis", "1.0.0", ["MR-HOST-01"], True),
    "9.5": ("cis_controls", "8", ["MR-DMARC-02"], False),
    "D-02": ("bsi", "1.0", ["MR-SPF-02", "MR-E2E-02"], True),
    "F-02": ("bsi", "1.0", ["MR-DKIM-03"], False),
    "4-1": ("nist_800_177", "Revision 1", ["MR-DNS-02", "MR-SPF-01"], True),
    "5.4.1": ("pci_dss", "4.0.1", ["MR-DMARC-02"], False),
    "MS.EXO.5.1v1": ("scuba", "ScubaGear 1.8.0", [], False),
    "R74": ("anssi", "2.0", ["MR-HOST-01"], True),
}


@pytest.mark.parametrize("name", CASES)
def test_requirement_has_its_version_and_controls(name):
    standard, version, controls, is_covered = CASES[name]
    found = requirement(standard, name)
    assert found.document.version == version
    assert [one.control for one in found.coverage] == controls
    assert found.is_covered is is_covered


@pytest.mark.parametrize(
    ("standard", "name", "profile", "effect"),
    [
        ("stig", "RHEL-09-252050", Profile.SUBMISSION_RELAY, Effect.WAIVER),
        ("stig", "RHEL-09-252050", Profile.MX, Effect.WAIVER),
        ("stig", "RHEL-09-252050", Profile.NULL_CLIENT, None),
        ("stig", "RHEL-09-252060", Profile.SUBMISSION_RELAY, None),
        ("cis", "2.1.21", Profile.OUTBOUND_RELAY, Effect.NOT_APPLICABLE),
        ("cis", "2.1.21", Profile.NULL_CLIENT, None),
        ("scuba", "MS.EXO.5.1v1", Profile.SUBMISSION_RELAY, Effect.NOT_APPLICABLE),
        ("scuba", "MS.EXO.5.1v1", Profile.MX, None),
        ("scuba", "MS.EXO.4.3v1", Profile.MX, Effect.NOT_APPLICABLE),
        ("bsi", "F-02", Profile.OUTBOUND_RELAY, Effect.WAIVER),
    ],
)
def test_conflict_depends_on_the_profile(standard, name, profile, effect):
    conflict = requirement(standard, name).conflict(profile)
    assert (conflict and conflict.effect) == effect


def test_conflict_is_named_once():
    """Two controls have the same conflict."""
    assert len(requirement("stig", "RHEL-09-252050").conflicts) == 1


def test_documents_stay_together():
    names = [one.name for one in view("stig")]
    assert names == sorted(names, key=list(dict.fromkeys(names)).index)
    assert len(set(names)) == 5


def test_view_follows_a_changed_row():
    row = dataclasses.replace(CATALOGUE["MR-DNS-01"], sources=(Source("PCI DSS", "1.1.1"),), conflicts=())
    assert [(one.requirement, one.coverage[0].control) for one in view("pci_dss", (row,))] == [("1.1.1", "MR-DNS-01")]


def test_unknown_standard():
    with pytest.raises(KeyError, match="iso"):
        view("iso")
