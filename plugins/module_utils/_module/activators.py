# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes changed files take effect. A table: a new activator is a new row, and an option of its name appears."""

from __future__ import annotations

import typing as t

from .._transaction.model import TransactionError
from .commands import Commands


class Activator(t.NamedTuple):
    """One kind of activator.

    :ivar options: argument spec of the option that bears its name.
    :ivar apply: takes its option and makes the files take effect; raises :class:`TransactionError` with what is wrong.
    :ivar disagreement: takes its option and says in a sentence that what is in force differs from the files, or why
        that could not be found out; empty if it does not differ, and for kinds that cannot be asked.
    """

    options: dict[str, t.Any]
    apply: t.Callable[[Commands, t.Any], None]
    disagreement: t.Callable[[Commands, t.Any], str]


def _apply_command(commands: Commands, argv: list[str]) -> None:
    commands.must_succeed(argv)


# The firewall is imported where it is used: other transactions do not need it.


def _apply_firewall(_commands: Commands, _option: t.Any) -> None:
    from .._firewall import backends, host

    try:
        backends.apply()
    except host.FirewallError as error:
        raise TransactionError(str(error)) from error


def _firewall_disagreement(_commands: Commands, _option: t.Any) -> str:
    from .._firewall import backends, host

    try:
        return backends.disagreement()
    except (host.FirewallError, OSError) as error:
        return str(error)


ACTIVATORS: dict[str, Activator] = {
    "command": Activator({"type": "list", "elements": "str"}, _apply_command, lambda _commands, _argv: ""),
    "firewall": Activator({"type": "dict", "options": {}}, _apply_firewall, _firewall_disagreement),
}
