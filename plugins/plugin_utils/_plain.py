# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a task needs the controller at all. Imports nothing, for it runs in front of every message."""

from __future__ import annotations

import typing as t

#: More messages than this travel in a file, and their progress is shown.
FEW = 200
#: The same where a provider may have a pace of its own.
FEW_AT_A_PACE = 10
_ANY = frozenset(["body_file", "html_file", "body_template", "html_template", "vars"])
_TASK = frozenset(["messages_file", "remote_src", *_ANY])


def is_plain(arguments: t.Mapping[str, t.Any]) -> bool:
    """Whether there is nothing to do but to run the module."""
    if not _TASK.isdisjoint(arguments) or _chooses(arguments):
        return False
    messages = arguments.get("messages")
    if not isinstance(messages, list):
        return True
    if takes_a_while(len(messages), arguments):
        return False
    return all(isinstance(one, dict) and _ANY.isdisjoint(one) and not _chooses(one) for one in messages)


def takes_a_while(count: int, arguments: t.Mapping[str, t.Any]) -> bool:
    """Whether somebody will wonder how far it is: many messages, or several at a pace, which may be the provider's."""
    paced = count > 1 and bool(arguments.get("messages_per_minute"))
    return paced or count > (FEW_AT_A_PACE if arguments.get("provider") else FEW)


def _chooses(options: t.Mapping[str, t.Any]) -> bool:
    attachments = options.get("attachments")
    return isinstance(attachments, list) and any(isinstance(one, dict) and "remote_src" in one for one in attachments)
