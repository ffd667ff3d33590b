# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse main.cf and master.cf as postconf(1) prints them, and find the line of a word in the files."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

#: An entry of main.cf or master.cf with the lines that continue it (postconf(5)).
_ENTRY = re.compile(r"^[^\s#].*(?:\n(?:[ \t]|#|(?=\n)).*)*", re.MULTILINE)
_FIELDS = ("name", "type", "private", "unprivileged", "chroot", "wakeup", "processes", "command")


@dataclass(frozen=True)
class MasterEntry:
    """One entry of master.cf (master(5)), with the fields as postconf prints them."""

    name: str
    type: str
    private: str
    unprivileged: str
    chroot: str
    wakeup: str
    processes: str
    command: str
    arguments: tuple[str, ...] = ()

    def with_options(self, options: t.Mapping[str, str]) -> MasterEntry:
        """Append ``-o name=value`` for each option, at the end, where it takes precedence."""
        words = [word for name, value in options.items() for word in ("-o", f"{{{name} = {value}}}")]
        return replace(self, arguments=(*self.arguments, *words))

    def __str__(self) -> str:
        """The entry as a line of master.cf."""
        return " ".join([*list(vars(self).values())[:-1], *self.arguments])


@dataclass(frozen=True)
class Configuration:
    """The configuration in one directory, as postconf reports it.

    :param main: parameters that main.cf sets, as written.
    :param expanded: the same and some defaults, with ``$name`` expanded.
    :param services: the entries of master.cf.
    :param options: the parameters that a service sets with ``-o``, by its name and type, with ``$name`` expanded.
    """

    main: t.Mapping[str, str]
    expanded: t.Mapping[str, str]
    services: t.Sequence[MasterEntry]
    options: t.Mapping[tuple[str, str], t.Mapping[str, str]]

    def value(self, name: str, service: MasterEntry | None = None) -> str:
        """The value of a parameter for a service, or for those without ``-o``; empty if it is not known."""
        own = self.options.get((service.name, service.type), {}) if service else {}
        return own.get(name, self.expanded.get(name, ""))

    def settings(self) -> t.Iterator[tuple[str, str]]:
        """Every parameter that main.cf or master.cf sets, with ``$name`` expanded."""
        yield from ((name, self.expanded[name]) for name in self.main)
        for options in self.options.values():
            yield from options.items()


def parse_main(output: str) -> dict[str, str]:
    """Parse the output of ``postconf -n``: parameters by name."""
    pairs = [line.partition("=") for line in output.splitlines() if "=" in line]
    return {name.strip(): value.strip() for name, _sign, value in pairs}


def parse_master(output: str) -> list[MasterEntry]:
    """Parse the output of ``postconf -M``: the entries of master.cf."""
    services = []
    for line in output.splitlines():
        words = split_words(line, " \t")
        fields = dict(zip(_FIELDS, words))
        services.append(MasterEntry(**fields, arguments=tuple(words[8:])))
    return services


def parse_options(output: str) -> dict[tuple[str, str], dict[str, str]]:
    """Parse the output of ``postconf -P``: parameters by the name and type of a service."""
    options: dict[tuple[str, str], dict[str, str]] = {}
    for key, value in parse_main(output).items():
        service, kind, name = key.rsplit("/", 2)
        options.setdefault((service, kind), {})[name] = value
    return options


def split_words(text: str, separators: str = " \t\r\n,") -> list[str]:
    """Split a text into words; ``{...}`` is one word (postconf(5), master(5))."""
    words, word, depth = [], "", 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth == 0 and character in separators:
            words.append(word)
            word = ""
        else:
            word += character
    return [word for word in [*words, word] if word]


class EntryPlace(t.NamedTuple):
    """A place in main.cf or master.cf. ``line`` counts from 1; ``parameter`` is empty if none is known."""

    line: int
    parameter: str


def find_parameter(text: str, name: str) -> EntryPlace | None:
    """Find the last setting of a parameter in main.cf, which is the effective one."""
    found = [place for place, _entry in _entries(text) if place.parameter == name]
    return found[-1] if found else None


def find_service(text: str, service: MasterEntry) -> EntryPlace | None:
    """Find the first line of an entry in master.cf."""
    pattern = re.compile(rf"{re.escape(service.name)}\s+{re.escape(service.type)}\s")
    found = [place for place, entry in _entries(text) if pattern.match(entry)]
    return found[-1] if found else None


def find_word(text: str, word: str) -> EntryPlace | None:
    """Find the line of main.cf or master.cf with a word, and the parameter whose value contains it."""
    pattern = re.compile(rf"(?<![\w./-]){re.escape(word)}(?![\w./-])")
    for place, entry in _entries(text):
        before = ""
        for offset, line in enumerate(entry.split("\n")):
            match = None if line.lstrip().startswith("#") else pattern.search(line)
            if match:
                options = re.findall(r"-o\s*\{?\s*(\w+)\s*=", f"{before}{line[: match.end()]}=")
                return EntryPlace(place.line + offset, place.parameter or (options[-1] if options else ""))
            before += line
    return None


def _entries(text: str) -> t.Iterator[tuple[EntryPlace, str]]:
    for match in _ENTRY.finditer(text):
        name = re.match(r"(\w+)\s*=", match.group())
        yield EntryPlace(text.count("\n", 0, match.start()) + 1, name.group(1) if name else ""), match.group()
