# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/controls.md says what the catalogue says."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CATALOGUE, CONTROLS
from ansible_collections.mailops.smtp.plugins.module_utils._controls.documents import STANDARDS
from ansible_collections.mailops.smtp.tests.setup import controls_page


def test_the_page_is_up_to_date():
    text = controls_page.PAGE.read_text(encoding="utf-8")
    assert text == controls_page.page(), f"docs/controls.md is stale; run {controls_page.COMMAND}"


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_the_page_has_each_control(control):
    page = controls_page.page()
    assert page.count(f"\n### {control.id}\n") == 1
    assert f"(#{control.id.lower()})" in page


def test_the_page_has_each_standard():
    page = controls_page.page()
    assert [name for key, name in STANDARDS.items() if key != "rfc" and f"\n### {name}\n" not in page] == []


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch):
    """Make the page of one changed row."""

    def make(**changes) -> str:
        control = dataclasses.replace(CATALOGUE["MR-RELAY-03"], **changes)
        monkeypatch.setattr(controls_page, "CONTROLS", (control,))
        return " ".join(controls_page.page().partition("## Standards")[0].split())

    return make


def test_row_with_everything(row):
    page = row(not_implemented="The evidence does not have it.")
    for part in [
        "- Sources: STIG RHEL 8 RHEL-08-040290, ",
        "- Evidence: `config` of `postfix_info`.",
        "- Fix: `relay_settings`, `relay_services[].options` of the role. By hand: End smtpd_relay_restrictions",
        "RHEL-09-252050",
        "- Conflict (waiver, relays): STIG RHEL 8 RHEL-08-040290, ",
        "- Not evaluated: The evidence does not have it.",
    ]:
        assert part in page


def test_row_without_role_variable(row):
    assert "- Fix: Do this." in row(variables=(), by_hand="Do this.")


def test_markup_in_a_text_stays_text(row):
    page = row(variables=(), by_hand="Publish <b> at _dmarc, *x* and https://example.com/a_b.")
    assert r"- Fix: Publish \<b> at \_dmarc, \*x* and <https://example.com/a_b>." in page
