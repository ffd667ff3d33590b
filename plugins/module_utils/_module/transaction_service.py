# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of a transaction: built, validated, activated and asked by commands from the task's options."""

from __future__ import annotations

import os
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._transaction.model import TransactionError
from .._transaction.plan import Change, Plan
from .commands import Commands
from .validators import chosen


class CommandedService:
    """What :class:`.._transaction.stage.Service` asks for."""

    def __init__(self, module: AnsibleModule, commands: Commands) -> None:
        self._module = module
        self._params = module.params
        self._commands = commands
        self._explaining = False

    def label(self, path: str, live: str) -> None:
        """Ansible knows the policy; without SELinux this does nothing."""
        if self._module.selinux_enabled():
            self._module.set_context_if_different(path, self._module.selinux_default_context(live), False)

    def build(self, stage: str) -> None:
        for step in self._params["build"]:
            self._commands.must_succeed(step["command"], stage, silent=True)

    def validate(self, stage: str, removed: t.Collection[str]) -> None:
        for entry in self._params["validators"]:
            validator, option = chosen(entry)
            validator.judge(self._commands, option, stage, removed)

    def missing(self) -> list[str]:
        """Programs for building and validating that are not installed yet."""
        programs = [step["command"][0] for step in self._params["build"]]
        for entry in self._params["validators"]:
            validator, option = chosen(entry)
            programs += validator.programs(option)
        return self._commands.missing(programs)

    def activate(self, plan: Plan, unsettled: t.Collection[str], back: bool) -> None:
        """The commands, then each service that reads one of the files: restarted where a reload is not enough.

        It is not for a service that is not well, be it before the change or since the new files failed.
        """
        self._explaining = not back
        well = self.is_well()
        try:
            for argv in self._params["activate"]:
                self._commands.must_succeed(argv)
            for service in self._params["services"]:
                if not well or _needs_restart(service, plan, unsettled):
                    self._commands.must_succeed(service["restart"])
                elif _reads(service, plan, unsettled):
                    self._commands.must_succeed(service["reload"])
        except TransactionError as error:
            raise self._explained(error) from error

    def check(self) -> None:
        try:
            for argv in self._params["health"]:
                self._commands.must_succeed(argv)
        except TransactionError as error:
            raise self._explained(error) from error

    def is_well(self) -> bool:
        """Whether all health commands succeed."""
        return all(self._commands.run(argv)[0] == 0 for argv in self._params["health"])

    def _explained(self, error: TransactionError) -> TransactionError:
        """What the service itself says of its failure; asked when the new files have just failed."""
        if not self._explaining:
            return error
        said = [self._commands.run(argv)[1].strip() for argv in self._params["explain"]]
        return TransactionError("\n".join([str(error), *filter(None, said)]), error.file, error.line)


def _within(path: str, places: t.Collection[str]) -> bool:
    return any(path == place or path.startswith(place.rstrip(os.sep) + os.sep) for place in places)


def _reads(service: t.Mapping[str, t.Any], plan: Plan, unsettled: t.Collection[str]) -> bool:
    """A service that names no files reads all; where no file is concerned, every service is."""
    paths = {*unsettled, *(change.path for change in plan.changes)}
    return not paths or not service["files"] or any(_within(path, service["files"]) for path in paths)


def _needs_restart(service: t.Mapping[str, t.Any], plan: Plan, unsettled: t.Collection[str]) -> bool:
    """Because of one of its files; where it may use a content that nobody knows, any line may have changed."""
    if not _reads(service, plan, unsettled):
        return False
    if not service["reload"]:
        return True
    changes = {change.path: change for change in plan.changes}
    paths = {*unsettled, *changes}
    if any(_within(path, service["restart_files"]) for path in paths):
        return True
    if not service["restart_lines"]:
        return False
    pattern = re.compile(service["restart_lines"])
    own = [path for path in paths if not service["files"] or _within(path, service["files"])]
    return any(path in unsettled or _lines_differ(pattern, changes[path]) for path in own)


def _lines_differ(pattern: re.Pattern[str], change: Change) -> bool:
    return _matching(pattern, change.before) != _matching(pattern, change.after)


def _matching(pattern: re.Pattern[str], content: bytes) -> set[str]:
    return {line for line in content.decode("utf-8", "replace").splitlines() if pattern.search(line)}
