# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of mail_port_info: on the controller it connects in Ansible's own process, which saves time."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Runs the module, in this process if that is the same."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module."""
        super().run(tmp, task_vars)
        if self._connection.transport == "local":
            from ansible_collections.mailops.smtp.plugins.plugin_utils import _in_process

            values = _in_process.plain_values(self._task.args)
            if values is not None and _in_process.may_run_here(self, values, task_vars or {}):
                from ansible_collections.mailops.smtp.plugins.module_utils._module.ports import ARGUMENTS, run_ports

                body = _in_process.Body({"argument_spec": ARGUMENTS}, lambda _module, _values: None, run_ports)
                return _in_process.run_here(self, body, values, task_vars or {})
        wrap_async = self._task.async_val and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(task_vars=task_vars, wrap_async=wrap_async)
        return result
