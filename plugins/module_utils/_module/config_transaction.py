# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``config_transaction``: pass the options to the core, and turn its outcome into a result."""

from __future__ import annotations

import re
import tempfile
import time
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from .._sasl.scrubbing import passwords_in
from .._transaction import transaction as core
from .._transaction.disk import owner_exists
from .._transaction.model import TransactionError
from .._transaction.plan import Plan
from .commands import Commands
from .config_diff import diffs_of
from .config_host import ManagedHost
from .config_options import Wanted, read_options
from .environment import settle
from .secrets import hide, warn

_SENTENCES = {
    core.UNTOUCHED: "Nothing was changed: {cause}",
    core.PUT_BACK: "{cause}\nEverything was put back as it was.",
    core.UNHEALTHY: "The files are as declared, but the service is not healthy. {cause}",
    core.UNPROVED: "The files are as declared and the service is healthy, but its proof failed. {cause}",
    core.NOT_ACTIVE: (
        "{cause}\nThe previous files are back, but could not be activated: {then}\nThe next run tries again."
    ),
    core.NOT_BACK: "{cause}\nNot everything could be put back: {then}\nThe next run tries again.",
    core.NOT_CLEARED: (
        "The new files are active, but the previous ones could not be cleared away: {cause}\nThe next run tries again."
    ),
}
#: Outcomes that leave the host changed.
_CHANGED = (core.NOT_ACTIVE, core.NOT_BACK, core.NOT_CLEARED)


def run_transaction(module: AnsibleModule) -> None:
    """Run the transaction that the options describe, and exit with its result."""
    settle()
    report: dict[str, t.Any] = {"changed": False}
    clock = _Clock()
    try:
        wanted = read_options(module.params)
        _hide(module, [file.content for file in wanted.files if file.secret])
        transaction = core.ConfigTransaction(wanted.memory, clock)
        host = ManagedHost(module, Commands(module, [file.path for file in wanted.files]))
        if module.params["state"] == "noted":
            _note(module, transaction, wanted, host)
        else:
            (_preview if module.check_mode else _run)(module, transaction, wanted, host, report)
            report["drift"] = host.drift
            for sentence in host.drift:
                mended = "" if module.check_mode else " This run has put those of the files in force."
                warn(module, f"{sentence}{mended}", "What was in force did not follow the files.")
    except TransactionError as error:
        _fail(module, core.TransactionFailed(error, core.UNTOUCHED), report)
    except core.TransactionFailed as failed:
        _fail(module, failed, {**report, "seconds": clock.seconds()})
    module.exit_json(**report, seconds=clock.seconds())


