# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run programs on the managed host, and report those that fail."""

from __future__ import annotations

import shlex
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._transaction.model import TransactionError
from .._transaction.place import find_place


class Commands:
    """Programs of the managed host.

    :param paths: the files that an error of a program may name.
    """

    def __init__(self, module: AnsibleModule, paths: t.Collection[str]) -> None:
        self._module = module
        self._paths = paths

    def run(self, argv: list[str]) -> tuple[int, str, str]:
        """Run a program and return its exit code, standard output and standard error.

        A missing program gives exit code 127; by default, Ansible would exit the module.
        """
        try:
            code, output, complaints = self._module.run_command(argv, handle_exceptions=False)
        except OSError as error:
            return 127, "", error.strerror or str(error)
        return code, output, complaints

    def must_succeed(self, argv: list[str], stage: str = "", silent: bool = False) -> None:
        """Run a program that must exit with 0.

        :param stage: replaces ``{stage}`` in ``argv``, and is removed from the error.
        :param silent: whether any output on standard error is a failure too.
        :raises TransactionError: the program failed; with file and line if its output names them.
        """
        words = [word.replace("{stage}", stage) for word in argv] if stage else argv
        code, output, complaints = self.run(words)
        if code == 0 and not (silent and complaints.strip()):
            return
        said = complaints.strip() or output.strip() or f"exit code {code}, no output"
        raise self.refusal(said, stage, _lead(words))

    def refusal(self, said: str, stage: str, lead: str = "") -> TransactionError:
        """Return the error for a program's output, with the file and line that the output names.

        :param stage: removed from the text, since the user knows only the live paths.
        :param lead: the beginning of the sentence.
        """
        text = lead + said
        if stage:
            said, text = said.replace(stage, ""), text.replace(stage, "")
        return TransactionError(text, *find_place(said, self._paths))

    @property
    def paths(self) -> t.Collection[str]:
        """Files that a failing program may complain of."""
        return self._paths

    def missing(self, programs: t.Iterable[str]) -> list[str]:
        """The ``programs`` that are not installed, sorted."""
        return sorted({program for program in programs if not self._module.get_bin_path(program)})


def _lead(words: t.Sequence[str]) -> str:
    """Return the beginning of the sentence about a program that failed: its name or, of a script with one, that."""
    script = len(words) > 3 and words[:2] == ["sh", "-c"] and "\n" in words[2]
    if script and words[3] != "sh":
        return f"{words[3]}: "
    command = shlex.join("..." if "\n" in word else word for word in words)  # a script is too long to quote
    return f"{command!r} failed: "
