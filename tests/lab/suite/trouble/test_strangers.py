# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers may do, and as whom a login may send, in every spelling that Postfix takes.

As in test_attacks.py a reply proves nothing: what the relay lets through arrives at its upstream.
"""

from __future__ import annotations

import re
import typing as t
import uuid

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.trouble.test_attacks import APP, REFUSED, RELAY, Probe, plain
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.upstream import Arrival, FaultyUpstream

STRANGER, INBOX = "y@outsider.test", "inbox@dest.test"
EHLO = "EHLO probe.test\r\n"
#: Addresses that mean the postmaster of this host, or look as if they did. ``{ip}`` is the relay's address.
POSTMASTERS = [
    *("<postmaster>", "postmaster", "<PostMaster>", "< postmaster >", '<"postmaster">', '"postmaster"'),
    *("<post\\master>", '<"post\\master">', "<@a.test:postmaster>", "<@a.test,@b.test:postmaster>"),
    *("<postmaster(x)>", "<(x)postmaster>", "<postmaster (x@b.test)>", "<postmaster (x@b.test>", "<postmaster@>"),
    *(
        "Joe <postmaster>",
        '"a@b.test" <postmaster>',
        "<a@b.test <postmaster>>",
        "<<postmaster>>",
        "<postmaster>@b.test",
    ),
    *("<postmaster:;@b.test>", "<postmaster;x@b.test>", "x:postmaster;", "<postmaster,>", "<,postmaster>"),
    *(f"<postmaster@{RELAY}>", "<postmaster@[{ip}]>", "<root>", "<root@[{ip}]>", f"<root@{RELAY}>"),
    *("<postmaster@sender.test>", f"<postmaster%{RELAY}>", f"<{RELAY}!postmaster>", "<postmaster.>"),
]
#: Senders that are ours, or that do not exist.
OURS = [
    *(APP, "APP@Sender.Test", "boss@sender.test", f"x@{RELAY}", "boss@sender.test.", '"a b"@sender.test'),
    *("@a.test:boss@sender.test", '"app@sender.test"@sender.test', "sender.test!boss", "boss%sender.test", "boss"),
    *("root", '"boss"', "boss@", "boss@localhost", "sender.test!boss@[{ip}]", "boss%sender.test@[{ip}]"),
    *('"boss@sender.test"', "boss@sender.test(y@outsider.test)", "x@not-registered.test"),
]
#: Senders as which a login tries to send.
SPELLINGS = [
    *(APP, "APP@Sender.Test", f"{APP}.", '"app"@sender.test', "app", "a\\pp@sender.test", f"@a.test:{APP}"),
    *(f'"{APP}"@sender.test', f'"{APP}"@{RELAY}', f'"{APP}"@[{{ip}}]', f'"{APP}"@[127.0.0.1]', f'"{APP}"@'),
    *("app\\@sender.test@sender.test", f"{APP}@sender.test", f'"{APP}"', f"{APP}@", '"@sender.test"@sender.test'),
    *("app%sender.test@[{ip}]", "sender.test!app@[{ip}]", "app%sender.test@[IPv6:::1]", "app@[{ip}]"),
    *("app%sender.test@[ 127.0.0.1 ]", "app%sender.test@(x)[127.0.0.1]", f"app%sender.test@{RELAY}"),
    *("sender.test!app", "app%sender.test", "sender.test!app@sender.test", f"boss@sender.test({APP})"),
    *(
        f"{APP}(boss@sender.test)",
        f'"{APP}" <boss@sender.test>',
        f"boss@sender.test, {APP}",
        "boss@sender.test",
        "boss",
    ),
    *("app+x@sender.test", '""@sender.test', "@sender.test", '""', "", "@"),
]
#: A port that shows that the attempts can succeed.
OPEN_PORT = 2600
UNPROTECTED = f"""
{OPEN_PORT} inet n - n - - smtpd
  -o smtpd_command_filter=
  -o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination
