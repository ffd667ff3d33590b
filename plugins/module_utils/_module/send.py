# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``smtp_send``: send the messages and return a result for each recipient, or fail with one clear error."""

from __future__ import annotations

import contextlib
import math
import os
import time
import typing as t

from .._mailing import handover
from .._mailing.backlog import Backlog, Pace, RetryPolicy
from .._mailing.handover import Slice
from .._mailing.pool import Pool
from .._smtp.delivery import DeliveryStatus
from .._smtp.errors import SmtpError, Stage
from .._smtp.session import SmtpSession
from .message import MESSAGE_ARGUMENTS
from .outgoing import Outgoing
from .report import FEW, SHOWN, Problems, Report, diffs, failures, hint_for, preview, the_only, untried_form
from .secrets import warn
from .server import PATH, SERVER_ARGUMENTS, SERVER_RULES, server_settings
from .source import are_many

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._mailing.journal import Journal
    from .._providers.provider import Limits
    from .._smtp.delivery import Envelope, RecipientResult
    from .._smtp.settings import ServerSettings
    from .outgoing import Totals

#: Documented in the doc fragment ``_smtp_mailing``.
MAILING_ARGUMENTS: dict[str, t.Any] = {
    "connections": {"type": "int"},
    "messages_per_connection": {"type": "int"},
    "messages_per_minute": {"type": "float"},
    "attempts": {"type": "int", "default": 1},
    "retry_delay": {"type": "float", "default": 5.0},
    "retry_for": {"type": "float", "default": 600.0},
    "resend_unknown": {"type": "bool", "default": False},
    "journal": {"type": PATH},
}
_ARGUMENTS: dict[str, t.Any] = {
    **SERVER_ARGUMENTS,
    **MESSAGE_ARGUMENTS,
    **MAILING_ARGUMENTS,
    "messages": {"type": "raw", "options": MESSAGE_ARGUMENTS},
    "messages_file": {"type": PATH},
    "messages_format": {"type": "str", "choices": ["csv", "jsonl"]},
    "remote_src": {"type": "bool"},
    "check": {"type": "str", "choices": ["connect", "login", "recipients"]},
    "results": {"type": "str", "choices": ["auto", "all", "open"], "default": "auto"},
    "partial": {"type": "str", "choices": ["fail", "warn", "ok"], "default": "fail"},
}
#: What AnsibleModule is told about the options.
SEND_SPEC: dict[str, t.Any] = {
    "argument_spec": _ARGUMENTS,
    "mutually_exclusive": SERVER_RULES["mutually_exclusive"],
    "required_by": {**SERVER_RULES["required_by"], "messages_format": ["messages_file"]},
}


Options = t.Mapping[str, t.Any]

_LEAST: t.Mapping[str, int] = {
    **dict.fromkeys(("connections", "messages_per_connection", "attempts"), 1),
    **dict.fromkeys(("retry_delay", "retry_for"), 0),
}


def run_send(module: AnsibleModule) -> None:
    """Compose all messages, connect, deliver and report."""
    options = module.params
    part = Slice.of(options)
    try:
        settings, provider = server_settings(module)
        pace, retry = _pace(options, provider), _retry(options)
        outgoing = Outgoing(options, part.run)
        totals = None if part.continued else outgoing.check()
        part.check(outgoing.stamp)
        journal = _journal(options, module.check_mode or options["check"])
    except ValueError as error:
        _cannot_begin(module, part, error)
    task = _Task(module, settings, provider, outgoing)
    with contextlib.closing(journal) if journal else contextlib.nullcontext():
        if options["check"]:
            task.check()
        if not len(outgoing):
            task.nothing()
        if totals and module.check_mode:
            task.preview(totals, journal)
        task.send(Pool(settings, pace, retry, journal), Backlog(len(outgoing), pace, retry, part.seconds), part)


def _cannot_begin(module: AnsibleModule, part: Slice, error: Exception) -> t.NoReturn:
    """Fail because of unusable options, and report what earlier slices have sent with them."""
    state = part.state()
    if state is None:
        module.fail_json(msg=f"Nothing was sent: {error}.", stage=Stage.COMPOSE.value)
    report = Report(state["total"], module.params["results"], None)
    report.restore(state["report"])
    module.fail_json(
        msg=f"{report.done} The rest was not sent: {error}.",
        stage=Stage.COMPOSE.value,
        **report.form(many=True, failed=True),
    )


