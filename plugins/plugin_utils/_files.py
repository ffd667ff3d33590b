# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the files that a task names, on the controller and on the host."""

from __future__ import annotations

import base64
import functools
import os
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import MessageError
from ansible_collections.mailops.smtp.plugins.module_utils._message.files import decode_text, read_text

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase


class ControllerFiles:
    """Files on the controller, in Ansible's search path, and decrypted if encrypted with Ansible Vault."""

    def __init__(self, action: ActionBase) -> None:
        self._action = action
        self._found = functools.lru_cache(1024)(action._find_needle)
        self._texts = functools.lru_cache(8)(self._read)

    def find(self, name: str, option: str, folder: str = "files") -> str:
        """Return the path of a file: in the role's ``files`` or ``templates``, beside the playbook, or absolute.

        :param option: the option that names the file, for errors.
        :raises AnsibleActionFail: the file does not exist; the text lists the places that were searched.
        """
        if "\0" in name:
            raise AnsibleActionFail(f"{option}: {name!r} is not a valid path: it contains a NUL character")
        try:
            found: str = self._found(folder, name)
        except AnsibleError as error:
            hint = "searched on the controller; for a file on the host set remote_src: true"
            raise AnsibleActionFail(f"{option}: {error} ({hint})") from None
        if not os.path.isfile(found):
            raise AnsibleActionFail(f"{option}: {found} is not a regular file")
        return found

    def readable(self, path: str, option: str) -> str:
        """Return the path of the decrypted file, which Ansible keeps until the task ends.

        :raises AnsibleActionFail: the file cannot be read or decrypted.
        """
        try:
            real: str = self._action._loader.get_real_file(path)
        except AnsibleError as error:
            raise AnsibleActionFail(f"{option}: {error}") from None
        return real

    def forget(self, readable: str) -> None:
        """Remove the copy that :meth:`readable` decrypted."""
        self._action._loader.cleanup_tmp_file(readable)

    def text(self, name: str, option: str, folder: str = "files") -> str:
        """Return the text of a file, found as in :meth:`find`.

        :raises AnsibleActionFail: the file cannot be read or decrypted, or is not UTF-8.
        """
        path = self.find(name, option, folder)
        try:
            return self._texts(path)
        except (AnsibleError, MessageError) as error:
            raise AnsibleActionFail(f"{option}{error}") from None

    def _read(self, path: str) -> str:
        readable = self.readable(path, "")
        try:
            return read_text(readable, "")
        except MessageError as error:
            raise MessageError(str(error).replace(readable, path)) from None
        finally:
            self.forget(readable)


def read_from_host(action: ActionBase, path: str, option: str, task_vars: dict[str, t.Any]) -> bytes:
    """Return the content of a file on the host, read with the task's privileges.

    :raises AnsibleActionFail: the file cannot be read.
    """
    result = action._execute_module("ansible.legacy.slurp", {"src": path}, task_vars=task_vars)
    if result.get("failed"):
        raise AnsibleActionFail(f"{option} {path} cannot be read on the host: {result.get('msg')}")
    return base64.b64decode(result["content"])


def text_from_host(action: ActionBase, path: str, option: str, task_vars: dict[str, t.Any]) -> str:
    """Return the text of a file on the host, read with the task's privileges.

    :raises AnsibleActionFail: the file cannot be read, or is not UTF-8.
    """
    try:
        return decode_text(read_from_host(action, path, option, task_vars), path, option)
    except MessageError as error:
        raise AnsibleActionFail(str(error)) from None
