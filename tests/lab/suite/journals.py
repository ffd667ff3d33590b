# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a host from a moment on."""

from __future__ import annotations

import typing as t


def journal_from_now(host: t.Any) -> str:
    """Return the command that prints what is logged from now on; options may follow it.

    A time in place of the cursor would also show what was logged before in the same second.
    """
    cursor = host.check_output("journalctl -n 0 --show-cursor").rpartition("-- cursor: ")[2].strip()
    return f"journalctl --no-pager --after-cursor='{cursor}'"
