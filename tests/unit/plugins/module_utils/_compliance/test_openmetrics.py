# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenMetrics: names, labels and values."""

from __future__ import annotations

import re

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.openmetrics import write
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import Certificate, HostReport
from ansible_collections.mailops.smtp.tests.unit.support.reports import HOSTILE, WAIVER, each_state, report, result

#: A line of the text format.
LINE = re.compile(
    r'# (TYPE|HELP) \w+ .+|\w+(\{\w+="([^"\\\n]|\\["\\n])*"(,\w+="([^"\\\n]|\\["\\n])*")*\})? -?[0-9.]+|# EOF'
)


def samples(found):
    lines = [line for line in write(found).splitlines() if not line.startswith("#")]
    return dict(line.removeprefix("mailops_compliance_").rsplit(" ", 1) for line in lines)


def test_samples():
    found = samples(each_state())
    assert found["run_timestamp_seconds"] == "1795867200.0"
    assert found["exit_code"] == "1"
    assert found['findings{host="relay1.example.com",profile="submission_relay",state="fail"}'] == "1"
    assert found['findings{host="relay2.example.com",profile="",state="error"}'] == "1"
    assert found['certificate_days_left{host="relay1.example.com",certificate="old.example.com"}'] == "-2"
    assert found['queue_messages{host="relay1.example.com",state="deferred"}'] == "120"


@pytest.mark.parametrize(
    ("results", "value"),
    [
        ([result("pass")], "0"),
        ([result("fail")], "1"),
        ([result("pass"), result("fail", subject="b")], "1"),
        ([result("fail", waiver=WAIVER)], "0"),
        ([result("error")], None),
        ([result("error", waiver=WAIVER)], None),
        ([result("not_checked")], None),
        ([result("not_applicable")], None),
    ],
)
def test_failed_is_given_for_what_was_decided(results, value):
    found = samples(report(*results))
    assert found.get('failed{host="relay1.example.com",control="MR-DNS-03",severity="high"}') == value


@pytest.mark.parametrize("found", [each_state(), report(result(), host=HOSTILE), report(hosts=())])
def test_every_line_has_the_form(found):
    text = write(found)
    assert text.endswith("# EOF\n")
    for line in text.splitlines():
        assert LINE.fullmatch(line), line


def test_no_series_is_given_twice():
    hosts = tuple(
        HostReport(name, certificates=(Certificate("c", 9), Certificate("c", 5))) for name in ("a\x00", "a\x01")
    )
    names = [line.rsplit(" ", 1)[0] for line in write(report(hosts=hosts)).splitlines() if line[0] != "#"]
    assert len(names) == len(set(names))
    assert samples(report(hosts=hosts[:1]))['certificate_days_left{host="a\ufffd",certificate="c"}'] == "5"
