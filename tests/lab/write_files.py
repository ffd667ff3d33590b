# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of the JSON list on standard input: path, content, mode, group. Runs on a lab host.

One task writes ten files: single tasks would take half a minute on a small machine, and the lab is recreated often.
"""

from __future__ import annotations

import json
import os
import shutil
import sys

for file in json.load(sys.stdin):
    os.makedirs(os.path.dirname(file["path"]), mode=0o755, exist_ok=True)
    mode = int(file.get("mode", "0644"), 8)
    with open(os.open(file["path"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), mode)
        out.write(file["content"])
    shutil.chown(file["path"], "root", file.get("group", "root"))
