# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the lines about one message in the log of Postfix, without reading all of it."""

from __future__ import annotations

import glob
import os
import re
import typing as t

Run = t.Callable[[list[str]], tuple[int, str, str]]

#: The files of the syslog facility ``mail`` on Debian and Red Hat.
FILES = ("/var/log/mail.log", "/var/log/maillog")
#: What journald stores, in memory or on disk. With Storage=none, there is neither.
JOURNALS = ("/run/log/journal/*/*.journal", "/var/log/journal/*/*.journal")
#: The lines of a process about its connection, which do not name the message.
_OF_CONNECTION = "TLS|SSL|SASL|certificate"
#: How much of a file is searched, in bytes from its end.
_TAIL_BYTES = 64 * 1024 * 1024


class LogSource(t.Protocol):
    """A log."""

    def read(self, words: t.Collection[str], pids: t.Collection[int]) -> list[str]:
        """Return the lines that contain one of these words or come from one of these processes, in order."""


class Journald:
    """The log of journald. The facility ``mail`` identifies the lines, whatever unit Postfix runs in.

    :param run: runs a program and returns its exit code, standard output and standard error.
    :param since: the start time, as for ``journalctl --since``.
    """

    def __init__(self, run: Run, since: str) -> None:
        self._run = run
        self._command = ["journalctl", "--no-pager", "--quiet", "--output=short-unix", f"--since={since}"]

    def read(self, words: t.Collection[str], pids: t.Collection[int]) -> list[str]:
        lines = self._grep("|".join(map(re.escape, sorted(words))), [])
        if not pids:
            return lines
        lines += self._grep(_OF_CONNECTION, [f"_PID={pid}" for pid in sorted(pids)])
        return sorted(dict.fromkeys(lines), key=lambda line: line.partition(" ")[0])

    def _grep(self, pattern: str, matches: list[str]) -> list[str]:
        code, output = self._run([*self._command, f"--grep={pattern}", "SYSLOG_FACILITY=2", *matches])[:2]
        return output.splitlines() if code == 0 else []


class Files:
    """Log files. Missing files are ignored."""

    def __init__(self, paths: t.Sequence[str]) -> None:
        self._paths = paths

    def read(self, words: t.Collection[str], pids: t.Collection[int]) -> list[str]:
        wanted = re.compile("|".join([*map(re.escape, words), *(rf"\[{pid}\]: " for pid in pids)]).encode())
        found = []
        for path in filter(os.path.isfile, self._paths):
            with open(path, "rb") as file:
                file.seek(max(0, os.path.getsize(path) - _TAIL_BYTES))
                found += [line.decode("utf-8", "replace").rstrip("\n") for line in file if wanted.search(line)]
        return found


class FirstOf:
    """Several logs, of which the first that contains the message is used."""

    def __init__(self, sources: t.Sequence[LogSource]) -> None:
        self._sources = sources

    def read(self, words: t.Collection[str], pids: t.Collection[int]) -> list[str]:
        for source in self._sources:
            lines = source.read(words, pids)
            if lines:
                return lines
        return []


def keeps_log(maillog_file: str) -> bool:
    """Whether the host stores what Postfix logs, in any of the places that are searched."""
    return any(map(os.path.isfile, filter(None, (maillog_file, *FILES)))) or any(map(glob.glob, JOURNALS))


def choose(run: Run, maillog_file: str, since: str) -> LogSource:
    """Choose the log: the file that Postfix writes itself, if any, then journald, then the files of syslog."""
    own: list[LogSource] = [Files([maillog_file])] if maillog_file else []
    return FirstOf([*own, Journald(run, since), Files(FILES)])
