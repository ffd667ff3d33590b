# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail servers other than Postfix on the host."""

from __future__ import annotations

import os
import typing as t

from .._evidence.host_system import MailServer
from . import processes
from .host import Host

#: By name: programs of which one shows that it is installed.
_PROGRAMS: dict[str, tuple[str, ...]] = {
    "Exim": ("/usr/sbin/exim4", "/usr/sbin/exim", "/usr/exim/bin/exim"),
    "Sendmail": ("/usr/sbin/sendmail.sendmail", "/usr/lib/sm.bin/sendmail", "/usr/libexec/sendmail/sendmail"),
    "OpenSMTPD": ("/usr/sbin/smtpd", "/usr/sbin/opensmtpd"),
    "nullmailer": ("/usr/sbin/nullmailer-send", "/usr/bin/nullmailer-send"),
    "Courier": ("/usr/sbin/courier", "/usr/lib/courier/courierd", "/usr/lib/courier/sbin/courier"),
    "qmail": ("/var/qmail/bin/qmail-send", "/usr/sbin/qmail-send"),
    "DragonFly Mail Agent": ("/usr/sbin/dma",),
    "msmtp": ("/usr/bin/msmtp",),
    "sSMTP": ("/usr/sbin/ssmtp",),
    "esmtp": ("/usr/bin/esmtp",),
    "Citadel": ("/usr/sbin/citserver",),
    "Stalwart": ("/usr/local/bin/stalwart", "/opt/stalwart/bin/stalwart", "/opt/stalwart-mail/bin/stalwart-mail"),
    "maddy": ("/usr/bin/maddy", "/usr/local/bin/maddy"),
}
_SENDMAIL = "/usr/sbin/sendmail"


def find(host: Host) -> tuple[MailServer, ...]:
    """Those that are installed."""
    found = {name: _first(host, paths) for name, paths in _PROGRAMS.items()}
    installed = {name: path for name, path in found.items() if path}
    commands = _commands(host) if installed else set()
    return tuple(
        MailServer(name, path, _package(host, path), _runs(host, path, commands), _is_sendmail(host, path))
        for name, path in installed.items()
    )


def _first(host: Host, paths: t.Iterable[str]) -> str:
    return next((path for path in paths if os.path.isfile(host.root + path)), "")


def _commands(host: Host) -> set[str]:
    """What every process was started with, or says that it is."""
    looked = (processes.look(number, host.root) for number in processes.numbers(host.root))
    return {one.command for one in looked if one}


def _runs(host: Host, path: str, commands: t.Collection[str]) -> bool:
    names = {path, os.path.realpath(host.root + path), os.path.basename(path)}
    title = f"{os.path.basename(path).partition('.')[0]}: "
    return any(command in names or command.startswith(title) for command in commands)


def _is_sendmail(host: Host, path: str) -> bool:
    try:
        return os.path.samefile(host.root + path, host.root + _SENDMAIL)
    except OSError:
        return False


def _package(host: Host, path: str) -> str | None:
    """The package that a program is from."""
    code, output, _complaints = host.run("dpkg-query", "--search", path)
    if code == 0:
        return output.partition(":")[0] or None
    code, output, _complaints = host.run("rpm", "--query", "--file", "--queryformat", "%{NAME}\n", path)
    return output.split()[0] if code == 0 and output.strip() else None
