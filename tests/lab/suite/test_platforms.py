# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on Debian 12, and on the same host after its upgrade to Debian 13.

The tests depend on the order of the file: those of Debian 12 run before the upgrade.
"""

from __future__ import annotations

import time
import typing as t
import uuid
from email.message import EmailMessage

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import snapshot
from ansible_collections.mailops.smtp.tests.lab.suite.plays import RELAY, ROOT, Play, run_play

pytestmark = pytest.mark.second_lab

NAME = "relay12.sender.test"
APP = "app@sender.test"
PLATFORMS = yaml.safe_load((ROOT / "roles/relay/vars/main/platforms.yml").read_text())["__relay_platforms"]
UPGRADE = """
set -eu
echo 'deb [trusted=yes] file:/srv/next/srv/packages ./' >/etc/apt/sources.list
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get full-upgrade -qq -y -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-unsafe-io
"""
Probe = t.Callable[..., t.Any]
Send = t.Callable[..., dict[str, t.Any]]
ReadMail = t.Callable[..., EmailMessage | None]


def converge(name: str, *options: str) -> Play:
    return run_play(f"platforms-{name}", RELAY, *options, relay="relay12")


@pytest.fixture(scope="module")
def bare(hosts: dict[str, t.Any]) -> t.Any:
    """The host before the first run."""
    return hosts["relay12"]


@pytest.fixture(scope="module")
def first(bare: t.Any) -> Play:
    """The first run on Debian 12."""
    assert bare.check_output("cat /etc/debian_version").startswith("12.")
    return converge("first").succeeded()


@pytest.fixture(scope="module")
def relay12(bare: t.Any, first: Play) -> t.Any:
    """The converged relay."""
    assert first.count("relay12", "changed") >= 3
    return bare


def test_a_second_run_and_a_check_change_nothing(relay12: t.Any) -> None:
    assert converge("second").succeeded().count("relay12", "changed") == 0
    before = snapshot(relay12)
    assert converge("check", "--check").succeeded().count("relay12", "changed") == 0
    assert snapshot(relay12) == before


def test_a_postfix_stopped_without_its_unit_is_started_again(relay12: t.Any) -> None:
    """On Debian 12, postfix.service stays active even if Postfix stops."""
    relay12.check_output("postfix stop")
    assert relay12.service("postfix").is_running
    assert converge("stopped").succeeded().count("relay12", "changed") == 1
    relay12.check_output("postfix status && systemctl is-active postfix@-.service")


@pytest.fixture(scope="module", params=["Debian-12", "Debian-13"])
def release(request: pytest.FixtureRequest, relay12: t.Any) -> str:
    """The host on each release; on Debian 13 after the upgrade."""
    if request.param == "Debian-13":
        request.getfixturevalue("converged_again")
    assert relay12.check_output("cut -d. -f1 /etc/debian_version") == request.param.rpartition("-")[2]
    return str(request.param)


class TestRelay:
    """Behaviour on both releases."""

    def test_versions_match_the_platform_table(self, release: str, relay12: t.Any) -> None:
        facts = PLATFORMS[release]
        version, *map_types = relay12.check_output("postconf -dh mail_version && postconf -m").splitlines()
        assert version.rpartition(".")[0] == facts["postfix"]["version"].rpartition(".")[0]
        assert map_types == facts["postfix"]["map_types"]
        assert relay12.check_output("dovecot --version").startswith(f"{facts['dovecot']}.")
        assert relay12.file(facts["ca_file"]).exists

    @pytest.mark.usefixtures("release")
    def test_the_outsider_reaches_open_ports_and_cannot_relay(self, probe: Probe) -> None:
        assert probe("outsider", "open_ports", host=NAME, ports=[22, 25, 110, 143, 465, 587, 993]) == [22, 25, 587]
        commands = ["MAIL FROM:<x@outsider.test>", "RCPT TO:<inbox@dest.test>"]
        code, text = probe("outsider", "dialogue", host=NAME, port=25, tls="starttls", commands=commands)[-1]
        assert code in (454, 554)
        assert "Relay access denied" in text

    @pytest.mark.usefixtures("release")
    def test_mail_of_the_client_arrives(self, probe: Probe, read_mail: ReadMail) -> None:
        nonce = uuid.uuid4().hex
        commands = ["MAIL FROM:<x@sender.test>", "RCPT TO:<inbox@dest.test>", f"BODY Subject: {nonce}\r\n\r\nhello\r\n"]
        assert probe("client", "dialogue", host=NAME, port=25, tls="none", commands=commands)[-1][0] == 250
        assert read_mail(nonce) is not None

    @pytest.mark.usefixtures("release")
    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
    def test_a_client_with_a_login_can_send(
        self, send: Send, read_mail: ReadMail, passwords: dict[str, str], mechanism: str
    ) -> None:
        nonce = uuid.uuid4().hex
        login = {"username": APP, "password": passwords[APP], "auth_mechanism": mechanism}
        message = {"from": APP, "to": "inbox@dest.test", "subject": nonce}
        sent = send("client", host=NAME, port=587, tls="starttls", **login, **message)
        assert sent["recipients"][0]["status"] == "sent", sent
        assert sent["sessions"][-1]["auth_mechanism"] == mechanism
        assert read_mail(nonce) is not None

    @pytest.mark.usefixtures("release")
    def test_a_wrong_login_is_refused_and_delayed(self, probe: Probe) -> None:
        """Dovecot delays by whole seconds of the clock, so that up to one second is lost."""
        began = time.monotonic()
        replies = probe("client", "dialogue", host=NAME, port=587, tls="starttls", commands=[f"AUTH {APP} wrong"] * 2)
        assert [code for code, _text in replies[-2:]] == [535, 535]
        assert time.monotonic() - began >= 2.0

    @pytest.mark.usefixtures("release")
    @pytest.mark.parametrize(("version", "words"), [("1_1", "alert protocol version"), ("1_2", "Verification: OK")])
    def test_tls_1_2_is_the_minimum(self, hosts: dict[str, t.Any], version: str, words: str) -> None:
        connect = f"openssl s_client -connect {NAME}:25 -starttls smtp -tls{version} -cipher DEFAULT@SECLEVEL=0"
        output = hosts["client"].run(f"{connect} </dev/null 2>&1").stdout
        assert words in output, output


@pytest.fixture(scope="module")
def upgraded(relay12: t.Any, hosts: dict[str, t.Any], probe: Probe) -> str:
    """Upgrade the host while its queue holds a message; return the subject of the message."""
    nonce = uuid.uuid4().hex
    route = f"unreachable {hosts['upstream'].check_output('hostname -I').split()[0]}"
    relay12.check_output(f"ip route add {route}")
    commands = ["MAIL FROM:<x@sender.test>", "RCPT TO:<inbox@dest.test>", f"BODY Subject: {nonce}\r\n\r\nqueued\r\n"]
    assert probe("client", "dialogue", host=NAME, port=25, tls="none", commands=commands)[-1][0] == 250
    done = relay12.run(UPGRADE)
    assert relay12.check_output("cat /etc/debian_version").startswith("13."), done.stdout[-3000:] + done.stderr[-3000:]
    relay12.check_output(f"ip route del {route}")
    relay12.check_output("touch /var/lib/postfix/smtp_scache.db")  # left over from Berkeley DB
    return nonce


@pytest.fixture(scope="module")
def converged_again(upgraded: str) -> Play:
    """The first run of the role after the upgrade."""
    return converge("upgraded").succeeded()


def test_the_role_repairs_the_host_after_the_upgrade(converged_again: Play, relay12: t.Any) -> None:
    """Debian's upgrade leaves a configuration that Dovecot cannot read, and the old Postfix running."""
    assert converged_again.count("relay12", "changed") >= 2
    assert relay12.check_output("dpkg --audit") == ""
    assert not relay12.file("/var/lib/postfix/smtp_scache.db").exists
    assert relay12.check_output("systemctl --failed --plain --no-legend") == ""
    started = "journalctl --no-pager --output=cat --unit=postfix.service --grep='daemon started' --lines=1"
    assert "version 3.10." in relay12.check_output(started)


@pytest.mark.usefixtures("converged_again")
def test_mail_queued_before_the_upgrade_arrives(upgraded: str, relay12: t.Any, read_mail: ReadMail) -> None:
    relay12.check_output("postqueue -f")
    assert read_mail(upgraded) is not None


@pytest.mark.usefixtures("converged_again")
def test_a_second_run_after_the_upgrade_changes_nothing() -> None:
    assert converge("upgraded-second").succeeded().count("relay12", "changed") == 0
