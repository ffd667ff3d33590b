# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the catalogue is complete, and what it refers to exists."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections import Counter
from pathlib import Path

import pytest
import yaml

from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CATALOGUE, CONTROLS
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import (
    ALL,
    Conflict,
    Control,
    Profile,
)
from ansible_collections.mailops.smtp.plugins.module_utils._controls.documents import DOCUMENTS, STANDARDS
from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import FindingStatus, Severity
from ansible_collections.mailops.smtp.plugins.module_utils._controls.source import Source, rfc
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Kind
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import FACTS

ROOT = Path(__file__).resolve().parents[5]
#: How many controls each group has. The ids are stable: a control is never removed or renumbered.
GROUPS = {
    "DNS": 11,
    "SPF": 5,
    "DKIM": 7,
    "DMARC": 5,
    "STS": 2,
    "DANE": 3,
    "TLS": 8,
    "AUTH": 6,
    "RELAY": 3,
    "SMTP": 6,
    "HOST": 6,
    "E2E": 3,
}
OPTIONAL = {
    "MR-DNS-10",
    "MR-DNS-11",
    "MR-SPF-05",
    "MR-DKIM-05",
    "MR-DKIM-06",
    "MR-SMTP-05",
    "MR-E2E-03",
}
#: Severities other than the most frequent one of the catalogue, high.
SEVERITIES = {
    Severity.CRITICAL: {
        "MR-SPF-02",
        "MR-DKIM-02",
        "MR-AUTH-01",
        "MR-AUTH-03",
        "MR-RELAY-01",
        "MR-E2E-01",
    },
    Severity.LOW: {
        "MR-DNS-10",
        "MR-SPF-05",
        "MR-DKIM-05",
        "MR-DKIM-06",
        "MR-DMARC-05",
        "MR-STS-02",
        "MR-SMTP-03",
        "MR-SMTP-05",
        "MR-E2E-03",
    },
}
EVERY = pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)


def test_all_controls_are_there_in_order():
    assert [control.id for control in CONTROLS] == [
        f"MR-{group}-{number:02}" for group, count in GROUPS.items() for number in range(1, count + 1)
    ]
    assert len(CATALOGUE) == len(CONTROLS) == 65


def test_optional_controls_have_level_2():
    assert {control.id for control in CONTROLS if control.level == 2} == OPTIONAL
    assert {control.level for control in CONTROLS} == {1, 2}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_controls_of_each_severity(severity):
    assert {control.id for control in CONTROLS if control.severity is severity} == SEVERITIES[severity]


def test_titles_are_unique():
    assert [title for title, count in Counter(one.title for one in CONTROLS).items() if count > 1] == []


@EVERY
def test_title_is_a_clause(control):
    assert re.fullmatch(r"[A-Z].{10,100}[\w)]", control.title)


@EVERY
def test_texts_are_plain_sentences(control):
    texts = [control.rationale, control.by_hand, *(one.reason for one in control.conflicts)]
    texts += [one.not_covered for one in cited(control) if one.not_covered]
    texts += [control.not_implemented] if control.not_implemented else []
    for text in texts:
        assert re.fullmatch(r"[A-Z].*[\w)\"]\.", text), text
        assert "  " not in text
        assert not re.search(r"\bTODO\b|!", text), text
    assert len(re.findall(r"\.(?: |\Z)", control.rationale)) <= 2


def cited(control: Control) -> t.Iterator[Source]:
    """Every source of the row, those of its conflicts included."""
    yield from control.sources
    for conflict in control.conflicts:
        yield from conflict.sources


@EVERY
def test_sources_are_of_known_documents_with_a_version(control):
    assert control.sources
    for source in cited(control):
        document = source.document
        assert document.standard in STANDARDS
        # The number of a vulnerability has its year.
        assert document.version or document.date or document.standard == "cve"
        assert source.requirement or source.is_rfc, source


@EVERY
def test_source_is_cited_once(control):
    keys = [(source.name, source.requirement) for source in control.sources]
    assert len(keys) == len(set(keys))


