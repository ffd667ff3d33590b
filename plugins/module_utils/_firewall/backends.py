# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that can enforce the rules of the mail ports.

**What is in force follows the files.** A file that exists means rules, a file that does not exist means none, and every
backend is asked each time. So a change, its undo, the change to another backend and the removal are one operation.

Rules of others are never touched: each backend has a place of its own for the rules, and they name the mail ports only.
"""

from __future__ import annotations

import os
import typing as t

from .firewalld import Firewalld
from .host import FirewallError
from .nftables import Nftables
from .rules import PortRule
from .ufw import Ufw


class Backend(t.Protocol):
    """One program. Methods that change or judge something raise :class:`.host.FirewallError` when they cannot."""

    @property
    def paths(self) -> t.Collection[str]:
        """Files with its rules; whether they exist decides whether there are any."""

    @property
    def programs(self) -> t.Collection[str]:
        """Programs that it needs to judge files."""

    @property
    def own_chains(self) -> t.Collection[str]:
        """How the labels of the chains begin in which the backend itself can open a port."""

    def write(self, rules: t.Iterable[PortRule], heading: str) -> dict[str, str]:
        """Make the contents of its files, by path.

        :param heading: text of the comment at the top of each.
        """

    def validate(self, stage: str) -> None:
        """Let the program judge its files below the directory ``stage``."""

    def at_work(self) -> bool:
        """Whether the program decides about packets on this host."""

    def agrees(self) -> bool:
        """Whether the kernel has the rules of the files, and no others in their place."""

    def apply(self) -> None:
        """Make the rules in force those of the files."""


#: In the order in which an active one is chosen.
BACKENDS: dict[str, Backend] = {"firewalld": Firewalld(), "ufw": Ufw(), "nftables": Nftables()}


def write_all(rules: t.Sequence[PortRule], heading: str) -> dict[str, dict[str, str]]:
    """Make the files of every backend: content by path, by name of the backend."""
    return {name: backend.write(rules, heading) for name, backend in BACKENDS.items()}


def needed_programs(paths: t.Collection[str]) -> list[str]:
    """Programs that can judge these files."""
    concerned = [backend for backend in BACKENDS.values() if set(backend.paths) & set(paths)]
    return [program for backend in concerned for program in backend.programs]


def validate(stage: str) -> None:
    """Let every backend that has files below ``stage`` judge them.

    :raises FirewallError: one is not valid.
    """
    for backend in BACKENDS.values():
        if any(os.path.lexists(stage + path) for path in backend.paths):
            backend.validate(stage)


def disagreement() -> str:
    """A sentence about backends whose rules in force are not those of the files; empty if there are none.

    :raises FirewallError: one cannot be asked.
    """
    wrong = [name for name, backend in BACKENDS.items() if not backend.agrees()]
    return f"The rules in force in {' and '.join(wrong)} are not those of the files." if wrong else ""


def apply() -> None:
    """Make the rules in force those of the files, in every backend.

    :raises FirewallError: a backend could not follow. The others have: an undo needs them to.
    """
    problems = []
    for backend in BACKENDS.values():
        try:
            backend.apply()
        except (FirewallError, OSError) as error:
            problems.append(str(error))
    if problems:
        raise FirewallError("; ".join(problems))
