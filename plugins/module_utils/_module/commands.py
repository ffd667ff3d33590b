# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs on the managed host, and sentences about those that failed."""

from __future__ import annotations

import shlex
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._transaction.model import TransactionError
from .._transaction.place import find_place


class Commands:
    """:param paths: files that a failing program may complain of."""

    def __init__(self, module: AnsibleModule, paths: t.Collection[str]) -> None:
        self._module = module
        self._paths = paths

    def run(self, argv: list[str]) -> tuple[int, str, str]:
        """Exit code, standard output and standard error.

        A program that is missing has failed like any other; left alone, Ansible would leave the module at once.
        """
        try:
            code, output, complaints = self._module.run_command(argv, handle_exceptions=False)
        except OSError as error:
            return 127, "", error.strerror or str(error)
        return code, output, complaints

    def must_succeed(self, argv: list[str], stage: str = "", silent: bool = False) -> None:
        """Run a program.

        :param stage: stands for ``{stage}`` in the words, and is kept out of the sentence.
        :param silent: whether a word on standard error is a failure too.
        :raises TransactionError: it failed; with file and line where it names them.
        """
        words = [word.replace("{stage}", stage) for word in argv] if stage else argv
        code, output, complaints = self.run(words)
        if code == 0 and not (silent and complaints.strip()):
            return
        said = complaints.strip() or output.strip() or f"exit code {code}, no output"
        command = shlex.join("..." if "\n" in word else word for word in words)  # whole scripts are not worth telling
        raise self.refusal(said, stage, f"{command!r} said: ")

    def refusal(self, said: str, stage: str, lead: str = "") -> TransactionError:
        """The error for what a program said of the files, with file and line where it names them.

        :param stage: kept out of the sentence.
        :param lead: what the sentence begins with.
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
        """Those that are not installed."""
        return sorted({program for program in programs if not self._module.get_bin_path(program)})