def _pace(options: Options, provider: str | None) -> Pace:
    """Return the requested pace within the limits of the provider."""
    for name, least in _LEAST.items():
        if options[name] is not None and not least <= options[name] < math.inf:  # not a number is not in any range
            raise ValueError(f"{name} is {options[name]}; expected {least} or more")
    pace = options["messages_per_minute"]
    if pace is not None and not 0 < pace < math.inf:
        raise ValueError(f"messages_per_minute is {pace}; expected more than 0, such as 0.5 for one in two minutes")
    limits = _limits(provider)
    wanted = options["connections"] or 1
    allowed = limits.connections if limits and limits.connections else wanted
    return Pace(
        connections=min(wanted, allowed),
        messages_per_connection=options["messages_per_connection"]
        or (limits.messages_per_connection if limits else None),
        messages_per_minute=options["messages_per_minute"] or (limits.messages_per_minute if limits else None),
    )


def _limits(provider: str | None) -> Limits | None:
    if provider is None:
        return None
    from .._providers.presets import find

    found = find(provider)
    return found.limits if found else None


def _retry(options: Options) -> RetryPolicy:
    return RetryPolicy(
        attempts=options["attempts"],
        first_delay=options["retry_delay"],
        total_time=options["retry_for"],
        resend_unknown=options["resend_unknown"],
    )


def _journal(options: Options, read_only: bool) -> Journal | None:
    path = options["journal"]
    if path is None:
        return None
    if not os.path.isabs(path):
        raise ValueError(
            f"journal {path!r} is a relative path, which the next run may not find; expected an absolute path such as "
            "/var/lib/mailings/2026-11.journal"
        )
    from .._mailing.journal import Journal

    return Journal(path, read_only)


