# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A message as a person reads it before it is sent."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from .._smtp.delivery import Envelope

#: Messages that are shown, and lines of each.
SHOWN = 20
_LINES = 400
#: Lines of base64 in a row, of which the first two stay.
_ENCODED = re.compile(r"((?:[A-Za-z0-9+/]{60,}={0,2}\r?\n){2})((?:[A-Za-z0-9+/]{4,}={0,2}\r?\n)+)")
#: What a terminal would obey.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def preview(envelope: Envelope) -> str:
    """The envelope and the message as it travels, long runs of base64 and what is beyond 400 lines cut."""
    text = envelope.content.decode("utf-8", "replace").replace("\r\n", "\n")
    text = _CONTROL.sub("?", text)
    text = _ENCODED.sub(lambda match: f"{match[1]}[... {match[2].count(chr(10))} more lines of base64]\n", text)
    lines = text.splitlines(keepends=True)
    if len(lines) > _LINES:
        lines[_LINES:] = [f"[... {len(lines) - _LINES} more lines]\n"]
    recipients = "".join(f"RCPT TO:<{address}>\n" for address in envelope.recipients)
    return f"MAIL FROM:<{envelope.sender}>\n{recipients}\n{''.join(lines)}"


def diffs(outgoing: t.Sequence[Envelope]) -> list[dict[str, str]]:
    """What ``--diff`` shows: nothing before, the first messages after."""
    numbers = range(min(len(outgoing), SHOWN))
    return [
        {
            "before_header": "nothing",
            "before": "",
            "after_header": f"message {number + 1} of {len(outgoing)}",
            "after": preview(outgoing[number]),
        }
        for number in numbers
    ]
