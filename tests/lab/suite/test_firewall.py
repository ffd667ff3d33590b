# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firewalls that a host may already have: the role uses the active one; the open ports show whether it does.

test_relay covers nftables, the relay's default. The tests restore the host at the end.
"""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import Play, run_play

RELAY = "relay.sender.test"
PORTS = [22, 25, 465, 587, 12345]
#: Each is enabled as by an administrator: SSH open, an unrelated rule, and a rule that conflicts with the role's.
FIREWALLS = {
    "firewalld": {
        # as before firewalld 2.3, whose table only firewalld itself may flush
        "on": "sed -i 's/^NftablesTableOwner=.*/NftablesTableOwner=no/' /etc/firewalld/firewalld.conf"
        " && systemctl enable --now firewalld"
        " && firewall-cmd --permanent --add-port=587/tcp --add-port=12345/tcp && firewall-cmd --reload",
        "flush": "nft flush table inet firewalld",
        "later": "firewall-cmd --add-port=12346/tcp",  # not permanent: a reload would remove it
        "others": "firewall-cmd --list-ports",
        "ours": "firewall-cmd --policy=relay --list-rich-rules",
        "off": "firewall-cmd --permanent --remove-port=587/tcp; systemctl disable --now firewalld",
    },
    "ufw": {
        "on": "ufw allow 22/tcp && ufw allow 587/tcp && ufw allow 12345/tcp && ufw --force enable",
        "flush": "iptables -P INPUT ACCEPT && iptables -F && ip6tables -P INPUT ACCEPT && ip6tables -F",
        "later": "ufw allow 12346/tcp",
        "others": "ufw show added | grep -v mailops",
        "ours": "ufw show added | grep mailops",
        "off": "ufw disable && ufw --force reset",
    },
}
QUICK: dict[str, t.Any] = {"relay_verify": {}, "relay_dns": {"check": []}}
SOME = [{"port": 25}, {"port": 465, "from": ["{{ lab_prefix }}.40"]}]
#: Another program on the port that Postfix no longer uses, so that only the firewall can close it.
STRANGER = (
    "systemd-run --quiet --collect --unit=stranger python3 -m http.server 587"
    " && timeout 90 sh -c 'until ss -Hltn sport = 587 | grep -q .; do sleep 0.1; done'"
)
Sight = dict[str, list[int]]


class Story(t.NamedTuple):
    """The runs of the role, and the ports that each other host saw open after them.

    :ivar plays: the runs by name.
    :ivar seen: open ports by client and outsider, before the first run and after each, by its name.
    :ivar others: rules that are not the role's, before the first run and after each.
    :ivar nft: whether the table of the previous backend still existed after the first run.
    :ivar ours: the role's rules after a listener was removed, and after the backend was set to none.
    """

    plays: dict[str, Play]
    seen: dict[str, Sight]
    others: list[str]
    nft: bool
    ours: tuple[str, str]


@pytest.fixture(scope="module", params=FIREWALLS)
def story(request: pytest.FixtureRequest, relay: t.Any, probe: t.Callable[..., t.Any]) -> t.Iterator[Story]:
    """Enable the firewall, run the role with it, remove the role's rules, and restore the host."""
    name = request.param
    firewall = FIREWALLS[name]
    plays: dict[str, Play] = {}
    seen: dict[str, Sight] = {}
    others: list[str] = []

    def look(moment: str) -> None:
        seen[moment] = {on: probe(on, "open_ports", host=RELAY, ports=PORTS) for on in ("client", "outsider")}
        others.append(relay.check_output(firewall["others"]))

    def play(moment: str, then: str = "true", **extra: t.Any) -> None:
        plays[moment] = run_play(f"{name}-{moment}", "playbooks/relay.yml", extra={**QUICK, **extra})
        relay.check_output(then)
        look(moment)

    relay.check_output(f"apt-get install -qq --yes --no-install-recommends {name}")
    try:
        relay.check_output(firewall["on"])
        look("before")
        play("other", relay_firewall={"backend": "nftables"})
        play("first")
        relay.check_output(firewall["flush"])
        plays["check"] = run_play(f"{name}-check", "playbooks/relay.yml", "--check", extra=QUICK)
        play("flushed")
        relay.check_output(firewall["later"])
        nft = relay.run("nft list table inet relay").rc == 0
        play("again", relay_firewall={"backend": name})
        play("less", STRANGER, relay_listeners=SOME)
        ours = relay.check_output(firewall["ours"])
        play("none", relay_firewall={"backend": "none"}, relay_listeners=[{"port": 25}])
        gone = relay.run(firewall["ours"]).stdout
        yield Story(plays, seen, others, nft, (ours, gone))
    finally:
        relay.run("systemctl stop stranger")
        relay.check_output(firewall["off"])
        run_play(f"{name}-restored", "playbooks/relay.yml").succeeded()
        assert probe("outsider", "open_ports", host=RELAY, ports=PORTS) == [22, 25, 587]


def test_before_the_role_only_ports_opened_by_the_administrator_are_open(story: Story) -> None:
    assert story.seen["before"] == {"client": [22, 587], "outsider": [22, 587]}


def test_a_backend_other_than_the_active_one_is_refused(story: Story) -> None:
    assert story.plays["other"].code != 0
    assert story.plays["other"].says("is active on this host, and what it closes the backend nftables cannot open")
    assert story.plays["other"].count("relay", "changed") == 0


def test_the_active_backend_is_detected_and_admits_allowed_clients(story: Story) -> None:
    assert story.plays["first"].succeeded().count("relay", "changed") == 1
    assert story.seen["first"] == {"client": [22, 25, 465, 587], "outsider": [22, 25, 587]}


def test_rules_of_the_previous_backend_are_removed(story: Story) -> None:
    assert not story.nft


def test_rules_that_were_flushed_are_told_and_mended(story: Story) -> None:
    """The firewall itself does not notice: it answers from its own memory."""
    for moment in ("check", "flushed"):
        assert story.plays[moment].succeeded().count("relay", "changed") == 1
        assert story.plays[moment].says("are not those of the files.")
    assert story.seen["flushed"] == story.seen["first"]


def test_a_second_run_changes_nothing(story: Story) -> None:
    assert story.plays["again"].succeeded().count("relay", "changed") == 0


def test_the_port_of_a_removed_listener_is_closed_even_if_another_rule_opens_it(story: Story) -> None:
    assert story.plays["less"].succeeded().count("relay", "changed") == 2
    assert story.seen["less"] == {"client": [22, 25, 465], "outsider": [22, 25]}
    assert "587" in story.ours[0]


def test_backend_none_removes_the_rules(story: Story) -> None:
    assert story.plays["none"].succeeded().count("relay", "changed") == 2
    assert story.seen["none"] == {"client": [22, 587], "outsider": [22, 587]}  # as before the role
    assert story.ours[1].strip() == ""


def test_rules_of_the_administrator_survive(story: Story) -> None:
    """Runtime-only rules of firewalld survive too, except at the reload that makes the role's policy known."""
    first, later = story.others[:4], story.others[4:]
    assert "12345" in first[0]
    assert len(set(first)) == 1
    assert "12345" in later[0]
    assert "12346" in later[0]
    assert len(set(later)) == 1
