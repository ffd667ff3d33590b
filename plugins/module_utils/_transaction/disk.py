# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of a transaction on disk: read, write durably, keep without using space, remove.

What has to survive a crash is synced here, file and directory, before the caller goes on.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import shutil
import stat

from .model import PresentFile, TransactionError

_LABEL = "security.selinux"
#: A file system that has no hard links, or another one than the original's.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def read_present(path: str) -> PresentFile | None:
    """:raises TransactionError: it is there and cannot be read, or is no regular file."""
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            raise TransactionError(
                f"{path} is a symbolic link to {os.readlink(path)}; remove it or name the file it leads to"
            )
        if not stat.S_ISREG(status.st_mode):
            raise TransactionError(f"{path} is no regular file; move it away or name another destination")
        with open(path, "rb") as stream:
            return PresentFile(stream.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TransactionError(f"{path} cannot be read: {error.strerror}") from error


def owner_ids(path: str, owner: str | None, group: str | None) -> tuple[int, int]:
    """User and group by number; ``None`` stands for the caller's own.

    :raises TransactionError: the host does not know them.
    """
    try:
        return (
            os.geteuid() if owner is None else pwd.getpwnam(owner).pw_uid,
            os.getegid() if group is None else grp.getgrnam(group).gr_gid,
        )
    except KeyError as error:
        raise TransactionError(f"{path} shall belong to {owner}:{group}, which this host does not know") from error


def write_new(path: str, content: bytes, mode: int, uid: int, gid: int) -> None:
    """Write and sync a file that is not there yet; never readable by more than it shall be, not even for a moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def write_durably(path: str, content: bytes) -> None:
    """Write a file that only the caller can read, by rename: after a crash it is there whole or not at all."""
    fresh = f"{path}.new"
    remove(fresh)
    try:
        write_new(fresh, content, 0o600, os.geteuid(), os.getegid())
        os.replace(fresh, path)
        sync_directory(os.path.dirname(path))
    except OSError:
        remove(fresh)
        raise


def keep(path: str, other: str) -> None:
    """The file under a second name: the same inode, so that content, owner, mode and label stay and no space is used.

    Copied where the file systems differ or know no links.
    """
    try:
        os.link(path, other, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        copy(path, other)


def copy(path: str, other: str) -> None:
    """An equal file: content, owner, mode and SELinux label."""
    with open(path, "rb") as stream:
        status = os.fstat(stream.fileno())
        write_new(other, stream.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    set_label(other, label_of(path))


def label_of(path: str) -> bytes | None:
    """The SELinux context, as stored; ``None`` where there is none."""
    try:
        return os.getxattr(path, _LABEL, follow_symlinks=False)
    except OSError:
        return None


def set_label(path: str, label: bytes | None) -> None:
    """Give a file that context; a file system without contexts is no error."""
    if label is not None and label != label_of(path):
        try:
            os.setxattr(path, _LABEL, label, follow_symlinks=False)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise


def remove(path: str) -> None:
    """Remove a file; one that is not there is no error."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def make_directory(path: str, mode: int, uid: int, gid: int) -> None:
    """Make one directory, its parent being there; never open to more than it shall be."""
    os.mkdir(path, 0o700)
    os.chown(path, uid, gid)
    os.chmod(path, mode)
    sync_directory(os.path.dirname(path))


def remove_directory(path: str) -> None:
    """Remove a directory that holds nothing; one that holds something, or is not there, is left alone."""
    try:
        os.rmdir(path)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
            raise


def remove_tree(root: str) -> None:
    """Remove a directory with all it holds, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(root)


def sync_directory(path: str) -> None:
    """Make what happened to the names in a directory survive a crash."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_private(path: str) -> None:
    """:raises TransactionError: it is no directory of the caller's alone, so somebody else may put files there."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise TransactionError(f"{path} is no directory that only its owner can use; remove it")
