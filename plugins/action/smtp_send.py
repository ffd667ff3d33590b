# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of smtp_send: files and templates of the controller, and progress. Most tasks need none of these."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.mailops.smtp.plugins.plugin_utils._plain import is_plain


class ActionModule(ActionBase):
    """Runs the module, after the steps that only the controller can do."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module.

        :raises AnsibleActionFail: a file, template or message cannot be used; the text names it and the cause.
        """
        super().run(tmp, task_vars)
        if is_plain(self._task.args):
            return self.execute(dict(self._task.args), task_vars or {})
        from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS
        from ansible_collections.mailops.smtp.plugins.plugin_utils._send import send

        return send(self, self.execute, MESSAGE_ARGUMENTS, task_vars or {})

    def execute(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module with these arguments: in this process if that is the same, else as Ansible runs modules."""
        if self._connection.transport == "local":
            from ansible_collections.mailops.smtp.plugins.plugin_utils import _in_process

            values = _in_process.plain_values(arguments)
            if values is not None and _in_process.may_run_here(self, values, task_vars):
                from ansible_collections.mailops.smtp.plugins.module_utils._module.send import SEND_SPEC, run_send

                return _in_process.run_here(self, run_send, SEND_SPEC, values, task_vars)
        wrap_async = self._task.async_val and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(
            module_args=arguments, task_vars=task_vars, wrap_async=wrap_async
        )
        return result
