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
            wrap_async = self._task.async_val and not self._connection.has_native_async
            return self._execute_module(task_vars=task_vars, wrap_async=wrap_async)
        from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS
        from ansible_collections.mailops.smtp.plugins.plugin_utils._send import send

        return send(self, MESSAGE_ARGUMENTS, task_vars or {})
