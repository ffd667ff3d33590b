# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners from the kernel's tables: of every address, of both versions of IP, and the program behind each."""

from __future__ import annotations

import os
import socket
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import Listener
from ansible_collections.mailops.smtp.plugins.module_utils._host import listeners
from ansible_collections.mailops.smtp.plugins.module_utils._host.host import Host
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ANY_6 = "00000000000000000000000000000000"
LOOPBACK_6 = "00000000000000000000000001000000"
MAPPED = "0000000000000000FFFF00000100007F"
#: What ss prints, by IPV6_V6ONLY.
SS = "LISTEN 0 100 [::]:25 [::]:* ino:{inode} sk:1 cgroup:/system.slice v6only:{only} <->\n"


def row(address: str, port: int, inode: int = 7, state: str = "0A") -> str:
    end = "0" * len(address)
    return f"   0: {address}:{port:04X} {end}:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1 0 100\n"


def make(tmp_path: Path, over_4: str = "", over_6: str = "", **answers: t.Any) -> FakeHost:
    host = FakeHost(tmp_path, **answers)
    host.put("/proc/net/tcp", HEAD + over_4)
    host.put("/proc/net/tcp6", HEAD + over_6)
    return host


#: Rows over IPv4 and IPv6, what ss says, and the address, port and whether IPv4 is taken.
TABLES: list[tuple[str, str, str, list[tuple[str, int, bool | None]]]] = [
    (row("00000000", 25), "", "", [("0.0.0.0", 25, True)]),
    (row("0100007F", 10025), "", "", [("127.0.0.1", 10025, True)]),
    (row("0A0200C0", 587), "", "", [("192.0.2.10", 587, True)]),
    ("", row(LOOPBACK_6, 25), "", [("::1", 25, False)]),
    ("", row(MAPPED, 25), "", [("127.0.0.1", 25, True)]),
    ("", row(ANY_6, 25), SS.format(inode=7, only=0), [("::", 25, True)]),
    ("", row(ANY_6, 25), SS.format(inode=7, only=1), [("::", 25, False)]),
    ("", row(ANY_6, 25), SS.format(inode=8, only=1), [("::", 25, None)]),
    (row("00000000", 25), row(ANY_6, 25, 8), "", [("0.0.0.0", 25, True), ("::", 25, False)]),  # as Postfix has them
    (row("00000000", 25, state="01"), "", "", []),  # a connection
    ("", "", "", []),
]


@pytest.mark.skipif(sys.byteorder == "big", reason="the tables of the kernel have the byte order of the machine")
@pytest.mark.parametrize(("over_4", "over_6", "ss", "expected"), TABLES)
def test_tables_of_the_kernel(
    tmp_path: Path, over_4: str, over_6: str, ss: str, expected: list[tuple[str, int, bool | None]]
) -> None:
    host = make(tmp_path, over_4, over_6, **({"ss": ss} if ss else {}))
    assert [(one.address, one.port, one.takes_ipv4) for one in listeners.find(host) or ()] == expected


def test_a_fact_that_only_ss_knows_is_unknown_without_it(tmp_path: Path) -> None:
    host = make(tmp_path, "", row(ANY_6, 25))
    listeners.find(host)
    assert host.reasons() == {"listeners.25.takes_ipv4": "ss is not installed, and the kernel's table does not say."}


def test_program_and_unit_of_a_listener(tmp_path: Path) -> None:
    host = make(tmp_path, row("00000000", 25, 4711) + row("00000000", 465, 4712))
    for number, name, unit in (
        (40, "systemd", "/init.scope"),
        (90, "master", "/system.slice/x.slice/postfix@-.service"),
    ):
        host.put(f"/proc/{number}/comm", f"{name}\n")
        host.put(f"/proc/{number}/cmdline", f"/usr/lib/{name}\0-w\0")
        host.put(f"/proc/{number}/cgroup", f"12:cpu:/\n0::{unit}\n")
        os.makedirs(f"{host.root}/proc/{number}/fd")
    os.symlink("socket:[4711]", f"{host.root}/proc/90/fd/3")
    os.symlink("socket:[4712]", f"{host.root}/proc/40/fd/3")
    os.symlink("socket:[4712]", f"{host.root}/proc/90/fd/4")
    assert listeners.find(host) == (
        Listener("0.0.0.0", 25, True, "master", "postfix@-.service"),
        Listener("0.0.0.0", 465, True, "systemd", "init.scope"),  # it passes the socket on
    )
    assert host.reasons() == {}


def test_processes_of_others_are_unknown_without_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = make(tmp_path, row("00000000", 25))
    os.makedirs(f"{host.root}/proc/1/fd")

    def listdir(path: str) -> list[str]:
        if path.endswith("/fd"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = os.listdir
    monkeypatch.setattr(os, "listdir", listdir)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert listeners.find(host) == (Listener("0.0.0.0", 25, True),)
    assert host.reasons() == {"listeners.25.program": "Only root sees the sockets of all processes. Set become: true."}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    host.unknown.clear()
    listeners.find(host)
    assert "CAP_SYS_PTRACE" in host.reasons()["listeners.25.program"]


def test_a_host_without_proc_is_unknown(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    assert listeners.find(host) is None
    assert host.reasons() == {"listeners": f"{host.root}/proc/net/tcp cannot be read: No such file or directory."}


def test_listener_of_this_process_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = listeners.find(Host(lambda _argv: (127, "", "")))
        (own,) = [one for one in found or () if one.port == server.getsockname()[1]]
    assert (own.address, own.takes_ipv4) == ("127.0.0.1", True)
    assert own.program == Path("/proc/self/comm").read_text().strip()
