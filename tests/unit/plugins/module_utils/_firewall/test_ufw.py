# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ufw is given, what is read back and what has to change; real firewalls are in the lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

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


FOUR = """\
*filter
:INPUT DROP [0:0]
-A INPUT -j ufw-before-logging-input
-A INPUT -j ufw-before-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -j ufw-user-input
-A ufw-user-input -s 198.51.100.0/24 -p tcp -m multiport --dports 465,465 -j ACCEPT
-A ufw-user-input -s 192.0.2.7/32 -p tcp -m multiport --dports 465,465 -j ACCEPT
-A ufw-user-input -p tcp -m multiport --dports 465,465 -j REJECT --reject-with tcp-reset
-A ufw-user-input -p tcp -m multiport --dports 465,587 -j ACCEPT
-A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
SIX = (
    FOUR.replace("ufw-", "ufw6-")
    .replace("198.51.100.0/24", "2001:db8:1::/48")
    .replace("192.0.2.7/32", "2001:db8::7/128")
)
FOUND = [UfwRule("allow", "198.51.100.0/24", "465,465"), HERE, REJECT]

#: Name, what iptables-save prints, the role's rules in it.
KERNEL: list[tuple[str, str, Rules]] = [
    ("IPv4", FOUR, FOUND),
    ("IPv6", SIX, [UfwRule("allow", "2001:db8:1::/48", "465,465"), THERE, REJECT]),
    ("nothing", "", []),
    ("the chain is empty", "\n".join(line for line in FOUR.splitlines() if "-user-input -" not in line), []),
    ("no packet comes to it", FOUR.replace("-A INPUT -j ufw-before-input\n", ""), []),
    ("none comes further", FOUR.replace("-A ufw-before-input -j ufw-user-input\n", ""), []),
    ("one is gone", FOUR.replace("-A ufw-user-input -s 192.0.2.7/32", "-A other -s 192.0.2.7/32"), [FOUND[0], REJECT]),
]


@pytest.mark.parametrize(("saved", "expected"), [row[1:] for row in KERNEL], ids=[row[0] for row in KERNEL])
def test_rules_in_the_kernel(saved: str, expected: Rules) -> None:
    assert ufw.read_kernel(saved.splitlines()) == expected


def test_a_kernel_that_was_emptied_is_filled_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ufw itself compares its files only."""
    wanted, kept = tmp_path / "relay.rules", tmp_path / "user.rules"
    wanted.write_text("allow proto tcp from any to any port 465,465\n")
    comment = ufw.COMMENT.encode().hex()
    kept.write_text(f"### tuple ### allow tcp 465,465 0.0.0.0/0 any 0.0.0.0/0 in comment={comment}\n")
    monkeypatch.setattr(ufw, "RULES_FILE", str(wanted))
    monkeypatch.setattr(ufw, "_LIVE_FILES", ((str(kept), "0.0.0.0/0"),))
    monkeypatch.setattr(BACKEND, "at_work", lambda: True)
    jumps = "-A INPUT -j ufw-before-input\n-A ufw-before-input -j ufw-user-input\n"
    full = f"{jumps}-A ufw-user-input -p tcp -m multiport --dports 465,465 -j ACCEPT\n"
    kernel = [jumps]
    monkeypatch.setattr(ufw, "run", lambda *argv: subprocess.CompletedProcess(argv, 0, kernel[0], ""))
    ran: list[str] = []

    def reload(*argv: str) -> None:
        ran.append(" ".join(argv))
        kernel[0] = full

    monkeypatch.setattr(ufw, "must", reload)
    assert not BACKEND.agrees()
    BACKEND.apply()
    assert ran == ["ufw reload"]
    assert BACKEND.agrees()


def test_jumps_that_were_flushed_are_added_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """ufw adds them only together with its chains."""
    added: list[str] = []
    monkeypatch.setattr(ufw, "succeeds", lambda *argv: argv[2] != "INPUT")
    monkeypatch.setattr(ufw, "run", lambda *argv: added.append(" ".join(argv)))
    ufw._restore_jumps()
    assert len(added) == 12
    assert added[:2] == [
        "iptables -A INPUT -j ufw-before-logging-input",
        "iptables -A INPUT -j ufw-before-input",
    ]
    assert added[-1] == "ip6tables -A INPUT -j ufw6-track-input"
