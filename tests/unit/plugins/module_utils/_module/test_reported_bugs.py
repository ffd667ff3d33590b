# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bugs that users of community.general.mail reported over ten years; smtp_send must have none of them.

A test names the reports that it covers: ``ansible#`` is ansible/ansible, ``extras#`` ansible/ansible-modules-extras,
``community.general#`` ansible-collections/community.general, all on GitHub. A test without a report covers a defect
that was seen in that module and never reported. Defects of the message alone are in ``_message/test_reported_bugs.py``.
"""

from __future__ import annotations

import threading
import time
import typing as t
from email import message_from_bytes, policy

import pytest

from ansible_collections.mailops.smtp.tests.fault.peer import END_OF_DATA, GREETING, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

Run = t.Callable[..., dict[str, t.Any]]
LOGIN = {"username": "user", "password": "hunter2-secret"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("127.0.0.1", tmp_path_factory.mktemp("ca"))


def received(peer: Peer) -> t.Any:
    (content,) = peer.messages
    return message_from_bytes(content, policy=policy.default)


def test_login_offered_only_after_starttls_is_used(run: Run, authority: Authority) -> None:
    """ansible#24089, ansible#26376, ansible#26377."""

    def offer(moment: Moment) -> str | None:
        if moment.stage != "EHLO":
            return None
        return f"250-peer.test\r\n250 {'AUTH PLAIN' if moment.encrypted else 'STARTTLS'}"

    for secure in ("starttls", "try"):
        with Peer(tls=authority.server, disturb=offer) as peer:
            result = run(peer, secure=secure, ca_file=authority.ca_file, **LOGIN)
        assert result.get("failed") is None, result
        assert result["sessions"][-1]["auth_mechanism"] == "PLAIN"


@pytest.mark.parametrize("keyword", ["STARTTLS", "StartTLS", "starttls"])
def test_starttls_is_recognised_in_any_letter_case(run: Run, authority: Authority, keyword: str) -> None:
    """ansible#42338."""
    ehlo = f"250-peer.test\r\n250-SIZE 1000000\r\n250 {keyword}"

    def offer(moment: Moment) -> str | None:
        return ehlo if moment.stage == "EHLO" and not moment.encrypted else None

    with Peer(tls=authority.server, disturb=offer) as peer:
        result = run(peer, secure="starttls", ca_file=authority.ca_file)
    assert result.get("failed") is None, result
    assert result["sessions"][-1]["tls_version"] == "TLSv1.3"


@pytest.mark.parametrize("secure", ["never", "try", "starttls", "always"])
def test_every_mode_connects_once(run: Run, authority: Authority, secure: str) -> None:
    """ansible#46673, ansible#47412, ansible#48785, ansible#49016, ansible#49965: four releases could not connect, and
    those that could did so two or three times."""
    with Peer(tls=authority.server, implicit=secure == "always") as peer:
        result = run(peer, secure=secure, ca_file=authority.ca_file)
    assert result.get("failed") is None, result
    assert peer.connections == 1
    assert peer.commands[0].startswith("EHLO ")
    assert bool(result["sessions"][-1]["tls_version"]) is (secure != "never")


def test_client_waits_for_the_greeting(run: Run, authority: Authority) -> None:
    """extras#708: a server that delays its greeting (postscreen) receives no TLS ClientHello before it."""

    def wait(moment: Moment) -> None:
        if moment.stage == GREETING:
            threading.Event().wait(0.2)

    with Peer(tls=authority.server, disturb=wait) as peer:
        result = run(peer, secure="try", ca_file=authority.ca_file)
    assert result.get("failed") is None, result
    assert [line.split(" ")[0] for line in peer.commands[:3]] == ["EHLO", "STARTTLS", "EHLO"]


def test_implicit_tls_port_without_tls_fails_at_the_greeting_in_time(run: Run, authority: Authority) -> None:
    """ansible#37386: port 465 of Zoho was silent for 20 s, then "Connection unexpectedly closed"."""
    with Peer(tls=authority.server, implicit=True) as peer:
        begin = time.monotonic()
        result = run(peer, secure="never", timeout=1)
        assert time.monotonic() - begin < 10
    assert result["failed"] is True
    assert f"127.0.0.1:{peer.port}, stage greeting" in result["msg"]


def test_reply_to_header_has_its_name_encoded_and_its_address_not(run: Run) -> None:
    """ansible#58543."""
    with Peer() as peer:
        run(peer, headers="Reply-To=Jürgen Müller <j@c.test>", charset="utf-8")
    assert received(peer)["Reply-To"].addresses[0].addr_spec == "j@c.test"
    assert received(peer)["Reply-To"].addresses[0].display_name == "Jürgen Müller"
    assert b"<j@c.test>" in peer.messages[0]


def test_refused_login_quotes_the_reply_without_the_password_and_is_tried_once(run: Run, authority: Authority) -> None:
    """extras#1982: an error contained the password. A second mechanism with the same password locks accounts sooner."""
    with Peer(
        {"AUTH": "535 5.7.8 hunter2-secret is wrong"}, extensions=["AUTH PLAIN LOGIN"], tls=authority.server
    ) as peer:
        result = run(peer, ca_file=authority.ca_file, tls="starttls", **LOGIN)
    assert result["failed"] is True
    assert "535 5.7.8" in result["msg"]
    assert "hunter2" not in str(result)
    assert sum(line.startswith("AUTH") for line in peer.commands) == 1


