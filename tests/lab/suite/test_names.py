# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail of local programs and of hosts behind a relay: raw headers, names of the host, one sender, names in the log."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.conftest import parse
from ansible_collections.mailops.smtp.tests.lab.suite.journals import journal_from_now
from ansible_collections.mailops.smtp.tests.lab.suite.plays import BUILD, PROGRAM_LIMIT, ROOT, Play, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.upstream import MailLog

pytestmark = pytest.mark.third_lab

LOGIN, INBOX, OPS = "relay@provider.test", "inbox@dest.test", "ops@dest.test"
HOSTS = {"relay": "relay.sender.test", "relay12": "relay12.sender.test"}
#: Ports of the upstream, and what they lack.
FULL, NO_SMTPUTF8, NO_8BITMIME, LOGIN_ONLY = 587, 2590, 2591, 2592
FindMail = t.Callable[..., list[bytes]]


class Relay:
    """A relay of the lab, and the ways in which programs send mail on it."""

    def __init__(self, name: str, host: t.Any, passwords: dict[str, str], find_mail: FindMail) -> None:
        self.name, self.hostname, self.host = name, HOSTS[name], host
        self.find = find_mail
        self._password = passwords[LOGIN]

    def run(self, play: str, port: int = FULL, **extra: t.Any) -> Play:
        """Run the role with the upstream at a port."""
        more = extra.pop("upstream", {})
        upstream = {"host": "smtp.provider.test", "port": port, "username": LOGIN, "password": self._password, **more}
        variables = {"relay_upstream": upstream, "relay_dns": {"check": []}, "relay_verify": {}}
        variables["relay_aliases"] = {"root": OPS}
        return run_play(
            f"names-{self.name}-{play}", "playbooks/relay.yml", extra={**variables, **extra}, relay=self.name
        )

    def program(self, header: str, *recipients: str, sender: str = "", body: str = "x") -> None:
        """Send with sendmail(1), as cron does, in the locale that cron has."""
        options = f"-i {f'-f {sender}' if sender else ''} {' '.join(recipients)}"
        done = subprocess.run(
            ["ssh", "-F", str(self._ssh), self.name, f"LC_ALL=C sendmail {options}"],
            input=f"{header}\n\n{body}\n".encode(),
            timeout=60,
            check=False,
        )
        assert done.returncode == 0

    _ssh = BUILD / os.environ.get("LAB_NAME", "lab") / "ssh_config"

    def raw(self, word: str, mailbox: str = INBOX) -> bytes:
        """Wait for the mail that has this word anywhere."""
        found = self.find(f'TEXT "{word}"', mailbox=mailbox)
        assert found, self.host.run("journalctl --no-pager -n 40 -u 'postfix*'").stdout
        return found[-1]

    def mail(self, word: str, mailbox: str = INBOX) -> t.Any:
        """Wait for the mail that has this word anywhere, and parse it."""
        return parse(self.raw(word, mailbox))


@pytest.fixture(scope="module", autouse=True)
def _as_it_was() -> t.Iterator[None]:
    yield
    run_play("names-none", "playbooks/relay.yml").succeeded()


@pytest.fixture(scope="module", params=HOSTS)
def relay(
    request: pytest.FixtureRequest, hosts: dict[str, t.Any], passwords: dict[str, str], find_mail: FindMail
) -> t.Iterator[Relay]:
    """The relay on Debian 13, then that on Debian 12, which other tests expect to be bare."""
    yield Relay(request.param, hosts[request.param], passwords, find_mail)
    if request.param == "relay12":
        lab = str(ROOT / "tests/lab/lab")
        subprocess.run([lab, "up", "relay12"], check=True, stdout=subprocess.DEVNULL, timeout=PROGRAM_LIMIT)


def smtp(probe: t.Any, on: str, host: str, sender: str, recipient: str, header: str, extension: str = "") -> str:
    """Send over SMTP, and return the reply to the content."""
    commands = [f"MAIL FROM:<{sender}>{extension}", f"RCPT TO:<{recipient}>", f"BODY {header}\r\n\r\nhello\r\n"]
    replies = probe(on, "raw_dialogue", host=host, port=25, commands=commands)
    return str(replies[-1])


