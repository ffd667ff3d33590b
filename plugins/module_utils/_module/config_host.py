# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The managed host: build, validate, activate and check by the commands and systemd units of the task."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._transaction.model import TransactionError
from .._transaction.plan import Change, Plan
from .activators import ACTIVATORS
from .commands import Commands
from .config_units import Units, is_back, ran, require_unmasked
from .kinds import chosen
from .validators import VALIDATORS

if t.TYPE_CHECKING:
    from .postfix import Way


class ManagedHost:
    """Implements :class:`.._transaction.stage.Host`.

    :ivar drift: sentences about what was in force and did not follow the files.
    """

    def __init__(self, module: AnsibleModule, commands: Commands) -> None:
        self._module = module
        self._params = module.params
        self._commands = commands
        self._units = Units(commands)
        self._explaining = False
        #: The way of the proof, if it was sent.
        self.proof: Way | None = None
        self.drift: list[str] = []

    def label(self, path: str, live: str) -> None:
        """Set the context that Ansible finds in the policy; without SELinux, do nothing."""
        if self._module.selinux_enabled():
            self._module.set_context_if_different(path, self._module.selinux_default_context(live), False)

    def build(self, stage: str) -> None:
        for step in self._params["build"]:
            self._commands.must_succeed(step["command"], stage, silent=True)

    def validate(self, stage: str, removed: t.Collection[str]) -> None:
        for entry in self._params["validators"]:
            validator, option = chosen(VALIDATORS, entry)
            validator.judge(self._commands, option, stage, removed)

    def missing(self) -> list[str]:
        """Return the programs for building and validating that are not installed."""
        programs = [step["command"][0] for step in self._params["build"]]
        for entry in self._params["validators"]:
            validator, option = chosen(VALIDATORS, entry)
            programs += validator.programs(option, self._commands.paths)
        return self._commands.missing(programs)

    def states(self, names: t.Collection[str]) -> dict[str, str]:
        units = self._units.look(names)
        require_unmasked(units)
        return {name: unit.state for name, unit in units.items()}

    def returned(self, first: t.Mapping[str, str]) -> t.Collection[str]:
        units = self._units.look(first)
        return [name for name, state in first.items() if is_back(units[name], state)]

    def require_drained(self, first: t.Mapping[str, str]) -> None:
        for service in self._params["services"]:
            if service["unit"] in first and not ran(first[service["unit"]]):
                self._require_all(service["drained"])

    def _require_all(self, commands: t.Iterable[list[str]]) -> None:
        """Run commands until one fails; its output is the reason in the error."""
        for argv in commands:
            code, output, complaints = self._commands.run(argv)
            if code != 0:
                raise TransactionError(complaints.strip() or output.strip() or f"{argv[0]}: exit code {code}")

    def release(self, first: t.Mapping[str, str]) -> None:
        """Stop the services, then check again that they are drained: more may have arrived before they stopped."""
        self._units.bring_down(self._units.look(first), first)
        self.require_drained(first)

    def rest(self, first: t.Mapping[str, str]) -> None:
        units = self._units.look(first)
        self._units.bring_down({name: unit for name, unit in units.items() if not unit.runs}, first)

    def activate(self, plan: Plan, unsettled: t.Collection[str], back: bool) -> None:
        """Apply the activators, then reload or restart each service that reads one of the files.

        A service is restarted if a reload does not reach the change, or if it is not healthy: a reload does not start
        it. In an undo, a step that fails does not keep the others on the files of the failed run.
        """
        self._explaining = not back
        failures: list[TransactionError] = []
        held, given_back = plan.duties(back)
        try:
            self._units.reload_definitions({*unsettled, *(change.path for change in plan.changes)})
            units = self._units.look([*held, *given_back])
            down = [name for name in held if not units[name].well]
            sick = self._has_commands(down) and not self._is_healthy()
            for entry in self._params["activate"]:
                activator, option = chosen(ACTIVATORS, entry)
                if not (back and _names_what_went(option, plan)):
                    with _kept_in(failures, back):
                        activator.apply(self._commands, option)
            with _kept_in(failures, back):
                self._units.enable({name: units[name] for name in held})
            for service in self._services_to_activate(held, plan, back):
                name = service["unit"]
                self._explaining = not back and name is not None  # the output of a command says why it failed
                with _kept_in(failures, back):
                    require_unmasked({name: units[name]} if name else {})
                    if sick or name in down or _needs_restart(service, plan, unsettled):
                        self._commands.must_succeed(service["restart"] or ["systemctl", "restart", "--", name])
                    elif _reads(service, plan, unsettled):
                        self._commands.must_succeed(service["reload"] or ["systemctl", "reload-or-restart", "--", name])
            self._explaining = not back
            with _kept_in(failures, back):
                self._units.give_back({name: units[name] for name in given_back}, given_back)
        except TransactionError as error:
            raise self._explained(error) from error
        if failures:
            raise failures[0]

    def _has_commands(self, down: t.Collection[str]) -> bool:
        """Whether the health commands can add anything: not if all services are units and one of them is down."""
        return not down or any(service["unit"] is None for service in self._params["services"])

    def _services_to_activate(
        self, held: t.Collection[str], plan: Plan, back: bool
    ) -> t.Iterator[t.Mapping[str, t.Any]]:
        """Yield the declared services that are not given back, and in an undo those that are no longer declared.

        In an undo, a command has nothing to do if this run brought the first of its files.
        """
        declared = self._params["services"]
        for service in declared:
            if service["unit"] in held or (service["unit"] is None and not (back and _is_first_use(service, plan))):
                yield service
        for name in sorted(set(held) - {service["unit"] for service in declared}):
            yield {"unit": name, "restart": None, "reload": None, "files": [], "restart_files": [], "restart_lines": ""}

    def check(self, plan: Plan, back: bool) -> None:
        held, given_back = plan.duties(back)
        try:
            units = self._units.look([*held, *given_back])
            for name in held:
                if not units[name].well or not units[name].enabled:
                    unit = f"{units[name].file or units[name].load}, {units[name].active}"
                    raise TransactionError(f"{name} is {unit}; expected an enabled and active unit")
            for name, state in given_back.items():
                if not is_back(units[name], state):
                    raise TransactionError(f"{name} is {units[name].state}; before the first run it was {state}")
            for sentence in self._disagreements():
                raise TransactionError(sentence)
            if not (back and given_back):  # otherwise they check services that no longer run
                for argv in self._params["health"]:
                    self._commands.must_succeed(argv)
        except TransactionError as error:
            raise self._explained(error) from error

    def prove(self) -> None:
        """Send the message of ``proof``. With ``on_failure=keep``, a failure does not undo the run."""
        option = self._params["proof"]
        if not option or self._params["state"] != "present":
            return
        from .proof import send_proof  # it imports the SMTP client, which other transactions do not need

        self.proof = send_proof(self._commands, option)
        if self.proof.problem and option["on_failure"] == "restore":
            raise TransactionError(self.proof.problem)

    def is_well(self, plan: Plan) -> bool:
        """Whether all units are enabled and active, no activator must be applied again, and health commands succeed."""
        units = self._units.look(plan.services)
        if not all(unit.well and unit.enabled for unit in units.values()):
            return False
        return not any(self._disagreements()) and self._is_healthy()

    def _disagreements(self) -> t.Iterator[str]:
        """Yield a sentence for each activator that must be applied again."""
        for entry in self._params["activate"]:
            activator, option = chosen(ACTIVATORS, entry)
            for sentence in filter(None, [activator.disagreement(self._commands, option)]):
                self.drift.append(sentence)
                yield sentence

    def _is_healthy(self) -> bool:
        return all(self._commands.run(argv)[0] == 0 for argv in self._params["health"])

    def _explained(self, error: TransactionError) -> TransactionError:
        """Append the output of the ``explain`` commands, if the new files have just failed."""
        if not self._explaining:
            return error
        outputs = [self._commands.run(argv)[1].strip() for argv in self._params["explain"]]
        return TransactionError("\n".join([str(error), *filter(None, outputs)]), error.file, error.line)


