# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and programs of the host."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import subprocess
import typing as t
from pathlib import Path

from .places import LOCK, Trouble

#: Octets. A bundle of authorities has some hundred thousands.
_LARGEST = 10_000_000
#: Seconds for a program: certbot waits for an authority, the others for this host.
_PATIENCE = 600.0
#: Links that Linux follows on a path (path_resolution(7)).
_LINKS = 40


def run(*argv: str, environment: t.Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, in English. Raises :class:`Trouble`."""
    try:
        return subprocess.run(
            argv,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE,
            env={**os.environ, "LC_ALL": "C", **(environment or {})},
        )
    except OSError as error:
        raise Trouble(f"{argv[0]} cannot be run: {error.strerror}. Install it, or run the role again.") from error
    except subprocess.TimeoutExpired as error:
        raise Trouble(f"'{' '.join(argv[:3])}' has not ended after {_PATIENCE:.0f} s, and was stopped.") from error


def read_pem(path: str) -> str:
    """Return a text in PEM, with the line ends of Unix. Raises :class:`OSError` if the path is not a regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # the open of a FIFO would wait
    with open(descriptor, "rb") as stream:
        kind = os.fstat(descriptor)
        if not stat.S_ISREG(kind.st_mode):
            raise OSError(0, "Is not a file", path)
        if kind.st_size > _LARGEST:
            raise OSError(0, f"Has more than {_LARGEST} octets", path)
        octets = stream.read(_LARGEST)
    return octets.decode("ascii", "replace").replace("\r\n", "\n").replace("\r", "\n")


def folders_of(path: str) -> t.Iterator[str]:
    """Yield each directory in which a change can give an absolute path another content.

    They are that of the path, that of each link on the way, and that of the path as each link makes it. In the latter,
    links that follow are not resolved: it stays right when they lead elsewhere later.
    """
    place, rest, links = "/", _names(path), 0
    while rest:
        if ".." not in rest:  # otherwise it means something else once its links are resolved
            yield os.path.dirname(os.path.join(place, *rest))
        name, *rest = rest
        step = os.path.dirname(place) if name == ".." else os.path.join(place, name)
        target = _target(step)
        if not target:
            place = step
            continue
        yield place
        links += 1
        if links > _LINKS:
            return
        place, rest = ("/" if target.startswith("/") else place), [*_names(target), *rest]


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def _target(path: str) -> str:
    """Return where a link leads; empty if the path is none."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def open_to_others(path: str) -> str:
    """Return the file or its directory if every user of this host can replace it; empty if not."""
    real = os.path.realpath(path)
    for place, harmless in ((real, 0), (os.path.dirname(real), stat.S_ISVTX)):
        mode = os.stat(place).st_mode
        if mode & stat.S_IWOTH and not mode & harmless:
            return place
    return ""


@contextlib.contextmanager
def staged(file: Path, text: str) -> t.Iterator[Path]:
    """Write a file beside another one, which only root can read, and remove it unless it was moved."""
    stage = file.with_name(f".{file.name}.new")
    try:
        stage.unlink(missing_ok=True)
        descriptor = os.open(stage, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            stage.unlink(missing_ok=True)
        raise Trouble(
            f"{file} cannot be written: {error.strerror}; it stays as it is. Correct that, and run the role again."
        ) from error
    try:
        yield stage
    finally:
        stage.unlink(missing_ok=True)


def put_in_place(stage: Path, file: Path) -> None:
    """Rename, so that a reader sees the old file or the new one."""
    os.rename(stage, file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write(path: Path, text: str, mode: int = 0o600) -> None:
    with staged(path, text) as stage:
        os.chmod(stage, mode)
        put_in_place(stage, path)


def read_json(path: Path) -> t.Any:
    """Return what a file holds; ``None`` if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_list(path: Path) -> list[str]:
    found = read_json(path)
    return found if isinstance(found, list) else []


@contextlib.contextmanager
def alone() -> t.Iterator[None]:
    """Wait for another run of this program."""
    with open(LOCK, "w", encoding="ascii") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
