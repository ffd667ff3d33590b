# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a task that use the variables of a message, such as ``subject: Dear {{ name }}``.

Only what the playbook says is a template: the values of a row and of ``vars`` are data and stay as they are.
"""

from __future__ import annotations

import collections
import functools
import re
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError, AnsibleValueOmittedError
from ansible.template import is_trusted_as_template, trust_as_template
from jinja2 import Environment, StrictUndefined, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.mailops.smtp.plugins.module_utils._message.addresses import parse_mailboxes
from ansible_collections.mailops.smtp.plugins.module_utils._message.errors import MessageError
from ansible_collections.mailops.smtp.plugins.module_utils._message.forms import json_or_text
from ansible_collections.mailops.smtp.plugins.module_utils._message.options import ADDRESSES, MESSAGE_IDS, URIS

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

from ._template_places import RAISED

Variables = t.Mapping[str, t.Any]
_PARSER = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])  # noqa: S701 - it only parses
#: Names that templates know without a variable.
_GLOBALS = frozenset([*_PARSER.globals, "lookup", "query", "q", "now", "undef", "omit"])


class Given(t.NamedTuple):
    """What a task says, before Ansible renders it.

    :param values: the arguments as the playbook has them.
    :param failed: names of arguments that Ansible could not render with the variables of the task.
    """

    values: dict[str, t.Any]
    failed: set[str]


class Texts:
    """Renders options of a task for each message.

    :param given: what the task says, under the documented names of the options.
    :param host_rows: whether the variables come from a host. They are not trusted: Ansible's look-ups run on the
        controller, so such a text sees only Jinja and the variables of its message.
    """

    def __init__(self, action: ActionBase, task_vars: dict[str, t.Any], given: Given, host_rows: bool) -> None:
        self._task_vars = task_vars
        self._templar = action._templar.copy_with_new_env()
        self._sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        self._compiled = functools.lru_cache(64)(self._sandbox.from_string)
        #: A variable of the task that has this name takes precedence in texts, which may have used it before.
        self._hidden = {"message"} & task_vars.keys()
        self.host_rows = host_rows
        self._names = {name: self._variables_of(value) for name, value in given.values.items()}
        self.given = given
        known = task_vars.keys() | _GLOBALS
        #: Options that need the variables of a message, be it in a default; Ansible adds ansible_host and so on late.
        self.open = given.failed | {
            name for name, used in self._names.items() if any(not one.startswith("ansible_") for one in used - known)
        }

    def wanted(self, variables: Variables) -> list[str]:
        """Return the options that use these variables."""
        known = variables.keys() - self._hidden
        return [
            name
            for name, used in self._names.items()
            if name in self.given.failed or (name in self.open if self.host_rows else used & known)
        ]

    def render(self, option: str, value: t.Any, variables: Variables, where: str) -> t.Any:
        """Return the value of an option for one message; None if it is omitted.

        :param where: how errors name the message; empty for the only one.
        :raises AnsibleActionFail: the value cannot be rendered.
        """
        variables = {name: one for name, one in variables.items() if name not in self._hidden}
        try:
            rendered = self._value(value, variables)
            self._check_number(option, value, rendered, variables)
            return rendered
        except AnsibleValueOmittedError:
            return None
        except (AnsibleError, TemplateError) as error:
            raise AnsibleActionFail(f"{where}{': ' if where else ''}{option}: {error}") from None

    def _value(self, value: t.Any, variables: Variables) -> t.Any:
        if self.host_rows:
            return self._plain(value, variables)
        self._templar.available_variables = collections.ChainMap(dict(variables), self._task_vars)
        return self._templar.template(value)

    def _check_number(self, option: str, value: t.Any, rendered: t.Any, variables: Variables) -> None:
        """Check that no value of a variable adds an address, for the row may come from anyone.

        :raises TemplateError: one does.
        """
        if option == "headers":
            for text, result in _address_headers(value, rendered):
                self._check_number("reply_to", text, result, variables)
            return
        if option not in COUNTED or self._is_alone(value, variables):
            return
        if isinstance(value, list) and isinstance(rendered, list) and len(value) == len(rendered):
            for one, text in zip(value, rendered, strict=True):
                self._check_number(option, one, text, variables)
            return
        if isinstance(rendered, list) and all(_number(option, one) == 1 for one in rendered):
            return  # the template makes a list, whose items are one each
        found = _number(option, rendered)
        if found > 1 and found != self._expected(option, value, variables):
            raise TemplateError(
                f"{str(rendered)!r} reads as {found} {COUNTED[option]}, because the value of a variable adds one. "
                "Correct the value; a variable that holds several stands alone, as an item of a list"
            )

    def _is_alone(self, text: t.Any, variables: Variables, within: frozenset[str] = frozenset()) -> bool:
        """Return whether a text is one variable alone; if the play defines it by a template, that one as well.

        :param within: the variables whose definitions lead here, which may name themselves where that is not reached.
        """
        if not is_whole(text):
            return False
        names = _undeclared(str(text)) & self._task_vars.keys() - variables.keys() - within
        defined = [self._task_vars[name] for name in names]
        return all(self._is_alone(one, variables, within | names) for one in defined if has_template(one))

    def _expected(self, option: str, value: t.Any, variables: Variables) -> int:
        """Return how many items the text has if no value of a variable has several; 0 if that cannot be told."""
        try:
            return _number(option, self._value(value, tamed(variables)))
        except (AnsibleError, TemplateError):
            return 0

    def _plain(self, value: t.Any, variables: Variables) -> t.Any:
        if isinstance(value, dict):
            return {name: self._plain(one, variables) for name, one in value.items()}
        if isinstance(value, list):
            return [self._plain(one, variables) for one in value]
        if not is_trusted_as_template(value):
            return value
        try:
            return self._compiled(str(value)).render(variables)
        except RAISED as error:  # by an expression
            raise TemplateError(f"{type(error).__name__}: {error}") from error

    def _variables_of(self, value: t.Any) -> frozenset[str]:
        """Return the variables that templates use, also within the task's variables that they use."""
        found: set[str] = set()
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                waiting += one.values()
            elif isinstance(one, (list, tuple)):
                waiting += one
            elif is_trusted_as_template(one) and "{" in one:
                used = _undeclared(str(one)) - found
                found |= used
                waiting += [self._task_vars[name] for name in used if name in self._task_vars]
        return frozenset(found)


