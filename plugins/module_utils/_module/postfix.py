# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``postfix_info``: what this host's Postfix is, and what became of one message."""

from __future__ import annotations

import os
import re
import tempfile
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._postfix.config import parse_main
from .._postfix.log import Hop, Trace, arrival, parse_line, trace
from .._postfix.log_source import choose
from .._postfix.meaning import Meaning, explain
from .commands import Commands

ARGUMENTS: dict[str, t.Any] = {
    "trace": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
}

_POLL_SECONDS = 0.25
#: Clocks of the queue and of the log are the same one; the queue ID is made a little before it is logged.
_MARGIN_SECONDS = 5
_QUEUE_ID = re.compile(r"[0-9A-Za-z]{6,}")
_ASKED = ["mail_version", "myhostname", "maillog_file", "minimal_backoff_time"]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def run_info(module: AnsibleModule) -> None:
    """Collect, and follow a message where asked."""
    commands = Commands(module, ())
    queue_id = module.params["trace"]
    installed = bool(module.get_bin_path("postconf"))
    if queue_id and not installed:
        module.fail_json(msg="Postfix is not installed on this host, so there is no message to follow.")
    if queue_id and not _QUEUE_ID.fullmatch(queue_id):
        module.fail_json(msg=f"{queue_id!r} is no queue ID; expected something like 4dDwwB5hD2z4w.")
    facts, asked = _look(commands) if installed else ({"version": None, "parameters": {}, "map_types": []}, {})
    report = {"changed": False, "installed": installed, **facts}
    if queue_id:
        found = _follow(commands, queue_id, module.params["timeout"], asked)
        hostname = asked.get("myhostname", "")
        report["hops"] = [_describe(hop, hostname) for hop in found.hops]
        if not found.sent:
            module.fail_json(msg=_why_not_sent(queue_id, found, module.params["timeout"]), **report)
        report["msg"] = "; ".join(hop["summary"] for hop in report["hops"])
    module.exit_json(**report)


def _look(commands: Commands) -> tuple[dict[str, t.Any], dict[str, str]]:
    """What postconf says, also where there is no main.cf that Postfix can read; and the values of some parameters."""
    code, own = commands.run(["postconf", "-n"])[:2]
    with tempfile.TemporaryDirectory() as directory:
        elsewhere = []
        if code:
            # Without a main.cf postconf only tells defaults, and no map types.
            for name in ("main.cf", "master.cf"):
                open(os.path.join(directory, name), "w").close()
            elsewhere = ["-c", directory]
        asked = parse_main(commands.run(["postconf", *elsewhere, *_ASKED])[1])
        map_types = commands.run(["postconf", *elsewhere, "-m"])[1].split()
    parameters = {} if code else parse_main(own)
    return {"version": asked.get("mail_version"), "parameters": parameters, "map_types": map_types}, asked


def _follow(commands: Commands, queue_id: str, timeout: float, asked: t.Mapping[str, str]) -> Trace:
    """Read the log until the message left the host, or nothing more can happen before the time is over."""
    deadline = time.monotonic() + timeout
    arrived = arrival(queue_id)
    since = f"@{arrived - _MARGIN_SECONDS:.0f}" if arrived else "-1d"
    source = choose(commands.run, asked.get("maillog_file", ""), since)
    backoff = _seconds(asked.get("minimal_backoff_time", ""))
    words: frozenset[str] = frozenset([queue_id])
    while True:
        found = trace(filter(None, map(parse_line, source.read(words, ()))), queue_id)
        if found.words - words:
            words |= found.words
            continue
        remaining = deadline - time.monotonic()
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
    way = f"{hostname} -> {hop.relay}{tls}" if hop.relay != "none" else hostname
    return f"{way}: {hop.text}" if hop.status == "sent" else f"{way}: {hop.status}, {hop.text}"


def _why_not_sent(queue_id: str, found: Trace, timeout: float) -> str:
    """The log line, what it means, and what comes next, for each recipient that was not served."""
    if not found.hops:
        return (
            f"Message {queue_id} was not tried to deliver within {timeout:g} s, as far as the log tells;"
            " 'postqueue -p' says whether it waits, and for what."
        )
    if not found.open:
        return (
            f"Message {queue_id} did not leave the queue within {timeout:g} s; 'postqueue -p' says what it waits for."
        )
    sentences = []
    for hop in found.open:
        meaning = explain(hop)
        more = [f'Before that: "{said}".' for said in hop.complaints]
        sentences.append(
            " ".join(filter(None, [f'The log says: "{hop.line}".', *more, meaning.advice, _next(hop, meaning)]))
        )
    return f"Message {queue_id} did not arrive. {' '.join(dict.fromkeys(sentences))}"


def _next(hop: Hop, meaning: Meaning) -> str:
    if hop.status == "deferred":
        until = ", in vain until this is mended" if meaning.lasting else ""
        return f"The message stays in the queue of this host, which tries again by itself{until}."
    told = f" by message {hop.notification_id}" if hop.notification_id else ""
    return f"Nothing is tried again; the sender is told{told}." if hop.status in ("bounced", "expired") else ""


def _seconds(text: str) -> float:
    """A time of main.cf (postconf(5))."""
    match = re.fullmatch(r"(\d+)([smhdw]?)", text)
    return float(match.group(1)) * _UNITS[match.group(2) or "s"] if match else 0.0
