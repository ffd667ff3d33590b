# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that holds the state of a transaction between runs, and its lock.

The names of its files say how far a run has come; ``transaction.py`` describes them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import typing as t

from . import disk
from .model import Manifest, Steps, TransactionError
from .swap import RunRecord

PREPARING, SWAPPING, COMMITTED, UNDONE, MANIFEST = "preparing", "swapping", "committed", "undone", "manifest"


class Memory:
    """The state of one transaction.

    :param directory: absolute path; its last part is the name of the transaction.
    """

    def __init__(self, directory: str, step: Steps) -> None:
        self._directory = directory
        self._step = step
        self.stage = os.path.join(directory, "stage")

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Hold the lock of the transaction.

        The directory is created if it is missing; it and its parent are removed at the end if they are empty. The lock
        is on the directory itself, so the kernel releases it when the process ends, even if it is killed.

        :raises TransactionError: another run holds the lock.
        """
        with self._step("lock", self._directory):
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            disk.require_private(self._directory)
            descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with self._step("lock", self._directory):
                self._lock(descriptor)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    disk.remove_directory(self._directory)
                    disk.remove_directory(os.path.dirname(self._directory))
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = os.path.samestat(os.fstat(descriptor), os.stat(self._directory))
        except (BlockingIOError, FileNotFoundError):
            alone = False  # FileNotFoundError: the run that held the lock has just removed the directory
        if not alone:
            raise TransactionError("another run of this transaction is in progress; retry when it has ended")

    def sweep(self) -> None:
        """Remove the stage, and records that were not written completely."""
        with self._step("sweep", self.stage):
            disk.remove_tree(self.stage)
            for state in (PREPARING, MANIFEST):
                disk.remove(self._path(f"{state}.new"))

    def read(self, state: str) -> RunRecord | None:
        """Return the run record in this state; ``None`` if no run is in it.

        :raises TransactionError: the record cannot be read.
        """
        path = self._path(state)
        try:
            with open(path, encoding="utf-8") as stream:
                return RunRecord.from_json(json.load(stream))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TransactionError(
                f"{path}, which an earlier run left, cannot be read: {error}. Do not remove it, since it says which"
                " files of before can be restored; put it back from a backup"
            ) from error

    def manifest(self) -> Manifest:
        """Return what the transaction owns."""
        last = self.read(MANIFEST)
        return last.manifest if last else Manifest()

    def note(self, manifest: Manifest) -> None:
        """Write a manifest with the first states of services, before any of them is touched. Needs disk space."""
        with self._step("note", self._path(MANIFEST)):
            self._write(MANIFEST, RunRecord((), (), (), (), manifest))

    def begin(self, record: RunRecord) -> None:
        """Write the run record, before any file is touched. Needs disk space."""
        with self._step("prepare", self._path(PREPARING)):
            self._write(PREPARING, record)

    def _write(self, state: str, record: RunRecord) -> None:
        disk.write_durably(self._path(state), json.dumps(record.to_json()).encode("utf-8"))

    def move(self, state: str, other: str) -> None:
        """Move the run record to another state."""
        with self._step(other, self._path(other)):
            os.replace(self._path(state), self._path(other))
            disk.sync_directory(self._directory)

    def forget(self, *states: str) -> None:
        """Remove the records of these states."""
        for state in states:
            with self._step("forget", self._path(state)):
                disk.remove(self._path(state))
                disk.sync_directory(self._directory)

    def reached(self, state: str) -> bool:
        """Whether a run is in this state."""
        return os.path.lexists(self._path(state))

    def interrupted(self) -> bool:
        """Whether a run was interrupted, or could not activate the files that are in place."""
        return any(self.reached(state) for state in (PREPARING, SWAPPING, COMMITTED, UNDONE))

    def require_unowned(self, paths: t.Iterable[str]) -> None:
        """Require that no other transaction on this host owns one of the paths.

        :raises TransactionError: one of them does.
        """
        above, own = os.path.split(self._directory)
        others = sorted(os.listdir(above)) if os.path.isdir(above) else []
        wanted = set(paths)
        for other in others:
            if other != own and os.path.isfile(os.path.join(above, other, MANIFEST)):
                taken = wanted & set(Memory(os.path.join(above, other), self._step).manifest().files)
                if taken:
                    raise TransactionError(f"{min(taken)} belongs to the transaction {other!r}; declare it in only one")

    def _path(self, state: str) -> str:
        return os.path.join(self._directory, state)
