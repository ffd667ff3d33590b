# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on the relay itself: killed under load, a full disk, no name server, an expired certificate."""

from __future__ import annotations

import concurrent.futures
import contextlib
import typing as t
import uuid

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import run_play
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.conftest import relay_tls
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.upstream import Arrival, FaultyUpstream, MailLog

RELAY, APP, RECIPIENT = "relay.sender.test", "app@sender.test", "somebody@dest.test"
SPOOL = "/var/spool/postfix"
MAIN = "/etc/postfix/main.cf"

Hosts = dict[str, t.Any]
Probe = t.Callable[..., t.Any]
Variables = dict[str, t.Any]


def letter(subject: str) -> list[str]:
    """Return one message for ``post_each``."""
    return [APP, RECIPIENT, subject]


@contextlib.contextmanager
def small_disk(host: t.Any, folder: str, size: str, before: str = "true", after: str = "true") -> t.Iterator[None]:
    """Mount a small disk over the folder, with the folder's content, and unmount it at the end."""
    host.check_output(
        f"{before} && tar -C {folder} -cf /root/disk.tar . && mount -t tmpfs -o size={size},mode=755 disk {folder} &&"
        f" tar -C {folder} -xpf /root/disk.tar && rm /root/disk.tar && {after}"
    )
    try:
        yield
    finally:
        host.check_output(f"{before} && umount {folder} && {after}")


def fill(host: t.Any, folder: str, left: int) -> None:
    """Fill a small disk except for ``left`` megabytes."""
    host.check_output(
        f"cat /dev/zero >{folder}/filling 2>/dev/null; truncate --size=-{left}M {folder}/filling; df {folder}"
    )


