# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on the relay by outsiders, and by users who exceed their permissions.

A reply proves nothing: each attempt carries a nonce, and a message that the relay lets through arrives at its upstream.
Two more ports without protection show that the tests detect the same attempts there.
"""

from __future__ import annotations

import base64
import re
import typing as t
import uuid

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.trouble.upstream import Arrival, FaultyUpstream

RELAY, APP = "relay.sender.test", "app@sender.test"
#: A domain that is not configured on the relay, and one that outsiders may send to.
ELSEWHERE, DEST = "elsewhere.test", "dest.test"
TO = f"relaytest@{ELSEWHERE}"
ENTRANCES = [("outsider", 25, "none"), ("outsider", 587, "starttls"), ("client", 465, "implicit")]

Probe = t.Callable[..., t.Any]

#: A refusal of one command, in contrast to 421, which ends the session.
REFUSED = re.compile(r"^(?!421)[45]\d\d ", re.MULTILINE)


class Attempt(t.NamedTuple):
    """An attempt to relay a message: addresses of MAIL and RCPT, and the commands before them.

    ``{ip}`` stands for the relay's address.
    """

    sender: str = f"antispam@{ELSEWHERE}"
    recipient: str = TO
    first: tuple[str, ...] = ("EHLO probe.test\r\n",)
    parameters: str = ""
    pipelined: bool = False

    def segments(self, ip: str, subject: str) -> list[str]:
        """Return the segments to send."""
        envelope = [
            f"MAIL FROM:<{self.sender.format(ip=ip)}>{self.parameters}\r\n",
            f"RCPT TO:<{self.recipient.format(ip=ip)}>\r\n",
            "DATA\r\n",
        ]
        content = f"From: a@b.test\r\nTo: c@d.test\r\nSubject: {subject}\r\n\r\nrelayed\r\n.\r\n"
        if self.pipelined:
            return ["".join([*self.first, *envelope, content])]
        return [*self.first, *envelope, content]


#: The sixteen attempts of nmap's smtp-open-relay, then more.
RELAYING = {
    "01 null sender": Attempt(sender=""),
    "02 sender of the recipient's domain": Attempt(),
    "03 sender of the relay's name": Attempt(sender=f"antispam@{RELAY}"),
    "04 sender of the relay's address": Attempt(sender="antispam@[{ip}]"),
    "05 percent at the address": Attempt(recipient=f"relaytest%{ELSEWHERE}@[{{ip}}]"),
    "06 percent at the name": Attempt(recipient=f"relaytest%{ELSEWHERE}@{RELAY}"),
    "07 quoted": Attempt(recipient=f'"{TO}"'),
    "08 quoted percent": Attempt(recipient=f'"relaytest%{ELSEWHERE}"'),
    "09 two domains, the address last": Attempt(recipient=f"{TO}@[{{ip}}]"),
    "10 quoted at the address": Attempt(recipient=f'"{TO}"@[{{ip}}]'),
    "11 two domains, the name last": Attempt(recipient=f"{TO}@{RELAY}"),
    "12 route over the address": Attempt(recipient=f"@[{{ip}}]:{TO}"),
    "13 route over the name": Attempt(recipient=f"@{RELAY}:{TO}"),
    "14 bang path": Attempt(recipient=f"{ELSEWHERE}!relaytest"),
    "15 bang path at the address": Attempt(recipient=f"{ELSEWHERE}!relaytest@[{{ip}}]"),
    "16 bang path at the name": Attempt(recipient=f"{ELSEWHERE}!relaytest@{RELAY}"),
    "17 sender of the relay's domain": Attempt(sender="boss@sender.test"),
    "18 EHLO localhost": Attempt(first=("EHLO localhost\r\n",)),
    "19 trailing at sign": Attempt(recipient=f"{TO}@"),
    "20 local part in UTF-8": Attempt(recipient=f"r\xc3\xa9lay@{ELSEWHERE}", parameters=" SMTPUTF8"),
    "21 after RSET": Attempt(first=("EHLO probe.test\r\n", f"MAIL FROM:<{APP}>\r\n", "RSET\r\n")),
    "22 pipelined": Attempt(pipelined=True),
    # through the domain that outsiders may send to
    "23 percent at a domain that is relayed": Attempt(recipient=f"relaytest%{ELSEWHERE}@{DEST}"),
    "24 bang path at a domain that is relayed": Attempt(recipient=f"{ELSEWHERE}!relaytest@{DEST}"),
    "25 quoted at a domain that is relayed": Attempt(recipient=f'"{TO}"@{DEST}'),
    "26 two domains, a relayed one last": Attempt(recipient=f"{TO}@{DEST}"),
    "27 route over a domain that is relayed": Attempt(recipient=f"@{DEST}:{TO}"),
}
#: Attempts that must succeed on an open relay; otherwise the tests prove nothing.
RELAYED_WHEN_OPEN = {name for name in RELAYING if int(name[:2]) in (1, 2, 3, 4, 12, 13, 14, 17, 18, 20, 21, 22)}

#: Sequences that a server may mistake for the end of the content (CVE-2023-51764).
ENDINGS = [
    "\n.\n", "\n.\r", "\r.\n", "\r.\r", "\n.\r\n", "\r.\r\n", "\r\n\0.\r\n", "\r\n.\r\r\n", "\r\r\n.\r\r\n",
]  # fmt: skip

OPEN_PORT, NAIVE_PORT = 2598, 2599
#: Two ports of the relay without protection, open during the tests of this file.
UNPROTECTED = f"""
{OPEN_PORT} inet n - n - - smtpd
  -o mynetworks=0.0.0.0/0
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o smtpd_forbid_unauth_pipelining=no
{NAIVE_PORT} inet n - n - - smtpd
  -o smtpd_forbid_bare_newline=no
  -o smtpd_forbid_unauth_pipelining=no
