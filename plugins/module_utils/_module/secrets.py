# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that are not an option's own value, hidden the way each version of Ansible wants.

Ansible hides the options with ``no_log`` by itself. A token that was fetched, the content of a former file or the
password in a URL has to be named: before ansible-core 2.22 in ``no_log_values`` of the module, from 2.22 on in a
register. The first masks the result; the second masks what Ansible shows, but not the result, which a playbook may keep
or mail.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._sasl.scrubbing import encoded_forms, masked, scrub_text

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # before ansible-core 2.22
    register_secrets = None

#: Of more secrets, such as the lines of a table of users, only the clear form is hidden: all would take seconds.
_MANY = 1000


class Hiding(t.Protocol):
    """The attributes of an AnsibleModule that are needed here."""

    no_log: bool
    no_log_values: set[str]

    def warn(self, warning: str) -> None:
        """Show a warning."""


def hide(module: Hiding, secrets: t.Iterable[str]) -> None:
    """Hide these values in the result of the module, in clear and in every encoding in which they may occur."""
    secrets = frozenset(secrets)
    forms = encoded_forms(secrets) if len(secrets) <= _MANY else secrets
    module.no_log_values.update(forms)
    if register_secrets:
        register_secrets(forms)


class DiscreetModule(AnsibleModule):
    """A module whose result holds no secret in any version of Ansible, and that does not write to the host's log.

    Ansible would log the parameters, with the content of messages and files. ``no_log`` does not help, since the
    controller sets it for each task.
    """

    def log(self, msg: str, log_args: t.Any = None) -> None:
        """Write nothing: the result of the task reports what was done."""

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        """Exit with this result."""
        super().exit_json(**self._discreet(result))

    def fail_json(self, msg: str, **result: t.Any) -> t.NoReturn:
        """Fail with this result."""
        super().fail_json(**self._discreet({"msg": msg, **result}))

    def _discreet(self, result: dict[str, t.Any]) -> dict[str, t.Any]:
        return dict(masked(result, self.no_log_values)) if register_secrets else result


def warn(module: Hiding, warning: str, discreet: str) -> None:
    """Show a warning without secrets. Before 2.22 Ansible shows it as it is, even if the task has ``no_log``.

    :param discreet: what to say instead if the task has ``no_log``: no value of the task or of a server.
    """
    module.warn(discreet if module.no_log else scrub_text(warning, encoded_forms(module.no_log_values)))
