# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What smtp_send returns about messages: it counts all of them and keeps a limited number of results."""

from __future__ import annotations

import collections
import itertools
import re
import typing as t

from .._smtp.delivery import DeliveryResult, DeliveryStatus
from .._smtp.errors import Stage

if t.TYPE_CHECKING:
    from .._smtp.delivery import Envelope, RecipientResult, SessionInfo
    from .._smtp.reply import Reply

#: With more messages than this, only those with an open recipient are returned, and at most this many.
FEW = 1000
#: Problems described in the message of the task, and recipients named for each.
TOLD, _NAMED = 5, 3

#: Messages in a preview, and failed ones in the result of a task that failed. Ansible prints all of that result.
SHOWN = 20
#: With more recipients than this, a task that failed returns only those that did not get the message.
_FEW_RECIPIENTS = 10
#: Lines of each message in a preview.
_LINES = 400
#: Consecutive lines of base64, of which the first two are kept.
_ENCODED = re.compile(r"((?:[A-Za-z0-9+/]{60,}={0,2}\r?\n){2})((?:[A-Za-z0-9+/]{4,}={0,2}\r?\n)+)")
#: Control characters, which a terminal would interpret.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

#: What to do about an open recipient if no hint applies.
_ADVICE: t.Mapping[DeliveryStatus, str] = {
    DeliveryStatus.REFUSED: "The server will refuse it again. Correct the recipient (to, cc, bcc), the sender"
    " (envelope_from) or the message.",
    DeliveryStatus.DEFERRED: "The server did not accept the message. To retry, run the task again later, or increase"
    " attempts and retry_delay.",
    DeliveryStatus.UNKNOWN: "The server may have accepted the message. Sending it again, as resend_unknown does, may"
    " deliver it twice.",
}
#: The status of a message with several recipients is the first of these.
_WORST_FIRST = (DeliveryStatus.UNKNOWN, DeliveryStatus.REFUSED, DeliveryStatus.DEFERRED, DeliveryStatus.SENT)


class Problems:
    """What is wrong with the open recipients and what to do about it; the same problem is told once, and so is advice.

    :param provider: the provider whose advice applies; None without one.
    :ivar stage: the stage that decided about the first open recipient; None without one.
    """

    def __init__(self, provider: str | None) -> None:
        self._provider = provider
        #: A problem without the address, which many replies repeat -> the first few recipients that have it, what
        #: happened to the first one, and the advice.
        self._told: dict[str, tuple[list[str], str, str]] = {}
        self._counts: collections.Counter[str] = collections.Counter()  # "" counts the problems left out
        self.stage: str | None = None

    def add(self, recipient: RecipientResult) -> None:
        """Take a recipient that is open."""
        self.stage = self.stage or recipient.stage.value
        happened, what_to_do = problem(recipient), advice(recipient, self._provider)
        kind = f"{happened} {what_to_do}".replace(recipient.address, "")
        if kind not in self._told and len(self._told) >= TOLD:
            kind = ""
        else:
            addresses = self._told.setdefault(kind, ([], happened, what_to_do))[0]
            if len(addresses) < _NAMED:
                addresses.append(recipient.address)
        self._counts[kind] += 1

    def __str__(self) -> str:
        """Return what happened and what to do, each once: advice stands behind the last problem that it is for."""
        last = {what_to_do: kind for kind, (_named, _happened, what_to_do) in self._told.items()}
        told = []
        for kind, (named, happened, what_to_do) in self._told.items():
            behind = f" {what_to_do}" if what_to_do and last[what_to_do] == kind else ""
            told.append(f"{_listed(named, self._counts[kind])}: {happened}{behind}")
        return " ".join([*told, *([f"And {self._counts['']} more."] if self._counts[""] else [])])

    def state(self) -> t.Any:
        """Return the state for :meth:`restore` in another process, as JSON values."""
        return [self._told, self._counts, self.stage]

    def restore(self, state: t.Any) -> None:
        """Continue from a state that :meth:`state` returned."""
        self._told, counts, self.stage = state
        self._counts.update(counts)


def _listed(named: t.Sequence[str], count: int) -> str:
    """Return the first few of ``count`` recipients as a list in a sentence."""
    more = [f"{count - len(named)} more"] if count > len(named) else []
    *first, last = [*named, *more]
    return f"{', '.join(first)} and {last}" if first else last


