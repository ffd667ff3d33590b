# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay that logs in with OAuth2 tokens: each way to get one, and mail of every kind and every reply."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.oauth import (
    INBOX,
    OPS,
    converge,
    fetch,
    order,
    submit,
    upstream,
    wait_for_queue,
    ways,
)

pytestmark = [pytest.mark.third_lab, pytest.mark.last, pytest.mark.usefixtures("restored")]

FindMail = t.Callable[..., list[bytes]]
LOGGED_IN = b"Authenticated sender: relay@provider.test"


@pytest.mark.parametrize(
    ("way", "size"), [("refresh_token", 0), ("certificate", 0), ("service_account", 0), ("client_secret", 3000)]
)
def test_each_way_to_get_a_token_delivers_mail(
    hosts: t.Any, provider: t.Any, passwords: t.Any, find_mail: FindMail, way: str, size: int
) -> None:
    relay, server = hosts["relay"], upstream(ways(passwords)[way])
    order(provider, size=size)
    assert converge(f"{way}-1", server).succeeded().count("relay", "changed") > 0
    assert converge(f"{way}-2", server).succeeded().count("relay", "changed") == 0
    assert fetch(relay) == 0
    (message,) = find_mail(f"SUBJECT {submit(relay)}")
    assert LOGGED_IN in b" ".join(message.split())
    assert order(provider)["counts"]["introspect"] >= 1


def test_each_recipient_gets_the_reply_of_the_provider(relay: t.Any, find_mail: FindMail) -> None:
    """One of three is refused: the others get the message once, and the sender one report about the one."""
    subject = submit(relay, INBOX, OPS, "nobody@dest.test")
    wait_for_queue(relay)
    for mailbox in (INBOX, OPS):
        assert len(find_mail(f"HEADER Subject {subject}", mailbox=mailbox)) == 1
    reports = find_mail('SUBJECT "Undelivered Mail"')
    (report,) = [one for one in reports if subject.encode() in one]
    assert re.findall(rb"Final-Recipient: rfc822; ?(\S+)", report) == [b"nobody@dest.test"]
    assert b"550 5.1.1" in report


def test_only_the_recipient_that_is_refused_for_now_waits(relay: t.Any, find_mail: FindMail) -> None:
    subject = submit(relay, INBOX, "full@dest.test")
    assert len(find_mail(f"SUBJECT {subject}")) == 1
    listing = wait_for_queue(relay, '"queue_name": "deferred"')  # an active message lists what is done, too
    relay.check_output("postsuper -d ALL")
    assert re.findall(r'"address": "([^"]+)"', listing) == ["full@dest.test"]
    assert "452 4.2.2" in listing


def test_a_message_of_25_megabytes_arrives(relay: t.Any, probe: t.Any, find_mail: FindMail) -> None:
    code, text = probe(
        "client",
        "post",
        host="relay.sender.test",
        sender=INBOX,
        recipient=INBOX,
        subject="large-25",
        padding=25_000_000,
    )
    assert code == 250, text
    wait_for_queue(relay, seconds=120)
    (message,) = find_mail("SUBJECT large-25")
    assert len(message) > 25_000_000


def test_addresses_and_headers_in_utf8_arrive(relay: t.Any, probe: t.Any, find_mail: FindMail) -> None:
    body = "BODY From: <inbox@dest.test>\r\nTo: <jörg@dest.test>\r\nSubject: grüße-oauth\r\n\r\nhallo, jörg\r\n"
    commands = ["MAIL FROM:<inbox@dest.test> SMTPUTF8 BODY=8BITMIME", "RCPT TO:<jörg@dest.test>", body]
    replies = probe("client", "raw_dialogue", host="relay.sender.test", port=25, commands=commands)
    assert replies[-1].startswith("250"), replies
    wait_for_queue(relay)
    found = find_mail('TEXT "hallo, j"')
    assert [b"UTF8SMTPSA" in message and "grüße-oauth".encode() in message for message in found] == [True], found


def test_a_fourth_connection_is_refused_and_nothing_is_lost(
    hosts: t.Any, provider: t.Any, passwords: t.Any, find_mail: FindMail
) -> None:
    """The provider takes three messages at a time, and the relay is told to send six."""
    relay, port = hosts["relay"], 2594
    server = upstream(ways(passwords)["client_secret"], port=port, connections=6)
    converge("many", server).succeeded()
    order(provider, down=True)
    relay.check_output(f"rm -f /var/lib/postfix-oauth/*{port}.token")
    subjects = [submit(relay, INBOX, OPS) for dummy in range(20)]
    relay.check_output("postsuper -h ALL")
    order(provider, reset=True, threads=3, hold=1)
    assert fetch(relay, port) == 0
    relay.check_output("postsuper -H ALL && postqueue -f")
    wait_for_queue(relay, seconds=180)
    counts = order(provider)["counts"]
    assert counts["peak"] > 3, counts
    assert counts["refused"] > 0, counts
    log = relay.check_output("journalctl --no-pager -o cat -g 'sender thread limit exceeded'")
    assert "432 4.3.2" in log
    for mailbox in (INBOX, OPS):
        arrived = [len(find_mail(f"SUBJECT {subject}", mailbox=mailbox)) for subject in subjects]
        assert arrived == [1] * len(subjects), arrived
