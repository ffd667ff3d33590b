# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rspamd or OpenDKIM does on a host, and would no longer do once it only signs for a relay.

One that is only installed does nothing: neither has an administrator configured it, nor does a Postfix ask it.
"""

from __future__ import annotations

import re
import typing as t

from .takeover import phrase


class Signer(t.NamedTuple):
    """A program that can sign.

    :ivar name: its name, which is also that of its package.
    :ivar files: patterns of the files in which an administrator configures it, beside those of the package.
    :ivar address: pattern of the addresses at which it usually listens for Postfix.
    """

    name: str
    files: tuple[str, ...]
    address: str

    @property
    def unit(self) -> str:
        """Its unit."""
        return f"{self.name}.service"


_RSPAMD_FILES = (
    *("local.d/*.conf", "local.d/*.inc", "override.d/*.conf", "override.d/*.inc", "modules.local.d/*.conf"),
    *("lua.local.d/*.lua", "rspamd.local.lua", "rspamd.conf.local", "rspamd.conf.override"),
)
SIGNERS = (
    Signer("rspamd", tuple(f"/etc/rspamd/{one}" for one in _RSPAMD_FILES), r"rspamd|:11332\b"),
    Signer("opendkim", (), r"opendkim|:(8891|12301)\b"),
)
#: A line about a file of configuration whose content is not the package's (dpkg --verify, rpm --verify).
_CHANGED = re.compile(r"^..5\S*\s+c\s+(/.+)$", re.MULTILINE)


def changed_files(output: str) -> list[str]:
    """Return the files of configuration that were changed, by what ``dpkg --verify`` or ``rpm --verify`` says."""
    return _CHANGED.findall(output)


def find_signer_stops(signer: Signer, files: t.Sequence[str], milters: t.Mapping[str, str]) -> list[str]:
    """Return what it does, one phrase each.

    :param files: files with a configuration of its own.
    :param milters: the parameters of Postfix that name milters.
    """
    asked = [name for name, value in milters.items() if re.search(signer.address, value)]
    found = [
        phrase(f"{signer.name} with a configuration of its own", sorted(set(files))),
        phrase(f"{signer.name} as a milter of Postfix", sorted(asked)),
    ]
    return list(filter(None, found))
