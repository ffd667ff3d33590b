# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the host, read from its own database: no package list is needed, and no network."""

from __future__ import annotations

import fcntl
import os
import struct
import typing as t

from .commands import Commands

#: Files that apt and dpkg lock with fcntl(2) while they work.
APT_LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock")
#: ``struct flock`` of Linux with 64-bit offsets: type, whence, start, length, process.
_FLOCK = "hhqqi4x"


class Packages:
    """Questions to dpkg or rpm.

    :param debian: whether the host has dpkg.
    """

    def __init__(self, commands: Commands, debian: bool) -> None:
        self._commands = commands
        self._debian = debian

    @property
    def manager(self) -> str:
        """What installs packages: ``apt`` or ``dnf``."""
        return "apt" if self._debian else "dnf"

    def installed(self, names: t.Collection[str]) -> dict[str, str]:
        """Return the versions of those packages that are installed and configured, by name."""
        if not names:
            return {}
        if self._debian:
            query = ["dpkg-query", "--show", "--showformat", r"${Package} ${Version} ${db:Status-Status}\n"]
        else:
            query = ["rpm", "--query", "--queryformat", r"%{NAME} %{VERSION}-%{RELEASE} installed\n"]
        # the exit code says only that one of them is not installed
        rows = [line.split() for line in self._commands.run([*query, *names])[1].splitlines()]
        return {row[0]: row[1] for row in rows if len(row) == 3 and row[0] in names and row[2] == "installed"}

    def lock_holder(self) -> str:
        """Return the program that is installing packages now, such as ``apt-get (process 1234)``; empty if none is."""
        if not self._debian:
            return ""
        return next(filter(None, map(_holder, APT_LOCKS)), "")


def _holder(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _whence, _start, _length, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return "" if kind == fcntl.F_UNLCK else f"{_name(pid)} (process {pid})"


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return "another program"
