# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names by which programs call this host. Most of them mean nothing elsewhere, so none of those may leave it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

#: Names and addresses that every host has for itself (RFC 6761 section 6.3, RFC 5321 section 4.1.3; the hosts files of
#: Debian and RHEL).
_EVERY_HOST = (
    *("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"),
    *("localhost4", "localhost4.localdomain4", "localhost6", "localhost6.localdomain6"),
    *("[127.0.0.1]", "[ipv6:::1]"),
)
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?\Z")


@dataclass(frozen=True)
class HostNames:
    """Names of this host.

    :param hostname: the one that is valid everywhere.
    :param domain: its mail domain, which completes names without one.
    :param local: names that mean nothing elsewhere.
    """

    hostname: str
    domain: str
    local: tuple[str, ...]

    def at_host(self, address: str) -> str:
        """Return an address with the valid name of this host, if it has a local one."""
        name, at, domain = address.rpartition("@")
        return f"{name}@{self.hostname}" if at and domain in self.local else address

    def with_local(self, table: t.Mapping[str, str], domain: str, rest: bool = False) -> dict[str, str]:
        """Return a table of addresses in which each entry of a domain is also valid for the local names.

        :param rest: whether all other addresses at a local name become addresses of the domain.
        """
        at_domain = {key[: -len(domain) - 1]: value for key, value in table.items() if key.endswith(f"@{domain}")}
        if rest:
            at_domain.setdefault("", f"@{domain}")
        local = {f"{name}@{one}": value for one in self.local for name, value in at_domain.items()}
        return {**local, **table}


def host_names(hostname: str, domain: str, also: t.Iterable[str], taken: t.Collection[str]) -> HostNames:
    """Return the names of a host.

    :param also: further names that it may have, such as that in the inventory.
    :param taken: mail domains, which are more than one host.
    """
    given = (
        f"localhost.{domain}",
        hostname.partition(".")[0],
        *(name.lower() for name in also if not _is_address(name)),
    )
    names = dict.fromkeys((*_EVERY_HOST, *filter(_NAME.match, given)))
    return HostNames(hostname, domain, tuple(name for name in names if name not in {hostname, domain, *taken}))


def _is_address(name: str) -> bool:
    """Whether a name is an IP address, which an inventory may have in place of a name."""
    return ":" in name or name.replace(".", "").isdigit()
