# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the settings of a certificate from working on a host, before the host is changed."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from pathlib import Path

from . import lineage
from .files import folders_of, read_pem, run
from .judging import candidate, judge
from .ordering import FOREIGN, due, order_due
from .places import Settings, Trouble

_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def examine(settings: Settings) -> dict[str, t.Any]:
    """Return ``problems``; why a certificate is ``due``, empty if it is not; whether one is ``installed``.

    ``folders`` are those in which its files change: where their paths are, and where each link is and leads.
    """
    problems: list[str] = []
    reason = ""
    try:
        if settings["acme"]:
            reason = due(settings)
            if order_due(settings):
                problems += [problem for find in _HINDRANCES for problem in find(settings)]
        else:
            judge(candidate(settings["source"]), settings["source"]["chain"], settings["names"])
            reason = due(settings)
    except Trouble as trouble:
        problems.append(f"relay_tls: {trouble}")
    folders = list(dict.fromkeys(folder for path in settings["source"].values() for folder in folders_of(path)))
    problems += [
        f"relay_tls: a link leads to {folder!r}, which no unit of systemd can follow; expected a path of printable"
        " characters. Correct the link."
        for folder in folders
        if not folder.isprintable() or folder.endswith("\\")
    ]
    return {"problems": problems, "due": reason, "installed": Path(settings["file"]).exists(), "folders": folders}


def _foreign(_settings: Settings) -> t.Iterator[str]:
    """Yield a sentence if the lineage was not made by the role, which would remove it one day."""
    if lineage.is_foreign():
        yield FOREIGN


def _without_authority(settings: Settings) -> t.Iterator[str]:
    """Yield a sentence if the certificate of an own authority cannot be read."""
    path = settings["acme"].get("ca_file")
    if not path:
        return
    wrong = "has no certificate in PEM format"
    try:
        if _CERTIFICATE in read_pem(path):
            return
    except OSError as error:
        wrong = f"is not a file of this host that can be read ({error.strerror})"
    yield f"relay_tls.acme.ca_file: {path} {wrong}; expected the authority's certificate."


def _taken(settings: Settings) -> t.Iterator[str]:
    """Yield a sentence if a program listens on port 80, on which the authority must reach certbot."""
    if settings["acme"]["challenge"] != "http-01":
        return
    listening = run("ss", "-Hltnp", "sport = :80").stdout
    program = re.search(r'users:\(\("([^"]+)"', listening)
    if listening.strip() and (not program or program[1] != "certbot"):
        yield (
            f"relay_tls.acme.challenge: {program[1] if program else 'a program'} listens on port 80, which http-01"
            " needs; expected that it is free. Stop that program, or set challenge to dns-01, or let it obtain the"
            " certificate and set relay_tls.path."
        )


def _elsewhere(settings: Settings) -> t.Iterator[str]:
    """Yield a sentence for each name that does not lead to this host. /etc/hosts may name it by a loopback address.

    Both families count: an authority asks the IPv6 address first, and need not try the other one.
    """
    if settings["acme"]["challenge"] != "http-01":
        return
    shown_at = {*re.findall(r"inet6? ([0-9a-f.:]+)/", run("ip", "-oneline", "address").stdout)}
    shown_at |= {_shortest(one) for one in settings["addresses"]}
    for name in settings["acme"]["names"]:
        found = _addresses(name)
        public = {one for one in found if not one.startswith("127.") and one != "::1"}
        families = [{one for one in public if (":" in one) == is_ipv6} for is_ipv6 in (False, True)]
        strays = sorted(one for family in families if not family & shown_at for one in family)
        if not found:
            yield (
                f"relay_tls.acme.names: {name} has no address in the DNS, so the authority cannot find this host;"
                " expected a record that leads here. Publish it, or set challenge to dns-01."
            )
        elif strays:
            yield (
                f"relay_tls.acme.names: {name} leads to {', '.join(strays)}, which is not an address of this"
                " host; expected one. Correct the DNS; for a host behind NAT, name its outer address in"
                " relay_dns.addresses; or set challenge to dns-01."
            )


def _shortest(address: str) -> str:
    """Return an address as programs print it."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


def _addresses(name: str) -> set[str]:
    """Return the addresses of a name, as programs of this host look it up."""
    lines = run("getent", "ahosts", "--", name).stdout.splitlines()
    return {line.split()[0].partition("%")[0] for line in lines if line.strip()}


_HINDRANCES: tuple[t.Callable[[Settings], t.Iterator[str]], ...] = (_foreign, _without_authority, _taken, _elsewhere)
