# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform of a host: which entry of the caller's table it has, and what to say if it has none."""

from __future__ import annotations

import typing as t

Table = t.Mapping[str, t.Mapping[str, t.Any]]

#: What decides is the host's own word.
AUTO = "auto"
#: The first part of an entry's name, by ID of os-release(5), or by the ID of a system that the host rebuilds.
_FAMILIES = {
    "amzn": "Amazon",
    "debian": "Debian",
    "fedora": "Fedora",
    "ol": "RedHat",
    "rhel": "RedHat",
    "sles": "SUSE",
    "ubuntu": "Ubuntu",
}
_REBUILDS = {"rhel": "RedHat", "suse": "SUSE"}
#: What installs packages, by the same IDs.
_MANAGERS = {"debian": "apt", "ubuntu": "apt", "rhel": "dnf", "ol": "dnf", "fedora": "dnf", "amzn": "dnf"}


class Choice(t.NamedTuple):
    """The entry for a host.

    :ivar entry: its name; empty if there is none.
    :ivar problem: why the host cannot be used, as sentences.
    :ivar warning: what the user should know.
    """

    entry: str = ""
    problem: str = ""
    warning: str = ""


def choose(platform: t.Mapping[str, t.Any], table: Table, instead: str = AUTO) -> Choice:
    """Choose the entry of a table for a host.

    :param platform: ``id``, ``like``, ``version``, ``major`` and ``name`` of the host.
    :param table: the entries by name, such as ``Debian-13``, ``Ubuntu-24.04`` or ``SUSE``, each with its
        ``package_manager``; one that says why it is ``unsupported`` has no other values.
        Without a table there is no entry, and no problem.
    :param instead: name of the entry to use if the host has none of its own.
    """
    if not table:
        return Choice()
    supported = [name for name, entry in table.items() if not entry.get("unsupported")]
    if instead not in (AUTO, *supported):
        return Choice(
            problem=f"relay_platform: {instead!r} is not a valid platform; expected {AUTO}, {', '.join(supported)}."
        )
    own = next((name for name in _names(platform) if name in table), "")
    reason = str(table[own].get("unsupported", "")) if own else ""
    if own and not reason:
        return Choice(own)
    manager = next((_MANAGERS[one] for one in _lineage(platform) if one in _MANAGERS), "")
    related = [name for name, entry in table.items() if manager and entry.get("package_manager") == manager]
    if instead in related:
        return Choice(
            instead,
            warning=f"relay_platform: the role does not support {platform['name']}, and treats it as {instead}."
            f" {reason or 'That is not tested; packages, units and paths may differ.'} Read what --check --diff"
            " shows before you rely on it.",
        )
    expected = f"Expected one of {', '.join(supported)}, where RedHat is any distribution built from RHEL."
    return Choice(problem=" ".join([*_refusal(platform["name"], reason), expected, *_advice(related, instead)]))


def _refusal(name: str, reason: str) -> t.Iterator[str]:
    yield f"{name} is not supported; the host says in /etc/os-release what it is."
    if reason:
        yield reason


def _advice(related: t.Sequence[str], instead: str) -> t.Iterator[str]:
    if not related:
        return
    if instead != AUTO:
        yield f"relay_platform: {instead} has other packages than this host."
    yield f"To try it anyway, set relay_platform to the one this host is closest to: {', '.join(related)}."


def _names(platform: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the names that an entry for this host may have, the most exact first."""
    families = [_FAMILIES.get(platform["id"]), *map(_REBUILDS.get, platform["like"])]
    for family in filter(None, families):
        for version in (platform["version"], platform["major"]):
            yield f"{family}-{version or 'testing'}"  # Debian's testing has none
        yield family


def _lineage(platform: t.Mapping[str, t.Any]) -> list[str]:
    return [platform["id"], *platform["like"]]