"""

pytestmark = pytest.mark.usefixtures("unprotected")


Try = t.Callable[..., tuple[list[list[str]], list[Arrival]]]


@pytest.fixture
def attempt(upstream: FaultyUpstream, probe: Probe) -> Try:
    """``attempt(on, nonce, conversations)``: the relay's replies, and the messages with the nonce that arrived."""

    def run(on: str, nonce: str, conversations: list[dict[str, t.Any]]) -> tuple[list[list[str]], list[Arrival]]:
        replies = probe(on, "talk_each", conversations=[{"host": RELAY, **one} for one in conversations])
        upstream.wait_for_empty_queue()
        return replies, upstream.taken(nonce)

    return run


def relaying(address: str, nonce: str, port: int, tls: str) -> list[dict[str, t.Any]]:
    """Return all attempts as conversations for ``talk``."""
    return [
        {"port": port, "tls": tls, "segments": attempt.segments(address, f"{nonce} {name}")}
        for name, attempt in RELAYING.items()
    ]


@pytest.mark.parametrize(("on", "port", "tls"), ENTRANCES)
def test_no_outsider_can_relay(attempt: Try, address: str, on: str, port: int, tls: str) -> None:
    """Each attempt is refused with a reply, and neither the message nor a bounce arrives."""
    nonce = uuid.uuid4().hex
    replies, arrivals = attempt(on, nonce, relaying(address, nonce, port, tls))
    for name, received in zip(RELAYING, replies, strict=True):
        assert REFUSED.search("".join(received)), (name, received)
    assert arrivals == []


def test_the_same_attempts_succeed_on_an_open_relay(attempt: Try, address: str) -> None:
    """Shows that the attempts can succeed."""
    nonce = uuid.uuid4().hex
    replies, arrivals = attempt("outsider", nonce, relaying(address, nonce, OPEN_PORT, "none"))
    found = {one.subject.removeprefix(f"{nonce} ") for one in arrivals}
    assert found >= RELAYED_WHEN_OPEN, dict(zip(RELAYING, replies, strict=True))


