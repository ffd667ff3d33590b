# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose programs answer what was recorded, and whose files are in a directory of the test.

``recorded/*.json`` have what postconf 3.7.11 of Debian prints for main.cf of Debian and RHEL as packaged, for one with
nested variables, for two instances and for a broken file: exit code, output and complaints by command. Of the many
defaults they keep those that a test asks for.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._host.host import Host

RECORDED = Path(__file__).with_name("recorded")
Answer = tuple[int, str, str]


class FakeHost(Host):
    """A host. A program without an answer is not installed.

    :param answers: by command, or by its first words.
    """

    def __init__(self, root: Path, recorded: str = "", **answers: str | Answer) -> None:
        known = json.loads((RECORDED / f"{recorded}.json").read_text()) if recorded else {}
        self.answers: dict[str, Answer] = {command: tuple(answer) for command, answer in known.items()}
        for name, answer in answers.items():
            self.answers[name] = answer if isinstance(answer, tuple) else (0, answer, "")
        self.asked: list[str] = []
        super().__init__(self._answer, str(root))

    def _answer(self, argv: list[str]) -> Answer:
        command = " ".join(argv)
        self.asked.append(command)
        for known in (command, argv[0], next((word for word in argv if word not in ("env",) and "=" not in word), "")):
            if known in self.answers:
                return self.answers[known]
        return 127, "", "No such file or directory"

    def has(self, program: str) -> bool:
        return program in self.answers

    def put(self, path: str, content: str | bytes = "") -> Path:
        """Write a file of the host."""
        file = Path(self.root + path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def reasons(self) -> dict[str, str]:
        """What is not known, and why."""
        return {one.path: one.reason for one in self.unknown}


def service(instance: t.Any, name: str, kind: str = "unix") -> t.Any:
    """A service of an instance."""
    return next(one for one in instance.services if (one.name, one.type) == (name, kind))