class _Clock:
    """An observer that measures how long each kind of step takes."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._step = ""
        self._since = 0.0

    def __call__(self, step: str, path: str) -> None:
        now = time.monotonic()
        if self._step:
            self._seconds[self._step] = self._seconds.get(self._step, 0.0) + now - self._since
        self._step, self._since = step, now

    def seconds(self) -> dict[str, float]:
        """Return the seconds by name of step, rounded to milliseconds."""
        self("", "")
        return {step: round(spent, 3) for step, spent in self._seconds.items()}


def _note(module: AnsibleModule, transaction: core.ConfigTransaction, wanted: Wanted, host: ManagedHost) -> None:
    """Note first states only; to undo an interrupted run is left to the next run that deploys files."""
    if module.check_mode:
        host.states(wanted.units)
    else:
        with transaction.alone(host, undo=False):
            transaction.note(wanted.units, host)


def _run(
    module: AnsibleModule,
    transaction: core.ConfigTransaction,
    wanted: Wanted,
    host: ManagedHost,
    report: dict[str, t.Any],
) -> None:
    """Deploy the files, or put everything back."""
    with transaction.alone(host) as interrupted:
        plan = transaction.plan(host, wanted.files, wanted.directories, wanted.units)
        _report_plan(module, plan, report)
        report["recovered"] = interrupted
        try:
            changed = transaction.carry_out(plan, host)
        finally:
            if host.proof:
                report["proof_hops"] = host.proof.hops
    report["changed"] = changed or interrupted
    if host.proof and host.proof.problem:
        unproved = TransactionError(host.proof.problem)
        unproved.step = "prove"
        raise core.TransactionFailed(unproved, core.UNPROVED)


def _preview(
    module: AnsibleModule,
    transaction: core.ConfigTransaction,
    wanted: Wanted,
    host: ManagedHost,
    report: dict[str, t.Any],
) -> None:
    """Report and validate without changing the host, on which required programs may not be installed yet."""
    interrupted = transaction.interrupted()
    plan = transaction.plan(host, wanted.files, wanted.directories, wanted.units)
    _report_plan(module, plan, report)
    report["recovered"] = interrupted
    if interrupted:
        report["edited_files"] = []  # the interrupted run changed them, not an edit
    for path in report["edited_files"]:
        warn(module, f"drift: {path} was edited on this host since the last run", "drift: no_log hides the file")
    missing = host.missing()
    if plan and plan.files and missing:
        report["msg"] = f"Not validated: {', '.join(missing)} not installed yet."
    elif plan:
        with tempfile.TemporaryDirectory(prefix="mailops-stage-") as stage:
            transaction.preview(_without_owners_to_come(plan), stage, host)
    report["changed"] = bool(plan) or interrupted or not host.is_well(plan)


def _without_owners_to_come(plan: Plan) -> Plan:
    """Return the plan for the stage of a check: an earlier task may have yet to make the user or group of a file."""
    files = [
        file if owner_exists(file.owner, file.group) else replace(file, owner=None, group=None) for file in plan.files
    ]
    return replace(plan, files=tuple(files))


def _fail(module: AnsibleModule, failed: core.TransactionFailed, report: dict[str, t.Any]) -> t.NoReturn:
    cause = str(failed.cause)
    if failed.outcome == core.UNTOUCHED and failed.cause.step in ("build", "validate"):
        cause = f"the new configuration is not valid. {cause}"
    recovered = report.get("recovered", False)
    report["changed"] = report["changed"] or failed.outcome in _CHANGED or recovered
    text = _SENTENCES[failed.outcome].format(cause=cause, then=failed.then)
    if failed.outcome == core.UNTOUCHED and failed.then:
        text = f"{text}\nWhat the run had prepared could not be cleared away: {failed.then}\nThe next run tries again."
    module.fail_json(
        msg=f"{text}\nBefore that, an incomplete earlier run was recovered." if recovered else text,
        outcome=failed.outcome,
        step=failed.cause.step or "options",
        failed_file=failed.cause.file,
        failed_line=failed.cause.line,
        **report,
    )


def _report_plan(module: AnsibleModule, plan: Plan, report: dict[str, t.Any]) -> None:
    """Report what the plan changes, without secrets."""
    for change in plan.changes:
        if change.secret:
            _hide(module, [file.content for file in (change.present, change.original) if file])
    report["changed_files"] = [change.path for change in plan.changes if change.wanted]
    report["removed_files"] = [change.path for change in plan.changes if not change.wanted]
    report["edited_files"] = [change.path for change in plan.changes if change.edited]
    report["given_back"] = plan.given_back
    report["diff"] = diffs_of(plan.changes)


#: Between what a line sets and its value.
_SETS = re.compile(r"\s*=\s*|:?\s+")
_QUOTED = re.compile(r"(?<=\")[^\"]+(?=\")|(?<=')[^']+(?=')")
_SCHEME = re.compile(r"\A\{[^}]*\}")  # of a password in a passwd-file, such as {PLAIN}
#: Words and names, such as ``reject`` and ``example.com``, which are secrets only if their name says so.
_ORDINARY = re.compile(r"[a-z]+(?:[._-][a-z]+)*\Z")
_TELLING = re.compile("pass|secret|token|key|pw", re.IGNORECASE)
#: Hiding what is shorter would garble the rest of the output.
_SHORTEST_LINE, _SHORTEST_WORD = 4, 6


def _hide(module: AnsibleModule, contents: t.Iterable[bytes | None]) -> None:
    """Hide secret files; a program may print a single line of one, or only what the line sets.

    What the task also says in public, in a path or in another file, is not a secret: hiding it would garble the rest.
    """
    files = module.params["files"] or ()
    paths = "\n".join(file["path"] for file in files)
    public = "\n".join([paths, *(file["content"] for file in files if file.get("content"))])
    lines = [line for content in contents for text in _decoded(content or b"") for line in _lines_in(text)]
    values = {value for line in lines for value in _values_in(line)}
    hide(module, {line for line in lines if line not in paths} | {value for value in values if value not in public})


def _decoded(content: bytes) -> t.Iterable[str]:
    """Return the text in every form in which a program or Ansible may show it."""
    try:
        return [content.decode("utf-8")]
    except UnicodeDecodeError:
        ways = (("utf-8", "surrogateescape"), ("utf-8", "replace"), ("latin-1", "strict"))
        return [content.decode(*way) for way in ways]


def _lines_in(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith("-----")]


def _values_in(line: str) -> set[str]:
    """Return what a line sets, whole and without the user name: ``[mx.example.com]:587 user:password``."""
    values = [*passwords_in(line), *_QUOTED.findall(line)]
    *key, value = _SETS.split(line, maxsplit=1)
    value = value.strip("\"',;")
    if key:
        values.append(value)
    login = line if re.fullmatch(r"[^\s:=]+:\S+", line) else value
    if not re.search(r"\s", login):
        values += [one for word in login.split(":")[1:] for one in (word, _SCHEME.sub("", word))]
    telling = bool(key and _TELLING.search(key[0]))
    return {
        word
        for word in values
        if len(word) >= _SHORTEST_WORD and word[0] != "/" and (telling or not _ORDINARY.match(word))
    }
