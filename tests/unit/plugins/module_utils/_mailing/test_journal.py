# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at any moment, and the run after it: each message arrives once, as counted by the server.

This covers journal.py with what courier.py and pool.py do with a journal; the option is in _module/test_send.py.
"""

from __future__ import annotations

import collections
import json
import multiprocessing
import os
import signal
import stat
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.backlog import Pace, RetryPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._mailing.journal import Journal, JournalError
from ansible_collections.mailops.smtp.plugins.module_utils._mailing.pool import Pool
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import (
    DeliveryResult,
    DeliveryStatus,
    Envelope,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import BETWEEN, BODY, END_OF_DATA, GREETING, Fault, Moment, Peer

COUNT = 12
FORMS = {"in turn": [], "pipelining": ["PIPELINING"], "chunking": ["PIPELINING", "CHUNKING"]}


def message(number: int, size: int = 0) -> Envelope:
    content = f"Message-ID: <{number}@a.test>\r\n\r\n".encode() + b"x" * 70 * (size // 70) + b"\r\n"
    return Envelope("from@a.test", ("one@b.test", "two@b.test"), content, f"<{number}@a.test>")


def send(port: int, path: Path, connections: int = 1, resend: bool = False, size: int = 0) -> list[DeliveryResult]:
    settings = ServerSettings("localhost", port, TlsPolicy(TlsMode.NONE), timeout=5, final_timeout=5)
    journal = Journal(str(path))
    try:
        pool = Pool(settings, Pace(connections), RetryPolicy(resend_unknown=resend), journal)
        return list(pool.deliver([message(number, size) for number in range(COUNT)]))
    finally:
        journal.close()


class Killer:
    """Kills a run when the server reaches a stage for the n-th time."""

    def __init__(self, stage: str, hit: int) -> None:
        self._stage = stage
        self._left = hit
        self._lock = threading.Lock()
        self.victim = 0
        self.started = threading.Event()
        self.dead = threading.Event()

    def __call__(self, moment: Moment) -> None:
        self.started.wait(20)  # the run may be at this stage before its parent knows its number
        with self._lock:
            self._left -= moment.stage == self._stage
            if self._left == 0 and self.victim:
                os.kill(self.victim, signal.SIGKILL)
                self.dead.wait(20)
                self.victim = 0


def killed(peer: Peer, killer: Killer, path: Path, connections: int, size: int) -> None:
    """Start a run that is killed."""
    context = multiprocessing.get_context("fork")
    run = context.Process(target=send, args=(peer.port, path, connections, False, size))
    run.start()
    killer.victim = t.cast(int, run.pid)
    killer.started.set()
    run.join(20)
    killer.dead.set()
    assert run.exitcode == -signal.SIGKILL, run.exitcode
    for _try in range(200):  # workers of a dead pool finish their jobs and hold the lock until then
        try:
            Journal(str(path)).close()
            return
        except JournalError:
            threading.Event().wait(0.05)
    pytest.fail("the journal is still in use")


MOMENTS = [
    (stage, hit)
    for stage in (GREETING, "EHLO", "MAIL", "RCPT", "DATA", BODY, END_OF_DATA, BETWEEN, "QUIT")
    for hit in ((1,) if stage in (GREETING, "EHLO", "QUIT") else (1, 5, COUNT))
]


@pytest.mark.parametrize("size", [0, 200_000], ids=["small", "large"])
@pytest.mark.parametrize("form", FORMS)
def test_run_killed_at_any_moment(form: str, size: int, tmp_path: Path) -> None:
    moments = [(stage, hit) for stage, hit in MOMENTS if not (form == "chunking" and stage in ("DATA", BODY))]
    for stage, hit in moments:
        _kill_and_run_again(stage, hit, tmp_path / f"{stage}{hit}", FORMS[form], 1, size)


@pytest.mark.parametrize(("stage", "hit"), [(GREETING, 2), ("MAIL", 4), (END_OF_DATA, 3), (BETWEEN, 5)])
def test_run_with_several_connections_killed(stage: str, hit: int, tmp_path: Path) -> None:
    _kill_and_run_again(stage, hit, tmp_path / "journal", FORMS["pipelining"], 3, 0)


def _kill_and_run_again(stage: str, hit: int, path: Path, extensions: list[str], connections: int, size: int) -> None:
    killer = Killer(stage, hit)
    with Peer(extensions=extensions, disturb=killer) as peer:
        killed(peer, killer, path, connections, size)
        results = send(peer.port, path, connections, size=size)
    taken = collections.Counter(receipt.message_id for receipt in peer.receipts if receipt.accepted)
    statuses = {result.message_id: {one.status for one in result.recipients} for result in results}
    where = f"killed at {stage} {hit}: taken {taken}, reported {statuses}"
    assert len(results) == COUNT, where
    assert set(taken.values()) == {1}, where
    for number in range(COUNT):
        (status,) = statuses[f"<{number}@a.test>"]
        assert status in (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN), where
        assert status is DeliveryStatus.UNKNOWN or taken[f"<{number}@a.test>"] == 1, where
    unknown = [name for name, found in statuses.items() if found == {DeliveryStatus.UNKNOWN}]
    assert len(unknown) <= connections, where


def test_unknown_is_sent_again_with_resend_unknown(tmp_path: Path) -> None:
    killer = Killer(END_OF_DATA, 3)
    with Peer(disturb=killer) as peer:
        killed(peer, killer, tmp_path / "journal", 1, 0)
        first = send(peer.port, tmp_path / "journal")
        again = send(peer.port, tmp_path / "journal", resend=True)
        assert [one.status.value for one in first[2].recipients] == ["unknown"] * 2
        assert "an earlier run ended" in first[2].recipients[0].problem
        assert {one.status for result in again for one in result.recipients} == {DeliveryStatus.SENT}
        assert [result.attempts for result in again] == [0, 0, 1] + [0] * (COUNT - 3)


def test_next_run_tries_refused_and_deferred_recipients_again(tmp_path: Path) -> None:
    """Recipients that were sent the message are left out."""
    refuse = {"one@b.test": "550 5.1.1 unknown", "two@b.test": "451 4.2.0 later"}
    with Peer(disturb=lambda moment: refuse.get(moment.recipient) if moment.stage == "RCPT" else None) as peer:
        send(peer.port, tmp_path / "journal")
        del refuse["two@b.test"]
        results = send(peer.port, tmp_path / "journal")
        assert {tuple(one.status.value for one in result.recipients) for result in results} == {("refused", "sent")}
        refuse.clear()
        results = send(peer.port, tmp_path / "journal")
        assert {tuple(one.status.value for one in result.recipients) for result in results} == {("sent", "sent")}
    accepted = collections.Counter(address for receipt in peer.receipts for address in receipt.accepted)
    assert accepted == {"one@b.test": COUNT, "two@b.test": COUNT}


def test_other_workers_continue_after_one_is_killed(tmp_path: Path) -> None:
    workers: list[int] = []

    def kill_a_worker(moment: Moment) -> None:
        if moment.stage == END_OF_DATA and not workers:
            workers.extend(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))
            os.kill(workers[0], signal.SIGKILL)

    with Peer(disturb=kill_a_worker) as peer:
        results = send(peer.port, tmp_path / "journal", connections=3)
    statuses = collections.Counter(one.status for result in results for one in result.recipients)
    assert len(results) == COUNT
    assert set(statuses) <= {DeliveryStatus.SENT, DeliveryStatus.UNKNOWN}
    taken = collections.Counter(receipt.message_id for receipt in peer.receipts if receipt.accepted)
    assert set(taken.values()) == {1}
    reported = {
        result.message_id for result in results if {one.status for one in result.recipients} == {DeliveryStatus.SENT}
    }
    assert reported <= set(taken)


def test_journal_is_private_and_locked_by_one_run(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Peer() as peer:
        send(peer.port, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    journal = Journal(str(path))
    with pytest.raises(JournalError, match="another run is using"):
        Journal(str(path))
    journal.close()


def test_truncated_line_counts_as_not_written(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Peer() as peer:
        send(peer.port, path)
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
        results = send(peer.port, path)
    unknown = [result for result in results if result.recipients[0].status is DeliveryStatus.UNKNOWN]
    assert len(unknown) == 1, "the intent is recorded, the outcome is not"
    assert len(peer.receipts) == COUNT


@pytest.mark.parametrize("content", ["hello\n", '{"id": 1}\n', "[]\n"])
def test_file_that_is_not_a_journal_is_left_unchanged(content: str, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text(content)
    with pytest.raises(JournalError, match="line 1 is not a journal record; set journal to another file"):
        Journal(str(path))
    assert path.read_text() == content


@pytest.mark.parametrize("name", ["missing/journal", "link"])
def test_journal_that_cannot_be_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="cannot be opened: .*; set journal to a file in an existing directory"):
        Journal(str(tmp_path / name))


def test_read_only_journal_creates_no_file(tmp_path: Path) -> None:
    assert Journal(str(tmp_path / "journal"), read_only=True).known("<x@y>") == {}
    assert not (tmp_path / "journal").exists()


@pytest.mark.parametrize("size", [100, 65522], ids=["one chunk", "three octets more than a chunk"])
def test_full_disk_sends_no_message_that_cannot_be_recorded(tmp_path: Path, size: int) -> None:
    """/dev/full accepts no octet. QUIT must not be sent where the server expects the rest of a chunk."""
    journal = Journal(str(tmp_path / "journal"))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._file)
    os.close(full)
    with Peer(extensions=["PIPELINING", "CHUNKING"]) as peer:
        settings = ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.NONE), timeout=5)
        content = b"Message-ID: <0@a.test>\r\n\r\n"
        content += b"x" * (size - len(content) - 2) + b"\r\n"
        with pytest.raises(OSError, match="No space left"):
            list(Pool(settings, journal=journal).deliver([Envelope("a@a.test", ("b@b.test",), content, "<0@a.test>")]))
    assert peer.receipts == []
    journal.close()


def test_reading_does_not_move_the_shared_file_offset(tmp_path: Path) -> None:
    """Workers are forks: if one reader moved the offset, another would read the wrong record."""
    with Peer() as peer:
        send(peer.port, tmp_path / "journal")
    journal = Journal(str(tmp_path / "journal"))
    os.lseek(journal._file, 7, os.SEEK_SET)
    assert {one.status for one in journal.known("<3@a.test>").values()} == {DeliveryStatus.SENT}
    assert os.lseek(journal._file, 0, os.SEEK_CUR) == 7
    journal.close()


def test_records_hold_intent_and_outcome(tmp_path: Path) -> None:
    with Peer(faults={END_OF_DATA: Fault.ACCEPT_AND_CLOSE}) as peer:
        send(peer.port, tmp_path / "journal")
    records = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [record["id"] for record in records[:2]] == ["<0@a.test>", "<0@a.test>"]
    assert records[0]["begun"] == ["one@b.test", "two@b.test"]
    assert [one["status"] for one in records[1]["ended"]] == ["unknown"] * 2


@pytest.mark.parametrize("read_only", [False, True])
def test_pipe_and_device_are_not_regular_files(tmp_path: Path, read_only: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(JournalError, match=f"{path} is not a regular file; set journal to another file"):
            Journal(path, read_only)


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_journal_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "journal"
    path.touch()
    path.chmod(mode)
    with pytest.raises(JournalError, match="others may write to the journal"):
        Journal(str(path))


def test_journal_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    path.touch(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(JournalError, match="others may write to the journal"):
        Journal(str(path))


def test_deeply_nested_line_is_not_a_record(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text("[" * 100_000 + "\n")
    path.chmod(0o600)
    with pytest.raises(JournalError, match="line 1 is not a journal record; set journal to another file"):
        Journal(str(path))


@pytest.mark.parametrize("connections", [1, 3])
def test_settled_messages_do_not_wait_for_a_turn(connections: int, tmp_path: Path) -> None:
    """At this pace, each turn takes a minute."""
    with Peer() as peer:
        send(peer.port, tmp_path / "journal")
        settings = ServerSettings("localhost", peer.port, TlsPolicy(TlsMode.NONE), timeout=5)
        journal = Journal(str(tmp_path / "journal"))
        messages = [message(number) for number in range(COUNT + 1)]
        began = time.monotonic()
        results = list(Pool(settings, Pace(connections, messages_per_minute=1), journal=journal).deliver(messages))
        journal.close()
    assert time.monotonic() - began < 30
    assert [result.attempts for result in results] == [0] * COUNT + [1]
    assert len(peer.receipts) == COUNT + 1
