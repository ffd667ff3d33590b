# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``config_transaction``: from options to the core, and from its outcome to a result."""

from __future__ import annotations

import tempfile
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._transaction import transaction as core
from .._transaction.model import TransactionError
from .._transaction.plan import Change, Plan
from .commands import Commands
from .config_host import ManagedHost
from .config_options import Wanted, read_options

_SENTENCES = {
    core.UNTOUCHED: "Nothing was changed: {cause}",
    core.PUT_BACK: "{cause}\nEverything was put back as it was.",
    core.UNHEALTHY: "The files are right and the service is not healthy. {cause}",
    core.NOT_ACTIVE: "{cause}\nThe old files are back, but the service is not: {then}\nThe next run tries again.",
    core.NOT_BACK: "{cause}\nNot everything could be put back: {then}\nThe next run tries again.",
    core.NOT_CLEARED: "The new files are active, but the old are not cleared away: {cause}\nThe next run tries again.",
}
#: Outcomes that leave the host other than it was.
_CHANGED = (core.NOT_ACTIVE, core.NOT_BACK, core.NOT_CLEARED)


def run_transaction(module: AnsibleModule) -> None:
    """One transaction, from options to result."""
    report: dict[str, t.Any] = {"changed": False}
    clock = _Clock()
    try:
        wanted = read_options(module.params)
        _mask(module, [file.content for file in wanted.files if file.secret])
        transaction = core.ConfigTransaction(wanted.memory, clock)
        host = ManagedHost(module, Commands(module, [file.path for file in wanted.files]))
        if module.params["state"] == "noted":
            _note(module, transaction, wanted, host)
        else:
            (_preview if module.check_mode else _run)(module, transaction, wanted, host, report)
    except TransactionError as error:
        _fail(module, core.TransactionFailed(error, core.UNTOUCHED), report)
    except core.TransactionFailed as failed:
        _fail(module, failed, {**report, "seconds": clock.seconds()})
    module.exit_json(**report, seconds=clock.seconds())


class _Clock:
    """Hears of every step, and tells how long each kind took."""

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
        """By name of step, to the millisecond."""
        self("", "")
        return {step: round(spent, 3) for step, spent in self._seconds.items()}


def _note(module: AnsibleModule, transaction: core.ConfigTransaction, wanted: Wanted, host: ManagedHost) -> None:
    """Only remember; a run that was cut short is left to the one that follows."""
    if module.check_mode:
        host.states(wanted.units)
    elif not transaction.interrupted():
        with transaction.alone(host):
            transaction.note(wanted.units, host)


def _run(
    module: AnsibleModule,
    transaction: core.ConfigTransaction,
    wanted: Wanted,
    host: ManagedHost,
    report: dict[str, t.Any],
) -> None:
    """Do what is to be done, if anything, or put everything back."""
    with transaction.alone(host) as interrupted:
        plan = transaction.plan(wanted.files, wanted.directories, wanted.units)
        _tell(module, plan, report)
        report["recovered"] = interrupted
        changed = transaction.carry_out(plan, host)
    report["changed"] = changed or interrupted


def _preview(
    module: AnsibleModule,
    transaction: core.ConfigTransaction,
    wanted: Wanted,
    host: ManagedHost,
    report: dict[str, t.Any],
) -> None:
    """Tell and validate, without touching the host: its programs may not be installed yet."""
    interrupted = transaction.interrupted()
    plan = transaction.plan(wanted.files, wanted.directories, wanted.units)
    _tell(module, plan, report)
    report["recovered"] = interrupted
    if interrupted:
        report["edited_files"] = []  # by that run, and not by somebody
    missing = host.missing()
    if plan and plan.files and missing:
        report["msg"] = f"Not validated: {', '.join(missing)} not installed yet."
    elif plan:
        with tempfile.TemporaryDirectory(prefix="mailops-stage-", dir=module.tmpdir) as stage:
            transaction.preview(plan, stage, host)
    report["changed"] = bool(plan) or interrupted or not host.is_well(plan)


def _fail(module: AnsibleModule, failed: core.TransactionFailed, report: dict[str, t.Any]) -> t.NoReturn:
    cause = str(failed.cause)
    if failed.outcome == core.UNTOUCHED and failed.cause.step in ("build", "validate"):
        cause = f"the new configuration is not valid. {cause}"
    mended = report.get("recovered", False)
    report["changed"] = failed.outcome in _CHANGED or mended
    told = _SENTENCES[failed.outcome].format(cause=cause, then=failed.then)
    module.fail_json(
        msg=f"{told}\nBefore that, what an earlier run had left was mended." if mended else told,
        step=failed.cause.step or "options",
        failed_file=failed.cause.file,
        failed_line=failed.cause.line,
        **report,
    )


def _tell(module: AnsibleModule, plan: Plan, report: dict[str, t.Any]) -> None:
    """What will be done, with nothing in it that may not be shown."""
    # programs may say one line of a secret; Ansible masks what it knows
    for change in plan.changes:
        if change.secret:
            _mask(module, [file.content for file in (change.present, change.original) if file])
    report["changed_files"] = [change.path for change in plan.changes if change.wanted]
    report["removed_files"] = [change.path for change in plan.changes if not change.wanted]
    report["edited_files"] = [change.path for change in plan.changes if change.edited]
    report["given_back"] = plan.given_back
    report["diff"] = [_diff(change) for change in plan.changes]


def _mask(module: AnsibleModule, contents: t.Iterable[bytes | None]) -> None:
    for content in contents:
        module.no_log_values.update(_telling_lines(content or b""))


def _telling_lines(content: bytes) -> t.Iterator[str]:
    """The lines worth hiding; masking a very short one would only mangle everything else."""
    for line in content.decode("utf-8", "replace").splitlines():
        if len(line.strip()) >= 4 and not line.startswith("-----"):
            yield line.strip()


def _diff(change: Change) -> dict[str, str]:
    """What changes, for ``--diff``; of a secret only that it does."""
    before, after = (content.decode("utf-8", "replace") for content in (change.before, change.after))
    stays = change.wanted or change.original
    if change.wanted and change.wanted.content is None:
        before, after = ("(built)\n" if change.present else ""), "(built anew)\n"
    elif change.secret:
        shown = "(secret)\n" if change.before == change.after else "(secret, changed)\n"
        before, after = ("(secret)\n" if change.present else ""), (shown if stays else "")
    return {
        "before": before,
        "after": after,
        "before_header": f"{change.path} (edited since the last run)" if change.edited else change.path,
        "after_header": _described(change),
    }


def _described(change: Change) -> str:
    wanted = change.wanted
    if wanted:
        return f"{wanted.path} ({wanted.owner}:{wanted.group} {wanted.mode:04o})"
    return f"{change.path} ({'as before the first run' if change.original else 'removed'})"
