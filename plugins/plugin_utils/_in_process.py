# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the body of a module in the controller's process if the task's host is the controller itself.

Ansible's way is to pack the module into a file and to start another interpreter with it, which costs more than to send
a message or to try a port. Tasks for which the two ways could differ take Ansible's.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import typing as t

from ansible import constants

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from ansible.plugins.action import ActionBase

Values = dict[str, t.Any]
_CONSTANTS = (bool, type(None))
_PLAIN = (str, int, float)


def may_run_here(action: ActionBase, arguments: t.Mapping[str, t.Any], task_vars: Values) -> bool:
    """Return whether this process would do exactly what the module would do on the task's host.

    That is so on a local connection: as the same user, with the same environment and interpreter, in the foreground,
    and over one connection, since several are processes of their own.
    """
    task, connection = action._task, action._connection
    return (
        connection.transport == "local"
        and connection.become is None
        and not task.async_val
        and not any(task.environment or ())
        and not constants.DEFAULT_KEEP_REMOTE_FILES  # type: ignore[attr-defined]  # set when imported
        and arguments.get("connections") in (None, 1, "1")
        and _is_our_interpreter(action, task_vars)
    )


def _is_our_interpreter(action: ActionBase, task_vars: Values) -> bool:
    """Return whether the host's interpreter is this process's, or left to Ansible's choice."""
    delegated = action._task.delegate_to
    variables = task_vars["ansible_delegated_vars"][delegated] if delegated else task_vars
    wanted = constants.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
    path = str(action._templar.template(wanted) or "auto").strip()
    return path.startswith("auto") or os.path.realpath(path) == os.path.realpath(sys.executable)


def plain_values(arguments: t.Mapping[str, t.Any]) -> Values | None:
    """Return the arguments as the module would read them: JSON values without Ansible's tags; None if one is not.

    What Ansible would convert, such as a date, is left to Ansible.
    """
    try:
        return t.cast("Values", _plain(arguments))
    except TypeError:
        return None


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, _CONSTANTS):
        return value
    for kind in _PLAIN:
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, dict):
        return {_key(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    raise TypeError(type(value).__name__)


def _key(name: t.Any) -> str:
    if not isinstance(name, str):  # JSON would make it a text, in its own way
        raise TypeError(type(name).__name__)
    return str(name)


class Body(t.NamedTuple):
    """What a module consists of.

    :param spec: the arguments of AnsibleModule that say which options there are.
    :param hide: hides secrets in the arguments, before they are checked.
    :param run: what the module does.
    """

    spec: Values
    hide: t.Callable[[t.Any, Values], None]
    run: t.Callable[[AnsibleModule], None]


def run_here(action: ActionBase, body: Body, values: Values, task_vars: Values) -> Values:
    """Validate the arguments, run the body of the module, and return its result as the module would.

    :param values: arguments from :func:`plain_values`.
    """
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
    from ansible.module_utils.errors import UnsupportedError

    from ansible_collections.mailops.smtp.plugins.module_utils._mailing import handover

    handed = handover.take(values)
    found = ArgumentSpecValidator(**body.spec).validate(values)
    warnings = ["Both option {option} and its alias {alias} are set.".format(**both) for both in found._warnings]
    module = _Module(action, {**found.validated_parameters, **handed}, set(found._no_log_values), warnings)
    body.hide(module, values)
    try:
        if found.error_messages:
            unknown = f"Unsupported parameters for ({action._task.action}) module: "
            module.fail_json(msg=(unknown if isinstance(found.errors[0], UnsupportedError) else "") + found.errors.msg)
        with contextlib.chdir(action._loader.get_basedir()):  # where Ansible starts a local module
            body.run(t.cast("AnsibleModule", module))
    except _Left as left:
        return _masked(_with_invocation(left.result, module.params, task_vars), module.no_log_values)
    raise AssertionError("the body of a module leaves with a result")


class _Left(BaseException):
    """The body has left with a result; like SystemExit, no handler of errors catches it."""

    def __init__(self, result: Values) -> None:
        super().__init__()
        self.result = result


class _Module:
    """What the body uses of an AnsibleModule."""

    def __init__(self, action: ActionBase, params: Values, no_log_values: set[str], warnings: list[str]) -> None:
        self.params = params
        self.check_mode = bool(action._task.check_mode)
        self._diff = bool(action._task.diff)
        quiet = constants.config.get_config_value("DEFAULT_NO_TARGET_SYSLOG")
        self.no_log = bool(action._task.no_log or quiet)
        self.no_log_values = no_log_values
        self._warnings = warnings

    def warn(self, warning: str) -> None:
        self._warnings.append(warning)

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        warnings = {"warnings": self._warnings} if self._warnings else {}
        raise _Left({"changed": False, **result, **warnings})

    def fail_json(self, msg: str, **result: t.Any) -> t.NoReturn:
        self.exit_json(**result, failed=True, msg=msg)


def _with_invocation(result: Values, params: Values, task_vars: Values) -> Values:
    """Add the arguments for ``-vvv``, unless a setting of newer versions of Ansible leaves them out."""
    setting = "INJECT_INVOCATION"
    known = constants.config.get_configuration_definition(setting)
    if known and not constants.config.get_config_value(setting, variables=task_vars):
        return result
    return {**result, "invocation": {"module_args": params}}


def _masked(result: Values, secrets: set[str]) -> Values:
    """Remove the secrets. From ansible-core 2.22 on, Ansible only hides them where it shows a result."""
    kept = {name: value for name, value in result.items() if isinstance(value, _CONSTANTS)}
    if importlib.util.find_spec("ansible.module_utils.secrets") is None:
        from ansible.module_utils.common.parameters import remove_values

        return {**remove_values(result, secrets), **kept}
    from ansible_collections.mailops.smtp.plugins.module_utils._sasl.scrubbing import masked

    return {**masked(result, secrets), **kept}
