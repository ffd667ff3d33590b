# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the program and certbot keep their files, and what both are told."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

Settings = t.Mapping[str, t.Any]

PROGRAM = Path("/usr/local/lib/relay-certificate")
HOME = Path("/etc/relay-certificate")
CERTBOT = Path("/etc/letsencrypt")
RUN = Path("/run/relay-certificate")
#: When systemd ran the daily check last; it stays when a timer is removed.
STAMP = Path("/var/lib/systemd/timers/stamp-relay-certificate-check.timer")
SETTINGS, TOLD, LOCK = HOME / "settings.json", HOME / "told", HOME / ".lock"
#: Is there while the certificate may have changed since the program looked.
CHANGED = Path("/run/relay-certificate.changed")
#: What was ordered; what certbot has made for it; what it had before an order that has not ended.
ORDERED, MADE, BEFORE = HOME / "ordered.json", HOME / "made.json", HOME / "before.json"
#: The file that Postfix reads.
JOINED = HOME / "relay.pem"
LINEAGE = "mailops-relay"
RENEWAL, LIVE, ARCHIVE = (
    CERTBOT / "renewal" / f"{LINEAGE}.conf",
    CERTBOT / "live" / LINEAGE,
    CERTBOT / "archive" / LINEAGE,
)


class Trouble(Exception):
    """What is wrong and what to do, as sentences."""


def read_settings() -> dict[str, t.Any]:
    """Return the settings that the role wrote."""
    try:
        found = json.loads(SETTINGS.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Trouble(f"{SETTINGS} cannot be read: {error}. Run the role again.") from error
    return dict(found)
