# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bans of addresses with too many wrong logins (``relay_bans``), which fail2ban enforces."""

from __future__ import annotations

import re
import typing as t

from .listeners import Listener
from .reader import Options, Reader

#: What applies unless the user sets it: fail2ban's own values, but a longer first ban.
_FAILURES, _WITHIN, _DURATION = 5, "10m", "1h"


def read_bans(reader: Reader, bans: Options, listeners: t.Iterable[Listener]) -> dict[str, t.Any]:
    """Read ``relay_bans``, and return what fail2ban's files need to know; nothing if no address is to be banned."""
    backend = str(bans.get("backend") or "none")
    given = sorted(name for name, value in bans.items() if name != "backend" and value is not None)
    if backend == "none":
        for name in given:
            reader.problem(f"relay_bans.{name}", "has no effect without a backend; expected backend: fail2ban as well")
        return {}
    ports = sorted(listener.port for listener in listeners if listener.login)
    if not ports:
        reader.problem("relay_bans", "no listener has a login; expected one, such as port 587, or no relay_bans")
    return {
        "ports": ports,
        "failures": reader.number("relay_bans.failures", bans.get("failures"), 1, 10_000) or _FAILURES,
        "within": _time(reader, "relay_bans.within", bans.get("within")) or _WITHIN,
        "duration": _time(reader, "relay_bans.duration", bans.get("duration")) or _DURATION,
        "except": [str(network) for network in reader.networks("relay_bans.except", bans.get("except"))],
    }


def _time(reader: Reader, variable: str, given: t.Any) -> str | None:
    """Read a time that is not zero; fail2ban has the units of Postfix."""
    if given is not None and re.match(r"0+[smhdw]?\Z", str(given)):
        reader.problem(variable, f"{str(given)!r} is not a valid time; expected more than 0, such as 1h")
        return None
    return reader.duration(variable, given)
