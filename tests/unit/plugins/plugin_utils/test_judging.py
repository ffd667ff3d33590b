# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging many hosts and writing reports, and the offline command tests/compliance/judge.py."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
import time
from concurrent.futures.process import BrokenProcessPool

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import Declared
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.collected import Collected, Head
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import UNJUDGED
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import moment
from ansible_collections.mailops.smtp.plugins.plugin_utils import _judging
from ansible_collections.mailops.smtp.tests.compliance import judge
from ansible_collections.mailops.smtp.tests.unit.support import cases

WAIVER = {"control": "MR-HOST-05", "owner": "ops", "reason": "old", "expires": "2999-12-31", "host": "*"}
GOOD = Collected(Head("good", declared=Declared()), (cases.host(), cases.DNS, cases.smtp()))
DOWN = Collected(Head("down", problems=("It is down.",)))


def run(hosts=(GOOD, DOWN), broken=None, **options):
    given = _judging.Options(**options)
    source = _judging.Fresh(hosts, dict(broken or {}), given.directory)
    return _judging.write_reports(_judging.judge_all(source, given), given)


@pytest.fixture
def saved(tmp_path):
    _judging.save_evidence([GOOD, DOWN], tmp_path)
    return tmp_path


def test_files_are_private_and_the_report_to_compare_with_is_last(tmp_path):
    found = run(directory=tmp_path / "new", formats=("html", "junit"))
    assert [one.name for one in found.files] == ["report.html", "junit.xml", "report.json"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in found.files} == {0o600}
    assert not list((tmp_path / "new").glob(".*"))


def test_second_run_is_compared_with_the_first(tmp_path):
    assert run(directory=tmp_path).since is None
    assert run(hosts=[GOOD], directory=tmp_path).since.hosts_removed == ("down",)


def test_last_report_that_is_broken_is_replaced(tmp_path):
    (tmp_path / "report.json").write_text("{")
    assert run(directory=tmp_path).since is None
    assert run(directory=tmp_path).since is not None


def test_host_that_is_missing_is_an_error():
    found = run(hosts=[GOOD], broken={"lost": "The play failed on it."})
    assert [result.finding.control for result in found.report.hosts[1].judged] == [UNJUDGED]


PROBLEM = "A port could not be asked: relay:587 from probe.outside: unreachable"


@pytest.mark.parametrize(
    ("unseen", "problems", "is_error"),
    [
        ({}, (), False),
        ({}, (PROBLEM,), True),
        ({"smtp": "unreachable"}, (PROBLEM,), False),
        ({"dns": "no dnspython"}, ("The DNS could not be asked: no dnspython", PROBLEM), True),
    ],
)
def test_a_vantage_that_could_not_ask_is_an_error_although_others_did(unseen, problems, is_error):
    head = dataclasses.replace(GOOD.head, unseen=unseen, problems=problems)
    (host,) = run(hosts=[dataclasses.replace(GOOD, head=head)], fail_on="high").report.hosts
    found = [one for one in host.judged if one.finding.control == UNJUDGED]
    assert bool(found) is is_error
    assert all((one.state.value, one.finding.severity.value) == ("error", "high") for one in found)
    assert all("probe.outside: unreachable." in one.finding.message for one in found)


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)
MISTAKES = [
    ({"fail_on": "severe"}, "compliance_fail_on: 'severe'"),
    ({"formats": ("pdf",)}, "compliance_formats: 'pdf'"),
    ({"waivers": [{**WAIVER, "control": "MR-HOST-5"}]}, "unknown control 'MR-HOST-5'"),
    ({"waivers": {"a": 1}}, "compliance_waivers: expected a list"),
    ({"waivers": CIRCLE}, "compliance_waivers: nested too deeply"),
    ({"hosts": ()}, "no host to judge"),
]


@pytest.mark.parametrize(("options", "told"), MISTAKES)
def test_mistake(options, told):
    with pytest.raises(_judging.UsageError, match=told):
        run(**options)


def test_report_to_compare_with_that_is_named_must_be_usable(tmp_path):
    with pytest.raises(_judging.UsageError, match="compliance_previous"):
        run(previous=tmp_path / "none.json")


def test_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(_judging.UsageError, match="compliance_directory: .* cannot be written"):
        run(directory=tmp_path / "file")


def test_saved_evidence_is_judged_as_it_was(saved):
    given = _judging.Options()
    again = _judging.judge_all(_judging.Saved(saved), given)
    fresh = _judging.judge_all(_judging.Fresh([GOOD, DOWN], {}, saved), given)
    assert [one.results for one in again.report.hosts] == [one.results for one in fresh.report.hosts]


def test_saved_evidence_that_is_broken_is_an_error_of_its_host(saved):
    (saved / "evidence/good.json").write_text('{"host": "good", "evidence": 1}')
    found = _judging.judge_all(_judging.Saved(saved), _judging.Options())
    assert "good.json cannot be used" in found.report.hosts[1].problem


