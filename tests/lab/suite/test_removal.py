# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``relay_state: absent`` restores the previous configuration: of a host with its own Postfix, and of a bare one.

These tests recreate the relay, so they run after all others, and leave a bare host.
"""

from __future__ import annotations

import re
import subprocess
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import snapshot
from ansible_collections.mailops.smtp.tests.lab.suite.plays import PROGRAM_LIMIT, ROOT, Play, run_play, run_transaction

pytestmark = pytest.mark.last

RELAY = "relay.sender.test"
PORTS = [25, 465, 587]
UNITS = "postfix.service dovecot.service nftables.service relay-firewall.service"
#: Installs the role's packages without configuration, and stops their services.
PACKAGES = r"""
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends postfix postfix-lmdb libsasl2-modules ca-certificates openssl \
  dovecot-core nftables
systemctl disable --now postfix.service dovecot.service
"""
#: Configures Postfix and nftables as an administrator would.
FOREIGN = r"""
postconf -e 'smtpd_banner = the first one' 'inet_interfaces = all' 'relayhost = [smtp.provider.test]'
chgrp mail /etc/postfix/main.cf
chmod 0640 /etc/postfix/main.cf
printf 'table inet mine {\n chain input {\n  type filter hook input priority 5;\n  tcp dport 4444 drop\n }\n}\n' \
  >/etc/nftables.conf
systemctl enable --now nftables.service postfix.service
"""
#: In addition to conftest's snapshot: states of units and checksums of files.
STATE = rf"""
systemctl show --property=Id,UnitFileState,ActiveState {UNITS}
find /etc/postfix /etc/dovecot /etc/systemd /etc/nftables* -type f -print0 | sort -z | xargs -0 sha256sum
"""
#: Variables of a relay that holds all mail, and a command that sends a message to hold.
HOLDING = {"relay_settings": {"header_checks": "static:HOLD"}, "relay_verify": {}}
HELD = r"""
printf 'Subject: held\n\nheld\n' | sendmail -f x@sender.test inbox@dest.test
timeout 90 sh -c "until postqueue -j | grep -q '\"hold\"'; do sleep 0.2; done"
"""


def lab_up() -> None:
    """Recreate the relay as a bare host."""
    subprocess.run(
        [str(ROOT / "tests/lab/lab"), "up", "relay"], check=True, stdout=subprocess.DEVNULL, timeout=PROGRAM_LIMIT
    )


def remove(name: str, *options: str) -> Play:
    return run_play(f"removal-{name}", "playbooks/relay.yml", *options, extra={"relay_state": "absent"})


def state(host: t.Any) -> list[str]:
    """Return the state of the host, without modification times and leftovers of the queue.

    Debian copies files below the queue for services in a chroot at each start of Postfix. The size of the key that
    ssl-cert generates for each host varies by a few octets.
    """
    found = []
    for line in snapshot(host).splitlines():
        if re.match(r"\S*/var/spool/postfix/(defer|bounce|hold|etc|dev|lib|usr)\b", line) or ".service loaded" in line:
            continue
        line = re.sub(r"(/ssl-cert-snakeoil\.\w+ f \d+ \S+ \S+) \d+", r"\1", line)
        path, *rest = re.sub(r" \d{10}\.\d+", "", line, count=1).split(" ", 1)
        found.append(" ".join([path, *rest]))
    return [*found, *host.check_output(STATE).splitlines()]


def difference(before: list[str], after: list[str]) -> list[str]:
    return [
        *(f"- {line}" for line in before if line not in after),
        *(f"+ {line}" for line in after if line not in before),
    ]


def banner(host: t.Any) -> str:
    return str(host.check_output("bash -c 'head -n 1 </dev/tcp/127.0.0.1/25'")).strip()


def kill_halfway() -> None:
    """Kill the module after it has restored the files and before it restarts the services."""
    options = {"name": "relay", "state": "absent", "activate": [{"command": ["sh", "-c", "kill -9 $PPID"]}]}
    run_transaction(options)


class Seen(t.NamedTuple):
    """Observations on the host with its own Postfix.

    :ivar packages: the state with packages only.
    :ivar before, after: the state with its own configuration, before and after the role.
    :ivar between: the banner of the relay.
    :ivar removed: the run that removes the relay.
    :ivar queue: the queue after the removal.
    """

    packages: list[str]
    before: list[str]
    between: str
    after: list[str]
    removed: Play
    queue: str


@pytest.fixture(scope="module")
def foreign(hosts: dict[str, t.Any]) -> Seen:
    """A running Postfix that becomes a relay and is removed again with a message in the queue."""
    host = hosts["relay"]
    lab_up()
    never = remove("never-there").succeeded()
    assert never.count("relay", "changed") == 0
    host.check_output(PACKAGES)
    packages = state(host)
    host.check_output(FOREIGN)
    before = state(host)
    run_play("removal-foreign", "playbooks/relay.yml", extra=HOLDING).succeeded()
    between = banner(host)
    host.check_output(HELD)
    removed = remove("of-foreign")
    return Seen(packages, before, between, state(host), removed, host.check_output("postqueue -j"))


def test_an_existing_postfix_is_restored(foreign: Seen, hosts: dict[str, t.Any]) -> None:
    """Files, owners, modes, units and ruleset are restored; the restored Postfix keeps the queue."""
    assert foreign.removed.succeeded().count("relay", "changed") == 2
    assert foreign.between != "220 the first one"
    assert difference(foreign.before, foreign.after) == []
    assert banner(hosts["relay"]) == "220 the first one"
    assert "inbox@dest.test" in foreign.queue


@pytest.fixture(scope="module")
def bare(foreign: Seen, hosts: dict[str, t.Any]) -> t.Iterator[t.Any]:
    """A bare host that has become a relay, with a message in its queue."""
    lab_up()
    run_play("removal-bare", "playbooks/relay.yml", extra=HOLDING).succeeded()
    hosts["relay"].check_output(HELD)
    yield hosts["relay"]
    lab_up()


@pytest.mark.parametrize("options", [["--check"], []])
def test_removal_is_refused_while_the_queue_holds_mail(bare: t.Any, options: list[str]) -> None:
    """If no Postfix would remain to deliver the mail, nothing changes and the task gives the reason."""
    refused = remove(f"refused{len(options)}", *options)
    assert refused.code != 0
    assert refused.says("Nothing was changed: Messages in the queue: 1. Postfix did not run on this host")
    assert bare.service("postfix").is_running
    assert bare.run("nft list table inet relay").rc == 0


def test_a_bare_host_is_restored_except_for_packages(bare: t.Any, foreign: Seen, probe: t.Callable[..., t.Any]) -> None:
    """Restored even after a run that was killed halfway; a further run changes nothing."""
    bare.check_output("postsuper -d ALL")
    check = remove("check", "--check").succeeded()
    assert check.count("relay", "changed") == 2
    assert bare.service("postfix").is_running
    kill_halfway()
    assert bare.file("/var/lib/mailops/relay/swapping").exists
    assert remove("after-kill").succeeded().count("relay", "changed") == 2
    assert difference(foreign.packages, state(bare)) == []
    assert probe("outsider", "open_ports", host=RELAY, ports=[22, *PORTS]) == [22]
    for options in (["--check"], []):
        assert remove("twice", *options).succeeded().count("relay", "changed") == 0