NULL_CLIENT: dict[str, t.Any] = {"relay_listeners": [], "relay_networks": [], "relay_users": []}
#: Each kind of host, and the port of its upstream.
KINDS: dict[str, tuple[dict[str, t.Any], int]] = {
    "relay": ({}, FULL),
    "relay-no-SMTPUTF8": ({}, NO_SMTPUTF8),
    "relay-no-8BITMIME": ({}, NO_8BITMIME),
    "null-client": (NULL_CLIENT, NO_8BITMIME),
}


@pytest.fixture(scope="class", params=KINDS)
def upstream(request: pytest.FixtureRequest, relay: Relay) -> int:
    """The port of the upstream that the relay uses."""
    variables, port = KINDS[request.param]
    relay.run(f"raw-{request.param}", port, **variables).succeeded()
    return port


class TestRawHeaders:
    """A header beyond ASCII does not make mail undeliverable; an address does only where no server takes it."""

    def test_mail_of_programs_arrives(self, relay: Relay, upstream: int) -> None:
        words = [uuid.uuid4().hex for _number in range(4)]
        utf8 = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit"
        relay.program(f"Subject: Größe {words[0]}", INBOX)
        relay.program(f"Subject: Größe {words[1]}\n{utf8}", INBOX, body="über")
        relay.program(f"From: Jürgen <x@sender.test>\nX-Job: ü\nSubject: a\n Größe {words[2]}", INBOX)
        relay.program(f"Subject: Größe {words[3]}", "root")
        assert "Größe" in relay.mail(words[0])["Subject"]
        assert re.search("über|=C3=BCber".encode(), relay.raw(words[1]))
        assert "Größe" in relay.mail(words[2])["Subject"]
        assert relay.mail(words[3], mailbox=OPS)

    def test_mail_over_smtp_arrives(self, relay: Relay, upstream: int, probe: t.Any) -> None:
        on_loopback = relay.host.check_output("postconf -h inet_interfaces") == "loopback-only"
        way = (relay.name, "127.0.0.1") if on_loopback else ("client", relay.hostname)
        for extension in ("", " BODY=8BITMIME", " BODY=8BITMIME SMTPUTF8"):
            word = uuid.uuid4().hex
            assert smtp(probe, *way, "x@sender.test", INBOX, f"Subject: Größe {word}", extension).startswith("250")
            assert "Größe" in relay.mail(word)["Subject"]

    def test_address_beyond_ascii_arrives_or_the_sender_hears_of_it(
        self, relay: Relay, upstream: int, probe: t.Any
    ) -> None:
        word = uuid.uuid4().hex
        sent = ("x@sender.test", "jörg@dest.test", f"Subject: Größe {word}", " SMTPUTF8")
        assert smtp(probe, relay.name, "127.0.0.1", f"root@{relay.hostname}", *sent[1:]).startswith("250")
        if upstream == FULL:
            assert relay.mail(word)
        else:
            notice = relay.mail(word, mailbox=OPS)
            assert "SMTPUTF8" in notice.as_string()
            assert notice["Subject"].startswith("Undelivered Mail")

    def test_bounce_that_no_one_gets_reaches_the_reader_of_root(self, relay: Relay, upstream: int) -> None:
        """No server without SMTPUTF8 takes mail of this sender, nor the bounce to it."""
        if upstream == FULL:
            pytest.skip("the upstream takes the message")
        word = uuid.uuid4().hex
        relay.program(f"Subject: Größe {word}\nFrom: x@sender.test", "nobody@dest.test", sender="jörg@nosuch.test")
        assert b"Subject: Postmaster Copy" in relay.raw(word, mailbox=OPS)


@pytest.fixture(scope="class")
def _plain(relay: Relay) -> None:
    relay.run("names").succeeded()


