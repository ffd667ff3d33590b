# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue is counted from its files: by state, age and destination, whatever their envelope looks like."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._host import queue
from ansible_collections.mailops.smtp.plugins.module_utils._host.queue_files import Envelope, read_envelope
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.queue_maker import make_file, record

NOW = 1_800_000_000
MANY = [b"u%d@many.test" % number for number in range(3000)]

#: A queue file, and its envelope.
FILES: list[tuple[bytes, Envelope]] = [
    (make_file([b"a@one.test"], NOW), Envelope(NOW, ["one.test"], True)),
    (make_file([b"a@One.TEST", b"root"], NOW), Envelope(NOW, ["one.test", ""], True)),
    (make_file([b"a@one.test"], NOW, done=[b"b@two.test"]), Envelope(NOW, ["one.test"], True)),
    (make_file([], NOW, late=[b"a@header.test"]), Envelope(NOW, ["header.test"], True)),
    (
        make_file([b"a@one.test"], NOW, late=[b"b@late.test"], content=b"x" * 70000),
        Envelope(NOW, ["one.test", "late.test"], True),
    ),
    (make_file(MANY, NOW), Envelope(NOW, ["many.test"] * 3000, True)),
    (make_file([b"a@one.test"], NOW, attributes=200), Envelope(NOW, ["one.test"], True)),
    (make_file([b"a@" + b"x" * 5000], NOW), Envelope(NOW, ["x" * 5000], True)),
    (make_file([b'"a@b"@one.test'], NOW), Envelope(NOW, ["one.test"], True)),
    (make_file([b"u@\xe9.test"], NOW), Envelope(NOW, ["\ufffd.test"], True)),
    # maildrop: no size, no time
    (
        record(b"S", b"me") + record(b"R", b"a@one.test") + record(b"M", b"") + record(b"N", b"R"),
        Envelope(None, ["one.test"], True),
    ),
    (b"", Envelope(None, [], True)),
    (make_file([b"a@one.test"], NOW)[:-600], Envelope(NOW, ["one.test"], True)),
]


def read(path: Path, content: bytes) -> Envelope:
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return read_envelope(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(("content", "expected"), FILES)
def test_envelope_of_a_queue_file(tmp_path: Path, content: bytes, expected: Envelope) -> None:
    assert read(tmp_path / "f", content) == expected


NOISE = random.Random(1).randbytes(5000)  # noqa: S311
#: Files that are not queue files.
JUNK = [
    b"\xff" * 100_000,
    b"T\x03abc",
    b"C\x02xx",
    b"C\x00",
    b"T\x00",
    b"R",
    b"Subject: hello\n\nA text.\n",
    NOISE,
]


@pytest.mark.parametrize("content", JUNK)
def test_junk_is_read_to_an_end(tmp_path: Path, content: bytes) -> None:
    try:
        found = read(tmp_path / "f", content)
    except ValueError:
        return
    assert isinstance(found, Envelope)


def test_envelope_without_end_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "f"
    began = time.monotonic()
    found = read(path, make_file([b"u%d@many.test" % number for number in range(200_000)], NOW))
    assert not found.whole
    assert time.monotonic() - began < 5
    assert 10_000 < len(found.domains) < 200_000


def put(folder: Path, place: str, *recipients: bytes, age: int = 0) -> None:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make_file(recipients, NOW - age))
    path.chmod(0o700)


def test_states_ages_and_destinations(tmp_path: Path) -> None:
    put(tmp_path, "incoming/AA1", b"a@one.test", age=10)
    put(tmp_path, "active/AA2", b"a@one.test", b"b@two.test", age=4000)
    put(tmp_path, "deferred/B/B1", b"c@two.test", age=90_000)
    put(tmp_path, "deferred/B/C/BC2", b"d@two.test", age=900_000)  # hash_queue_depth of two
    put(tmp_path, "hold/4dDwwB5hD2z4w", b"e@three.test", age=100)
    put(tmp_path, "deferred/B/AA2", b"a@one.test", age=4000)  # moved since it was counted
    put(tmp_path, "defer/B/B1", b"not a message")
    put(tmp_path, "incoming/AA9", b"f@four.test")
    (tmp_path / "incoming/AA9").chmod(0o600)  # being written
    put(tmp_path, "corrupt/AB1")
    (tmp_path / "corrupt/AB1").chmod(0o400)
    (tmp_path / "maildrop").mkdir()
    (tmp_path / "incoming/123.456").write_text("being written")
    os.symlink("/etc/passwd", tmp_path / "active/LINK")
    found = queue.count(str(tmp_path), "", "/q", NOW)
    states = {one.state: one for one in found.states or ()}
    assert {name: one.messages for name, one in states.items()} == {
        "maildrop": 0,
        "hold": 1,
        "incoming": 1,
        "active": 1,
        "deferred": 2,
        "corrupt": 1,
    }
    assert [(band.up_to, band.messages) for band in states["deferred"].ages] == [
        ("5m", 0),
        ("1h", 0),
        ("4h", 0),
        ("1d", 0),
        ("5d", 1),
        ("more", 1),
    ]
    assert (states["active"].oldest, states["maildrop"].oldest) == ("2027-01-15T06:53:20Z", None)
    assert (found.messages, found.oldest, found.domains, found.partly_read) == (6, "2027-01-04T22:00:00Z", 3, 0)
    assert [(one.domain, one.recipients) for one in found.destinations or ()] == [
        ("two.test", 3),
        ("one.test", 2),
        ("three.test", 1),
    ]


def test_every_instance_has_its_queue(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, "multi")
    put(Path(host.root) / "var/spool/postfix", "active/A1", b"a@one.test")
    put(Path(host.root) / "var/spool/postfix-out", "deferred/A/A1", b"a@one.test")
    found = queue.find(host) or ()
    assert [(one.instance, one.directory, one.messages) for one in found] == [
        ("", "/var/spool/postfix", 1),
        ("postfix-out", "/var/spool/postfix-out", 1),
    ]


def test_queue_that_may_not_be_read_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost(tmp_path, "debian")

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    (found,) = queue.find(host) or ()
    assert (found.messages, found.states) == (None, None)
    assert "Permission denied" in host.reasons()["queue./var/spool/postfix"]


def test_file_that_goes_while_it_is_counted_was_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "active/A1", b"a@one.test")
    real = os.open

    def late(path: str, flags: int) -> int:
        os.unlink(path)
        return real(path, flags)

    monkeypatch.setattr(os, "open", late)
    assert queue.count(str(tmp_path), "", "/q", NOW).messages == 0
