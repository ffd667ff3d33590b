# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checklist as a user reads it: each line for each of the usual mistakes.

The mistakes are made against servers of the test, and against networks that the test describes.
"""

from __future__ import annotations

import datetime
import re
import socket
import ssl
import typing as t

import pytest
import trustme

from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis import reaching
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.checklist import checklist
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.questions import Questions
from ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.walk import walk
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.reach import Attempt
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

WALK = "ansible_collections.mailops.smtp.plugins.module_utils._diagnosis.walk"
EXTENSIONS = ("PIPELINING", "AUTH PLAIN LOGIN")
DAY = datetime.timedelta(days=1)

UP_TO_THE_FIREWALL = [
    "[ok] Name: localhost has the address ADDRESS.",
    "[ok] Network: port PORT of ADDRESS accepts connections.",
    "[ok] Firewall of this host: it lets the connection out.",
]
UP_TO_THE_SERVER = [*UP_TO_THE_FIREWALL, "[ok] Server: it is a mail server, and greets with 'peer.test ESMTP'."]
UP_TO_TLS = [
    *UP_TO_THE_SERVER,
    "[ok] TLS and certificate: TLSv1.3, begun by STARTTLS. The certificate is good for localhost, and expires on DATE.",
]
UP_TO_THE_ACCOUNT = [*UP_TO_TLS, "[ok] Account: the server accepts the login of deploy@a.test, with PLAIN."]
UP_TO_THE_SENDER = [*UP_TO_THE_ACCOUNT, "[ok] Sender: the server accepts mail from deploy@a.test."]


def not_tried(*labels: str) -> list[str]:
    return [f"[--] {label}: not tried, as something above is not right yet." for label in labels]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def served(ca: trustme.CA, name: str = "localhost", **dates: t.Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name, **dates).configure_cert(context)
    return context


def lines_for(questions: Questions) -> list[str]:
    """The checklist, with what differs between runs replaced: times, addresses, ports, dates, digests."""
    told = checklist(questions, walk(questions))
    replaced = []
    for line in told:
        line = re.sub(r" \(\d+ ms\)| \(\d+\.\d s\)", "", line)
        line = re.sub(r"127\.0\.0\.1|(?<!\w)::1\b", "ADDRESS", line).replace("ADDRESS, ADDRESS", "ADDRESS")
        line = line.replace("addresses ADDRESS", "address ADDRESS")
        line = re.sub(rf"\b{questions.settings.port}\b", "PORT", line)
        line = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", line)
        replaced.append(re.sub(r"\b\d{4}-\d\d-\d\d\b", "DATE", re.sub(r"#[\w-]{16}", "#ID", line)))
    return replaced


class Mistake(t.NamedTuple):
    """A server, what differs from the right settings, and the lines."""

    server: t.Callable[[Authority], dict[str, t.Any]]
    settings: dict[str, t.Any]
    lines: list[str]
    provider: str | None = None


def with_tls(**replies: str) -> t.Callable[[Authority], dict[str, t.Any]]:
    return lambda ours: {"tls": ours.server, "replies": {name.upper(): reply for name, reply in replies.items()}}


THIS_HOST = "For a server on this host, tls: opportunistic without a login accepts any certificate."
MISTAKES: dict[str, Mistake] = {
    "nothing is wrong": Mistake(
        with_tls(), {}, [*UP_TO_THE_SENDER, "[ok] Recipient: the server accepts mail to ops@b.test."]
    ),
    "implicit TLS on a port that begins without": Mistake(
        with_tls(),
        {"mode": TlsMode.IMPLICIT},
        [
            *UP_TO_THE_FIREWALL,
            "[!!] TLS and certificate: The server answered without TLS.",
            (
                "     What to do: The port starts without TLS: use tls: starttls (usual on port 587), or port 465 for"
                " implicit TLS."
            ),
            *not_tried("Server", "Account", "Sender", "Recipient"),
        ],
    ),
    "STARTTLS on a port with implicit TLS": Mistake(
        lambda ours: {"tls": ours.server, "implicit": True},
        {"timeout": 0.3},
        [
            *UP_TO_THE_FIREWALL,
            "[!!] Server: The server says nothing in clear: on this port TLS begins with the first byte.",
            "     What to do: Set tls: implicit.",
            *not_tried("TLS and certificate", "Account", "Sender", "Recipient"),
        ],
    ),
    "the password of the account": Mistake(
        with_tls(auth="535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 BadCredentials - gsmtp"),
        {},
        [
            *UP_TO_TLS,
            (
                "[!!] Account: The login of deploy@a.test with PLAIN was refused. It said: '535 5.7.8 Username and"
                " Password not accepted. BadCredentials - gsmtp'."
            ),
            (
                "     What to do: Google did not accept the user name and password: use the full address and an app"
                " password (16 letters, no spaces), not the account password. With OAuth2, the user name must be the"
                " mailbox of the token, and its scope https://mail.google.com/."
            ),
            *not_tried("Sender", "Recipient"),
        ],
        "gmail",
    ),
    "the password in place of an authorisation code": Mistake(
        with_tls(auth="535 Error: authentication failed"),
        {},
        [
            *UP_TO_TLS,
            (
                "[!!] Account: The login of deploy@a.test with PLAIN was refused. It said: '535 Error: authentication"
                " failed'."
            ),
            (
                "     What to do: 163 does not accept the account password: turn on POP3/SMTP/IMAP in the settings of"
                " its web mail and use the authorisation code (授权码) that it then shows."
            ),
            *not_tried("Sender", "Recipient"),
        ],
        "163",
    ),
    "the region of another account": Mistake(
        with_tls(auth="535 Authentication Credentials Invalid"),
        {},
        [
            *UP_TO_TLS,
            (
                "[!!] Account: The login of deploy@a.test with PLAIN was refused. It said: '535 Authentication"
                " Credentials Invalid'."
            ),
            (
                "     What to do: SES does not accept an AWS access key: create SMTP credentials in the SES console,"
                " in the same region. They work only in that region."
            ),
            *not_tried("Sender", "Recipient"),
        ],
        "ses",
    ),
    "a sender that is not the login": Mistake(
        with_tls(mail="553 5.7.1 Sender address rejected: not owned by user deploy"),
        {},
        [
            *UP_TO_THE_ACCOUNT,
            (
                "[!!] Sender: The server refused the sender. It said: '553 5.7.1 Sender address rejected: not owned"
                " by user deploy'."
            ),
            (
                "     What to do: This login (username) may not use that sender: set from (sender) or envelope_from"
                " to an address of the login."
            ),
            *not_tried("Recipient"),
        ],
    ),
    "greylisting": Mistake(
        with_tls(rcpt="450 4.2.0 Recipient address rejected: Greylisted"),
        {},
        [
            *UP_TO_THE_SENDER,
            (
                "[??] Recipient: not known yet. The server does not accept the recipient at the moment. It said: '450"
                " 4.2.0 Recipient address rejected: Greylisted'."
            ),
            (
                "     What to do: The server delays mail from unknown senders (greylisting): set attempts: 2 and"
                " retry_delay: 400, which sends it again from the same address."
            ),
        ],
    ),
    "an expired certificate": Mistake(
        lambda ours: {
            "tls": served(
                ours.ca,
                not_before=datetime.datetime.now(datetime.UTC) - 9 * DAY,
                not_after=datetime.datetime.now(datetime.UTC) - DAY,
            )
        },
        {},
        [
            *UP_TO_THE_SERVER,
            (
                "[!!] TLS and certificate: The server's certificate was refused: certificate has expired. The"
                " certificate is"
                " for localhost, issued by OU=Testing CA #ID,O=trustme v1.2.1, valid from DATE to DATE, SHA-256"
                " DIGEST."
            ),
            (
                "     What to do: Have the server's certificate renewed, and check the clock of this host. Until then,"
                f" pinned_certificates with validate_certs: false accepts this one certificate. {THIS_HOST}"
            ),
            *not_tried("Account", "Sender", "Recipient"),
        ],
    ),
    "a private authority": Mistake(
        with_tls(),
        {"ca_file": None},
        [
            *UP_TO_THE_SERVER,
            (
                "[!!] TLS and certificate: The server's certificate was refused: unable to get local issuer"
                " certificate. The"
                " certificate is for localhost, issued by OU=Testing CA #ID,O=trustme v1.2.1, valid from DATE to DATE,"
                " SHA-256 DIGEST."
            ),
            (
                "     What to do: If its authority is your own, set ca_file to the authority's certificate. If it is"
                " public,"
                " the server does not send an intermediate certificate: have it send its chain, or set ca_file to the"
                f" intermediate and the root one. {THIS_HOST} Here ca_file needs the certificate of its authority"
                " (OU=Testing CA #ID,O=trustme v1.2.1). Or, once the owner of the server has confirmed the digest"
                " above: pinned_certificates with it, and validate_certs: false, accept this one certificate."
            ),
            *not_tried("Account", "Sender", "Recipient"),
        ],
    ),
    "the name of another server": Mistake(
        lambda ours: {"tls": served(ours.ca, "mail.example.com")},
        {},
        [
            *UP_TO_THE_SERVER,
            (
                "[!!] TLS and certificate: The server's certificate was refused: Hostname mismatch, certificate is"
                " not valid"
                " for 'localhost'. The certificate is for mail.example.com, issued by OU=Testing CA #ID,O=trustme"
                " v1.2.1, valid from DATE to DATE, SHA-256 DIGEST."
            ),
            (
                f"     What to do: Set host or tls_server_name to a name in the certificate. {THIS_HOST} Here"
                " tls_server_name: mail.example.com would do. Or, once the owner of the server has confirmed the digest"
                " above: pinned_certificates with it, and validate_certs: false, accept this one certificate."
            ),
            *not_tried("Account", "Sender", "Recipient"),
        ],
    ),
    "no TLS": Mistake(
        lambda _ours: {},
        {"mode": TlsMode.NONE},
        [
            *UP_TO_THE_SERVER,
            "[--] TLS and certificate: none. All that is sent can be read on the way.",
            "[--] Account: not tried, as no username is given. The server offers a login.",
            "[ok] Sender: the server accepts mail from deploy@a.test.",
            "[ok] Recipient: the server accepts mail to ops@b.test.",
        ],
    ),
    "an address on a block list": Mistake(
        with_tls(greeting="554 5.7.1 client host [192.0.2.1] blocked using zen.example"),
        {},
        [
            *UP_TO_THE_FIREWALL,
            (
                "[!!] Server: The server refused the connection of this host. It said: '554 5.7.1 client host"
                " [192.0.2.1] blocked using zen.example'."
            ),
            (
                "     What to do: The address of this host is on a block list: look it up at the list that the reply"
                " names, remove the cause, and request removal; or set host to a relay."
            ),
            *not_tried("TLS and certificate", "Account", "Sender", "Recipient"),
        ],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_lines_of_a_mistake(authority: Authority, name: str) -> None:
    mistake = MISTAKES[name]
    given = {"mode": TlsMode.STARTTLS, "ca_file": authority.ca_file, "timeout": 5.0, **mistake.settings}
    login = None if given["mode"] is TlsMode.NONE else Credentials("deploy@a.test", "secret")
    with Peer(extensions=EXTENSIONS, **mistake.server(authority)) as peer:
        policy = TlsPolicy(given["mode"], ca_file=given["ca_file"])
        settings = ServerSettings("localhost", peer.port, policy, login, timeout=given["timeout"])
        found = lines_for(Questions(settings, mistake.provider, "deploy@a.test", "ops@b.test"))
    assert found == mistake.lines


# Mistakes of the network

HOST, V4, V6 = "smtp.example.com", "192.0.2.1", "2001:db8::1"


def lines_of_network(
    monkeypatch: pytest.MonkeyPatch, states: dict[tuple[str, int], str], port: int, chains: list[str] | None
) -> list[str]:
    addresses = dict.fromkeys(one for one, _port in states)
    families = {one: socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses}
    monkeypatch.setattr(reaching, "addresses_of", lambda _host: families)

    def attempts(chosen: t.Iterable[str], ports: t.Iterable[int], _timeout: float) -> list[Attempt]:
        found = []
        for address in chosen:
            for one in ports:
                state = states.get((address, one), states[address, 0])
                found.append(
                    Attempt(one, address, "" if state == "no route" else "192.0.2.9", state, "said the system")
                )
        return found

    monkeypatch.setattr(reaching, "try_addresses", attempts)
    monkeypatch.setattr(f"{WALK}.refusing_outgoing", lambda _port, _sources: chains)
    settings = ServerSettings(HOST, port, TlsPolicy(TlsMode.STARTTLS), connect_timeout=3.0)
    return [re.sub(r" \(\d+ ms\)| \(\d+\.\d s\)", "", one) for one in checklist(*_asked(Questions(settings)))]


def _asked(questions: Questions) -> tuple[Questions, t.Any]:
    return questions, walk(questions)


UNREAD = (
    "[??] Firewall of this host: not known, as only root can read its rules. Run this with become: true to see them."
)
REST = not_tried("Server", "TLS and certificate")


def test_port_25_that_is_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {(V4, 0): "filtered", (V4, 587): "open", (V4, 465): "open"}
    assert lines_of_network(monkeypatch, states, 25, []) == [
        "[ok] Name: smtp.example.com has the address 192.0.2.1.",
        (
            "[!!] Network: Port 25 of smtp.example.com (192.0.2.1) did not answer within 3 s: a packet filter drops the"
            " connection, on this host, in the network on the way or at the server."
        ),
        (
            "     What to do: Other ports accept connections: set port: 587 and tls: starttls, or port: 465 and tls:"
            " implicit."
            " Many networks, as those of most clouds, let no connection to port 25 out. Ask the owners of the"
            " firewalls in between to let this host connect, or use another port."
        ),
        "[ok] Firewall of this host: no rule of it is known to refuse the connection.",
        *REST,
    ]


def test_a_firewall_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of_network(monkeypatch, {(V4, 0): "filtered"}, 587, ["inet filter output"])[1:4] == [
        (
            "[!!] Network: Port 587 of smtp.example.com (192.0.2.1) did not answer within 3 s: a packet filter drops"
            " the"
            " connection, on this host, in the network on the way or at the server. The packet filter of this host"
            " refuses it, in chain 'inet filter output'."
        ),
        (
            "     What to do: Let connections to port 587 out in that chain, where its rules are kept. The other ports"
            " for mail that were tried (465, 2525) accept none either."
        ),
        "[!!] Firewall of this host: it refuses the connection, in chain 'inet filter output'.",
    ]


def test_the_wrong_port(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {(V4, 0): "refused", (V4, 465): "open"}
    assert lines_of_network(monkeypatch, states, 587, None)[1:] == [
        (
            "[!!] Network: Port 587 of smtp.example.com (192.0.2.1) refuses connections: nothing listens there, or a"
            " packet filter rejects them."
        ),
        (
            "     What to do: Another port accepts connections: set port: 465 and tls: implicit. Check host and port,"
            " and that the server is running."
        ),
        UNREAD,
        *REST,
    ]


def test_ipv6_without_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines_of_network(monkeypatch, {(V6, 0): "no route"}, 587, None) == [
        "[ok] Name: smtp.example.com has the address 2001:db8::1.",
        "[!!] Network: This host has no route to smtp.example.com (2001:db8::1).",
        (
            "     What to do: The server has only IPv6 addresses, and this host has no IPv6: give it an IPv6 address"
            " and route, or use a server with an IPv4 address."
        ),
        *not_tried("Firewall of this host"),
        *REST,
    ]


def test_ipv6_without_a_route_beside_an_address_that_works(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    with Peer(tls=authority.server) as peer:
        families = {V6: socket.AF_INET6, "127.0.0.1": socket.AF_INET}
        found = [
            Attempt(peer.port, V6, "", "no route", "no answer"),
            Attempt(peer.port, "127.0.0.1", "127.0.0.1", "open", "", 1.0),
        ]
        monkeypatch.setattr(reaching, "addresses_of", lambda _host: families)
        monkeypatch.setattr(reaching, "try_addresses", lambda _chosen, _ports, _timeout: found)
        settings = ServerSettings("localhost", peer.port, TlsPolicy(ca_file=authority.ca_file))
        lines = lines_for(Questions(settings))
    assert lines[:2] == [
        "[ok] Name: localhost has the addresses 2001:db8::1, ADDRESS.",
        (
            "[ok] Network: port PORT of ADDRESS accepts connections. 2001:db8::1 was not tried: this host has no route"
            " to it."
        ),
    ]


def test_a_name_that_does_not_exist() -> None:
    settings = ServerSettings("nowhere.invalid", 587, TlsPolicy(TlsMode.STARTTLS))
    lines = lines_for(Questions(settings))
    assert lines[0].startswith(("[!!] Name: The name nowhere.invalid does not resolve", "[??] Name: not known yet."))
    assert lines[1].startswith("     What to do: Check the")
    assert lines[2:] == not_tried("Network", "Firewall of this host", "Server", "TLS and certificate")


def test_a_test_message_says_where_to_look(authority: Authority) -> None:
    message = Envelope("deploy@a.test", ("ops@b.test",), b"Subject: x\r\n\r\nx\r\n")
    with Peer(tls=authority.server) as peer:
        settings = ServerSettings("localhost", peer.port, TlsPolicy(ca_file=authority.ca_file))
        lines = lines_for(Questions(settings, None, "deploy@a.test", "ops@b.test", message))
    assert lines[-1] == (
        "[ok] Test message: the server took it as PEER12345. Look for it in the mailbox of ops@b.test, and in its spam"
        " folder."
    )


def test_an_address_needs_no_name_server(authority: Authority) -> None:
    with Peer() as peer:
        lines = checklist(*_asked(Questions(ServerSettings("127.0.0.1", peer.port, TlsPolicy(TlsMode.NONE)))))
    assert re.sub(r" \(\d+ ms\)", "", lines[0]) == "[ok] Name: 127.0.0.1 is an address, so no name server is needed."
