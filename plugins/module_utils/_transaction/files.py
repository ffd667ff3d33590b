# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of files on disk: what is there, what is wanted, and the way from one to the other and back.

Pure file-system logic: it runs no program and knows no service.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import typing as t
from dataclasses import dataclass


class TransactionError(Exception):
    """A step that could not be done; the text is a sentence that names the file."""


@dataclass(frozen=True)
class WantedFile:
    """One file as it shall be.

    :param path: absolute.
    :param content: octets.
    :param mode: permission bits.
    :param secret: whether the content may never be shown.
    """

    path: str
    content: bytes
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    secret: bool = False


@dataclass(frozen=True)
class PresentFile:
    """One file as it is; ``None`` in its place means there is none."""

    content: bytes
    mode: int
    uid: int
    gid: int


def read_present(path: str) -> PresentFile | None:
    """:raises TransactionError: it is there and cannot be read, or is no regular file."""
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            raise TransactionError(f"{path} is no regular file; move it away or name another destination")
        with open(path, "rb") as stream:
            return PresentFile(stream.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TransactionError(f"{path} cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class Change:
    """One file that differs from what is wanted."""

    wanted: WantedFile
    present: PresentFile | None


def find_changes(files: t.Iterable[WantedFile]) -> list[Change]:
    """The files that must be written, by content, mode and owner.

    A user or group that does not exist yet counts as a difference: a package to come may create it.
    """
    changes = []
    for wanted in files:
        present = read_present(wanted.path)
        if present is None or not _matches(present, wanted):
            changes.append(Change(wanted, present))
    return changes


def _matches(present: PresentFile, wanted: WantedFile) -> bool:
    if (present.content, present.mode) != (wanted.content, wanted.mode):
        return False
    try:
        return (present.uid, present.gid) == _owner_ids(wanted)
    except TransactionError:
        return False


def _owner_ids(wanted: WantedFile) -> tuple[int, int]:
    try:
        return pwd.getpwnam(wanted.owner).pw_uid, grp.getgrnam(wanted.group).gr_gid
    except KeyError as error:
        raise TransactionError(
            f"{wanted.path} shall belong to {wanted.owner}:{wanted.group}, which this host does not know"
        ) from error


def write_tree(root: str, files: t.Iterable[WantedFile]) -> None:
    """Lay all files out below ``root``, so that programs can check them before they are live.

    :param root: a directory only the caller can read: some of the files hold secrets.
    """
    for wanted in files:
        path = os.path.join(root, wanted.path.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(path, wanted.content, wanted.mode, *_owner_ids(wanted))


def apply(changes: t.Iterable[Change]) -> None:
    """Put each file in its place by rename, so that a reader sees the old one or the new one and nothing between.

    :raises TransactionError: one could not be written; those before it were.
    """
    for change in changes:
        wanted = change.wanted
        owner = _owner_ids(wanted)
        try:
            os.makedirs(os.path.dirname(wanted.path), exist_ok=True)
            _replace(wanted.path, wanted.content, wanted.mode, *owner)
        except OSError as error:
            raise TransactionError(f"{wanted.path} cannot be written: {error.strerror}") from error


def undo(changes: t.Iterable[Change]) -> None:
    """Put back what was there before :func:`apply`; safe to call when only some of it happened."""
    for change in changes:
        present = change.present
        if present is not None:
            _replace(change.wanted.path, present.content, present.mode, present.uid, present.gid)
        elif os.path.lexists(change.wanted.path):
            os.unlink(change.wanted.path)


def remove_tree(root: str) -> None:
    """Remove what :func:`write_tree` laid out."""
    shutil.rmtree(root)


def _replace(path: str, content: bytes, mode: int, uid: int, gid: int) -> None:
    staged = f"{path}.mailops-new"
    _write(staged, content, mode, uid, gid)
    os.replace(staged, path)


def _write(path: str, content: bytes, mode: int, uid: int, gid: int) -> None:
    """Write and sync; never readable by more than it shall be, not even for a moment."""
    if os.path.lexists(path):
        os.unlink(path)  # left by a run that was killed
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
