# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a walk has found so far: the results of its steps, the facts, and what is unknown."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._evidence.document import Unknown
from .._evidence.smtp import EhloFacts
from .._providers.hints import hint
from .._smtp.answer import answer, cut
from .._smtp.capabilities import Capabilities
from .._smtp.errors import ProtocolViolation
from .steps import FACTS, Result, State, Step

if t.TYPE_CHECKING:
    from .._smtp.errors import SmtpError, Stage
    from .._smtp.reply import Reply

#: What a reply of class 4yz or 5yz refuses.
_REFUSED: t.Mapping[Step, str] = {
    Step.GREETING: "the connection of this host",
    Step.EHLO: "EHLO",
    Step.EHLO_IN_TLS: "EHLO",
    Step.STARTTLS: "STARTTLS",
    Step.LOGIN: "the login",
    Step.WRONG_LOGIN: "another connection or login",
    Step.SENDER: "the sender",
    Step.RECIPIENT: "the recipient",
    Step.MESSAGE: "the message",
}
#: What to do about a step that failed if neither the reply nor the client has better advice.
_ADVICE: t.Mapping[Step, str] = {
    Step.GREETING: "The server takes no mail from the address of this host: ask its postmaster why, often a block list"
    " or a missing reverse name (PTR), or use the relay of your provider.",
    Step.EHLO: "Set ehlo_name to the public name of this host, or ask the server's postmaster.",
    Step.EHLO_IN_TLS: "Set ehlo_name to the public name of this host, or ask the server's postmaster.",
    Step.STARTTLS: "Have the server's TLS repaired, or try port 465 with tls: implicit.",
    Step.TLS: "Check that port and tls fit the server.",
    Step.LOGIN: "Check username and the secret, and whether the account may send mail over SMTP.",
    Step.SENDER: "Set sender to an address that the login (username) may use.",
    Step.RECIPIENT: "Check the spelling of the recipient, and whether this server takes mail for its domain.",
    Step.MESSAGE: "Correct what the server names, or ask its postmaster.",
}
#: The same for a server that breaks off or confuses the conversation, which says nothing about the options of a step.
_BROKEN = (
    "The server does not follow the rules of SMTP: check that host and port are those of your mail server; if they are,"
    " have it repaired."
)
_LATER = "Try again in a few minutes; if it stays so, ask the server's postmaster."
#: Most parameters of an extension that are kept; AUTH of a large server has about ten.
_MOST_PARAMETERS = 50
#: Longest keyword or parameter that is kept, in characters.
_LONGEST_WORD = 100


@dataclass
class Record:
    """What has been found so far.

    :param provider: whose advice applies; None without one.
    :ivar facts: fields of the evidence by name.
    """

    provider: str | None
    facts: dict[str, t.Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)

    @property
    def going_well(self) -> bool:
        """Whether every step so far has passed."""
        return not self.results or self.results[-1].state is State.PASSED

    def passed(self, step: Step, milliseconds: float | None = None, reply: Reply | None = None) -> None:
        """Take a step that passed."""
        self.results.append(Result(step, State.PASSED, milliseconds, reply))

    def add(self, result: Result, known: bool = False) -> None:
        """Take a result. If the step did not pass and left no fact, what it asked for is unknown.

        :param known: whether another fact tells what is known.
        """
        self.results.append(result)
        path = FACTS[result.step]
        if result.state is not State.PASSED and self.facts.get(path) is None and not known:
            self.unknown.append(Unknown(path, cut(result.problem)))

    def judge(self, step: Step, stage: Stage, reply: Reply, milliseconds: float, fact: t.Any = None) -> None:
        """Take a reply: 2yz passes, 5yz is a refusal, and after 4yz nothing is known.

        :param fact: what the reply tells; None for the reply itself.
        """
        if not reply.transient:
            self.facts[FACTS[step]] = fact if fact is not None else answer(reply, milliseconds)
        if reply.positive:
            self.passed(step, milliseconds, reply)
            return
        state = State.UNKNOWN if reply.transient else State.FAILED
        problem = f'{_verdict(step, state, reply)}. It said: "{cut(str(reply))}".'
        advice = _BROKEN if reply.intermediate else hint(reply, stage, self.provider)
        self.add(Result(step, state, milliseconds, reply, problem, _advice(step, state, advice)))

    def failed(self, step: Step, error: SmtpError, milliseconds: float, fact: t.Any = None) -> None:
        """Take a step that ended with an error of the session.

        A wrong login fails only by being accepted: an error before that leaves it unknown.

        :param fact: what is known in spite of it.
        """
        state = State.UNKNOWN if error.temporary or step is Step.WRONG_LOGIN else State.FAILED
        if fact is not None and state is State.FAILED:
            self.facts[FACTS[step]] = fact
        advice = hint(error.reply, error.stage, self.provider, error.advice) if error.reply else ""
        problem = _problem(step, state, error)
        is_broken = isinstance(error, ProtocolViolation) or bool(error.reply and error.reply.intermediate)
        advice = _advice(step, state, advice or error.advice or (_BROKEN if is_broken else ""))
        self.add(Result(step, state, milliseconds, error.reply, problem, advice), known=self._is_not_offered(step))

    def _is_not_offered(self, step: Step) -> bool:
        """Whether the reply to EHLO tells that there is no STARTTLS to ask for."""
        offer = self.facts.get(FACTS[Step.EHLO])
        return step is Step.STARTTLS and offer is not None and "STARTTLS" not in offer.extensions

    def fill_in(self, asked: t.Iterable[Step]) -> None:
        """Take the steps that were asked for and not reached."""
        done = {one.step for one in self.results}
        before = next((one.step.value for one in self.results if one.state is not State.PASSED), "")
        for step in asked:
            if step not in done:
                self.results.append(Result(step, State.NOT_REACHED))
                if self.facts.get(FACTS[step]) is None:
                    self.unknown.append(Unknown(FACTS[step], f"Not reached: the step {before} did not pass."))


def _verdict(step: Step, state: State, reply: Reply | None) -> str:
    """Return what the server did, as a sentence without the full stop."""
    if reply and reply.intermediate:
        return "The reply of the server does not fit what it was asked"
    if state is State.FAILED:
        return f"The server refused {_REFUSED[step]}"
    return f"The server does not accept {_REFUSED[step]} at the moment"


def _problem(step: Step, state: State, error: SmtpError) -> str:
    problem = error.problem
    if problem == "the server refused" or (error.reply and error.reply.transient):
        problem = _verdict(step, state, error.reply)
    said = f' It said: "{cut(str(error.reply))}".' if error.reply else ""
    return f"{cut(problem[:1].upper() + problem[1:])}.{said}"


def _advice(step: Step, state: State, known: str) -> str:
    return known or (_LATER if state is State.UNKNOWN else _ADVICE.get(step, ""))


def ehlo(reply: Reply, milliseconds: float, is_helo: bool) -> EhloFacts:
    """Return what a reply to EHLO offers; a reply to HELO offers nothing."""
    offered = Capabilities() if is_helo else Capabilities.parse(reply)
    extensions = {
        name[:_LONGEST_WORD]: tuple(one[:_LONGEST_WORD] for one in parameters[:_MOST_PARAMETERS])
        for name, parameters in offered.keywords.items()
    }
    mechanisms = tuple(one[:_LONGEST_WORD] for one in offered.auth_mechanisms[:_MOST_PARAMETERS])
    return EhloFacts(answer(reply, milliseconds), extensions, mechanisms, offered.max_size)
