# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``config_transaction``: stage, validate, swap, activate, check, and back if any of it fails."""

from __future__ import annotations

import os
import shlex
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._transaction.files import (
    Change,
    TransactionError,
    WantedFile,
    apply,
    find_changes,
    remove_tree,
    undo,
    write_tree,
)

ARGUMENTS: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str"},
            "secret": {"type": "str", "no_log": True},
            "mode": {"type": "str", "default": "0644"},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
        },
        "mutually_exclusive": [("content", "secret")],
        "required_one_of": [("content", "secret")],
    },
    "validate": {"type": "list", "elements": "list", "default": []},
    "activate": {"type": "list", "elements": "list", "default": []},
    "health": {"type": "list", "elements": "list", "default": []},
    "explain": {"type": "list", "elements": "list", "default": []},
}

#: Where a run that was cut short leaves word for the next one.
_STATE_DIRECTORY = "/var/lib/mailops"


class CommandFailed(Exception):
    """A validator, an activation or a health check said no; the text is a sentence with what it said."""


def run_transaction(module: AnsibleModule) -> None:
    """One transaction, from options to result."""
    files = [_wanted(options) for options in module.params["files"]]
    try:
        changes = find_changes(files)
    except TransactionError as error:
        module.fail_json(msg=f"Nothing was changed: {error}.")
    report: dict[str, t.Any] = {
        "changed": bool(changes),
        "changed_files": [change.wanted.path for change in changes],
        "diff": [_diff(change) for change in changes],
    }
    transaction = _Transaction(module, files, changes)
    if module.check_mode:
        transaction.preview(report)
    else:
        transaction.run(report)
    module.exit_json(**report)


class _Transaction:
    def __init__(self, module: AnsibleModule, files: list[WantedFile], changes: list[Change]) -> None:
        self._module = module
        self._files = files
        self._changes = changes
        self._pending = os.path.join(_STATE_DIRECTORY, f"{module.params['name']}.pending")

    def preview(self, report: dict[str, t.Any]) -> None:
        """Validate what can be validated without touching the host: its programs may not be installed yet."""
        missing = {argv[0] for argv in self._module.params["validate"] if not self._module.get_bin_path(argv[0])}
        if missing:
            report["msg"] = f"Not validated: {', '.join(sorted(missing))} not installed yet."
        elif self._changes:
            self._validate()
        if not missing and not self._changes:
            report["changed"] = os.path.exists(self._pending) or self._unhealthy() is not None

    def run(self, report: dict[str, t.Any]) -> None:
        interrupted = os.path.exists(self._pending)
        if not self._changes and not interrupted and self._unhealthy() is None:
            return
        if self._changes:
            self._validate()
        os.makedirs(_STATE_DIRECTORY, mode=0o700, exist_ok=True)
        with open(self._pending, "w", encoding="utf-8"):
            pass
        try:
            apply(self._changes)
            self._activate()
        except (TransactionError, CommandFailed) as error:
            self._put_back(str(error), report)
        os.unlink(self._pending)
        report["changed"] = True

    def _validate(self) -> None:
        stage = tempfile.mkdtemp(prefix="mailops-stage-")
        try:
            write_tree(stage, self._files)
            for argv in self._module.params["validate"]:
                self._command([word.replace("{stage}", stage) for word in argv], hide=stage, warnings_fail=True)
        except (TransactionError, CommandFailed) as error:
            self._module.fail_json(msg=f"Nothing was changed: the new configuration is not valid. {error}")
        finally:
            remove_tree(stage)

    def _activate(self) -> None:
        for argv in self._module.params["activate"]:
            self._command(argv)
        problem = self._unhealthy()
        if problem:
            raise CommandFailed(problem)

    def _unhealthy(self) -> str | None:
        try:
            for argv in self._module.params["health"]:
                self._command(argv)
        except CommandFailed as error:
            return str(error)
        return None

    def _put_back(self, problem: str, report: dict[str, t.Any]) -> t.NoReturn:
        """Restore the files and the service; say so, or say what could not be restored."""
        problem += self._explanation()
        undo(self._changes)
        try:
            self._activate()
        except CommandFailed as error:
            # the marker stays: the next run tries again
            self._module.fail_json(msg=f"{problem} The old files are back, but the service is not: {error}", **report)
        os.unlink(self._pending)
        report["changed"] = False
        self._module.fail_json(msg=f"{problem} Everything was put back as it was.", **report)

    def _explanation(self) -> str:
        """What the service itself says of its failure."""
        said = [self._module.run_command(argv)[1].strip() for argv in self._module.params["explain"]]
        return "".join(f"\n{text}\n" for text in said if text)

    def _command(self, argv: list[str], hide: str = "", warnings_fail: bool = False) -> None:
        code, output, complaints = self._module.run_command(argv)
        if code == 0 and not (warnings_fail and complaints.strip()):
            return
        said = (complaints.strip() or output.strip() or f"exit code {code}, no output").replace(hide or "\0", "")
        command = " ".join(map(shlex.quote, argv)).replace(hide or "\0", "")
        raise CommandFailed(f"{command!r} said: {said}")


def _wanted(options: t.Mapping[str, t.Any]) -> WantedFile:
    secret = options["secret"] is not None
    text: str = options["secret"] if secret else options["content"]
    return WantedFile(
        path=options["path"],
        content=text.encode("utf-8"),
        mode=int(options["mode"], 8),
        owner=options["owner"],
        group=options["group"],
        secret=secret,
    )


def _diff(change: Change) -> dict[str, str]:
    """What changes, for ``--diff``; of a secret only that it does."""
    wanted, present = change.wanted, change.present
    before = present.content.decode("utf-8", "replace") if present else ""
    after = wanted.content.decode("utf-8", "replace")
    if wanted.secret:
        unchanged = present is not None and present.content == wanted.content
        before, after = "(secret)\n" if present else "", "(secret)\n" if unchanged else "(secret, changed)\n"
    description = f"{wanted.path} ({wanted.owner}:{wanted.group} {wanted.mode:04o})"
    return {"before": before, "after": after, "before_header": wanted.path, "after_header": description}
