# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the results of tasks to evidence of kind ``proof``: logins that were tried, and messages that were sent."""

from __future__ import annotations

import dataclasses
import typing as t

from .._evidence.document import Evidence, Kind, Unknown, Vantage, moment, seconds_of
from .._evidence.proof import (
    Attempt,
    HopFacts,
    HopTls,
    LoginProof,
    MessageProof,
    ProofFacts,
    RecipientProof,
    login_proof,
)
from .._evidence.proof_arrival import ArrivalFacts
from .._evidence.reading import InvalidEvidence, read, read_record
from .._evidence.smtp import SmtpFacts
from .._evidence.smtp_answer import AnswerFacts
from .plan import RECIPIENT

#: What a result of a task is, as Ansible registers it; of a loop, one of its results, with its ``item``.
Result = t.Mapping[str, t.Any]
Results = t.Sequence[Result]


def proof_of(server: str, asked: Results, sent: Results, traced: Results, mailbox: Result | None) -> Evidence[t.Any]:
    """What became of logins and messages.

    :param server: the host as the tasks named it.
    :param asked: results of ``smtp_info`` with a question of the plan as their item.
    :param sent: results of ``smtp_send``, each with its letter.
    :param traced: results of ``postfix_info`` for the same letters.
    :param mailbox: the result of ``mail_arrival_info``; ``None`` without a mailbox.
    """
    logins, unknown = _logins([one for one in asked if one["item"]["attempt"] != RECIPIENT])
    recipients = list(_recipients([one for one in asked if one["item"]["attempt"] == RECIPIENT], unknown))
    messages = [_message(number, one, _of(one, traced), mailbox, unknown) for number, one in enumerate(sent)]
    documents = [one for one in map(_document, asked) if one]
    times = [one.seen_at for one in documents] + [one.sent_at for one in messages]
    vantages = [str(one["item"]["vantage"]) for one in (*asked, *sent)]
    return Evidence(
        kind=Kind.PROOF,
        subject=server,
        seen_at=min(times, default=moment(0)),
        seconds=round(sum(one.seconds for one in documents), 3),
        seen_from=Vantage(vantages[0] if vantages else ""),
        facts=ProofFacts(
            host=server,
            logins=tuple(logins) or None,
            recipients=tuple(recipients) or None,
            messages=tuple(messages) if sent else None,
        ),
        unknown=tuple(unknown),
    )


def _document(result: Result) -> Evidence[t.Any] | None:
    try:
        return read(result["evidence"]) if result.get("evidence") else None
    except InvalidEvidence:
        return None


def _of(one: Result, results: Results) -> Result | None:
    """The result for the same letter."""
    nonce = one["item"]["nonce"]
    return next((other for other in results if other["item"]["nonce"] == nonce and not other.get("skipped")), None)


# -- logins -----------------------------------------------------------------------------------------------------------


def _logins(asked: Results) -> tuple[list[LoginProof], list[Unknown]]:
    logins: list[LoginProof] = []
    unknown: list[Unknown] = []
    for result in asked:
        for one, gaps in _tried(result, len(logins)):
            logins.append(one)
            unknown += gaps
    return logins, unknown


def _tried(result: Result, place: int) -> t.Iterator[tuple[LoginProof, list[Unknown]]]:
    """Each attempt of one conversation, with what is not known of it."""
    item, document = result["item"], _document(result)
    attempt, user, sender = Attempt(item["attempt"]), item.get("user"), item["sender"] or None
    if document is None:
        names = [name for name, wanted in (("login", user), ("mail", sender)) if wanted]
        gaps = [Unknown(f"logins[{place}].{name}", _told(result)) for name in names]
        yield LoginProof(int(item["port"]), attempt, user, sender), gaps
        return
    yield login_proof(attempt, document, user, sender, place)
    if "login_replies" not in item["probes"]:
        return
    facts: SmtpFacts = document.facts
    replies = facts.probes.login_replies if facts.probes else None
    reason = next((one.reason for one in document.unknown if one.path == "probes.login_replies"), "It was not reached.")
    wrong = (
        (Attempt.WRONG_PASSWORD, user, replies.wrong_password if replies else None),
        (Attempt.UNKNOWN_USER, None, replies.unknown_user if replies else None),
    )
    for number, (kind, name, answer) in enumerate(wrong, place + 1):
        gaps = [] if answer else [Unknown(f"logins[{number}].login", reason)]
        yield LoginProof(int(item["port"]), kind, name, None, facts.address, answer), gaps