def smuggling(nonce: str, port: int, tls: str, first: list[str], sender: str) -> list[dict[str, t.Any]]:
    """Return messages that contain a second one, one for each sequence that may be mistaken for the end."""
    to, forged = f"RCPT TO:<inbox@{DEST}>\r\n", "boss@sender.test"
    conversations = []
    for number, ending in enumerate(ENDINGS):
        carrier = f"From: {sender}\r\nSubject: {nonce} carrier {number}\r\n\r\nhello{ending}"
        inner = f"From: {forged}\r\nSubject: {nonce} smuggled {number}\r\n\r\nsmuggled\r\n.\r\n"
        content = f"{carrier}MAIL FROM:<{forged}>\r\n{to}DATA\r\n{inner}"
        segments = ["EHLO probe.test\r\n", *first, f"MAIL FROM:<{sender}>\r\n", to, "DATA\r\n", content]
        conversations.append({"port": port, "tls": tls, "segments": segments})
    return conversations


def smuggled(arrivals: list[Arrival]) -> list[Arrival]:
    """Return the messages that arrived as separate messages."""
    return [one for one in arrivals if " smuggled " in one.subject or one.sender == "boss@sender.test"]


@pytest.mark.parametrize(
    ("on", "port", "tls", "login"),
    [
        ("outsider", 25, "none", False),
        ("client", 25, "none", False),
        ("outsider", 587, "starttls", True),
        ("client", 465, "implicit", True),
    ],
)
def test_smuggled_messages_are_not_delivered(
    attempt: Try, passwords: dict[str, str], on: str, port: int, tls: str, login: bool
) -> None:
    """An accepted message arrives once, with its whole content, and without bare CR or LF for the next server."""
    nonce = uuid.uuid4().hex
    first = [f"AUTH PLAIN {plain(APP, passwords[APP])}\r\n"] if login else []
    replies, arrivals = attempt(on, nonce, smuggling(nonce, port, tls, first, APP if login else "x@outsider.test"))
    assert smuggled(arrivals) == []
    subjects = [one.subject for one in arrivals]
    assert len(set(subjects)) == len(subjects)
    taken = [number for number in range(len(ENDINGS)) if f"{nonce} carrier {number}" in subjects]
    assert taken, replies
    for number, received in enumerate(replies):
        assert (number in taken) or REFUSED.search("".join(received)), received
    for one in arrivals:
        lines = one.content.split("\r\n")
        assert not [line for line in lines if "\r" in line or "\n" in line], one.content
        assert " smuggled " in one.content


def test_smuggling_succeeds_on_a_port_without_protection(attempt: Try) -> None:
    """If a bare newline may end the content, the same smuggled messages arrive."""
    nonce = uuid.uuid4().hex
    replies, arrivals = attempt("client", nonce, smuggling(nonce, NAIVE_PORT, "none", [], APP))
    found = {one.subject for one in smuggled(arrivals)}
    assert {f"{nonce} smuggled {ENDINGS.index(ending)}" for ending in ("\n.\n", "\n.\r\n")} <= found, replies


@pytest.mark.parametrize("port", [25, 587])
def test_plaintext_after_starttls_is_not_executed(probe: Probe, port: int) -> None:
    """It is refused or discarded (RFC 3207 section 4.2): the first reply inside TLS is to a command from inside."""
    behind = "MAIL FROM:<injected@outsider.test>\r\n"
    conversation = {"host": RELAY, "port": port, "tls": "starttls", "behind": behind}
    *replies, rest = probe("outsider", "talk", segments=["EHLO probe.test\r\n", "NOOP\r\n"], **conversation)
    if replies[0].startswith("5"):
        assert (len(replies), rest) == (1, ""), replies
        return
    assert [reply[:3] for reply in replies] == ["220", "250", "250"], replies
    assert "STARTTLS" not in replies[1]
    assert rest.startswith("221"), rest


