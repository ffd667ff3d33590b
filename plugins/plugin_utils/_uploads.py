# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send files to the host for the duration of the task, in Ansible's temporary directory there."""

from __future__ import annotations

import collections
import contextlib
import os
import shlex
import tempfile
import typing as t

from ansible.constants import DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]  # set when imported
from ansible.errors import AnsibleActionFail

from ._files import ControllerFiles

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

#: Paths in one command line.
_BATCH = 200


class Uploads:
    """The files that the module reads on the host: attachments, each once and under its own name, and the messages.

    Ansible removes the directory when the task ends, even after a failure.
    """

    def __init__(self, action: ActionBase, files: ControllerFiles) -> None:
        self._action = action
        self._files = files
        self._remote: dict[str, str] = {}  # on the controller -> on the host
        self._same_name: collections.Counter[str] = collections.Counter()
        self._spool = ""
        self._options: dict[str, str] = {}

    @property
    def directory(self) -> str:
        """Ansible's temporary directory on the host, created on first use."""
        shell = self._action._connection._shell
        return shell.tmpdir or self._action._make_tmp_path()

    def attach(self, name: str, option: str) -> str:
        """Return the path that a file of the controller will have on the host.

        :raises AnsibleActionFail: the file does not exist.
        """
        path = self._files.find(name, option)
        if path not in self._remote:
            base = os.path.basename(path)
            self._remote[path] = self._join(f"attached{self._same_name[base]}", base)
            self._options[path] = option
            self._same_name[base] += 1
        return self._remote[path]

    @contextlib.contextmanager
    def spool(self) -> t.Iterator[t.IO[str]]:
        """Open a file for the messages on the controller, readable only by this user, for :meth:`send`."""
        descriptor, self._spool = tempfile.mkstemp(prefix="mailops-", dir=DEFAULT_LOCAL_TMP)
        with open(descriptor, "w", encoding="ascii") as stream:
            yield stream

    def send(self) -> str:
        """Transfer all files and return the path of the messages on the host; empty without messages.

        :raises AnsibleActionFail: a file cannot be read or decrypted, or the directory on the host cannot be used.
        """
        spool = self._join("messages") if self._spool else ""
        if not self._remote and not spool:
            return ""
        self._make_room(spool)
        for path, remote in self._remote.items():
            readable = self._files.readable(path, self._options[path])
            self._action._transfer_file(readable, remote)
            self._files.forget(readable)
        if spool:
            self._action._transfer_file(self._spool, spool)
        paths = [self.directory, *self._directories(), *self._remote.values(), *([spool] if spool else [])]
        for first in range(0, len(paths), _BATCH):
            self._action._fixup_perms2(paths[first : first + _BATCH], execute=False)
        return spool

    @contextlib.contextmanager
    def slice_state(self) -> t.Iterator[str]:
        """Provide the path of the file on the host in which the module keeps its state between calls."""
        if not self._action._is_become_unprivileged():
            yield self._join("slice")
            return
        # Ansible's directory belongs to the login user; the become user can only read it.
        made = self._action._low_level_execute_command("umask 077 && mktemp -d", sudoable=True)
        if made["rc"]:
            raise AnsibleActionFail(
                f"the become user cannot create a temporary directory on the host: {made['stderr'].strip()}"
            )
        directory = made["stdout"].strip().splitlines()[-1]
        try:
            yield self._action._connection._shell.join_path(directory, "slice")
        finally:
            remove = self._action._connection._shell.remove(directory, recurse=True)
            self._action._low_level_execute_command(remove, sudoable=True)

    def forget(self) -> None:
        """Remove the file of messages on the controller."""
        if self._spool:
            os.unlink(self._spool)
            self._spool = ""

    def _make_room(self, spool: str) -> None:
        """Create the directories, and an empty file whose mode is kept when the messages are written to it."""
        commands = ["umask 077"]
        if self._remote:
            commands.append("mkdir " + " ".join(map(shlex.quote, self._directories())))
        if spool:
            commands.append(f": > {shlex.quote(spool)}")
        result = self._action._low_level_execute_command(" && ".join(commands), sudoable=False)
        if result["rc"]:
            raise AnsibleActionFail(f"{self.directory} on the host cannot be used: {result['stderr'].strip()}")

    def _directories(self) -> list[str]:
        """Return the directories for attachments: one, and further ones for files of the same name."""
        return [self._join(f"attached{number}") for number in range(max(self._same_name.values(), default=0))]

    def _join(self, *names: str) -> str:
        return self._action._connection._shell.join_path(self.directory, *names)
