# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners and users: what is refused, and the defaults of a port and a user."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    MX,
    plan,
    problems_of,
    table,
)


def test_postscreen_can_be_turned_off() -> None:
    made = plan(**{**MX, "listeners": [{"port": 25, "postscreen": False}]}, domains=[{"name": "a.test"}])
    assert "25 inet n - n - - smtpd" in [one["line"] for one in made["services"]]
    assert "postscreen_cache_map" not in made["main"]


def test_senders_are_written_as_postfix_looks_them_up() -> None:
    user = {"name": "a", "password": "x", "senders": [" ops@a.test", "<b@a.test>", "c@MÜNCHEN.de", "@münchen.de"]}
    assert table(plan(users=[user]), "relay_senders") == [
        "ops@a.test a",
        "b@a.test a",
        "c@xn--mnchen-3ya.de a",
        "@xn--mnchen-3ya.de a",
    ]


BAD_LISTENERS = [
    ({"listeners": [{"port": 0}]}, "relay_listeners[0].port: 0 is not valid; expected a whole number from 1 to"),
    ({"listeners": [{"port": 587, "tls": "none"}]}, "could travel in cleartext"),
    ({"listeners": [{"port": 25, "from": ["x"]}]}, "relay_listeners[0].from: "),
    ({"listeners": [{"port": 25, "from": []}]}, "relay_listeners[0].from: an empty list lets no client connect"),
    ({"listeners": [{"port": 587, "postscreen": True}]}, "screens other mail servers, not users"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_LISTENERS)
def test_invalid_listener_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems


BAD_USERS = [
    ({"users": [{"name": "a"}]}, "relay_users[0] (a): has neither or both of password and password_hash"),
    ({"users": [{"name": "a", "password": ""}]}, "has neither or both of password and password_hash"),
    ({"users": [{"name": "a", "password": "x", "password_hash": "{X}y"}]}, "has neither or both of password"),
    ({"users": [{"name": "a", "password_hash": "plain"}]}, "no scheme fit for passwords"),
    ({"users": [{"name": "a:b", "password": "x"}]}, "is not a valid user name; expected up to 128 lower-case letters"),
    ({"users": [{"name": "a", "password": "x", "senders": ["b"]}]}, "'b' is not a valid address"),
    ({"users": [{"name": "App", "password": "x"}]}, "is not a valid user name; expected up to 128 lower-case letters"),
    ({"users": [{"name": "a", "password_hash": "{PLAIN}x"}]}, "no scheme fit for passwords"),
    ({"users": [{"name": "a", "password": "x", "senders": ["#x@a.test"]}]}, "'#x@a.test' is not a valid address"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_USERS)
def test_invalid_user_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems
