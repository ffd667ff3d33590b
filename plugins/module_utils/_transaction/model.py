# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a transaction: files as declared, as they are on the host, and as the last run left them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import typing as t
from dataclasses import dataclass, field


class TransactionError(Exception):
    """A step failed; the text says why.

    :ivar step: name of the step; empty until :class:`Steps` sets it.
    :ivar file: path of the file in which a validator found a problem, if it names one.
    :ivar line: line in that file, counted from 1.
    """

    def __init__(self, text: str, file: str | None = None, line: int | None = None) -> None:
        super().__init__(text)
        self.step = ""
        self.file = file
        self.line = line


#: Called before every step with its name, and its path or an empty string.
Observer = t.Callable[[str, str], None]


class Steps:
    """Report each step to the observer, and turn errors of the operating system into :class:`TransactionError`."""

    def __init__(self, observe: Observer) -> None:
        self._observe = observe

    @contextlib.contextmanager
    def __call__(self, name: str, path: str = "") -> t.Iterator[None]:
        """:raises TransactionError: the step failed."""
        try:
            self._observe(name, path)
            yield
        except OSError as error:
            failure = TransactionError(f"{path or error.filename}: {error.strerror or error} ({name})")
            failure.step = name
            raise failure from error
        except TransactionError as error:
            error.step = error.step or name
            raise


@dataclass(frozen=True)
class WantedFile:
    """One file as declared.

    :param path: absolute and normalised, so that it cannot leave the stage it is placed below.
    :param content: octets; ``None`` if a program builds the file in the stage.
    :param mode: permission bits.
    :param secret: whether the content must not be shown.
    :param recipe: identifies the source and the command of a built file: the file is rebuilt if this changes.
    """

    path: str
    content: bytes | None
    mode: int = 0o644
    owner: str | None = "root"
    group: str | None = "root"
    secret: bool = False
    recipe: str = ""

    def __post_init__(self) -> None:
        """:raises TransactionError: the path is not absolute and normalised."""
        require_plain(self.path)


@dataclass(frozen=True)
class WantedDirectory:
    """A directory that is made if it is missing; an existing one is not changed."""

    path: str
    mode: int = 0o755
    owner: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        """:raises TransactionError: the path is not absolute and normalised."""
        require_plain(self.path)


def require_plain(path: str) -> None:
    """Require an absolute, normalised path other than ``/``.

    :raises TransactionError: it is not one.
    """
    if not path.startswith("/") or os.path.normpath(path) != path or path == "/":
        raise TransactionError(f"{path!r} is not a normalised absolute path; expected a path such as /etc/app.conf")


@dataclass(frozen=True)
class PresentFile:
    """One file as it is on the host. ``None`` is used in its place if there is none."""

    content: bytes
    mode: int
    uid: int
    gid: int


@dataclass(frozen=True)
class OwnedFile:
    """One file as the last run left it.

    :param digest: SHA-256 of the content, in hexadecimal.
    :param first: whether its original is kept.
    """

    digest: str
    mode: int
    secret: bool = False
    recipe: str = ""
    first: bool = False


@dataclass(frozen=True)
class Manifest:
    """What a transaction owns between runs: files by path, the directories it made, and services.

    :param services: first states of the services that use its files, by name. A state is a word that only
        :class:`.stage.Host` interprets.
    :param noted: first states of the services that are to use its files, while no run has completed with them.
    """

    files: dict[str, OwnedFile] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.files or self.directories or self.services or self.noted)

    @property
    def first_states(self) -> dict[str, str]:
        """First states of all services that a run may have touched, by name."""
        return {**self.noted, **self.services}


def digest_of(content: bytes) -> str:
    """Return the SHA-256 digest in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def parents_of(path: str) -> t.Iterator[str]:
    """Yield the directories above a path, nearest first, without ``/``."""
    while (path := os.path.dirname(path)) != "/":
        yield path
