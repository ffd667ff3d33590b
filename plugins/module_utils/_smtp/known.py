# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reply that is known, and the advice for it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from .errors import Stage
    from .reply import Reply


@dataclass(frozen=True)
class Known:
    """One reply, and the advice for it. A condition that is left out always holds.

    :param advice: what to do, as a sentence or two.
    :param source: where the reply is from.
    :param codes: three-digit codes.
    :param enhanced: enhanced status codes.
    :param text: a pattern found in the text, whatever its case.
    :param providers: names of those who mean this by it; leave out where the other conditions tell.
    :param stages: where in the session it is said.
    """

    advice: str
    source: str
    codes: tuple[int, ...] = ()
    enhanced: tuple[str, ...] = ()
    text: str = ""
    providers: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

    def fits(self, reply: Reply, stage: Stage, provider: str | None) -> bool:
        """Whether every condition holds."""
        return (
            (not self.codes or reply.code in self.codes)
            and (not self.enhanced or reply.enhanced in self.enhanced)
            and (not self.providers or provider in self.providers)
            and (not self.stages or stage in self.stages)
            and (not self.text or re.search(self.text, reply.text, re.IGNORECASE) is not None)
        )
