# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that handles mail is refused until ``relay_takeover`` consents, and gets back what it had.

The tests run in the order of this file, on ``outsider``, which no other test makes a relay while these run.
"""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import snapshot, until
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, Play, run_play

pytestmark = pytest.mark.second_lab

HOST = "host.outsider.test"
ABSENT = {"relay_state": "absent"}
CONSENT = {"relay_takeover": True}

#: Makes and installs the package of a mail server that holds port 25, with a unit, and its source of packages.
OTHER_SERVER = r"""
mkdir -p /root/mta/DEBIAN /root/mta/usr/lib/systemd/system /root/mta/etc /srv/other
cd /root
cat >mta/DEBIAN/control <<END
Package: lab-mta
Version: 1
Architecture: all
Maintainer: lab <root@localhost>
Depends: python3
Provides: mail-transport-agent
Conflicts: mail-transport-agent
Replaces: mail-transport-agent
Description: a mail server
END
echo /etc/lab-mta.conf >mta/DEBIAN/conffiles
echo packaged >mta/etc/lab-mta.conf
printf '[Service]\nExecStart=/usr/bin/python3 -m http.server 25\n[Install]\nWantedBy=multi-user.target\n' \
  >mta/usr/lib/systemd/system/lab-mta.service
printf '#!/bin/sh\nsystemctl daemon-reload\ndeb-systemd-helper enable %s\ndeb-systemd-invoke start %s\n' \
  lab-mta.service lab-mta.service >mta/DEBIAN/postinst
printf '#!/bin/sh\ndeb-systemd-invoke stop lab-mta.service\n' >mta/DEBIAN/prerm
chmod 755 mta/DEBIAN/p*
dpkg-deb --build mta /srv/other/lab-mta_1_all.deb >/dev/null
cd /srv/other
{ cat /root/mta/DEBIAN/control
  echo "Filename: ./lab-mta_1_all.deb"
  echo "Size: $(stat -c %s lab-mta_1_all.deb)"
  echo "SHA256: $(sha256sum lab-mta_1_all.deb | cut -d ' ' -f 1)"; } >Packages
