# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the programs that a relay gets: those of this collection that they import, and what starts them."""

from __future__ import annotations

import ast
import typing as t
from collections import deque
from pathlib import Path, PurePosixPath

from .store import STATE_DIRECTORY

PROGRAM_DIRECTORY = "/usr/local/lib/relay-oauth"
CONFIG_DIRECTORY = "/etc/relay-oauth"

_ROOT = Path(__file__).resolve().parents[1]
_FIRST = PurePosixPath("_oauth/program.py")
_PACKAGE = "relay_oauth"
#: Python keeps what it compiles in the state directory, as the programs run as a user who cannot write to their files.
#: Any other user, root above all, does not run what that user may have written there.
_MAIN = f'''# This file is managed by Ansible (mailops.smtp.relay). Changes to it will be lost.
"""python3 -I {PROGRAM_DIRECTORY} PROGRAM NAME"""

import os
import sys

sys.dont_write_bytecode = not os.path.isdir("{STATE_DIRECTORY}") or os.stat("{STATE_DIRECTORY}").st_uid != os.geteuid()
if not sys.dont_write_bytecode:
    sys.pycache_prefix = "{STATE_DIRECTORY}/pycache"

from {_PACKAGE}._oauth.program import main

sys.exit(main(sys.argv[1:], lambda line: print(line, file=sys.stderr, flush=True), "{CONFIG_DIRECTORY}"))
'''


def program_files() -> dict[str, str]:
    """Return the source of each file by its path below :data:`PROGRAM_DIRECTORY`, in the order of the paths."""
    found: dict[PurePosixPath, str] = {}
    waiting = deque([_FIRST])
    while waiting:
        path = waiting.popleft()
        if path not in found:
            found[path] = _ROOT.joinpath(path).read_text(encoding="utf-8")
            waiting += _imported(path, ast.parse(found[path]))
    sources = {f"{_PACKAGE}/{path}": source for path, source in found.items()}
    return {"__main__.py": _MAIN, **dict(sorted(sources.items()))}


def _imported(path: PurePosixPath, tree: ast.AST) -> t.Iterator[PurePosixPath]:
    """Yield the files that a file imports, anywhere in it; what only the type checker imports is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.dump(node.test).endswith("attr='TYPE_CHECKING', ctx=Load())"):
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for place in (folder, *(folder / alias.name for alias in node.names)):
                if _ROOT.joinpath(place).with_suffix(".py").is_file():
                    yield place.with_suffix(".py")
        yield from _imported(path, node)
