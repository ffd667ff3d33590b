# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages, units and other mail servers of a host: packages.py, units.py and mail_servers.py."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_system import MailServer, Unit, Update
from ansible_collections.mailops.smtp.plugins.module_utils._host import mail_servers, packages, units
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n'
DPKG = """installed postfix 3.10.5-1
installed postfix-lmdb 3.10.5-1
config-files exim4 4.98
installed vim 9.1
installed libssl3t64 3.5.1-1
"""
APT = """Listing...
postfix/stable-security 3.10.6-1 amd64 [upgradable from: 3.10.5-1]
libssl3t64/stable,now 3.5.2-1 amd64 [upgradable from: 3.5.1-1]
vim/stable-security,stable 9.2 amd64 [upgradable from: 9.1]
"""
RPM = "installed postfix 3.5.25-1.el9\ninstalled bash 5.1-9.el9\n"
CHECK_UPDATE = """
postfix.x86_64                 2:3.5.25-2.el9_4        appstream
openssl-libs.x86_64            1:3.2.2-6.el9           baseos
kernel.x86_64                  5.14.0-503.el9          baseos
Obsoleting Packages
old.x86_64                     1-1                     baseos
    new.x86_64                 1-1                     baseos
"""
DNF_4 = """RHSA-2026:1111 Important/Sec. postfix-2:3.5.25-2.el9_4.x86_64
RHBA-2026:2222 bugfix         openssl-libs-1:3.2.2-6.el9.x86_64
RHSA-2026:3333 Moderate/Sec.  kernel-5.14.0-503.el9.x86_64
"""
DNF_5 = """Name           Type     Severity  Package                            Issued
RHSA-2026:1111 security Important postfix-2:3.5.25-2.el9_4.x86_64    2026-01-01 00:00:00
RHBA-2026:2222 bugfix   None      openssl-libs-1:3.2.2-6.el9.x86_64  2026-01-01 00:00:00
RHSA-2026:3333 security Moderate  kernel-5.14.0-503.el9.x86_64       2026-01-01 00:00:00
"""


def debian(tmp_path: Path, lists: bool = True, **answers: t.Any) -> FakeHost:
    host = FakeHost(tmp_path, **{"apt-get": "", "apt": APT, "dpkg-query": DPKG, **answers})
    host.put("/etc/os-release", DEBIAN)
    if lists:
        os.utime(host.put("/var/lib/apt/lists/deb_debian_binary-amd64_Packages"), (0, 0))
        os.utime(host.put("/var/lib/apt/periodic/update-success-stamp"), (1_800_000_000, 1_800_000_000))
        os.utime(f"{host.root}/var/lib/apt/lists", (1, 1))
    return host


def test_packages_of_debian(tmp_path: Path) -> None:
    host = debian(tmp_path)
    found = packages.find(host)
    assert (found.system, found.manager) == ("Debian GNU/Linux 13 (trixie)", "apt-get")
    assert found.installed == {"libssl3t64": "3.5.1-1", "postfix": "3.10.5-1", "postfix-lmdb": "3.10.5-1"}
    assert found.updates == (
        Update("postfix", "3.10.6-1", security=True),
        Update("libssl3t64", "3.5.2-1", security=False),
    )
    assert (found.security_updates_of_host, found.lists_from) == (2, "2027-01-15T08:00:00Z")
    assert host.reasons() == {}


@pytest.mark.parametrize("advisories", [DNF_4, DNF_5])
def test_packages_of_rhel(tmp_path: Path, advisories: str) -> None:
    answers: dict[str, t.Any] = {
        "dnf --cacheonly --quiet check-update": (100, CHECK_UPDATE, ""),
        "dnf --cacheonly --quiet updateinfo list": (0, advisories, ""),
    }
    host = FakeHost(tmp_path, dnf=(1, "", "unexpected"), rpm=RPM, **answers)
    host.put("/usr/lib/os-release", "PRETTY_NAME='Rocky Linux 9.4'\n")
    found = packages.find(host)
    assert (found.system, found.manager, found.installed) == ("Rocky Linux 9.4", "dnf", {"postfix": "3.5.25-1.el9"})
    assert found.updates == (
        Update("postfix", "2:3.5.25-2.el9_4", security=True, advisory="RHSA-2026:1111"),
        Update("openssl-libs", "1:3.2.2-6.el9", security=False),
    )
    assert (found.security_updates_of_host, found.lists_from) == (2, None)


