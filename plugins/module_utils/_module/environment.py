# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a module on the managed host, which is that of a login and may be anything.

A module makes files for other users, reads what programs print and starts programs below ``/usr/sbin``. None of that
may depend on the umask, the language, the ``PATH`` or the time zone of the user that Ansible logs in as.
"""

from __future__ import annotations

import locale
import os
import pwd
import re
import tempfile
import typing as t

#: Every file for which a module wants fewer permissions gets them explicitly.
UMASK = 0o022
#: Directories in which programs of the system are looked for, after those of the environment.
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
#: What changes the words, the form or the effect of a program: languages, time zones, another configuration of Postfix
#: or OpenSSL, scripts that a shell reads first, pagers and colours.
_UNWANTED = re.compile(
    r"LANG|LANGUAGE|LC_\w+|TZ|MAIL_(?:CONFIG|DEBUG|LOGTAG)|OPENSSL_\w+|SSL_CERT_\w+|BASH_ENV|ENV|CDPATH|IFS"
    r"|POSIXLY_CORRECT|GREP_\w+|\w*PAGER|LESS|SYSTEMD_\w+|PYTHON\w+"
)


def settle() -> None:
    """Give this process, and every program that it runs, the same umask and environment on every host."""
    os.umask(UMASK)
    settled = settled_environment(os.environ)
    os.environ.clear()
    os.environ.update(settled)
    tempfile.tempdir = None  # may have been chosen by the former TMPDIR
    locale.setlocale(locale.LC_ALL, "C")


def settled_environment(given: t.Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what changes the words or the effect of a program. Other variables are kept."""
    kept = {name: value for name, value in given.items() if not _UNWANTED.fullmatch(name)}
    places = [place for place in kept.get("PATH", "").split(os.pathsep) if place.startswith("/")]
    kept["PATH"] = os.pathsep.join(dict.fromkeys([*places, *_PATH]))
    kept["LC_ALL"] = "C"
    if not os.path.isdir(kept.get("HOME", "")):
        kept["HOME"] = "/"
    if not _is_usable(kept.get("TMPDIR", "")):
        kept.pop("TMPDIR", None)
    return kept


def become_needed(for_what: str) -> str:
    """Return the sentence for a user who is not root; empty for root.

    :param for_what: what only root may do.
    """
    uid = os.geteuid()
    if uid == 0:
        return ""
    try:
        user = f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        user = f"the user with the ID {uid}"
    return f"Set become: true on the task or the play: it runs as {user}, and only root may {for_what}."


def _is_usable(directory: str) -> bool:
    return directory.startswith("/") and os.path.isdir(directory) and os.access(directory, os.W_OK | os.X_OK)
