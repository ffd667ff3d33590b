# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the files as they shall be, as they are, and as the last run left them.

The rules, one for each case:

- What is declared wins, also over a file somebody edited since; the plan says which were edited.
- A file that is no longer declared gives way to the original from before the first run, or goes where there was none.
- A file that is there and as it shall be on the first run is adopted: nothing is written, its original is kept.
- A service that is no longer declared is given back: it gets the state it was in before the first run.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from .disk import owner_ids, read_present
from .model import (
    Manifest,
    OwnedFile,
    PresentFile,
    TransactionError,
    WantedDirectory,
    WantedFile,
    digest_of,
    parents_of,
)


@dataclass(frozen=True)
class Change:
    """One file that will not stay as it is.

    :param wanted: what it shall be; ``None`` when it is no longer declared.
    :param present: what is there; ``None`` for nothing.
    :param original: what was there before the first run and comes back; ``None`` for nothing.
    :param owned: as the last run left it; ``None`` on its first.
    """

    path: str
    wanted: WantedFile | None
    present: PresentFile | None
    original: PresentFile | None
    owned: OwnedFile | None

    @property
    def before(self) -> bytes:
        """What is there; nothing for no file."""
        return self.present.content if self.present else b""

    @property
    def after(self) -> bytes:
        """What will be there; nothing for no file, and for one that is still to be built."""
        following = self.wanted or self.original
        return (following.content if following else None) or b""

    @property
    def secret(self) -> bool:
        """Whether the old or the new content may never be shown."""
        return bool((self.wanted and self.wanted.secret) or (self.owned and self.owned.secret))

    @property
    def edited(self) -> bool:
        """Whether somebody changed or removed the file since the last run."""
        if self.owned is None:
            return False
        return self.present is None or _trace(self.present) != (self.owned.digest, self.owned.mode)


@dataclass(frozen=True)
class Plan:
    """All that a run has to do.

    :param made: directories to make, a parent before what it holds.
    :param released: directories of earlier runs that are no longer needed, what is held before its parent.
    :param adopted: files that are as they shall be, and whose original is to be kept.
    :param forgotten: files that are as their original is, and are no longer declared.
    :param services: names of those that shall use the files.
    """

    files: tuple[WantedFile, ...]
    manifest: Manifest
    changes: tuple[Change, ...]
    made: tuple[WantedDirectory, ...]
    released: tuple[str, ...]
    adopted: tuple[str, ...]
    forgotten: tuple[str, ...]
    services: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changes that the user declared; adopting a file does not."""
        return bool(self.changes or self.made or self.released or self.given_back)

    @property
    def given_back(self) -> dict[str, str]:
        """Services that are no longer declared, with the state they shall have again."""
        return {name: state for name, state in self.manifest.first_states.items() if name not in self.services}

    def duties(self, back: bool) -> tuple[t.Collection[str], dict[str, str]]:
        """Services that use the files, and those that are given back.

        :param back: whether the run is being undone.
        """
        if back:
            return self.manifest.services, self.manifest.noted
        return self.services, self.given_back

    @property
    def restored(self) -> dict[str, PresentFile]:
        """Originals from before the first run that come back, by path."""
        return {change.path: change.original for change in self.changes if not change.wanted and change.original}

    @property
    def removed(self) -> list[str]:
        """Paths that will no longer be there."""
        return [change.path for change in self.changes if not change.wanted and not change.original]

    def manifest_after(self, built: t.Mapping[str, str]) -> Manifest:
        """:param built: digests of the files that were built."""
        files = {wanted.path: self._owned_after(wanted, built) for wanted in self.files}
        made = {*self.manifest.directories, *(directory.path for directory in self.made)}
        states = self.manifest.first_states
        return Manifest(files, sorted(made - set(self.released)), {name: states[name] for name in self.services})

    def _owned_after(self, wanted: WantedFile, built: t.Mapping[str, str]) -> OwnedFile:
        changed = {change.path: change for change in self.changes}
        owned = self.manifest.files.get(wanted.path)
        if wanted.content is not None:
            digest = digest_of(wanted.content)
        elif wanted.path in changed or owned is None:
            digest = built[wanted.path]
        else:
            digest = owned.digest
        if owned is None:
            first = wanted.path in self.adopted or changed[wanted.path].present is not None
        else:
            first = owned.first
        return OwnedFile(digest, wanted.mode, wanted.secret, wanted.recipe, first)


def make_plan(
    files: t.Sequence[WantedFile],
    directories: t.Sequence[WantedDirectory],
    manifest: Manifest,
    original_of: t.Callable[[str], str],
    services: t.Sequence[str] = (),
) -> Plan:
    """Compare.

    A user or group that does not exist yet counts as a difference: a package to come may create it.

    :param original_of: where the original of a path is kept.
    :raises TransactionError: two declarations of one path, or a file that cannot be replaced.
    """
    wanted_by_path: dict[str, WantedFile] = {}
    for wanted in files:
        if wanted.path in wanted_by_path:
            raise TransactionError(f"{wanted.path} is declared twice")
        wanted_by_path[wanted.path] = wanted
    changes: list[Change] = []
    adopted: list[str] = []
    forgotten: list[str] = []
    for path, wanted in wanted_by_path.items():
        present, owned = read_present(path), manifest.files.get(path)
        if present is None or not _matches(present, wanted, owned):
            changes.append(Change(path, wanted, present, None, owned))
        elif owned is None:
            adopted.append(path)
    for path, owned in manifest.files.items():
        if path not in wanted_by_path:
            present, original = read_present(path), read_present(original_of(path)) if owned.first else None
            if present != original:
                changes.append(Change(path, None, present, original, owned))
            elif original is not None:
                forgotten.append(path)
    made, released = _directories(wanted_by_path, directories, manifest)
    return Plan(
        tuple(files), manifest, tuple(changes), made, released, tuple(adopted), tuple(forgotten), tuple(services)
    )


def _directories(
    paths: t.Iterable[str], directories: t.Sequence[WantedDirectory], manifest: Manifest
) -> tuple[tuple[WantedDirectory, ...], tuple[str, ...]]:
    declared = {directory.path: directory for directory in directories}
    needed = {*declared, *(parent for path in (*paths, *declared) for parent in parents_of(path))}
    made = sorted(path for path in needed if not os.path.isdir(path))
    released = sorted((path for path in manifest.directories if path not in needed), reverse=True)
    return tuple(declared.get(path, WantedDirectory(path)) for path in made), tuple(released)


def _trace(present: PresentFile) -> tuple[str, int]:
    return digest_of(present.content), present.mode


def _matches(present: PresentFile, wanted: WantedFile, owned: OwnedFile | None) -> bool:
    if wanted.content is not None:
        same = present.content == wanted.content
    else:
        same = owned is not None and (owned.recipe, owned.digest) == (wanted.recipe, digest_of(present.content))
    if not same or present.mode != wanted.mode:
        return False
    try:
        return (present.uid, present.gid) == owner_ids(wanted.path, wanted.owner, wanted.group)
    except TransactionError:
        return False