def test_refused_connection_is_an_error_with_host_port_and_stage(run: Run) -> None:
    """extras#284, extras#483, community.general#7122: a traceback."""
    with Peer() as peer:
        pass
    result = run(peer)
    assert result["failed"] is True
    assert f"127.0.0.1:{peer.port}, stage connect: no connection: Connection refused" in result["msg"]
    assert "exception" not in result


def test_token_is_sent_to_a_server_that_offers_only_xoauth2(run: Run, authority: Authority) -> None:
    """community.general#10326."""
    with Peer(extensions=["AUTH XOAUTH2"], tls=authority.server) as peer:
        result = run(peer, ca_file=authority.ca_file, tls="starttls", username="user", oauth={"token": "tok"})
    assert result.get("failed") is None, result
    assert result["sessions"][-1]["auth_mechanism"] == "XOAUTH2"


def test_html_message_has_reply_to_a_derived_text_and_an_inline_image(run: Run) -> None:
    """ansible#33182, ansible#33232."""
    image = {"content": "<svg/>", "name": "logo.svg", "cid": "logo"}
    with Peer() as peer:
        run(peer, reply_to="c@c.test", html="<p>Hello</p><img src='cid:logo'>", attachments=[image])
    message = received(peer)
    assert message["Reply-To"] == "c@c.test"
    assert "Hello" in message.get_body(("plain",)).get_content()
    assert [part["Content-ID"] for part in message.walk() if part["Content-ID"]] == ["<logo>"]


def test_one_task_sends_many_messages_over_one_connection(run: Run) -> None:
    """ansible#1492: 500 hosts, 500 messages, each by a task of its own."""
    with Peer() as peer:
        run(peer, messages=[{"to": f"host{number}@b.test"} for number in range(50)], to=None)
    assert (peer.connections, len(peer.messages)) == (1, 50)


def test_ehlo_name_equals_sign_in_a_header_message_id_and_date(run: Run) -> None:
    """community.general#3425 (ehlohost), #7303 (equals sign), #5921, #7740 and #7848 (Message-ID and Date), #7765
    (message_id_domain)."""
    with Peer() as peer:
        run(peer, ehlohost="me.test", headers="X-Query=a=1&b=2", message_id_domain="ansible")
    assert peer.commands[0] == "EHLO me.test"
    assert received(peer)["X-Query"] == "a=1&b=2"
    assert received(peer)["Message-ID"].endswith("@ansible>")
    assert received(peer)["Date"]


def test_silent_server_ends_in_a_timeout(run: Run) -> None:
    """community.general#7731."""
    with Peer(faults={GREETING: Fault.STALL}) as peer:
        begin = time.monotonic()
        result = run(peer, timeout=1)
    assert result["failed"] is True
    assert "no answer within 1 s" in result["msg"]
    assert time.monotonic() - begin < 5


def test_sent_message_is_not_reported_as_changed(run: Run) -> None:
    """extras#423: ``changed`` is for modifications of the system."""
    with Peer() as peer:
        assert run(peer)["changed"] is False


def test_password_is_not_sent_without_tls(run: Run) -> None:
    with Peer(extensions=["AUTH PLAIN"]) as peer:
        result = run(peer, secure="try", **LOGIN)
    assert result["failed"] is True
    assert "in clear" in result["msg"]
    assert not [line for line in peer.commands if line.startswith(("AUTH", "MAIL"))]


def test_some_recipients_refused_is_a_failure(run: Run) -> None:
    def refuse_one(moment: Moment) -> str | None:
        return "550 5.1.1 unknown" if moment.recipient == "c@b.test" else None

    with Peer(disturb=refuse_one) as peer:
        result = run(peer, to=["b@b.test", "c@b.test"])
    assert result["failed"] is True
    assert "1 of 2 recipients" in result["msg"]


def test_accepted_message_is_sent_even_if_quit_fails(run: Run) -> None:
    for fault in (Fault.CLOSE, Fault.RESET, Fault.GARBAGE):
        with Peer(faults={"QUIT": fault}) as peer:
            assert run(peer).get("failed") is None
        assert len(peer.messages) == 1


def test_greylisted_recipient_is_retried(run: Run) -> None:
    answers = iter(["450 4.2.0 greylisted"])

    def greylist(moment: Moment) -> str | None:
        return next(answers, None) if moment.stage == "RCPT" else None

    with Peer(disturb=greylist) as peer:
        result = run(peer, attempts=2, retry_delay=0.01)
    assert result.get("failed") is None
    assert result["attempts_made"] == 2


def test_missing_recipient_or_attachment_is_found_before_connecting(run: Run) -> None:
    unsendable: tuple[dict[str, t.Any], ...] = ({"to": []}, {"attach": "/nonexistent"})
    for options in unsendable:
        with Peer() as peer:
            assert run(peer, **options)["failed"] is True
        assert peer.connections == 0


def test_result_has_queue_id_message_id_size_and_the_reply_for_each_recipient(run: Run) -> None:
    with Peer({END_OF_DATA: "250 2.0.0 Ok: queued as 4Zx7Yw"}) as peer:
        result = run(peer)
    assert result["queue_id"] == "4Zx7Yw"
    assert result["message_id"].startswith("<")
    assert result["size"] == len(peer.messages[0]) - 3
    (recipient,) = result["recipients"]
    assert (recipient["code"], recipient["enhanced_code"]) == (250, "2.0.0")
    assert recipient["text"] == "2.0.0 Ok: queued as 4Zx7Yw"
