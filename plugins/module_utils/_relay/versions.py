# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between versions of Postfix: parameters not known yet, and values that are written otherwise."""

from __future__ import annotations

import typing as t

Version = tuple[int, ...]

#: Before 3.6 there are no lower bounds of protocols, only exclusions (TLS_README).
_BOUND = ">=TLSv1.2"
_EXCLUSIONS = "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
#: The newest compatibility level that a version knows, of those whose changes this collection knows.
_LEVELS = (((3, 9), "3.9"), ((3, 6), "3.6"))


def parse_version(text: str) -> Version:
    """``3.10.13`` as numbers, without what a snapshot appends."""
    return tuple(int(part) for part in text.split("-")[0].split(".") if part.isdigit())


def fit(parameters: t.Mapping[str, str], version: Version, since: t.Mapping[str, t.Sequence[str]]) -> dict[str, str]:
    """The parameters that this version knows, written as it reads them.

    :param since: by parameter, the versions that brought it: one for each branch it was brought to, the newest last.
    """
    fitting = {name: value for name, value in parameters.items() if knows(version, since.get(name, ()))}
    if version < (3, 6):
        fitting = {name: _EXCLUSIONS if value == _BOUND else value for name, value in fitting.items()}
    return fitting


def knows(version: Version, since: t.Sequence[str]) -> bool:
    """Whether a version has what came with one of these."""
    brought = [parse_version(one) for one in since]
    if not brought or version >= brought[-1]:
        return True
    return any(one[:2] == version[:2] and version >= one for one in brought)


def compatibility_level(version: Version) -> str:
    """The value of ``compatibility_level`` (COMPATIBILITY_README)."""
    return next((level for known, level in _LEVELS if version >= known), "2")
