# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A renewal that is late or fails is told: by the status of a unit, and by mail to root."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
import typing as t
from pathlib import Path

from .._message.to_root import mail_root
from .files import read_pem, write
from .installing import install
from .judging import certificate_of, moment, span
from .places import LIVE, TOLD, Settings, Trouble

#: certbot renews when a third of the life is left, or half of a short one. Less than this share is too late.
_LATE = 0.25
#: What changes in a message from day to day.
_TIMES = re.compile(r"\d+ (?:days|hours|minutes|seconds)|\d\d:\d\d")


def check(settings: Settings, patience: float) -> str:
    """Install what is current, and fail if it should have been renewed by now."""
    changed = install(settings, patience)
    file = Path(settings["file"])
    if settings["acme"] and not LIVE.exists():
        raise Trouble(
            f"{settings['acme']['directory']} has not issued a certificate yet, so clients that verify certificates"
            " refuse this relay. Run the role again; it says why."
        )
    found = certificate_of(read_pem(str(file)), str(file))
    left = found.ends - time.time()
    if left < _LATE * found.life:
        who = "certbot" if settings["acme"] else "the program that renews it"
        how = "'certbot renew --dry-run' says why" if settings["acme"] else "See its log"
        raise Trouble(
            f"The certificate {found.serial} in {file} expires on {moment(found.ends)}, in {span(left)}, and"
            f" {who} has not renewed it; expected that when a third of its life of {span(found.life)} was left. {how}."
        )
    return changed


def tell(settings: Settings, message: str, again: bool, say: t.Callable[[str], None]) -> None:
    """Send root a mail, once for the same message unless it is to be told again."""
    digest = hashlib.sha256(_TIMES.sub("", message).encode()).hexdigest()
    if not again and _last_told() == digest:
        return
    body = f"{message}\n\nThe relay continues with the certificate it has.\n"
    if problem := mail_root(f"The certificate of {settings['names'][0]}", body):
        say(problem)
        return
    try:
        write(TOLD, digest)
    except (Trouble, OSError) as error:
        say(f"root was told by mail, and may be told the same again: {error}")


def _last_told() -> str:
    with contextlib.suppress(OSError):
        return TOLD.read_text(encoding="ascii", errors="replace")
    return ""
