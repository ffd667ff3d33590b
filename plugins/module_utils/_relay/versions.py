# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between versions of Postfix: parameters that are too new, and values with another syntax."""

from __future__ import annotations

import typing as t

Version = tuple[int, ...]

#: Before 3.6, protocols have no lower bound, only exclusions (TLS_README).
_BOUND = ">=TLSv1.2"
_EXCLUSIONS = "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
#: The compatibility levels whose changes this collection takes into account, newest first, each with its version.
_LEVELS = (((3, 9), "3.9"), ((3, 6), "3.6"))


def parse_version(text: str) -> Version:
    """Return the numbers of a version such as ``3.10.13``, without the suffix of a snapshot."""
    return tuple(int(part) for part in text.split("-")[0].split(".") if part.isdigit())


def fit(parameters: t.Mapping[str, str], version: Version, since: t.Mapping[str, t.Sequence[str]]) -> dict[str, str]:
    """Return the parameters that this version knows, in its syntax.

    :param since: by parameter, the versions that introduced it: one for each branch, the newest last.
    """
    fitting = {name: value for name, value in parameters.items() if knows(version, since.get(name, ()))}
    if version < (3, 6):
        fitting = {name: _EXCLUSIONS if value == _BOUND else value for name, value in fitting.items()}
    return fitting


def knows(version: Version, since: t.Sequence[str]) -> bool:
    """Whether a version has what these versions introduced, one for each branch."""
    brought = [parse_version(one) for one in since]
    if not brought or version >= brought[-1]:
        return True
    return any(one[:2] == version[:2] and version >= one for one in brought)


def compatibility_level(version: Version) -> str:
    """Return the value of ``compatibility_level`` for a version (COMPATIBILITY_README)."""
    return next((level for known, level in _LEVELS if version >= known), "2")