echo 'deb [trusted=yes] file:/srv/other ./' >/etc/apt/sources.list.d/other.list
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes lab-mta >/dev/null
echo mine >/etc/lab-mta.conf
"""
NO_OTHER_SERVER = r"""
apt-get purge -qq --yes lab-mta >/dev/null 2>&1
rm -rf /root/mta /srv/other /etc/apt/sources.list.d/other.list
apt-get update -qq
"""
#: A Postfix as its package leaves it.
PACKAGE = "DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends postfix >/dev/null 2>&1"
#: What an administrator and users add.
IN_USE = r"""
useradd --create-home alice
printf 'Subject: hello\n\nhello\n' | sendmail -f root alice
timeout 90 sh -c 'until test -s /var/mail/alice; do sleep 0.2; done'
echo 'bob@dest.test' >/home/alice/.forward
printf 'support: "|/usr/bin/true"\n' >>/etc/aliases
postconf -e 'transport_maps = hash:/etc/postfix/transport' 'smtpd_milters = inet:127.0.0.1:8891'
printf 'submission inet n - n - - smtpd\n' >>/etc/postfix/master.cf
"""
CLEAN = r"""
systemctl stop postfix 2>/dev/null  # the package leaves it running when it goes
apt-get purge -qq --yes postfix postfix-lmdb >/dev/null 2>&1
userdel --remove alice 2>/dev/null
rm -rf /etc/aliases /var/mail/alice /var/mail/root /etc/postfix /var/spool/postfix
true
"""


@pytest.fixture(scope="module")
def host(hosts: dict[str, t.Any]) -> t.Iterator[t.Any]:
    """A host without a mail server."""
    own = hosts["outsider"]
    own.check_output(CLEAN)
    yield own
    play("end", ABSENT)
    own.run(NO_OTHER_SERVER)
    own.check_output(CLEAN)


def play(name: str, extra: dict[str, t.Any] | None = None, *options: str) -> Play:
    """Run the role on the host as a null client."""
    upstream = {"host": "smtp.provider.test", "port": 25}
    variables = {
        "relay_upstream": upstream,
        "relay_dns": {"check": []},
        "ansible_ssh_args": f"-F {LAB / 'ssh_config'}",
        "ansible_become": False,
    }
    inventory = LAB / "takeover.yml"
    inventory.write_text(yaml.safe_dump({"relays": {"hosts": {HOST: None}, "vars": variables}}))
    return run_play(f"takeover-{name}", "playbooks/relay.yml", "-i", str(inventory), *options, extra=extra or {})


def is_refused(name: str, host: t.Any, *words: str) -> bool:
    """Assert that a run refuses the host with these words, and changes nothing."""
    before = snapshot(host)
    refused = play(name)
    assert refused.code != 0
    assert all(refused.says(word) for word in (*words, "set relay_takeover to true"))
    assert snapshot(host) == before
    return True


def test_another_mail_server_is_named_before_it_is_removed(host: t.Any) -> None:
    host.check_output(OTHER_SERVER)
    until(lambda: host.run("systemctl is-active lab-mta && ss -Hltn sport = 25 | grep .").succeeded)
    assert is_refused("other", host, "another mail server (packages lab-mta)")
    assert play("other-check", CONSENT, "--check").succeeded().says("another mail server (packages lab-mta)")
    assert host.package("lab-mta").is_installed


def test_another_mail_server_makes_room_with_consent(host: t.Any) -> None:
    play("other-consent", CONSENT).succeeded()
    assert not host.package("lab-mta").is_installed
    assert host.service("postfix").is_running
    assert play("other-again").succeeded().count(HOST, "changed") == 0  # the consent was needed once


def test_packages_are_missed_until_their_source_answers(host: t.Any) -> None:
    host.check_output("mv /srv/other /srv/away")
    try:
        failed = play("other-source", ABSENT)
        assert failed.code != 0
        assert failed.says("could not be installed again: lab-mta.")
    finally:
        host.check_output("mv /srv/away /srv/other")


def test_another_mail_server_returns_with_its_configuration(host: t.Any) -> None:
    play("other-absent", ABSENT).succeeded()
    assert host.service("lab-mta").is_running
    assert host.service("lab-mta").is_enabled
    assert host.file("/etc/lab-mta.conf").content_string == "mine\n"
    assert not host.package("postfix").is_installed
    assert not host.file("/var/lib/mailops").exists
    assert play("other-absent-again", ABSENT).succeeded().count(HOST, "changed") == 0
    host.check_output(NO_OTHER_SERVER)


def test_a_postfix_that_is_only_installed_is_not_refused(host: t.Any) -> None:
    host.check_output(CLEAN)
    host.check_output(PACKAGE)
    play("package", None, "--check").succeeded()


def test_what_is_in_use_is_listed(host: t.Any) -> None:
    host.check_output(IN_USE)
    assert is_refused(
        "in-use",
        host,
        "local mailboxes (/var/mail/alice)",
        "aliases (support: a program)",
        "mail that users forward (/home/alice/.forward)",
        "milters (smtpd_milters)",
        "lookup tables (transport_maps)",
        "services of master.cf (submission inet)",
    )


def test_what_was_in_use_returns(host: t.Any) -> None:
    before = host.check_output("cat /etc/postfix/main.cf /etc/postfix/master.cf /etc/aliases")
    assert play("in-use-consent", CONSENT).succeeded().says("local mailboxes (/var/mail/alice)")
    play("in-use-absent", ABSENT).succeeded()
    assert host.check_output("cat /etc/postfix/main.cf /etc/postfix/master.cf /etc/aliases") == before
    assert is_refused("in-use-again", host, "local mailboxes (/var/mail/alice)")
