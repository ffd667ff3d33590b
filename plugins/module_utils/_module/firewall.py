# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of ``mail_firewall_info``: which firewall of the host can enforce the rules of the mail ports."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .._firewall.backends import BACKENDS
from .._firewall.choosing import AUTO, choose

ARGUMENTS: dict[str, t.Any] = {
    "backend": {"type": "str", "choices": [AUTO, *BACKENDS], "default": AUTO},
}


def run_info(module: AnsibleModule) -> None:
    """Choose, and change nothing."""
    module.exit_json(changed=False, **choose(module.params["backend"])._asdict())
