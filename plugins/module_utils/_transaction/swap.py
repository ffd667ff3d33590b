# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a set of files into their places and back, one synced step at a time.

Beside each file lies, while it is being replaced, a private directory ``.mailops-NAME``: there the new file waits
(``FILE.new``), the old one is kept (``FILE.old``), and the original from before the first run stays (``FILE.first``).
So every swap is a rename within one file system, nothing is ever written into its place, and the way back needs no
space. An original keeps its own owner, mode and label; it is the directory, mode 0700, that nobody else can enter.
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
    """What happens to one file.

    :param action: a new file is put in its place, its original is restored, it is removed, or its original is
        only kept or forgotten.
    :param had: whether a file was there.
    :param first: whether that file is the original from before the first run.
    """

    path: str
    action: str
    had: bool
    first: bool


@dataclass(frozen=True)
class RunRecord:
    """All that is needed to finish or to undo a run, whoever does it.

    :param unsettled: paths whose service may still use other content than theirs: the run's own, and those of a run
        before it that could not settle.
    :param manifest: what the transaction owns afterwards.
    """

    entries: tuple[Entry, ...]
    made: tuple[str, ...]
    released: tuple[str, ...]
    unsettled: tuple[str, ...]
    manifest: Manifest

    def to_json(self) -> dict[str, t.Any]:
        """As a tree of JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: t.Mapping[str, t.Any]) -> RunRecord:
        """:raises ValueError, KeyError, TypeError: it is none that :meth:`to_json` made."""
        files = {path: OwnedFile(**owned) for path, owned in fields["manifest"]["files"].items()}
        return cls(
            entries=tuple(Entry(**entry) for entry in fields["entries"]),
            made=tuple(fields["made"]),
            released=tuple(fields["released"]),
            unsettled=tuple(fields["unsettled"]),
            manifest=Manifest(**{**fields["manifest"], "files": files}),
        )


def entries_of(plan: Plan) -> t.Iterator[Entry]:
    """The plan as steps."""
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
    """The verbs of the transaction ``name`` on the entries of one record; each may be cut short and done again."""

    def __init__(self, name: str, record: RunRecord, step: Steps) -> None:
        self._name = name
        self._entries = record.entries
        self._record = record
        self._step = step

    def prepare(self, stage: str, made: t.Sequence[WantedDirectory], label: t.Callable[[str, str], None]) -> None:
        """Make the directories, lay the new files beside their places, and keep the old ones. Needs space."""
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
        room = os.path.dirname(self.beside(entry, "new"))
        if entry.action == FORGET:
            return
        if not os.path.lexists(room):
            disk.make_directory(room, 0o700, os.geteuid(), os.getegid())
        disk.require_private(room)
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
        """Put every file in its place: a reader sees the old one or the new one and nothing between."""
        for entry in self._entries:
            with self._step("swap", entry.path):
                if entry.action in (PUT, RESTORE):
                    os.replace(self.beside(entry, "new"), entry.path)
                elif entry.action == REMOVE:
                    disk.remove(entry.path)
        self._sync("swap", [entry.path for entry in self._entries])

    def back(self) -> None:
        """Put back every file that :meth:`forward` replaced, if it did. Needs no space.

        A missing ``.old`` of a file that was there tells that it is back already. Where ``.old`` still is the file
        itself, as it was not replaced yet, rename(2) leaves both, and :meth:`sweep` removes it.
        """
        for entry in self._entries:
            if entry.action in (ADOPT, FORGET):
                continue
            with self._step("undo", entry.path):
                old = self.beside(entry, "old")
                if not entry.had:
                    disk.remove(entry.path)
                elif os.path.lexists(old):
                    os.replace(old, entry.path)
        self._sync("undo", [entry.path for entry in self._entries])

    def sweep(self) -> None:
        """Remove what :meth:`prepare` made; for a run that did not come to its end."""
        for entry in self._entries:
            with self._step("sweep", entry.path):
                disk.remove(self.beside(entry, "new"))
                disk.remove(self.beside(entry, "old"))
        self._leave("sweep")
        for path in reversed(self._record.made):
            with self._step("sweep", path):
                disk.remove_directory(path)

    def clear(self) -> None:
        """Keep the originals, and remove what nobody needs any more; for a run that came to its end."""
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
        """Let what happened in the private directories survive a crash, and remove those that hold nothing."""
        rooms = [self.beside(entry, "new") for entry in self._entries]
        self._sync(step, rooms)
        for room in sorted({os.path.dirname(path) for path in rooms}):
            with self._step(step, room):
                disk.remove_directory(room)

    def _sync(self, step: str, paths: t.Iterable[str]) -> None:
        for directory in sorted({os.path.dirname(path) for path in paths}):
            with self._step(step, directory):
                if os.path.isdir(directory):
                    disk.sync_directory(directory)

    def beside(self, entry: Entry, kind: str) -> str:
        """Where the new, the old or the first version of a file lies."""
        return path_beside(self._name, entry.path, kind)


def path_beside(name: str, path: str, kind: str) -> str:
    """As :meth:`Swap.beside`, by path."""
    directory, base = os.path.split(path)
    return os.path.join(directory, f".mailops-{name}", f"{base}.{kind}")


def require_original(plan: Plan) -> None:
    """:raises TransactionError: an original that shall come back is gone."""
    for change in plan.changes:
        if change.wanted is None and change.owned and change.owned.first and not change.original and change.present:
            raise TransactionError(
                f"{change.path} shall give way to its original, and that is gone; remove the file or declare it again"
            )
