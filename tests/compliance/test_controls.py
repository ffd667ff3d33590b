# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One test for each host and control, from the evidence and the judge of the role compliance."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import State, worst

if t.TYPE_CHECKING:
    from ansible_collections.mailops.smtp.tests.compliance.run import Case

#: States in which a control is not decided, so that its test is skipped.
_SKIPPED = (State.NOT_CHECKED, State.NOT_APPLICABLE, None)


@pytest.mark.control
def test_control(judged: Case, request: pytest.FixtureRequest) -> None:
    control = judged.control
    properties = {
        "control": control.id,
        "title": control.title,
        "severity": control.severity.value,
        "sources": "; ".join(map(str, control.sources)),
        "host": judged.host.host,
        "profile": judged.host.profile,
    }
    state = worst(judged.results)
    # record_property does the same, and warns that one of pytest's two dialects of JUnit has no properties
    request.node.user_properties.extend({**properties, "state": state.value if state else ""}.items())
    told = [one.sentences for one in judged.results if one.state is state]
    text = "\n".join([f"{control.id}: {control.title}", *dict.fromkeys(told)])
    if state in _SKIPPED:
        pytest.skip(text)
    if state is State.WAIVED:
        pytest.xfail(text)
    if state is State.PASS:
        return
    if not judged.report.fail_on.reached_by(control.severity):
        pytest.xfail(f"{text}\nIts severity is below {judged.report.fail_on.value} (compliance_fail_on).")
    verb = "is not met" if state is State.FAIL else "could not be decided"
    pytest.fail(f"{judged.host.host}: {control.id} {verb}.\n{text}", pytrace=False)
