# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_send as Ansible runs it, against a server with the replies and faults that each test needs."""

from __future__ import annotations

import json
import re
import typing as t
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from ansible.module_utils import basic

from ansible_collections.mailops.smtp.tests.fault.peer import END_OF_DATA, GREETING, Fault, Peer

Run = t.Callable[..., dict[str, t.Any]]


def received(peer: Peer) -> list[t.Any]:
    return [message_from_bytes(message, policy=policy.default) for message in peer.messages]


def test_one_message_is_sent(run: Run) -> None:
    with Peer() as peer:
        result = run(peer)
    assert result["recipients"][0]["status"] == "sent"
    assert result["queue_id"] == "PEER12345"
    assert result["changed"] is False
    assert received(peer)[0]["Subject"] == "s"


def test_content_does_not_reach_the_log_of_the_host(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, msg, **_more: log.append(str(msg)))
    with Peer() as peer:
        run(peer, body="in confidence", _ansible_no_log=False)  # as the controller sets it for most tasks
    assert log == []


def test_parameters_of_community_general_mail(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("attached")
    (tmp_path / "i.png").write_bytes(b"\x89PNG")
    with Peer() as peer:
        result = run(
            peer,
            secure="try",
            sender="root@a.test",
            recipients="root, b@b.test",
            to=None,
            msg="Only a subject",
            subject=None,
            ehlohost="client.test",
            attach=str(tmp_path / "a.txt"),
            inline=[{"path": str(tmp_path / "i.png"), "cid": "logo"}],
            headers="Reply-To=c@c.test",
            subtype="html",
            charset="utf-8",
            message_id_domain="ansible",
            **{"from": None},
        )
    assert result.get("failed") is None, result
    assert [recipient["address"] for recipient in result["recipients"]] == ["root", "b@b.test"]
    assert peer.commands[0] == "EHLO client.test"
    (message,) = received(peer)
    assert message["Reply-To"] == "c@c.test"
    assert message["Message-ID"].endswith("@ansible>")
    assert message.get_body(("html",)).get_content().strip() == "Only a subject"
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.txt"]


def test_many_messages_use_one_connection(run: Run) -> None:
    messages = [{"to": f"p{number}@b.test", "subject": f"n{number}"} for number in range(25)]
    with Peer() as peer:
        result = run(peer, body="common", messages=messages, to=None, subject=None)
    assert peer.connections == 1
    assert [message["Subject"] for message in received(peer)] == [f"n{number}" for number in range(25)]
    assert [one["recipients"][0]["address"] for one in result["messages"]] == [m["to"] for m in messages]
    assert result["summary"] == {"sent": 25, "refused": 0, "deferred": 0, "unknown": 0}


def test_invalid_message_is_named_before_any_connection(run: Run) -> None:
    with Peer() as peer:
        result = run(peer, messages=[{"to": "a@b.test"}, {"to": "no address at all"}])
    assert "messages[1]: to: " in result["msg"]
    assert peer.connections == 0


@pytest.mark.parametrize(("partial", "failed"), [("fail", True), ("warn", None), ("ok", None)])
def test_partial_decides_whether_the_task_fails(run: Run, partial: str, failed: bool | None) -> None:
    with Peer({END_OF_DATA: "250 one\r\n550 5.1.1 no such user"}) as peer:
        result = run(peer, to=["a@b.test", "b@b.test"], lmtp=True, partial=partial)
    assert result.get("failed") is failed
    assert [recipient["status"] for recipient in result["recipients"]] == ["sent", "refused"]
    assert bool(result.get("warnings")) is (partial == "warn")
    assert "1 of 2 recipients" in result["msg"]


def test_partial_does_not_hide_that_no_recipient_was_accepted(run: Run) -> None:
    with Peer({"RCPT": "550 5.1.1 no such user"}) as peer:
        assert run(peer, partial="ok")["failed"] is True


def test_only_open_recipients_get_another_attempt(run: Run) -> None:
    with Peer({END_OF_DATA: "250 one\r\n451 4.7.1 greylisted"}) as peer:
        result = run(peer, to=["a@b.test", "b@b.test"], lmtp=True, attempts=3, retry_delay=0.05, partial="warn")
    assert result["attempts_made"] == 2  # the peer sends 250 for the first recipient of each attempt
    assert result["recipients"][1]["status"] == "sent"
    recipients = [command for command in peer.commands if command.startswith("RCPT")]
    assert recipients.count("RCPT TO:<a@b.test>") == 1
    assert recipients.count("RCPT TO:<b@b.test>") == 2


@pytest.mark.parametrize(("resend", "connections"), [(False, 1), (True, 3)])
def test_unknown_is_sent_again_only_with_resend_unknown(run: Run, resend: bool, connections: int) -> None:
    with Peer(faults={END_OF_DATA: Fault.ACCEPT_AND_CLOSE}) as peer:
        result = run(peer, attempts=3, retry_delay=0.05, resend_unknown=resend)
    assert result["failed"] is True
    assert result["recipients"][0]["status"] == "unknown"
    assert "deliver it twice" in result["msg"]
    assert peer.connections == connections


def test_connection_lost_before_the_end_of_data_is_retried(run: Run) -> None:
    with Peer(faults={"DATA": Fault.CLOSE}) as peer:
        result = run(peer, attempts=2, retry_delay=0.05)
    assert peer.connections == 2
    assert result["recipients"][0]["status"] == "deferred"


@pytest.mark.parametrize(("stage", "last"), [("connect", "EHLO"), ("login", "EHLO"), ("recipients", "RSET")])
def test_check_ends_at_its_stage_and_sends_nothing(run: Run, stage: str, last: str) -> None:
    with Peer() as peer:
        result = run(peer, _check=True, check=stage)
    assert result.get("failed") is None, result
    assert "Nothing was sent" in result["msg"]
    assert peer.messages == []
    assert peer.commands[-2].startswith(last)
    assert not any(command.startswith("DATA") for command in peer.commands)


def test_check_reports_a_refused_recipient(run: Run) -> None:
    with Peer({"RCPT": "550 5.1.1 no such user"}) as peer:
        result = run(peer, check="recipients")
    assert result["failed"] is True
    assert "b@b.test: refused at stage rcpt" in result["msg"]


def test_check_mode_opens_no_connection(run: Run) -> None:
    with Peer() as peer:
        result = run(peer, _check=True)
    assert result["msg"].startswith("Would send the message of ")
    assert peer.connections == 0


DESTINATIONS = [
    ({}, ("localhost", 25, "opportunistic")),
    ({"port": 465}, ("localhost", 465, "implicit")),
    ({"secure": "always", "port": 465}, ("localhost", 465, "implicit")),
    ({"secure": "never"}, ("localhost", 25, "none")),
    ({"tls": "starttls"}, ("localhost", 587, "starttls")),
    ({"provider": "gmail"}, ("smtp.gmail.com", 587, "starttls")),
    ({"provider": "163"}, ("smtp.163.com", 465, "implicit")),
    ({"provider": "gmail", "port": 465}, ("smtp.gmail.com", 465, "implicit")),
    ({"provider": "gmail", "host": "h.test"}, ("h.test", 587, "starttls")),
]


@pytest.mark.parametrize(("options", "expected"), DESTINATIONS)
def test_default_host_and_port(run: Run, options: dict[str, t.Any], expected: tuple[str, int, str]) -> None:
    result = run(None, _check=True, **options)
    assert f"through {expected[0]}:{expected[1]}." in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"provider": "gmial"}, "gmail"),
        ({"provider": "ses"}, "region"),
        ({"username": "u"}, "neither password nor oauth"),
        ({"tls": "none", "username": "u", "password": "p"}, "in clear"),
        ({"pinned_certificates": ["x"]}, "64 hexadecimal digits"),
        ({"proxy": "ftp://secret@h"}, "socks5://host:port"),
        ({"messages_per_minute": float("nan")}, "messages_per_minute is nan; expected more than 0"),
        ({"retry_delay": -1}, "retry_delay is -1.0; expected 0 or more"),
        ({"retry_for": float("inf")}, "retry_for is inf"),
        ({"connections": 0}, "connections is 0"),
        ({"subject": None}, "no subject"),
        ({"to": []}, "no recipient"),
        ({"tls": "starttls", "ca_file": "/nonexistent.pem"}, "ca_file /nonexistent.pem cannot be read"),
        ({"tls": "starttls", "secure": "try"}, "mutually exclusive"),
    ],
)
def test_unusable_options_are_named_in_the_error(run: Run, options: dict[str, t.Any], words: str) -> None:
    result = run(None, **options)
    assert result["failed"] is True
    assert words in result["msg"]
    assert "secret" not in result["msg"]


