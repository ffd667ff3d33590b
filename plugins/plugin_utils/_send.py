# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run smtp_send from the controller: read the controller's files, pass messages to the module, show progress."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.handover import SPOOL
from ansible_collections.mailops.smtp.plugins.module_utils._message.options import TEXTS, as_list
from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import Names, SpoolWriter

from ._files import ControllerFiles, read_from_host
from ._messages import Messages, boolean_option
from ._plain import takes_a_while
from ._progress import run_in_slices
from ._rows import Row, kept, of_the_host, rows_in_file, rows_in_list
from ._templates import ControllerTemplates, HostTemplates, Templates
from ._uploads import Uploads

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

Arguments = dict[str, t.Any]
TaskVars = dict[str, t.Any]
_TEMPLATES = frozenset(template for _text, _file, template in TEXTS.values())


def send(action: ActionBase, message_arguments: Arguments, task_vars: TaskVars) -> dict[str, t.Any]:
    """Prepare the task's arguments for the host and run the module with them.

    :param message_arguments: the argument spec of a message.
    :raises AnsibleActionFail: an option or a file cannot be used; the text names the message, the option and the cause.
    """
    try:
        arguments, uploads, count = _prepare(action, message_arguments, task_vars)
    except AnsibleActionFail as error:
        raise AnsibleActionFail(f"Nothing was sent: {error}", result={"stage": "compose"}) from None
    return _run(action, arguments, task_vars, uploads, count)


def _prepare(
    action: ActionBase, message_arguments: Arguments, task_vars: TaskVars
) -> tuple[Arguments, Uploads, int | None]:
    """Return the module's arguments, the files sent to the host, and the number of messages, None if unknown."""
    arguments = dict(action._task.args)
    if arguments.get("messages") is not None and arguments.get("messages_file") is not None:
        raise AnsibleActionFail("messages and messages_file are mutually exclusive; choose one")
    remote_src = arguments.get("remote_src")
    if remote_src is not None:
        remote_src = boolean_option(remote_src, "the task")
    names = Names.of(message_arguments)
    common = {name: arguments.pop(name) for name in names.known & arguments.keys()}
    files = ControllerFiles(action)
    uploads = Uploads(action, files)
    templates: Templates = (
        HostTemplates(action, task_vars) if remote_src else ControllerTemplates(action, files, task_vars)
    )
    messages = Messages(files, templates, uploads, remote_src, message_arguments)
    arguments.update(messages.for_all(common))

    count: int | None = 1
    with contextlib.ExitStack() as stack:
        stack.callback(uploads.forget)
        if arguments.get("messages") is not None:
            count = _spool(rows_in_list(as_list(arguments.pop("messages"))), messages, uploads, None)
        elif arguments.get("messages_file") is None:
            arguments.update(messages.only())
        elif remote_src and _TEMPLATES.isdisjoint(common):
            count = None  # the module reads the file
        else:
            label, form = str(arguments.pop("messages_file")), arguments.pop("messages_format", None)
            if remote_src:
                path = stack.enter_context(kept(read_from_host(action, label, "messages_file", task_vars)))
                rows = of_the_host(rows_in_file(path, form, names, label))
            else:
                path = files.readable(files.find(label, "messages_file"), "messages_file")
                stack.callback(files.forget, path)
                rows = rows_in_file(path, form, names, label)
            count = _spool(rows, messages, uploads, label)
        spool = uploads.send()
    if spool:
        arguments.update(messages_file=spool, **{SPOOL: True})
    return arguments, uploads, count


def _spool(rows: t.Iterable[Row], messages: Messages, uploads: Uploads, label: str | None) -> int:
    """Write the messages to the spool, one by one, and return their number."""
    count = 0
    with uploads.spool() as stream:
        writer = SpoolWriter(stream, label)
        for row in rows:
            try:
                writer.add(row.line, messages.one(row.options, row.where))
            except (TypeError, RecursionError) as error:
                raise AnsibleActionFail(f"{row.where}: {error}") from None
            count += 1
    return count


def _run(
    action: ActionBase, arguments: Arguments, task_vars: TaskVars, uploads: Uploads, count: int | None
) -> dict[str, t.Any]:
    """Run the module: once, or in slices if it may take long.

    :param count: the number of messages; None if only the module can count them.
    """
    task = action._task

    def run(**more: t.Any) -> dict[str, t.Any]:
        wrap_async = task.async_val and not action._connection.has_native_async
        result: dict[str, t.Any] = action._execute_module(
            module_args={**arguments, **more}, task_vars=task_vars, wrap_async=wrap_async
        )
        return result

    short = count is not None and not takes_a_while(count, arguments)
    if short or task.async_val or task.check_mode or arguments.get("check"):
        return run()
    with uploads.slice_state() as path:
        label = f"smtp_send [{task_vars.get('inventory_hostname', '')}]"
        return run_in_slices(lambda part: run(**part), path, action._display.display, label)
