# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the templates of messages on the controller."""

from __future__ import annotations

import abc
import collections
import functools
import os
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.template import trust_as_template
from jinja2 import DictLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ._files import ControllerFiles, text_from_host

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

Variables = t.Mapping[str, t.Any]


class Templates(abc.ABC):
    """Renders templates for messages."""

    def render(self, name: str, option: str, variables: Variables, where: str) -> str:
        """Return the text of a template for one message.

        :param variables: the variables of the message, and ``message`` itself.
        :param where: how errors name the message; empty for the only one.
        :raises AnsibleActionFail: the template does not exist, contains an error or uses an undefined variable.
        """
        try:
            return self._render(name, option, variables)
        except AnsibleActionFail:
            raise
        except (AnsibleError, TemplateError) as error:
            message = f"{where}: " if where else ""
            raise AnsibleActionFail(f"{message}{option} {name}: {error}{_line(error)}") from None

    @abc.abstractmethod
    def _render(self, name: str, option: str, variables: Variables) -> str: ...


class ControllerTemplates(Templates):
    """Templates on the controller, with everything that Ansible templates may use."""

    def __init__(self, action: ActionBase, files: ControllerFiles, task_vars: dict[str, t.Any]) -> None:
        self._action = action
        self._files = files
        self._task_vars = task_vars
        self._prepared = functools.lru_cache(8)(self._prepare)

    def _render(self, name: str, option: str, variables: Variables) -> str:
        templar, template = self._prepared(name, option)
        templar.available_variables = collections.ChainMap(dict(variables), self._task_vars)
        return str(templar.template(template, escape_backslashes=False))

    def _prepare(self, name: str, option: str) -> tuple[t.Any, str]:
        """Return a templar and a template that includes the file, because Jinja caches included templates compiled."""
        path = self._files.find(name, option, "templates")
        readable = self._files.readable(path, option)  # kept: Jinja checks the file for changes
        with open(readable, "rb") as stream:
            ends = stream.read()[-1:] == b"\n"
        places = [os.path.dirname(readable), os.path.dirname(path)]
        for place in [*self._task_vars.get("ansible_search_path", ()), self._action._loader.get_basedir()]:
            places += [os.path.join(place, "templates"), place]
        templar = self._action._templar.copy_with_new_env(searchpath=places)
        quoted = os.path.basename(readable).replace("\\", "\\\\").replace("'", "\\'")
        return templar, trust_as_template(f"{{% include '{quoted}' %}}" + ("\n" if ends else ""))


class HostTemplates(Templates):
    """Templates on the host, which get only Jinja and the message's variables because the host is not trusted.

    Ansible's lookups would run on the controller, and its variables include secrets of other hosts.
    """

    def __init__(self, action: ActionBase, task_vars: dict[str, t.Any]) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=DictLoader({}), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
        )
        self._compiled = functools.lru_cache(8)(
            lambda name, option: self._environment.from_string(text_from_host(action, name, option, task_vars))
        )

    def _render(self, name: str, option: str, variables: Variables) -> str:
        template = self._compiled(name, option)
        try:
            return template.render(variables)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:  # raised by the template's expressions
            raise TemplateError(f"{type(error).__name__}: {error}") from error


def _line(error: Exception) -> str:
    number = getattr(error, "lineno", None)
    return f" (line {number})" if number else ""