def test_known_reply_has_advice(run: Run) -> None:
    with Peer({"RCPT": "450 4.2.0 greylisted, try again"}) as peer:
        result = run(peer, results="all")
    assert result["recipients"][0]["advice"]
    assert result["recipients"][0]["advice"] in result["msg"]


@pytest.mark.parametrize(
    ("login", "mechanism", "words"),
    [
        ({"oauth": {"token": "ya29-not-real"}}, "XOAUTH2", "Check that the token in oauth"),
        ({"password": "hunter2-not-real"}, "PLAIN", "did not accept user name and password"),
    ],
)
def test_a_refused_login_gets_the_advice_for_what_was_tried(
    run: Run, login: dict[str, t.Any], mechanism: str, words: str
) -> None:
    """A 535 after a token says nothing about passwords."""
    with Peer({"AUTH": "535 5.7.8 Authentication failed"}, extensions=(f"AUTH {mechanism}",)) as peer:
        result = run(peer, username="app@a.test", allow_cleartext_login=True, **login)
    assert result["stage"] == "auth"
    assert words in result["msg"]


# Many messages


def test_results_option_selects_the_returned_messages(run: Run) -> None:
    messages = [{"to": f"p{number}@b.test"} for number in range(1100)]
    with Peer(disturb=lambda moment: "550 5.1.1 no" if moment.recipient == "p77@b.test" else None) as peer:
        result = run(peer, messages=messages, to=None, partial="ok")
        everything = run(peer, messages=messages, to=None, partial="ok", results="all")
        open_only = run(peer, messages=messages[70:80], to=None, partial="ok", results="open")
    assert [one["index"] for one in result["messages"]] == [77]
    assert result["summary"] == {"sent": 1099, "refused": 1, "deferred": 0, "unknown": 0}
    assert [one["index"] for one in everything["messages"]] == list(range(1100))
    assert [one["index"] for one in open_only["messages"]] == [7]


