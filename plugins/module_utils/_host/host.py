# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host that is asked: its programs and files, and what could not be seen of it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import typing as t

from .._evidence.document import Unknown

Run = t.Callable[[list[str]], tuple[int, str, str]]

#: The exit code of a program that is missing.
_MISSING = 127
#: The exit code of timeout(1) for a program that it has ended.
TIMED_OUT = 124
#: No file that is read here is larger.
_MOST_OCTETS = 8 << 20


class Host:
    """Programs and files of a host.

    A question about a fact gives ``None`` if the answer cannot be had, and the reason is kept in :attr:`unknown`.

    :param run: runs a program and returns its exit code, standard output and standard error.
    :param root: what precedes every path, in tests.
    """

    def __init__(self, run: Run, root: str = "") -> None:
        self._run = run
        self.root = root
        self.unknown: list[Unknown] = []
        self._known: dict[str, t.Any] = {}

    def once(self, question: str, answer: t.Callable[[], t.Any]) -> t.Any:
        """What the first call of ``answer`` has returned."""
        if question not in self._known:
            self._known[question] = answer()
        return self._known[question]

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Run a program, whatever comes of it. One that is missing has exit code 127."""
        return self._run(list(argv))

    def ask(self, fact: str, *argv: str) -> str | None:
        """The output of a program that has to succeed."""
        code, output, complaints = self.run(*argv)
        if code == 0:
            return output
        self.cannot(fact, why_failed(argv, code, complaints or output))
        return None

    def cannot(self, fact: str, reason: str) -> None:
        """Note that a fact is not known, once."""
        note = Unknown(fact, reason)
        if note not in self.unknown:
            self.unknown.append(note)

    def blame(self, fact: str, path: str, error: OSError) -> None:
        """Note that a fact is not known because of a file."""
        needed = " Set become: true." if isinstance(error, PermissionError) and os.geteuid() else ""
        self.cannot(fact, f"{path} cannot be read: {error.strerror or error}.{needed}")

    def octets(self, fact: str, path: str, required: bool = False) -> bytes | None:
        """The content of a file; ``None`` also if there is none, which is not unknown.

        :param required: it is unknown then, too, since a configuration names the file.
        """
        try:
            return read_file(self.root + path)
        except (FileNotFoundError, NotADirectoryError):
            if required:
                self.cannot(fact, f"{path} does not exist.")
            return None
        except OSError as error:
            self.blame(fact, path, error)
            return None

    def text(self, fact: str, path: str, required: bool = False) -> str | None:
        """The text of a file, as :meth:`octets` reads it."""
        content = self.octets(fact, path, required)
        return None if content is None else content.decode("utf-8", "replace")

    def names(self, fact: str, path: str) -> list[str]:
        """The names in a directory, sorted; none if there is none."""
        try:
            return sorted(os.listdir(self.root + path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.blame(fact, path, error)
            return []

    def has(self, program: str) -> bool:
        """Whether a program is installed."""
        return shutil.which(program) is not None


def read_file(path: str) -> bytes:
    """The content of a file of bounded size. A device or a pipe, which may have no end, is refused.

    :raises OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "It is not a file")
        content = stream.read(_MOST_OCTETS + 1)
    if len(content) > _MOST_OCTETS:
        raise OSError(errno.EFBIG, f"It is larger than {_MOST_OCTETS >> 20} MB")
    return content


def why_failed(argv: t.Sequence[str], code: int, said: str) -> str:
    """A sentence about a program that failed."""
    program = next(word for word in argv if word != "env" and "=" not in word)
    if code == _MISSING:
        return f"{program} is not installed."
    if code == TIMED_OUT:
        return f"{program} did not answer in time."
    last = (said.strip() or f"exit code {code}").splitlines()[-1]
    return f"{program} failed: {last.rstrip('.')}."
