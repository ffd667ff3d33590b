# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``smtp_send``: messages in, a result for each recipient or one clear failure out."""

from __future__ import annotations

import collections
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._message.rows import RowError
from .._smtp.delivery import DeliveryResult, Envelope, RecipientResult, Status
from .._smtp.errors import SmtpError, Stage
from .._smtp.hints import hint
from .._smtp.oauth import OAuthError
from .._smtp.pool import Pace, Pool, RetryPolicy
from .._smtp.providers import find
from .._smtp.session import SmtpSession
from .message import MESSAGE_ARGUMENTS, MESSAGE_RULES, Composer
from .server import SERVER_ARGUMENTS, SERVER_RULES, server_settings
from .source import are_many, messages_source

if t.TYPE_CHECKING:
    from .._smtp.settings import ServerSettings

SEND_ARGUMENTS: dict[str, t.Any] = {
    **SERVER_ARGUMENTS,
    **MESSAGE_ARGUMENTS,
    "messages": {"type": "list", "elements": "dict", "options": MESSAGE_ARGUMENTS, **MESSAGE_RULES},
    "messages_file": {"type": "path"},
    "messages_format": {"type": "str", "choices": ["csv", "jsonl"]},
    "remote_src": {"type": "bool"},
    # From the action plugin: the file of messages was written by it; how long to work, and where to note what was done.
    "_spool": {"type": "bool"},
    "_slice": {"type": "dict"},
    "check": {"type": "str", "choices": ["connect", "login", "recipients"]},
    "partial": {"type": "str", "choices": ["fail", "warn", "ok"], "default": "fail"},
    "connections": {"type": "int"},
    "messages_per_connection": {"type": "int"},
    "messages_per_minute": {"type": "float"},
    "attempts": {"type": "int", "default": 1},
    "retry_delay": {"type": "float", "default": 5.0},
    "retry_for": {"type": "float", "default": 600.0},
    "resend_unknown": {"type": "bool", "default": False},
}
SEND_RULES: dict[str, t.Any] = {
    "mutually_exclusive": [
        *SERVER_RULES["mutually_exclusive"],
        *MESSAGE_RULES["mutually_exclusive"],
        ("messages", "messages_file"),
    ],
    "required_by": {**SERVER_RULES["required_by"], "messages_format": ["messages_file"]},
}

#: What to do about a recipient who did not get the message, where no hint fits.
_ADVICE: t.Mapping[Status, str] = {
    Status.REFUSED: "It will be refused each time: change the address, the sender or the message.",
    Status.DEFERRED: "It was not accepted: send it again later.",
    Status.UNKNOWN: "The server may have taken it or not: sending it again may deliver it twice.",
}


def run_send(module: AnsibleModule) -> None:
    """Compose all, connect, deliver, report."""
    options = module.params
    try:
        settings, provider = server_settings(module)
        envelopes = _envelopes(options)
        pool = _pool(options, settings, provider)
    except (ValueError, OAuthError) as error:
        module.fail_json(msg=f"Nothing was sent: {error}.", stage=Stage.COMPOSE.value)
    if options["check"]:
        _check(module, settings, envelopes, provider)
    if module.check_mode:
        module.exit_json(changed=False, msg=_would_send(settings, envelopes), **_report(options, _unsent(envelopes)))
    results: list[DeliveryResult] = []
    try:
        results.extend(pool.deliver(envelopes))
    except SmtpError as error:
        _fail(module, error, provider, envelopes, results)
    report = _report(options, _in_order(envelopes, results), provider)
    report["connections"] = [session.to_dict() for session in pool.sessions]
    report["connection"] = report["connections"][-1] if pool.sessions else None
    _leave(module, settings, results, provider, report)


def _envelopes(options: t.Mapping[str, t.Any]) -> list[Envelope]:
    """All messages, composed and checked before anything is connected.

    :raises ValueError: one of them cannot be sent; says which.
    """
    composer = Composer(options)
    source = messages_source(options)
    envelopes = []
    for index in range(len(source)):
        try:
            envelopes.append(composer.envelope(source[index]))
        except RowError:  # it says where
            raise
        except ValueError as error:
            where = source.where(index)
            raise ValueError(f"{where}: {error}" if where else str(error)) from error
    return envelopes


def _pool(options: t.Mapping[str, t.Any], settings: ServerSettings, provider_name: str | None) -> Pool:
    """The pace that was asked for, within the limits of the provider."""
    provider = find(provider_name) if provider_name else None
    limits = provider.limits if provider else None
    wanted = options["connections"] or 1
    allowed = limits.connections if limits and limits.connections else wanted
    for name in ("connections", "messages_per_connection", "messages_per_minute", "attempts"):
        if options[name] is not None and options[name] < 1:
            raise ValueError(f"{name} is {options[name]}, expected 1 or more")
    pace = Pace(
        connections=min(wanted, allowed),
        messages_per_connection=options["messages_per_connection"]
        or (limits.messages_per_connection if limits else None),
        messages_per_minute=options["messages_per_minute"] or (limits.messages_per_minute if limits else None),
    )
    retry = RetryPolicy(
        attempts=options["attempts"],
        first_delay=options["retry_delay"],
        total_time=options["retry_for"],
        resend_unknown=options["resend_unknown"],
    )
    return Pool(settings, pace, retry)


