# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a walk through a server, and what became of each."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, replace

from .._smtp.answer import cut

if t.TYPE_CHECKING:
    from .._smtp.reply import Reply


class Step(str, enum.Enum):
    """What is tried, in the order of a session with STARTTLS."""

    NAME = "name"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    TLS = "tls"
    EHLO_IN_TLS = "ehlo in tls"
    LOGIN = "login"
    WRONG_LOGIN = "wrong login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    MESSAGE = "message"


class State(str, enum.Enum):
    """What became of a step."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"  # a time-out, a 4yz reply, a lost connection: another time it may be otherwise
    NOT_REACHED = "not reached"  # an earlier step did not pass


#: The fact that a step asks for, as a path in evidence.
FACTS: t.Mapping[Step, str] = {
    Step.NAME: "addresses",
    Step.CONNECT: "connections",
    Step.GREETING: "greeting",
    Step.EHLO: "ehlo",
    Step.STARTTLS: "starttls",
    Step.TLS: "tls",
    Step.EHLO_IN_TLS: "ehlo_in_tls",
    Step.LOGIN: "login",
    Step.WRONG_LOGIN: "wrong_login",
    Step.SENDER: "sender",
    Step.RECIPIENT: "recipient",
    Step.MESSAGE: "message",
}


@dataclass(frozen=True)
class Result:
    """What became of one step.

    :param milliseconds: how long it took; None if it was not reached.
    :param reply: what the server said.
    :param problem: what is wrong, as a sentence with the full stop; empty if it passed.
    :param advice: what to do, as a sentence or two; empty if it passed, or if there is no advice.
    """

    step: Step
    state: State
    milliseconds: float | None = None
    reply: Reply | None = None
    problem: str = ""
    advice: str = ""

    def advising(self, advice: str) -> Result:
        """Return the same with more advice."""
        return replace(self, advice=f"{self.advice} {advice}".strip())

    def to_dict(self) -> dict[str, t.Any]:
        """Return the dictionary that a module returns."""
        return {
            "step": self.step.value,
            "state": self.state.value,
            "milliseconds": None if self.milliseconds is None else round(self.milliseconds, 1),
            "code": self.reply.code if self.reply else None,
            "enhanced_code": self.reply.enhanced if self.reply else None,
            "text": cut(self.reply.text) if self.reply else "",
            "problem": self.problem,
            "advice": self.advice,
        }
