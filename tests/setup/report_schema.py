# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/report.schema.json from the types of the JSON report: make docs."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The imports need the path, since the environment links the collection there.
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import (  # noqa: E402
    VERSION,
    Report,
    State,
    Verdict,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.forms import Shape, fields_of  # noqa: E402
from ansible_collections.mailops.smtp.tests.setup import evidence_page, pages  # noqa: E402

SCHEMA = ROOT / "docs" / "report.schema.json"
COMMAND = pages.COMMAND


def records() -> list[t.Any]:
    """Return the types of the document, each before the types of its fields."""
    found: dict[str, t.Any] = {}

    def walk(record: t.Any) -> None:
        found[record.__name__] = record
        for form in (evidence_page.innermost(field.form) for field in fields_of(record)):
            if form.shape is Shape.RECORD and form.type.__name__ not in found:
                walk(form.type)

    for record in (Report, Verdict):
        walk(record)
    return list(found.values())


def schema() -> str:
    """Return the JSON Schema. Other fields than the known ones are allowed, since a newer collection may add some."""
    report, *others = map(evidence_page.record_schema, records())
    report["properties"]["version"]["const"] = VERSION
    report["properties"]["verdict"] = {"$ref": "#/$defs/Verdict"}
    report["properties"]["counts"] = {
        "type": "object",
        "properties": {state.value: {"type": "integer"} for state in State},
        "required": [state.value for state in State],
    }
    report["required"] += ["version", "verdict", "counts"]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/mailops/smtp/raw/main/docs/report.schema.json",
        "$comment": f"SPDX-License-Identifier: GPL-3.0-or-later. Made by tests/setup/report_schema.py: {COMMAND}",
        **report,
        "$defs": {one["title"]: one for one in others},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    pages.write(SCHEMA, schema())
