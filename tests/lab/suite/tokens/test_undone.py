# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is the first to use a part of the role, and is undone: the relay is as before."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.oauth import (
    converge,
    submit,
    upstream,
    wait_for_queue,
    ways,
)
from ansible_collections.mailops.smtp.tests.lab.suite.plays import RELAY, run_play

pytestmark = [pytest.mark.second_lab, pytest.mark.last]

#: The parts' units, and the files of the role.
SEEN = (
    "systemctl list-units --all --plain --no-legend --full 'relay-*' 'fail2ban*' 'rspamd*' | cut -d' ' -f1-4; "
    "ls -d /etc/relay-* /usr/local/lib/relay-* /etc/systemd/system/relay-*; "
    "find /etc/postfix /etc/dovecot /etc/fail2ban/jail.d /etc/systemd -type f | sort | xargs sha256sum"
)
#: What programs kept, such as a refresh token that the server takes only once. A run without the programs removes it.
KEPT = {"/var/lib/postfix-oauth", "/var/lib/relay-dkim"}
#: The provider refuses the recipient of the proof, which is after everything is in force.
FAILS = {"relay_verify": {"to": "nobody@dest.test", "from": "inbox@dest.test"}}
DKIM = {"relay_dkim": {"domains": [{"domain": "sender.test", "selectors": ["u1"]}]}}


@pytest.mark.usefixtures("restored")
def test_first_use_that_is_undone_leaves_the_relay_as_it_was(
    hosts: dict[str, t.Any], passwords: dict[str, str], find_mail: t.Callable[..., list[bytes]]
) -> None:
    relay = hosts["relay"]
    run_play("undone-base", RELAY).succeeded()
    before = relay.run(SEEN).stdout
    play = converge("undone", upstream(ways(passwords)["client_secret"]), **DKIM, **FAILS)
    assert play.code != 0
    assert play.says("Everything was put back as it was.")
    assert relay.run(SEEN).stdout == before
    subject = submit(relay)
    wait_for_queue(relay)
    assert len(find_mail(f"SUBJECT {subject}")) == 1
    after = run_play("undone-after", RELAY).succeeded()
    assert set(re.findall(r"changed: \[relay\] => \(item=(\S+)\)", after.output)) == KEPT
    assert after.count("relay", "changed") == 1
    assert run_play("undone-again", RELAY).succeeded().count("relay", "changed") == 0
