# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cell of the fault walk: messages sent to a peer that fails at one moment, and the promises that must hold.

The peer's own count is the truth. A message is lost if it is reported as sent and the peer never accepted it; it is
duplicated if the peer accepted it twice. Neither may happen, except for duplicates that the user allowed.
"""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.pool import Pace, Pool, RetryPolicy
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.delivery import DeliveryResult, Envelope
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.errors import SmtpError
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.session import SmtpSession
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import (
    BETWEEN,
    BODY,
    END_OF_DATA,
    GREETING,
    TLS,
    Fault,
    Moment,
    Peer,
)

if t.TYPE_CHECKING:
    import ssl

#: The EHLO keywords for each way to transmit a message; "ahead" also sends the next message's commands behind it.
FORMS: t.Mapping[str, list[str]] = {
    "in turn": [],
    "pipelining": ["PIPELINING"],
    "chunking": ["PIPELINING", "CHUNKING"],
    "ahead": ["PIPELINING"],
    "chunking ahead": ["PIPELINING", "CHUNKING"],
}
#: Stage of the opening -> whether a moment belongs to it.
OPENING: t.Mapping[str, t.Callable[[Moment], bool]] = {
    "greeting": lambda moment: moment.stage == GREETING,
    "ehlo": lambda moment: moment.stage == "EHLO" and not moment.encrypted,
    "starttls": lambda moment: moment.stage == "STARTTLS",
    "tls": lambda moment: moment.stage == TLS,
    "ehlo again": lambda moment: moment.stage == "EHLO" and moment.encrypted,
    "auth": lambda moment: moment.stage == "AUTH",
}
FIRST, SECOND = "one@b.test", "two@b.test"
#: Stage of one message -> verb and, if there is one per recipient, the recipient.
TRANSACTION: t.Mapping[str, tuple[str, str]] = {
    "mail": ("MAIL", ""),
    "first recipient": ("RCPT", FIRST),
    "second recipient": ("RCPT", SECOND),
    "data": ("DATA", ""),
    "content": (BODY, ""),
    "end of data": (END_OF_DATA, FIRST),
    "second answer": (END_OF_DATA, SECOND),
    "between": (BETWEEN, ""),
}
#: Stages that a client reaches only with TLS and a login.
ENCRYPTED = ("starttls", "tls", "ehlo again", "auth")
#: Seconds that no client may take, QUIT included; the peer stalls for longer.
LIMIT = 12.0
ALWAYS = 1000


@dataclass(frozen=True)
class Cell:
    """One fault at one moment.

    :param fault: what the peer does, or the reply it sends.
    :param count: the number of messages, each to two recipients.
    :param hit: the index of the message at which the fault occurs.
    :param times: how often the fault occurs.
    :param attempts: the number of attempts per message.
    :param large: whether the messages exceed a socket's buffer.
    :param by_session: send one message with SmtpSession.deliver instead of a pool.
    :param patience: seconds that the client waits for a peer that sends nothing more.
    """

    stage: str
    fault: Fault | str
    form: str = "pipelining"
    count: int = 1
    hit: int = 0
    connections: int = 1
    times: int = ALWAYS
    attempts: int = 1
    resend_unknown: bool = False
    lmtp: bool = False
    large: bool = False
    by_session: bool = False
    patience: float = 0.25

    def __str__(self) -> str:
        fault = self.fault.name if isinstance(self.fault, Fault) else repr(self.fault)
        notes = [name for name in ("resend_unknown", "lmtp", "large", "by_session") if getattr(self, name)]
        return (
            f"{fault} at {self.stage}, {self.form}, message {self.hit + 1} of {self.count}, "
            f"{self.connections} connection(s), {min(self.times, self.attempts)} of {self.attempts} attempt(s) hit"
            + "".join(f", {note}" for note in notes)
        )

    @property
    def timeout(self) -> float:
        """Seconds: short if the timeout must expire, else long, so that a busy machine does not cause failures."""
        return self.patience if self.fault in (Fault.STALL, Fault.DRIP) else 5.0

    @functools.cached_property
    def envelopes(self) -> list[Envelope]:
        return [envelope(index, self.large) for index in range(self.count)]

    def disturb(self) -> t.Callable[[Moment], Fault | str | None]:
        """Return the peer's ``disturb``, which gives the fault at its moment as often as it must occur."""
        lock, left = threading.Lock(), [self.times]

        def is_it(moment: Moment) -> bool:
            if self.stage in OPENING:
                return OPENING[self.stage](moment)
            if self.stage == "quit":
                return moment.stage == "QUIT"
            stage, recipient = TRANSACTION[self.stage]
            hit = (moment.stage, moment.sender) == (stage, self.envelopes[self.hit].sender)
            return hit and moment.recipient in ("", recipient)

        def disturb(moment: Moment) -> Fault | str | None:
            if not is_it(moment):
                return None
            with lock:
                left[0] -= 1
                return self.fault if left[0] >= 0 else None

        return disturb


@functools.lru_cache(maxsize=64)
def envelope(index: int, large: bool = False) -> Envelope:
    """The message with this number, which its sender and Message-ID contain."""
    message_id = f"<{index}@walk.test>"
    text = (b"x" * 998 + b"\r\n") * 9000 if large else b".hidden\r\n"
    content = f"Message-ID: {message_id}\r\n\r\n".encode() + text
    return Envelope(f"{index}@walk.test", (FIRST, SECOND), content, message_id)


