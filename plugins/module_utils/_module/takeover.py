# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read from a host what it does with mail before the role ``relay`` takes it over."""

from __future__ import annotations

import glob
import json
import os
import pwd
import re
import typing as t

from .._host import processes
from .._postfix.config import parse_main, parse_master, parse_options
from .._postfix.displaced import FORMAT, find_displaced, parse_packages
from .._postfix.signers import SIGNERS, Signer, changed_files, find_signer_stops
from .._postfix.takeover import (
    MailOfHost,
    alias_tables,
    find_what_stops,
    find_what_stops_with_logins,
    parse_aliases,
)
from .._transaction.memory import COMMITTED, MANIFEST, SWAPPING, UNDONE
from .commands import Commands

#: Where the role keeps the transaction that owns the configuration of Postfix, and the names of the packages that made
#: room for it.
OWNED = "/var/lib/mailops/relay"
NOTE = "/var/lib/mailops/replaced_packages"

#: What precedes the paths of processes and of signers, in tests.
ROOT = ""
#: What the role adds to a unit that it takes over; other files there are an administrator's.
_DROP_IN = "10-mailops-relay.conf"
_UNITS = "/etc/systemd/system"
_UNIT = re.compile(r"(?:/usr)?/lib/systemd/system/([^/@]+)\.(service|socket|timer)|/etc/init\.d/([^/]+)")
_MAILBOXES = "/var/mail"


def look(commands: Commands, installed: bool) -> dict[str, t.Any]:
    """Return what stops on this host if the role takes it over, as ``postfix_info`` returns it.

    :param installed: whether Postfix is installed.
    """
    # Dovecot of a relay serves nothing, so that it can always be asked
    host = _read_host(commands, installed and not _is_ours())
    replaces = [] if installed else _displaced(commands)
    return {
        "stops": find_what_stops(host),
        "stops_with_logins": find_what_stops_with_logins(host),
        "stops_with_signer": {signer.name: _signer_stops(commands, signer, installed) for signer in SIGNERS},
        "replaces": replaces,
        "units": _running_units(commands, replaces) if replaces else [],
        "replaced": _note(),
    }


def _is_ours() -> bool:
    """Whether the role has configured this host. A run that has only noted the state of services does not count."""
    if any(os.path.exists(os.path.join(OWNED, state)) for state in (SWAPPING, COMMITTED, UNDONE)):
        return True
    try:
        with open(os.path.join(OWNED, MANIFEST), encoding="utf-8") as stream:
            return bool(json.load(stream)["manifest"]["files"])
    except PermissionError:
        return True  # without root, nothing can be judged
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _signer_stops(commands: Commands, signer: Signer, postfix: bool) -> list[str]:
    """Return what a signer does if it runs or is to run, and the role has not taken it over."""
    states = ("is-active", "is-enabled")
    in_use = any(commands.run(["systemctl", state, "--quiet", signer.unit])[0] == 0 for state in states)
    if not in_use or os.path.exists(f"{ROOT}{_UNITS}/{signer.unit}.d/{_DROP_IN}"):
        return []
    patterns = (*signer.files, f"{_UNITS}/{signer.unit}", f"{_UNITS}/{signer.unit}.d/*.conf")
    files = [path for pattern in patterns for path in glob.glob(ROOT + pattern) if _has_content(path)]
    verify = "dpkg" if commands.run(["dpkg-query", "--show", signer.name])[0] == 0 else "rpm"
    files += changed_files(commands.run([verify, "--verify", signer.name])[1])
    return find_signer_stops(signer, files, _milters(commands) if postfix else {})


def _milters(commands: Commands) -> dict[str, str]:
    """The parameters of Postfix that name milters, with those of its services."""
    options = parse_options(commands.run(["postconf", "-Px"])[1])
    every = (parse_main(commands.run(["postconf", "-nx"])[1]), *options.values())
    return {name: value for one in every for name, value in one.items() if name.endswith("smtpd_milters")}


def _note() -> list[str]:
    try:
        with open(NOTE, encoding="utf-8") as stream:
            return stream.read().split()
    except OSError:
        return []


def _displaced(commands: Commands) -> list[str]:
    """A host without dpkg has no packages that make room: on RHEL, several mail servers can be installed."""
    return find_displaced(parse_packages(commands.run(["dpkg-query", "--show", f"--showformat={FORMAT}"])[1]))


def _running_units(commands: Commands, packages: t.Sequence[str]) -> list[str]:
    """Return the running units of packages: those that they bring along, and those that run one of their programs."""
    files = set(commands.run(["dpkg-query", "--listfiles", *packages])[1].splitlines())
    brought = {f"{match[1] or match[3]}.{match[2] or 'service'}" for match in map(_UNIT.fullmatch, files) if match}
    active = {unit for unit in brought if commands.run(["systemctl", "is-active", "--quiet", unit])[0] == 0}
    return sorted(active | set(_units_that_run(files)))


def _units_that_run(programs: t.Collection[str]) -> t.Iterator[str]:
    """Yield the units of the processes that run one of these programs."""
    for process in filter(None, (processes.look(number, ROOT) for number in processes.numbers(ROOT))):
        if process.command in programs and process.unit and process.unit.endswith(".service"):
            yield process.unit


def _read_host(commands: Commands, postfix: bool) -> MailOfHost:
    protocols = commands.run(["doveconf", "-h", "protocols"])[1]
    served = tuple(word for word in re.findall(r"\w+", protocols) if word not in ("yes", "no"))
    # without a main.cf that Postfix can read, nothing works that could stop
    code, main = commands.run(["postconf", "-nx"])[:2] if postfix else (1, "")
    if code:
        return MailOfHost(protocols=served)
    parameters = parse_main(main)
    return MailOfHost(
        main=parameters,
        services=parse_master(commands.run(["postconf", "-M"])[1]),
        options=parse_options(commands.run(["postconf", "-Px"])[1]),
        aliases=dict(_aliases(parameters)),
        mailboxes=list(_mailboxes(parameters)),
        forwards=list(filter(_has_content, _in_homes(".forward"))),
        protocols=served,
    )


def _aliases(main: t.Mapping[str, str]) -> t.Iterator[tuple[str, str]]:
    for path in filter(os.path.isfile, alias_tables(main)[0]):
        with open(path, encoding="utf-8", errors="replace") as stream:
            yield from parse_aliases(stream.read()).items()


def _mailboxes(main: t.Mapping[str, str]) -> t.Iterator[str]:
    spool = main.get("mail_spool_directory", _MAILBOXES)
    names = sorted(os.listdir(spool)) if os.path.isdir(spool) else []
    yield from (path for path in (os.path.join(spool, name) for name in names) if _has_content(path))
    if main.get("home_mailbox"):
        yield from filter(_has_content, _in_homes(main["home_mailbox"]))


def _in_homes(name: str) -> t.Iterator[str]:
    """Yield this path in each home directory once."""
    yield from dict.fromkeys(os.path.join(user.pw_dir, name) for user in pwd.getpwall() if user.pw_dir != "/")


def _has_content(path: str) -> bool:
    """Whether a file has content, or a Maildir has a message."""
    try:
        if os.path.isdir(path):
            return any(os.listdir(folder) for folder in _maildir_folders(path))
        return os.path.getsize(path) > 0
    except OSError:
        return False


def _maildir_folders(path: str) -> t.Iterator[str]:
    yield from (os.path.join(path, name) for name in ("cur", "new") if os.path.isdir(os.path.join(path, name)))
