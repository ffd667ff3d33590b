# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Standards as views on a report, and what a report tells of the catalogue."""

from __future__ import annotations

import types

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import (
    Citation,
    ControlInfo,
    HostReport,
    State,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.standards import (
    Requirement,
    described,
    standards,
)
from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import Severity
from ansible_collections.mailops.smtp.tests.unit.support.reports import each_state, report, result

STIG = Citation("DISA STIG", "STIG RHEL 8", "RHEL-08-040290", "V2R5", "Only Postfix is looked at.")


def views(found):
    return {view.standard: view.requirements for view in standards(found)}


def test_requirements_by_standard():
    found = views(each_state())
    assert list(found) == ["DISA STIG", "NIST SP 800-53", "PCI DSS", "RFCs"]
    assert found["PCI DSS"] == (
        Requirement("PCI DSS (v4.0.1)", "4.2.1", ("MR-TLS-02",), State.WAIVED, ("Only mail.",)),
    )
    assert [(one.document, one.requirement, one.state) for one in found["RFCs"]] == [
        ("RFC 1912", "section 2.1", State.FAIL),
        ("RFC 8996", "", State.WAIVED),
        ("RFC 4954", "section 4", State.ERROR),
    ]


def controls(*ids):
    return tuple(ControlInfo(one, one, Severity.HIGH, sources=(STIG,)) for one in ids)


def test_worst_control_on_the_worst_host_decides():
    hosts = (
        HostReport("relay1", results=(result("pass", "A"), result("pass", "B"))),
        HostReport("relay2", results=(result("pass", "A"), result("fail", "B"))),
    )
    ((found,),) = views(report(hosts=hosts, controls=controls("A", "B"))).values()
    assert (found.controls, found.state) == (("A", "B"), State.FAIL)
    assert found.not_covered == ("Only Postfix is looked at.",)


def test_requirement_that_no_host_was_judged_by():
    ((found,),) = views(report(result("pass", "B"), controls=controls("A"))).values()
    assert found.state is None


def test_count():
    (view,) = standards(report(result("pass", "A"), controls=controls("A")))
    assert (view.count(State.PASS), view.count(State.FAIL)) == (1, 0)


def test_row_of_the_catalogue_is_described():
    document = types.SimpleNamespace(version="V2R5", standard="stig")
    source = types.SimpleNamespace(name="STIG RHEL 8", requirement="R", not_covered="", document=document)
    row = types.SimpleNamespace(
        id="MR-X-01", title="T", severity=Severity.LOW, rationale="Why.", sources=(source,), by_hand="By hand.",
        variables=("relay_a", "relay_b"),
    )  # fmt: skip
    found = described(row, {"stig": "DISA STIG"})
    assert found == ControlInfo(
        "MR-X-01", "T", Severity.LOW, "Why.", (Citation("DISA STIG", "STIG RHEL 8", "R", "V2R5"),),
        "relay_a\nrelay_b", "By hand.",
    )  # fmt: skip
    assert described(row, {}, "relay_a: 1").variable == "relay_a: 1"
