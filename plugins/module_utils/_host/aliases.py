# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where mail to the names that every domain needs ends: each alias is followed, as Postfix itself looks it up."""

from __future__ import annotations

import pwd
import re
import typing as t

from .._evidence.host_config import Instance
from .._evidence.host_mail import Alias, Target
from .._postfix.config import split_words
from .host import Host
from .instances import find as find_instances
from .instances import value_of

#: Names that mail is sent to by rule (RFC 2142), and where a host's own messages go.
_NAMES = ("root", "postmaster", "abuse", "mailer-daemon", "hostmaster", "webmaster", "security")
#: Tables that are files, which can be asked without a server.
_FILES = re.compile(r"(?:proxy:)?(?:btree|cdb|cidr|dbm|hash|inline|lmdb|pcre|regexp|sdbm|static|texthash):")
_ITEM = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+')
#: More lead nowhere.
_DEEPEST = 50
_DISCARDED = "/dev/null"


def find(host: Host) -> tuple[Alias, ...] | None:
    """The ends of every name, for every instance."""
    instances = find_instances(host)
    if instances is None:
        host.cannot("aliases", "The configuration of Postfix is not known.")
        return None
    known = [one for one in instances if one.parameters is not None]
    return tuple(_Walk(host, instance, name).alias() for instance in known for name in _NAMES)


class _Walk:
    """The way of a name through virtual_alias_maps (virtual(5)) and alias_maps (aliases(5))."""

    def __init__(self, host: Host, instance: Instance, name: str) -> None:
        self._host = host
        self._instance = instance
        self._name = name
        self._place = ".".join(filter(None, ["aliases", instance.name, name]))
        self._found = False
        self._targets: dict[Target, None] = {}
        self._loops: dict[str, None] = {}
        #: Names whose ends are known; lists may name each other in very many ways.
        self._followed: set[str] = set()
        local = split_words(value_of(instance, "mydestination").lower())
        self._origin = self._origin_of(instance)
        self._local = {*local, self._origin} if self._origin in local else set(local)
        self._virtual = split_words(value_of(instance, "virtual_alias_domains").lower())
        # without local delivery, local(8) is never asked
        self._delivers = value_of(instance, "local_transport").partition(":")[0] not in ("error", "discard", "retry")

    def _origin_of(self, instance: Instance) -> str:
        """``myorigin``; Debian's Postfix takes a path for the file that has it on its first line."""
        value = value_of(instance, "myorigin")
        text = self._host.text(self._place, value, required=True) if value.startswith("/") else value
        return (text or "").strip().partition("\n")[0].strip().lower()

    def alias(self) -> Alias:
        """Follow the name to all of its ends."""
        self._address(f"{self._name}@{self._origin}", ())
        unknown = any(one.path == self._place for one in self._host.unknown)
        if unknown:
            return Alias(self._instance.name, self._name)
        return Alias(self._instance.name, self._name, self._found, tuple(self._targets), tuple(self._loops))

    def _address(self, address: str, way: tuple[str, ...]) -> None:
        """Follow an address through virtual_alias_maps, and a local one through alias_maps."""
        user, _at, domain = address.rpartition("@")
        if address in way or len(way) > _DEEPEST:
            self._end(address, user, domain, way)
            return
        if address in self._followed:
            return
        self._followed.add(address)
        keys = [address, *([user] if domain in self._local or domain == self._origin else []), f"@{domain}"]
        value = self._look_up("virtual_alias_maps", keys)
        if value is None:
            self._end(address, user, domain, way)
            return
        self._found = True
        for item in split_words(value):
            target = item if "@" in item else f"{item}@{self._origin}"
            if target.startswith("@"):
                target = user + target
            if target == address:
                self._end(address, user, domain, (*way, address))
            else:
                self._address(target.lower(), (*way, address))

    def _end(self, address: str, user: str, domain: str, way: tuple[str, ...]) -> None:
        """Where no virtual alias leads on."""
        if address in way[:-1]:
            self._loops[address] = None
        elif domain in self._local and self._delivers:
            self._local_name(user, ())
        elif domain in self._local or domain in self._virtual:
            self._targets[Target("unresolved", address)] = None
        else:
            self._targets[Target("address", address)] = None

    def _local_name(self, name: str, way: tuple[str, ...]) -> None:
        """Follow a local name as local(8) does."""
        if name in way or len(way) > _DEEPEST:
            # an alias may name its own mailbox
            if way[-1:] == (name,) and _is_user(name):
                self._targets[Target("mailbox", name)] = None
            else:
                self._loops[name] = None
            return
        if name in self._followed:
            return
        self._followed.add(name)
        value = self._look_up("alias_maps", [name])
        if value is None:
            self._targets[Target("mailbox" if _is_user(name) else "unresolved", name)] = None
            return
        self._found = True
        for item in _ITEM.findall(value):
            self._item(item.strip(), (*way, name))

    def _item(self, item: str, way: tuple[str, ...]) -> None:
        """One target of an alias."""
        target = item.strip('"').strip()
        if target.startswith("|"):
            self._targets[Target("program", None)] = None
        elif target.startswith(":include:"):
            self._targets[Target("list", target.partition(":include:")[2].strip())] = None
        elif target == _DISCARDED:
            self._targets[Target("discard", None)] = None
        elif target.startswith("/"):
            self._targets[Target("file", target)] = None
        elif target.startswith("\\"):
            name = target[1:].lower()
            self._targets[Target("mailbox" if _is_user(name) else "unresolved", name)] = None
        elif "@" in target and target.rpartition("@")[2].lower() not in self._local:
            self._targets[Target("address", target)] = None
        elif target:
            self._local_name(target.rpartition("@")[0].lower() or target.lower(), way)

    def _look_up(self, parameter: str, keys: t.Sequence[str]) -> str | None:
        """The first value that a table has for one of these keys."""
        for key in keys:
            for table in split_words(value_of(self._instance, parameter)):
                value = self._ask(table, key) if _FILES.match(table) else None
                if value is not None:
                    return value
                if not _FILES.match(table):
                    self._host.cannot(self._place, f"{table.partition(':')[0]} asks a server, which is not done here.")
        return None

    def _ask(self, table: str, key: str) -> str | None:
        """What a table has for a key. One that cannot be read is asked once: each attempt takes postmap a second."""
        directory = self._instance.config_directory
        unreadable: dict[str, str] = self._host.once(f"tables of {directory}", dict)

        def ask() -> str | None:
            # proxymap(8) is only there while Postfix runs
            own = table.replace("proxy:", "", 1)
            code, output, complaints = self._host.run("postmap", "-c", directory, "-q", key, own)
            # without an entry, postmap has nothing to say
            if "fatal: " in complaints or "error: " in complaints or code not in (0, 1):
                unreadable[table] = _why_not(table, code, complaints)
            return output.strip() if code == 0 else None

        answer: str | None = None
        if table not in unreadable:
            answer = self._host.once(f"{directory} {table} {key}", ask)
        if table in unreadable:
            self._host.cannot(self._place, unreadable[table])
        return answer


def _why_not(table: str, code: int, complaints: str) -> str:
    kind, _colon, place = table.replace("proxy:", "", 1).partition(":")
    if not place.startswith("/"):  # the table itself
        return f"A table of type {kind} in main.cf cannot be read."
    said = (complaints.strip() or f"exit code {code}").splitlines()[-1]
    return f"{table} cannot be read: {re.split('(?:fatal|error): ', said)[-1]}."


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except (KeyError, ValueError):
        return False
    return True
