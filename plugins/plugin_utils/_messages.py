# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the options of messages to those the host needs: without templates, controller files or variables."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import MessageError
from ansible_collections.mailops.smtp.plugins.module_utils._message.options import TEXTS, message_form, overlay

if t.TYPE_CHECKING:
    from ._files import ControllerFiles
    from ._templates import Templates
    from ._texts import Texts
    from ._uploads import Uploads

from ._rows import check_host_row
from ._texts import apart, has_template

Options = t.Mapping[str, t.Any]
_TEMPLATES = {template: text for text, _file, template in TEXTS.values()}


class Messages:
    """Prepares the messages of one task.

    :param remote_src: whether all files are on the host or on the controller; None for the default of each option.
    :param arguments: the argument spec of a message.
    """

    def __init__(
        self,
        files: ControllerFiles,
        templates: Templates,
        texts: Texts,
        uploads: Uploads,
        remote_src: bool | None,
        arguments: t.Mapping[str, t.Any],
    ) -> None:
        self._files = files
        self._templates = templates
        self._texts = texts
        self._uploads = uploads
        self._remote_src = remote_src
        self._form = message_form(arguments)
        self._common: Options = {}

    def for_all(self, options: Options) -> dict[str, t.Any]:
        """Return the options that the task sets for all messages, without those that are rendered for each message.

        :raises AnsibleActionFail: the options cannot be used.
        """
        self._common = self._read(options, "")
        return self._without_files(self._common, "")

    def only(self) -> dict[str, t.Any]:
        """Return the options of the only message that are rendered.

        :raises AnsibleActionFail: a template cannot be rendered.
        """
        return self._converted({}, "")

    def one(self, own: Options, where: str) -> dict[str, t.Any]:
        """Return the options of one message of many.

        :param where: how errors name the message.
        :raises AnsibleActionFail: the options cannot be used.
        """
        return self._converted(own, where)

    def _converted(self, own: t.Any, where: str) -> dict[str, t.Any]:
        prefix = f"{where}: " if where else ""
        if isinstance(own, dict):
            own = self._own(own, where, prefix)
        own = self._read(own, prefix)
        own = {**own, **self._read(self._from_task(own, where), prefix)}
        return {**self._without_files(own, prefix), **self._rendered(own, where)}

    def _own(self, own: Options, where: str, prefix: str) -> Options:
        """Return a message's own options; those that the playbook lists may have templates, a row has none."""
        texts = {name: value for name, value in own.items() if has_template(value)}
        if not texts:
            return own
        if "vars" in texts:
            own = {**own, "vars": self._texts.render("vars", texts.pop("vars"), {}, where)}
        own = {**own, **self._read({"vars": own.get("vars")}, prefix)}
        variables = self._variables(own)
        return {
            **own,
            **{name: self._texts.render(name, apart(name, text), variables, where) for name, text in texts.items()},
        }

    def _from_task(self, own: Options, where: str) -> dict[str, t.Any]:
        """Return the task's options that use the variables of this message, unless it has its own."""
        variables = self._variables(own)
        texts = {
            name: apart(name, self._texts.given.values[name])
            for name in self._texts.wanted(variables)
            if name in overlay({name: True}, {**own, name: None}) and name not in own
        }
        variables["message"].update(texts)  # such as a subject that uses message.to
        rendered = {name: self._texts.render(name, text, variables, where) for name, text in texts.items()}
        if self._texts.host_rows:
            check_host_row(rendered, where)
        return rendered

    def _variables(self, own: Options) -> dict[str, t.Any]:
        """Return the variables of a message, and its options under ``message``."""
        options = overlay(self._common, own)
        message = {name: value for name, value in options.items() if name not in _TEMPLATES and name != "vars"}
        return {**(self._common.get("vars") or {}), **(own.get("vars") or {}), "message": message}

    def _read(self, options: t.Any, where: str) -> dict[str, t.Any]:
        try:
            return self._form.read(options)
        except MessageError as error:
            raise AnsibleActionFail(f"{where}{error}") from None

    def _rendered(self, own: Options, where: str) -> dict[str, t.Any]:
        options = overlay(self._common, own)
        wanted = [template for template in _TEMPLATES if template in options]
        if not wanted:
            return {}
        variables = self._variables(own)
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
            if name in options:
                options[name] = [self._attachment(item, f"{prefix}{name}") for item in options[name]]
        if options.get("attach") and self._remote_src is False:
            options["attach"] = [self._uploads.attach(path, f"{prefix}attach") for path in options["attach"]]
        return options

    def _attachment(self, item: Options, option: str) -> Options:
        remote = item.get("remote_src", self._remote_src)
        if remote is not False or "path" not in item:
            return item
        item = {name: value for name, value in item.items() if name != "remote_src"}
        return {**item, "path": self._uploads.attach(item["path"], option)}


def boolean_option(value: t.Any, option: str) -> bool:
    """Return a value of ``remote_src`` as a boolean.

    :raises AnsibleActionFail: the value is not a boolean.
    """
    try:
        return bool(boolean(value))
    except TypeError:
        raise AnsibleActionFail(f"{option}: remote_src is {value!r}; expected true or false") from None
