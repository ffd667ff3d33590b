# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between the files as declared, as they are on the host, and as the last run left them.

The rules, one for each case:

- The declaration takes precedence over an edit on the host; the plan names the edited files.
- A file that is no longer declared is replaced by its original, or removed if there was none.
- A file that matches its declaration before the first run is adopted: nothing is written, and its original is kept.
- A service that is no longer declared is given back: it returns to the state before the first run. If all runs that
  used it were undone, it is in that state already, and is forgotten.
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
    """One file that the run changes.

    :param wanted: the declared file; ``None`` if it is no longer declared.
    :param present: the file on the host; ``None`` if there is none.
    :param original: the original that is restored; ``None`` if none is.
    :param owned: the file as the last run left it; ``None`` if no run has owned it.
    """

    path: str
    wanted: WantedFile | None
    present: PresentFile | None
    original: PresentFile | None
    owned: OwnedFile | None

    @property
    def before(self) -> bytes:
        """The content before the run; empty if there is no file."""
        return self.present.content if self.present else b""

    @property
    def after(self) -> bytes:
        """The content after the run; empty if there is no file, or if it is still to be built."""
        following = self.wanted or self.original
        return (following.content if following else None) or b""

    @property
    def secret(self) -> bool:
        """Whether the old or the new content must not be shown."""
        return bool((self.wanted and self.wanted.secret) or (self.owned and self.owned.secret))

    @property
    def edited(self) -> bool:
        """Whether the file was changed or removed on the host since the last run."""
        if self.owned is None:
            return False
        return self.present is None or _trace(self.present) != (self.owned.digest, self.owned.mode)


@dataclass(frozen=True)
class Plan:
    """Everything that a run has to do.

    :param made: directories to make, parents first.
    :param released: directories of earlier runs that are no longer needed, parents last.
    :param adopted: files that match their declaration and whose original is to be kept.
    :param forgotten: files that are no longer declared and equal their original.
    :param services: names of the services that are to use the files.
    :param returned: names of the services that no run has completed with and that are in their first states.
    """

    files: tuple[WantedFile, ...]
    manifest: Manifest
    changes: tuple[Change, ...]
    made: tuple[WantedDirectory, ...]
    released: tuple[str, ...]
    adopted: tuple[str, ...]
    forgotten: tuple[str, ...]
    services: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether the host changes; adopting a file does not change it."""
        return bool(self.changes or self.made or self.released or self.given_back)

    @property
    def given_back(self) -> dict[str, str]:
        """First states of the services that are no longer declared, by name."""
        kept = {*self.services, *self.returned}
        return {name: state for name, state in self.manifest.first_states.items() if name not in kept}

    def duties(self, back: bool) -> tuple[t.Collection[str], dict[str, str]]:
        """Return the services that use the files, and the first states of those that are given back.

        :param back: whether the run is being undone.
        """
        if back:
            return self.manifest.services, self.manifest.noted
        return self.services, self.given_back

    @property
    def restored(self) -> dict[str, PresentFile]:
        """Originals that are restored, by path."""
        return {change.path: change.original for change in self.changes if not change.wanted and change.original}

    @property
    def removed(self) -> list[str]:
        """Paths that are removed."""
        return [change.path for change in self.changes if not change.wanted and not change.original]

    def manifest_after(self, built: t.Mapping[str, str]) -> Manifest:
        """Return the manifest after this run.

        :param built: digests of the built files, by path.
        """
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
    returned: t.Collection[str] = (),
) -> Plan:
    """Compare the declaration with the host and the manifest.

    A user or group that does not exist counts as a difference, since a package may create it before the files are
    written.

    :param original_of: returns the path at which the original of a path is kept.
    :raises TransactionError: a path is declared twice, or a file cannot be replaced.
    """
    wanted_by_path: dict[str, WantedFile] = {}
    for wanted in files:
        if wanted.path in wanted_by_path:
            raise TransactionError(f"{wanted.path} is declared twice; remove one of the declarations")
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
        tuple(files),
        manifest,
        tuple(changes),
        made,
        released,
        tuple(adopted),
        tuple(forgotten),
        tuple(services),
        tuple(returned),
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
