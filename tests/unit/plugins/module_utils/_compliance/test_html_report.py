# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML report: its numbers, its policy, its texts and its filters as far as they need no browser; covers
html_report.py, html_findings.py, html_parts.py, html_style.py and html_script.py. tests/reports has the browser.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.differences import differences
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.html_report import write
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.html_script import SCRIPT
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.html_style import STYLE
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import (
    Certificate,
    HostReport,
    State,
    counts,
)
from ansible_collections.mailops.smtp.tests.unit.support.reports import HOSTILE, each_state, fleet, report, result

PAGE = write(each_state())
ITEM = re.compile(r"<li class=(\w+)(?: data-severity=(\w+))?>(.*)")
DATA = re.compile(r'<script type="application/json">(.*?)</script>', re.DOTALL)


def one(pattern, page=PAGE):
    """The group of the only match."""
    (found,) = re.findall(pattern, page, flags=re.DOTALL)
    return found


def rest(page=PAGE):
    """The findings that the page has as data: host, state, text, and severity if it differs."""
    document = json.loads(DATA.findall(page)[0])
    rows = (row for found in document["rest"] for row in found)
    return [
        (document["hosts"][host], document["states"][state][0], document["texts"][text], *severity)
        for host, state, text, *severity in rows
    ]


def test_page_loads_nothing():
    assert not re.search(r"\b(?:src|srcset|action|formaction|style|on\w+)=", PAGE)
    assert not re.search(r"url\(|@import|https?:|fetch|innerHTML|insertAdjacentHTML|eval", PAGE)
    assert set(re.findall(r'href="(.)', PAGE)) == {"#"}


def test_policy_allows_its_own_style_and_script_only():
    policy = one(r'Content-Security-Policy" content="([^"]*)"')
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (STYLE, SCRIPT)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert f"<style>{STYLE}</style>" in PAGE
    assert f"<script>{SCRIPT}</script>" in PAGE


def test_numbers_are_those_of_the_report():
    numbers = counts(one for _host, one in each_state().all_results())
    tiles = re.findall(r'<li class="(\w+)"><a href="#findings" data-state="\1"><b>(\d+)</b>', PAGE)
    assert {State(name): int(number) for name, number in tiles} == numbers
    items = [*(match[1] for match in ITEM.finditer(PAGE)), *(row[1] for row in rest())]
    assert {state: items.count(state.value) for state in State} == numbers


def test_finding_tells_why_and_how_to_mend_it():
    article = one(r'(<article id="control-MR-TLS-02".*?</article>)')
    assert "<dt>Why it matters</dt><dd>TLS 1.0 and 1.1 are deprecated.</dd>" in article
    assert "<pre>relay_tls:\n  minimum: TLSv1.2</pre>" in article
    assert "smtpd_tls_protocols = &gt;=TLSv1.2" in article
    assert "PCI DSS (v4.0.1) 4.2.1" in article
    assert "The real result is fail." in article


def test_evidence_of_a_finding_is_shown():
    assert "<code>dns relay1.example.com reverse.192.0.2.25.names = []</code>" in PAGE
    assert "<td>evidence/relay1.dns.json</td>" in PAGE


def test_worst_control_is_first():
    articles = re.findall(r'<article id="control-([^"]*)"', PAGE)
    assert articles == ["MR-DNS-03", "MR-AUTH-01", "HOST", "MR-TLS-02", "MR-SMTP-03"]


def test_standards_are_filters():
    numbers = dict(re.findall(r'<option value="(\d)">([^<]*)</option>', PAGE))
    article = one(r'id="control-MR-DNS-03" data-standards="([^"]*)"')
    assert [numbers[one] for one in article.split()] == ["RFCs", "NIST SP 800-53"]


@pytest.mark.parametrize(
    ("results", "checked"),
    [
        ([result("pass"), result("fail")], ["fail", "error", "waived"]),
        ([result("pass"), result("not_applicable")], [state.value for state in State]),
    ],
)
def test_what_needs_attention_is_shown_first(results, checked):
    assert re.findall(r'name="state" value="(\w+)" checked', write(report(*results))) == checked


def test_severity_of_a_finding_is_told_if_it_differs_from_its_control():
    page = write(report(result("fail", severity="high"), result("fail", severity="low", subject="b")))
    assert [match.groups()[1:] for match in ITEM.finditer(page)] == [
        (None, "failed <bdi>relay1.example.com</bdi>: MR-DNS-03 comes to fail."),
        ("low", "failed, low, <bdi>relay1.example.com</bdi> b: MR-DNS-03 comes to fail."),
    ]