def _check(module: AnsibleModule, settings: ServerSettings, envelopes: list[Envelope], provider: str | None) -> None:
    """Walk the server to a stage and leave; nothing is sent."""
    stage = module.params["check"]
    if stage == "connect":
        settings = settings.without_login()
    refused: list[RecipientResult] = []
    try:
        with SmtpSession(settings) as session:
            if stage == "recipients":
                refused = [one for envelope in envelopes for one in session.probe(envelope)]
            connection = session.info.to_dict()
    except SmtpError as error:
        _fail(module, error, provider, envelopes, [])
    report = {**_report(module.params, _unsent(envelopes)), "connection": connection, "connections": [connection]}
    if refused:
        problems = " ".join(_problem(recipient, provider) for recipient in refused)
        module.fail_json(msg=f"Nothing was sent. {problems}", stage=refused[0].stage.value, **report)
    module.exit_json(
        changed=False, msg=f"{settings.server} is ready, checked to stage {stage}. Nothing was sent.", **report
    )


def _fail(
    module: AnsibleModule,
    error: SmtpError,
    provider: str | None,
    envelopes: list[Envelope],
    results: list[DeliveryResult],
) -> t.NoReturn:
    """No session, and no sense in trying again."""
    accepted = sum(bool(result.having(Status.SENT)) for result in results)
    done = f"{accepted} of {len(envelopes)} messages were sent." if accepted else "Nothing was sent."
    advice = hint(error.reply, error.stage, provider) if error.reply else ""
    module.fail_json(
        msg=f"{done} {error}" + (f" {advice}" if advice and advice not in str(error) else ""),
        stage=error.stage.value,
        server=error.server,
        code=error.reply.code if error.reply else None,
        enhanced_code=error.reply.enhanced if error.reply else None,
        text=error.reply.text if error.reply else "",
        **_report(module.params, _in_order(envelopes, results), provider),
    )


def _leave(
    module: AnsibleModule,
    settings: ServerSettings,
    results: list[DeliveryResult],
    provider: str | None,
    report: dict[str, t.Any],
) -> t.NoReturn:
    open_recipients = [one for result in results for one in result.recipients if one.status is not Status.SENT]
    total = sum(len(result.recipients) for result in results)
    if not open_recipients:
        what = "the message" if len(results) == 1 else f"{len(results)} messages"
        module.exit_json(changed=False, msg=f"{settings.server} took {what} for {_people(total)}.", **report)
    problems = " ".join(_problem(recipient, provider) for recipient in open_recipients[:5])
    more = f" And {len(open_recipients) - 5} more." if len(open_recipients) > 5 else ""
    sent = total - len(open_recipients)
    known = f"{settings.server} took the message for {sent} of {_people(total)}." if sent else "Nothing was sent."
    if not sent and any(one.status is Status.UNKNOWN for one in open_recipients):
        known = "Nothing is known to be sent."
    msg = f"{known} {problems}{more}"
    if module.params["partial"] == "fail" or not sent:
        module.fail_json(msg=msg, stage=open_recipients[0].stage.value, **report)
    if module.params["partial"] == "warn":
        module.warn(msg)
    module.exit_json(changed=False, msg=msg, **report)


def _people(count: int) -> str:
    return "1 recipient" if count == 1 else f"{count} recipients"


def _problem(recipient: RecipientResult, provider: str | None) -> str:
    """One sentence for what happened and one for what to do; without a reply the problem names server and stage."""
    where = f" at stage {recipient.stage.value}" if recipient.reply else ""
    happened = f"{recipient.address}: {recipient.status.value}{where}: {recipient.problem.rstrip('.')}."
    return f"{happened} {_advice(recipient, provider)}"


def _advice(recipient: RecipientResult, provider: str | None) -> str:
    if recipient.status is Status.SENT:
        return ""
    found = hint(recipient.reply, recipient.stage, provider) if recipient.reply else ""
    return found or _ADVICE[recipient.status]


def _would_send(settings: ServerSettings, envelopes: list[Envelope]) -> str:
    recipients = [address for envelope in envelopes for address in envelope.recipients]
    what = "the message" if len(envelopes) == 1 else f"{len(envelopes)} messages"
    size = sum(len(envelope.content) for envelope in envelopes)
    shown = ", ".join(recipients[:5]) + (" ..." if len(recipients) > 5 else "")
    return f"Would send {what} of {size} octets to {_people(len(recipients))} ({shown}) by {settings.server}."


def _unsent(envelopes: list[Envelope]) -> list[DeliveryResult]:
    return [DeliveryResult(envelope.message_id, len(envelope.content), (), 0) for envelope in envelopes]


def _in_order(envelopes: list[Envelope], results: list[DeliveryResult]) -> list[DeliveryResult]:
    """One result for each message, in the messages' order; those not tried have no recipient in theirs."""
    by_number = {result.number: result for result in results}
    return [by_number.get(number, unsent) for number, unsent in enumerate(_unsent(envelopes))]


def _report(
    options: t.Mapping[str, t.Any], results: list[DeliveryResult], provider: str | None = None
) -> dict[str, t.Any]:
    """The results as RETURN documents them: flat for one message, a list and a summary for ``messages``."""
    if not are_many(options):
        return _message_report(results[0], provider)
    counts = collections.Counter(one.status.value for result in results for one in result.recipients)
    return {
        "messages": [_message_report(result, provider) for result in results],
        "summary": {status.value: counts[status.value] for status in Status},
    }


def _message_report(result: DeliveryResult, provider: str | None) -> dict[str, t.Any]:
    recipients = [{**one.to_dict(), "advice": _advice(one, provider)} for one in result.recipients]
    return {**result.to_dict(), "recipients": recipients}
