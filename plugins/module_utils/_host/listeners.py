# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets that accept TCP connections, from the kernel's own tables (proc(5)).

The tables do not say whether a socket for all IPv6 addresses takes IPv4 too; ss(8) does, where it is installed.
"""

from __future__ import annotations

import ipaddress
import os
import re
import struct
import typing as t

from .._evidence.host_network import Listener
from . import processes
from .host import Host

_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
#: TCP_LISTEN (include/net/tcp_states.h).
_LISTENING = "0A"
_ONLY_ROOT = "Only root sees the sockets of all processes. Set become: true."
_UNSEEN = "Its process may not be looked at, as in a container without CAP_SYS_PTRACE."
_INODE = re.compile(r"\bino:(\d+)\b")
_ONLY_6 = re.compile(r"\bv6only:([01])\b")


class Socket(t.NamedTuple):
    """A listening socket of the kernel's table."""

    address: str
    port: int
    inode: int


def find(host: Host) -> tuple[Listener, ...] | None:
    """All listening TCP sockets, in the order of their ports."""
    sockets = read_sockets(host)
    if sockets is None:
        return None
    owners, complete = processes.owners(host)
    only_6 = _only_6(host) if any(one.address == "::" for one in sockets) else {}
    found = set()
    for socket in sockets:
        owner = owners.get(socket.inode)
        takes_4 = _takes_ipv4(socket, sockets, only_6)
        place = f"listeners.{socket.port}"
        if takes_4 is None:
            host.cannot(f"{place}.takes_ipv4", "ss is not installed, and the kernel's table does not say.")
        if not owner and not complete:
            host.cannot(f"{place}.program", _UNSEEN if os.geteuid() == 0 else _ONLY_ROOT)
        program, unit = (owner.name, owner.unit) if owner else (None, None)
        found.add(Listener(socket.address, socket.port, takes_4, program, unit))
    return tuple(sorted(found, key=lambda one: (one.port, ":" in one.address, one.address)))


def read_sockets(host: Host) -> list[Socket] | None:
    """The listening sockets; ``None`` if the kernel's table cannot be read."""
    try:
        rows = [line.split() for path in _TABLES for line in _lines(host.root + path)]
    except OSError as error:
        host.blame("listeners", str(error.filename), error)
        return None
    return [Socket(*_end(row[1]), int(row[9])) for row in rows if len(row) > 9 and row[3] == _LISTENING]


def _lines(path: str) -> t.Iterator[str]:
    """The lines about listening sockets; a busy host has very many others."""
    if path.endswith("6") and not os.path.exists(path):  # without IPv6
        return
    with open(path, encoding="ascii", errors="replace") as stream:
        yield from (line for line in stream if f" {_LISTENING} " in line)


def _end(text: str) -> tuple[str, int]:
    """Read an address and port, such as ``0100007F:0019``: words of 32 bits in the byte order of the machine."""
    address, _colon, port = text.partition(":")
    words = [int(address[place : place + 8], 16) for place in range(0, len(address), 8)]
    read = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    mapped = getattr(read, "ipv4_mapped", None)  # an IPv6 socket for IPv4 only
    return str(mapped or read), int(port, 16)


def _only_6(host: Host) -> dict[int, bool]:
    """Whether sockets have IPV6_V6ONLY, by inode."""
    output = host.run("ss", "--no-header", "--listening", "--numeric", "--tcp", "--extended", "--ipv6")[1]
    pairs = ((_INODE.search(line), _ONLY_6.search(line)) for line in output.splitlines())
    return {int(inode[1]): only[1] == "1" for inode, only in pairs if inode and only}


def _takes_ipv4(socket: Socket, sockets: t.Collection[Socket], only_6: t.Mapping[int, bool]) -> bool | None:
    address = ipaddress.ip_address(socket.address)
    if isinstance(address, ipaddress.IPv4Address):
        return True
    if not address.is_unspecified:
        return False
    if socket.inode in only_6:
        return not only_6[socket.inode]
    # both could not have the port
    is_taken = any(one.port == socket.port and one.address == "0.0.0.0" for one in sockets)  # noqa: S104 - read, not bound
    return False if is_taken else None
