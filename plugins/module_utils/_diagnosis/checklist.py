# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk as a checklist for people: a line for each thing, and what to do about the first that is not right."""

from __future__ import annotations

import typing as t

from .._evidence.smtp import Reach
from . import reaching
from .steps import State, Step

if t.TYPE_CHECKING:
    from .._evidence.smtp import SmtpFacts
    from .questions import Answers, Questions
    from .steps import Result

_MARKS: t.Mapping[State, str] = {
    State.PASSED: "[ok]",
    State.FAILED: "[!!]",
    State.UNKNOWN: "[??]",
    State.NOT_REACHED: "[--]",
}
_INDENT = " " * 5


class _Line(t.NamedTuple):
    """One line: what it is about, the steps that it sums up, and what it says if all of them passed."""

    label: str
    steps: tuple[Step, ...]
    passed: t.Callable[[Questions, SmtpFacts], str]


def checklist(questions: Questions, answers: Answers) -> list[str]:
    """Return the lines, in the order of the steps."""
    facts = answers.evidence.facts
    order = [one.step for one in answers.results]
    lines: list[str] = []
    advised = False
    for line in dict.fromkeys(_LINE_OF[step] for step in order):
        results = [one for one in answers.results if one.step in line.steps]
        worst = next((one for one in results if one.state is not State.PASSED), results[-1])
        lines.append(f"{_MARKS[worst.state]} {line.label}: {_said(line, worst, questions, facts)}{_took(results)}")
        if worst.advice and not advised:
            lines.append(f"{_INDENT}What to do: {worst.advice}")
            advised = True
        if line.label == _NETWORK and questions.direct:
            lines.append(_firewall(worst, answers))
        if line.label == _SERVER and Step.TLS not in order and worst.state is State.PASSED:
            lines.append(f"[--] {_TLS}: none. All that is sent can be read on the way.")
    if Step.LOGIN not in order and _offers_login(facts):
        place = next((one for one, text in enumerate(lines) if text.startswith(_AFTER_LOGIN)), len(lines))
        lines.insert(place, "[--] Account: not tried, as no username is given. The server offers a login.")
    return [line.replace('"', "'") for line in lines]  # Ansible would show \\" for each


def _said(line: _Line, worst: Result, questions: Questions, facts: SmtpFacts) -> str:
    if worst.state is State.PASSED:
        return line.passed(questions, facts)
    if worst.state is State.NOT_REACHED:
        return "not tried, as something above is not right yet."
    return f"not known yet. {worst.problem}" if worst.state is State.UNKNOWN else worst.problem


def _offers_login(facts: SmtpFacts) -> bool:
    offer = facts.ehlo_in_tls or facts.ehlo
    return bool(offer and offer.auth_mechanisms)


def _took(results: t.Sequence[Result]) -> str:
    times = [one.milliseconds for one in results if one.milliseconds is not None]
    if not times:
        return ""
    total = sum(times)
    return f" ({total / 1000:.1f} s)" if total >= 1000 else f" ({total:.0f} ms)"


def _firewall(network: Result, answers: Answers) -> str:
    """Return the line about the packet filter of this host."""
    label = "Firewall of this host"
    chains = answers.evidence.facts.firewall_refuses
    if network.state is State.PASSED:
        return f"[ok] {label}: it lets the connection out."
    if chains:
        return f"[!!] {label}: it refuses the connection, in chain {', '.join(map(repr, chains))}."
    if chains is not None:
        return f"[ok] {label}: no rule of it is known to refuse the connection."
    if not answers.evidence.seen_from.addresses:  # no name, or no route
        return f"[--] {label}: not tried, as something above is not right yet."
    return f"[??] {label}: not known, as only root can read its rules. Run this with become: true to see them."


def _name(questions: Questions, facts: SmtpFacts) -> str:
    addresses = facts.addresses or ()
    if addresses == (questions.settings.host,):
        return f"{addresses[0]} is an address, so no name server is needed."
    return f"{questions.settings.host} has the address{'es' if len(addresses) > 1 else ''} {_some(addresses)}."


def _network(questions: Questions, facts: SmtpFacts) -> str:
    settings = questions.settings
    if settings.unix_socket:
        return f"the socket {settings.unix_socket} accepts connections."
    if settings.proxy:
        return f"{settings.proxy} connects to {settings.server}."
    others = [one for one in facts.connections or () if one.state is not Reach.OPEN]
    remarks = "".join(f" {reaching.reach_words(one)}" for one in others)
    return f"port {settings.port} of {facts.address} accepts connections.{remarks}"


def _server(_questions: Questions, facts: SmtpFacts) -> str:
    return f'it is a mail server, and greets with "{_short(facts.greeting.text if facts.greeting else "")}".'


def _encryption(questions: Questions, facts: SmtpFacts) -> str:
    tls = facts.tls
    if not tls:
        return "none."
    said = f"{tls.version}, begun by {'STARTTLS' if tls.began == 'starttls' else 'the first byte'}."
    if not tls.verified:
        policy = questions.settings.tls
        why = "as the server is on this host" if policy.verify else "so another server could stand in for it"
        return f"{said} The certificate was not checked, {why}."
    own = tls.chain[0] if tls.chain else None
    name = questions.settings.tls.server_name or questions.settings.host
    until = f", and expires on {own.not_after[:10]}" if own else ""
    return f"{said} The certificate is good for {name}{until}."


def _account(questions: Questions, facts: SmtpFacts) -> str:
    login = questions.settings.credentials
    mechanism = facts.login.mechanism if facts.login else None
    name = login.username if login and login.username else "the client certificate"
    return f"the server accepts the login of {name}" + (f", with {mechanism}." if mechanism else ".")


def _message(questions: Questions, facts: SmtpFacts) -> str:
    queue_id = facts.message.queue_id if facts.message else None
    named = f" as {queue_id}" if queue_id else ""
    return f"the server took it{named}. Look for it in the mailbox of {questions.recipient}, and in its spam folder."


def _some(names: t.Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."


_AFTER_LOGIN = tuple(
    f"{mark} {label}:" for mark in _MARKS.values() for label in ("Sender", "Recipient", "Test message")
)
_NETWORK, _SERVER, _TLS = "Network", "Server", "TLS and certificate"
_LINES: tuple[_Line, ...] = (
    _Line("Name", (Step.NAME,), _name),
    _Line(_NETWORK, (Step.CONNECT,), _network),
    _Line(_SERVER, (Step.GREETING, Step.EHLO), _server),
    _Line(_TLS, (Step.STARTTLS, Step.TLS, Step.EHLO_IN_TLS), _encryption),
    _Line("Account", (Step.LOGIN,), _account),
    _Line("Wrong password", (Step.WRONG_LOGIN,), lambda _questions, _facts: "the server refuses it, as it must."),
    _Line(
        "Sender",
        (Step.SENDER,),
        lambda questions, _facts: f"the server accepts mail from {questions.sender or 'the null sender'}.",
    ),
    _Line(
        "Recipient", (Step.RECIPIENT,), lambda questions, _facts: f"the server accepts mail to {questions.recipient}."
    ),
    _Line("Test message", (Step.MESSAGE,), _message),
)
_LINE_OF: t.Mapping[Step, _Line] = {step: line for line in _LINES for step in line.steps}