class _Task:
    """One run of the module, from the first connection to the result."""

    def __init__(
        self, module: AnsibleModule, settings: ServerSettings, provider: str | None, outgoing: Outgoing
    ) -> None:
        self._module = module
        self._settings = settings
        self._provider = provider
        self._outgoing = outgoing
        self._many = are_many(module.params)
        results = module.params["results"]
        self._brief = results == "auto"
        keep = results if self._many or self._brief else "all"  # there is only one to return
        self._report = Report(len(outgoing), keep, provider)

    def send(self, pool: Pool, backlog: Backlog, part: Slice) -> None:
        """Send the messages and exit with the result."""
        part.restore(backlog, self._report)
        try:
            for result in pool.deliver(self._outgoing, backlog):
                self._report.add(result)
        except SmtpError as error:
            self._report.add_sessions(pool.sessions)
            self._fail(error)
        except OSError as error:
            self._report.add_sessions(pool.sessions)
            journal = self._module.params["journal"]
            what = f"The journal {journal} cannot be written" if journal else "The host cannot continue"
            self._stop(f"{what}: {error.strerror or error}.")
        self._report.add_sessions(pool.sessions)
        if pool.refused:
            self._report.refused = str(pool.refused)
        if len(backlog):
            time.sleep(backlog.idle)  # another slice could not send anything in that time
            part.keep(backlog, self._report, self._outgoing.stamp)
            counts = {status.value: self._report.messages[status] for status in DeliveryStatus}
            self._module.exit_json(changed=False, **handover.unfinished(counts, len(self._outgoing)))
        if self._report.refused:
            told = "Fewer connections were used than requested"
            warn(self._module, f"{told}: {self._report.refused}", f"{told}; no_log hides why.")
        self._leave()

    def _leave(self) -> t.NoReturn:
        report = self._report
        sent, open_ = report.recipients[DeliveryStatus.SENT], report.open
        if not open_:
            what = _messages(len(self._outgoing)) if self._many else "the message"
            earlier = f", {_messages(report.earlier)} in an earlier run" if report.earlier else ""
            msg = f"{self._settings.server} accepted {what} for {_people(sent)}{earlier}."
            self._module.exit_json(changed=False, msg=msg, **self._answer())
        known = f"{self._settings.server} accepted the message for {sent} of {_people(sent + open_)}."
        if not sent:
            unknown = report.recipients[DeliveryStatus.UNKNOWN]
            known = "Nothing is known to have been sent." if unknown else "Nothing was sent."
        msg = f"{known} {report.problems}"
        if self._module.params["partial"] == "fail" or not sent:
            self._module.fail_json(msg=msg, stage=report.problems.stage, **self._answer(failed=True))
        if self._module.params["partial"] == "warn":
            warn(self._module, msg, "The message was not sent to every recipient; no_log hides to whom, and why.")
        self._module.exit_json(changed=False, msg=msg, **self._answer())

    def _fail(self, error: SmtpError) -> t.NoReturn:
        """Fail because no session can be opened and a retry is pointless."""
        self._stop(
            error.sentence(hint_for(error.reply, error.stage, self._provider, error.advice)),
            stage=error.stage.value,
            server=error.server,
            code=error.reply.code if error.reply else None,
            enhanced_code=error.reply.enhanced if error.reply else None,
            text=error.reply.text if error.reply else "",
        )

    def _stop(self, why: str, **more: t.Any) -> t.NoReturn:
        """Fail with messages that were not tried."""
        self._report.untried(self._outgoing)
        more = {"stage": Stage.BODY.value, **more}
        self._module.fail_json(msg=f"{self._report.done} {why}", **more, **self._answer(failed=True))

    def _answer(self, failed: bool = False) -> dict[str, t.Any]:
        """Return the results; briefly for a task that fails, since Ansible prints all that it returns."""
        diff = self._module._diff and not self._module.check_mode
        return {**self._report.form(self._many, failed), **({"diff": diffs(self._outgoing)} if diff else {})}

    # Sending nothing

    def nothing(self) -> t.NoReturn:
        """Exit without connecting, because the list of messages is empty. That is not an error."""
        given = self._outgoing.name
        msg = f"Nothing to send, and no connection was opened: {given} has no messages."
        self._module.exit_json(changed=False, msg=msg, **self._report.form(many=True))

    def preview(self, totals: Totals, journal: Journal | None) -> t.NoReturn:
        """Exit in check mode with what would be sent."""
        some = ", ".join(totals.some[:5]) + (" ..." if totals.recipients > 5 else "")
        what = _messages(len(self._outgoing)) if self._many else "the message"
        would = f"Would send {what} of {totals.size} octets to {_people(totals.recipients)} ({some})"
        settled = sum(self._is_settled(envelope, journal) for envelope in self._outgoing) if journal else 0
        but = f", except {_messages(settled)} that an earlier run has settled" if settled else ""
        answer = self._untried(previews=True)
        if self._module._diff:
            answer["diff"] = diffs(self._outgoing)
        self._module.exit_json(changed=False, msg=f"{would} through {self._settings.server}{but}.", **answer)

    def _is_settled(self, envelope: Envelope, journal: Journal) -> bool:
        known = journal.known(envelope.message_id)
        final = (
            (DeliveryStatus.SENT,)
            if self._module.params["resend_unknown"]
            else (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN)
        )
        return all(one in known and known[one].status in final for one in envelope.recipients)

    def check(self) -> t.NoReturn:
        """Open a session up to a stage, quit, and exit with the result."""
        stage = self._module.params["check"]
        settings = self._settings.without_login() if stage == "connect" else self._settings
        found: dict[int, tuple[RecipientResult, ...]] = {}
        try:
            with SmtpSession(settings) as session:
                if stage == "recipients":
                    found = {number: session.probe(envelope) for number, envelope in enumerate(self._outgoing)}
            self._report.add_sessions([session.info])
        except SmtpError as error:
            self._fail(error)
        refused = [one for ones in found.values() for one in ones]
        ready = f"{settings.server} is ready, checked up to stage {stage}. Nothing was sent."
        answer: dict[str, t.Any] = {"sessions": self._report.sessions}
        if not refused:
            self._module.exit_json(changed=False, msg=ready, **self._untried(), **answer)
        problems = Problems(self._provider)
        for recipient in refused:
            problems.add(recipient)
        all_refused = len(refused) == sum(len(envelope.recipients) for envelope in self._outgoing)
        if self._module.params["partial"] == "fail" or all_refused:
            answer = {**self._untried(found, brief=self._brief), **({} if self._brief else answer)}
            self._module.fail_json(msg=f"Nothing was sent. {problems}", stage=problems.stage, **answer)
        if self._module.params["partial"] == "warn":
            warn(self._module, str(problems), "Not every recipient would be accepted; no_log hides who, and why.")
        self._module.exit_json(changed=False, msg=f"{ready} {problems}", **self._untried(found), **answer)

    def _untried(
        self,
        refused: t.Mapping[int, tuple[RecipientResult, ...]] | None = None,
        previews: bool = False,
        brief: bool = False,
    ) -> dict[str, t.Any]:
        forms = []
        for number in range(min(len(self._outgoing), FEW)):
            envelope = self._outgoing[number]
            form = untried_form(envelope, number, (refused or {}).get(number, ()), self._provider)
            forms.append({**form, "preview": preview(envelope)} if previews and number < SHOWN else form)
        if self._many:
            return {"messages": failures(forms) if brief else forms}
        return the_only(forms[0], brief)


def _people(count: int) -> str:
    return "1 recipient" if count == 1 else f"{count} recipients"


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
