# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking up TXT records with dig, which hosts have without a package of Python."""

from __future__ import annotations

import re
import subprocess
import typing as t

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
#: A server that neither serves the zone nor recurses; it names others, and says nothing of the records.
_REFERRAL = re.compile(r"^;; flags:(?![^;]*\b(?:aa|ra)\b)", re.MULTILINE)
#: Aliases to follow.
_ALIASES = 8
#: Seconds for dig, which asks twice and waits three seconds for each answer.
_PATIENCE = 60


class Lookup:
    """The name servers to ask, for one check."""

    def __init__(self, nameservers: t.Sequence[str]) -> None:
        self._own = ("",)  # those of the host
        self._servers = tuple(nameservers) or self._own
        #: Servers that have not answered during this check; they are asked last.
        self._silent: set[str] = set()

    def texts(self, name: str) -> list[str] | None:
        """Return the TXT records of a name; ``None`` if no name server answers.

        A server that does not recurse, such as that of the zone, tells only where an alias leads. That is asked of
        the host's name servers, too.
        """
        return self._follow(name, self._servers, _ALIASES)

    def _follow(self, name: str, servers: tuple[str, ...], aliases: int) -> list[str] | None:
        for server in sorted(servers, key=self._silent.__contains__):
            rows = self._ask(name, server)
            if rows is None:
                continue
            texts = [data for kind, data in rows if kind == "TXT"]
            aliased = [data for kind, data in rows if kind == "CNAME"]
            if texts or not aliased or not aliases:
                return texts
            with_own = servers if self._own[0] in servers else servers + self._own
            return self._follow(aliased[-1].rstrip("."), with_own, aliases - 1)
        return None

    def _ask(self, name: str, server: str) -> list[tuple[str, str]] | None:
        """Return type and data of each record of an answer; ``None`` if the server does not know it."""
        argv = ["dig", "+noall", "+comments", "+answer", "+time=3", "+tries=2", "-t", "TXT", "-q", f"{name}."]
        argv += [f"@{server}"] if server else []
        try:
            done = subprocess.run(argv, capture_output=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        output = done.stdout.decode("ascii", "replace")
        status = re.search(r"status: ([A-Z]+)", output)
        if done.returncode or not status:
            self._silent.add(server)
            return None
        if status[1] not in ("NOERROR", "NXDOMAIN") or _REFERRAL.search(output):
            return None
        lines = (line.split(None, 4) for line in output.splitlines() if line and not line.startswith(";"))
        return [(row[3], _text(row[4]) if row[3] == "TXT" else row[4]) for row in lines if len(row) == 5]


def _text(data: str) -> str:
    """The strings of a record as one."""
    return "".join(map(_plain, _STRING.findall(data)))


def _plain(text: str) -> str:
    """A string as the DNS has it: dig writes other octets in decimal (RFC 1035 section 5.1)."""
    return re.sub(r"\\([0-9]{3}|.)", lambda escape: chr(int(escape[1])) if len(escape[1]) == 3 else escape[1], text)
