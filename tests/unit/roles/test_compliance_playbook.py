# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook compliance on this machine, and the suite of tests/compliance on its report.

One inventory has a host that is down and this machine, so that one run shows what the others check.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.playbook import COLLECTIONS, run_playbook

SUITE = Path(__file__).resolve().parents[3] / "tests/compliance"
INVENTORY = f"""
[relays]
down.test ansible_host=127.0.0.1 ansible_port=1 ansible_connection=ssh
here.test ansible_connection=ansible.builtin.local ansible_python_interpreter={sys.executable}
[relays:vars]
ansible_become=false
compliance_address=127.0.0.1
relay_listeners=[{{"port": 1}}]
compliance_probes=[]
compliance_dns={{"nameservers": ["127.0.0.1:1"], "timeout": 0.2}}
"""


def play(folder: Path, *options: str) -> str:
    return run_playbook(
        "-i", str(folder / "hosts"), "mailops.smtp.compliance", *options, cwd=folder, home=folder / "home"
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder with the reports of a run, and what the run printed."""
    folder = tmp_path_factory.mktemp("compliance")
    (folder / "hosts").write_text(INVENTORY)
    return folder, play(folder)


def test_every_host_is_in_the_report_and_one_that_is_down_is_an_error(first):
    folder, printed = first
    report = json.loads((folder / "compliance/report.json").read_text())
    hosts = {one["host"]: one for one in report["hosts"]}
    assert set(hosts) == {"down.test", "here.test"}
    assert "could not be asked" in hosts["down.test"]["problem"], printed
    states = {one["finding"]["status"] for one in hosts["down.test"]["results"] if "HOST" in one["finding"]["control"]}
    assert states <= {"error", "not_checked", "not_applicable"}
    assert report["verdict"]["exit_code"] in (1, 2)


def test_play_fails_last_and_says_where_the_report_is(first):
    folder, printed = first
    assert f"See {folder}/compliance/report.html." in printed
    assert "changed=0" in printed
    assert "changed=1" not in printed


def test_check_mode_judges_and_writes_nothing(first, tmp_path):
    folder, _printed = first
    printed = play(folder, "--check", "-e", f"compliance_directory={tmp_path}/new")
    assert "of severity high or above" in printed
    assert not (tmp_path / "new").exists()


def test_saved_evidence_is_judged_without_a_host(first, tmp_path):
    folder, _printed = first
    printed = play(folder, "-e", "compliance_evidence=compliance", "-e", f"compliance_directory={tmp_path}/again")
    assert "UNREACHABLE" not in printed
    assert "down.test" in (tmp_path / "again/report.md").read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mailops_relays": "nobody"}, "The inventory has no host nobody"),
        ({"compliance_evidence": "nothing"}, "nothing has no saved evidence"),
        ({"compliance_evidence": "x", "compliance_waivers": [{"control": "X"}]}, "missing required arguments"),
        ({"compliance_evidence": "compliance", "compliance_previous": "none.json"}, "none.json cannot be used"),
    ],
)
def test_mistake_is_told(first, options, told):
    folder, _printed = first
    assert told in play(folder, "-e", json.dumps(options))


def suite(folder: Path, *options: str) -> tuple[int, str, ET.Element]:
    """Run the suite, and return its exit status, what it printed, and its JUnit report."""
    result = folder / "junit-suite.xml"
    command = [sys.executable, "-m", "pytest", str(SUITE), f"--junitxml={result}", "-q", *options]
    command += ["-o", f"cache_dir={folder}/cache", "--hosts=ansible://relays", f"--ansible-inventory={folder}/hosts"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_HOME": str(folder / "home")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, ET.parse(result).getroot()  # noqa: S314  # our own file


def message_of(case: ET.Element, kind: str) -> str:
    """The message of a test that failed or was skipped."""
    found = case.find(kind)
    return "" if found is None else str(found.get("message"))


def test_suite_has_a_test_for_each_host_and_control_with_its_properties(first):
    folder, _printed = first
    status, printed, root = suite(folder, f"--compliance-report={folder}/compliance")
    assert status == 1, printed
    cases = {one.get("name"): one for one in root.iter("testcase")}
    case = cases["test_control[down.test-MR-HOST-01]"]
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties["control"] == "MR-HOST-01"
    assert (properties["severity"], properties["state"]) == ("high", "error")
    assert "CIS" in str(properties["sources"])
    assert "could not be decided" in message_of(case, "failure")


def test_witness_skips_what_it_cannot_see_with_the_reason(first):
    folder, _printed = first
    _status, printed, root = suite(folder, f"--compliance-report={folder}/compliance", "-k", "witness")
    cases = {one.get("name"): one for one in root.iter("testcase")}
    assert "Connection refused" in message_of(cases["test_ports_listen_as_declared[down.test]"], "skipped"), printed
    assert cases["test_ports_listen_as_declared[here.test]"].find("skipped") is None, printed


def test_run_in_which_nothing_was_decided_is_red(first):
    folder, _printed = first
    status, printed, _root = suite(folder, f"--compliance-report={folder}/compliance", "-k", "test_wrong_login")
    assert status == 1
    assert "Nothing was decided" in printed


def test_suite_without_a_report_says_so(first, tmp_path):
    folder, _printed = first
    command = [sys.executable, "-m", "pytest", str(SUITE), f"--compliance-report={tmp_path}", "-q"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "has no report that can be used" in done.stdout + done.stderr