@pytest.mark.usefixtures("_plain")
class TestNamesOfTheHost:
    @pytest.mark.parametrize(
        "name",
        [
            *("", "@localhost", "@localhost.localdomain", "@SHORT", "@FQDN", "@sender.test", "@localhost.sender.test"),
            *("@LocalHost", "@localhost6", "@[127.0.0.1]"),
        ],
    )
    def test_mail_to_root_reaches_the_reader_and_leaves_with_a_valid_sender(self, relay: Relay, name: str) -> None:
        at = name.replace("SHORT", relay.name.upper()).replace("FQDN", relay.hostname)
        for user in ("root", "Root+tag"):
            word = uuid.uuid4().hex
            relay.program(
                f"Subject: {word}\nFrom: Web <www-data{at}>\nTo: {user}{at}", f"{user}{at}", sender=f"www-data{at}"
            )
            message = relay.mail(word, mailbox=OPS)
            sender = f"www-data@{relay.hostname if 'FQDN' in name else 'sender.test'}"
            assert (message["From"], message["Return-Path"]) == (f"Web <{sender}>", f"<{sender}>")
            assert message["X-Original-To"] in (None, OPS)
            assert "localhost" not in message["To"]

    def test_unknown_name_at_localhost_does_not_leave(self, relay: Relay) -> None:
        word = uuid.uuid4().hex
        relay.program(f"Subject: {word}", "webmaster@localhost")
        assert relay.mail(word, mailbox=OPS)["Subject"].startswith("Undelivered Mail")


@pytest.fixture(scope="class")
def converged(relay: Relay) -> None:
    """The relay with the switch, proved as a host behind it would send."""
    relay.run("sender", LOGIN_ONLY, upstream={"sender": "login"}, relay_verify={"to": INBOX}).succeeded()


class TestOneSender:
    """The upstream accepts no sender but the login."""

    def test_mail_of_programs_is_sent_by_the_login(self, relay: Relay, converged: None) -> None:
        for sender, field in (
            ("", ""),
            ("www@localhost", "\nFrom: Web <www@localhost>"),
            ("", "\nFrom: x@y.test (Job)"),
        ):
            word = uuid.uuid4().hex
            relay.program(f"Subject: {word}\nReply-To: admin@sender.test{field}", INBOX, sender=sender)
            message = relay.mail(word)
            assert message["Return-Path"] == f"<{LOGIN}>"
            assert [one.addr_spec for one in message["From"].addresses] == [LOGIN]
            assert message["Reply-To"] == "admin@sender.test"

    def test_mail_of_a_host_behind_the_relay_is_sent_by_the_login(
        self, relay: Relay, converged: None, probe: t.Any
    ) -> None:
        word = uuid.uuid4().hex
        sender = "root@client.sender.test"
        header = f"From: {sender}\r\nSender: {sender}\r\nTo: root@dest.test\r\nSubject: {word}"
        assert smtp(probe, "client", relay.hostname, sender, INBOX, header).startswith("250")
        message = relay.mail(word)
        assert (message["Return-Path"], message["From"]) == (f"<{LOGIN}>", f'"{sender}" <{LOGIN}>')
        assert (message["Sender"], message["To"]) == (None, "root@dest.test")

    def test_bounce_keeps_its_null_sender(self, relay: Relay, converged: None) -> None:
        log = MailLog(relay.host)
        relay.program("Subject: x", "webmaster@localhost")
        assert log.wait(f"from=<{LOGIN}>, size=")
        assert log.wait("from=<>, size=")
        assert log.wait(f"to=<{LOGIN}>, relay=smtp.provider.test")

    def test_notice_keeps_its_sender_until_it_leaves(self, relay: Relay, converged: None) -> None:
        """Postfix recognises it by that, and ends a loop of bounces."""
        log, word = MailLog(relay.host), uuid.uuid4().hex
        relay.program(f"Subject: {word}", "webmaster@localhost", sender='"<>"')
        assert log.wait(f"from=<double-bounce@{relay.hostname}>, size=")
        message = relay.mail(word, mailbox=OPS)
        assert message["Return-Path"] == f"<{LOGIN}>"
        assert [one.addr_spec for one in message["From"].addresses] == [LOGIN]

    def test_header_tables_do_as_the_unit_tests_say(self, relay: Relay, converged: None) -> None:
        """One question to the real regexp_table(5); the unit tests ask all."""
        table = "regexp:/etc/postfix/relay_from_to-smtp-provider-test-2592"
        for field, result in (
            ("From: Größe <x@a.test>", f"REPLACE From: Größe <{LOGIN}>"),
            (f"From: Me <{LOGIN}>", "DUNNO"),
            ("From: a@a.test, B <b@a.test>", f"REPLACE From: <{LOGIN}>"),
        ):
            assert relay.host.check_output(f"postmap -q '{field}' {table}") == result

    def test_proof_fails_where_mail_of_a_host_behind_the_relay_would(self, relay: Relay) -> None:
        """The old recipe rewrites only the domain itself."""
        rewrites = {"sender_canonical": {"@sender.test": LOGIN}}
        play = relay.run("old-recipe", LOGIN_ONLY, relay_rewrites=rewrites, relay_verify={"to": INBOX})
        assert play.code != 0
        assert play.says(f"Sender address rejected: not owned by user {LOGIN}")
        assert play.says("relay_upstream.sender: login")
        relay.host.check_output("postsuper -d ALL")


