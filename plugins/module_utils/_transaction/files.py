# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of files on disk: what is there, what is wanted, and the way from one to the other and back.

Pure file-system logic: it runs no program and knows no service.
"""

from __future__ import annotations

import base64
import grp
import json
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

    :param path: absolute and normal, so that below another root it stays there.
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

    def __post_init__(self) -> None:
        """:raises TransactionError: the path is not absolute, or leads elsewhere than it reads."""
        if not self.path.startswith("/") or os.path.normpath(self.path) != self.path or self.path == "/":
            raise TransactionError(f"{self.path!r} is no plain absolute path; expected something like /etc/app.conf")


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


def remember(changes: t.Iterable[Change]) -> str:
    """What :func:`undo` needs, as text that outlives a run: see :func:`recall`."""
    return json.dumps({change.wanted.path: _to_json(change.present) for change in changes})


def recall(text: str, changes: t.Sequence[Change]) -> list[Change]:
    """The changes, with what was there before a run that was cut short in place of what it left.

    :raises TransactionError: the text is none that :func:`remember` made.
    """
    try:
        before = {path: _from_json(present) for path, present in json.loads(text).items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TransactionError("what an interrupted run left behind cannot be read") from error
    untouched = [change for change in changes if change.wanted.path not in before]
    return [*untouched, *(Change(WantedFile(path, b""), present) for path, present in before.items())]


def _to_json(present: PresentFile | None) -> dict[str, t.Any] | None:
    if present is None:
        return None
    return {**vars(present), "content": base64.b64encode(present.content).decode("ascii")}


def _from_json(fields: dict[str, t.Any] | None) -> PresentFile | None:
    return None if fields is None else PresentFile(**{**fields, "content": base64.b64decode(fields["content"])})


def undo(changes: t.Iterable[Change]) -> None:
    """Put back what was there before :func:`apply`; safe to call when only some of it happened.

    :raises TransactionError: one could not be put back.
    """
    for change in changes:
        path, present = change.wanted.path, change.present
        try:
            if present is not None:
                _replace(path, present.content, present.mode, present.uid, present.gid)
            elif os.path.lexists(path):
                os.unlink(path)
        except OSError as error:
            raise TransactionError(f"{path} cannot be put back: {error.strerror}") from error


def write_private(path: str, text: str) -> None:
    """Write a file that only the caller can read, by rename, its directory made where missing."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    _replace(path, text.encode("utf-8"), 0o600, os.geteuid(), os.getegid())


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
