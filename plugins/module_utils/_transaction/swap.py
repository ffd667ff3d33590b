# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a set of files into their places and back, one synced step at a time.

A private directory ``.mailops-NAME`` beside each file holds the new version (``FILE.new``) and the previous version
(``FILE.old``) during a run, and the original (``FILE.first``) between runs. So every swap is a rename within one file
system, no live file is written in place, and the undo needs no disk space. An original keeps its owner, mode and label;
the mode of the directory, 0700, keeps other users out.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import asdict, dataclass

from . import disk
from .model import Manifest, OwnedFile, Steps, TransactionError, WantedDirectory
from .plan import Plan

PUT, RESTORE, REMOVE, ADOPT, FORGET = "put", "restore", "remove", "adopt", "forget"


@dataclass(frozen=True)
class Entry:
    """What a run does to one file.

    :param action: put a new file in place, restore the original, remove the file, or only keep or forget the original.
    :param had: whether the file existed before the run.
    :param first: whether that file is the original.
    """

    path: str
    action: str
    had: bool
    first: bool


@dataclass(frozen=True)
class RunRecord:
    """The run record: all that this run or the next one needs to finish or to undo it.

    :param unsettled: paths of which a service may use other content than what is in place: those that this run
        changes, and those of earlier runs whose files could not be activated.
    :param manifest: what the transaction owns after the run.
    """

    entries: tuple[Entry, ...]
    made: tuple[str, ...]
    released: tuple[str, ...]
    unsettled: tuple[str, ...]
    manifest: Manifest

    def to_json(self) -> dict[str, t.Any]:
        """Return the record as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: t.Mapping[str, t.Any]) -> RunRecord:
        """Read a record.

        :raises ValueError, KeyError, TypeError: :meth:`to_json` did not make it.
        """
        files = {path: OwnedFile(**owned) for path, owned in fields["manifest"]["files"].items()}
        return cls(
            entries=tuple(Entry(**entry) for entry in fields["entries"]),
            made=tuple(fields["made"]),
            released=tuple(fields["released"]),
            unsettled=tuple(fields["unsettled"]),
            manifest=Manifest(**{**fields["manifest"], "files": files}),
        )


def entries_of(plan: Plan) -> t.Iterator[Entry]:
    """Yield one entry for each file that the plan changes, adopts or forgets."""
    for change in plan.changes:
        had = change.present is not None
        if change.wanted is not None:
            yield Entry(change.path, PUT, had, first=had and change.owned is None)
        else:
            yield Entry(change.path, REMOVE if change.original is None else RESTORE, had, first=False)
    for path in plan.adopted:
        yield Entry(path, ADOPT, had=True, first=True)
    for path in plan.forgotten:
        yield Entry(path, FORGET, had=True, first=False)


class Swap:
    """The file operations of one run record. Each may be interrupted and repeated.

    :param name: name of the transaction.
    """

    def __init__(self, name: str, record: RunRecord, step: Steps) -> None:
        self._name = name
        self._entries = record.entries
        self._record = record
        self._step = step

    def prepare(self, stage: str, made: t.Sequence[WantedDirectory], label: t.Callable[[str, str], None]) -> None:
        """Make the directories, lay out the new files beside the live ones, and keep those. Needs disk space."""
        for directory in made:
            with self._step("prepare", directory.path):
                ids = disk.owner_ids(directory.path, directory.owner, directory.group)
                disk.make_directory(directory.path, directory.mode, *ids)
                label(directory.path, directory.path)
        for entry in self._entries:
            with self._step("prepare", entry.path):
                self._prepare(entry, stage)
        self._sync("prepare", [self.beside(entry, "new") for entry in self._entries])

    def _prepare(self, entry: Entry, stage: str) -> None:
        private = os.path.dirname(self.beside(entry, "new"))
        if entry.action == FORGET:
            return
        if not os.path.lexists(private):
            disk.make_directory(private, 0o700, os.geteuid(), os.getegid())
        disk.require_private(private)
        disk.remove(self.beside(entry, "new"))
        disk.remove(self.beside(entry, "old"))
        if entry.action == PUT:
            disk.keep(stage + entry.path, self.beside(entry, "new"))
        elif entry.action == RESTORE:
            disk.keep(self.beside(entry, "first"), self.beside(entry, "new"))
        if entry.action == ADOPT:
            disk.copy(entry.path, self.beside(entry, "old"))
        elif entry.had:
            disk.keep(entry.path, self.beside(entry, "old"))

    def forward(self) -> None:
        """Put every new file in place: a reader sees either the previous or the new version, complete."""
        for entry in self._entries:
            with self._step("swap", entry.path):
                if entry.action in (PUT, RESTORE):
                    os.replace(self.beside(entry, "new"), entry.path)
                elif entry.action == REMOVE:
                    disk.remove(entry.path)
        self._sync("swap", [entry.path for entry in self._entries])

    def back(self) -> None:
        """Put back every file that :meth:`forward` has replaced. Needs no disk space.

        If ``.old`` is missing for a file that existed, the file is already back. A file that was not replaced is not
        touched: what kept it from being replaced would make the undo fail, too.
        """
        for entry in self._entries:
            if entry.action in (ADOPT, FORGET):
                continue
            with self._step("undo", entry.path):
                old = self.beside(entry, "old")
                if not entry.had:
                    disk.remove(entry.path)
                elif os.path.lexists(old) and not disk.is_same(old, entry.path):
                    os.replace(old, entry.path)
        self._sync("undo", [entry.path for entry in self._entries])

    def sweep(self) -> None:
        """Remove what :meth:`prepare` made, after a run that failed or was interrupted."""
        for entry in self._entries:
            with self._step("sweep", entry.path):
                disk.remove(self.beside(entry, "new"))
                disk.remove(self.beside(entry, "old"))
        self._leave("sweep")
        for path in reversed(self._record.made):
            with self._step("sweep", path):
                disk.remove_directory(path)

    def clear(self) -> None:
        """Keep the originals and remove everything else, after a run that succeeded."""
        for entry in self._entries:
            with self._step("clear", entry.path):
                old, first = self.beside(entry, "old"), self.beside(entry, "first")
                if entry.first and os.path.lexists(old):
                    os.replace(old, first)
                elif not entry.first:
                    disk.remove(old)
                if entry.action in (REMOVE, RESTORE, FORGET):
                    disk.remove(first)
        self._leave("clear")
        for path in self._record.released:
            with self._step("clear", path):
                disk.remove_directory(path)

    def _leave(self, step: str) -> None:
        """Sync the private directories, and remove those that are empty."""
        versions = [self.beside(entry, "new") for entry in self._entries]
        self._sync(step, versions)
        for private in sorted({os.path.dirname(path) for path in versions}):
            with self._step(step, private):
                disk.remove_directory(private)

    def _sync(self, step: str, paths: t.Iterable[str]) -> None:
        for directory in sorted({os.path.dirname(path) for path in paths}):
            with self._step(step, directory):
                if os.path.isdir(directory):
                    disk.sync_directory(directory)

    def beside(self, entry: Entry, kind: str) -> str:
        """Return the path of the ``new``, ``old`` or ``first`` version of a file."""
        return path_beside(self._name, entry.path, kind)


def path_beside(name: str, path: str, kind: str) -> str:
    """Return the path of a version of a file, for the transaction ``name``."""
    directory, base = os.path.split(path)
    return os.path.join(directory, f".mailops-{name}", f"{base}.{kind}")


def require_replaceable(plan: Plan) -> None:
    """Require that no file to be changed, nor its directory, is protected against changes.

    :raises TransactionError: one is.
    """
    for change in plan.changes:
        for path in (change.path, os.path.dirname(change.path)):
            if disk.is_fixed(path):
                raise TransactionError(
                    f"{path} is immutable or append-only: an administrator protected it from changes. If it may change,"
                    f" run 'chattr -ia {path}' and retry"
                )


def require_original(name: str, plan: Plan) -> None:
    """Require every original that the plan restores.

    :param name: name of the transaction.
    :raises TransactionError: one is missing.
    """
    for change in plan.changes:
        if change.wanted is None and change.owned and change.owned.first and not change.original and change.present:
            raise TransactionError(
                f"{change.path} cannot be restored: its original is missing; write the content that the file is to have"
                f" to {path_beside(name, change.path, 'first')}, or declare the file again"
            )
