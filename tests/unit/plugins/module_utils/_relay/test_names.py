# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the host: what becomes of addresses at them."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._relay.names import host_names
from ansible_collections.mailops.smtp.tests.unit.support.relay_plans import plan, problems_of, table

#: Names without meaning elsewhere, for the host relay.a.test, which the inventory calls "prod-1".
LOCAL = [
    *("localhost", "localhost.localdomain", "localhost.a.test", "relay", "prod-1"),
    *("localhost6", "localhost6.localdomain6", "ip6-localhost", "[127.0.0.1]", "[ipv6:::1]"),
]


@pytest.mark.parametrize("name", LOCAL)
def test_local_name_means_the_host(name: str) -> None:
    made = plan(names=["Prod-1"])
    assert f"@{name} @relay.a.test" in table(made, "relay_recipient_canonical")
    assert f"@{name} @a.test" in table(made, "relay_canonical")
    assert made["main"]["recipient_canonical_maps"] == "texthash:/etc/postfix/relay_recipient_canonical"


@pytest.mark.parametrize("name", LOCAL)
def test_rewriting_of_an_address_applies_under_each_name(name: str) -> None:
    rewrites = {
        "sender_canonical": {"root@a.test": "ops@b.test", "@a.test": "login@p.test"},
        "recipient_canonical": {"old@relay.a.test": "new@b.test"},
        "canonical": {"@a.test": "@c.test"},
    }
    made = plan(names=["prod-1"], rewrites=rewrites)
    assert f"root@{name} ops@b.test" in table(made, "relay_sender_canonical")
    assert f"@{name} login@p.test" in table(made, "relay_sender_canonical")
    assert f"old@{name} new@b.test" in table(made, "relay_recipient_canonical")
    assert f"@{name} @relay.a.test" in table(made, "relay_recipient_canonical")
    assert f"@{name} @c.test" in table(made, "relay_canonical")


def test_explicit_entry_for_a_local_name_takes_precedence() -> None:
    made = plan(
        rewrites={"canonical": {"@localhost.localdomain": "x@b.test"}, "virtual": {"Web@Localhost": "y@b.test"}}
    )
    lines = table(made, "relay_canonical")
    assert [line for line in lines if line.startswith("@localhost.localdomain ")] == ["@localhost.localdomain x@b.test"]
    assert "web@relay.a.test y@b.test" in table(made, "relay_aliases")


def test_alias_may_lead_to_a_local_name() -> None:
    made = plan(aliases={"root": "ops@b.test", "cron": "root@localhost"})
    assert "cron root@relay.a.test" in table(made, "relay_aliases")
    assert any(
        "is a loop" in problem
        for problem in problems_of(aliases={"a": "b@localhost", "b": "a@relay", "root": "c@b.test"})
    )


@pytest.mark.parametrize(
    "name", ["a.test", "relay.a.test", "b.test", "192.0.2.1", "2001:db8::1", "two words", "-x", ""]
)
def test_name_that_is_not_only_local_is_left_alone(name: str) -> None:
    """Neither a mail domain, which is more than this host, nor an address of the inventory."""
    assert name not in host_names("relay.a.test", "a.test", [name], ["b.test"]).local