class Report:
    """Collects results as they become final.

    :param keep: which results to keep: ``all``, ``open`` or ``auto``.
    :param provider: the provider whose advice applies; None without one.
    :ivar total: the number of messages.
    :ivar recipients: the number of recipients by status.
    :ivar messages: the number of messages by the worst status of their recipients.
    :ivar problems: what is wrong with the open recipients.
    :ivar refused: why fewer connections were used than requested; empty if all were used.
    :ivar earlier: the number of messages that an earlier run settled, according to the journal.
    """

    def __init__(self, total: int, keep: str, provider: str | None) -> None:
        self._keep_sent = keep == "all" or (keep == "auto" and total <= FEW)
        self._brief = keep == "auto"
        self._limit = total if keep == "all" else FEW
        self._provider = provider
        self._kept: dict[int, dict[str, t.Any]] = {}
        self.total = total
        self._tried: set[int] = set()  # only kept if the others are few enough to be listed
        self.problems = Problems(provider)
        self.recipients: collections.Counter[DeliveryStatus] = collections.Counter()
        self.messages: collections.Counter[DeliveryStatus] = collections.Counter()
        self.earlier = 0
        self.refused = ""
        self.sessions: list[dict[str, t.Any]] = []

    def add(self, result: DeliveryResult) -> None:
        """Take a final result."""
        if self.total <= FEW:
            self._tried.add(result.number)
        statuses = [one.status for one in result.recipients]
        worst = next(status for status in _WORST_FIRST if status in statuses)
        self.recipients.update(statuses)
        self.messages[worst] += 1
        self.earlier += result.attempts == 0
        if self._keep_sent or worst is not DeliveryStatus.SENT:
            self._keep(result)
        for one in result.recipients if worst is not DeliveryStatus.SENT else ():
            if one.status is not DeliveryStatus.SENT:
                self.problems.add(one)

    def _keep(self, result: DeliveryResult) -> None:
        if len(self._kept) < self._limit:
            self._kept[result.number] = message_form(result, self._provider)

    def add_sessions(self, sessions: t.Iterable[SessionInfo]) -> None:
        """Take the reports of sessions."""
        self.sessions += [session.to_dict() for session in sessions]

    @property
    def open(self) -> int:
        """The number of open recipients."""
        return sum(self.recipients.values()) - self.recipients[DeliveryStatus.SENT]

    @property
    def done(self) -> str:
        """A sentence with what was sent before the task stopped."""
        messages, people = self.messages[DeliveryStatus.SENT], self.recipients[DeliveryStatus.SENT]
        if messages:
            return f"{messages} of {self.total} messages were sent."
        if people:
            return f"A message was sent to {people} of its recipients."
        return "Nothing is known to have been sent." if self.recipients[DeliveryStatus.UNKNOWN] else "Nothing was sent."

    def untried(self, outgoing: t.Sequence[Envelope]) -> None:
        """Add the messages that were not tried, if there are at most ``FEW`` messages."""
        if len(outgoing) <= FEW:
            for number in set(range(len(outgoing))) - self._tried:
                self._kept[number] = untried_form(outgoing[number], number)

    def form(self, many: bool, failed: bool = False) -> dict[str, t.Any]:
        """Return the results as documented in RETURN: flat for one message, a list and a summary for many.

        :param failed: whether the task fails.
        """
        kept = [self._kept[number] for number in sorted(self._kept)]
        brief = failed and self._brief
        sessions = {} if brief else {"sessions": self.sessions}  # they say nothing about what failed
        if not many:
            return {**the_only(kept[0], brief), **sessions}
        listed = failures(kept) if brief else kept
        return {
            "messages": listed,
            "messages_left_out": self.total - self.messages[DeliveryStatus.SENT] - sum(map(_is_open, listed)),
            "summary": {status.value: self.recipients[status] for status in DeliveryStatus},
            **sessions,
        }

    def state(self) -> dict[str, t.Any]:
        """Return the state for :meth:`restore` in another process, as JSON values."""
        return {
            "kept": [*self._kept.values()],
            "tried": [*self._tried],
            "problems": self.problems.state(),
            "recipients": self.recipients,
            "messages": self.messages,
            "earlier": self.earlier,
            "refused": self.refused,
            "sessions": self.sessions,
        }

    def restore(self, state: t.Mapping[str, t.Any]) -> None:
        """Continue from a state that :meth:`state` returned."""
        self._kept = {form["index"]: form for form in state["kept"]}
        self._tried = set(state["tried"])
        self.problems.restore(state["problems"])
        for counter, counts in ((self.recipients, state["recipients"]), (self.messages, state["messages"])):
            counter.update({DeliveryStatus(name): count for name, count in counts.items()})
        self.earlier, self.sessions, self.refused = state["earlier"], state["sessions"], state["refused"]


def message_form(result: DeliveryResult, provider: str | None) -> dict[str, t.Any]:
    """Return the result of a message as documented in RETURN.

    :param provider: the provider whose advice applies; None without one.
    """
    form = result.to_dict()
    # Ansible overwrites a value of the name ``attempts`` in a task with ``until``.
    made = form.pop("attempts")
    return {**form, "attempts_made": made, "recipients": [_recipient_form(one, provider) for one in result.recipients]}


