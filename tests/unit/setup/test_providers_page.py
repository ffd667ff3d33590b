# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/providers.md agrees with the presets."""

from __future__ import annotations

import re

from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import PROVIDERS
from ansible_collections.mailops.smtp.tests.setup import providers_page


def test_page_is_up_to_date():
    written = providers_page.PAGE.read_text(encoding="utf-8")
    assert written == providers_page.page(), f"docs/providers.md is stale; run {providers_page.COMMAND}"


def test_page_has_a_label_for_every_fact():
    facts = {fact for provider in PROVIDERS.values() for fact in provider.facts()}
    assert facts - set(providers_page.LABELS) == set()


def test_page_names_every_source():
    page = providers_page.page()
    urls = {citation.url for provider in PROVIDERS.values() for citation in provider.citations}
    assert [url for url in sorted(urls) if f"<{url}>" not in page] == []


def test_page_marks_sources_of_third_parties():
    page = providers_page.page()
    third_party = {citation.url for one in PROVIDERS.values() for citation in one.citations if citation.secondary}
    citations = re.findall(r"^\d+\. \d{4}-\d{2}(, secondary)?: <(https://[^>]+)>$", page, flags=re.MULTILINE)
    assert {url for secondary, url in citations if secondary} == third_party
    assert "- Password: authorisation code (授权码) [1?]" in page
    assert "- Host: `smtp.office365.com` [1]" in page
