# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a staged configuration with the tools of Postfix and OpenSSL, before it is started."""

from __future__ import annotations

import os
import re
import shutil
import typing as t
from datetime import datetime, timezone

from .canary_config import WRITTEN, Home
from .canary_process import Output, run
from .config import Configuration, parse_main, parse_master, parse_options
from .problem import ConfigText, Problem

#: Parameters that the canary needs even if they have their default.
_ASKED = [
    "daemon_directory",
    "data_directory",
    "inet_interfaces",
    "inet_protocols",
    "mail_owner",
    "mydomain",
    "myhostname",
    "mynetworks",
    "queue_directory",
    "setgid_group",
    "smtpd_sasl_type",
    "smtpd_tls_wrappermode",
]
#: Types of lookup tables that are built from a source, with the suffix of the built file; and those read directly.
_BUILT = {"btree": ".db", "cdb": ".cdb", "dbm": ".dir", "hash": ".db", "lmdb": ".lmdb", "sdbm": ".dir"}
_READ = ("cidr", "pcre", "regexp", "texthash")
_TABLE = re.compile(rf"(?<![\w-])({'|'.join([*_BUILT, *_READ])}):(/[^\s,{{}}]+)")
_PROGRAM = re.compile(r"\A(?:postconf|postmap|postalias): (?:warning|fatal|error): ")
_CERTIFICATES = re.compile(r"(?:smtpd?|lmtp|tlsproxy(?:_client)?)_tls_(?:(?:ec|d)?cert_file|chain_files)")
_DATE = "%b %d %H:%M:%S %Y %Z"


def read(
    directory: str, source: ConfigText, localize: t.Callable[[str], str]
) -> tuple[Configuration | None, list[Problem]]:
    """Read a configuration directory with postconf(1).

    :param localize: converts paths of the canary to those of the live host.
    :returns: the configuration, or None if postconf failed; and the problems that postconf reported.
    """
    commands = (["-n"], ["-nx"], ["-x", *_ASKED], ["-M"], ["-Px"])
    outputs: list[str] = []
    problems: list[Problem] = []
    for words in commands:
        output = run("postconf", "-c", directory, *words)
        problems += map(source.blame, _complaints(output, localize))
        if output.code:
            return None, problems
        outputs.append(output.output)
    main, expanded, asked, master, options = outputs
    configuration = Configuration(
        parse_main(main), {**parse_main(expanded), **parse_main(asked)}, parse_master(master), parse_options(options)
    )
    return configuration, problems


def _complaints(output: Output, localize: t.Callable[[str], str]) -> list[str]:
    lines = [localize(_PROGRAM.sub("", line)) for line in output.complaints.splitlines() if line.strip()]
    return lines or ([f"exit code {output.code}"] if output.code else [])


class Checks:
    """Checks of one configuration.

    :param directory: the configuration directory of the canary.
    :param moved: converts a path of the live host to the canary's.
    :param localize: converts paths of the canary to those of the live host.
    """

    def __init__(
        self,
        home: Home,
        configuration: Configuration,
        directory: str,
        source: ConfigText,
        moved: t.Callable[[str], str],
        localize: t.Callable[[str], str],
    ) -> None:
        self._home = home
        self._configuration = configuration
        self._directory = directory
        self._source = source
        self._moved = moved
        self._localize = localize

    def tables(self) -> t.Iterator[Problem]:
        """Check each lookup table that is a file."""
        tables: dict[tuple[str, str], str] = {}
        for name, value in self._configuration.settings():
            for kind, path in [] if WRITTEN.fullmatch(name) else _TABLE.findall(value):
                tables.setdefault((kind, self._moved(path)), name)
        for (kind, path), name in tables.items():
            said = self._built(kind, path, name) if kind in _BUILT else self._look_up(kind, path)
            yield from (self._blame(one, name) for one in said)

    def _built(self, kind: str, path: str, name: str) -> t.Iterator[str]:
        """Find errors in a staged source, and report a missing database."""
        if self._is_staged(path):
            yield from self._aliases(kind, path) if name.startswith("alias_") else self._look_up("texthash", path)
        database = path + _BUILT[kind]
        if not os.path.exists(database):
            yield f"open database {self._localize(database)}: No such file or directory"

    def _aliases(self, kind: str, path: str) -> list[str]:
        scratch = f"{self._home.path}/aliases"
        shutil.copyfile(path, scratch)
        built = run("postalias", "-c", self._directory, f"{kind}:{scratch}")
        return [said.replace(scratch, self._localize(path)) for said in _complaints(built, self._localize)]

    def _is_staged(self, path: str) -> bool:
        """Whether a file belongs to the canary, rather than being a link to a live file."""
        return os.path.isfile(path) and os.path.realpath(path).startswith(f"{self._home.tree}/")

    def _look_up(self, kind: str, path: str) -> list[str]:
        output = run("postmap", "-c", self._directory, "-q", "mailops-canary", f"{kind}:{path}")
        return _complaints(output._replace(code=0), self._localize)

    def _blame(self, said: str, name: str) -> Problem:
        return self._source.on(said, name) if "No such file" in said else self._source.blame(said)

    def certificates(self) -> t.Iterator[Problem]:
        """Check the dates of certificates, which Postfix does not check."""
        seen = set()
        for name, value in self._configuration.settings():
            for path in value.replace(",", " ").split() if _CERTIFICATES.fullmatch(name) else ():
                problem = None if path in seen else self._dates(path)
                seen.add(path)
                if problem:
                    advice = "Renew it or configure another one, and check the host's clock."
                    yield self._source.on(problem, name, advice)

    def _dates(self, path: str) -> str | None:
        """Check the validity of the first certificate in a file. Files without a certificate are reported by smtpd."""
        output = run("openssl", "x509", "-noout", "-dates", "-in", self._moved(path))
        if output.code:
            return None
        dates = parse_main(output.output)
        begin, end = (_date(dates[name]) for name in ("notBefore", "notAfter"))
        now = datetime.now(timezone.utc)
        if end < now:
            return f"the certificate in {path} expired on {end:%Y-%m-%d %H:%M} UTC"
        if begin > now:
            return f"the certificate in {path} is not valid before {begin:%Y-%m-%d %H:%M} UTC"
        return None

    def ports(self) -> t.Iterator[Problem]:
        """Check the entries for ports, whose errors the canary does not see because it listens on Unix sockets."""
        for service in self._configuration.services:
            if service.type == "inet" and service.private != "n":
                said = f"{service.name} inet: inet service cannot be private"
                yield self._source.on_service(said, service, "Write n in the private column.")
            port = service.name.rpartition(":")[2]
            if service.type == "inet" and not port.isdigit() and run("getent", "services", f"{port}/tcp").code:
                said = f"{service.name} inet: /etc/services has no port {port}/tcp"
                yield self._source.on_service(said, service, "Correct the name, or write the port number.")


def _date(text: str) -> datetime:
    return datetime.strptime(text, _DATE).replace(tzinfo=timezone.utc)
