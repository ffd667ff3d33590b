# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on Debian 12, and on the same host after its upgrade to Debian 13; Ubuntu's platforms on the same host.

The tests depend on the order of the file: those of Debian 12 run before the upgrade. Ubuntu's archive is not at hand:
its entries of the table are run on the Debian of their generation, which then says that it is Ubuntu. That proves that
the role finds the entry and works with it, and nothing about Ubuntu's packages.
"""

from __future__ import annotations

import functools
import json
import re
import statistics
import time
import typing as t
import uuid
from email.message import EmailMessage

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import snapshot, until
from ansible_collections.mailops.smtp.tests.lab.suite.journals import journal_from_now
from ansible_collections.mailops.smtp.tests.lab.suite.packages import offer_packages
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


def converge(name: str, *options: str, **extra: t.Any) -> Play:
    return run_play(f"platforms-{name}", RELAY, *options, extra=extra, relay="relay12")


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


@pytest.fixture
def call_it(relay12: t.Any, put: t.Callable[[str, str, bytes], None]) -> t.Iterator[t.Callable[[str, str], None]]:
    """``call_it(id, version)`` makes the host say that it is another distribution, derived from Ubuntu or Debian."""

    def say(name: str, version: str) -> None:
        like = "debian" if name == "ubuntu" else "ubuntu debian"
        pretty = f"{name.capitalize()} {version}"
        release = f'PRETTY_NAME="{pretty} LTS"\nNAME="{pretty}"\nVERSION_ID="{version}"\nID={name}\nID_LIKE="{like}"\n'
        relay12.check_output("rm -f /etc/os-release")  # a link into /usr
        put("relay12", "/etc/os-release", release.encode())
        put("relay12", "/etc/lsb-release", f"DISTRIB_ID={name.capitalize()}\nDISTRIB_RELEASE={version}\n".encode())

    yield say
    relay12.check_output("ln -sf ../usr/lib/os-release /etc/os-release && rm -f /etc/lsb-release")


def run_as_new(relay12: t.Any, name: str) -> None:
    """Remove the relay and packages, then run the role: it installs and configures what its platform says.

    Dovecot's package stays, since its scripts take half a minute.
    """
    relay12.check_output("timeout 90 sh -c 'until [ -z \"$(postqueue -j)\" ]; do postqueue -f; sleep 1; done'")
    run_play(f"platforms-{name}-absent", RELAY, extra={"relay_state": "absent"}, relay="relay12").succeeded()
    relay12.check_output("DEBIAN_FRONTEND=noninteractive apt-get purge -qq -y postfix postfix-lmdb nftables")
    play = converge(name).succeeded()  # the proof is a message that arrived
    assert play.count("relay12", "changed") >= 3
    play.says("-> smtp.provider.test[")
    unit = PLATFORMS[name]["units"][-1]
    relay12.check_output(f"systemctl is-active {unit} dovecot && postfix status")
    assert relay12.check_output("dovecot --version").startswith(f"{PLATFORMS[name]['dovecot']}.")
    assert converge(f"{name}-check", "--check").succeeded().count("relay12", "changed") == 0


@pytest.mark.parametrize("version", ["22.04", "24.04"])
def test_ubuntu_by_name_on_debian_12(relay12: t.Any, call_it: t.Callable[[str, str], None], version: str) -> None:
    call_it("ubuntu", version)
    run_as_new(relay12, f"Ubuntu-{version}")


def test_an_unknown_platform_is_refused_or_tried_on_purpose(call_it: t.Callable[[str, str], None]) -> None:
    call_it("linuxmint", "21")
    before = converge("mint", "--check")
    assert before.code != 0
    before.says("Linuxmint 21 LTS is not supported; the host says in /etc/os-release what it is.")
    before.says("set relay_platform to the one this host is closest to")
    tried = run_play(
        "platforms-mint-tried", RELAY, "--check", extra={"relay_platform": "Ubuntu-22.04"}, relay="relay12"
    ).succeeded()
    assert tried.count("relay12", "changed") == 0
    tried.says("[WARNING]")
    tried.says("does not support Linuxmint 21 LTS, and treats it as Ubuntu-22.04")


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

    @pytest.mark.usefixtures("release")
    @pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
    def test_a_name_that_does_not_exist_looks_like_one_that_does(self, probe: Probe, mechanism: str) -> None:
        """In words and time. Dovecot delays by steps of half a second, and up to one second is lost."""
        users = [APP, "nobody@sender.test", "x"]
        found = probe("client", "wrong_logins", host=NAME, mechanism=mechanism, users=users, rounds=8)
        replies = {json.dumps(words) for attempts in found.values() for words, _seconds in attempts}
        assert len(replies) == 1, replies
        assert "535 5.7.8" in replies.pop()
        means = [statistics.mean(seconds for _words, seconds in attempts) for attempts in found.values()]
        assert max(means) - min(means) < 0.7, found

    @pytest.mark.usefixtures("release")
    def test_local_users_can_send_and_not_connect_to_sockets(self, relay12: t.Any, read_mail: ReadMail) -> None:
        nonce = uuid.uuid4().hex
        as_user = "runuser -u nobody --"
        relay12.check_output(f"printf 'Subject: {nonce}\\n\\nhello\\n' | {as_user} sendmail -f {APP} inbox@dest.test")
        assert read_mail(nonce) is not None
        assert relay12.run(f"{as_user} find /run/dovecot -type s -writable 2>/dev/null").stdout == ""
        assert relay12.run(f"{as_user} ls /var/lib/postfix/relay").rc != 0

    def test_units_are_less_exposed(self, release: str, relay12: t.Any) -> None:
        """And survive a reload and a restart."""
        runs = PLATFORMS[release]["units"][-1]
        journal = journal_from_now(relay12)
        for unit, most in ((runs, 3.3), ("dovecot.service", 2.2)):
            relay12.check_output(f"systemctl reload {unit} && systemctl restart {unit}")
            verdict = relay12.check_output(f"systemd-analyze security --no-pager {unit} | tail -n 1")
            assert float(re.findall(r"[0-9]+\.[0-9]", verdict)[0]) <= most, verdict
        grumbled = f"{journal} --unit={runs} --unit=dovecot --priority=err --output=cat"
        assert relay12.run(grumbled).stdout.replace("-- No entries --", "").strip() == ""

    @pytest.mark.usefixtures("release")
    def test_an_address_with_wrong_logins_is_banned(
        self, relay12: t.Any, hosts: dict[str, t.Any], probe: Probe, passwords: dict[str, str]
    ) -> None:
        """From outside: for the ports with a login, and for that address only, in an allowed network or not."""
        offer_packages(relay12, "relay12", ["fail2ban", "python3-systemd"])
        converge("bans", relay_bans={"backend": "fail2ban", "failures": 4}).succeeded()
        right = [f"AUTH {APP} {passwords[APP]}"]
        addresses = {name: hosts[name].check_output("hostname -I").split()[0] for name in ("outsider", "client")}
        try:
            for attacker, other, mechanism in (
                ("outsider", "client", "SCRAM-SHA-256"),
                ("client", "outsider", "PLAIN"),
            ):
                attack = {"host": NAME, "mechanism": mechanism, "users": [APP], "rounds": 16, "together": 1}
                answers = [words[-1].split()[0] for words, _seconds in probe(attacker, "wrong_logins", **attack)[APP]]
                assert answers[0] == "535"
                assert answers[-4:] == ["refused"] * 4, answers
                assert probe(attacker, "open_ports", host=NAME, ports=[22, 25, 465, 587]) == [22, 25]
                # It may be banned for wrong logins of earlier tests, or was the attacker before. A failure that was
                # under way at a ban counts double after it, and may ban the address anew.
                until(functools.partial(unbanned, relay12, probe, other, address=addresses[other]))
                assert probe(other, "dialogue", host=NAME, port=587, tls="starttls", commands=right)[-1][0] == 235
        finally:
            print(relay12.check_output("grep relay-logins /var/log/fail2ban.log"))
            without = converge("without-bans")
        assert without.succeeded().count("relay12", "changed") == 1
        assert not relay12.service("fail2ban").is_running
        assert not relay12.service("fail2ban").is_enabled
        assert not relay12.file("/etc/fail2ban/jail.d/00-mailops-relay.conf").exists
        relay12.check_output("apt-get purge -qq -y fail2ban python3-systemd")  # the upgrade knows no newer ones


def unbanned(relay: t.Any, probe: Probe, name: str, address: str) -> bool:
    """End the ban of an address; tell whether its host can connect then."""
    relay.check_output(f"fail2ban-client unban {address}")
    return probe(name, "open_ports", host=NAME, ports=[587]) == [587]


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


@pytest.mark.usefixtures("converged_again")
def test_ubuntu_by_name_on_debian_13(relay12: t.Any, call_it: t.Callable[[str, str], None]) -> None:
    call_it("ubuntu", "26.04")
    run_as_new(relay12, "Ubuntu-26.04")
