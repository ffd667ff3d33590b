# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of smtp_send: files and templates of the controller, and progress. Most tasks need none of these."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleTemplateError, AnsibleValueOmittedError
from ansible.plugins.action import ActionBase

from ansible_collections.mailops.smtp.plugins.plugin_utils._plain import HANDED_OVER, given, is_plain, unusable


class ActionModule(ActionBase):
    """Runs the module, after the steps that only the controller can do."""

    _supports_check_mode = True
    _supports_async = True
    #: The arguments as the playbook has them, and those that only the variables of a message complete. Ansible
    #: finalizes the arguments of a task right before it runs it, in the same process.
    _given: t.ClassVar[dict[str, t.Any]] = {}
    _failed: t.ClassVar[set[str]] = set()

    @classmethod
    @contextlib.contextmanager
    def get_finalize_task_args_context(cls) -> t.Iterator[None]:
        """Ansible begins to render the arguments of a task."""
        cls._given, cls._failed = {}, set()
        yield

    @classmethod
    def finalize_task_arg(cls, name: str, value: t.Any, templar: t.Any, context: t.Any) -> t.Any:
        """Render an argument of the task, unless it may be a text that uses the variables of a message."""
        cls._given[name] = value
        try:
            return super().finalize_task_arg(name, value, templar, context)
        except AnsibleValueOmittedError:
            raise
        except AnsibleTemplateError:
            from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import Names
            from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS

            if name == "vars" or name not in {"messages", *Names.of(MESSAGE_ARGUMENTS).known}:
                raise
            cls._failed.add(name)
            return value

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the module.

        :raises AnsibleActionFail: a file, template or message cannot be used; the text names it and the cause.
        """
        super().run(tmp, task_vars)
        self._task.args = given(self._task.args)
        own = HANDED_OVER & self._task.args.keys()
        if own:
            raise AnsibleActionFail(
                f"Unsupported parameters for ({self._task.action}) module: {', '.join(sorted(own))}."
            )
        wrong = unusable(self._task.args)
        if wrong:
            raise AnsibleActionFail(f"Nothing was sent: {wrong}", result={"stage": "compose"})
        if not self._failed and is_plain(self._task.args):
            return self.execute(dict(self._task.args), task_vars or {})
        from ansible_collections.mailops.smtp.plugins.module_utils._module.message import MESSAGE_ARGUMENTS
        from ansible_collections.mailops.smtp.plugins.plugin_utils._send import send
        from ansible_collections.mailops.smtp.plugins.plugin_utils._texts import Given

        return send(self, self.execute, MESSAGE_ARGUMENTS, task_vars or {}, Given(self._given, self._failed))

    def execute(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run the module with these arguments: in this process if that is the same, else as Ansible runs modules."""
        if self._connection.transport == "local":
            from ansible_collections.mailops.smtp.plugins.plugin_utils import _in_process

            values = _in_process.plain_values(arguments)
            if values is not None and _in_process.may_run_here(self, values, task_vars):
                from ansible_collections.mailops.smtp.plugins.module_utils._module.send import SEND_SPEC, run_send
                from ansible_collections.mailops.smtp.plugins.module_utils._module.server import hide_passwords

                body = _in_process.Body(SEND_SPEC, hide_passwords, run_send)
                return _in_process.run_here(self, body, values, task_vars)
        wrap_async = self._task.async_val and not self._connection.has_native_async
        result: dict[str, t.Any] = self._execute_module(
            module_args=arguments, task_vars=task_vars, wrap_async=wrap_async
        )
        return result