def _recipients(asked: Results, unknown: list[Unknown]) -> t.Iterator[RecipientProof]:
    for place, result in enumerate(asked):
        document = _document(result)
        answer = document.facts.recipient if document else None
        if answer is None:
            gaps = [one.reason for one in document.unknown if one.path == "recipient"] if document else [_told(result)]
            unknown.append(Unknown(f"recipients[{place}].answer", next(iter(gaps), "It was not reached.")))
        yield RecipientProof(int(result["item"]["port"]), str(result["item"]["recipient"]), answer)


def _told(result: Result) -> str:
    return " ".join(str(result.get("msg") or "The task gave no result.").split())


# -- messages ---------------------------------------------------------------------------------------------------------


def _message(
    number: int, result: Result, trace: Result | None, mailbox: Result | None, unknown: list[Unknown]
) -> MessageProof:
    item = result["item"]
    recipient: Result = next(iter(result.get("recipients") or ()), {})
    status = recipient.get("status")
    accepted = {"sent": True, "refused": False}.get(str(status))
    one = MessageProof(
        port=int(item["port"]),
        user=item.get("user"),
        sender=str(item["sender"]),
        author=str(item["sender"]),
        recipient=str(item["recipient"]),
        nonce=str(item["nonce"]),
        sent_at=_sent_at(result),
        address=next((str(session["address"]) for session in result.get("sessions") or ()), None),
        accepted=accepted,
        answer=_answer(recipient),
        queue_id=result.get("queue_id") or None,
    )
    place = f"messages[{number}]"
    if accepted is None:
        unknown.append(Unknown(f"{place}.accepted", str(recipient.get("text") or _told(result))))
    if accepted:
        one = _followed(one, place, trace, unknown)
        one = _arrived(one, place, mailbox, unknown)
    return one


def _answer(recipient: Result) -> AnswerFacts | None:
    if not recipient.get("code"):
        return None
    text = str(recipient.get("text") or "")
    return AnswerFacts(int(recipient["code"]), recipient.get("enhanced_code") or None, text, 0.0)


def _sent_at(result: Result) -> str:
    """When the message was sent: the role begins the Message-ID with the time."""
    digits = str(result.get("message_id") or "").strip("<").partition(".")[0]
    try:
        return moment(int(digits, 16))
    except (ValueError, OverflowError, OSError):
        return moment(0)


def _followed(one: MessageProof, place: str, trace: Result | None, unknown: list[Unknown]) -> MessageProof:
    hops = trace.get("hops") if trace else None
    if hops:
        return dataclasses.replace(one, hops=tuple(map(_hop, hops)))
    if trace:
        unknown.append(Unknown(f"{place}.hops", _told(trace)))
    return one


def _hop(hop: Result) -> HopFacts:
    names = ("queue_id", "recipient", "status", "relay", "dsn", "text", "next_queue_id", "notification_id")
    tls = hop.get("tls")
    return HopFacts(
        **{name: str(hop.get(name) or "") for name in names},
        tls=HopTls(*(str(tls.get(name) or "") for name in ("protocol", "cipher", "certificate"))) if tls else None,
    )


def _arrived(one: MessageProof, place: str, mailbox: Result | None, unknown: list[Unknown]) -> MessageProof:
    if mailbox is None:
        return one
    found = next((found for found in mailbox.get("messages") or () if found["nonce"] == one.nonce), None)
    if found is None:
        unknown.append(Unknown(f"{place}.arrived", _told(mailbox)))
        return one
    arrived_at = found.get("found_at")
    took = (seconds_of(arrived_at) - seconds_of(one.sent_at)) * 1000 if arrived_at else None
    return dataclasses.replace(
        one,
        mailbox=mailbox.get("server"),
        authserv_id=mailbox.get("authserv_id") or None,
        waited_seconds=float(mailbox.get("seconds") or 0),
        arrived=bool(found["arrived"]),
        arrival_milliseconds=took,
        arrival=read_record(found["arrival"], ArrivalFacts) if found.get("arrival") else None,
    )
