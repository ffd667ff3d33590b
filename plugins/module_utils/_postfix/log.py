# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow one message through the log of Postfix (smtp(8), qmgr(8), cleanup(8), bounce(8), postsuper(1))."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timezone

#: A line in the format ``short-unix`` of journald, or of syslog, or of rsyslog with precise timestamps.
_LINE = re.compile(
    r"(?P<time>\d+\.\d+|[A-Z][a-z]{2} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\dT\S+) \S+ "
    r"(?P<program>[^\s\[]+)\[(?P<pid>\d+)\]: (?P<text>.*?)\s*\Z"
)
_OF_MESSAGE = re.compile(r"(?P<queue_id>[0-9A-Za-z]{6,}): (?P<rest>.*)")
#: Later releases add attributes between ``relay`` and ``dsn``. The text in the parentheses comes from the next server,
#: so it must not be matched as attributes.
_DELIVERY = re.compile(
    r"to=<(?P<recipient>.*?)>,(?: orig_to=<(?P<orig_recipient>.*?)>,)? relay=(?P<relay>[^,]+),[^(]*? "
    r"delays=(?P<delays>[\d./]+),[^(]*? dsn=(?P<dsn>[\d.]+), status=(?P<status>[a-z-]+) \((?P<text>.*)\)\Z"
)
_QUEUED_AS = re.compile(r".*\b(?:queued|forwarded) as ([0-9A-Za-z]{6,})\b")
_RECIPIENTS = re.compile(r"from=<.*>, size=\d+, nrcpt=(\d+) ")
_TLS = re.compile(r"(\w+) TLS connection (?:established|reused) to (\S+): (\S+) with cipher (\S+)")
#: Problems of a connection that smtp(8) logs before the line of the delivery.
_COMPLAINT = re.compile(r"(server )?certificate verification failed|SSL_connect error|warning: (TLS library|SASL auth)")
#: tlsproxy(8) opens the connections that smtp(8) reuses. Its complaints name the server.
_OTHER_END = re.compile(r".* failed for (\S+\]:\d+): ")
#: The status of a message without a delivery. The last line decides.
_FATES = (
    (re.compile(r"(milter-)?discard: "), "discarded"),
    (re.compile(r"(milter-)?hold: |placed on hold"), "held"),
    (re.compile(r"from=<.*>, status=(force-)?expired, "), "expired"),
    (re.compile(r"released from hold"), ""),
)
_NOTIFICATION = re.compile(r"sender non-delivery notification: ([0-9A-Za-z]+)")

# The clock in long queue IDs (postconf(5), enable_long_queue_ids).
_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_LONG_ID = re.compile(rf"([{_DIGITS}]{{6,}})[{_DIGITS}]{{4}}z[{_DIGITS[:-1]}]+\Z")


class Line(t.NamedTuple):
    """One line of the log.

    :param time: ISO 8601 in UTC for journald, or the timestamp of the log file.
    :param program: its name in the log, such as ``postfix/smtp``.
    """

    time: str
    program: str
    pid: int
    text: str


class Tls(t.NamedTuple):
    """The TLS of a connection.

    :param certificate: ``verified`` (authority and name), ``trusted`` (authority only), ``untrusted`` or ``anonymous``.
    """

    protocol: str
    cipher: str
    certificate: str


