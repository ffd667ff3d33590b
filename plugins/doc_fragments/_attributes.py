# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of modules. Private to the collection: it may change at any time."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: In C(check_mode), returns what it would do without doing it.
  diff_mode:
    description: Returns details of what changed or would change, for C(--diff).
  idempotent:
    description: Running it again with the same options changes nothing.
"""

    ACTIONGROUP_SMTP = r"""
attributes:
  action_group:
    description: Use C(group/mailops.smtp.smtp) in C(module_defaults) to set the server and the login once.
    support: full
    membership:
      - mailops.smtp.smtp
"""
