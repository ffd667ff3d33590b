# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``--diff`` shows of a transaction: files as they are, secrets not at all, and programs by their digests."""

from __future__ import annotations

import typing as t

from .._transaction.model import digest_of
from .._transaction.plan import Change

_PROGRAM = ".py"


def diffs_of(changes: t.Iterable[Change]) -> list[dict[str, str]]:
    """Return a diff of each file, and one of all programs together, in which each has a line.

    A program that was edited on the host is shown like any other file.
    """
    shown: list[Change] = []
    programs: list[Change] = []
    for change in changes:
        (programs if _is_program(change) else shown).append(change)
    return [_diff(change) for change in shown] + ([_diff_of_programs(programs)] if programs else [])


def _is_program(change: Change) -> bool:
    built = change.wanted is not None and change.wanted.content is None
    return change.path.endswith(_PROGRAM) and not (change.edited or change.secret or built)


def _diff(change: Change) -> dict[str, str]:
    """Return the diff of one file; for a secret it shows only that the file changes."""
    before, after = (content.decode("utf-8", "replace") for content in (change.before, change.after))
    remains = change.wanted or change.original
    if change.wanted and change.wanted.content is None:
        before, after = ("(built)\n" if change.present else ""), "(built anew)\n"
    elif change.secret:
        shown = "(secret)\n" if change.before == change.after else "(secret, changed)\n"
        before, after = ("(secret)\n" if change.present else ""), (shown if remains else "")
    return {
        "before": before,
        "after": after,
        "before_header": f"{change.path} (edited since the last run)" if change.edited else change.path,
        "after_header": _header_after(change),
    }


def _header_after(change: Change) -> str:
    wanted = change.wanted
    if wanted:
        return f"{wanted.path} ({wanted.owner}:{wanted.group} {wanted.mode:04o})"
    return f"{change.path} ({'as before the first run' if change.original else 'removed'})"


def _diff_of_programs(programs: t.Iterable[Change]) -> dict[str, str]:
    """Return one diff for all programs, since their texts would bury what an administrator has to read."""
    before, after = [], []
    for change in programs:
        if change.present:
            before.append(_summary(change.path, change.before))
        if change.wanted or change.original:
            after.append(_summary(change.path, change.after))
    header = "programs"
    return {"before": "".join(before), "after": "".join(after), "before_header": header, "after_header": header}


def _summary(path: str, content: bytes) -> str:
    length = len(content.splitlines())
    return f"{path}: {length} {'line' if length == 1 else 'lines'}, sha256 {digest_of(content)}\n"
