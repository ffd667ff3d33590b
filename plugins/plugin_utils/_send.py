# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run smtp_send from the controller: read the controller's files, pass messages to the module, show progress."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.mailops.smtp.plugins.module_utils._mailing.handover import SPOOL
from ansible_collections.mailops.smtp.plugins.module_utils._message.options import TEXTS
from ansible_collections.mailops.smtp.plugins.module_utils._message.rows import Names, SpoolWriter

from ._files import ControllerFiles, read_from_host
from ._messages import Messages, boolean_option
from ._plain import takes_a_while
from ._progress import run_in_slices
from ._rows import Row, kept, of_the_host, rows_in_file, rows_in_list
from ._templates import ControllerTemplates, HostTemplates, Templates
from ._texts import Given, Texts
from ._uploads import Uploads

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

Arguments = dict[str, t.Any]
TaskVars = dict[str, t.Any]
#: Runs the module with arguments and the task's variables, and returns its result.
Execute = t.Callable[[Arguments, TaskVars], Arguments]
_TEMPLATES = frozenset(template for _text, _file, template in TEXTS.values())


def send(
    action: ActionBase, execute: Execute, message_arguments: Arguments, task_vars: TaskVars, given: Given
) -> dict[str, t.Any]:
    """Prepare the task's arguments for the host and run the module with them.

    :param message_arguments: the argument spec of a message.
    :param given: the arguments before Ansible rendered them.
    :raises AnsibleActionFail: an option or a file cannot be used; the text names the message, the option and the cause.
    """
    try:
        arguments, uploads, count = _prepare(action, message_arguments, task_vars, given)
    except AnsibleActionFail as error:
        raise AnsibleActionFail(f"Nothing was sent: {error}", result={"stage": "compose"}) from None
    return _run(action, execute, arguments, task_vars, uploads, count)


def _prepare(
    action: ActionBase, message_arguments: Arguments, task_vars: TaskVars, given: Given
) -> tuple[Arguments, Uploads, int | None]:
    """Return the module's arguments, the files sent to the host, and the number of messages, None if unknown."""
    arguments = dict(action._task.args)
    if isinstance(arguments.get("messages"), str) and not arguments["messages"].strip():
        del arguments["messages"]
    if arguments.get("messages") is not None and arguments.get("messages_file") is not None:
        raise AnsibleActionFail("messages and messages_file are mutually exclusive; choose one")
    remote_src = arguments.get("remote_src")
    if remote_src is not None:
        remote_src = boolean_option(remote_src, "the task")
    names = Names.of(message_arguments)
    common = {name: arguments.pop(name) for name in names.known & arguments.keys()}
    common = {name: value for name, value in common.items() if name not in given.failed}
    files = ControllerFiles(action)
    uploads = Uploads(action, files)
    templates: Templates = (
        HostTemplates(action, task_vars) if remote_src else ControllerTemplates(action, files, task_vars)
    )
    texts = Texts(
        action, task_vars, _named(given, names), host_rows=bool(remote_src and arguments.get("messages_file"))
    )
    messages = Messages(files, templates, texts, uploads, remote_src, message_arguments)
    arguments.update(messages.for_all(common))

    count: int | None = 1
    with contextlib.ExitStack() as stack:
        stack.callback(uploads.forget)
        if arguments.get("messages") is not None:
            rows = rows_in_list(_listed(arguments.pop("messages"), given, texts))
            count = _spool(rows, messages, uploads, None)
        elif arguments.get("messages_file") is None:
            arguments.update(messages.only())
        elif remote_src and _TEMPLATES.isdisjoint(common) and not texts.open:
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


def _named(given: Given, names: Names) -> Given:
    """Return what the task says about all messages, under the documented names of the options."""
    values = {name: value for name, value in given.values.items() if name in names.known and name != "vars"}
    return Given(
        {names.aliases.get(name, name): value for name, value in values.items()},
        {names.aliases.get(name, name) for name in given.failed & values.keys()},
    )


def _listed(messages: t.Any, given: Given, texts: Texts) -> t.Any:
    """Return the messages of the task: as the playbook has them if they have variables, for their texts may use them.

    :raises AnsibleActionFail: a template that makes the whole list cannot be rendered.
    """
    listed = given.values.get("messages")
    listed = [listed] if isinstance(listed, dict) else listed
    if "messages" in given.failed and not isinstance(listed, list):
        return texts.render("messages", listed, {}, "")
    if not isinstance(listed, list) or (
        "messages" not in given.failed and not any(isinstance(one, dict) and one.get("vars") for one in listed)
    ):
        return messages
    return [one if isinstance(one, dict) else texts.render("messages", one, {}, "") for one in listed]


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
    action: ActionBase,
    execute: Execute,
    arguments: Arguments,
    task_vars: TaskVars,
    uploads: Uploads,
    count: int | None,
) -> dict[str, t.Any]:
    """Run the module: once, or in slices if it may take long.

    :param count: the number of messages; None if only the module can count them.
    """
    task = action._task

    def run(**more: t.Any) -> dict[str, t.Any]:
        return execute({**arguments, **more}, task_vars)

    short = count is not None and not takes_a_while(count, arguments)
    if short or task.async_val or task.check_mode or arguments.get("check"):
        return run()
    with uploads.slice_state() as path:
        label = f"smtp_send [{task_vars.get('inventory_hostname', '')}]"
        return run_in_slices(lambda part: run(**part), path, action._display.display, label)
