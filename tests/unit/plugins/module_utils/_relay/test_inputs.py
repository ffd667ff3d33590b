# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables as a whole: what only a combination of them makes wrong."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import problems_of

BAD_COMBINATIONS = [
    ({"listeners": [{"port": 25, "from": ["192.0.2.1"]}], "firewall": {"backend": "none"}}, "from needs a firewall"),
    (
        {"listeners": [{"port": 25}, {"port": 2222}], "ssh_port": 2222},
        "port 2222 carries Ansible's connection to the host",
    ),
    ({"listeners": [{"port": 25}, {"port": 25}]}, "port 25 is listed more than once"),
    ({"listeners": [{"port": 587}]}, "relay_users: a listener requires a login, and there are no users"),
    ({"users": [{"name": "a", "password": "x"}, {"name": "a", "password": "y"}]}, "a is listed more than once"),
    ({"upstream": {}}, "relay_upstream: a host without listeners"),
    ({"tls": {"key": "k"}}, "relay_tls: has only one of certificate and key; expected both"),
    (
        {"listeners": [{"port": 25, "tls": "starttls"}], "verify": {"to": "a@b.test"}},
        "relay_verify: the message is sent to port 25 of the host itself",
    ),
    ({"verify": {"to": "not an address"}}, "relay_verify.to: 'not an address' is not a valid address"),
    (
        {"routes": [{"recipients": ["b.test", "B.test"], "direct": True}]},
        "relay_routes: b.test is listed more than once",
    ),
    ({"networks": ["192.0.2.0/24"], "listeners": []}, "relay_networks: no listener accepts mail without a login"),
    ({"domains": [{"name": "b.test"}]}, "relay_domains: other mail servers deliver to port 25"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_COMBINATIONS)
def test_invalid_combination_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems


def test_invalid_host_name_is_one_problem() -> None:
    """The default of relay_domain is made from the host name."""
    assert len(problems_of(hostname="relay", domain="relay")) == 1
    assert len(problems_of(hostname="relay.bücher.test", domain="bücher.test")) == 1
    assert len(problems_of(hostname="relay", domain="a b.test")) == 2


def test_all_problems_are_reported_at_once_without_secrets() -> None:
    users = [{"name": "a b", "password": "hunter2"}, {"name": "c", "password": "hunter2", "password_hash": "hunter2"}]
    problems = problems_of(hostname="x", networks=["0.0.0.0/0"], users=users)
    assert len(problems) >= 4
    assert "hunter2" not in " ".join(problems)
