# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice of the role, and of the modules that it uses, does no harm to someone who follows it to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLACES = (
    *("roles/relay/tasks", "roles/relay/vars", "plugins/module_utils/_transaction", "plugins/module_utils/_firewall"),
    *("plugins/module_utils/_relay", "plugins/module_utils/_module", "plugins/module_utils/_postfix"),
)
#: What it would do -> words of such advice. Lines of a text are joined before the search.
HARM = {
    "delete all mail": r"postsuper -d ALL",
    "delete the memory of the transaction": r"\(mode 0700\); remove it|original is missing; remove",
    "leave the host without a firewall": r"turn one of the firewalls off|[Dd]isable the firewall|systemctl stop",
    "cut off SSH": r"Turn it on first",
    "send a login to anyone": r"or validate_certs: false|set validate_certs",
    "give up encryption": r"lower TLS level|Use none, may",
    "trust any server that answers": r"add it to the trusted authorities",
    "open files to all": r"chmod (?:a\+|o\+|0?777|0?666)",
    "switch SELinux or AppArmor off": r"setenforce 0|SELINUX=disabled|aa-disable",
}


@pytest.mark.parametrize(("harm", "pattern"), HARM.items())
def test_no_advice_would(harm: str, pattern: str) -> None:
    found = []
    for path in (path for place in PLACES for path in (ROOT / place).rglob("*") if path.suffix in (".py", ".yml")):
        text = re.sub(r"\"\s*\n\s*f?\"", "", path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}: {hit[0]!r} would {harm}" for hit in re.finditer(pattern, text)]
    # what a platform needs before a restart is a command, and not advice
    assert [one for one in found if "platforms.yml: 'systemctl stop'" not in one] == []
