# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every stage by every fault, for one message and for many: the right status, nothing lost, nothing repeated.

One test is one stage and one fault. Its cells run side by side, since most of their time is waiting; those with several
connections run one after the other. A cell that fails shows what the client told and what the peer saw.
"""

from __future__ import annotations

import itertools
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ansible_collections.mailops.smtp.tests.fault.peer import Fault
from ansible_collections.mailops.smtp.tests.fault.walk import OPENING, Cell, Outcome, broken_promises, run
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

SENT, DEFERRED, REFUSED, UNKNOWN = ["sent"] * 2, ["deferred"] * 2, ["refused"] * 2, ["unknown"] * 2
CLOSING, LATER, NEVER = "421 4.3.2 closing", "451 4.3.0 later", "550 5.7.1 never"

#: The connection is gone, or as good as gone.
LOST = (Fault.CLOSE, Fault.RESET, Fault.STALL, Fault.DRIP)
SLOW = (Fault.STALL, Fault.DRIP)
#: What no SMTP server says here: nothing more is said to it, and it is not asked again.
NONSENSE = (Fault.GARBAGE, Fault.ENDLESS, Fault.OUT_OF_STEP)
FAULTS = (*LOST, Fault.ACCEPT_AND_CLOSE, *NONSENSE, Fault.INJECT, CLOSING, LATER, NEVER)
QUICK = [fault for fault in FAULTS if fault not in SLOW]
#: After these the peer says what was not asked for: what follows may be refused, but never wrongly told.
WILD = (*NONSENSE, Fault.INJECT)

MESSAGE_STAGES = ("mail", "first recipient", "second recipient", "data", "content", "end of data", "between", "quit")
LMTP_STAGES = ("mail", "second recipient", "data", "end of data", "second answer", "between")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def first_try(cell: Cell) -> list[list[str]]:
    """What the message that is hit may come to at the first attempt; empty: the session does not open, for good."""
    fault = CLOSING if cell.fault == CLOSING else cell.fault
    if cell.stage in OPENING:
        return _of_opening(cell)
    if cell.stage in ("between", "quit"):
        return [SENT, UNKNOWN] if fault is Fault.RESET and cell.stage == "between" else [SENT]
    if cell.stage == "content":
        return _of_content(cell)
    if cell.stage in ("end of data", "second answer"):
        status = {CLOSING: "deferred", LATER: "deferred", NEVER: "refused", Fault.INJECT: "sent"}.get(fault, "unknown")
        if not cell.lmtp:
            return [[status] * 2]
        return [_of_lmtp(cell, status)]
    if fault in (LATER, NEVER):
        status = "deferred" if fault == LATER else "refused"
        alone = {"first recipient": [status, "sent"], "second recipient": ["sent", status]}
        return [alone.get(cell.stage, [status] * 2)]
    if fault is Fault.INJECT:
        # without DATA nothing tells a reply too many from the reply to the next command
        return [SENT, REFUSED] if cell.form == "chunking" else [REFUSED]
    return [REFUSED] if fault in NONSENSE else [DEFERRED]


def _of_opening(cell: Cell) -> list[list[str]]:
    if cell.stage == "tls" and cell.fault not in (Fault.RESET, Fault.STALL, Fault.DRIP):
        return []
    if cell.fault is Fault.INJECT:
        return [] if cell.stage == "starttls" else [REFUSED]
    return [] if cell.fault in (*NONSENSE, NEVER) else [DEFERRED]


def _of_content(cell: Cell) -> list[list[str]]:
    """A client that has handed over everything cannot know that the peer stopped in the middle."""
    if cell.fault in (CLOSING, LATER):
        return [DEFERRED]
    if cell.fault == NEVER:
        return [REFUSED]
    if cell.fault in (Fault.INJECT, Fault.OUT_OF_STEP):
        return [SENT]
    if cell.fault in NONSENSE:
        return [UNKNOWN]
    return [DEFERRED] if cell.large else [DEFERRED, UNKNOWN]


def _of_lmtp(cell: Cell, status: str) -> list[str]:
    """Each recipient has a reply, and what was said for one holds whatever comes for the other."""
    if cell.stage == "second answer":
        return ["sent", status]
    if cell.fault == CLOSING:
        return ["deferred", "unknown"]
    return [status, "sent" if cell.fault in (LATER, NEVER, Fault.INJECT) else "unknown"]


def unlike_the_table(cell: Cell, outcome: Outcome) -> t.Iterator[str]:
    """Whether each message came to what the stage and the fault mean."""
    wanted = first_try(cell)
    if not wanted:
        if not outcome.error:
            yield "the session opened"
        return
    if outcome.error:
        yield "it raised"
    if cell.times < cell.attempts:
        wanted = [["sent" if status == "deferred" else status for status in one] for one in wanted]
        if cell.resend_unknown:
            wanted = [["sent" if status == "unknown" else status for status in one] for one in wanted]
    for index, envelope in enumerate(cell.envelopes):
        if cell.stage in OPENING:  # whichever message was waiting for the session
            allowed = wanted if cell.count == 1 or cell.times >= cell.attempts else [*wanted, SENT]
        else:
            allowed = wanted if index == cell.hit else _of_neighbours(cell, index)
        if allowed and outcome.statuses(envelope) not in allowed:
            yield f"{envelope.message_id} is {outcome.statuses(envelope)}, expected {' or '.join(map(str, allowed))}"


def _of_neighbours(cell: Cell, index: int) -> list[list[str]]:
    """What the others may come to; empty for anything that is told rightly."""
    if index < cell.hit and cell.connections == 1:
        return [SENT]
    if cell.fault in WILD or (cell.stage == "between" and cell.fault in (*LOST, LATER, NEVER)):
        return []
    # who closes with a reply takes the next message along that was begun behind it
    begun = cell.fault == CLOSING or (cell.stage == "content" and cell.fault in (LATER, NEVER))
    return [SENT, DEFERRED] if begun and cell.times >= cell.attempts else [SENT]


def walk(cells: t.Iterable[Cell], authority: Authority, side_by_side: int = 24) -> None:
    """Run the cells, and fail with all that went wrong."""

    cells = list(cells)

    def judge(cell: Cell) -> str:
        outcome = run(cell, *authority)
        problems = [*broken_promises(cell, outcome), *unlike_the_table(cell, outcome)]
        return "\n".join([f"{cell}:", *(f"  {problem}" for problem in problems), str(outcome)]) if problems else ""

    with ThreadPoolExecutor(side_by_side) as executor:
        verdicts = list(zip(cells, executor.map(judge, cells), strict=True))
    # a busy machine may be late for a quarter of a second: alone, and with more patience, it is not
    failures = [
        judge(replace(cell, patience=2.0)) if cell.fault in SLOW else failure for cell, failure in verdicts if failure
    ]
    failures = [failure for failure in failures if failure]
    if failures:
        pytest.fail(f"{len(failures)} cells\n" + "\n\n".join(failures[:3]), pytrace=False)


def fault_id(value: object) -> str:
    return value.name.lower() if isinstance(value, Fault) else str(value).replace(" ", "-")


def forms(stage: str) -> list[str]:
    """Those that have this stage."""
    return ["in turn", "pipelining"] if stage == "data" else ["in turn", "pipelining", "chunking"]


#: (attempts, how often it happens): once and for all, once and then no more, whenever it is tried.
TRIES = ((1, 1000), (3, 1), (3, 1000))


def pairs(stages: t.Iterable[str], faults: t.Iterable[Fault | str]) -> list[tuple[str, Fault | str]]:
    """Each stage with each fault; to do as asked and close is a fault of its own only where something is asked."""
    product = itertools.product(stages, faults)
    return [
        pair for pair in product if pair[1] is not Fault.ACCEPT_AND_CLOSE or pair[0] in ("end of data", "second answer")
    ]


def opening_cells(stage: str, fault: Fault | str) -> list[Cell]:
    return [
        Cell(stage, fault, count=count, times=times, attempts=attempts)
        for count, (attempts, times) in itertools.product((1, 3), TRIES)
    ]


def message_cells(stage: str, fault: Fault | str) -> list[Cell]:
    """Alone, and as the first, one in the middle and the last of many, over one connection."""
    places = [(3, 0), (3, 1)] if stage == "between" else [(1, 0), (3, 0), (3, 1), (3, 2)]
    cells = [
        Cell(stage, fault, form, count, hit, times=times, attempts=attempts)
        for form, (count, hit), (attempts, times) in itertools.product(forms(stage), places, TRIES[:2])
    ]
    if stage != "between":
        cells += [Cell(stage, fault, form, attempts=3) for form in forms(stage)]
        cells += [Cell(stage, fault, form, by_session=True) for form in forms(stage)]
    if stage == "end of data":
        cells += [
            Cell(stage, fault, form, 3, 1, times=times, attempts=3, resend_unknown=True)
            for form, times in itertools.product(forms(stage), (1, 1000))
        ]
    return cells


def lmtp_cells(stage: str, fault: Fault | str) -> list[Cell]:
    return [
        Cell(stage, fault, form, 3, 1, times=times, attempts=attempts, resend_unknown=resend, lmtp=True)
        for form in ("in turn", "pipelining")
        for attempts, times, resend in ((1, 1000, False), (3, 1, False), (3, 1, True), (3, 1000, True))
    ]


@pytest.mark.parametrize(("stage", "fault"), pairs(OPENING, QUICK), ids=fault_id)
# CPython leaves a socket to its garbage collector when a reset overtakes the handshake
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_fails_to_open(authority: Authority, stage: str, fault: Fault | str) -> None:
    walk(opening_cells(stage, fault), authority)


@pytest.mark.parametrize(("stage", "fault"), pairs(MESSAGE_STAGES, QUICK), ids=fault_id)
def test_a_message_that_fails(authority: Authority, stage: str, fault: Fault | str) -> None:
    walk(message_cells(stage, fault), authority)


@pytest.mark.parametrize(("stage", "fault"), pairs(LMTP_STAGES, QUICK), ids=fault_id)
def test_lmtp(authority: Authority, stage: str, fault: Fault | str) -> None:
    walk(lmtp_cells(stage, fault), authority)


@pytest.mark.parametrize("fault", SLOW, ids=fault_id)
def test_every_stage_where_time_runs_out(authority: Authority, fault: Fault) -> None:
    """In one test, since all they do is wait."""
    cells = [cell for stage in OPENING for cell in opening_cells(stage, fault)]
    cells += [cell for stage in MESSAGE_STAGES for cell in message_cells(stage, fault)]
    cells += [cell for stage in LMTP_STAGES if stage != "second answer" for cell in lmtp_cells(stage, fault)]
    walk(cells, authority, side_by_side=100)


@pytest.mark.parametrize("fault", SLOW, ids=fault_id)
def test_lmtp_falls_silent_after_its_first_answer(authority: Authority, fault: Fault) -> None:
    walk(lmtp_cells("second answer", fault), authority)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault is not Fault.ACCEPT_AND_CLOSE], ids=fault_id)
def test_a_large_message_that_fails_on_its_way(authority: Authority, fault: Fault | str) -> None:
    cells = [
        Cell("content", fault, form, times=times, attempts=attempts, large=True)
        for form, (attempts, times) in (("pipelining", TRIES[0]), ("pipelining", TRIES[1]), ("chunking", TRIES[0]))
    ]
    walk(cells, authority)


@pytest.mark.parametrize(
    ("stage", "fault"),
    pairs(["greeting", "auth", "mail", "data", "content", "end of data", "between"], FAULTS),
    ids=fault_id,
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_several_connections(authority: Authority, stage: str, fault: Fault | str) -> None:
    tries = [(1, 1000, False), (3, 1, False), (3, 1, True)]
    cells = [
        Cell(stage, fault, count=6, hit=2, connections=3, times=times, attempts=attempts, resend_unknown=resend)
        for attempts, times, resend in (tries[1:2] if fault in SLOW else tries)
    ]
    walk(cells, authority, side_by_side=1)
