# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every format of a report keeps to: formats.py, texts.py, and the writers together."""

from __future__ import annotations

import html.parser
import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.differences import differences
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.formats import FORMATS
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.texts import clean, one_line
from ansible_collections.mailops.smtp.tests.unit.support.reports import ANY_REPORT, HOSTILE, each_state, report, result

#: What neither a terminal nor XML 1.0 may get. JSON has it in escaped form.
HARMFUL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def check_json(text):
    json.loads(text)
    assert text.isascii()


def check_html(text):
    parser = Tags()
    parser.feed(text)
    parser.close()
    assert parser.scripts == 2
    assert parser.forbidden == []


class Tags(html.parser.HTMLParser):
    """Finds elements and attributes that the page does not have, so that a text must have made them."""

    KNOWN = re.compile(
        "a|article|b|bdi|body|br|button|code|col|colgroup|[dt][dhtr]|details|div|dl|fieldset|form|h[1-3]|head|header|html|i|input|label|"
        "legend|li|main|meta|nav|option|output|p|pre|rect|script|section|select|small|span|style|summary|svg|table|tbody|thead|time|"
        "title|ul"
    )

    def __init__(self):
        super().__init__()
        self.scripts, self.forbidden = 0, []

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        if not self.KNOWN.fullmatch(tag) or any(
            name.startswith("on") or name in ("src", "style") for name, _value in attrs
        ):
            self.forbidden.append((tag, attrs))
        if tag == "a" and not dict(attrs)["href"].startswith("#"):
            self.forbidden.append((tag, attrs))


def check_lines(text):
    assert text.endswith("\n")


CHECKS = {
    "json": check_json,
    "sarif": check_json,
    "hdf": check_json,
    "junit": ET.fromstring,
    "html": check_html,
    "markdown": check_lines,
    "text": check_lines,
    "openmetrics": check_lines,
}


def test_every_format_has_its_check():
    assert set(CHECKS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
@given(found=ANY_REPORT)
@settings(max_examples=40)
def test_any_text_in_any_field_is_well_formed(name, found):
    text = FORMATS[name].write(found, differences(report(result("pass")), found))
    assert not HARMFUL.search(text)
    text.encode()
    CHECKS[name](text)


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_banner_stays_a_text(name):
    banner = result(message=HOSTILE, remedy=HOSTILE, subject=HOSTILE)
    text = FORMATS[name].write(report(banner, host=HOSTILE, title=HOSTILE), None)
    CHECKS[name](text)
    assert "\x1b" not in text
    if name in ("html", "junit", "markdown"):
        assert "<script>alert" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_same_report_gives_the_same_text(name):
    write = FORMATS[name].write
    assert write(each_state(), None) == write(each_state(), None)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"openmetrics"}))
def test_every_format_tells_what_failed_and_which_host_is_down(name):
    text = FORMATS[name].write(each_state(), None).replace("\\", "")
    assert "192.0.2.25 has no PTR record." in text
    assert "relay2.example.com could not be reached: no route to host." in text
    assert "mail team" in text


@pytest.mark.parametrize("name", FORMATS)
def test_report_without_hosts_is_written(name):
    CHECKS[name](FORMATS[name].write(report(hosts=()), None))


def test_files_have_names_of_their_own():
    assert len({one.file for one in FORMATS.values()}) == len(FORMATS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("220 ESMTP", "220 ESMTP"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\x00\x7f\x9b", "\ufffd" * 3),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("\ud800", "\ufffd"),
        ("\uffff", "\ufffd"),
        ("Grüße 😀", "Grüße 😀"),
    ],
)
def test_clean(text, expected):
    assert clean(text) == expected


def test_one_line():
    assert one_line(" a\r\n b\u2028c\t") == "a b\ufffdc"
