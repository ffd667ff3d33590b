# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of an option that name one of several kinds: ``{command: [postfix, status]}``, ``{postfix: {}}``."""

from __future__ import annotations

import typing as t

from .._transaction.model import TransactionError

Kind = t.TypeVar("Kind")


def chosen(kinds: t.Mapping[str, Kind], entry: t.Mapping[str, t.Any]) -> tuple[Kind, t.Any]:
    """The kind that an entry names, and its option.

    :param kinds: a table of all kinds, by the name of their option.
    """
    name = next(name for name in kinds if entry[name] is not None)
    return kinds[name], entry[name]


def require_one_kind(option: str, kinds: t.Collection[str], entry: t.Mapping[str, t.Any]) -> None:
    """:raises TransactionError: the entry names none, or more than one."""
    given = [name for name in kinds if entry[name] is not None]
    if len(given) != 1:
        raise TransactionError(
            f"{option}: an entry names {' and '.join(given) or 'no kind'}; expected one of {', '.join(kinds)}"
        )