def _within(path: str, places: t.Collection[str]) -> bool:
    return any(path == place or path.startswith(place.rstrip(os.sep) + os.sep) for place in places)


@contextlib.contextmanager
def _kept_in(failures: list[TransactionError], back: bool) -> t.Iterator[None]:
    """In an undo, keep a failure until the other steps are done."""
    try:
        yield
    except TransactionError as error:
        if not back:
            raise
        failures.append(error)


def _names_what_went(option: t.Iterable[str], plan: Plan) -> bool:
    """Whether a command of an undo names a file that came with this run and is gone, such as the program itself."""
    gone = [word for word in option if word.startswith(os.sep) and not os.path.lexists(word)]
    return any(_within(change.path, gone) for change in plan.changes if not change.present)


def _is_first_use(service: t.Mapping[str, t.Any], plan: Plan) -> bool:
    """Whether none of the files of a service was there before the run."""
    before = {*plan.manifest.files, *(change.path for change in plan.changes if change.present)}
    return bool(service["files"]) and not any(_within(path, service["files"]) for path in before)


def _reads(service: t.Mapping[str, t.Any], plan: Plan, unsettled: t.Collection[str]) -> bool:
    """Whether the service reads a changed file. One that names no files reads all; if no file changes, all are due."""
    paths = {*unsettled, *(change.path for change in plan.changes)}
    return not paths or not service["files"] or any(_within(path, service["files"]) for path in paths)


def _needs_restart(service: t.Mapping[str, t.Any], plan: Plan, unsettled: t.Collection[str]) -> bool:
    """Whether a reload does not reach the change. In unsettled files any line may have changed."""
    if not _reads(service, plan, unsettled):
        return False
    if not service["reload"] and not service["unit"]:
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
