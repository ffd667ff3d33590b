# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fact that evidence of an SMTP server consists of: one reply."""

from __future__ import annotations

import dataclasses

from .document import fact


@dataclasses.dataclass(frozen=True)
class AnswerFacts:
    """One reply of the server."""

    code: int = fact("The three-digit code.")
    enhanced_code: str | None = fact("The enhanced status code, such as 5.7.8, if the reply has one.")
    text: str = fact("The text of the reply, without secrets and control characters.")
    milliseconds: float = fact("Time from the command to the end of the reply.")
