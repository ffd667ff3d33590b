# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can judge a staged configuration. A table: a new validator is a new row, and an option of its name appears."""

from __future__ import annotations

import typing as t

from .._transaction.model import TransactionError
from .commands import Commands


class Validator(t.NamedTuple):
    """One kind of validator.

    :ivar options: argument spec of the option that bears its name.
    :ivar programs: what it needs installed, from its option and the paths of the files; where one is missing, check
        mode says so.
    :ivar judge: takes its option, the stage, and the paths that will no longer be there; raises
        :class:`TransactionError` with what is wrong, where known with file and line.
    """

    options: dict[str, t.Any]
    programs: t.Callable[[t.Any, t.Collection[str]], list[str]]
    judge: t.Callable[[Commands, t.Any, str, t.Collection[str]], None]


def _judge_by_command(commands: Commands, argv: list[str], stage: str, _removed: t.Collection[str]) -> None:
    commands.must_succeed(argv, stage, silent=True)


def _judge_by_postfix(_commands: Commands, option: t.Mapping[str, str], stage: str, removed: t.Collection[str]) -> None:
    from .._postfix import canary  # it brings the SMTP client along, which no other transaction needs

    try:
        problems = canary.find_problems(stage, live=option["config_directory"], removed=removed)
    except canary.CanaryError as error:
        raise TransactionError(f"The configuration could not be tried: {error}.") from error
    if problems:
        raise TransactionError("\n".join(map(str, problems)), problems[0].file, problems[0].line or None)


def _judge_by_firewall(commands: Commands, _option: t.Any, stage: str, _removed: t.Collection[str]) -> None:
    from .._firewall import backends, host  # no other transaction needs them

    try:
        backends.validate(stage)
    except host.FirewallError as error:
        raise commands.refusal(str(error), stage) from error


def _firewall_programs(_option: t.Any, paths: t.Collection[str]) -> list[str]:
    from .._firewall import backends

    return backends.needed_programs(paths)


VALIDATORS: dict[str, Validator] = {
    "command": Validator({"type": "list", "elements": "str"}, lambda argv, _paths: argv[:1], _judge_by_command),
    "postfix": Validator(
        {"type": "dict", "options": {"config_directory": {"type": "path", "default": "/etc/postfix"}}},
        lambda _option, _paths: ["postconf", "postmap", "openssl"],
        _judge_by_postfix,
    ),
    "firewall": Validator({"type": "dict", "options": {}}, _firewall_programs, _judge_by_firewall),
}
