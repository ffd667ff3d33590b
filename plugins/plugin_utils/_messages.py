# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the options of messages to those the host needs: without templates, controller files or variables."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mailops.smtp.plugins.module_utils._message.options import TEXTS, overlay, parse_attach

if t.TYPE_CHECKING:
    from ._files import ControllerFiles
    from ._templates import Templates
    from ._uploads import Uploads

Options = t.Mapping[str, t.Any]
_TEMPLATES = {template: text for text, _file, template in TEXTS.values()}


class Messages:
    """Prepares the messages of one task.

    :param remote_src: whether all files are on the host or on the controller; None for the default of each option.
    :param aliases: alias -> name of the option.
    """

    def __init__(
        self,
        files: ControllerFiles,
        templates: Templates,
        uploads: Uploads,
        remote_src: bool | None,
        aliases: t.Mapping[str, str],
    ) -> None:
        self._files = files
        self._templates = templates
        self._uploads = uploads
        self._remote_src = remote_src
        self._aliases = aliases
        self._common: Options = {}

    def for_all(self, options: Options) -> dict[str, t.Any]:
        """Return the options that the task sets for all messages; its templates are rendered for each message.

        :raises AnsibleActionFail: the options cannot be used.
        """
        self._common = self._named(options, "")
        return self._without_files(self._common, "")

    def only(self) -> dict[str, t.Any]:
        """Return the rendered texts of the only message.

        :raises AnsibleActionFail: a template cannot be rendered.
        """
        return self._rendered({}, "")

    def one(self, own: Options, where: str) -> dict[str, t.Any]:
        """Return the options of one message of many.

        :param where: how errors name the message.
        :raises AnsibleActionFail: the options cannot be used.
        """
        own = self._named(own, f"{where}: ")
        return {**self._without_files(own, f"{where}: "), **self._rendered(own, where)}

    def _named(self, options: Options, prefix: str) -> dict[str, t.Any]:
        """Return the options under their documented names; as in Ansible, an alias takes precedence."""
        named = {name: value for name, value in options.items() if name not in self._aliases}
        named.update({self._aliases[name]: value for name, value in options.items() if name in self._aliases})
        for names in TEXTS.values():
            given = [name for name in names if named.get(name) is not None]
            if len(given) > 1:
                raise AnsibleActionFail(f"{prefix}{' and '.join(given)} are mutually exclusive; choose one")
        if not isinstance(named.get("vars") or {}, dict):
            raise AnsibleActionFail(f"{prefix}vars is not a mapping; expected names and values")
        return named

    def _rendered(self, own: Options, where: str) -> dict[str, t.Any]:
        options = overlay(self._common, own)
        wanted = [template for template in _TEMPLATES if template in options]
        if not wanted:
            return {}
        message = {name: value for name, value in options.items() if name not in _TEMPLATES and name != "vars"}
        variables = {**(self._common.get("vars") or {}), **(own.get("vars") or {}), "message": message}
        return {
            _TEMPLATES[template]: self._templates.render(str(options[template]), template, variables, where)
            for template in wanted
        }

    def _without_files(self, given: Options, prefix: str) -> dict[str, t.Any]:
        options = {name: value for name, value in given.items() if name not in _TEMPLATES and name != "vars"}
        if not self._remote_src:
            for text, file, _template in TEXTS.values():
                if options.get(file) is not None:
                    options[text] = self._files.text(str(options.pop(file)), f"{prefix}{file}")
        for name in ("attachments", "inline"):
            if isinstance(options.get(name), list):
                options[name] = [self._attachment(item, f"{prefix}{name}") for item in options[name]]
        if options.get("attach") and self._remote_src is False:
            paths = parse_attach(options["attach"])
            options["attach"] = [self._uploads.attach(path, f"{prefix}attach") for path in paths]
        return options

    def _attachment(self, item: t.Any, option: str) -> t.Any:
        if not isinstance(item, dict):
            return item
        remote = self._remote_src if item.get("remote_src") is None else boolean_option(item["remote_src"], option)
        if remote is not False or item.get("path") is None:
            return item
        item = {name: value for name, value in item.items() if name != "remote_src"}
        return {**item, "path": self._uploads.attach(str(item["path"]), option)}


def boolean_option(value: t.Any, option: str) -> bool:
    """Return a value of ``remote_src`` as a boolean.

    :raises AnsibleActionFail: the value is not a boolean.
    """
    try:
        return bool(boolean(value))
    except TypeError:
        raise AnsibleActionFail(f"{option}: remote_src is {value!r}; expected true or false") from None
