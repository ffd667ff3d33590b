# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue: every control, by its id."""

from __future__ import annotations

from . import access_rows, dkim_rows, dns_rows, host_rows, policy_rows, smtp_rows, spf_rows, tls_rows
from .control import Rows

#: In the order of a report.
CONTROLS: Rows = (
    *dns_rows.ROWS,
    *spf_rows.ROWS,
    *dkim_rows.ROWS,
    *policy_rows.ROWS,
    *tls_rows.ROWS,
    *access_rows.ROWS,
    *smtp_rows.ROWS,
    *host_rows.ROWS,
)

CATALOGUE = {control.id: control for control in CONTROLS}
