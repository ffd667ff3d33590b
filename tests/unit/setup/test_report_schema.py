# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/report.schema.json says what the types of the report say, and the JSON report keeps to it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import write
from ansible_collections.mailops.smtp.tests.setup import report_schema
from ansible_collections.mailops.smtp.tests.unit.support.reports import each_state, report


def test_schema_is_up_to_date():
    made = report_schema.SCHEMA.read_text(encoding="utf-8")
    assert made == report_schema.schema(), f"docs/report.schema.json is stale; run {report_schema.COMMAND}"


@pytest.mark.parametrize("found", [each_state(), report(), report(hosts=())])
def test_report_keeps_to_it(found):
    jsonschema.Draft202012Validator(json.loads(report_schema.schema())).validate(json.loads(write(found)))


@pytest.mark.parametrize("change", [{"version": 2}, {"hosts": None}, {"fail_on": "sometimes"}, {"counts": {}}])
def test_what_is_not_a_report_is_refused(change):
    document = {**each_state().to_dict(), **change}
    assert not jsonschema.Draft202012Validator(json.loads(report_schema.schema())).is_valid(document)