def test_grid_has_the_worst_state_of_each_control():
    row = one(r'<tr><th scope="row">relay1.example.com</th>((?:<td(?: class=\w+)?>)+)</tr>')
    assert re.findall(r"<td(?: class=(\w+))?>", row) == ["", "fail", "waived", "pass", "error"]


@pytest.mark.parametrize(("hosts", "is_open"), [(50, True), (51, False)])
def test_large_fleet_opens_with_the_grid_closed(hosts, is_open):
    page = write(fleet(hosts, 1))
    grid = one(r'<section id="grid">(.*?)</section>', page)
    assert ("<details open>" in grid, '<section id="findings" tabindex="-1">' in page) == (is_open, is_open)


def test_hostile_text_is_shown_as_it_is():
    page = write(report(result(message=HOSTILE, subject=HOSTILE), host=HOSTILE, title=HOSTILE))
    assert html.escape("<script>alert(1)</script>") in page
    assert page.count("<script") == 2
    assert page.count("</script") == 2


def test_what_needs_no_attention_is_data():
    message = "MR-DNS-03 comes to pass."
    page = write(report(result("pass"), result("pass", severity="low", subject="b"), result("fail")))
    assert rest(page) == [
        ("relay1.example.com", "pass", f": {message}"),
        ("relay1.example.com", "pass", f" b: {message}", "low"),
    ]


def test_each_text_is_in_the_data_once():
    page = write(report(hosts=tuple(HostReport(f"relay{n}", results=(result("pass", subject="x"),)) for n in range(9))))
    assert len(json.loads(DATA.findall(page)[0])["texts"]) == 1


def test_hostile_text_in_the_data_ends_no_element():
    page = write(report(result("pass", message="</script><!--<script>", subject="</script>")))
    assert rest(page)[0][2] == ": </script><!--<script>"
    assert page.count("</script") == 2


def test_worst_host_is_first():
    hosts = {"fine": ["pass"], "down": [], "bad": ["fail"], "worse": ["fail", "fail"]}
    page = write(report(hosts=tuple(HostReport(name, results=tuple(map(result, one))) for name, one in hosts.items())))
    assert re.findall(r"data-host>(\w+)<", page) == ["worse", "bad", "down", "fine"]


def test_profiles_are_told_once():
    hosts = (HostReport("a", "mx, null_client"), HostReport("b", "mx"), HostReport("c"))
    assert "Profiles: mx, null_client.</p>" in write(report(hosts=hosts))


@pytest.mark.parametrize(
    ("days", "width", "kind"), [(-2, 0, "fail"), (7, 8, "fail"), (8, 9, "error"), (31, 34, "pass"), (400, 100, "pass")]
)
def test_chart_of_certificates(days, width, kind):
    page = write(report(hosts=(HostReport("relay1", certificates=(Certificate("c", days),)),)))
    assert f'<svg class="bar {kind}"' in page
    assert f'<rect width="{width}"' in page
    assert f"</svg>{days}{' (expired)' if days < 0 else ''}</td>" in page


def test_certificates_of_a_host_with_the_same_days_share_a_row():
    page = write(report(hosts=(HostReport("relay1", certificates=(Certificate("a", 9), Certificate("b", 9))),)))
    assert '<tr><th scope="row">relay1</th><td>a, b</td>' in page


def test_long_chart_shows_its_first_rows():
    page = write(report(hosts=tuple(HostReport(f"h{n}", queue={"deferred": n}) for n in range(20))))
    assert "<summary>8 more</summary>" in page


def test_empty_queue_has_an_empty_bar():
    page = write(report(hosts=(HostReport("relay1", queue={"deferred": 0}),)))
    assert '<rect width="0"' in page


def test_changes_since_the_last_run():
    assert "Since the last run" not in PAGE
    page = write(each_state(), differences(report(result("pass", subject="192.0.2.25")), each_state()))
    assert (
        '<li class="fail"><a href="#control-MR-DNS-03">MR-DNS-03</a> on <bdi>relay1.example.com</bdi> '
        "<b>fails newly</b> (passed → failed)"
    ) in page
    assert "<p>Added: relay2.example.com.</p>" in page


def test_page_of_a_large_fleet_is_small():
    page = write(fleet(hosts=100, controls=64))
    assert len(page.encode()) < 1_500_000  # 15 MB for 1,000 hosts
