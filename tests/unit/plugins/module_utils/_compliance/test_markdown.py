# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown: what is told, and that texts of servers stay texts."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.differences import differences
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.markdown import MAX_LENGTH, escape, write
from ansible_collections.mailops.smtp.tests.unit.support.reports import each_state, fleet, report, result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text.", "plain text."),
        ("a *b* _c_ `d`", r"a \*b\* \_c\_ \`d\`"),
        ("[x](javascript:1)", r"\[x\]\(javascript:1\)"),
        ("![x](y)", r"\!\[x\]\(y\)"),
        ("<img src=x>", r"&lt;img src\=x&gt;"),
        ("a | b", r"a \| b"),
        ("a\n# b", r"a \# b"),
        ("&lt;", "&amp;lt;"),
        ("$x$", r"\$x\$"),
        ("@root", "@\u2060root"),
        ("ask #12", "ask \\#\u206012"),
        ("postmaster@example.com", "postmaster@example.com"),
        ("https://example.com", "https:\u2060//example.com"),
        ("www.example.com", "www.\u2060example.com"),
    ],
)
def test_escape(text, expected):
    assert escape(text) == expected


def test_report():
    before = report(result("pass", subject="192.0.2.25"))
    text = write(each_state(), differences(before, each_state())).replace("\\", "")
    assert text.startswith("## Mail relays\n\n**Failed.** 1 finding of severity high or above failed.\n")
    assert "### Since the last run" in text
    assert "- MR-DNS-03 on relay1.example.com fails newly" in text
    assert "\n| relay1.example.com | submission_relay | 1 | 1 | 1 | 1 | 1 | 1 |\n" in text
    assert "### Failed (1)\n\n- **MR-DNS-03** Each egress address has" in text
    assert "The real result is fail." in text


@pytest.mark.parametrize(
    ("results", "word"), [(["pass"], "Fine"), (["fail"], "Failed"), (["error"], "Not decided"), ([], "Not decided")]
)
def test_verdict_is_the_first_word(results, word):
    assert f"\n**{word}.**" in write(report(*map(result, results)))


def test_text_of_a_large_fleet_fits_a_comment():
    text = write(fleet(hosts=200, controls=20))
    assert len(text) <= MAX_LENGTH + 100
    assert "All 200 hosts (150 more need attention)" in text
    assert text.endswith("The rest is left out here: the JSON and HTML reports have it.\n")


def test_long_reply_does_not_push_out_the_rest():
    text = write(report(result(message="x " * 100_000), result("fail", "MR-TLS-02")))
    assert len(text) < 5000
    assert "MR\\-TLS\\-02" in text
