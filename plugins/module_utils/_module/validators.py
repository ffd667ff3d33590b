# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of validators. Each row adds an option of its name to the entries of ``validators``."""

from __future__ import annotations

import typing as t

from .._transaction.model import TransactionError
from .commands import Commands


class Validator(t.NamedTuple):
    """One kind of validator.

    :ivar options: argument spec of the option of its name.
    :ivar programs: takes the value of its option and the paths of the files; returns the programs that it needs. If one
        is missing, check mode does not validate and reports it.
    :ivar judge: takes the value of its option, the stage, and the paths that the run removes; raises
        :class:`TransactionError` with what is wrong, with file and line if known.
    """

    options: dict[str, t.Any]
    programs: t.Callable[[t.Any, t.Collection[str]], list[str]]
    judge: t.Callable[[Commands, t.Any, str, t.Collection[str]], None]


def _judge_by_command(commands: Commands, argv: list[str], stage: str, _removed: t.Collection[str]) -> None:
    commands.must_succeed(argv, stage, silent=True)


def _judge_by_postfix(
    _commands: Commands, option: t.Mapping[str, t.Any], stage: str, removed: t.Collection[str]
) -> None:
    from .._postfix import canary  # it imports the SMTP client, which other transactions do not need

    try:
        problems = canary.find_problems(
            stage, live=option["config_directory"], removed=removed, upstreams=option["upstreams"]
        )
    except canary.CanaryError as error:
        raise TransactionError(f"The configuration could not be tried: {error}.") from error
    if problems:
        raise TransactionError("\n".join(map(str, problems)), problems[0].file, problems[0].line or None)


def _judge_by_firewall(commands: Commands, _option: t.Any, stage: str, _removed: t.Collection[str]) -> None:
    from .._firewall import backends, host  # other transactions do not need them

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
        {
            "type": "dict",
            "options": {
                "config_directory": {"type": "path", "default": "/etc/postfix"},
                "upstreams": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "options": {
                        "transport": {"type": "str", "required": True},
                        "nexthop": {"type": "str", "required": True},
                    },
                },
            },
        },
        lambda _option, _paths: ["postconf", "postmap", "openssl"],
        _judge_by_postfix,
    ),
    "firewall": Validator({"type": "dict", "options": {}}, _firewall_programs, _judge_by_firewall),
}
