# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server said, as a fact."""

from __future__ import annotations

import typing as t

from .._evidence.smtp_answer import AnswerFacts

if t.TYPE_CHECKING:
    from .reply import Reply

#: Longest text of a server or of an error that is kept, in characters; a reply may have half a megabyte.
LONGEST = 1000


def cut(text: str) -> str:
    """Return the text, or its beginning if it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def answer(reply: Reply, milliseconds: float) -> AnswerFacts:
    """Return a reply as a fact."""
    return AnswerFacts(reply.code, reply.enhanced, cut(reply.text), round(milliseconds, 1))
