# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hints: the advice for a server's reply."""

from __future__ import annotations

import typing as t

from .._smtp.errors import Stage
from .hints_by_code import BY_CODE
from .hints_by_provider import BY_PROVIDER
from .presets import find

if t.TYPE_CHECKING:
    from .._smtp.reply import Reply

#: RFC 4954 section 6, and codes that servers use instead; 530 and 538 require something else first.
_LOGIN_REFUSED = (525, 534, 535, 550, 553, 554)


def hint(reply: Reply, stage: Stage, provider: str | None = None, advice: str = "") -> str:
    """Return the advice for a reply, as a sentence or two; empty if there is none or the reply is positive.

    Replies known from a provider come first. For a refused login follow the advice of the client, which knows what it
    tried, and the advice of the provider. The meaning of the code comes last.

    :param stage: where in the session the reply was received.
    :param provider: name or alias of the provider, if known (see :func:`.presets.provider_of_host`).
    :param advice: of the client, for its own attempt to log in (:attr:`.._smtp.errors.SmtpError.advice`).
    """
    if reply.positive or reply.intermediate:
        return ""
    preset = find(provider) if provider else None
    name = preset.name if preset else None
    for known in BY_PROVIDER:
        if known.fits(reply, stage, name):
            return known.advice
    if stage is Stage.AUTH and reply.code in _LOGIN_REFUSED and (advice or preset):
        return advice or (preset.login_advice if preset else "")
    return next((known.advice for known in BY_CODE if known.fits(reply, stage, name)), "")
