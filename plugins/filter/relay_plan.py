# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the role relay: its variables become the values of its templates, keys of the host records."""

from __future__ import annotations

import typing as t

from ansible_collections.mailops.smtp.plugins.module_utils._relay.certificates import find_file_problem
from ansible_collections.mailops.smtp.plugins.module_utils._relay.dkim_records import make_records
from ansible_collections.mailops.smtp.plugins.module_utils._relay.plan import make_plan
from ansible_collections.mailops.smtp.plugins.module_utils._relay.program_files import program_files


class FilterModule:
    """Filters of the collection."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "relay_plan": make_plan,
            "relay_pair_problem": find_file_problem,
            "relay_dkim_records": make_records,
            "relay_program_files": program_files,
        }
