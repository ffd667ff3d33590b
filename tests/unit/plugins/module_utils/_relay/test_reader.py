# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers: the forms in which values are accepted, and the text for each that is not valid."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import (
    firewall_rules,
    plan,
    problems_of,
    service,
    table,
    users,
)


def test_values_of_an_ini_inventory_are_accepted() -> None:
    made = plan(
        listeners=[{"port": "587", "login": "no", "from": "192.0.2.1,192.0.2.2"}],
        networks="192.0.2.0/24, 198.51.100.7",
        upstream={"host": "smtp.p.test", "port": "2525"},
    )
    assert made["main"]["mynetworks"].endswith("192.0.2.0/24 198.51.100.7/32")
    assert made["main"]["default_transport"].endswith(":[smtp.p.test]:2525")
    assert "smtpd_sasl_auth_enable" not in service(made, "587")
    assert [line for line in firewall_rules(made) if line.endswith("accept")] == [
        "tcp dport 587 ip saddr 192.0.2.1 accept",
        "tcp dport 587 ip saddr 192.0.2.2 accept",
    ]


def test_numbers_are_accepted_as_text() -> None:
    made = plan(
        listeners=[{"port": 587}],
        users=[{"name": 123, "password": 12345678}],
        upstream={"host": "smtp.p.test", "username": "u", "password": 4711},
    )
    assert users(made).startswith("123:{SCRAM-SHA-256}")
    assert table(made, "relay_login_to-smtp-p-test-587") == ["[smtp.p.test]:587 u:4711"]


BAD_VALUES = [
    ({"hostname": "relay"}, "relay_hostname: 'relay' is not a fully qualified name"),
    ({"domain": "a b.test"}, "relay_domain: "),
    ({"networks": ["0.0.0.0/0"]}, "relay_networks: 0.0.0.0/0 would let strangers"),
    ({"networks": ["::/0"]}, "relay_networks: ::/0 would let strangers"),
    ({"networks": ["10.0.0.0/7"]}, "none wider than /8"),
    ({"networks": ["192.0.2.1/24"]}, "relay_networks: 192.0.2.1/24 has host bits set"),
    ({"networks": ["fe80::%x]\nrelay_domains = static:all\nmail_name = [/64"]}, "relay_networks: "),
    ({"networks": ["lan"]}, "expected an address or a network"),
    ({"hostname": "192.0.2.10"}, "relay_hostname: '192.0.2.10' is not a fully qualified name"),
]


@pytest.mark.parametrize(("changes", "words"), BAD_VALUES)
def test_invalid_value_is_refused_with_a_reason(changes: dict[str, t.Any], words: str) -> None:
    problems = problems_of(**changes)
    assert any(words in problem for problem in problems), problems