def plain(user: str, password: str) -> str:
    """Return the initial response of PLAIN (RFC 4616)."""
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


#: Other commands of an outsider, and the start of the expected reply.
STRANGE: dict[str, tuple[int, str, list[str], str]] = {
    "VRFY": (25, "none", ["VRFY app\r\n"], "502"),
    "EXPN": (25, "none", ["EXPN list\r\n"], "50"),
    "ETRN": (25, "none", [f"ETRN {DEST}\r\n"], "5"),
    "XCLIENT": (25, "none", ["XCLIENT ADDR=127.0.0.1\r\n"], "5"),
    "XFORWARD": (25, "none", ["XFORWARD ADDR=127.0.0.1\r\n"], "5"),
    "a login before TLS": (587, "none", [f"AUTH PLAIN {plain(APP, 'x')}\r\n"], "5"),
    "a login on port 25": (25, "starttls", [f"AUTH PLAIN {plain(APP, 'x')}\r\n"], "503"),
    "a message before a login": (587, "starttls", ["MAIL FROM:<app@sender.test>\r\n", f"RCPT TO:<{TO}>\r\n"], "5"),
    "a line of 100,000 octets": (25, "none", [f"MAIL FROM:<{'x' * 100_000}@outsider.test>\r\n"], "5"),
    "a command of HTTP": (25, "none", ["GET / HTTP/1.1\r\n"], "221"),
    "a chunk of negative size": (25, "none", ["MAIL FROM:<x@outsider.test>\r\n", "BDAT -1 LAST\r\n"], "5"),
    "a chunk without recipient": (
        25,
        "none",
        ["MAIL FROM:<x@outsider.test>\r\n", "BDAT 25 LAST\r\nVRFY root\r\nVRFY postfix\r\n"],
        "5",
    ),
}


@pytest.mark.parametrize("case", STRANGE)
def test_other_commands_of_an_outsider_are_refused(probe: Probe, case: str) -> None:
    port, tls, segments, code = STRANGE[case]
    conversation = {"host": RELAY, "port": port, "tls": tls, "segments": ["EHLO probe.test\r\n", *segments]}
    *_before, reply, rest = probe("outsider", "talk", **conversation)
    assert reply.startswith(code), reply
    if "chunk" in case:
        assert rest.count("\n") <= 1, f"content of the chunk was executed as commands: {rest}"


def test_ehlo_offers_outsiders_no_forbidden_command(probe: Probe) -> None:
    replies = probe("outsider", "talk", host=RELAY, port=25, tls="none", segments=["EHLO probe.test\r\n"])
    assert replies[0] == f"220 {RELAY} ESMTP\r\n"
    keywords = {line[4:].split()[0] for line in replies[1].splitlines()[1:]}
    assert not keywords & {"ETRN", "VRFY", "EXPN", "XCLIENT", "XFORWARD", "AUTH"}, keywords


def test_commands_before_the_greeting_relay_nothing(attempt: Try) -> None:
    nonce = uuid.uuid4().hex
    envelope = f"EHLO probe.test\r\nMAIL FROM:<x@outsider.test>\r\nRCPT TO:<inbox@{DEST}>\r\nDATA\r\n"
    content = f"Subject: {nonce}\r\n\r\ntoo early\r\n.\r\n"
    conversation = {"port": 25, "tls": "none", "segments": [], "early": envelope + content}
    replies, arrivals = attempt("outsider", nonce, [conversation])
    assert arrivals == [], replies


def test_recipients_are_limited(probe: Probe) -> None:
    envelope = ["EHLO probe.test\r\n", "MAIL FROM:<x@sender.test>\r\n"]
    many = [f"RCPT TO:<r{number}@{DEST}>\r\n" for number in range(1100)]
    replies = probe("client", "talk", host=RELAY, port=25, tls="none", segments=[*envelope, *many])
    assert replies[-2].startswith("452 4.5.3"), replies[-3:]
