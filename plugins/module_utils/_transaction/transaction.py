# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy a set of files as one: all of them go live with a healthy service, or the previous files are put back.

**States.** One file in the transaction's directory is the run record. It is written once; its *name* is the state of
the run, so that finishing or undoing it is a rename, which needs no disk space. Each rename is synced after everything
that it vouches for:

============== ===================================================== ===========================================
``preparing``  new and previous versions are kept beside the files   remove them, remove the record
``swapping``   files may be replaced, services may be activated      put the files back: ``undone``
``committed``  the new files are in place, the services are healthy  remove the previous versions: ``manifest``
``undone``     the previous files are back, services may differ      activate, remove the record
``manifest``   between runs: what the transaction owns               --
============== ===================================================== ===========================================

The last column says what is done about a state: by the run itself after a failure, or by the next run after a crash.
Each of these steps may be interrupted and repeated. ``undone`` stays until a service was activated with the files that
are in place; a new run may begin while it exists, and takes over its unsettled paths.

**Order of a run.** Lock; recover; plan; note; stage, build, validate (in ``stage``, removed at the end or by the next
run); record; prepare; ``swapping``; release; swap; activate; check; prove; ``committed``; clear; ``manifest``. No live
file and no service is touched before ``swapping``, and no disk space is needed after it.

**Services** are names. The first state of each is noted in the manifest before the first run touches it. A service that
is no longer declared is given back: if it did not run at first, it is stopped before its files are removed; the rest of
its first state is restored afterwards. An undo does the same to the services that this run was the first to use.