def _recipient_form(recipient: RecipientResult, provider: str | None) -> dict[str, t.Any]:
    form = recipient.to_dict()
    what = form.pop("problem")
    return {**form, "text": form["text"] or what, "advice": advice(recipient, provider)}


def untried_form(
    envelope: Envelope, number: int, refused: tuple[RecipientResult, ...] = (), provider: str | None = None
) -> dict[str, t.Any]:
    """Return the form of a message that was not tried, or only checked for its recipients."""
    return message_form(DeliveryResult(envelope.message_id, len(envelope.content), refused, 0, number), provider)


def the_only(form: t.Mapping[str, t.Any], brief: bool = False) -> dict[str, t.Any]:
    """Return the form of the only message: without an index, and with ``result`` as in community.general.mail.

    A message that was not tried has no ``result``: an empty one means that all recipients got it.

    :param brief: whether to leave out what ``result`` and the message of the task say.
    """
    form = {name: value for name, value in form.items() if name != "index"}
    if not form["recipients"]:
        return form
    result = {one["address"]: [one["code"], one["text"]] for one in form["recipients"] if _is_open_entry(one)}
    return {**(_briefly(form, "advice", "text") if brief else form), "result": result}


def failures(forms: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the first few messages with an open recipient, without the advice, which the message of the task gives."""
    failed = (form for form in forms if any(map(_is_open_entry, form["recipients"])))
    return [_briefly(form, "advice") for form in itertools.islice(failed, SHOWN)]


def _briefly(form: t.Mapping[str, t.Any], *without: str) -> dict[str, t.Any]:
    entries = form["recipients"]
    if len(entries) > _FEW_RECIPIENTS:
        entries = [one for one in entries if _is_open_entry(one)][:SHOWN]
    short = [{name: value for name, value in one.items() if name not in without} for one in entries]
    return {**form, "recipients": short}


def _is_open(form: t.Mapping[str, t.Any]) -> bool:
    """Return whether a message was not tried, or has an open recipient."""
    return not form["recipients"] or any(map(_is_open_entry, form["recipients"]))


def _is_open_entry(entry: t.Mapping[str, t.Any]) -> bool:
    return bool(entry["status"] != DeliveryStatus.SENT.value)


def advice(recipient: RecipientResult, provider: str | None) -> str:
    """Return what to do about a recipient, as a sentence; empty if sent."""
    of_ours = recipient.status is DeliveryStatus.REFUSED and recipient.reply is None  # the server refused nothing
    if recipient.status is DeliveryStatus.SENT or recipient.stage is Stage.CONNECT or of_ours:
        return ""  # the problem already contains the advice
    return hint_for(recipient.reply, recipient.stage, provider) or _ADVICE[recipient.status]


def hint_for(reply: Reply | None, stage: Stage, provider: str | None, advice: str = "") -> str:
    """Return the hint for a reply; empty if there is none. See :func:`.._providers.hints.hint`."""
    if reply is None:
        return ""
    from .._providers.hints import hint

    return hint(reply, stage, provider, advice)


def problem(recipient: RecipientResult) -> str:
    """Return what happened, as a sentence; without a reply the problem names server and stage."""
    where = f" at stage {recipient.stage.value}" if recipient.reply else ""
    return f"{recipient.status.value}{where}: {recipient.problem.rstrip('.')}."


def preview(envelope: Envelope) -> str:
    """Return the envelope and the content, with long runs of base64 and everything after 400 lines cut."""
    text = envelope.content.decode("utf-8", "replace").replace("\r\n", "\n")
    text = _CONTROL.sub("?", text)
    text = _ENCODED.sub(lambda match: f"{match[1]}[... {match[2].count(chr(10))} more lines of base64]\n", text)
    lines = text.splitlines(keepends=True)
    if len(lines) > _LINES:
        lines[_LINES:] = [f"[... {len(lines) - _LINES} more lines]\n"]
    recipients = "".join(f"RCPT TO:<{address}>\n" for address in envelope.recipients)
    return f"MAIL FROM:<{envelope.sender}>\n{recipients}\n{''.join(lines)}"


def diffs(outgoing: t.Sequence[Envelope]) -> list[dict[str, str]]:
    """Return what ``--diff`` shows: nothing before, the first messages after."""
    numbers = range(min(len(outgoing), SHOWN))
    return [
        {
            "before_header": "nothing",
            "before": "",
            "after_header": f"message {number + 1} of {len(outgoing)}",
            "after": preview(outgoing[number]),
        }
        for number in numbers
    ]