@pytest.fixture(scope="session")
def unpacked() -> t.Callable[[str], Path]:
    """``unpacked(package)`` returns the folder of a Debian package, or skips if this machine cannot have it."""

    def unpack(package: str) -> Path:
        folder = BUILD / "packages" / package
        if not folder.exists():
            folder.mkdir(parents=True)
            subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, capture_output=True, check=False)
            for archive in folder.glob("*.deb"):
                subprocess.run(["dpkg-deb", "-x", str(archive), str(folder)], check=True)
        if not (folder / "usr").exists():
            folder.rmdir()
            pytest.skip(f"apt has no package {package}")
        return folder

    return unpack


@pytest.fixture(scope="class")
def log(relay: Relay, probe: t.Any, passwords: dict[str, str]) -> str:
    """The log of a message at each listener, a wrong login, and a recipient that is refused."""
    if relay.name != "relay":
        pytest.skip("the client may not send through this relay")
    relay.run("log").succeeded()
    journal = journal_from_now(relay.host)
    send = [f"AUTH app@sender.test {passwords['app@sender.test']}", "MAIL FROM:<app@sender.test>"]
    send += [f"RCPT TO:<{INBOX}>", "BODY Subject: x\r\n\r\nhello\r\n"]
    for port, tls in ((587, "starttls"), (465, "implicit")):
        probe("client", "dialogue", host=relay.hostname, port=port, tls=tls, commands=send)
        wrong = ["AUTH app@sender.test wrong"]
        probe("client", "dialogue", host=relay.hostname, port=port, tls=tls, commands=wrong)
    probe("client", "dialogue", host=relay.hostname, port=25, tls="none", commands=send[1:])
    refused = ["MAIL FROM:<x@outsider.test>", f"RCPT TO:<{INBOX}>"]
    probe("outsider", "dialogue", host=relay.hostname, port=25, tls="none", commands=refused)
    relay.program("Subject: x", INBOX)
    read = f"{journal} -o short SYSLOG_FACILITY=2"
    relay.host.check_output(f'timeout 90 sh -c "until [ $({read} | grep -c status=sent) -ge 4 ]; do sleep 0.2; done"')
    return str(relay.host.check_output(read))


class TestNamesInTheLog:
    """pflogsumm and fail2ban, as Debian has them, read the log of each listener."""

    def test_pflogsumm_counts_every_message(self, log: str, unpacked: t.Callable[[str], Path], tmp_path: Path) -> None:
        (tmp_path / "mail.log").write_text(log + "\n")
        tool = unpacked("pflogsumm") / "usr/sbin/pflogsumm"
        report = subprocess.run(
            ["perl", str(tool), str(tmp_path / "mail.log")], capture_output=True, text=True, check=True
        ).stdout
        counts = {
            word: int(number) for number, word in re.findall(r"^ +(\d+) +(\w+)", report.partition("Per-")[0], re.M)
        }
        assert {name: counts[name] for name in ("received", "delivered", "rejected")} == {
            "received": 4,
            "delivered": 4,
            "rejected": 1,
        }, report
        assert "smtpd (total:" in report

    def test_fail2ban_finds_each_wrong_login(self, log: str, unpacked: t.Callable[[str], Path], tmp_path: Path) -> None:
        (tmp_path / "mail.log").write_text(log + "\n")
        folder = unpacked("fail2ban")
        config = folder / "etc/fail2ban"
        command = ["python3", str(folder / "usr/bin/fail2ban-regex"), "-c", str(config), "--datepattern", "{^LN-BEG}"]
        command += [str(tmp_path / "mail.log"), "postfix[mode=aggressive]", "-o", "ip"]
        environment = {**os.environ, "PYTHONPATH": str(folder / "usr/lib/python3/dist-packages")}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        prefix = log.partition("client.sender.test[")[2].partition("]")[0]
        assert done.stdout.split().count(prefix) >= 2, done.stdout + done.stderr + log
