# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many idle and dripping connections of a few addresses, and right users at the same time."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import run_play

RELAY, APP = "relay.sender.test", "app@sender.test"
PORTS = [25, 587, 465]
#: Connections of each of five addresses to each port.
EACH = 40
#: Seconds of the attack, and of calm after it.
ATTACK, CALM = 60, 60
Probe = t.Callable[..., t.Any]

pytestmark = [pytest.mark.last, pytest.mark.usefixtures("journal_on_failure")]


@pytest.fixture
def open_to_all(relay: t.Any, hosts: dict[str, t.Any]) -> t.Iterator[list[str]]:
    """All ports of the relay are open to all; return the five addresses of the attacker."""
    prefix = relay.check_output("hostname -I").strip().rpartition(".")[0]
    addresses = [f"{prefix}.{number}" for number in range(201, 206)]
    for command in ("replace", "del"):
        each = "; ".join(f"ip addr {command} {address}/24 dev eth0" for address in addresses)
        hosts["outsider"].check_output(each)
        if command == "replace":
            listeners = [{"port": port} for port in PORTS]
            run_play("crowd", "playbooks/relay.yml", extra={"relay_listeners": listeners}).succeeded()
            yield addresses
    run_play("crowd-ends", "playbooks/relay.yml").succeeded()


def test_right_users_are_served_while_a_few_addresses_hold_what_they_can(
    open_to_all: list[str], probe: Probe, passwords: dict[str, str], relay: t.Any
) -> None:
    """Each login within 5 s, and a minute after the attack all is as before."""
    login = {"host": RELAY, "ports": [587, 465], "user": APP, "password": passwords[APP]}
    with ThreadPoolExecutor() as pool:
        attack = {"host": RELAY, "sources": open_to_all, "ports": PORTS, "each": EACH, "seconds": ATTACK}
        crowd = pool.submit(probe, "outsider", "crowd", **attack)
        time.sleep(10)
        logins = pool.submit(probe, "outsider", "time_logins", seconds=ATTACK - 20, **login)
        mail = [
            probe("client", "post", host=RELAY, sender=APP, recipient="inbox@dest.test", subject=f"crowd {number}")
            for number in range(10)
        ]
        served, opened = logins.result(), crowd.result()
    assert opened > len(PORTS) * EACH * len(open_to_all), "the attack did not take place"
    assert {code for _port, _seconds, code in served} == {235}, served
    assert max(seconds for _port, seconds, _code in served) < 5, served
    assert [code for code, _text in mail] == [250] * len(mail), mail
    time.sleep(CALM)
    assert relay.run("ps ax -o args= | grep '[s]mtpd .*stress=yes'").stdout == ""
    assert max(seconds for _port, seconds, _code in probe("outsider", "time_logins", seconds=3, **login)) < 2
