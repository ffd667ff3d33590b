# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bans: what fail2ban is told, and what is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import LOGINS, plan, problems_of

BACKEND = {"backend": "fail2ban"}
DEFAULTS = {"ports": [465, 587], "failures": 5, "within": "10m", "duration": "1h", "except": []}
BANS: list[tuple[dict[str, t.Any], dict[str, t.Any]]] = [
    ({}, {}),
    ({"backend": "none"}, {}),
    (BACKEND, DEFAULTS),
    ({**BACKEND, "failures": "3", "within": "1h"}, {**DEFAULTS, "failures": 3, "within": "1h"}),
    (
        {**BACKEND, "duration": "1d", "except": ["192.0.2.1", "2001:db8::/32"]},
        {**DEFAULTS, "duration": "1d", "except": ["192.0.2.1/32", "2001:db8::/32"]},
    ),
]


@pytest.mark.parametrize(("given", "expected"), BANS)
def test_bans_apply_to_listeners_with_a_login(given: dict[str, t.Any], expected: dict[str, t.Any]) -> None:
    assert plan(**LOGINS, bans=given)["bans"] == expected


BAD_BANS: list[tuple[dict[str, t.Any], str]] = [
    ({"bans": {"failures": 3}}, "relay_bans.failures: has no effect without a backend; expected backend: fail2ban"),
    ({"bans": {"backend": "none", "except": []}}, "relay_bans.except: has no effect without a backend"),
    ({"bans": {**BACKEND, "failures": 0}}, "relay_bans.failures: 0 is not valid; expected a whole number from 1"),
    ({"bans": {**BACKEND, "within": 600}}, "relay_bans.within: 600 is not a valid time; expected a number with s"),
    ({"bans": {**BACKEND, "duration": "0"}}, "relay_bans.duration: '0' is not a valid time; expected more than 0"),
    ({"bans": {**BACKEND, "duration": "0h"}}, "relay_bans.duration: '0h' is not a valid time; expected more than 0"),
    ({"bans": {**BACKEND, "except": ["office"]}}, "relay_bans.except: 'office' does not appear to be"),
    ({"bans": BACKEND, "listeners": [{"port": 25}]}, "relay_bans: no listener has a login; expected one"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_BANS)
def test_invalid_ban_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**{**LOGINS, **changes})
    assert any(words in problem for problem in problems), problems


def test_limits_for_clients_bind_allowed_networks_where_a_login_is_required() -> None:
    made = plan(**LOGINS)
    exempt = {
        one["line"].split()[0]: one["options"].get("smtpd_client_event_limit_exceptions") for one in made["services"]
    }
    assert (exempt["25"], exempt["465"], exempt["587"]) == (None, "", "")
