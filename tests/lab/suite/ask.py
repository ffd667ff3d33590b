# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ask.py [FOLDER]: run modules on this host, side by side and in one process, as the hosts of the lab are asked.

A list of ``[module, options]`` comes as JSON on the standard input, and the list of their results leaves on the
standard output. A task of Ansible takes a second each; all of these together take one. FOLDER has the Python packages
``ansible`` and ``ansible_collections``, with the modules as they are in this collection.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import tempfile
import traceback
import typing as t

sys.path[:0] = sys.argv[1:2]

from ansible.module_utils import basic  # noqa: E402 - its folder was added above

MODULES = "ansible_collections.mailops.smtp.plugins.modules"


def run(module: str, options: dict[str, t.Any]) -> None:
    """Run a module in this process, as Ansible does with what it has packed."""
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    runpy.run_module(f"{MODULES}.{module}", run_name="__main__", alter_sys=True)


def begin(module: str, options: dict[str, t.Any]) -> tuple[int, t.Any]:
    """Start a module in a process of its own; returns its number and the file of its output."""
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - result_of reads it
    number = os.fork()
    if number:
        return number, output
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    try:
        run(module, options)
    except SystemExit:
        pass
    except BaseException:  # noqa: BLE001 - it is told in the result
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(0)


def result_of(number: int, output: t.Any) -> dict[str, t.Any]:
    """Wait for a module, and return its result."""
    os.waitpid(number, 0)
    output.seek(0)
    text = output.read()
    try:
        return dict(json.loads(text.strip().splitlines()[-1]))
    except (ValueError, IndexError):
        return {"failed": True, "msg": f"The module gave no result: {text[-2000:]}"}


def main() -> None:
    """Ask, and print what was said."""
    wanted = json.load(sys.stdin)
    for module in {module for module, _options in wanted}:
        runpy.run_module(f"{MODULES}.{module}", run_name="imported")  # once, before the processes part
    json.dump([result_of(*one) for one in [begin(module, options) for module, options in wanted]], sys.stdout)


if __name__ == "__main__":
    main()
