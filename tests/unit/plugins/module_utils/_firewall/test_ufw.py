# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ufw is given, what is read back and what has to change; real firewalls are in the lab."""

from __future__ import annotations

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import ufw
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.host import FirewallError
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.rules import PortRule
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.ufw import UfwRule
from ansible_collections.mailops.smtp.tests.unit.support.firewall_rules import MADE, NAMES

BACKEND = ufw.Ufw()


def written(rules: list[PortRule]) -> list[str]:
    return BACKEND.write(rules, "Ansible managed")[ufw.RULES_FILE].splitlines()


@pytest.mark.parametrize("rules", MADE, ids=NAMES)
def test_what_is_written_is_what_is_read(rules: list[PortRule]) -> None:
    assert ufw.read_rules(written(rules)) == [
        UfwRule("allow" if rule.accept else "reject", rule.address or "any", f"{rule.port},{rule.port}")
        for rule in rules
    ]


@pytest.mark.parametrize("rules", MADE, ids=NAMES)
def test_what_ufw_keeps_of_it_is_what_is_read(rules: list[PortRule]) -> None:
    comment = ufw.COMMENT.encode().hex()
    for every, version in (("0.0.0.0/0", 4), ("::/0", 6)):
        own = [rule for rule in rules if not rule.source or rule.source.version == version]
        kept = [
            f"### tuple ### {'allow' if rule.accept else 'reject'} tcp {rule.port},{rule.port} {every} any"
            f" {rule.address or every} in comment={comment}"
            for rule in own
        ]
        assert ufw.read_live_rules(kept, every) == list(map(UfwRule.of, own))


def test_the_file_tells_what_it_is() -> None:
    lines = written([PortRule(25, True)])
    assert lines[:3] == ["#", "# Ansible managed", "#"]
    assert [line for line in lines if not line.startswith("#")] == ["allow proto tcp from any to any port 25,25"]


def test_a_line_that_is_not_a_rule_is_named() -> None:
    with pytest.raises(FirewallError, match=r"/etc/ufw/relay\.rules, line 2: 'allow 25' is not a rule of the role"):
        ufw.read_rules(["# comment", "allow 25"])


ALLOW = UfwRule("allow", "any", "465,465")
HERE = UfwRule("allow", "192.0.2.7", "465,465")
THERE = UfwRule("allow", "2001:db8::7", "465,465")
REJECT = UfwRule("reject", "any", "465,465")
Rules = list[UfwRule]

#: Name, wanted, live over IPv4 and over IPv6, to delete, to put on top.
UFW: list[tuple[str, Rules, Rules, Rules, Rules, Rules]] = [
    ("nothing yet", [HERE, REJECT], [], [], [], [HERE, REJECT]),
    ("as it shall be", [HERE, THERE, REJECT], [HERE, REJECT], [THERE, REJECT], [], []),
    ("a new source leaves the others alone", [HERE, THERE, REJECT], [HERE, REJECT], [REJECT], [], [THERE]),
    ("a source goes", [HERE, REJECT], [HERE, REJECT], [THERE, REJECT], [THERE], []),
    ("opened to all", [ALLOW], [HERE, REJECT], [REJECT], [HERE, REJECT], [ALLOW]),
    ("kept for one again", [HERE, REJECT], [ALLOW], [ALLOW], [ALLOW], [HERE, REJECT]),
    ("all is refused before one is let in", [HERE, REJECT], [REJECT, HERE], [REJECT], [HERE, REJECT], [HERE, REJECT]),
    ("lost in one family", [ALLOW], [ALLOW], [], [], [ALLOW]),
    ("gone", [], [HERE, REJECT], [REJECT], [HERE, REJECT], []),
]


@pytest.mark.parametrize(
    ("wanted", "over_4", "over_6", "stale", "missing"), [row[1:] for row in UFW], ids=[row[0] for row in UFW]
)
def test_ufw_rules_that_differ(wanted: Rules, over_4: Rules, over_6: Rules, stale: Rules, missing: Rules) -> None:
    live = {"0.0.0.0/0": over_4, "::/0": over_6}
    assert ufw.compare_rules(wanted, live) == (sorted(stale), missing)


def test_ufw_rules_of_others_are_not_seen() -> None:
    comment = ufw.COMMENT.encode().hex()
    lines = [
        "### tuple ### allow tcp 25,25 0.0.0.0/0 any 0.0.0.0/0 in comment=" + comment,
        "### tuple ### allow tcp 465,465 0.0.0.0/0 any 192.0.2.7 in comment=" + comment,
        "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in",
        "### tuple ### allow tcp 587 0.0.0.0/0 any 0.0.0.0/0 in comment=6d696e65",
        "-A ufw-user-input -p tcp --dport 22 -j ACCEPT",
    ]
    all_clients = UfwRule("allow", "any", "25,25")
    assert ufw.read_live_rules(lines, "0.0.0.0/0") == [all_clients, HERE]
