# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that keeps the certificate of a relay current, by its command.

install      join key and chain in the one file that Postfix reads, reload, ask each listener
order        order a certificate with certbot if it is due, and install it
check        install, and tell root if the certificate should have been renewed already
authorities  write the authorities that certbot verifies the directory with
forget       remove the certificate, the lineage of certbot and an account made for it

Killed at any moment, it leaves the old file or the new one, and the next run does what is missing.
"""

from __future__ import annotations

import shutil
import typing as t

from . import lineage
from .installing import follow, install
from .ordering import authorities, order
from .places import CHANGED, JOINED, LOCK, PROGRAM, RUN, STAMP, TOLD, Settings, Trouble, read_settings
from .telling import check, tell

Say = t.Callable[[str], None]

_USAGE = "usage: relay-certificate install|order|check|authorities|forget [--tell]"
#: Seconds for the second of two files that a renewal replaces.
_SETTLE = 10.0

#: Each command with whether it runs by itself, and returns a sentence if something changed.
_COMMANDS: t.Mapping[str, t.Callable[[Settings, bool], str]] = {
    "install": lambda settings, by_itself: follow(settings, _SETTLE) if by_itself else install(settings),
    "order": lambda settings, by_itself: order(settings),
    "check": lambda settings, by_itself: check(settings, _SETTLE),
    "authorities": lambda settings, by_itself: str(authorities(settings)),
    "forget": lambda settings, by_itself: forget(),
}


def main(arguments: t.Sequence[str], report: Say, say: Say) -> int:
    """Run a command. With ``--tell`` it runs by itself, so root gets a mail about what fails.

    :param report: takes a line that says what changed.
    :param say: takes a line that says what failed.
    :returns: the exit status.
    """
    words = [one for one in arguments if one != "--tell"]
    if len(words) != 1 or words[0] not in _COMMANDS:
        say(_USAGE)
        return 2
    command, by_itself = words[0], "--tell" in arguments
    settings: dict[str, t.Any] = {}
    try:
        settings = {} if command == "forget" else read_settings()
        done = _COMMANDS[command](settings, by_itself)
        if by_itself:
            TOLD.unlink(missing_ok=True)
    except (Trouble, OSError) as trouble:
        say(str(trouble))
        if by_itself and settings:
            tell(settings, str(trouble), command == "check", say)
        return 1
    if done:
        report(done)
    return 0


def forget() -> str:
    """Remove everything that this program made."""
    lineage.forget()
    for path in (JOINED, TOLD, CHANGED, JOINED.with_name(f".{JOINED.name}.new"), LOCK, STAMP):
        path.unlink(missing_ok=True)
    for folder in (RUN, PROGRAM / "__pycache__"):  # the latter if someone ran it without -B
        shutil.rmtree(folder, ignore_errors=True)
    return "The certificate of the relay was removed."
