# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of the host: which has a socket, and which unit it belongs to."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t

from .host import Host

_SOCKET = re.compile(r"socket:\[(\d+)\]")
#: The last unit in the path of a control group (cgroups(7)).
_UNIT = re.compile(r"/([^/\n]+\.(?:service|socket|scope))(?:/[^\n]*)?$", re.MULTILINE)


class Process(t.NamedTuple):
    """A process.

    :ivar name: its program, as the kernel has it (at most 15 characters).
    :ivar command: the path with which it was started; empty for the kernel's own.
    :ivar unit: its unit of systemd, if any.
    """

    name: str
    command: str
    unit: str | None


def owners(host: Host) -> tuple[dict[int, Process], bool]:
    """The processes that have sockets, by inode, and whether every process could be asked.

    Of several that share a socket, the one that was started first counts: it has passed the socket on.
    """
    found: dict[int, Process] = {}
    complete = True
    for number in numbers(host.root):
        folder = f"{host.root}/proc/{number}/fd"
        try:
            links = list(_links(folder))
        except PermissionError:  # of another user, or in a container without CAP_SYS_PTRACE
            complete = False
            continue
        except OSError:  # it has ended
            continue
        inodes = [match for match in map(_SOCKET.fullmatch, links) if match]
        process = look(number, host.root) if inodes else None
        if process:
            for inode in inodes:
                found.setdefault(int(inode[1]), process)
    return found, complete


def numbers(root: str = "") -> list[int]:
    """The numbers of all processes, in order.

    :param root: what precedes every path, in tests.
    """
    return sorted(int(name) for name in os.listdir(f"{root}/proc") if name.isdigit())


def look(number: int, root: str = "") -> Process | None:
    """What is known of a process; ``None`` if it has ended."""
    folder = f"{root}/proc/{number}"
    try:
        name, command, groups = (_read(f"{folder}/{one}") for one in ("comm", "cmdline", "cgroup"))
    except OSError:
        return None
    unit = _UNIT.search(groups)
    return Process(name.strip(), command.partition("\0")[0], unit[1] if unit else None)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


def _links(folder: str) -> t.Iterator[str]:
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed since
            yield os.readlink(os.path.join(folder, name))
