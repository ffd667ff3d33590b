# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of the programs that a relay gets: those of this collection that they import, and what starts them."""

from __future__ import annotations

import ast
import typing as t
from collections import deque
from pathlib import Path, PurePosixPath

from .._oauth.store import STATE_DIRECTORY
from .._renewal import places

OAUTH_CONFIG = "/etc/relay-oauth"

_ROOT = Path(__file__).resolve().parents[1]
_OAUTH_CACHE = f"""\
sys.dont_write_bytecode = not os.path.isdir("{STATE_DIRECTORY}") or os.stat("{STATE_DIRECTORY}").st_uid != os.geteuid()
if not sys.dont_write_bytecode:
    sys.pycache_prefix = "{STATE_DIRECTORY}/pycache\""""

#: Whose ``main`` takes the command line, what prints a result, and what prints an error.
_PRINTED = "main(sys.argv[1:], print, lambda line: print(line, file=sys.stderr))"


class Program(t.NamedTuple):
    """A program of several files, started by ``python3 -I DIRECTORY``.

    :ivar entry: the file of this collection that has its ``main``.
    :ivar compiled: lines that say where Python keeps what it compiles: not among the files. What Python compiles of
        the first file is among them, unless the option -B is given, or its user cannot write there.
    :ivar call: what is called with the arguments of the command line.
    """

    directory: str
    package: str
    entry: str
    compiled: str
    call: str


PROGRAMS: t.Mapping[str, Program] = {
    # It starts often, as a user who cannot write to its files. Any other user, root above all, does not run what that
    # user may have written to its cache.
    "oauth": Program(
        "/usr/local/lib/relay-oauth",
        "relay_oauth",
        "_oauth/program.py",
        _OAUTH_CACHE,
        f'main(sys.argv[1:], lambda line: print(line, file=sys.stderr, flush=True), "{OAUTH_CONFIG}")',
    ),
    "certificate": Program(
        str(places.PROGRAM),
        "relay_certificate",
        "_renewal/program.py",
        "sys.dont_write_bytecode = True",
        _PRINTED,
    ),
    "dkim": Program(
        "/usr/local/lib/relay-dkim",
        "relay_dkim",
        "_signing/program.py",
        "sys.dont_write_bytecode = True",
        _PRINTED,
    ),
}
_MAIN = '''# This file is managed by Ansible (mailops.smtp.relay). Changes to it will be lost.
"""python3 -I -B {directory} --help"""

import os
import sys

{compiled}

from {package}.{module} import main

sys.exit({call})
'''


def program_files(name: str) -> list[dict[str, str]]:
    """Return ``path`` and ``content`` of each file of a program, in the order of the paths."""
    program = PROGRAMS[name]
    module = program.entry[: -len(".py")].replace("/", ".")
    main = _MAIN.format(**program._asdict(), module=module)
    sources = {f"{program.package}/{path}": source for path, source in sources_of(program.entry).items()}
    files = {"__main__.py": main, **sources}
    return [{"path": f"{program.directory}/{path}", "content": files[path]} for path in sorted(files)]


def sources_of(*entries: str) -> dict[str, str]:
    """Return the source of each of these files of the collection, and of each that they import, by its path."""
    found: dict[PurePosixPath, str] = {}
    waiting = deque(map(PurePosixPath, entries))
    while waiting:
        path = waiting.popleft()
        if path not in found:
            found[path] = _ROOT.joinpath(path).read_text(encoding="utf-8")
            waiting += _imported(path, ast.parse(found[path]))
    return {str(path): source for path, source in found.items()}


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
