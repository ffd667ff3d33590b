# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay as the other hosts see it: listeners, permission to send, and delivery."""

from __future__ import annotations

import re
import typing as t
import uuid
from email.message import EmailMessage

import pytest

pytestmark = pytest.mark.usefixtures("relay", "journal_on_failure")

RELAY = "relay.sender.test"
APP = "app@sender.test"
PORTS = [*range(1, 1025), 2525, 4190, 10025, 12345]
Probe = t.Callable[..., t.Any]
Send = t.Callable[..., dict[str, t.Any]]


def test_only_the_declared_ports_listen(relay: t.Any) -> None:
    listening = relay.check_output("ss -H -ltn").splitlines()
    public = {line.split()[3] for line in listening if not line.split()[3].startswith(("127.", "[::1]"))}
    assert public == {f"{address}:{port}" for address in ("0.0.0.0", "[::]") for port in (22, 25, 465, 587)}


def test_the_outsider_reaches_only_ports_that_are_open_to_all(probe: Probe) -> None:
    """Port 465 listens, and the firewall admits only the client."""
    assert probe("outsider", "open_ports", host=RELAY, ports=PORTS) == [22, 25, 587]


def test_the_client_also_reaches_the_restricted_port(probe: Probe) -> None:
    assert probe("client", "open_ports", host=RELAY, ports=PORTS) == [22, 25, 465, 587]


def test_the_firewall_survives_a_reload_of_nftables(relay: t.Any, probe: Probe) -> None:
    """Debian's own ruleset starts with ``flush ruleset``."""
    relay.check_output("systemctl start nftables && systemctl reload nftables")
    assert probe("outsider", "open_ports", host=RELAY, ports=[465]) == []
    relay.check_output("systemctl stop nftables")
    relay.check_output("systemctl start relay-firewall")


def test_the_outsider_cannot_relay(probe: Probe) -> None:
    commands = ["MAIL FROM:<x@outsider.test>", "RCPT TO:<inbox@dest.test>", "RCPT TO:<y@elsewhere.test>"]
    replies = probe("outsider", "dialogue", host=RELAY, port=25, tls="starttls", commands=commands)
    assert [code for code, _text in replies[-2:]] == [454, 454] or [code for code, _text in replies[-2:]] == [554, 554]
    assert "Relay access denied" in replies[-1][1]


def test_the_client_can_send_without_a_login(probe: Probe, read_mail: t.Callable[..., EmailMessage | None]) -> None:
    nonce = uuid.uuid4().hex
    commands = ["MAIL FROM:<x@sender.test>", "RCPT TO:<inbox@dest.test>", f"BODY Subject: {nonce}\r\n\r\nhello\r\n"]
    replies = probe("client", "dialogue", host=RELAY, port=25, tls="none", commands=commands)
    assert replies[-1][0] == 250
    assert read_mail(nonce) is not None


@pytest.mark.parametrize(("port", "tls"), [(25, "starttls"), (587, "starttls")])
def test_no_login_is_offered_before_tls(probe: Probe, port: int, tls: str) -> None:
    before, _inside = probe("client", "dialogue", host=RELAY, port=port, tls=tls, commands=[])
    assert "AUTH" not in before[1]
    assert "STARTTLS" in before[1]


@pytest.mark.parametrize(("port", "tls"), [(465, "implicit"), (587, "starttls")])
class TestSubmission:
    """Both submission ports behave the same."""

    def test_a_login_is_offered_inside_tls(self, probe: Probe, port: int, tls: str) -> None:
        *_before, inside = probe("client", "dialogue", host=RELAY, port=port, tls=tls, commands=[])
        assert re.search(r"^AUTH .*\bPLAIN\b", inside[1], re.MULTILINE)

    def test_mail_without_a_login_is_refused(self, probe: Probe, port: int, tls: str) -> None:
        commands = ["MAIL FROM:<x@sender.test>", "RCPT TO:<inbox@dest.test>"]
        replies = probe("client", "dialogue", host=RELAY, port=port, tls=tls, commands=commands)
        assert replies[-1][0] in (530, 554), replies

    @pytest.mark.parametrize("user", [APP, "nobody@sender.test"])
    def test_a_wrong_login_is_refused(self, probe: Probe, port: int, tls: str, user: str) -> None:
        replies = probe("client", "dialogue", host=RELAY, port=port, tls=tls, commands=[f"AUTH {user} wrong"])
        assert replies[-1][0] == 535
        assert "5.7.8" in replies[-1][1]

    def test_a_login_can_send_from_its_own_address_only(
        self, probe: Probe, passwords: dict[str, str], port: int, tls: str
    ) -> None:
        login = f"AUTH {APP} {passwords[APP]}"
        mine = [login, f"MAIL FROM:<{APP}>", "RCPT TO:<inbox@dest.test>"]
        assert [code for code, _text in probe("client", "dialogue", host=RELAY, port=port, tls=tls, commands=mine)][
            -3:
        ] == [235, 250, 250]
        forged = [login, "MAIL FROM:<boss@sender.test>", "RCPT TO:<inbox@dest.test>"]
        refused = probe("client", "dialogue", host=RELAY, port=port, tls=tls, commands=forged)[-1]
        assert refused[0] == 553
        assert "not owned by user" in refused[1]


@pytest.mark.parametrize(("port", "tls"), [(465, "implicit"), (587, "starttls")])
def test_a_message_travels_from_client_to_mailbox(
    send: Send, read_mail: t.Callable[..., EmailMessage | None], passwords: dict[str, str], port: int, tls: str
) -> None:
    subject = f"Grüße aus Köln 部署完成 {uuid.uuid4().hex}"
    content = "größe;wert\n1;2\n"
    sent = send(
        "client",
        host=RELAY,
        port=port,
        tls=tls,
        username=APP,
        password=passwords[APP],
        **{"from": f"Bereitstellung <{APP}>"},
        to="Jö <inbox@dest.test>",
        subject=subject,
        body="Zeile eins\n.Punkt\nEnde",
        html="<p>Zeile eins</p>",
        attachments=[{"name": "größen.csv", "content": content}],
    )
    assert sent["recipients"][0]["status"] == "sent", sent
    assert sent["changed"] is False
    assert sent["queue_id"]
    assert sent["sessions"][-1]["tls_version"] == "TLSv1.3"
    assert sent["sessions"][-1]["tls_verified"] is True
    assert sent["sessions"][-1]["auth_mechanism"] == "SCRAM-SHA-256"

    message = read_mail(subject.split()[-1])
    assert message is not None
    assert message["Subject"] == subject
    assert message["Message-ID"] == sent["message_id"]
    body, html = message.get_body(("plain",)), message.get_body(("html",))
    assert body is not None
    assert html is not None
    assert body.get_content().splitlines() == ["Zeile eins", ".Punkt", "Ende"]
    attachment = next(message.iter_attachments())
    assert attachment.get_filename() == "größen.csv"
    assert attachment.get_payload(decode=True) == content.encode()

    hops = [" ".join(hop.split()) for hop in message.get_all("Received", [])]
    assert [re.findall(r"by (\S+)", hop)[0] for hop in hops] == [
        "mx.dest.test",
        "smtp.provider.test",
        RELAY,
    ]
    assert "client" not in hops[2], "the Received header reveals the client"
    assert "with ESMTPSA" in hops[1]
    assert "with ESMTPS" in hops[0]