#: The form of the ids of each standard, so that one is not put under another.
REQUIREMENTS = {
    "STIG RHEL 8": r"RHEL-08-\d{6}",
    "STIG RHEL 9": r"RHEL-09-\d{6}",
    "STIG RHEL 10": r"RHEL-10-\d{6}",
    "STIG Oracle Linux 8": r"OL08-00-\d{6}",
    "STIG Oracle Linux 9": r"OL09-00-\d{6}",
    "TR-03182": r"[A-L]-\d\d|\d\d-M",
    "SP 800-177": r"[45]-\d+",
    "SP 800-53": r"[A-Z]{2}-\d+",
    "PCI DSS": r"\d\.\d\.\d",
    "SCuBA": r"MS\.EXO\.\d\.\dv\d",
    "CIS Controls": r"\d+\.\d+",
    "ANSSI BP-028": r"R\d+",
    "CVE": r"CVE-\d{4}-\d+",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_ids_have_the_form_of_their_document(name):
    found = {source.requirement for control in CONTROLS for source in cited(control) if source.name == name}
    assert found, f"no control cites {name}"
    form = REQUIREMENTS.get(name) or (
        r"2\.1\.\d+" if name.startswith("CIS ") else r"(sections? [\d., and]+)?" if name.startswith("RFC ") else r".+"
    )
    assert [one for one in found if not re.fullmatch(form, one)] == []


@EVERY
def test_role_variables_exist(control):
    unknown = [variable for variable in control.variables if not option_exists(variable)]
    assert unknown == [], f"roles/relay/meta/argument_specs.yml has no {unknown}"


def option_exists(path: str) -> bool:
    """Whether the role has the variable, such as ``relay_listeners[].tls``."""
    options = yaml.safe_load((ROOT / "roles/relay/meta/argument_specs.yml").read_text(encoding="utf-8"))
    options = options["argument_specs"]["main"]["options"]
    for name in path.replace("[]", "").split("."):
        if name not in options:
            return False
        options = options[name].get("options", {})
    return True


def test_missing_role_variable_is_noticed():
    assert option_exists("relay_listeners[].tls")
    assert not option_exists("relay_listeners[].tsl")
    assert not option_exists("relay_signatures")


@EVERY
def test_evidence_that_it_needs_exists(control):
    assert control.needs
    for need in control.needs:
        assert need.groups
        assert [path for path in need.groups if not fact_exists(FACTS[Kind(need.kind.value)], path)] == []


def fact_exists(facts: t.Any, path: str) -> bool:
    """Whether the path leads to a fact. Facts that are not typed yet are not judged."""
    if not dataclasses.fields(facts):
        return True
    fields = t.get_type_hints(facts)
    first, *rest = path.split(".", 1)
    if first not in fields:
        return first == "probes" and "probes" not in fields
    inner = [one for one in (fields[first], *t.get_args(fields[first])) if dataclasses.is_dataclass(one)]
    return not rest or fact_exists(inner[0], *rest)


@EVERY
def test_profiles_and_conflicts(control):
    assert control.profiles
    assert list(control.profiles) == [profile for profile in ALL if profile in control.profiles]
    for conflict in control.conflicts:
        assert set(conflict.profiles) <= set(control.profiles)


def test_each_profile_has_controls():
    for profile in Profile:
        assert sum(profile in control.profiles for control in CONTROLS) > 20


CONTROL = dataclasses.replace(CATALOGUE["MR-DNS-03"], id="MR-X-01", severity=Severity.LOW)


def test_findings_have_the_id_the_severity_and_the_source():
    finding = CONTROL.failed("192.0.2.1", "It has no name.", "Give it one.")
    assert (finding.control, finding.severity, finding.source) == ("MR-X-01", Severity.LOW, "RFC 1912 section 2.1")
    assert (finding.status, finding.remedy) == (FindingStatus.FAIL, "Give it one.")


@pytest.mark.parametrize(
    ("finding", "status"),
    [
        (CONTROL.passed("a", "Fine."), FindingStatus.PASS),
        (CONTROL.undecided("a", "time-out"), FindingStatus.ERROR),
        (CONTROL.not_checked("a", "Not given.", "Give it."), FindingStatus.NOT_CHECKED),
        (CONTROL.not_applicable("a", "Not meant."), FindingStatus.NOT_APPLICABLE),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_each_status_has_a_constructor(finding, status):
    assert finding.status is status


@EVERY
def test_undecided_control_says_what_to_do(control):
    finding = control.undecided("mail.example.com", "the server did not answer")
    assert finding.message == "mail.example.com could not be judged: the server did not answer."
    assert finding.remedy.endswith("run this again.")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rfc(7505), "RFC 7505"),
        (rfc(5321, "5.1"), "RFC 5321 section 5.1"),
        (rfc(7208, "2.6", "5.5"), "RFC 7208 sections 2.6 and 5.5"),
        (rfc(7208, "2.6", "3.4", "5.5"), "RFC 7208 sections 2.6, 3.4 and 5.5"),
        (Source("STIG RHEL 9", "RHEL-09-252050"), "STIG RHEL 9 RHEL-09-252050"),
    ],
    ids=str,
)
def test_source_as_text(source, text):
    assert str(source) == text


def test_control_without_an_rfc_names_its_other_sources():
    assert CATALOGUE["MR-TLS-08"].source == "SP 800-53 SC-12"


def test_conflicts_are_typed():
    assert all(isinstance(one, Conflict) for control in CONTROLS for one in control.conflicts)