def test_parallel_connections(run: Run) -> None:
    messages = [{"to": f"p{number}@b.test"} for number in range(60)]
    with Peer() as peer:
        result = run(peer, messages=messages, to=None, connections=3)
    assert sorted(message["To"] for message in received(peer)) == sorted(one["to"] for one in messages)
    assert sum(one["messages"] for one in result["sessions"]) == 60
    assert [one["recipients"][0]["address"] for one in result["messages"]] == [one["to"] for one in messages]


def test_next_run_with_a_journal_sends_the_rest(run: Run, tmp_path: Path) -> None:
    messages = [{"to": f"p{number}@b.test"} for number in range(5)]
    options = {"messages": messages, "to": None, "journal": str(tmp_path / "journal"), "idempotency_key": "news 1"}
    with Peer(disturb=lambda moment: "451 4.2.0 later" if moment.recipient == "p3@b.test" else None) as peer:
        assert run(peer, **options)["summary"]["deferred"] == 1
    with Peer() as peer:
        preview = run(peer, _check=True, **options)
        assert ", except 4 messages that an earlier run has settled" in preview["msg"]
        assert peer.connections == 0
        second = run(peer, **options)
        assert "accepted 5 messages for 5 recipients, 4 messages in an earlier run." in second["msg"]
        assert [one["attempts_made"] for one in second["messages"]] == [0, 0, 0, 1, 0]
        third = run(peer, **options)
        assert third["summary"]["sent"] == 5
        assert third["sessions"] == []
    assert [message["To"] for message in received(peer)] == ["p3@b.test"]


