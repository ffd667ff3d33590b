# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The advice for a refusal: Microsoft's code before the one of the RFC, Google's meaning before the general one."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._sasl.token_refusals import TOKEN_REFUSALS, token_advice

ADVICE = [
    ("invalid_client", "AADSTS7000215: Invalid client secret provided.", False, "not to its ID"),
    ("invalid_client", "AADSTS7000222: The provided client secret keys are expired.", False, "has expired; make"),
    ("invalid_client", "AADSTS999: new", False, "check client_id"),
    ("invalid_grant", "AADSTS700082: The refresh token has expired.", False, "not used for 90 days"),
    ("unauthorized_client", "AADSTS700016: Application with identifier", False, "check client_id and tenant"),
    ("invalid_grant", "Invalid email or User ID", True, "check that username"),
    ("invalid_grant", "", False, "expired or was revoked"),
    ("unauthorized_client", "Client is unauthorized", True, "domain-wide delegation"),
    ("unauthorized_client", "", False, "change grant"),
    ("invalid_client", "", True, "check client_id"),
    ("odd", "see AADSTS7000222", False, ""),
    ("", "", False, ""),
]


@pytest.mark.parametrize(("error", "description", "service_account", "words"), ADVICE)
def test_refusal_has_the_advice_for_its_reason(error: str, description: str, service_account: bool, words: str) -> None:
    advice = token_advice(error, description, service_account)
    assert words in advice
    assert bool(words) == bool(advice)


def test_each_reason_can_be_reached() -> None:
    """No entry is hidden behind an earlier one."""
    keys = [(one.reason, one.service_account) for one in TOKEN_REFUSALS]
    assert len(set(keys)) == len(keys)
    for one in TOKEN_REFUSALS:
        description = f"{one.reason}: x" if one.reason.startswith("AADSTS") else ""
        assert token_advice("" if description else one.reason, description, one.service_account) == one.advice
