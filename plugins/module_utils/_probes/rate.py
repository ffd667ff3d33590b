# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of the server, looked for by a bounded number of quick attempts.

A limit above these numbers is not found; it is read from the configuration of the server.
"""

from __future__ import annotations

import time
import typing as t

from .._evidence.smtp_answer import AnswerFacts
from .._evidence.smtp_probes import LimitFacts, RateFacts
from .._smtp.answer import answer
from .._smtp.errors import Stage
from .line import CLOSING, NotKnown, SessionEnded

if t.TYPE_CHECKING:
    from .line import Line
    from .lines import Lines, ProbeOptions

#: Attempts at most.
_TRANSACTIONS, _ERRORS = 30, 25
#: Seconds for each series; servers slow down clients that make errors.
_SERIES = 30.0


def probe_rate(lines: Lines, options: ProbeOptions) -> RateFacts:
    """Open the connections that are left side by side, then repeat commands on the first of them.

    :raises NotKnown: not even the first is served.
    """
    del options
    (line, *others), connections = _connect(lines)
    for other in others:
        other.quit()
    transactions = _repeat(line, ("MAIL FROM:<>", "RSET"), _TRANSACTIONS, lambda said: said.code >= 400)
    errors = _repeat(line, ("XXXX",), _ERRORS, lambda said: said.code == CLOSING) if line.usable else None
    return RateFacts(connections, transactions, errors)


def _connect(lines: Lines) -> tuple[list[Line], LimitFacts]:
    count, began = lines.left, time.monotonic()
    if not count:
        raise NotKnown("no connection was left; run this test alone, or allow more")
    opened: list[Line] = []
    refusal: AnswerFacts | None = None
    closed = False
    for _number in range(count):
        line = None
        try:
            line = lines.bare()
            if lines.implicit:
                line.start_tls()
            line.read_greeting()
            line.say_hello()
        except NotKnown as error:
            if not opened:
                raise NotKnown(f"the first connection failed: {error}") from error
            closed = line is None or not hasattr(line, "last")
            refusal = answer(line.last, line.milliseconds) if line and not closed else None
            break
        opened.append(line)
    return opened, LimitFacts(len(opened), count, refusal, closed, _since(began))


def _repeat(line: Line, commands: tuple[str, ...], count: int, objects: t.Callable[[AnswerFacts], bool]) -> LimitFacts:
    began = time.monotonic()
    for done in range(count):
        if time.monotonic() - began > _SERIES:
            return LimitFacts(done, done, milliseconds=_since(began))
        try:
            for command in commands:
                said = line.ask(command, Stage.MAIL)
                if objects(said):
                    return LimitFacts(done, count, said, False, _since(began))
        except SessionEnded:
            last = line.last if line.last.code == CLOSING else None
            return LimitFacts(done, count, answer(last, line.milliseconds) if last else None, True, _since(began))
    return LimitFacts(count, count, milliseconds=_since(began))


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
