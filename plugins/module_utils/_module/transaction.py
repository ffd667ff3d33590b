# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``config_transaction``: stage, validate, swap, activate, check, and back if any of it fails."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._transaction.files import (
    Change,
    TransactionError,
    WantedFile,
    apply,
    find_changes,
    recall,
    remember,
    remove_tree,
    undo,
    write_private,
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
            "mode": {"type": "raw", "default": "0644"},
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
    try:
        name = _plain_name(module.params["name"])
        files = [_wanted(options) for options in module.params["files"]]
        changes = find_changes(files)
    except TransactionError as error:
        module.fail_json(msg=f"Nothing was changed: {error}.")
    # programs may say one line of a secret; Ansible masks what it knows
    module.no_log_values.update(line for file in files if file.secret for line in _telling_lines(file.content))
    report: dict[str, t.Any] = {
        "changed": bool(changes),
        "changed_files": [change.wanted.path for change in changes],
        "diff": [_diff(change) for change in changes],
    }
    transaction = _Transaction(module, os.path.join(_STATE_DIRECTORY, name), files, changes)
    if module.check_mode:
        transaction.preview(report)
    else:
        transaction.run(report)
    module.exit_json(**report)


class _Transaction:
    """:param state: path that the transaction's own files begin with.

    ``.pending`` says, from before the swap until the end, what was there before; ``.lock`` keeps runs apart; ``.stage``
    is where the new files are laid out.
    """

    def __init__(self, module: AnsibleModule, state: str, files: list[WantedFile], changes: list[Change]) -> None:
        self._module = module
        self._pending = f"{state}.pending"
        self._lock = f"{state}.lock"
        self._stage = f"{state}.stage"
        self._files = files
        self._changes = changes

    def preview(self, report: dict[str, t.Any]) -> None:
        """Validate what can be validated without touching the host: its programs may not be installed yet."""
        missing = {argv[0] for argv in self._module.params["validate"] if not self._module.get_bin_path(argv[0])}
        if missing:
            report["msg"] = f"Not validated: {', '.join(sorted(missing))} not installed yet."
        elif self._changes:
            stage = tempfile.mkdtemp(prefix="mailops-stage-")
            self._validate(stage)
        else:
            report["changed"] = os.path.exists(self._pending) or self._unhealthy() is not None

    def run(self, report: dict[str, t.Any]) -> None:
        """Do what is to be done, if anything, or put everything back."""
        os.makedirs(_STATE_DIRECTORY, mode=0o700, exist_ok=True)
        with open(self._lock, "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._module.fail_json(msg="Nothing was changed: another run of this transaction is at work.")
            self._run_alone(report)

    def _run_alone(self, report: dict[str, t.Any]) -> None:
        interrupted = os.path.exists(self._pending)
        if not self._changes and not interrupted and self._unhealthy() is None:
            return
        if self._changes:
            shutil.rmtree(self._stage, ignore_errors=True)  # of a run that was killed
            os.mkdir(self._stage, 0o700)
            self._validate(self._stage)
        try:
            before = self._remember(interrupted)
        except (TransactionError, OSError) as error:
            self._module.fail_json(msg=f"Nothing was changed: {self._pending} is of no use: {error}.")
        try:
            apply(self._changes)
            self._activate()
        except (TransactionError, CommandFailed) as error:
            self._put_back(before, str(error), report)
        os.unlink(self._pending)
        report["changed"] = True

    def _remember(self, interrupted: bool) -> list[Change]:
        """Write down what was there before anything of this run, or of the one that was cut short."""
        before = self._changes
        if interrupted:
            with open(self._pending, encoding="utf-8") as stream:
                before = recall(stream.read(), self._changes)
        write_private(self._pending, remember(before))
        return before

    def _validate(self, stage: str) -> None:
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

    def _put_back(self, before: list[Change], problem: str, report: dict[str, t.Any]) -> t.NoReturn:
        """Restore the files and the service; say so, or say what could not be restored.

        Where that fails the marker stays, and the next run tries again.
        """
        problem += self._explanation()
        report["changed"] = False
        if not before:
            os.unlink(self._pending)
            self._module.fail_json(msg=f"The files are right and the service is not healthy. {problem}", **report)
        try:
            undo(before)
        except TransactionError as error:
            self._module.fail_json(msg=f"{problem} Not everything could be put back: {error}.", **report)
        try:
            self._activate()
        except CommandFailed as error:
            self._module.fail_json(msg=f"{problem} The old files are back, but the service is not: {error}", **report)
        os.unlink(self._pending)
        self._module.fail_json(msg=f"{problem} Everything was put back as it was.", **report)

    def _explanation(self) -> str:
        """What the service itself says of its failure."""
        said = [self._run(argv)[1].strip() for argv in self._module.params["explain"]]
        return "".join(f"\n{text}\n" for text in said if text)

    def _command(self, argv: list[str], hide: str = "", warnings_fail: bool = False) -> None:
        code, output, complaints = self._run(argv)
        if code == 0 and not (warnings_fail and complaints.strip()):
            return
        said = (complaints.strip() or output.strip() or f"exit code {code}, no output").replace(hide or "\0", "")
        command = " ".join(map(shlex.quote, argv)).replace(hide or "\0", "")
        raise CommandFailed(f"{command!r} said: {said}")

    def _run(self, argv: list[str]) -> tuple[int, str, str]:
        """A program that is missing has failed like any other; left alone, Ansible would leave the module at once."""
        try:
            code, output, complaints = self._module.run_command(argv, handle_exceptions=False)
        except OSError as error:
            return 127, "", error.strerror or str(error)
        return code, output, complaints


def _telling_lines(content: bytes) -> t.Iterator[str]:
    """The lines worth hiding; masking a very short one would only mangle everything else."""
    for line in content.decode("utf-8", "replace").splitlines():
        if len(line.strip()) >= 4 and not line.startswith("-----"):
            yield line.strip()


def _plain_name(name: str) -> str:
    if not re.match(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z", name):
        raise TransactionError(f"name is {name!r}, expected letters, digits, _ and -")
    return name


def _wanted(options: t.Mapping[str, t.Any]) -> WantedFile:
    secret = options["secret"] is not None
    text: str = options["secret"] if secret else options["content"]
    return WantedFile(
        path=options["path"],
        content=text.encode("utf-8"),
        mode=_mode(options["path"], options["mode"]),
        owner=options["owner"],
        group=options["group"],
        secret=secret,
    )


def _mode(path: str, mode: t.Any) -> int:
    """Octal digits in quotes, or the number YAML makes of them without quotes."""
    if isinstance(mode, str) and re.match(r"[0-7]{3,4}\Z", mode):
        return int(mode, 8)
    if isinstance(mode, int) and not isinstance(mode, bool) and 0 <= mode <= 0o7777:
        return int(mode)
    raise TransactionError(f'the mode of {path} is {mode!r}, expected octal digits in quotes such as "0640"')


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
