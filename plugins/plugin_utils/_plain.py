# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether a task needs work on the controller. Imports nothing, because it runs before every task."""

from __future__ import annotations

import typing as t

#: More messages than this are passed in a file, and their progress is shown.
FEW = 200
#: The same limit if a provider is set, which may have its own pace.
FEW_AT_A_PACE = 10
_ANY = frozenset(["body_file", "html_file", "body_template", "html_template", "vars"])
_TASK = frozenset(["messages_file", "remote_src", *_ANY])


def is_plain(arguments: t.Mapping[str, t.Any]) -> bool:
    """Return whether running the module is all there is to do."""
    if not _TASK.isdisjoint(arguments) or _chooses(arguments):
        return False
    if isinstance(arguments.get("messages"), str):  # may be JSON
        return False
    messages = _items(arguments.get("messages"))
    if takes_a_while(len(messages), arguments):
        return False
    return not any(isinstance(one, dict) and (_chooses(one) or not _ANY.isdisjoint(one)) for one in messages)


def takes_a_while(count: int, arguments: t.Mapping[str, t.Any]) -> bool:
    """Return whether to show progress: for many messages, or for several at a pace, which a provider may set."""
    paced = count > 1 and bool(arguments.get("messages_per_minute"))
    return paced or count > (FEW_AT_A_PACE if arguments.get("provider") else FEW)


def _chooses(options: t.Mapping[str, t.Any]) -> bool:
    # text may be JSON
    return any(isinstance(one, (dict, str)) and "remote_src" in one for one in _items(options.get("attachments")))


def _items(value: t.Any) -> t.Sequence[t.Any]:
    return value if isinstance(value, list) else [value]
