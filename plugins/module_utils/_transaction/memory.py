# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory that remembers a transaction between runs, and keeps two runs apart.

Its files tell by their names how far a run came; what they mean is told in ``transaction.py``.
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
    """:param directory: absolute path; its last part is the name of the transaction."""

    def __init__(self, directory: str, step: Steps) -> None:
        self._directory = directory
        self._step = step
        self.stage = os.path.join(directory, "stage")

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Alone with the directory, which is made when missing and removed, as that above it, when it ends up empty.

        The lock is on the directory itself and ends with the process, however that ends.

        :raises TransactionError: another run holds it.
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
            alone = False  # FileNotFoundError: the run that held it has just removed it
        if not alone:
            raise TransactionError("another run of this transaction is at work")

    def sweep(self) -> None:
        """Remove what is half done."""
        with self._step("sweep", self.stage):
            disk.remove_tree(self.stage)
            for state in (PREPARING, MANIFEST):
                disk.remove(self._path(f"{state}.new"))

    def read(self, state: str) -> RunRecord | None:
        """What a run left in this state; ``None`` if none did.

        :raises TransactionError: it cannot be read.
        """
        path = self._path(state)
        try:
            with open(path, encoding="utf-8") as stream:
                return RunRecord.from_json(json.load(stream))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TransactionError(f"{path}, which an earlier run left, cannot be read: {error}") from error

    def manifest(self) -> Manifest:
        """What the transaction owns."""
        last = self.read(MANIFEST)
        return last.manifest if last else Manifest()

    def note(self, manifest: Manifest) -> None:
        """Keep the states in it, which were asked before anything was touched. Needs space."""
        with self._step("note", self._path(MANIFEST)):
            self._write(MANIFEST, RunRecord((), (), (), (), manifest))

    def begin(self, record: RunRecord) -> None:
        """Write down what is about to happen. Needs space."""
        with self._step("prepare", self._path(PREPARING)):
            self._write(PREPARING, record)

    def _write(self, state: str, record: RunRecord) -> None:
        disk.write_durably(self._path(state), json.dumps(record.to_json()).encode("utf-8"))

    def move(self, state: str, other: str) -> None:
        """The run has come further, or gone back."""
        with self._step(other, self._path(other)):
            os.replace(self._path(state), self._path(other))
            disk.sync_directory(self._directory)

    def forget(self, *states: str) -> None:
        """These states are over."""
        for state in states:
            with self._step("forget", self._path(state)):
                disk.remove(self._path(state))
                disk.sync_directory(self._directory)

    def reached(self, state: str) -> bool:
        """Whether a run is in this state."""
        return os.path.lexists(self._path(state))

    def interrupted(self) -> bool:
        """Whether a run was cut short, or could not settle the service."""
        return any(self.reached(state) for state in (PREPARING, SWAPPING, COMMITTED, UNDONE))

    def require_unowned(self, paths: t.Iterable[str]) -> None:
        """:raises TransactionError: another transaction of this host owns one of the paths."""
        above, own = os.path.split(self._directory)
        others = sorted(os.listdir(above)) if os.path.isdir(above) else []
        wanted = set(paths)
        for other in others:
            if other != own and os.path.isfile(os.path.join(above, other, MANIFEST)):
                taken = wanted & set(Memory(os.path.join(above, other), self._step).manifest().files)
                if taken:
                    raise TransactionError(f"{min(taken)} belongs to the transaction {other!r}; declare it in one only")

    def _path(self, state: str) -> str:
        return os.path.join(self._directory, state)
