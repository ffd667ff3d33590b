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
from ansible.template import generate_ansible_template_vars, trust_as_template
from jinja2 import BaseLoader, DictLoader, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ._files import ControllerFiles, text_from_host
from ._template_places import OVERRIDES, RAISED, place_of, split_overrides

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

Variables = t.Mapping[str, t.Any]


class _Template(t.NamedTuple):
    """A template that was read.

    :param render: makes the text from variables.
    :param path: the file as Jinja names it in errors.
    :param loader: loader of included templates.
    """

    render: t.Callable[[Variables], t.Any]
    text: str
    path: str
    loader: BaseLoader


class Templates(abc.ABC):
    """Renders templates for messages, as ``ansible.builtin.template`` does for files."""

    def __init__(self) -> None:
        self._read = functools.lru_cache(8)(self._prepare)

    def render(self, name: str, option: str, variables: Variables, where: str) -> str:
        """Return the text of a template for one message.

        :param variables: the variables of the message, and ``message`` itself.
        :param where: how errors name the message; empty for the only one.
        :raises AnsibleActionFail: the template does not exist, contains an error or uses an undefined variable.
        """
        message = f"{where}: " if where else ""
        template = None
        try:
            template = self._read(name, option)
            text = template.render(variables)
        except AnsibleActionFail as error:
            raise AnsibleActionFail(f"{message}{error}") from None
        except (AnsibleError, TemplateError) as error:
            place = place_of(error, template.text, template.path, template.loader) if template else ""
            raise AnsibleActionFail(f"{message}{option} {name}: {error}{place}") from None
        return "" if text is None else str(text).replace("\ufeff", "")  # included files may begin with one, too

    @abc.abstractmethod
    def _prepare(self, name: str, option: str) -> _Template: ...


class ControllerTemplates(Templates):
    """Templates on the controller, with everything that Ansible templates may use."""

    def __init__(self, action: ActionBase, files: ControllerFiles, task_vars: dict[str, t.Any]) -> None:
        super().__init__()
        self._action = action
        self._files = files
        self._task_vars = task_vars

    def _prepare(self, name: str, option: str) -> _Template:
        text = self._files.text(name, option, "templates")
        path = self._files.find(name, option, "templates")
        readable = self._files.readable(path, option)  # kept: Jinja checks the file for changes
        places = [*self._task_vars.get("ansible_search_path", ()), self._action._loader.get_basedir()]
        places = [place for parent in [*places, os.path.dirname(path)] for place in _with_templates(parent)]
        templar = self._action._templar.copy_with_new_env(searchpath=[*places, "/"])
        template = trust_as_template(text if text.startswith(OVERRIDES) else _inclusion(readable, text))
        about: dict[str, t.Any] = generate_ansible_template_vars(name, path)
        if "ansible_managed" in self._task_vars:
            del about["ansible_managed"]

        def render(variables: Variables) -> t.Any:
            templar.available_variables = collections.ChainMap(dict(variables), about, self._task_vars)
            return templar.template(template, escape_backslashes=False)

        return _Template(render, text, readable, FileSystemLoader(places))


def _with_templates(folder: str) -> tuple[str, str]:
    return os.path.join(folder, "templates"), folder


def _inclusion(path: str, text: str) -> str:
    """Return a template that includes a file, because Jinja caches only included templates compiled.

    Its line breaks at the end are those of the file, which Ansible keeps and Jinja does not.
    """
    quoted = path.lstrip("/").replace("\\", "\\\\").replace("'", "\\'")
    return f"{{% include '{quoted}' %}}" + "\n" * (len(text) - len(text.rstrip("\n")))


#: Settings in the first line that a host may choose. Others, such as extensions, would run code of the controller.
_SYNTAX = frozenset(
    [
        *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
        *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
        *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline"),
    ]
)


#: Characters of a template of a host, which the controller holds in memory; a newsletter has about 100,000.
_LARGEST = 1 << 20


class HostTemplates(Templates):
    """Templates on the host, which get only Jinja and the message's variables because the host is not trusted.

    Ansible's lookups would run on the controller, and its variables include secrets of other hosts.
    """

    def __init__(self, action: ActionBase, task_vars: dict[str, t.Any]) -> None:
        super().__init__()
        self._action = action
        self._task_vars = task_vars
        self._environment = ImmutableSandboxedEnvironment(
            loader=DictLoader({}), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
        )

    def _prepare(self, name: str, option: str) -> _Template:
        text = text_from_host(self._action, name, option, self._task_vars)
        if len(text) > _LARGEST:
            raise TemplateError(
                f"has {len(text):,} characters; expected at most {_LARGEST:,} for a template on the host"
            )
        overrides, source = split_overrides(text)
        unknown = overrides.keys() - _SYNTAX
        if unknown:
            raise TemplateError(f"line 1 has unknown settings: {', '.join(sorted(unknown))}")
        try:
            environment = self._environment.overlay(**overrides)
        except RAISED as error:
            raise TemplateError(f"line 1 has invalid settings: {error}") from error
        compiled = functools.lru_cache(1)(lambda: environment.from_string(source))  # later: its errors have a line

        def render(variables: Variables) -> str:
            try:
                return compiled().render(variables)
            except RAISED as error:  # by an expression
                raise TemplateError(f"{type(error).__name__}: {error}") from error

        return _Template(render, text, "", DictLoader({}))