NO_CACHE = "Error: Cache-only enabled but no cache for 'appstream'"
#: A host, and what is not known of its packages.
UNKNOWN: list[tuple[dict[str, t.Any], dict[str, str]]] = [
    ({"apt-get": "", "dpkg-query": DPKG}, {"packages.updates": "The host has no package lists. Run apt-get update."}),
    (
        {"dnf": (1, "", NO_CACHE), "rpm": RPM},
        {"packages.updates": "dnf failed: Error: Cache-only enabled but no cache for 'appstream'."},
    ),
    (
        {},
        {
            "packages.installed": "rpm is not installed.",
            "packages": "The host has neither apt-get nor dnf.",
        },
    ),
]


@pytest.mark.parametrize(("answers", "reasons"), UNKNOWN)
def test_updates_that_are_not_known(tmp_path: Path, answers: dict[str, t.Any], reasons: dict[str, str]) -> None:
    host = FakeHost(tmp_path, **answers)
    found = packages.find(host)
    assert (found.updates, found.security_updates_of_host) == (None, None)
    assert host.reasons() == reasons


SHOWN = """Id=postfix.service
LoadState=loaded
UnitFileState=enabled
ActiveState=active
SubState=exited
ActiveEnterTimestamp=Sat 2026-11-28 13:23:26 UTC
InactiveEnterTimestamp=Sat 2026-11-28 13:00:00 UTC

Id=exim4.service
LoadState=not-found
UnitFileState=
ActiveState=inactive
SubState=dead
ActiveEnterTimestamp=
InactiveEnterTimestamp=

Id=nftables.service
LoadState=loaded
UnitFileState=disabled
ActiveState=failed
SubState=failed
ActiveEnterTimestamp=Sat 2026-11-28 12:00:00 UTC
InactiveEnterTimestamp=Sat 2026-11-28 12:00:01 UTC
"""


def test_units_and_since_when(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, systemctl=SHOWN)
    assert units.find(host) == (
        Unit("nftables.service", "disabled", "failed", "failed", "2026-11-28T12:00:01Z"),
        Unit("postfix.service", "enabled", "active", "exited", "2026-11-28T13:23:26Z"),
    )
    assert host.asked[0].startswith("env TZ=UTC systemctl show")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({}, "systemctl is not installed."),
        (
            {"systemctl": (1, "", "System has not been booted with systemd.\nFailed to connect to bus: Host is down")},
            "systemctl failed: Failed to connect to bus: Host is down.",
        ),
    ],
)
def test_units_without_systemd_are_unknown(tmp_path: Path, answers: dict[str, t.Any], reason: str) -> None:
    host = FakeHost(tmp_path, **answers)
    assert units.find(host) is None
    assert host.reasons() == {"units": reason}


def process(host: FakeHost, number: int, command: str) -> None:
    for name, content in (("comm", "x\n"), ("cmdline", command), ("cgroup", "0::/system.slice/x.service\n")):
        host.put(f"/proc/{number}/{name}", content)


#: A program that is there, what its process was started with, and what is found.
SERVERS: list[tuple[str, str, tuple[str, bool]]] = [
    ("/usr/sbin/exim4", "/usr/sbin/exim4\0-bd\0", ("Exim", True)),
    ("/usr/sbin/exim4", "/usr/bin/vi\0exim4\0", ("Exim", False)),
    ("/usr/sbin/sendmail.sendmail", "sendmail: accepting connections\0", ("Sendmail", True)),
    ("/usr/sbin/smtpd", "/usr/sbin/smtpd\0", ("OpenSMTPD", True)),
    ("/var/qmail/bin/qmail-send", "qmail-send\0", ("qmail", True)),
    ("/usr/bin/msmtp", "", ("msmtp", False)),
]


@pytest.mark.parametrize(("program", "command", "expected"), SERVERS)
def test_other_mail_servers(tmp_path: Path, program: str, command: str, expected: tuple[str, bool]) -> None:
    host = FakeHost(tmp_path, **{"dpkg-query": f"package-of: {program}\n"})
    host.put(program)
    process(host, 1, command)
    name, running = expected
    assert mail_servers.find(host) == (MailServer(name, program, "package-of", running),)


def test_whose_the_command_sendmail_is(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, rpm="exim\n")
    host.put("/usr/sbin/exim")
    host.put("/usr/bin/msmtp")
    process(host, 1, "")
    os.symlink("exim", f"{host.root}/usr/sbin/sendmail")
    found = mail_servers.find(host)
    assert [(one.name, one.package, one.sendmail) for one in found] == [
        ("Exim", "exim", True),
        ("msmtp", "exim", False),
    ]


def test_a_program_that_waits_is_not_waited_for(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, systemctl=(124, "", ""))
    assert units.find(host) is None
    assert host.reasons() == {"units": "systemctl did not answer in time."}


def test_host_with_postfix_only(tmp_path: Path) -> None:
    assert mail_servers.find(FakeHost(tmp_path)) == ()
