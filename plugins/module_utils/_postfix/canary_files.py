# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a canary: the staged files, and links to the host's other files, in a separate directory."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import stat
import time
import typing as t

from .canary_config import SASL_SCRIPT, Home, move

#: Files that a chrooted process may read (postfix-script copies the same ones for the live Postfix).
_CHROOT = ("hosts", "host.conf", "localtime", "nsswitch.conf", "resolv.conf", "services")
#: Queue directories that only Postfix's processes may enter.
_PRIVATE = (
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
    "trace",
)
_DATABASE = re.compile(r"\.(?:db|lmdb|cdb|dir|pag)\Z")
#: The age, in seconds, of the canary's files. Postfix rereads a file that changed within the last two seconds, until it
#: is sure that no process writes to it.
_SETTLED = 60


def lay_out(home: Home, stage: str, directory: str, removed: t.Collection[str]) -> dict[str, str]:
    """Copy the staged files, and link the other files of the configuration directory.

    :param stage: the directory with the staged files, under their full paths.
    :param directory: the live configuration directory.
    :param removed: paths that will no longer exist on the host.
    :returns: paths of the live host, with those of the canary.
    """
    staged = [os.path.join(folder, name) for folder, _folders, names in os.walk(stage) for name in names]
    live_paths = [path[len(stage.rstrip("/")) :] for path in staged]
    moved = {path: home.tree + path for path in (directory, *live_paths, *removed) if not _below(path, directory)}
    moved[directory] = home.tree + directory
    os.makedirs(home.tree + directory, mode=0o755)
    for source, path in zip(staged, live_paths):
        _copy(source, home.tree + path, moved)
    _link(directory, home.tree + directory, {*removed, *live_paths})
    return moved


def _below(path: str, directory: str) -> bool:
    return path.startswith(f"{directory}/")


def _copy(source: str, target: str, moved: t.Mapping[str, str]) -> None:
    """Copy a file with its owner and mode, and replace the paths in it with the canary's.

    main.cf and master.cf are copied unchanged, because they are checked first.
    """
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    with open(source, "rb") as stream:
        content = stream.read()
    if b"\0" not in content and os.path.basename(source) not in ("main.cf", "master.cf"):
        content = move(content.decode("utf-8", "surrogateescape"), moved).encode("utf-8", "surrogateescape")
    status = os.stat(source)
    write(target, content, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def write(path: str, content: bytes, mode: int = 0o644, uid: int = 0, gid: int = 0) -> None:
    """Write a file that Postfix considers settled, and that is never readable by more users than ``mode`` allows."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
    settle(path)


def settle(path: str) -> None:
    """Set the time of a file back, so that Postfix does not wait for further writes."""
    then = time.time() - _SETTLED
    os.utime(path, (then, then))


def _link(live: str, target: str, taken: t.Collection[str]) -> None:
    """Link the files that are not staged, except databases whose source is staged: they are out of date."""
    if not os.path.isdir(live):
        return
    for entry in os.scandir(live):
        if entry.path in taken or _DATABASE.sub("", entry.path) in taken:
            continue
        staged = os.path.join(target, entry.name)
        if os.path.isdir(staged):
            _link(entry.path, staged, taken)
        else:
            os.symlink(entry.path, staged)


def make_queue(home: Home, owner: str, group: str) -> None:
    """Create the queue and data directories with the owners and modes that Postfix expects (postfix-files(5)).

    :raises KeyError: the user or the group does not exist on the host.
    """
    uid, gid = pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
    modes = {**dict.fromkeys(_PRIVATE, 0o700), "maildrop": 0o1730, "public": 0o2710}
    os.mkdir(home.queue, 0o755)
    os.mkdir(f"{home.queue}/pid", 0o755)
    for name, mode in modes.items():
        _make(f"{home.queue}/{name}", mode, uid, gid if name in ("maildrop", "public") else 0)
    _make(home.data, 0o700, uid, gid)
    os.mkdir(f"{home.queue}/etc", 0o755)
    for name in _CHROOT:
        if os.path.isfile(f"/etc/{name}"):
            shutil.copyfile(f"/etc/{name}", f"{home.queue}/etc/{name}")
    write(home.sasl_script, SASL_SCRIPT.encode("ascii"))


def _make(path: str, mode: int, uid: int, gid: int) -> None:
    os.mkdir(path)
    os.chown(path, uid, gid)
    os.chmod(path, mode)
