# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as programs that others wrote read them: Microsoft's validator of SARIF, MITRE's libraries of HDF, and the
client library of Prometheus. The page is tested in a browser by page.test.mjs.
"""

from __future__ import annotations

import collections
import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import (  # type: ignore[import-not-found]
    text_string_to_metric_families,
)

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.formats import FORMATS
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import Report, State, counts, read
from ansible_collections.mailops.smtp.tests.reports import made

HERE = Path(__file__).parent
MULTITOOL = made.ROOT / ".build/reports/npm/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
FLEETS = [name for name in made.FLEETS if name != "large"]


@pytest.fixture(scope="session", params=FLEETS)
def folder(request: t.Any, tmp_path_factory: t.Any) -> Path:
    """The reports of a fleet."""
    (found,) = made.write(tmp_path_factory.mktemp("reports"), [request.param])
    return found


@pytest.fixture
def report(folder: Path) -> Report:
    """The report that they were written from."""
    return read((folder / FORMATS["json"].file).read_bytes())


def test_sarif_is_valid(folder: Path):
    command = [
        str(MULTITOOL),
        "validate",
        FORMATS["sarif"].file,
        "--rule-kind",
        "Sarif;Ghas",
        "--output",
        "found.sarif",
    ]
    without_icu = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    ran = subprocess.run(
        [*command, "--log", "ForceOverwrite"], cwd=folder, env=without_icu, capture_output=True, text=True, check=False
    )
    (run,) = json.loads((folder / "found.sarif").read_text(encoding="utf-8-sig"))["runs"]
    found = [(one["ruleId"], one.get("level", "warning"), one["message"]) for one in run.get("results", ())]
    assert [one for one in found if one[1] == "error"] == []
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_hdf_is_read(folder: Path, report: Report):
    ran = subprocess.run(
        # of a small report, since the converters take a minute for a fleet
        ["node", HERE / "read_hdf.cjs", FORMATS["hdf"].file, "convert" if folder.name == "states" else ""],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    wanted = {}
    for host in report.hosts:
        by_control = collections.defaultdict(set)
        for one in host.judged:
            by_control[one.finding.control].add(one.state)
        wanted[host.host] = sum(bool(states & {State.FAIL}) for states in by_control.values())
    if len(wanted) == len(found["statuses"]) and all(found["statuses"]):
        seen = {name: one.get("Failed", 0) for name, one in found["statuses"].items()}
        assert sorted(seen.values()) == sorted(wanted.values())
    if folder.name == "states":
        assert found["asff"] >= 1
        assert found["ckl"] >= 1
        assert found["caat"] > 1000


def test_openmetrics_are_read(folder: Path, report: Report):
    text = (folder / FORMATS["openmetrics"].file).read_text(encoding="utf-8")
    families = {one.name: one for one in text_string_to_metric_families(text)}
    found: collections.Counter[str] = collections.Counter()
    for sample in families["mailops_compliance_findings"].samples if report.hosts else ():
        found[sample.labels["state"]] += int(sample.value)
    numbers = counts(result for _host, result in report.all_results())
    assert {state: n for state, n in found.items() if n} == {state.value: n for state, n in numbers.items() if n}
