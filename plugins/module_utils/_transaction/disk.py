# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File operations of a transaction: read, write durably, link without using space, remove.

Whatever must survive a crash is synced here, both file and directory, before the function returns.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import pwd
import shutil
import stat
import struct

from .model import PresentFile, TransactionError

_LABEL = "security.selinux"
#: ``FS_IOC_GETFLAGS`` with ``FS_IMMUTABLE_FL`` and ``FS_APPEND_FL`` (ioctl_iflags(2)).
_GET_FLAGS = 2 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 1
_FIXED = 0x10 | 0x20
#: The file system has no hard links, or the two paths are on different file systems.
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def read_present(path: str) -> PresentFile | None:
    """Read a file; ``None`` if it does not exist.

    :raises TransactionError: it cannot be read, or is not a regular file.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            raise TransactionError(
                f"{path} is a symbolic link to {os.readlink(path)}; declare the file that it points to, or put a copy"
                " of that file in the place of the link"
            )
        if not stat.S_ISREG(status.st_mode):
            raise TransactionError(f"{path} is not a regular file; move it away, or declare another path")
        with open(path, "rb") as stream:
            return PresentFile(stream.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TransactionError(f"{path} cannot be read: {error.strerror}") from error


def owner_ids(path: str, owner: str | None, group: str | None) -> tuple[int, int]:
    """Return the user ID and the group ID; ``None`` stands for those of this process.

    :raises TransactionError: the user or the group does not exist on this host.
    """
    try:
        return (
            os.geteuid() if owner is None else pwd.getpwnam(owner).pw_uid,
            os.getegid() if group is None else grp.getgrnam(group).gr_gid,
        )
    except KeyError as error:
        raise TransactionError(
            f"{path}: user {owner!r} or group {group!r} does not exist on this host; create it, or set owner and group"
        ) from error


def owner_exists(owner: str | None, group: str | None) -> bool:
    """Return whether this host has the user and the group."""
    try:
        owner_ids("", owner, group)
    except TransactionError:
        return False
    return True


def write_new(path: str, content: bytes, mode: int, uid: int, gid: int) -> None:
    """Write and sync a file that does not exist yet. It is never readable by more users than ``mode`` permits."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def write_durably(path: str, content: bytes) -> None:
    """Write a file that only this user can read, by rename: after a crash it is complete, or it does not exist."""
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
    """Give a file a second name: the same inode keeps content, owner, mode and label, and uses no space.

    The file is copied if hard links are not possible.
    """
    try:
        os.link(path, other, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        copy(path, other)


def copy(path: str, other: str) -> None:
    """Copy a file with content, owner, mode and SELinux label."""
    with open(path, "rb") as stream:
        status = os.fstat(stream.fileno())
        write_new(other, stream.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    set_label(other, label_of(path))


def label_of(path: str) -> bytes | None:
    """Return the SELinux context as stored; ``None`` if the file has none."""
    try:
        return os.getxattr(path, _LABEL, follow_symlinks=False)
    except OSError:
        return None


def set_label(path: str, label: bytes | None) -> None:
    """Set the SELinux context of a file; a file system without contexts is not an error."""
    if label is not None and label != label_of(path):
        try:
            os.setxattr(path, _LABEL, label, follow_symlinks=False)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise


def is_fixed(path: str) -> bool:
    """Whether a file or directory is immutable or append-only (chattr(1)), so that not even root can replace it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        flags = fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("l", 0))
        return bool(struct.unpack_from("i", flags)[0] & _FIXED)  # the kernel writes an int
    except OSError:  # the file system has no such flags
        return False
    finally:
        os.close(descriptor)


def is_same(path: str, other: str) -> bool:
    """Whether two files exist and agree in content, owner and mode."""
    try:
        one, two = os.lstat(path), os.lstat(other)
        if os.path.samestat(one, two):
            return True
        if (one.st_mode, one.st_uid, one.st_gid, one.st_size) != (two.st_mode, two.st_uid, two.st_gid, two.st_size):
            return False
        with open(path, "rb") as first, open(other, "rb") as second:
            return first.read() == second.read()
    except OSError:
        return False


def remove(path: str) -> None:
    """Remove a file if it exists."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def make_directory(path: str, mode: int, uid: int, gid: int) -> None:
    """Make one directory in an existing one. It is never open to more users than ``mode`` permits."""
    os.mkdir(path, 0o700)
    os.chown(path, uid, gid)
    os.chmod(path, mode)
    sync_directory(os.path.dirname(path))


def remove_directory(path: str) -> None:
    """Remove a directory if it exists and is empty."""
    try:
        os.rmdir(path)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
            raise


def remove_tree(root: str) -> None:
    """Remove a directory and everything in it, if it exists."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(root)


def sync_directory(path: str) -> None:
    """Make changes to the entries of a directory survive a crash."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_private(path: str) -> None:
    """Require a directory in which no other user can create files.

    :raises TransactionError: it is not a directory, belongs to another user, or is open to other users.
    """
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        raise TransactionError(f"{path} is not a directory; move it away")
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise TransactionError(
            f"{path} can be entered by other users than the one with the ID {os.geteuid()}, who runs this task. Do not"
            " remove it, since it holds the files of before. If no one has changed its content, run"
            f" 'chown {os.geteuid()} {path}; chmod 0700 {path}'"
        )
