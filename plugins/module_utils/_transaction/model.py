# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values a transaction deals with: files as they shall be, as they are, and as the last run left them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import typing as t
from dataclasses import dataclass, field


class TransactionError(Exception):
    """A step that could not be done; the text is a sentence.

    :ivar step: name of the step, empty until the transaction knows it.
    :ivar file: path of the file that a validator complains of, if it names one.
    :ivar line: line in that file, counted from 1.
    """

    def __init__(self, text: str, file: str | None = None, line: int | None = None) -> None:
        super().__init__(text)
        self.step = ""
        self.file = file
        self.line = line


#: Told of every step before it is taken: its name, and the path it is about, if any.
Observer = t.Callable[[str, str], None]


class Steps:
    """Announces each step, and makes a sentence of what the operating system refuses in it."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe

    @contextlib.contextmanager
    def __call__(self, name: str, path: str = "") -> t.Iterator[None]:
        """:raises TransactionError: the step failed."""
        try:
            self._observe(name, path)
            yield
        except OSError as error:
            told = TransactionError(f"{path or error.filename}: {error.strerror or error} ({name})")
            told.step = name
            raise told from error
        except TransactionError as error:
            error.step = error.step or name
            raise


@dataclass(frozen=True)
class WantedFile:
    """One file as it shall be.

    :param path: absolute and normal, so that below another root it stays there.
    :param content: octets; ``None`` when a program builds the file in the stage.
    :param mode: permission bits.
    :param secret: whether the content may never be shown.
    :param recipe: what a built file is made from and how, in short: it is built anew when this changes.
    """

    path: str
    content: bytes | None
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    secret: bool = False
    recipe: str = ""

    def __post_init__(self) -> None:
        """:raises TransactionError: the path is not absolute, or leads elsewhere than it reads."""
        require_plain(self.path)


@dataclass(frozen=True)
class WantedDirectory:
    """A directory that is made where missing; one that is there is left as it is."""

    path: str
    mode: int = 0o755
    owner: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        """:raises TransactionError: as for files."""
        require_plain(self.path)


def require_plain(path: str) -> None:
    """:raises TransactionError: the path is not absolute and normal."""
    if not path.startswith("/") or os.path.normpath(path) != path or path == "/":
        raise TransactionError(f"{path!r} is no plain absolute path; expected something like /etc/app.conf")


@dataclass(frozen=True)
class PresentFile:
    """One file as it is; ``None`` in its place means there is none."""

    content: bytes
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True)
class OwnedFile:
    """One file as the last run left it.

    :param digest: SHA-256 of the content, in hexadecimal.
    :param first: whether an original from before the first run is kept.
    """

    digest: str
    mode: int
    secret: bool = False
    recipe: str = ""
    first: bool = False


@dataclass(frozen=True)
class Manifest:
    """What a transaction owns: files by path, the directories it made, and services, with the state each was in first.

    :param services: those that use its files; the state is a word that only :class:`.stage.Service` understands.
    :param noted: those that a run was going to use and, so far, none has.
    """

    files: dict[str, OwnedFile] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.files or self.directories or self.services or self.noted)

    @property
    def first_states(self) -> dict[str, str]:
        """Of every service that a run may have touched."""
        return {**self.noted, **self.services}


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def parents_of(path: str) -> t.Iterator[str]:
    """The directories above a path, nearest first, without ``/``."""
    while (path := os.path.dirname(path)) != "/":
        yield path
