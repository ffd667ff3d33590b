# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps at a provider before it grants OAuth2 tokens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._providers.oauth_steps import OAUTH_STEPS
from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import PROVIDERS

PAGE = Path(__file__).resolve().parents[5] / "docs/providers.md"


def test_each_provider_of_tokens_has_its_steps() -> None:
    """A preset with OAuth2 leads to steps, and no steps are for an unknown provider."""
    assert set(OAUTH_STEPS) == {one.oauth for one in PROVIDERS.values() if one.oauth}


@pytest.mark.parametrize("name", OAUTH_STEPS)
def test_the_page_tells_them_in_order(name: str) -> None:
    """Each step is on the page, numbered."""
    page = re.sub(r"\s+", " ", PAGE.read_text())
    for way in OAUTH_STEPS[name]:
        expected = " ".join(f"{number}. {step}" for number, step in enumerate(way.steps, start=1))
        assert expected in page


@pytest.mark.parametrize("name", OAUTH_STEPS)
def test_the_options_exist(name: str) -> None:
    """The steps name options as modules have them."""
    known = {"tenant", "client_id", "client_secret", "refresh_token", "certificate", "private_key", "service_account"}
    for way in OAUTH_STEPS[name]:
        for option in way.options:
            assert set(re.findall(r"[a-z]+_[a-z_]+|tenant|certificate", option)) <= known
        assert way.sources
