# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try a changed copy of a host's own configuration in the canary: ``python3 - FOLDER EDITS``.

FOLDER holds the collection's module_utils. EDITS is a JSON list of ``[path, old, new]``; if the old text is empty, the
new text is appended to the file, which is created if needed. Prints as JSON the problems found, how many waits ran out,
and the seconds.
"""

from __future__ import annotations

import glob
import importlib
import json
import os
import shutil
import sys
import time

OWN = ("/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/postfix/relay*")


def main(folder, edits):
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    find_problems = importlib.import_module("module_utils._postfix.canary").find_problems
    in_vain = watch_waits(importlib.import_module("module_utils._postfix.canary_process").Instance)

    stage = folder + "/stage"
    shutil.rmtree(stage, ignore_errors=True)  # left by a killed trial
    os.makedirs(stage, mode=0o700)
    try:
        for path in (path for pattern in OWN for path in glob.glob(pattern)):
            os.makedirs(stage + os.path.dirname(path), exist_ok=True)
            shutil.copy2(path, stage + path)
        for path, old, new in json.loads(edits):
            edit(stage + path, old, new)
        began = time.monotonic()
        problems = find_problems(stage)
        seconds = time.monotonic() - began
    finally:
        shutil.rmtree(stage)
    print(json.dumps({"seconds": seconds, "in_vain": in_vain, "problems": [str(problem) for problem in problems]}))


def watch_waits(instance):
    """Return a list that gets the name of each wait of a canary that ends before its condition holds."""
    in_vain = []

    def watched(name, wait):
        def run(self, condition):
            wait(self, condition)
            if not condition():
                in_vain.append(name)

        return run

    for name in ("wait", "watch"):
        setattr(instance, name, watched(name, getattr(instance, name)))
    return in_vain


def edit(path, old, new):
    text = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    assert old in text, f"{path} does not contain {old!r}:\n{text}"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text.replace(old, new) if old else text + new)


main(*sys.argv[1:])
