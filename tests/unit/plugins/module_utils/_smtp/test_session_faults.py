# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault walk: each fault at each stage, for one message and for many. No message is lost or sent twice.

Covers _smtp/session.py and _mailing/pool.py together. One test is one stage and one fault. Its cells run in parallel,
since they mostly wait; those with several connections run one after the other. A cell that fails shows what the client
reported and what the server saw.
"""

from __future__ import annotations

import itertools
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ansible_collections.mailops.smtp.tests.fault.peer import Fault
from ansible_collections.mailops.smtp.tests.fault.walk import FORMS, OPENING, Cell, Outcome, broken_promises, run
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for

SENT, DEFERRED, REFUSED, UNKNOWN = ["sent"] * 2, ["deferred"] * 2, ["refused"] * 2, ["unknown"] * 2
CLOSING, LATER, NEVER = "421 4.3.2 closing", "451 4.3.0 later", "550 5.7.1 never"

#: The connection is lost, or unusable.
LOST = (Fault.CLOSE, Fault.RESET, Fault.STALL, Fault.DRIP)
SLOW = (Fault.STALL, Fault.DRIP)
#: Replies that violate SMTP: the client sends nothing more, and does not retry.
NONSENSE = (Fault.GARBAGE, Fault.ENDLESS, Fault.OUT_OF_STEP)
FAULTS = (*LOST, Fault.ACCEPT_AND_CLOSE, *NONSENSE, Fault.INJECT, CLOSING, LATER, NEVER)
QUICK = [fault for fault in FAULTS if fault not in SLOW]
#: Faults with unexpected replies: later messages may be refused, but must not have a wrong status.
WILD = (*NONSENSE, Fault.INJECT)

MESSAGE_STAGES = ("mail", "first recipient", "second recipient", "data", "content", "end of data", "between", "quit")
LMTP_STAGES = ("mail", "second recipient", "data", "end of data", "second answer", "between")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


def first_try(cell: Cell) -> list[list[str]]:
    """Return the allowed statuses of the affected message after one attempt; empty if the session fails for good."""
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
        # without DATA, an extra reply cannot be distinguished from the reply to the next command
        return [SENT, REFUSED] if "chunking" in cell.form else [REFUSED]
    return [REFUSED] if fault in NONSENSE else [DEFERRED]


def _of_opening(cell: Cell) -> list[list[str]]:
    if cell.stage == "tls" and cell.fault not in (Fault.RESET, Fault.STALL, Fault.DRIP):
        return []
    if cell.fault is Fault.INJECT:
        return [] if cell.stage == "starttls" else [REFUSED]
    return [] if cell.fault in (*NONSENSE, NEVER) else [DEFERRED]


def _of_content(cell: Cell) -> list[list[str]]:
    """Return the same for the content; a client that sent all of it cannot know that the server stopped reading."""
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
    """Return the same for LMTP: each recipient has a reply, which counts whatever happens to the other."""
    if cell.stage == "second answer":
        return ["sent", status]
    if cell.fault == CLOSING:
        return ["deferred", "unknown"]
    return [status, "sent" if cell.fault in (LATER, NEVER, Fault.INJECT) else "unknown"]


def unlike_the_table(cell: Cell, outcome: Outcome) -> t.Iterator[str]:
    """Yield each message whose status differs from what the stage and the fault mean."""
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
        if "ahead" in cell.form and cell.hit:  # the fault met a command sent ahead, which decides nothing
            wanted = [*wanted, SENT]
    for index, envelope in enumerate(cell.envelopes):
        if cell.stage in OPENING:  # any message may have been waiting for the session
            allowed = wanted if cell.count == 1 or cell.times >= cell.attempts else [*wanted, SENT]
        else:
            allowed = wanted if index == cell.hit else _of_neighbours(cell, index)
        if allowed and outcome.statuses(envelope) not in allowed:
            yield f"{envelope.message_id} is {outcome.statuses(envelope)}, expected {' or '.join(map(str, allowed))}"


def _of_neighbours(cell: Cell, index: int) -> list[list[str]]:
    """Return the allowed statuses of the other messages; empty allows any status that is true."""
    if index < cell.hit and cell.connections == 1:
        return [SENT]
    if cell.fault in WILD or (cell.stage == "between" and cell.fault in (*LOST, LATER, NEVER)):
        return []
    # a server that closes with a reply also ends the next message if that was already started
    begun = cell.fault == CLOSING or (cell.stage == "content" and cell.fault in (LATER, NEVER))
    return [SENT, DEFERRED] if begun and cell.times >= cell.attempts else [SENT]


def walk(cells: t.Iterable[Cell], authority: Authority, side_by_side: int = 24) -> None:
    """Run the cells, and fail with the first three that are wrong."""

    cells = list(cells)

    def judge(cell: Cell) -> str:
        outcome = run(cell, authority.server, authority.ca_file)
        problems = [*broken_promises(cell, outcome), *unlike_the_table(cell, outcome)]
        return "\n".join([f"{cell}:", *(f"  {problem}" for problem in problems), str(outcome)]) if problems else ""

    with ThreadPoolExecutor(side_by_side) as executor:
        verdicts = list(zip(cells, executor.map(judge, cells), strict=True))
    # a busy machine can exceed the short time-outs, so a failed cell runs again alone with longer ones
    failures = [
        judge(replace(cell, patience=2.0)) if cell.fault in SLOW else failure for cell, failure in verdicts if failure
    ]
    failures = [failure for failure in failures if failure]
    if failures:
        pytest.fail(f"{len(failures)} cells\n" + "\n\n".join(failures[:3]), pytrace=False)


def fault_id(value: object) -> str:
    return value.name.lower() if isinstance(value, Fault) else str(value).replace(" ", "-")


def forms(stage: str) -> list[str]:
    """Return the forms that have this stage."""
    return [form for form in FORMS if stage != "data" or "chunking" not in form]


#: (attempts, how many times the fault happens): one attempt, a fault that passes, a fault that lasts.
TRIES = ((1, 1000), (3, 1), (3, 1000))


def pairs(stages: t.Iterable[str], faults: t.Iterable[Fault | str]) -> list[tuple[str, Fault | str]]:
    """Return each stage with each fault; ACCEPT_AND_CLOSE differs from CLOSE only where there is data to accept."""
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
    """Return cells with the message alone, and as the first, middle and last of three, over one connection."""
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
        for form in ("in turn", "pipelining", "ahead")
        for attempts, times, resend in ((1, 1000, False), (3, 1, False), (3, 1, True), (3, 1000, True))
    ]


@pytest.mark.parametrize(("stage", "fault"), pairs(OPENING, QUICK), ids=fault_id)
# CPython leaves a socket to its garbage collector if a reset arrives during the handshake
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_session_fails_to_open(authority: Authority, stage: str, fault: Fault | str) -> None:
    walk(opening_cells(stage, fault), authority)


@pytest.mark.parametrize(("stage", "fault"), pairs(MESSAGE_STAGES, QUICK), ids=fault_id)
def test_message_fails(authority: Authority, stage: str, fault: Fault | str) -> None:
    walk(message_cells(stage, fault), authority)


@pytest.mark.parametrize(("stage", "fault"), pairs(LMTP_STAGES, QUICK), ids=fault_id)
def test_lmtp_message_fails(authority: Authority, stage: str, fault: Fault | str) -> None:
    walk(lmtp_cells(stage, fault), authority)


@pytest.mark.parametrize("fault", SLOW, ids=fault_id)
def test_time_runs_out_at_every_stage(authority: Authority, fault: Fault) -> None:
    """All stages are in one test, since the cells only wait."""
    cells = [cell for stage in OPENING for cell in opening_cells(stage, fault)]
    cells += [cell for stage in MESSAGE_STAGES for cell in message_cells(stage, fault)]
    cells += [cell for stage in LMTP_STAGES if stage != "second answer" for cell in lmtp_cells(stage, fault)]
    walk(cells, authority, side_by_side=100)


@pytest.mark.parametrize("fault", SLOW, ids=fault_id)
def test_lmtp_server_stops_after_its_first_reply(authority: Authority, fault: Fault) -> None:
    walk(lmtp_cells("second answer", fault), authority)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault is not Fault.ACCEPT_AND_CLOSE], ids=fault_id)
def test_large_message_fails_during_the_content(authority: Authority, fault: Fault | str) -> None:
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
def test_message_fails_on_one_of_several_connections(authority: Authority, stage: str, fault: Fault | str) -> None:
    tries = [(1, 1000, False), (3, 1, False), (3, 1, True)]
    cells = [
        Cell(stage, fault, form, count=6, hit=2, connections=3, times=times, attempts=attempts, resend_unknown=resend)
        for form, (attempts, times, resend) in itertools.product(
            ("pipelining", "ahead"), tries[1:2] if fault in SLOW else tries
        )
    ]
    walk(cells, authority, side_by_side=1)