def test_journal_identifies_messages_by_their_content(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    options = {"journal": str(tmp_path / "journal"), "attach": str(path)}
    with Peer() as peer:
        for content in ("one", "one", "two"):
            path.write_text(content)
            run(peer, **options)
    assert len(peer.messages) == 2


def test_two_messages_with_one_message_id_are_refused(run: Run, tmp_path: Path) -> None:
    with Peer() as peer:
        result = run(peer, messages=[{"to": "a@b.test"}] * 2, to=None, journal=str(tmp_path / "journal"))
    assert "messages[1] and messages[0]" in result["msg"]
    assert "its own idempotency_key" in result["msg"]
    assert peer.connections == 0


def test_preview_and_diff(run: Run) -> None:
    attachment = {"content": "x" * 9000, "name": "x.bin", "type": "application/octet-stream"}
    result = run(None, _check=True, _ansible_diff=True, attachments=[attachment], bcc="hidden@b.test")
    assert result["preview"].startswith("MAIL FROM:<a@a.test>\nRCPT TO:<b@b.test>\nRCPT TO:<hidden@b.test>\n")
    assert "Subject: s\n" in result["preview"]
    assert "more lines of base64]" in result["preview"]
    (diff,) = result["diff"]
    assert diff["before"] == ""
    assert re.sub("=_[0-9a-f]+", "", diff["after"]) == re.sub("=_[0-9a-f]+", "", result["preview"])
    many = run(None, _check=True, messages=[{"to": f"p{number}@b.test"} for number in range(30)], to=None)
    assert sum("preview" in one for one in many["messages"]) == 20
    assert "diff" not in many


def test_single_message_has_its_result_even_if_results_is_open(run: Run) -> None:
    with Peer() as peer:
        result = run(peer, results="open")
    assert [recipient["status"] for recipient in result["recipients"]] == ["sent"]


PEOPLE = [{"to": f"p{number}@b.test"} for number in range(3)]


def test_sent_message_is_not_listed_as_untried_if_the_next_session_is_refused(run: Run) -> None:
    refuse: dict[tuple[str, int], str] = {(GREETING, 2): "554 5.7.1 go away"}
    with Peer(disturb=lambda moment: refuse.get((moment.stage, moment.connection))) as peer:
        result = run(peer, messages=PEOPLE, to=None, results="open", messages_per_connection=1)
    assert result["msg"].startswith("1 of 3 messages were sent. ")
    assert [one["index"] for one in result["messages"]] == [1, 2]


def test_message_that_may_have_been_accepted_is_not_reported_as_unsent(run: Run) -> None:
    faults: dict[tuple[str, int], Fault | str] = {
        (END_OF_DATA, 1): Fault.ACCEPT_AND_CLOSE,
        (GREETING, 2): "554 5.7.1 go away",
    }
    with Peer(disturb=lambda moment: faults.get((moment.stage, moment.connection))) as peer:
        result = run(peer, messages=PEOPLE, to=None)
    assert result["msg"].startswith("Nothing is known to have been sent. ")
    assert result["summary"]["unknown"] == 1


def test_check_names_the_first_refused_recipients_and_counts_the_others(run: Run) -> None:
    with Peer({"RCPT": "550 5.1.1 no such user"}) as peer:
        result = run(peer, messages=[{"to": f"p{number}@b.test"} for number in range(9)], to=None, check="recipients")
    assert "p0@b.test, p1@b.test, p2@b.test and 6 more: refused" in result["msg"]
    assert "p3@b.test" not in result["msg"]


def test_check_lists_the_refused_recipients_of_each_message(run: Run) -> None:
    with Peer(disturb=lambda moment: "550 5.1.1 no" if moment.recipient == "p1@b.test" else None) as peer:
        result = run(peer, messages=[{"to": f"p{number}@b.test"} for number in range(3)], to=None, check="recipients")
        everything = run(
            peer,
            messages=[{"to": f"p{number}@b.test"} for number in range(3)],
            to=None,
            check="recipients",
            results="all",
        )
    found = [
        [(one["index"], [person["address"] for person in one["recipients"]]) for one in result["messages"]]
        for result in (result, everything)
    ]
    assert found == [[(1, ["p1@b.test"])], [(0, []), (1, ["p1@b.test"]), (2, [])]]


# What a task that fails prints

LONG = "550 5.1.1 <{}>: Recipient address rejected: User unknown in local recipient table"


def unknown(moment: t.Any) -> str | None:
    return LONG.format(moment.recipient) if moment.recipient.startswith("no") else None


def people(*names: str) -> list[str]:
    return [f"{name}@mail.example.com" for name in names]


FAILED: dict[str, tuple[dict[str, t.Any], int]] = {
    "one": ({"to": people("no1")}, 1),
    "one of two": ({"to": people("no1", "yes")}, 1),
    "both": ({"to": people("no1", "no2")}, 2),
    "one of twenty": ({"to": people("no1", *(f"yes{number}" for number in range(19)))}, 1),
    "checked": ({"to": people("no1", "yes"), "check": "recipients"}, 1),
    "one of a batch": ({"messages": [{"to": one} for one in people("yes1", "no1", "yes2")], "to": None}, 1),
    "of a checked batch": (
        {"messages": [{"to": one} for one in people("yes1", "no1", "yes2")], "to": None, "check": "recipients"},
        1,
    ),
    "of 200": (
        {"messages": [{"to": f"yes{number}@b.test"} for number in range(200)] + [{"to": people("no1")}], "to": None},
        1,
    ),
}


@pytest.mark.parametrize("name", FAILED)
def test_failed_task_prints_less_than_a_kilobyte_and_only_what_failed(run: Run, name: str) -> None:
    options, refused = FAILED[name]
    with Peer(disturb=unknown) as peer:
        result = run(peer, **options)
    result.pop("invocation", None)
    printed = json.dumps(result)
    assert len(printed) < 1000, printed
    assert result["failed"] is True
    assert result["msg"].count("There is no such mailbox") == 1
    assert printed.count("There is no such mailbox") == 1
    messages = result.get("messages", [result])
    entries = [one for message in messages for one in message["recipients"]]
    assert [one["status"] for one in entries].count("refused") == refused
    if "messages" not in result:
        assert len(result["result"]) == refused
        assert all(text.startswith("5.1.1 <no") for _code, text in result["result"].values())


def test_failed_batch_prints_the_first_failures_and_counts_the_others(run: Run) -> None:
    messages = [{"to": f"no{number}@b.test"} for number in range(500)] + [{"to": "yes@b.test"}]
    with Peer(disturb=unknown) as peer:
        brief = run(peer, messages=messages, to=None)
        everything = run(peer, messages=messages, to=None, results="open")
    assert [one["index"] for one in brief["messages"]] == list(range(20))
    assert brief["messages_left_out"] == 480
    assert brief["summary"] == {"sent": 1, "refused": 500, "deferred": 0, "unknown": 0}
    assert "no0@b.test, no1@b.test, no2@b.test and 497 more: refused at stage rcpt: " in brief["msg"]
    assert len(everything["messages"]) == 500
    assert everything["messages_left_out"] == 0
    assert all(one["recipients"][0]["advice"] for one in everything["messages"])


def test_messages_of_a_refused_login_are_counted(run: Run) -> None:
    messages = [{"to": f"p{number}@b.test"} for number in range(300)]
    with Peer({GREETING: "554 5.7.1 go away"}) as peer:
        result = run(peer, messages=messages, to=None)
    assert (result["messages"], result["messages_left_out"]) == ([], 300)
    assert f"127.0.0.1:{peer.port}, stage greeting: " in result["msg"]
    assert "go away" in result["msg"]


def test_advice_for_several_problems_is_told_once(run: Run) -> None:
    replies = {
        "a@b.test": "550 5.1.1 no such user",
        "c@b.test": "550 5.1.1 never heard of",
        "d@b.test": "552 5.2.2 full",
    }
    with Peer(disturb=lambda moment: replies.get(moment.recipient)) as peer:
        result = run(peer, to=list(replies))
    assert result["msg"].count("check the spelling of the recipient") == 1
    assert (
        result["msg"].index("never heard of") < result["msg"].index("check the spelling") < result["msg"].index("full")
    )
