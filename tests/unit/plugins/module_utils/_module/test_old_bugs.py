# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users of community.general.mail reported over ten years, with smtp_send in its place.

``reference/sending.md`` 1.2 (D numbers) and 1.3 (numbers of issues: in ansible/ansible, in ansible-modules-extras where
``extras`` is said, in ansible-collections/community.general where ``cg`` is). What is about the text of a message only
stands in ``_message/test_legacy.py``.
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


def test_24089_26376_26377_a_login_that_is_offered_after_starttls_only(run: Run, authority: Authority) -> None:
    def offer(moment: Moment) -> str | None:
        if moment.stage != "EHLO":
            return None
        return f"250-peer.test\r\n250 {'AUTH PLAIN' if moment.encrypted else 'STARTTLS'}"

    for secure in ("starttls", "try"):
        with Peer(tls=authority.server, disturb=offer) as peer:
            result = run(peer, secure=secure, ca_file=authority.ca_file, **LOGIN)
        assert result.get("failed") is None, result
        assert result["connection"]["auth_mechanism"] == "PLAIN"


@pytest.mark.parametrize("keyword", ["STARTTLS", "StartTLS", "starttls"])
def test_42338_starttls_is_seen_where_it_is_offered(run: Run, authority: Authority, keyword: str) -> None:
    ehlo = f"250-peer.test\r\n250-SIZE 1000000\r\n250 {keyword}"

    def offer(moment: Moment) -> str | None:
        return ehlo if moment.stage == "EHLO" and not moment.encrypted else None

    with Peer(tls=authority.server, disturb=offer) as peer:
        result = run(peer, secure="starttls", ca_file=authority.ca_file)
    assert result.get("failed") is None, result
    assert result["connection"]["tls_version"] == "TLSv1.3"


@pytest.mark.parametrize("secure", ["never", "try", "starttls", "always"])
def test_46673_47412_48785_49016_49965_d2_d3_every_mode_connects_once(
    run: Run, authority: Authority, secure: str
) -> None:
    """Four releases could not connect, and those that could did so two or three times."""
    with Peer(tls=authority.server, implicit=secure == "always") as peer:
        result = run(peer, secure=secure, ca_file=authority.ca_file)
    assert result.get("failed") is None, result
    assert peer.connections == 1
    assert peer.commands[0].startswith("EHLO ")
    assert bool(result["connection"]["tls_version"]) is (secure != "never")


def test_extras_708_d2_nothing_is_said_before_the_greeting(run: Run, authority: Authority) -> None:
    """A server that waits before it greets (postscreen) hears no ClientHello meanwhile."""

    def wait(moment: Moment) -> None:
        if moment.stage == GREETING:
            threading.Event().wait(0.2)

    with Peer(tls=authority.server, disturb=wait) as peer:
        result = run(peer, secure="try", ca_file=authority.ca_file)
    assert result.get("failed") is None, result
    assert [line.split(" ")[0] for line in peer.commands[:3]] == ["EHLO", "STARTTLS", "EHLO"]


def test_37386_port_465_is_tls_from_the_first_byte(run: Run, authority: Authority) -> None:
    """Zoho: twenty seconds of silence, then "Connection unexpectedly closed"."""
    with Peer(tls=authority.server, implicit=True) as peer:
        begin = time.monotonic()
        result = run(peer, secure="never", timeout=1)
        assert time.monotonic() - begin < 10
    assert result["failed"] is True
    assert f"127.0.0.1:{peer.port}, stage greeting" in result["msg"]


def test_58543_names_are_encoded_and_addresses_are_not(run: Run) -> None:
    with Peer() as peer:
        run(peer, headers="Reply-To=Jürgen Müller <j@c.test>", charset="utf-8")
    assert received(peer)["Reply-To"].addresses[0].addr_spec == "j@c.test"
    assert received(peer)["Reply-To"].addresses[0].display_name == "Jürgen Müller"
    assert b"<j@c.test>" in peer.messages[0]


def test_extras_1982_no_error_tells_the_password(run: Run, authority: Authority) -> None:
    with Peer(
        {"AUTH": "535 5.7.8 hunter2-secret is wrong"}, extensions=["AUTH PLAIN LOGIN"], tls=authority.server
    ) as peer:
        result = run(peer, ca_file=authority.ca_file, tls="starttls", **LOGIN)
    assert result["failed"] is True
    assert "535 5.7.8" in result["msg"]  # D9
    assert "hunter2" not in str(result)
    assert sum(line.startswith("AUTH") for line in peer.commands) == 1  # D10


def test_extras_284_extras_483_cg_7122_d8_connection_refused_is_a_sentence(run: Run) -> None:
    with Peer() as peer:
        pass
    result = run(peer)
    assert result["failed"] is True
    assert f"127.0.0.1:{peer.port}, stage connect: no connection: Connection refused" in result["msg"]
    assert "exception" not in result


