# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of a configuration, in Postfix's words, with their place and advice."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

from .config import EntryPlace, MasterEntry, find_parameter, find_service, find_word


@dataclass(frozen=True)
class Problem:
    """One error that must be corrected before a configuration can go live.

    :param said: what Postfix logged or did.
    :param advice: what to do, as a sentence.
    :param file: the file with the error.
    :param line: counted from 1; 0 if no single line has the error.
    :param parameter: of main.cf, or of ``-o`` in master.cf; empty if no parameter has the error.
    """

    said: str
    advice: str
    file: str
    line: int = 0
    parameter: str = ""

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        parameter = f" ({self.parameter})" if self.parameter else ""
        stop = "" if self.said.endswith((".", "?")) else "."
        return f"{where}{parameter}: {self.said}{stop} {self.advice}"

    def to_dict(self) -> dict[str, t.Any]:
        """The form that a module returns."""
        return dict(vars(self))


#: Patterns of what Postfix logs, and the advice. The first match is used.
_ADVICE: tuple[tuple[str, str], ...] = (
    (r"unused parameter", "Postfix does not know this parameter: check its spelling, or remove it."),
    (r"unknown smtpd restriction", "Check its spelling: Postfix replies 451 to clients that reach it."),
    (r"overriding earlier entry|duplicate entry", "Remove one of the two."),
    (r"TLS level", "Check its spelling: postconf(5) lists the levels of this parameter, such as encrypt."),
    (r"does not match|key values mismatch", "Use the key that belongs to this certificate."),
    (
        r"private key from file",
        "Check that the file exists and has the key in PEM form, without a passphrase, and that only root can read it.",
    ),
    (r"certificate from file|certificate chain", "Check that the file exists and has the certificate in PEM form."),
    (r"expected format: key whitespace value", "Write the key, a space and the value."),
    (r"need name:value pair", "Write the name, a colon and the value."),
    (r"bad field count|field count", "Write eight fields, of which the last one is the command."),
    (r"missing '='", "Write name = value; a continuation line begins with a space."),
    (
        r"unsupported (dictionary|map) type",
        "Install the package for this table type, or use a type that postconf -m lists.",
    ),
    (r"No such file", "Check the path; the file must be part of this configuration or exist on the host."),
    (r"Permission denied", "Check the owner and mode of the file and of its parent directories."),
    (r"will be removed", "Use the replacement that Postfix names."),
    (r"specify at least one working instance", "Add reject_unauth_destination: without it, Postfix receives no mail."),
    (r"bad numerical|bad (time|boolean)", "Write a value of the type that postconf(5) gives for this parameter."),
    (r"unsupported SASL server implementation", "Use one that postconf -a lists."),
    (r"no SASL authentication mechanisms", "Check smtpd_sasl_type, smtpd_sasl_path and smtpd_sasl_security_options."),
)
_FALLBACK = "Correct it."

_LINE = re.compile(r"(?:file )?(?P<file>/[^\s,:]+)(?:, line |: line |\((?=\d+\)))(?P<line>\d+)\)?: *")
_UNUSED = re.compile(r"(?P<file>/[^\s,:]+): (?=unused parameter: (?P<name>\w+)=)")
_PATH = re.compile(r"(?<![\w.])/[\w./+@-]+[\w+@-]")
_DATABASE = re.compile(r"\.(?:db|lmdb|cdb|dir|pag)\Z")


def advise(said: str) -> str:
    """The advice for an error of Postfix, as a sentence."""
    return next((advice for pattern, advice in _ADVICE if re.search(pattern, said)), _FALLBACK)


@dataclass(frozen=True)
class ConfigText:
    """The text of a configuration, in which to find the place of a problem.

    :param directory: the directory of main.cf and master.cf on the live host.
    """

    directory: str
    main: str
    master: str

    def blame(self, said: str) -> Problem:
        """Turn a warning of Postfix into a problem with its place."""
        for pattern in (_LINE, _UNUSED):
            match = pattern.search(said)
            if match:
                return self._in_file(match.groupdict(), said[match.end() :])
        places = (self._find(word) for word in _suspects(said, self.directory))
        path, place = next(filter(None, places), (self.main_path, EntryPlace(0, "")))
        return Problem(said, advise(said), path, *place)

    def on(self, said: str, parameter: str, advice: str = "") -> Problem:
        """A problem of a parameter."""
        path, place = self._find(parameter) or (self.main_path, EntryPlace(0, ""))
        return Problem(said, advice or advise(said), path, place.line, parameter)

    def on_service(self, said: str, service: MasterEntry, advice: str) -> Problem:
        """A problem of an entry of master.cf."""
        place = find_service(self.master, service) or EntryPlace(0, "")
        return Problem(said, advice, self.master_path, place.line)

    def sets(self, parameter: str) -> bool:
        """Whether the configuration sets a parameter."""
        return self._find(parameter) is not None

    def _find(self, word: str) -> tuple[str, EntryPlace] | None:
        for path, text in ((self.main_path, self.main), (self.master_path, self.master)):
            place = find_parameter(text, word) or find_word(text, word)
            if place:
                return path, place
        return None

    @property
    def main_path(self) -> str:
        """The path of main.cf on the live host."""
        return f"{self.directory}/main.cf"

    @property
    def master_path(self) -> str:
        """The path of master.cf on the live host."""
        return f"{self.directory}/master.cf"

    def _in_file(self, found: t.Mapping[str, str], said: str) -> Problem:
        path = found["file"]
        line = int(found.get("line", 0))
        text = {self.main_path: self.main, self.master_path: self.master}.get(path, "")
        if "name" in found:
            place = find_word(text, found["name"]) or EntryPlace(0, "")
            return Problem(said, advise(said), path, place.line, found["name"])
        parameter = re.match(r"overriding earlier entry: (\w+)", said)
        return Problem(said, advise(said), path, line, parameter.group(1) if parameter else "")


def _suspects(said: str, directory: str) -> t.Iterator[str]:
    """The words of a warning that may occur in main.cf or master.cf, the most specific first."""
    yield from re.findall(r"\b[a-z0-9]+(?:_[a-zA-Z0-9]+)+\b", said)
    yield from re.findall(r'"([^"]+)"', said)
    yield from re.findall(r": (\S+?)\.?(?=\s|\Z)", said)
    for path in _PATH.findall(said):
        for name in (path, _DATABASE.sub("", path)):
            yield name
            if name.startswith(f"{directory}/"):
                yield f"$config_directory{name[len(directory) :]}"
                yield f"${{config_directory}}{name[len(directory) :]}"
        yield os.path.basename(path)