"""

pytestmark = pytest.mark.usefixtures("unprotected")


Attempts = t.Mapping[str, tuple[str, str]]
Send = t.Callable[..., tuple[dict[str, str], dict[str, Arrival]]]


@pytest.fixture
def send(upstream: FaultyUpstream, probe: Probe, address: str) -> Send:
    """``send(on, attempts, ...)``: for each MAIL and RCPT the replies, and what arrived."""

    def run(
        on: str, attempts: Attempts, port: int = 25, tls: str = "none", first: t.Sequence[str] = ()
    ) -> tuple[dict[str, str], dict[str, Arrival]]:
        nonces = {name: uuid.uuid4().hex for name in attempts}
        conversations = [
            {
                "host": RELAY,
                "port": port,
                "tls": tls,
                "segments": [
                    *(
                        EHLO,
                        *first,
                        f"MAIL FROM:{mail}\r\n".format(ip=address),
                        f"RCPT TO:{rcpt}\r\n".format(ip=address),
                    ),
                    *("DATA\r\n", f"From: a@b.test\r\nSubject: {nonces[name]}\r\n\r\nhello\r\n.\r\n"),
                ],
            }
            for name, (mail, rcpt) in attempts.items()
        ]
        replies = probe(on, "talk_each", conversations=conversations)
        upstream.wait_for_empty_queue()
        arrived = {name: upstream.taken(nonce) for name, nonce in nonces.items()}
        said = {name: "".join(received) for name, received in zip(attempts, replies, strict=True)}
        return said, {name: found[0] for name, found in arrived.items() if found}

    return run


@pytest.mark.parametrize(("port", "tls"), [(25, "none"), (587, "starttls")])
def test_a_stranger_cannot_use_the_login_for_the_upstream(send: Send, port: int, tls: str) -> None:
    said, arrived = send("outsider", {one: (f"<{STRANGER}>", one) for one in POSTMASTERS}, port, tls)
    assert arrived == {}
    assert [one for one, replies in said.items() if not REFUSED.search(replies)] == []


def test_without_protection_a_stranger_uses_the_login(send: Send) -> None:
    bare = ["<postmaster>", '<"postmaster">', "<@a.test:postmaster>", f"<root@{RELAY}>"]
    _said, arrived = send("outsider", {one: (f"<{STRANGER}>", one) for one in bare}, OPEN_PORT)
    assert list(arrived) == bare


def test_a_bare_postmaster_is_the_postmaster_of_the_host_for_allowed_networks(send: Send) -> None:
    said, arrived = send("client", {one: (f"<{APP}>", one) for one in ("<Postmaster>", "<root>")})
    assert {name: one.recipients for name, one in arrived.items()} == {
        "<Postmaster>": ["postmaster@sender.test"],
        "<root>": ["postmaster@sender.test"],
    }, said


def test_a_stranger_cannot_send_as_one_of_ours(send: Send) -> None:
    attempts = {one: (f"<{one}>", f"<{INBOX}>") for one in OURS}
    said, arrived = send("outsider", attempts)
    assert arrived == {}
    assert [one for one, replies in said.items() if not REFUSED.search(replies)] == []
    assert re.search("^550 5.7.1 .*log in to send", said["boss@sender.test"], re.MULTILINE)
    assert "550 5.1.8" in said["x@not-registered.test"], "a domain that does not exist is refused for good"
    assert list(send("outsider", dict(list(attempts.items())[:1]), OPEN_PORT)[1]) == OURS[:1]


def test_a_stranger_can_send_as_itself_and_return_a_bounce(send: Send) -> None:
    said, arrived = send("outsider", {one: (f"<{one}>", f"<{INBOX}>") for one in (STRANGER, "")})
    assert [one.sender for one in arrived.values()] == [STRANGER, ""], said


def test_every_spelling_of_a_sender_is_bound_to_its_login(send: Send, passwords: dict[str, str]) -> None:
    """What is accepted arrives with the plain address of the login; what follows a + belongs to its owner."""
    login = [f"AUTH PLAIN {plain(APP, passwords[APP])}\r\n"]
    attempts = {one: (f"<{one}>", f"<{INBOX}>") for one in SPELLINGS}
    said, arrived = send("outsider", attempts, 587, "starttls", login)
    senders = {one: arrival.sender.lower() for one, arrival in arrived.items()}
    assert set(senders.values()) == {APP, APP.replace("@", "+x@")}, senders
    refused = {one: replies for one, replies in said.items() if one not in arrived}
    assert {one: replies for one, replies in refused.items() if not REFUSED.search(replies)} == {}


@pytest.mark.parametrize(
    ("on", "hello", "offered"), [("outsider", "EHLO", 0), ("outsider", "HELO", 0), ("client", "EHLO", 1)]
)
def test_only_allowed_networks_get_delivery_reports(probe: Probe, on: str, hello: str, offered: bool) -> None:
    how = {"host": RELAY, "port": 25, "tls": "none"}
    first = [f"{hello} probe.test\r\n", f"MAIL FROM:<{STRANGER}>\r\n"]
    replies = probe(on, "talk", **how, segments=[*first, f"RCPT TO:<{INBOX}> NOTIFY=SUCCESS\r\n"])
    assert ("250-DSN" in replies[1]) == offered
    assert replies[3].startswith("250" if offered else "501 5.7.1"), replies
    if not offered:
        for parameter in ("RET=FULL", "ENVID=x"):
            *_before, reply, _rest = probe(on, "talk", **how, segments=[first[0], f"{first[1][:-2]} {parameter}\r\n"])
            assert reply.startswith("501 5.7.1"), reply


@pytest.mark.parametrize("command", ["HELP", "help mail", " HELP"])
def test_help_does_not_name_the_product(probe: Probe, command: str) -> None:
    *_before, reply, rest = probe(
        "outsider", "talk", host=RELAY, port=25, tls="none", segments=[EHLO, f"{command}\r\n"]
    )
    assert reply.startswith("5"), reply
    assert "ostfix" not in reply + rest


def test_messages_and_reports_name_neither_product_nor_user_id(
    upstream: FaultyUpstream, hosts: dict[str, t.Any]
) -> None:
    nonce = uuid.uuid4().hex
    for recipient in (INBOX, f"nobody@{RELAY}"):  # the second is returned
        hosts["relay"].check_output(f"printf 'Subject: {nonce}\\n\\nx\\n' | sendmail -f {APP} {recipient}")
    arrived = upstream.wait(nonce, count=2)
    assert [one.sender for one in sorted(arrived)] == ["", APP]
    message = next(one for one in arrived if one.sender)
    assert re.search(rf"^Received: by {RELAY} \(Mail\)", message.content, re.MULTILINE), message.content
    for one in arrived:
        assert not re.search(r"postfix", one.content, re.IGNORECASE), one.content


@pytest.mark.parametrize(("port", "tls"), [(465, ""), (587, "-starttls smtp")])
@pytest.mark.parametrize(
    ("ciphers", "accepted"),
    [
        *(("ECDHE+AESGCM", True), ("ECDHE+CHACHA20", True)),
        *(("ECDHE-RSA-AES256-SHA384", False), ("ECDHE-RSA-AES128-SHA", False), ("AES256-GCM-SHA384", False)),
        *(("ECDHE+CAMELLIA", False), ("DHE+AES+SHA256", False), ("aNULL", False)),
    ],
)
def test_only_ciphers_with_aead_are_offered(
    hosts: dict[str, t.Any], port: int, tls: str, ciphers: str, accepted: bool
) -> None:
    command = f"openssl s_client -connect {RELAY}:{port} {tls} -tls1_2 -cipher '{ciphers}:@SECLEVEL=0' </dev/null"
    done = hosts["client"].run(f"timeout 20 {command}")
    assert ("Cipher is (NONE)" not in done.stdout) == accepted, done.stdout + done.stderr
