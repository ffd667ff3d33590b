# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check leaves for the next one and for the signer: files in one directory."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import time
import typing as t

from .keys import Trouble

_MEMORY, _DIARY, _DUE, _LOCK = "state.json", "signed.json", "reload_due", "lock"
#: Seconds that another check may take.
_PATIENCE = 600


class State:
    """The files. Killed at any moment, a check leaves each as it was or as it shall be."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def _place(self, name: str) -> str:
        return os.path.join(self._directory, name)

    def recall(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return what the last check found for each record, and the last day on which each key signed."""
        return _read_json(self._place(_MEMORY)), _read_json(self._place(_DIARY))

    def keep(self, states: t.Mapping[str, str], signed: t.Mapping[str, str], tables: t.Mapping[str, str]) -> None:
        """Write the tables of the signer and note that it must reload them if they changed; then what is known."""
        for name, text in tables.items():
            if not _holds(self._place(name), text):
                # first, so that a check that ends here leaves one reload too many, never one too few
                _replace(self._place(_DUE), "")
                _replace(self._place(name), text)
        _replace(self._place(_MEMORY), json.dumps(states, sort_keys=True))
        _replace(self._place(_DIARY), json.dumps(signed, sort_keys=True))

    def is_reload_due(self) -> bool:
        """Whether the signer may have an older table."""
        return os.path.exists(self._place(_DUE))

    def forget_reload(self) -> None:
        """Note that the signer has the tables."""
        os.remove(self._place(_DUE))

    @contextlib.contextmanager
    def alone(self) -> t.Iterator[None]:
        """Wait for another check, of the timer or of the role. Raises :class:`Trouble` if it does not end."""
        # no other user may open the file, and so keep it locked
        with open(self._place(_LOCK), "w", opener=functools.partial(os.open, mode=0o600)) as file:
            end = time.monotonic() + _PATIENCE
            while not _lock(file):
                if time.monotonic() > end:
                    raise Trouble(
                        f"Another check has not ended after {_PATIENCE} s, so this one did nothing. Stop the other one"
                        " (systemctl stop relay-dkim.service, or the run of the role), and check again."
                    )
                time.sleep(0.1)
            yield


def _lock(file: t.IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_json(path: str) -> dict[str, str]:
    """A file of this program, empty if it is not there or was damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except (FileNotFoundError, TypeError, ValueError):
        return {}


def _holds(path: str, content: str) -> bool:
    """Whether a file is there and has the content."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read() == content
    except FileNotFoundError:
        return False


def _replace(path: str, content: str) -> None:
    """Replace a file by a rename, unless it has the content already."""
    if _holds(path, content):
        return
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(f"{path}.new", 0o644)
    os.rename(f"{path}.new", path)
