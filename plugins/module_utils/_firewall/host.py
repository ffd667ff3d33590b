# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all backends need: programs of the host, files that may be missing, comments at the top of a file."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

#: Where the programs of a firewall are; the PATH of a user may lack it.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"


class FirewallError(Exception):
    """A backend could not do what it was asked; the text is a sentence."""


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. A program that cannot be run has failed like any other: exit code 127."""
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            argv,
            env={**os.environ, "PATH": _PATH, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(argv, 127, "", f"{argv[0]} is not installed")
    except OSError as error:
        return subprocess.CompletedProcess(argv, 127, "", f"{argv[0]} cannot be run: {error.strerror}")
    output, complaints = (said.decode("utf-8", "replace") for said in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(argv, done.returncode, output, complaints)


def succeeds(*argv: str) -> bool:
    """Run a program and tell whether its exit code is 0."""
    return run(*argv).returncode == 0


def must(*argv: str) -> None:
    """Run a program that has to succeed.

    :raises FirewallError: it failed; with the last line of its output, which names the cause.
    """
    done = run(*argv)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise FirewallError(f"{' '.join(argv)}: {said[-1]}")


def read_lines(path: str) -> list[str]:
    """The lines of a file; none if it does not exist."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def is_installed(program: str) -> bool:
    """Whether the program can be run."""
    return shutil.which(program, path=_PATH) is not None


def ssh_ends() -> tuple[str, str]:
    """The addresses of the SSH connection that this process runs in, as this host sees them: the client's, and its own.

    Empty if there is none. sshd(8) tells them in the environment, which sudo(8) drops; so its parents are asked, too.
    """
    process = os.getpid()
    while process > 1:
        try:
            with open(f"/proc/{process}/environ", encoding="utf-8", errors="replace") as file:
                found = re.search(r"(?:^|\0)SSH_CONNECTION=(\S+) \d+ (\S+) \d+", file.read())
            if found:
                return found[1], found[2]
            with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
                process = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    return "", ""


def as_comment(text: str, start: str = "#", line: str = "#", end: str = "#") -> str:
    """A comment of whole lines, framed as Ansible's filter ``comment`` frames it."""
    return "".join(f"{one}\n" for one in (start, *(f"{line} {one}".rstrip() for one in text.splitlines()), end))
