# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packet filters of others, rules that an administrator removed, and what a connection proves in the end."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import run_play

QUICK: dict[str, t.Any] = {"relay_verify": {"connect_from": ["client", "outsider"]}, "relay_dns": {"check": []}}
PLAY = "playbooks/relay.yml"
#: As of an image of Oracle's cloud: the policy accepts, the last rule rejects.
CLOUD = (
    "{0} -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT && {0} -A INPUT -i lo -j ACCEPT"
    " && {0} -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT && {0} -A INPUT -j REJECT --reject-with icmp-host-prohibited"
)
TABLE = (
    "table inet mine {{ chain input {{ type filter hook input priority 10; policy drop;"
    " ct state established accept; {} }} }}"
)


def nft(rules: str, program: str = "nft") -> str:
    """A command that makes a chain with the policy drop."""
    text = TABLE.format(rules).replace("{ ", "{\n").replace(" }", "\n}")
    return f"{program} -f - <<'END'\n{text}\nEND"


#: Name, a command of the administrator, one that takes it back, how the run is refused.
FILTERS: list[tuple[str, str, str, str]] = [
    ("a policy", nft("tcp dport 22 accept;"), "nft delete table inet mine", "'inet mine input' refuses port 25"),
    ("iptables", CLOUD.format("iptables-nft"), "iptables-nft -F INPUT", "'ip filter INPUT' refuses port 25"),
    ("legacy", CLOUD.format("iptables-legacy"), "iptables-legacy -F INPUT", "'ip filter INPUT' refuses port 25"),
    ("one port", nft("tcp dport 22-465 accept;"), "nft delete table inet mine", "refuses port 587."),
    ("all is open", nft("tcp dport { 22, 25, 465, 587 } accept;"), "nft delete table inet mine", ""),
]


@pytest.fixture(scope="module")
def filtered(relay: t.Any) -> t.Iterator[t.Any]:
    """The relay as the role leaves it, with iptables of both forms."""
    relay.check_output("apt-get install -qq --yes --no-install-recommends iptables")
    yield relay
    relay.check_output("apt-get purge -qq --yes iptables")


@pytest.mark.parametrize(("on", "off", "said"), [row[1:] for row in FILTERS], ids=[row[0] for row in FILTERS])
def test_a_filter_of_others_is_read(
    filtered: t.Any, request: pytest.FixtureRequest, on: str, off: str, said: str
) -> None:
    filtered.check_output(on)
    try:
        play = run_play(f"filter-{request.node.callspec.id}".replace(" ", "-"), PLAY, "--check", extra=QUICK)
    finally:
        filtered.check_output(off)
    if said:
        assert play.code != 0
        assert play.says(said)
    assert play.count("relay", "changed") == 0


#: Each leaves port 465 open to the outsider.
DRIFTS = ["nft flush chain inet relay input", "nft flush ruleset", "nft insert rule inet relay input accept"]


@pytest.mark.parametrize("drift", DRIFTS)
def test_rules_that_were_changed_are_told_and_mended(filtered: t.Any, probe: t.Any, drift: str) -> None:
    filtered.check_output(drift)
    assert probe("outsider", "open_ports", host="relay.sender.test", ports=[465]) == [465]
    check = run_play("drift-check", PLAY, "--check", extra=QUICK).succeeded()
    assert check.count("relay", "changed") == 1
    assert check.says("The rules in force in nftables are not those of the files.")
    mended = run_play("drift-mended", PLAY, extra=QUICK).succeeded()
    assert mended.count("relay", "changed") == 1
    assert mended.says("is refused from")
    assert probe("outsider", "open_ports", host="relay.sender.test", ports=[465]) == []


def test_chains_of_a_host_without_nft_are_read_once_it_is_installed(filtered: t.Any) -> None:
    filtered.check_output("cp /usr/sbin/nft /root/nft && dpkg --remove --force-depends nftables")
    filtered.check_output(nft("tcp dport 22 accept;", "/root/nft"))
    try:
        play = run_play("without-nft", PLAY, extra=QUICK)
    finally:
        filtered.check_output("/root/nft delete table inet mine && rm /root/nft")
    assert play.code != 0
    assert play.says("'inet mine input' refuses port 25")
    assert play.count("relay", "changed") == 1  # the package
    run_play("with-nft", PLAY, extra=QUICK).succeeded()


#: A rule that no reader of chains understands, and that drops every new connection to port 587.
OBSCURE = "tcp dport 587 meta length 1-9000 drop; accept;"


def test_a_connection_proves_what_cannot_be_read(filtered: t.Any) -> None:
    filtered.check_output(nft(OBSCURE))
    try:
        warned = run_play("obscure", PLAY, extra={**QUICK, "relay_verify": {}})
        failed = run_play("obscure-from", PLAY, extra=QUICK)
        strict = run_play("obscure-strict", PLAY, extra={**QUICK, "relay_verify": {"on_closed": "fail"}})
    finally:
        filtered.check_output("nft delete table inet mine")
    assert warned.succeeded().says("is filtered from")
    assert (failed.code, strict.code) == (2, 2)
    assert failed.says("(no answer), which may connect. A packet filter drops it")
