# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether AppArmor confines Postfix on this host, which keeps the canary and the role's tables from it."""

from __future__ import annotations

import os
import re

#: What the kernel enforces; only root can read it.
PROFILES = "/sys/kernel/security/apparmor/profiles"
#: Where an administrator allows more to every profile of Postfix, as docs/relay.md says.
ALLOWED = "/etc/apparmor.d/abstractions/postfix-common.d/mailops"
_ENFORCED = re.compile(r"(\S*postfix\S*) \(enforce\)")


def warn_of_apparmor() -> str:
    """Return a warning if profiles of Postfix are enforced and no rules allow what the role needs."""
    try:
        with open(PROFILES, encoding="utf-8", errors="replace") as stream:
            enforced = _ENFORCED.findall(stream.read())
    except OSError:  # this kernel has no AppArmor
        return ""
    if not enforced or os.path.exists(ALLOWED):
        return ""
    return (
        f"AppArmor enforces profiles of Postfix on this host: {', '.join(sorted(enforced))}. They know neither the"
        f" role's lookup tables nor the canary below /run. Allow both in {ALLOWED}, as docs/relay.md says."
    )