@dataclass(frozen=True)
class Hop:
    """One delivery attempt for one recipient, or another event that ended or stopped the message.

    :param recipient: an address; empty if the hop concerns the whole message.
    :param orig_recipient: the recipient before aliases; empty if it is the same.
    :param relay: the next hop as ``name[address]:port``, or ``none``.
    :param delays: seconds before the queue manager, in it, for the connection, and for the transmission.
    :param dsn: enhanced status code (RFC 3463); empty if there was no attempt.
    :param status: ``sent``, ``deferred``, ``bounced`` or another status that Postfix logs for a delivery; for a whole
        message ``held``, ``discarded``, ``deleted`` or ``expired``.
    :param text: the reply of the next server, or the error.
    :param next_queue_id: the queue ID of the message on the next server; empty if its reply names none.
    :param notification_id: the queue ID of the message that notifies the sender; empty if there is none.
    :param complaints: problems of the connection that smtp(8) or tlsproxy(8) logged before.
    """

    queue_id: str
    recipient: str
    orig_recipient: str
    relay: str
    delays: str
    dsn: str
    status: str
    text: str
    next_queue_id: str
    tls: Tls | None
    time: str
    notification_id: str = ""
    complaints: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The end of the log line, to search the log for."""
        if not self.recipient:
            return f"{self.queue_id}: {self.text}"
        return (
            f"{self.queue_id}: to=<{self.recipient}>, relay={self.relay}, dsn={self.dsn}, "
            f"status={self.status} ({self.text})"
        )


@dataclass
class _Message:
    """The log lines of one queue ID so far, in parsed form."""

    hops: dict[tuple[str, str], Hop] = field(default_factory=dict)
    programs: set[str] = field(default_factory=set)
    message_id: str = ""
    recipients: int = 0
    fate: tuple[str, Line] | None = None
    notification_id: str = ""
    removed: bool = False


@dataclass(frozen=True)
class Trace:
    """The way of a message through this host.

    :param hops: the last attempt for each recipient under each queue ID, in the order of the log.
    :param words: queue IDs and Message-IDs to search the log for.
    :param pids: the processes that delivered; their lines about TLS name no message.
    :param tried: whether no more lines will follow, except those of a later attempt.
    """

    hops: tuple[Hop, ...]
    words: frozenset[str]
    pids: frozenset[int]
    tried: bool

    @property
    def open(self) -> tuple[Hop, ...]:
        """The hops whose status is not ``sent``."""
        return tuple(hop for hop in self.hops if hop.status != "sent")

    @property
    def sent(self) -> bool:
        """Whether the message left this host for every recipient."""
        return self.tried and bool(self.hops) and not self.open


def parse_line(text: str) -> Line | None:
    """Parse a log line; None if it has another format."""
    match = _LINE.match(text)
    if not match:
        return None
    time, program, pid, said = match.groups()
    if re.fullmatch(r"\d+\.\d+", time):
        time = datetime.fromtimestamp(float(time), timezone.utc).isoformat(timespec="milliseconds")
    return Line(time, program, int(pid), said)


def arrival(queue_id: str) -> float | None:
    """The arrival time in a long queue ID, in seconds since the epoch; None for a short queue ID, which has none."""
    match = _LONG_ID.match(queue_id)
    if not match:
        return None
    seconds = 0
    for digit in match.group(1):
        seconds = seconds * len(_DIGITS) + _DIGITS.index(digit)
    return float(seconds)


def trace(lines: t.Iterable[Line], queue_id: str) -> Trace:
    """Follow one message through log lines, in the order of the log, under every queue ID that it has on this host."""
    messages = _collect(lines)
    reached = [queue_id] if queue_id in messages else []
    for one in reached:
        reached += [other for other in _successors(messages, one) if other not in reached]
    hops = [hop for one in reached for hop in _hops(one, messages[one])]
    message_ids = {messages[one].message_id for one in reached} - {""}
    pids = {pid for one in reached for pid in map(_pid, messages[one].programs)}
    tried = bool(reached) and all(_is_tried(messages[one]) for one in reached)
    words = {queue_id, *message_ids, *(hop.next_queue_id for hop in hops)} - {""}
    return Trace(tuple(hops), frozenset(words | set(reached)), frozenset(pids), tried)


def attempts(lines: t.Iterable[Line]) -> list[Hop]:
    """Return the last delivery attempt of each message for each of its recipients."""
    return [hop for message in _collect(lines).values() for hop in message.hops.values()]


def _collect(lines: t.Iterable[Line]) -> dict[str, _Message]:
    messages: dict[str, _Message] = {}
    connections: dict[int, tuple[str, Tls]] = {}
    complaints: dict[int | str, list[str]] = {}
    for line in lines:
        match = _OF_MESSAGE.match(line.text)
        encrypted = _TLS.match(line.text)
        if encrypted:
            certificate, peer, protocol, cipher = encrypted.groups()
            connections[line.pid] = (peer, Tls(protocol, cipher, certificate.lower()))
        elif _COMPLAINT.match(line.text):
            other_end = _OTHER_END.match(line.text) if line.program.endswith("tlsproxy") else None
            complaints.setdefault(other_end.group(1) if other_end else line.pid, []).append(line.text)
        elif match:
            message = messages.setdefault(match.group("queue_id"), _Message())
            delivery = _DELIVERY.match(match.group("rest"))
            if not delivery:
                _note(message, line, match.group("rest"))
                continue
            peer, tls = connections.get(line.pid, ("", None))
            fields = {name: value or "" for name, value in delivery.groupdict().items()}
            queued_as = _QUEUED_AS.match(fields["text"]) if fields["status"] == "sent" else None
            hop = Hop(
                queue_id=match.group("queue_id"),
                **fields,
                next_queue_id=queued_as.group(1) if queued_as else "",
                tls=tls if peer == fields["relay"] else None,
                time=line.time,
                complaints=(*complaints.pop(line.pid, ()), *complaints.pop(fields["relay"], ())),
            )
            message.hops[hop.recipient, hop.orig_recipient] = hop
            message.programs.add(f"{line.program}[{line.pid}]")
    return messages


def _note(message: _Message, line: Line, rest: str) -> None:
    """Record a line about a message other than a delivery."""
    active, notification = _RECIPIENTS.match(rest), _NOTIFICATION.match(rest)
    if rest.startswith("message-id="):
        message.message_id = rest[len("message-id=") :].replace("<>", "")
    elif active:
        message.recipients = int(active.group(1))
    elif notification:
        message.notification_id = notification.group(1)
    elif rest.startswith("removed"):
        message.removed = True
        if not message.hops and not message.fate:
            message.fate = ("deleted", line)
    for pattern, status in _FATES:
        if pattern.match(rest):
            message.fate = (status, line) if status else None


def _successors(messages: t.Mapping[str, _Message], queue_id: str) -> t.Iterator[str]:
    """Further queue IDs of the same message on this host: a server here accepted it, or a program resubmitted it."""
    message = messages[queue_id]
    for hop in message.hops.values():
        if hop.next_queue_id in messages:
            yield hop.next_queue_id
    if any(re.search(r"/(pipe|local)\[", program) for program in message.programs) and message.message_id:
        later = list(messages)[list(messages).index(queue_id) :]
        yield from (one for one in later if messages[one].message_id == message.message_id)


def _hops(queue_id: str, message: _Message) -> t.Iterator[Hop]:
    for hop in message.hops.values():
        failed = hop.status in ("bounced", "expired")
        yield Hop(**{**vars(hop), "notification_id": message.notification_id if failed else ""})
    if message.fate:
        status, line = message.fate
        text = line.text.partition(": ")[2] if status != "deleted" else f"{line.program}: removed"
        yield Hop(queue_id, "", "", "none", "", "", status, text, "", None, line.time, message.notification_id)


def _is_tried(message: _Message) -> bool:
    served = message.recipients and len(message.hops) >= message.recipients
    deferred = any(hop.status == "deferred" for hop in message.hops.values())
    return bool(message.removed or message.fate or (served and deferred))


def _pid(program: str) -> int:
    return int(program.rstrip("]").rpartition("[")[2])