@dataclass
class Outcome:
    """The outcome of a cell, as the client and as the peer report it."""

    results: list[DeliveryResult]
    error: SmtpError | None
    seconds: float
    peer: Peer

    def statuses(self, envelope: Envelope) -> list[str]:
        """The statuses of a message's recipients; empty without a result."""
        found = [result for result in self.results if result.message_id == envelope.message_id]
        return [recipient.status.value for recipient in found[0].recipients] if found else []

    def __str__(self) -> str:
        told = [
            f"  {result.message_id}, attempt {result.attempts}, {one.address}: {one.status.value} at {one.stage.value}"
            f" ({one.problem})"
            for result in self.results
            for one in result.recipients
        ]
        taken = [f"  {one.message_id}: accepted {one.accepted}, told {one.told}" for one in self.peer.receipts]
        return "\n".join(
            [f"after {self.seconds:.2f} s, error: {self.error}", "results:", *told, "receipts:", *taken, "log:"]
            + [f"  {line}" for line in self.peer.log]
        )


def run(cell: Cell, server_tls: ssl.SSLContext, ca_file: str) -> Outcome:
    """Send the cell's messages to a peer that fails as the cell describes."""
    encrypted = cell.stage in ENCRYPTED
    extensions = FORMS[cell.form] + (["AUTH PLAIN"] if encrypted else [])
    results: list[DeliveryResult] = []
    failure: SmtpError | None = None
    with Peer(extensions=extensions, tls=server_tls if encrypted else None, disturb=cell.disturb()) as peer:
        settings = ServerSettings(
            "localhost",
            peer.port,
            TlsPolicy(ca_file=ca_file) if encrypted else TlsPolicy(TlsMode.NONE),
            Credentials("user", "secret") if encrypted else None,
            ehlo_name="client.test",
            timeout=cell.timeout,
            final_timeout=cell.timeout,
            lmtp=cell.lmtp,
            send_ahead="ahead" in cell.form,
        )
        begin = time.monotonic()
        try:
            results.extend(_deliver(cell, settings))
        except SmtpError as error:
            failure = error
        seconds = time.monotonic() - begin
    return Outcome(results, failure, seconds, peer)


def _deliver(cell: Cell, settings: ServerSettings) -> t.Iterator[DeliveryResult]:
    if cell.by_session:
        with SmtpSession(settings) as session:
            yield session.deliver(cell.envelopes[0])
    else:
        retry = RetryPolicy(cell.attempts, first_delay=0.01, total_time=LIMIT, resend_unknown=cell.resend_unknown)
        yield from Pool(settings, Pace(connections=cell.connections), retry).deliver(cell.envelopes)


def broken_promises(cell: Cell, outcome: Outcome) -> t.Iterator[str]:
    """Yield the promises that the outcome breaks, by the peer's count."""
    if outcome.seconds > LIMIT:
        yield f"it took {outcome.seconds:.1f} s"
    counted = Counter(result.message_id for result in outcome.results)
    for envelope in cell.envelopes:
        if counted[envelope.message_id] > 1 or not (counted[envelope.message_id] or outcome.error):
            yield f"{envelope.message_id} has {counted[envelope.message_id]} results"
    for envelope in cell.envelopes:
        found = next((one for one in outcome.results if one.message_id == envelope.message_id), None)
        addresses = [recipient.address for recipient in found.recipients] if found else []
        if found and addresses != list(envelope.recipients):
            yield f"{envelope.message_id} has results for {addresses}"
        copies = [receipt for receipt in outcome.peer.receipts if receipt.message_id == envelope.message_id]
        for recipient in found.recipients if found else ():
            accepted = [recipient.address in copy.accepted for copy in copies]
            told = [recipient.address in copy.told for copy in copies]
            for problem in _broken(cell, recipient.status.value, recipient.stage.value, accepted, told):
                yield f"{envelope.message_id} for {recipient.address}: {problem}"
        if not found and any(copy.accepted for copy in copies):
            yield f"{envelope.message_id} has no result, and the peer accepted it"


def _broken(cell: Cell, status: str, stage: str, accepted: list[bool], told: list[bool]) -> t.Iterator[str]:
    """Yield the broken promises for one recipient of one message, whose copies arrived in this order."""
    if status == "sent" and not any(accepted):
        yield "reported as sent, and the peer never accepted it"
    if status in ("refused", "deferred") and any(accepted):
        yield f"reported as {status}, and the peer accepted it"
    if status == "unknown" and stage != "end of data":
        yield f"reported as unknown at {stage}"
    if sum(accepted) > 1 and not cell.resend_unknown:
        yield f"accepted {sum(accepted)} times"
    # a reset may overtake the previous reply, and a busy machine may exceed a short timeout
    heard = any(told) and cell.fault is not Fault.RESET and cell.fault not in (Fault.STALL, Fault.DRIP)
    if heard and status == "unknown":
        yield "reported as unknown, and the peer had sent its acceptance"
    if heard and any(accepted[told.index(True) + 1 :]):
        yield "sent again although the peer had sent its acceptance"