def apart(option: str, text: t.Any) -> t.Any:
    """Return the parts of an option before they are rendered, so that the value of a row cannot begin another part.

    >>> apart("headers", "X-A=a|X-B={{ b }}")
    {'X-A': ['a'], 'X-B': ['{{ b }}']}
    """
    if option == "headers":
        items = [text] if isinstance(text, str) else text
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            found = [_HEADER.match(part) for item in items for part in _BAR.split(item.strip())]
            if all(found):
                names = list(dict.fromkeys(one[1] for one in found if one))
                return {name: [trust_as_template(one[2]) for one in found if one and one[1] == name] for name in names}
    elif option in ("attach", "attachments") and isinstance(text, str) and not _WHOLE.match(text):
        return [trust_as_template(part) for part in _COMMA.split(text)]
    return text


#: A bar before the name of a header, and a header that has a name without a template.
_BAR = re.compile(r"(?<!\s)\s*\|\s*(?=[A-Za-z][A-Za-z0-9-]*\s*[=:])")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\s*[=:]\s*(.*)\Z", re.DOTALL)
#: A text that is one template, such as a list in a variable, and a comma outside of templates.
_WHOLE = re.compile(r"\s*\{\{(?:(?!\}\}).)*\}\}\s*\Z", re.DOTALL)
_COMMA = re.compile(r",(?![^{}]*\}\})")


#: Options whose templates have as many items as the playbook says, and what these are.
COUNTED: t.Mapping[str, str] = {
    **dict.fromkeys(("from", "sender", "to", "recipients", "cc", "bcc", "reply_to", "envelope_from"), "addresses"),
    **dict.fromkeys(("in_reply_to", "references"), "Message-IDs"),
    "list_unsubscribe": "URIs",
}
#: Header fields that hold addresses.
ADDRESS_HEADERS = frozenset(
    [
        *("reply-to", "sender", "errors-to", "mail-reply-to", "mail-followup-to", "disposition-notification-to"),
        *("return-receipt-to", "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc"),
    ]
)
#: What may separate, enclose or hide an address.
_SPECIAL = re.compile(r"""[,;:<>()"'\\\[\]{}|\s\uff0c\u3001\uff1b\uff1c\uff1e]+""")
_JOINED = (nodes.Concat, nodes.Add, nodes.Mod)


def is_whole(text: t.Any) -> bool:
    """Return whether a text is one variable alone, filtered or not, which may hold a list; nothing is joined to it."""
    if not isinstance(text, str) or not _WHOLE.match(text):
        return False
    try:
        tree = _PARSER.parse(text)
    except TemplateError:  # an error of the task, which Ansible reports
        return True
    return not any(tree.find_all(_JOINED)) and not any(one.name == "format" for one in tree.find_all(nodes.Filter))


def tamed(value: t.Any) -> t.Any:
    """Return a value whose texts hold at most one address each.

    >>> tamed({"name": "Jo <evil@x>, Jo", "names": ["Doe, Jo", "Ann"]})
    {'name': 'evil@x', 'names': ['Doe Jo', 'Ann']}
    """
    if isinstance(value, t.Mapping):
        return {name: tamed(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [tamed(one) for one in value]
    if not isinstance(value, str) or not _SPECIAL.search(value):
        return value
    parts = _SPECIAL.split(value)
    return next((part for part in parts if all(part.rpartition("@"))), " ".join(filter(None, parts)))


def _address_headers(value: t.Any, rendered: t.Any) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Yield the text of each header that holds addresses, and what is made of it."""
    if isinstance(value, list) and isinstance(rendered, list) and len(value) == len(rendered):
        for one, result in zip(value, rendered, strict=True):
            yield from _address_headers(one, result)
    elif isinstance(value, dict) and isinstance(rendered, dict):
        name = value.get("name", value.get("key"))
        pairs = {str(name): "value"} if "value" in value and name else {str(one): one for one in value}
        for header, key in pairs.items():
            if header.strip().lower() in ADDRESS_HEADERS:
                yield value[key], rendered.get(key)


def _number(option: str, value: t.Any) -> int:
    """Return the number of items; 0 if the value is not valid, which is told when the message is composed."""
    try:
        value = json_or_text(value, option)
        if COUNTED[option] == "addresses":
            return len(parse_mailboxes(ADDRESSES.read(value, option) or ()))
        return len((URIS if option == "list_unsubscribe" else MESSAGE_IDS).read(value, option))
    except MessageError:
        return 0


def has_template(value: t.Any) -> bool:
    """Return whether a value is a template of the playbook, or contains one."""
    if isinstance(value, dict):
        return any(map(has_template, value.values()))
    if isinstance(value, list):
        return any(map(has_template, value))
    return is_trusted_as_template(value) and "{" in value


def _undeclared(text: str) -> set[str]:
    try:
        return meta.find_undeclared_variables(_PARSER.parse(text))
    except TemplateError:  # an error of the task, which Ansible reports
        return set()
