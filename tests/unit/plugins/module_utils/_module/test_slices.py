# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task in several runs of the module: what one leaves to the next, and what is said when it cannot go on."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.backlog import Backlog, RetryPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import (
    DeliveryResult,
    DeliveryStatus,
    RecipientResult,
)
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.errors import Stage
from ansible_collections.mailops.smtp.tests.fault.peer import Peer

Run = t.Callable[..., dict[str, t.Any]]


def part(folder: Path, seconds: float) -> dict[str, t.Any]:
    return {"run": "one", "seconds": seconds, "path": str(folder / "slice")}


def people(count: int) -> list[dict[str, str]]:
    return [{"to": f"p{number}@b.test"} for number in range(count)]


def test_the_wait_for_another_attempt_passes_within_a_slice(run: Run, tmp_path: Path) -> None:
    """Or slices that are shorter than the wait would follow each other for ever."""
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


def test_time_between_slices_counts() -> None:
    retry = RetryPolicy(attempts=2, first_delay=0.2)
    before = Backlog(1, retry=retry)
    assert before.take()
    later = (RecipientResult("p@b.test", DeliveryStatus.DEFERRED, Stage.RCPT),)
    assert before.settle(DeliveryResult("<1@a.test>", 10, later)) is None
    state = before.state()
    time.sleep(0.3)
    after = Backlog(1, retry=retry)
    after.restore(state)
    assert after.take()


def test_a_later_slice_that_cannot_begin_tells_what_was_sent(run: Run, tmp_path: Path) -> None:
    with Peer() as peer:
        more = {"messages": people(9), "to": None, "messages_per_minute": 600, "results": "all"}
        assert run(peer, **more, _slice=part(tmp_path, 0.25))["_unfinished"]
        sent = len(peer.messages)
        result = run(peer, **more, ca_file=str(tmp_path / "gone"), tls="starttls", _slice=part(tmp_path, 0.25))
    assert result["failed"]
    assert result["msg"].startswith(f"{sent} of 9 messages were sent. The rest was not: "), result["msg"]
    assert result["summary"]["sent"] == len(result["messages"]) == sent
