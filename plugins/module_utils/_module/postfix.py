# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follow one message through this host's Postfix."""

from __future__ import annotations

import re
import time
import typing as t

from .._postfix.log import Hop, Trace, arrival, parse_line, trace
from .._postfix.log_source import FILES, choose, keeps_log
from .._postfix.meaning import Meaning, explain
from .commands import Commands
from .environment import become_needed
from .postfix_facts import look

_POLL_SECONDS = 0.25
#: Subtracted from the time of arrival in the queue ID, so that the first log line is found.
_MARGIN_SECONDS = 5
#: Postfix logs a message before it accepts it, so the log mentions it long before this, or never.
_SILENCE_SECONDS = 10.0
#: The socket of a bridge, which logs in at the upstream of this name with a token.
_BRIDGE = re.compile(r"\[private/(.+)-socket\]\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Way(t.NamedTuple):
    """The way of a message through this host.

    :ivar hops: the hops as the module returns them.
    :ivar problem: why it did not leave the host, as sentences; empty if it did.
    """

    hops: list[dict[str, t.Any]]
    problem: str

    @property
    def summary(self) -> str:
        """The hops in one line."""
        return "; ".join(hop["summary"] for hop in self.hops)


def follow(commands: Commands, queue_id: str, timeout: float) -> Way:
    """Follow a message until it has left the host, or no more can happen within ``timeout`` seconds."""
    asked = look(commands)[1]
    if not keeps_log(asked.get("maillog_file", "")):
        return Way([], why_no_log(queue_id))
    return way_of(commands, queue_id, timeout, asked)


def way_of(commands: Commands, queue_id: str, timeout: float, asked: t.Mapping[str, str]) -> Way:
    """As :func:`follow`, with the parameters that :func:`.postfix_facts.look` has asked for."""
    found = _follow(commands, queue_id, timeout, asked)
    hops = [_describe(hop, asked.get("myhostname", "")) for hop in found.hops]
    return Way(hops, "" if found.sent else _why_not_sent(queue_id, found, timeout))


def _follow(commands: Commands, queue_id: str, timeout: float, asked: t.Mapping[str, str]) -> Trace:
    """Read the log until the message has left the host, or no more can happen before the time-out."""
    began = time.monotonic()
    deadline = began + timeout
    mentioned = False
    arrived = arrival(queue_id)
    since = f"@{arrived - _MARGIN_SECONDS:.0f}" if arrived else "-1d"
    source = choose(commands.run, asked.get("maillog_file", ""), since)
    backoff = _seconds(asked.get("minimal_backoff_time", ""))
    words: frozenset[str] = frozenset([queue_id])
    while True:
        lines = source.read(words, ())
        mentioned = mentioned or bool(lines)
        found = trace(filter(None, map(parse_line, lines)), queue_id)
        if found.words - words:
            words |= found.words
            continue
        remaining = deadline - time.monotonic()
        if not mentioned and time.monotonic() - began > _SILENCE_SECONDS:
            return found
        waits = any(hop.status == "deferred" and not explain(hop).lasting for hop in found.open)
        if (found.tried and not (waits and remaining > backoff)) or remaining < 0:
            complaints = {f" failed for {hop.relay}: " for hop in found.open}
            return trace(filter(None, map(parse_line, source.read(words | complaints, found.pids))), queue_id)
        time.sleep(_POLL_SECONDS)


def _describe(hop: Hop, hostname: str) -> dict[str, t.Any]:
    said = {name: value for name, value in vars(hop).items() if name != "complaints"}
    tls = hop.tls._asdict() if hop.tls else None
    return {**said, "tls": tls, "line": hop.line, "summary": _summary(hop, hostname), "advice": explain(hop).advice}


def _summary(hop: Hop, hostname: str) -> str:
    tls = f" ({hop.tls.protocol}, {hop.tls.certificate})" if hop.tls else ""
    bridge = _BRIDGE.search(hop.relay)
    server = f"{bridge[1]} (OAuth2)" if bridge else hop.relay
    way = f"{hostname} -> {server}{tls}" if hop.relay != "none" else hostname
    return f"{way}: {hop.text}" if hop.status == "sent" else f"{way}: {hop.status}, {hop.text}"


def _why_not_sent(queue_id: str, found: Trace, timeout: float) -> str:
    """The log line, its meaning and what Postfix does next, for each open recipient."""
    if not found.hops and not found.words - {queue_id}:  # not even its Message-ID
        return _not_mentioned(queue_id)
    if not found.hops:
        return (
            f"Message {queue_id}: the log shows no delivery attempt within {timeout:g} s."
            " Run 'postqueue -p' to see whether it is in the queue, and why."
        )
    if not found.open:
        return f"Message {queue_id} did not leave the queue within {timeout:g} s. Run 'postqueue -p' to see the reason."
    sentences = []
    for hop in found.open:
        meaning = explain(hop)
        more = [f'Earlier log line: "{said}".' for said in hop.complaints]
        sentences.append(
            " ".join(filter(None, [f'Log line: "{hop.line}".', *more, meaning.advice, _next(hop, meaning)]))
        )
    return f"Message {queue_id} was not delivered. {' '.join(dict.fromkeys(sentences))}"


def why_no_log(queue_id: str) -> str:
    """The sentence for a host that stores no log."""
    return (
        f"Message {queue_id} cannot be followed, since this host stores no log of mail: there is no journal (Storage="
        f" in journald.conf(5) may be none), nor {' nor '.join(FILES)}. Set Storage=volatile and restart"
        " systemd-journald, or install rsyslog. Mail itself is not affected."
    )


def _not_mentioned(queue_id: str) -> str:
    needed = become_needed("read the whole log")
    return (
        f"Message {queue_id} is not in the log of this host. "
        + (needed or "'journalctl SYSLOG_FACILITY=2' shows what journald stores; it drops lines beyond its rate limit.")
        + " 'postqueue -p' shows whether the message waits in the queue."
    )


def _next(hop: Hop, meaning: Meaning) -> str:
    if hop.status == "deferred":
        until = ", but every attempt fails until the cause is removed" if meaning.lasting else ""
        return f"The message stays in the queue of this host, and Postfix retries{until}."
    notification = f" with message {hop.notification_id}" if hop.notification_id else ""
    ended = hop.status in ("bounced", "expired")
    return f"Postfix does not retry; it notifies the sender{notification}." if ended else ""


def _seconds(text: str) -> float:
    """Parse a time of main.cf (postconf(5)) to seconds."""
    match = re.fullmatch(r"(\d+)([smhdw]?)", text)
    return float(match.group(1)) * _UNITS[match.group(2) or "s"] if match else 0.0
