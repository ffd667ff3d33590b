# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a task needs the controller at all. Imports nothing, for it runs in front of every message."""

from __future__ import annotations

import typing as t

#: More messages than this travel in a file, and their progress is shown.
FEW = 200
_ANY = frozenset(["body_file", "html_file", "body_template", "html_template", "vars"])
_TASK = frozenset(["messages_file", "remote_src", *_ANY])


def is_plain(arguments: t.Mapping[str, t.Any]) -> bool:
    """Whether there is nothing to do but to run the module."""
    if not _TASK.isdisjoint(arguments) or _chooses(arguments):
        return False
    messages = arguments.get("messages")
    if not isinstance(messages, list):
        return True
    if len(messages) > FEW or arguments.get("messages_per_minute"):
        return False
    return all(isinstance(one, dict) and _ANY.isdisjoint(one) and not _chooses(one) for one in messages)


def _chooses(options: t.Mapping[str, t.Any]) -> bool:
    attachments = options.get("attachments")
    return isinstance(attachments, list) and any(isinstance(one, dict) and "remote_src" in one for one in attachments)
