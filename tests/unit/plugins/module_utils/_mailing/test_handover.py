# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task in several calls of the module: what a call leaves to the next, and the error if that one cannot continue.

The calls run the whole module, for a slice spans the backlog, the report and the result. The plugin's side is in
plugins/action/test_smtp_send.py; the state of the backlog alone is in test_backlog.py.
"""

from __future__ import annotations

import json
import typing as t
from email import message_from_bytes, policy
from pathlib import Path

from ansible_collections.mailops.smtp.tests.fault.peer import Moment, Peer

Run = t.Callable[..., dict[str, t.Any]]


def part(folder: Path, seconds: float) -> dict[str, t.Any]:
    return {"run": "one", "seconds": seconds, "path": str(folder / "slice")}


def recipients(peer: Peer) -> list[str]:
    """The To fields of what the peer accepted."""
    messages = (message_from_bytes(content, policy=policy.default) for content in peer.messages)
    return sorted(message["To"] for message in messages if message["To"])


def people(count: int) -> list[dict[str, str]]:
    return [{"to": f"p{number}@b.test"} for number in range(count)]


def test_slice_waits_for_the_next_attempt_before_it_ends(run: Run, tmp_path: Path) -> None:
    """Without this, slices that are shorter than the delay would follow each other endlessly."""
    replies = iter(["450 4.2.1 later"])
    slices = 0
    with Peer(disturb=lambda moment: next(replies, None) if moment.stage == "RCPT" else None) as peer:
        result: dict[str, t.Any] = {"_unfinished": True}
        while result.get("_unfinished") and slices < 20:
            more = {"attempts": 2, "retry_delay": 0.9, "_slice": part(tmp_path, 0.3)}
            result = run(peer, messages=people(1), to=None, **more)
            slices += 1
    assert result["summary"]["sent"] == 1
    assert slices <= 6


def test_error_of_a_later_slice_says_what_was_sent(run: Run, tmp_path: Path) -> None:
    with Peer() as peer:
        more = {"messages": people(9), "to": None, "messages_per_minute": 600, "results": "all"}
        assert run(peer, **more, _slice=part(tmp_path, 0.25))["_unfinished"]
        sent = len(peer.messages)
        result = run(peer, **more, ca_file=str(tmp_path / "gone"), tls="starttls", _slice=part(tmp_path, 0.25))
    assert result["failed"]
    assert result["msg"].startswith(f"{sent} of 9 messages were sent. The rest was not sent: "), result["msg"]
    assert result["summary"]["sent"] == len(result["messages"]) == sent


def test_long_task_in_slices(run: Run, tmp_path: Path) -> None:
    """A slice ends when its time is up, the next one continues there, and deferred messages keep their attempts."""
    messages = [{"to": f"p{number}@b.test"} for number in range(30)]
    greylisted: set[str] = set()

    def greylist(moment: Moment) -> str | None:
        if (
            moment.stage != "RCPT"
            or moment.recipient in greylisted
            or moment.recipient not in ("p0@b.test", "p9@b.test")
        ):
            return None
        greylisted.add(moment.recipient)
        return "450 4.2.0 greylisted"

    part = {"run": "r1", "seconds": 0.2, "path": str(tmp_path / "state")}
    options = {"messages": messages, "to": None, "messages_per_minute": 6000, "attempts": 2, "retry_delay": 0.3}
    answers: list[dict[str, t.Any]] = []
    with Peer(disturb=greylist) as peer:
        while not answers or answers[-1].get("_unfinished"):
            answers.append(run(peer, _slice=part, **options))
            assert len(answers) < 20
    assert len(answers) > 1
    assert answers[0]["_progress"]["total"] == 30
    sent = [one["_progress"]["sent"] for one in answers[:-1]]
    assert sent == sorted(sent)  # each slice continues where the one before it ended
    assert any(0 < count < 30 for count in sent)  # on a busy machine, the first slice may send nothing
    last = answers[-1]
    assert last["summary"] == {"sent": 30, "refused": 0, "deferred": 0, "unknown": 0}
    assert [one["attempts_made"] for one in last["messages"]] == [2 if number in (0, 9) else 1 for number in range(30)]
    assert sum(one["messages"] for one in last["sessions"]) == 30
    assert recipients(peer) == sorted(one["to"] for one in messages)


def test_messages_file_that_changes_between_slices_is_refused(run: Run, tmp_path: Path) -> None:
    """Its row numbers would no longer match the messages that were sent."""
    path = tmp_path / "people.jsonl"
    path.write_text("".join(json.dumps({"to": f"p{number}@b.test"}) + "\n" for number in range(30)))
    part = {"run": "r1", "seconds": 0.1, "path": str(tmp_path / "state")}
    options = {"messages_file": str(path), "to": None, "messages_per_minute": 1200, "_slice": part}
    with Peer() as peer:
        assert run(peer, **options)["_unfinished"] is True
        path.write_text(path.read_text().partition("\n")[2])
        result = run(peer, **options)
    assert "messages_file was changed during the task; leave it unchanged" in result["msg"]
    assert result["summary"]["sent"] == len(peer.messages)
