# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that dpkg removes when Postfix is installed, found in its list of packages, without a network.

Debian has one mail server on a host: each provides ``mail-transport-agent`` and conflicts with all others (Debian
policy, section 11.6). What depends on the removed one goes, too.
"""

from __future__ import annotations

import re
import typing as t

_SERVER = "mail-transport-agent"
#: What is there once Postfix is.
_ARRIVING = frozenset({"postfix", _SERVER})

#: For ``dpkg-query --show --showformat``.
FORMAT = "${db:Status-Status}\t${Package}\t${Provides}\t${Pre-Depends}, ${Depends}\n"


class Package(t.NamedTuple):
    """An installed package.

    :ivar names: its name, and those it provides.
    :ivar needs: groups of names; one name of each must be there.
    """

    name: str
    names: frozenset[str]
    needs: tuple[frozenset[str], ...]


def parse_packages(output: str) -> list[Package]:
    """Parse the output of dpkg-query with :data:`FORMAT`: the packages that are installed."""
    found = []
    for line in output.splitlines():
        fields = line.split("\t")
        if len(fields) == 4 and fields[0] == "installed":
            groups = (_names(group) for group in fields[3].split(","))
            found.append(Package(fields[1], _names(fields[2], fields[1]), tuple(filter(None, groups))))
    return found


def find_displaced(packages: t.Sequence[Package]) -> list[str]:
    """Return the names of the packages that make room for Postfix; none if it is there already."""
    if any(package.name == "postfix" for package in packages):
        return []
    gone = {package.name for package in packages if _SERVER in package.names}
    before = _all_names(packages)
    while True:
        after = _all_names(package for package in packages if package.name not in gone) | _ARRIVING
        broken = {
            package.name
            for package in packages
            if package.name not in gone and any(group & before and not group & after for group in package.needs)
        }
        if not broken:
            return sorted(gone)
        gone |= broken


def _all_names(packages: t.Iterable[Package]) -> frozenset[str]:
    return frozenset().union(*(package.names for package in packages))


def _names(text: str, *more: str) -> frozenset[str]:
    """Return the names in a field of dpkg, without versions and architectures."""
    words = re.split(r"[,|]", re.sub(r"\([^)]*\)", "", text))
    return frozenset([*more, *(word.strip().partition(":")[0] for word in words if word.strip())])