DAY = 24 * 3600
UNFIT = [
    ({"seconds": -2 * DAY}, {"max_age": 24}, "more than 24 hours ago; collect it again"),
    ({"seconds": 2 * DAY}, {}, "which is in the future; set the clocks"),
    ({"name": "good copy"}, {}, "good is in good copy.json as well; remove one of them"),
    ({"seconds": -2 * DAY}, {"max_age": 49}, ""),
    ({"seconds": -2 * DAY}, {}, ""),
]


@pytest.mark.parametrize(("change", "options", "told"), UNFIT)
def test_saved_evidence_that_is_not_of_this_run(tmp_path, change, options, told):
    when = moment(time.time() + change.get("seconds", 0))
    collected = dataclasses.replace(
        GOOD, evidence=tuple(dataclasses.replace(one, seen_at=when) for one in GOOD.evidence)
    )
    _judging.save_evidence([collected], tmp_path)
    if "name" in change:
        shutil.copy(tmp_path / "evidence/good.json", tmp_path / f"evidence/{change['name']}.json")
    found = _judging.judge_all(_judging.Saved(tmp_path, **options), _judging.Options())
    problems = " ".join(one.problem for one in found.report.hosts)
    assert told in problems
    assert bool(told) == bool(problems)


def test_names_of_hosts_that_differ_in_a_slash_have_a_file_each(tmp_path):
    hosts = [dataclasses.replace(GOOD, head=Head(name)) for name in ("a/b", "a_b", "a%2Fb", "..")]
    _judging.save_evidence(hosts, tmp_path)
    found = _judging.judge_all(_judging.Saved(tmp_path), _judging.Options())
    assert {one.host for one in found.report.hosts} == {one.head.host for one in hosts}


def test_a_key_that_two_hosts_have_is_known_online_and_offline(tmp_path):
    both = [GOOD, dataclasses.replace(GOOD, head=Head("twin"))]
    _judging.save_evidence(both, tmp_path)
    fresh = _judging.judge_all(_judging.Fresh(both, {}, tmp_path), _judging.Options()).report.hosts
    assert fresh == _judging.judge_all(_judging.Saved(tmp_path), _judging.Options()).report.hosts
    told = {(one.finding.control, one.finding.status.value) for one in fresh[0].judged if "twin" in one.finding.message}
    assert told == {("MR-DKIM-05", "fail")}


def test_many_hosts_are_judged_by_several_processes_as_by_one(tmp_path, capsys, monkeypatch):
    hosts = [dataclasses.replace(GOOD, head=Head(f"relay{number}")) for number in range(40)]
    _judging.save_evidence(hosts, tmp_path)
    (tmp_path / "evidence/relay7.json").write_text("{")
    reports = []
    for processors in (1, 2):
        monkeypatch.setattr(os, "cpu_count", lambda: processors)  # noqa: B023 - called before the next
        assert judge.main([str(tmp_path)]) == 2
        reports.append(capsys.readouterr().out)
    assert reports[0] == reports[1]
    assert "relay7.json cannot be used" in reports[0]
    assert "relay1, relay10, relay11 and 35 more have the key /etc/dkimkeys/s1.private too." in reports[0]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 2),
        (["--fail-on", "medium"], 1),
        (["--fail-on", "critical"], 2),
        (["--fail-on", "never"], 0),
        (["--fail-on", "often"], 3),
        (["--waivers", "none.yml"], 3),
        (["--previous", "none.json"], 3),
        (["--format", "pdf"], 3),
    ],
)
def test_exit_status_of_the_command(saved, capsys, arguments, status):
    try:
        assert judge.main([str(saved), *arguments]) == status
    except SystemExit as left:
        assert left.code == status  # noqa: PT017  # argparse leaves by itself
    printed = capsys.readouterr()
    assert printed.out if status < 3 else printed.err


def test_process_that_was_ended_leaves_nothing_decided(saved, capsys, monkeypatch):
    def ended(*_given):
        raise BrokenProcessPool

    monkeypatch.setattr(_judging, "judge_all", ended)
    assert judge.main([str(saved)]) == 2
    assert "Nothing was decided." in capsys.readouterr().err


def test_command_without_evidence(tmp_path, capsys):
    assert judge.main([str(tmp_path)]) == 3
    assert "no saved evidence" in capsys.readouterr().err


def test_command_reads_waivers_as_a_vars_file_has_them(saved, tmp_path, capsys):
    path = tmp_path / "waivers.yml"
    path.write_text(json.dumps({"compliance_waivers": [WAIVER]}))
    judge.main([str(saved), "--waivers", str(path), "--directory", str(tmp_path / "out")])
    assert "MR-HOST-05" in (tmp_path / "out/report.json").read_text()
    assert "MR-HOST-05" in capsys.readouterr().out


def test_version_is_that_of_the_collection():
    assert _judging.version() == "0.1.0"
