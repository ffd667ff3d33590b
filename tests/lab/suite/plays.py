# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook, as a user would start them, and the paths of the lab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / ".build"
LAB = BUILD / os.environ.get("LAB_NAME", "lab")
LOGS = LAB / "logs"
VENV = BUILD / "venv/bin"
RELAY = "playbooks/relay.yml"


@dataclass(frozen=True)
class Play:
    """One run of ansible-playbook."""

    output: str
    code: int

    def count(self, host: str, word: str) -> int:
        """Return a number of the recap, such as ``changed``."""
        match = re.search(rf"^{host} .*\b{word}=(\d+)", self.output, re.MULTILINE)
        assert match, f"the output has no recap for {host}:\n{self.tail}"
        return int(match.group(1))

    @property
    def tail(self) -> str:
        """The end of the output, for a failing test."""
        return self.output[-6000:]

    def says(self, words: str) -> bool:
        """Assert that the output contains these words, regardless of line breaks; a failure shows the output."""
        assert " ".join(words.split()) in " ".join(self.output.split()), f"{words!r} is not in:\n{self.tail}"
        return True

    def succeeded(self) -> Play:
        """Assert that the play succeeded, and return it; a failure shows the output."""
        assert self.code == 0, self.tail
        return self


#: Seconds to wait for what a test expects, on hosts that share a busy machine. What comes at all comes long before.
EVENT_LIMIT = 90
#: Seconds for a play, or for a program that a host runs meanwhile.
PROGRAM_LIMIT = 900


def run_play(
    name: str,
    playbook: str,
    *options: str,
    extra: t.Mapping[str, t.Any] | None = None,
    relay: str = "relay",
    tools: Path = VENV,
) -> Play:
    """Run a playbook as a user would, with ``-vvvv --diff``, and keep the output in .build/lab/logs.

    :param relay: the relay of the lab on which the role's playbook runs; each further one would take more time.
    :param tools: the folder of the ansible-playbook to run.
    """
    command = [str(tools / "ansible-playbook"), playbook, "-vvvv", "--diff", *options]
    if playbook == RELAY and "-i" not in options:
        command += ["--limit", relay]
    if extra:  # in a file: with -vvvv ansible-playbook prints its own command line
        variables = LAB / "extra-vars.json"
        variables.touch(mode=0o600)
        variables.write_text(json.dumps(extra))
        command += ["--extra-vars", f"@{variables}"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PROGRAM_LIMIT,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace")
    LOGS.mkdir(exist_ok=True)
    (LOGS / f"{name}.log").write_text(output)
    return Play(output, done.returncode)


def run_transaction(options: t.Mapping[str, t.Any]) -> None:
    """Run ``config_transaction`` alone on the relay and ignore its result: the options may kill it halfway."""
    subprocess.run(
        [str(VENV / "ansible"), "relay", "-m", "mailops.smtp.config_transaction", "-a", json.dumps(options)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "tests/ansible.cfg")},
        capture_output=True,
        timeout=PROGRAM_LIMIT,
        check=False,
    )