def test_cg_10326_d11_a_server_that_takes_tokens_only(run: Run, authority: Authority) -> None:
    with Peer(extensions=["AUTH XOAUTH2"], tls=authority.server) as peer:
        result = run(peer, ca_file=authority.ca_file, tls="starttls", username="user", oauth={"token": "tok"})
    assert result.get("failed") is None, result
    assert result["connection"]["auth_mechanism"] == "XOAUTH2"


def test_33182_33232_reply_to_a_text_beside_the_html_and_an_image(run: Run) -> None:
    image = {"content": "<svg/>", "name": "logo.svg", "cid": "logo"}
    with Peer() as peer:
        run(peer, reply_to="c@c.test", html="<p>Hello</p><img src='cid:logo'>", attachments=[image])
    message = received(peer)
    assert message["Reply-To"] == "c@c.test"
    assert "Hello" in message.get_body(("plain",)).get_content()
    assert [part["Content-ID"] for part in message.walk() if part["Content-ID"]] == ["<logo>"]


def test_1492_one_task_many_messages_one_connection(run: Run) -> None:
    with Peer() as peer:
        run(peer, messages=[{"to": f"host{number}@b.test"} for number in range(50)], to=None)
    assert (peer.connections, len(peer.messages)) == (1, 50)


def test_cg_3425_cg_7303_cg_5921_cg_7740_cg_7848_cg_7765_the_wishes_that_were_merged(run: Run) -> None:
    with Peer() as peer:
        run(peer, ehlohost="me.test", headers="X-Query=a=1&b=2", message_id_domain="ansible")
    assert peer.commands[0] == "EHLO me.test"
    assert received(peer)["X-Query"] == "a=1&b=2"
    assert received(peer)["Message-ID"].endswith("@ansible>")
    assert received(peer)["Date"]


def test_cg_7731_the_time_out_is_kept(run: Run) -> None:
    with Peer(faults={GREETING: Fault.STALL}) as peer:
        begin = time.monotonic()
        result = run(peer, timeout=1)
    assert result["failed"] is True
    assert "no answer within 1 s" in result["msg"]
    assert time.monotonic() - begin < 5


def test_extras_423_a_notification_changes_nothing(run: Run) -> None:
    with Peer() as peer:
        assert run(peer)["changed"] is False


def test_d5_no_password_in_clear(run: Run) -> None:
    with Peer(extensions=["AUTH PLAIN"]) as peer:
        result = run(peer, secure="try", **LOGIN)
    assert result["failed"] is True
    assert "in clear" in result["msg"]
    assert not [line for line in peer.commands if line.startswith(("AUTH", "MAIL"))]


def test_d6_some_recipients_refused_is_no_success(run: Run) -> None:
    def refuse_one(moment: Moment) -> str | None:
        return "550 5.1.1 unknown" if moment.recipient == "c@b.test" else None

    with Peer(disturb=refuse_one) as peer:
        result = run(peer, to=["b@b.test", "c@b.test"])
    assert result["failed"] is True
    assert "1 of 2 recipients" in result["msg"]


def test_d7_accepted_is_sent_whatever_comes_then(run: Run) -> None:
    for fault in (Fault.CLOSE, Fault.RESET, Fault.GARBAGE):
        with Peer(faults={"QUIT": fault}) as peer:
            assert run(peer).get("failed") is None
        assert len(peer.messages) == 1


def test_d22_greylisting_is_tried_again(run: Run) -> None:
    answers = iter(["450 4.2.0 greylisted"])

    def greylist(moment: Moment) -> str | None:
        return next(answers, None) if moment.stage == "RCPT" else None

    with Peer(disturb=greylist) as peer:
        result = run(peer, attempts=2, retry_delay=0.01)
    assert result.get("failed") is None
    assert result["attempts"] == 2


def test_d23_d25_what_cannot_be_sent_is_found_before_connecting(run: Run) -> None:
    unsendable: tuple[dict[str, t.Any], ...] = ({"to": []}, {"attach": "/nonexistent"})
    for options in unsendable:
        with Peer() as peer:
            assert run(peer, **options)["failed"] is True
        assert peer.connections == 0


def test_d24_the_result_says_what_became_of_it(run: Run) -> None:
    with Peer({END_OF_DATA: "250 2.0.0 Ok: queued as 4Zx7Yw"}) as peer:
        result = run(peer)
    assert result["queue_id"] == "4Zx7Yw"
    assert result["message_id"].startswith("<")
    assert result["size"] == len(peer.messages[0]) - 3
    (recipient,) = result["recipients"]
    assert (recipient["code"], recipient["enhanced_code"]) == (250, "2.0.0")
    assert recipient["text"] == "2.0.0 Ok: queued as 4Zx7Yw"
