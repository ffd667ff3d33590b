# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of packages that concern mail, and their pending updates as the stored package lists know them.

No network is used, and no list is fetched.
"""

from __future__ import annotations

import glob
import os
import re
import typing as t

from .._evidence.document import Moment, moment
from .._evidence.host_system import Packages, Update
from .host import Host, why_failed

#: Names of packages, on Debian and RHEL.
_MAIL = re.compile(
    r"(postfix|dovecot|opendkim|opendmarc|rspamd|amavisd|clamav|spamassassin|exim|sendmail|opensmtpd|nullmailer|msmtp"
    r"|ssmtp|dma|courier|libsasl2|cyrus-sasl|sasl2|openssl|libssl|nftables|iptables|firewalld|ufw|fail2ban)"
    r"(?![a-z]).*|(dkimpy|python3-dkim|postsrsd|postgrey|policyd|pyzor|unbound|ca-certificates|sasl-xoauth2|mailops).*"
)
_OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
_PRETTY = re.compile(r"^PRETTY_NAME=[\"']?([^\"'\n]*)", re.MULTILINE)

_APT_LISTS = ("/var/lib/apt/lists/*_Packages", "/var/lib/apt/lists/*_Packages.*")
_APT_STAMPS = ("/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists")
#: apt must not write its caches.
_READ_ONLY = ("-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=")
#: ``postfix/stable-security 3.7.12 amd64 [upgradable from: 3.7.11]``
_UPGRADABLE = re.compile(r"([^/\s]+)/(\S*) (\S+) \S+ \[upgradable from: [^\]]+\]")

_DNF_LISTS = ("/var/cache/dnf/*/repodata/repomd.xml", "/var/cache/libdnf5/*/repodata/repomd.xml")
#: ``postfix.x86_64   2:3.5.25-1.el9   appstream``
_NEWER = re.compile(r"(\S+)\.(?:\w+)\s+(\S+)\s+\S+\s*\Z")
#: Name, epoch, version, release and architecture of a package in one word.
_NEVRA = re.compile(r"(\S+)-(?:\d+:)?[^-\s]+-[^-\s]+\.\w+\Z")
_UPDATES_FOUND = 100

Found = tuple[t.Optional[list[Update]], t.Optional[Moment]]


def find(host: Host) -> Packages:
    """The packages, by the database of the host's package manager."""
    texts = (host.text("packages.system", path) for path in _OS_RELEASE)
    pretty = _PRETTY.search(next(filter(None, texts), ""))
    manager = next((name for name in _MANAGERS if host.has(name)), "")
    installed = _installed(host, manager)
    updates, fetched = _MANAGERS[manager](host) if manager else (None, None)
    if not manager:
        host.cannot("packages", "The host has neither apt-get nor dnf.")
    return Packages(
        system=pretty[1] if pretty else "Linux",
        manager=manager,
        installed=installed,
        updates=None if updates is None else tuple(one for one in updates if _MAIL.fullmatch(one.name)),
        security_updates_of_host=None if updates is None else len({one.name for one in updates if one.security}),
        lists_from=fetched,
    )


def _installed(host: Host, manager: str) -> dict[str, str] | None:
    if manager == "apt-get":
        query = ["dpkg-query", "--show", "--showformat", r"${db:Status-Status} ${Package} ${Version}\n"]
    else:
        query = ["rpm", "--query", "--all", "--queryformat", r"installed %{NAME} %{VERSION}-%{RELEASE}\n"]
    output = host.ask("packages.installed", *query)
    if output is None:
        return None
    rows = (line.split() for line in output.splitlines())
    return {
        row[1]: row[2] for row in sorted(rows) if len(row) == 3 and row[0] == "installed" and _MAIL.fullmatch(row[1])
    }


def _apt(host: Host) -> Found:
    if not any(glob.glob(host.root + pattern) for pattern in _APT_LISTS):
        host.cannot("packages.updates", "The host has no package lists. Run apt-get update.")
        return None, None
    fetched = _newest(host.root + path for path in _APT_STAMPS)
    output = host.ask("packages.updates", "apt", *_READ_ONLY, "list", "--upgradable")
    return (None if output is None else read_apt(output)), fetched


def read_apt(output: str) -> list[Update]:
    """Read what ``apt list --upgradable`` prints."""
    found = filter(None, map(_UPGRADABLE.match, output.splitlines()))
    return [Update(one[1], one[3], security="security" in one[2]) for one in found]


def _dnf(host: Host) -> Found:
    fetched = _newest(path for pattern in _DNF_LISTS for path in glob.glob(host.root + pattern))
    command = ("dnf", "--cacheonly", "--quiet")
    code, output, complaints = host.run(*command, "check-update")
    if code not in (0, _UPDATES_FOUND):
        host.cannot("packages.updates", why_failed(command, code, complaints or output))
        return None, fetched
    advisories = host.ask("packages.updates", *command, "updateinfo", "list")
    return (None if advisories is None else read_dnf(output, advisories)), fetched


def read_dnf(newer: str, advisories: str) -> list[Update]:
    """Read what ``dnf check-update`` and ``dnf updateinfo list`` print, of DNF 4 and 5."""
    secure: dict[str, str] = {}
    for line in advisories.splitlines():
        words = line.split()
        names = [match[1] for match in map(_NEVRA.match, words) if match]
        if names and any(re.match(r"security\Z|.*/Sec\.\Z", word) for word in words[1:]):
            secure.setdefault(names[-1], words[0])
    current = newer.partition("Obsoleting Packages")[0]
    rows = filter(None, (_NEWER.match(line) for line in current.splitlines()))
    return [Update(row[1], row[2], row[1] in secure, secure.get(row[1])) for row in rows]


def _newest(paths: t.Iterable[str]) -> Moment | None:
    times = [os.path.getmtime(path) for path in paths if os.path.exists(path)]
    return moment(max(times)) if times else None


_MANAGERS: dict[str, t.Callable[[Host], Found]] = {"apt-get": _apt, "dnf": _dnf}