This module runs no program and uses no service manager: a :class:`.stage.Host` does. An observer is called before each
step.
"""

from __future__ import annotations

import contextlib
import functools
import os
import typing as t
from dataclasses import replace

from .memory import COMMITTED, MANIFEST, PREPARING, SWAPPING, UNDONE, Memory
from .model import Manifest, Observer, Steps, TransactionError, WantedDirectory, WantedFile
from .plan import Plan, make_plan
from .stage import Host, lay_out
from .swap import RunRecord, Swap, entries_of, path_beside, require_original, require_replaceable

#: How a failed run left the host.
UNTOUCHED = "untouched"
PUT_BACK = "put back"
UNHEALTHY = "unhealthy"  # no file had to be replaced, and the services are not healthy
UNPROVED = "unproved"  # the files are live and the services healthy, but they do not do their work
NOT_ACTIVE = "not active"  # the previous files are back, but could not be activated; the next run tries again
NOT_BACK = "not back"  # some files could not be put back; the next run tries again
NOT_CLEARED = "not cleared"  # the new files are live, previous versions remain; the next run tries again


class TransactionFailed(Exception):
    """A run failed.

    :ivar cause: the first failure.
    :ivar outcome: how the run left the host, one of the constants above.
    :ivar then: the failure of the undo; ``None`` if it did not fail.
    """

    def __init__(self, cause: TransactionError, outcome: str, then: TransactionError | None = None) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.outcome = outcome
        self.then = then


class ConfigTransaction:
    """A named set of files on one host.

    :param directory: holds the state between runs; its last part is the name.
    :param observe: called before each step.
    """

    def __init__(self, directory: str, observe: Observer) -> None:
        self._name = os.path.basename(directory)
        self._step = Steps(observe)
        self._memory = Memory(directory, self._step)

    @contextlib.contextmanager
    def alone(self, host: Host, undo: bool = True) -> t.Iterator[bool]:
        """Hold the lock, and finish or undo an interrupted run; the context is whether there was one.

        :param undo: false to leave a run that is to be undone to the next run, which activates the files then.
        :raises TransactionFailed: another run is in progress, or the interrupted run cannot be finished or undone.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._memory.locked())
                interrupted = self._memory.interrupted()
                if undo or self._memory.reached(COMMITTED):
                    self._recover(host)
            except TransactionError as error:
                raise TransactionFailed(error, UNTOUCHED) from error
            yield interrupted

    def interrupted(self) -> bool:
        """Whether an earlier run was interrupted; to be called without the lock."""
        return self._memory.interrupted()

    def plan(
        self,
        host: Host,
        files: t.Sequence[WantedFile],
        directories: t.Sequence[WantedDirectory] = (),
        services: t.Sequence[str] = (),
    ) -> Plan:
        """Compare the declaration with the host. If nothing is declared, all originals are restored.

        :param services: names of the services that are to use the files.
        :raises TransactionFailed: a file cannot be declared, or an original is missing.
        """
        try:
            with self._step("plan"):
                self._memory.require_unowned(wanted.path for wanted in files)
                manifest = self._memory.manifest()
                kept = functools.partial(path_beside, self._name, kind="first")
                noted = {name: state for name, state in manifest.noted.items() if name not in services}
                returned = host.returned(noted) if noted else ()
                plan = make_plan(files, directories, manifest, kept, services, returned)
                require_original(self._name, plan)
                require_replaceable(plan)
                return plan
        except TransactionError as error:
            raise TransactionFailed(error, UNTOUCHED) from error

    def preview(self, plan: Plan, root: str, host: Host) -> None:
        """Build and validate below ``root``, an empty private directory, without changing the host.

        :raises TransactionFailed: the files are not valid, or a service to be given back is not drained.
        """
        try:
            self._require_drained(plan.given_back, host)
            if plan and plan.files:
                lay_out(root, plan, host, self._step)
        except TransactionError as error:
            raise TransactionFailed(error, UNTOUCHED) from error

    def note(self, names: t.Collection[str], host: Host) -> None:
        """Note the first states of services, unless they are known; to be called inside :meth:`alone`.

        :raises TransactionFailed: a service cannot be used.
        """
        try:
            self._note(self._memory.manifest(), names, host)
        except TransactionError as error:
            raise TransactionFailed(error, UNTOUCHED) from error

    def _note(self, manifest: Manifest, names: t.Collection[str], host: Host) -> Manifest:
        fresh = [name for name in names if name not in manifest.first_states]
        if not fresh:
            return manifest
        with self._step("note"):
            states = host.states(fresh)
        manifest = replace(manifest, noted={**manifest.noted, **states})
        self._memory.note(manifest)
        return manifest

    def carry_out(self, plan: Plan, host: Host) -> bool:
        """Carry out the plan; to be called inside :meth:`alone`.

        :return: whether the host was changed.
        :raises TransactionFailed: a step failed; its outcome says how the host was left.
        """
        last = self._memory.read(UNDONE)
        unsettled = last.unsettled if last else ()
        try:
            plan = replace(plan, manifest=self._note(plan.manifest, plan.services, host))
        except TransactionError as error:
            raise TransactionFailed(error, UNTOUCHED) from error
        if not plan and plan.manifest_after({}) == plan.manifest:
            return self._settle(plan, unsettled, host)
        if plan or last:
            self._replace(plan, unsettled, host)
            return True
        self._adopt(plan, unsettled, host)
        return self._settle(plan, unsettled, host)

    def _replace(self, plan: Plan, unsettled: tuple[str, ...], host: Host) -> None:
        try:
            record = self._prepare(plan, unsettled, host)
        except TransactionFailed as failed:
            if self._memory.reached(UNDONE):
                self._activate_old(plan, unsettled, host, failed.cause)
            self._rest(host, failed)
            raise
        try:
            self._release(plan.given_back, host)
            Swap(self._name, record, self._step).forward()
            self._activate(plan, unsettled, host)
            self._prove(host)
            self._memory.move(SWAPPING, COMMITTED)
        except TransactionError as error:
            if self._memory.reached(COMMITTED):
                raise TransactionFailed(error, NOT_CLEARED) from error
            self._go_back(plan, unsettled, record, host, error)
        self._clear(host)

    def _prepare(self, plan: Plan, unsettled: tuple[str, ...], host: Host) -> RunRecord:
        """Do everything that comes before the first change to a live file."""
        try:
            try:
                self._require_drained(plan.given_back, host)
                built = self._stage(plan, host) if plan.files and plan else {}
                changed = tuple(change.path for change in plan.changes)
                record = RunRecord(
                    entries=tuple(entries_of(plan)),
                    made=tuple(directory.path for directory in plan.made),
                    released=plan.released,
                    unsettled=tuple(sorted({*unsettled, *changed})),
                    manifest=plan.manifest_after(built),
                )
                self._memory.begin(record)
                Swap(self._name, record, self._step).prepare(self._memory.stage, plan.made, host.label)
            finally:
                self._memory.sweep()
            self._memory.move(PREPARING, SWAPPING)
        except TransactionError as error:
            try:
                self._recover(host)
            except TransactionError as then:
                raise TransactionFailed(error, UNTOUCHED, then) from error
            raise TransactionFailed(error, UNTOUCHED) from error
        return record

    def _rest(self, host: Host, failed: TransactionFailed) -> None:
        try:
            host.rest(self._memory.manifest().noted)
        except TransactionError as then:
            raise TransactionFailed(failed.cause, failed.outcome, failed.then or then) from failed

    def _require_drained(self, first: t.Mapping[str, str], host: Host) -> None:
        if first:
            with self._step("drained"):
                host.require_drained(first)

    def _release(self, first: t.Mapping[str, str], host: Host) -> None:
        if first:
            with self._step("release"):
                host.release(first)

    def _stage(self, plan: Plan, host: Host) -> dict[str, str]:
        with self._step("stage", self._memory.stage):
            os.mkdir(self._memory.stage, 0o700)
        return lay_out(self._memory.stage, plan, host, self._step)

    def _adopt(self, plan: Plan, unsettled: tuple[str, ...], host: Host) -> None:
        """Adopt or forget files: no live file is touched, and no service is activated."""
        self._prepare(plan, unsettled, host)
        try:
            self._memory.move(SWAPPING, COMMITTED)
        except TransactionError as error:
            raise TransactionFailed(error, UNTOUCHED) from error
        self._clear(host)

    def _settle(self, plan: Plan, unsettled: tuple[str, ...], host: Host) -> bool:
        """Make the services healthy with files that need no replacement, and prove that they do their work."""
        changed = self._heal(plan, unsettled, host)
        try:
            self._prove(host)
        except TransactionError as error:
            raise TransactionFailed(error, UNPROVED) from error
        return changed

    def _heal(self, plan: Plan, unsettled: tuple[str, ...], host: Host) -> bool:
        """Activate the files again, if an earlier run could not or the services are not healthy."""
        if not self._memory.reached(UNDONE):
            try:
                with self._step("health"):
                    host.check(plan, back=False)
                return False
            except TransactionError:
                pass
        try:
            self._activate(plan, unsettled, host)
            self._memory.forget(UNDONE)
        except TransactionError as error:
            raise TransactionFailed(error, UNHEALTHY) from error
        return True

    def _activate(self, plan: Plan, unsettled: t.Collection[str], host: Host, back: bool = False) -> None:
        with self._step("activate"):
            host.activate(plan, unsettled, back)
        with self._step("health"):
            host.check(plan, back)

    def _prove(self, host: Host) -> None:
        with self._step("prove"):
            host.prove()

    def _go_back(
        self, plan: Plan, unsettled: tuple[str, ...], record: RunRecord, host: Host, cause: TransactionError
    ) -> t.NoReturn:
        try:
            self._put_back(record, host)
        except TransactionError as error:
            raise TransactionFailed(cause, NOT_BACK, error) from cause
        self._activate_old(plan, unsettled, host, cause)
        raise TransactionFailed(cause, PUT_BACK) from cause

    def _activate_old(self, plan: Plan, unsettled: tuple[str, ...], host: Host, cause: TransactionError) -> None:
        try:
            self._activate(plan, unsettled, host, back=True)
            self._memory.forget(UNDONE)
        except TransactionError as error:
            raise TransactionFailed(cause, NOT_ACTIVE, error) from cause

    def _put_back(self, record: RunRecord, host: Host) -> None:
        noted = self._memory.manifest().noted
        self._require_drained(noted, host)  # before it stops: a service that stands still is never drained
        self._release(noted, host)
        swap = Swap(self._name, record, self._step)
        swap.back()
        swap.sweep()
        self._memory.move(SWAPPING, UNDONE)

    def _clear(self, host: Host) -> None:
        try:
            self._recover(host)
        except TransactionError as error:
            raise TransactionFailed(error, NOT_CLEARED) from error

    def _recover(self, host: Host) -> None:
        """Finish or undo this run or an earlier one, by the state of its record."""
        self._memory.sweep()
        if record := self._memory.read(PREPARING):
            Swap(self._name, record, self._step).sweep()
            self._memory.forget(PREPARING)
        if record := self._memory.read(SWAPPING):
            self._put_back(record, host)
        if record := self._memory.read(COMMITTED):
            Swap(self._name, record, self._step).clear()
            self._memory.forget(UNDONE)
            if record.manifest:
                self._memory.move(COMMITTED, MANIFEST)
            else:
                self._memory.forget(MANIFEST, COMMITTED)