def test_accepted_messages_survive_kill_9(
    upstream: FaultyUpstream, hosts: Hosts, probe: Probe, journal: MailLog
) -> None:
    """Kill all of Postfix three times under twenty messages per second: each message with a 250 arrives.

    Only messages that are on their way to the upstream at such a moment may arrive twice.
    """
    relay, nonce = hosts["relay"], uuid.uuid4().hex
    messages = [letter(f"{nonce} {number}.") for number in range(240)]
    upstream.ask(forget=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sent = pool.submit(probe, "client", "post_each", host=RELAY, messages=messages, rate=20)
        for count in (20, 50, 80):
            upstream.wait(nonce, count=count)
            relay.check_output("systemctl kill --signal=KILL --kill-whom=all postfix.service")
            relay.check_output("systemctl reset-failed postfix.service; systemctl start postfix.service")
        replies = sent.result()
    upstream.wait_for_empty_queue()
    accepted = [message[2] for message, reply in zip(messages, replies, strict=True) if reply[0] == 250]
    arrived = [one.subject for one in upstream.taken(nonce)]
    copies = {message[2]: arrived.count(message[2]) for message in messages}
    lost = [subject for subject in accepted if not copies[subject]]
    twice = [subject for subject, count in copies.items() if count > 1]
    print(
        f"{len(accepted)} accepted, {len(messages) - len(accepted)} not accepted, {len(twice)} arrived twice: {twice}"
    )
    assert lost == [], journal.text[-4000:]
    assert len(accepted) < len(messages), "no session was interrupted, so the test proves nothing"
    assert len(accepted) >= 80, replies
    assert max(copies.values()) <= 2
    assert len(twice) <= 3 * 20, "more copies than three kills with twenty connections to the upstream explain"
    assert journal.text.count("code=killed, status=9/KILL") >= 3


def test_a_full_disk_defers_mail_and_loses_none(
    upstream: FaultyUpstream, hosts: Hosts, probe: Probe, journal: MailLog
) -> None:
    """Mail is refused with a 4xx and a log line, also if its content fills the disk; accepted mail is delivered."""
    relay, nonce = hosts["relay"], uuid.uuid4().hex
    upstream.wait_for_empty_queue()

    def post(*subjects: str, padding: int = 0) -> list[int]:
        messages = [letter(f"{nonce} {subject}") for subject in subjects]
        return [code for code, _text in probe("client", "post_each", host=RELAY, messages=messages, padding=padding)]

    with small_disk(relay, SPOOL, "100M", "systemctl stop postfix", "systemctl start postfix"):
        upstream.ask(rules=[{"stage": "RCPT", "do": "450 4.2.0 not now"}])
        assert post("before") == [250]
        journal.wait("450 4.2.0 not now")
        fill(relay, SPOOL, left=0)
        assert post("full") == [452]
        journal.wait("Insufficient system storage")
        upstream.recover()
        upstream.wait_for_empty_queue()
        fill(relay, SPOOL, left=45)
        assert post("alone", padding=20_000_000) == [250]
        upstream.wait_for_empty_queue()
        upstream.ask(rules=[{"stage": "RCPT", "do": "450 4.2.0 not now"}])  # or a slow machine makes room in between
        large = [f"large {number}" for number in range(4)]
        codes = dict(zip(large, post(*large, padding=20_000_000), strict=True))
        assert list(codes.values()).count(250) <= 2, codes  # none if all four fill it at the same time
        assert set(codes.values()) <= {250, 451, 452}, codes
        relay.check_output(f"rm {SPOOL}/filling")
        upstream.recover()
        assert post("after") == [250]
        upstream.wait_for_empty_queue()
    taken = [subject for subject, code in codes.items() if code == 250]
    subjects = sorted(one.subject.removeprefix(f"{nonce} ") for one in upstream.taken(nonce))
    assert subjects == sorted(["after", "alone", "before", *taken])


@pytest.mark.parametrize("folder", ["/etc/postfix", "/var/lib/mailops"])
def test_a_run_on_a_full_disk_changes_nothing(
    upstream: FaultyUpstream, hosts: Hosts, variables: Variables, folder: str
) -> None:
    del upstream
    relay = hosts["relay"]
    before = relay.file(MAIN).content_string
    changed = {**variables, "relay_settings": {**variables["relay_settings"], "smtpd_banner": "never"}}
    with small_disk(relay, folder, "1M"):
        fill(relay, folder, left=0)
        play = run_play(f"trouble-full{folder.replace('/', '-')}", "playbooks/relay.yml", extra=changed)
        assert play.code != 0
        assert play.says("No space left on device")
        assert relay.file(MAIN).content_string == before
        assert relay.check_output("bash -c 'head -n 1 </dev/tcp/127.0.0.1/25'").startswith(f"220 {RELAY}")
    assert relay.file(MAIN).content_string == before


def test_mail_stays_queued_until_the_name_server_works(
    upstream: FaultyUpstream, hosts: Hosts, probe: Probe, journal: MailLog
) -> None:
    nonce, address = uuid.uuid4().hex, probe("client", "resolve", host=RELAY)
    hosts["ns"].check_output("systemctl stop named")
    try:
        reply = probe("client", "post_each", host=address, messages=[letter(nonce)])[0]
        assert reply[0] == 250, reply
        journal.wait("Name service error for name=smtp.provider.test")
    finally:
        hosts["ns"].check_output("systemctl start named")
    upstream.wait_for_empty_queue()
    assert [one.subject for one in upstream.taken(nonce)] == [nonce]


def test_an_undeliverable_message_is_returned(
    upstream: FaultyUpstream, hosts: Hosts, probe: Probe, journal: MailLog
) -> None:
    """Returned at the end of its lifetime in the queue, with the last reason."""
    relay, nonce = hosts["relay"], uuid.uuid4().hex
    upstream.ask(rules=[{"stage": "RCPT", "do": "450 4.2.0 not today", "sender": APP}])
    relay.check_output(f"cp -p {MAIN} /root/main.cf && postconf -e maximal_queue_lifetime=0")
    relay.check_output("systemctl reload postfix")
    try:
        assert probe("client", "post_each", host=RELAY, messages=[letter(nonce)])[0][0] == 250
        upstream.wait_for_empty_queue()
    finally:
        relay.check_output(f"cp -p /root/main.cf {MAIN} && rm /root/main.cf && systemctl reload postfix")
    bounces: list[Arrival] = upstream.taken(nonce)
    assert [(one.sender, one.recipients) for one in bounces] == [("", [APP])]
    assert "450 4.2.0 not today" in " ".join(bounces[0].content.split())
    journal.wait("status=expired, returned to sender")


def test_an_expired_certificate_never_goes_live(
    upstream: FaultyUpstream, hosts: Hosts, probe: Probe, variables: Variables
) -> None:
    del upstream
    relay = hosts["relay"]
    before = relay.file("/etc/postfix/relay.pem").sha256sum
    expired = {**variables, "relay_tls": relay_tls(begins=-2, ends=-1)}
    play = run_play("trouble-expired", "playbooks/relay.yml", extra=expired)
    assert play.code != 0
    assert play.says("relay_tls.certificate: the certificate expired on")
    assert play.count("relay", "changed") == 0
    assert relay.file("/etc/postfix/relay.pem").sha256sum == before
    probe("client", "dialogue", host=RELAY, port=587, tls="starttls", commands=[])  # verifies the certificate


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rules": [{"stage": "RCPT", "do": "550 5.7.1 proof unwelcome"}]}, "550 5.7.1 proof unwelcome"),
        ({"listen": False}, "Connection refused"),
    ],
)
def test_the_play_reports_why_its_test_message_did_not_arrive(
    upstream: FaultyUpstream, variables: Variables, wrong: dict[str, t.Any], words: str
) -> None:
    upstream.ask(**wrong)
    proof = {**variables, "relay_verify": {"to": RECIPIENT, "timeout": 5}}
    play = run_play("trouble-proof", "playbooks/relay.yml", extra=proof)
    assert play.code != 0
    assert play.says(words)
    upstream.recover()
    upstream.wait_for_empty_queue()
