# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``postfix_info``: facts about this host's Postfix, and the trace of one message."""

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
from .secrets import hide, passwords_in

ARGUMENTS: dict[str, t.Any] = {
    "trace": {"type": "str"},
    "timeout": {"type": "float", "default": 60.0},
}

_POLL_SECONDS = 0.25
#: Subtracted from the time of arrival in the queue ID, so that the first log line is found.
_MARGIN_SECONDS = 5
_QUEUE_ID = re.compile(r"[0-9A-Za-z]{6,}")
_ASKED = ["mail_version", "myhostname", "maillog_file", "minimal_backoff_time"]
#: Names of parameters that the user defines for a secret, and logins that main.cf has instead of a file:
#: ``static:user:password``, ``inline:{ {[smtp.example.com]:587 = user:password} }``.
_SECRET_NAME = re.compile(r"(password|passwd|passphrase|secret|token)\Z", re.IGNORECASE)
_LOGIN = re.compile(r"(?:static:\s*\{?|=)\s*[^\s:{},]+:([^\s{},]+)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def run_info(module: AnsibleModule) -> None:
    """Collect the facts, follow a message if ``trace`` is set, and exit the module."""
    commands = Commands(module, ())
    queue_id = module.params["trace"]
    installed = bool(module.get_bin_path("postconf"))
    if queue_id and not installed:
        module.fail_json(msg="trace: Postfix is not installed on this host, so there is no message to follow.")
    if queue_id and not _QUEUE_ID.fullmatch(queue_id):
        module.fail_json(msg=f"trace: {queue_id!r} is not a valid queue ID; expected a value such as 4dDwwB5hD2z4w.")
    facts, asked = _look(commands) if installed else ({"version": None, "parameters": {}, "map_types": []}, {})
    hide(module, _secrets_in(facts["parameters"]))
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
    """Read the facts and some parameters with postconf, even if Postfix cannot read main.cf."""
    code, own = commands.run(["postconf", "-n"])[:2]
    with tempfile.TemporaryDirectory() as directory:
        elsewhere = []
        if code:
            # Without a main.cf, postconf prints defaults only, and no map types.
            for name in ("main.cf", "master.cf"):
                open(os.path.join(directory, name), "w").close()
            elsewhere = ["-c", directory]
        asked = parse_main(commands.run(["postconf", *elsewhere, *_ASKED])[1])
        map_types = commands.run(["postconf", *elsewhere, "-m"])[1].split()
    parameters = {} if code else parse_main(own)
    return {"version": asked.get("mail_version"), "parameters": parameters, "map_types": map_types}, asked


def _secrets_in(parameters: t.Mapping[str, str]) -> t.Iterator[str]:
    for name, value in parameters.items():
        yield from passwords_in(value)
        if name.endswith("_password_maps"):
            yield from _LOGIN.findall(value)
        elif _SECRET_NAME.search(name):
            yield value


def _follow(commands: Commands, queue_id: str, timeout: float, asked: t.Mapping[str, str]) -> Trace:
    """Read the log until the message has left the host, or no more can happen before the time-out."""
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
    """The log line, its meaning and what Postfix does next, for each open recipient."""
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
