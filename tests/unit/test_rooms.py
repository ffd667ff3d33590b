# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of docs/design.md that separate the rooms, checked against the imports of every file.

Only rules that need Python's parser are checked here; the linters check the others.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections.mailops.smtp"
MAX_LINES = 400

HEADER = (
    "# Copyright (c) 2026 The mailops.smtp authors",
    "# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "# SPDX-License-Identifier: GPL-3.0-or-later",
)

#: The core's rooms from top to bottom, as the map lists them. An import within the core may only point down.
CORE_ROOMS = tuple(
    re.findall(r"^\| `(_(?!module`)\w+)` \|", (ROOT / "docs/design.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
)
#: The largest share of all lines that one room may have.
MAX_SHARE = 0.2

# Which rooms a room may import. Entry points such as modules do not import each other.
MAY_IMPORT = {
    "modules": {"_module", "core"},
    "action": {"plugin_utils", "_module", "core"},
    "callback": {"plugin_utils", "_module", "core"},
    "filter": {"plugin_utils", "_module", "core"},
    "doc_fragments": set(),
    "plugin_utils": {"plugin_utils", "core"},
    "_module": {"_module", "core"},
    "core": {"core"},
}

# Which files may import these modules from outside the collection: modules that open sockets, TLS and DNS.
GUARDED = {
    "socket": {"_smtp/connection.py", "_firewall/reach.py", "_renewal/tls.py"},
    "socketserver": {"_smtp/connection.py"},
    "smtplib": {"_smtp/connection.py"},
    "imaplib": {"_module/mailbox.py"},
    "asyncio": {"_smtp/connection.py"},
    "http.client": {"_smtp/connection.py", "_oauth/fetch.py", "_module/policy_file.py"},
    "urllib.request": {"_smtp/connection.py", "_oauth/fetch.py"},
    "ssl": {"_smtp/connection.py", "_smtp/tls.py", "_renewal/tls.py"},
    "dns": {"_dns/resolver.py"},
}


class Violation(NamedTuple):
    """A line that breaks a rule; as text, a link for an editor and a sentence."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.rule}] {self.text}"


class Import(NamedTuple):
    """One import; ``name`` is the full name, such as ``a.b.c`` for ``from a.b import c``."""

    line: int
    name: str
    relative: bool

    def within(self, package: str) -> bool:
        """Whether the name is the package or in it."""
        return f"{self.name}.".startswith(f"{package}.")


def violations(root: Path) -> list[Violation]:
    """Return all violations in the checkout at ``root``, in the order of files and lines."""
    return [found for path in python_files(root) for found in sorted(check_file(root, path), key=lambda one: one.line)]


def python_files(root: Path) -> Iterator[Path]:
    """Yield the Python files of the checkout. Hidden folders are skipped: they hold build results and caches."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith(".") and name != "__pycache__")
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


def check_file(root: Path, path: Path) -> Iterator[Violation]:
    """Check every rule that applies to this file."""
    relative = path.relative_to(root).as_posix()
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source, filename=str(path))
    found = list(check_header(source, tree))
    if relative.startswith("plugins/"):
        inside = relative.removeprefix("plugins/")
        found += check_length(source)
        found += check_imports(inside, list(imports(tree, relative)))
        if room(inside) == "core":
            found += check_calls(tree)
    for line, rule, text in found:
        yield Violation(relative, line, rule, text)


Finding = tuple[int, str, str]


def check_header(source: str, tree: ast.Module) -> Iterator[Finding]:
    """Require the licence, a module docstring, and annotations that Python 3.9 does not evaluate."""
    lines = source.splitlines()
    first = 1 if lines and lines[0].startswith("#!") else 0
    for number, wanted in enumerate(HEADER, start=first):
        if number >= len(lines) or lines[number] != wanted:
            yield number + 1, "header", f"this line must be: {wanted}"
    if not ast.get_docstring(tree):
        yield len(HEADER) + 1, "header", "a module docstring must follow the licence"
    futures = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
    ]
    if not futures:
        yield len(HEADER) + 1, "header", "'from __future__ import annotations' is missing"


def check_length(source: str) -> Iterator[Finding]:
    """Require a length that fits one topic."""
    length = source.count("\n")
    if length > MAX_LINES:
        yield MAX_LINES + 1, "length", f"{length} lines; expected at most {MAX_LINES}: split the file"


def check_imports(inside: str, names: list[Import]) -> Iterator[Finding]:
    """Check the imports of one file.

    :param inside: path of the file below plugins/.
    """
    own = room(inside)
    if own not in MAY_IMPORT:
        yield 1, "rooms", f"docs/design.md has no room for plugins/{inside}"
        return
    for name in names:
        yield from check_direction(own, name)
        yield from check_ansible(own, name)
        yield from check_core_order(inside, name)
        for guarded, allowed in GUARDED.items():
            if name.within(guarded) and inside.removeprefix("module_utils/") not in allowed:
                yield (
                    name.line,
                    "guarded",
                    f"imports {name.name}: {guarded} is only for {' and '.join(sorted(allowed))}",
                )


def check_direction(own: str, name: Import) -> Iterator[Finding]:
    """Require that imports point one way."""
    if not name.within(COLLECTION):
        return
    if own in ("core", "_module") and not name.relative:
        yield (
            name.line,
            "relative",
            f"imports {name.name}: inside module_utils, import the collection by relative paths",
        )
    prefix = f"{COLLECTION}.plugins."
    target = room(name.name.removeprefix(prefix).replace(".", "/")) if name.name.startswith(prefix) else name.name
    if target not in MAY_IMPORT[own]:
        allowed = ", ".join(sorted(MAY_IMPORT[own])) or "nothing"
        yield name.line, "direction", f"{own} imports {name.name} ({target}): it may import {allowed}"


def check_core_order(inside: str, name: Import) -> Iterator[Finding]:
    """Require that a room of the core imports only itself and rooms that the map lists below it."""
    prefix = f"{COLLECTION}.plugins.module_utils."
    own = inside.removeprefix("module_utils/").partition("/")[0]
    target = name.name.removeprefix(prefix).partition(".")[0]
    if not name.name.startswith(prefix) or own not in CORE_ROOMS or target not in CORE_ROOMS or own == target:
        return
    if CORE_ROOMS.index(target) < CORE_ROOMS.index(own):
        yield name.line, "order", f"{own} imports {name.name}: the map lists {target} above {own}"


def check_ansible(own: str, name: Import) -> Iterator[Finding]:
    """Keep Ansible out of the core, and its controller code out of what runs on managed hosts."""
    if not name.within("ansible"):
        return
    if own == "core":
        yield name.line, "core", f"imports {name.name}: the core does not use Ansible"
    elif own in ("modules", "_module") and not name.within("ansible.module_utils"):
        yield name.line, "target", f"imports {name.name}: managed hosts have ansible.module_utils only"


def check_calls(tree: ast.Module) -> Iterator[Finding]:
    """Require that the core never exits and never prints."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name):
            called = node.exc.id
        else:
            continue
        if called in ("print", "exit", "quit", "sys.exit", "os._exit", "SystemExit"):
            yield node.lineno, "core", f"{called}: the core never exits and never prints"
        elif called.startswith(("sys.stdout", "sys.stderr")):
            yield node.lineno, "core", f"{called}: the core never prints"


def room(inside: str) -> str:
    """Return the room of a path below plugins/: ``core`` for private rooms of module_utils other than ``_module``."""
    parts = inside.removesuffix(".py").split("/")
    if parts[0] != "module_utils":
        return parts[0]
    if parts[1:2] == ["_module"]:
        return "_module"
    return "core" if len(parts) > 1 and parts[1].startswith("_") else inside


def imports(tree: ast.Module, relative: str) -> Iterator[Import]:
    """Yield every import anywhere in a file; relative imports are resolved from the file's path in the collection."""
    package = [*COLLECTION.split("."), *relative.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            for alias in node.names:
                parts = [*base, *filter(None, [node.module]), alias.name]
                yield Import(node.lineno, ".".join(parts), node.level > 0)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(node.lineno, argument.value, False)


def test_checkout_keeps_the_rules():
    found = violations(ROOT)
    assert not found, "\n".join(["docs/design.md, 'Rooms':", *map(str, found)])


def imported_files(root: Path, path: Path) -> Iterator[Path]:
    """Yield the files of the collection that this file imports, anywhere in it."""
    relative = path.relative_to(root).as_posix()
    for name in imports(ast.parse(path.read_text(encoding="utf-8")), relative):
        if name.within(COLLECTION):
            parts = name.name.removeprefix(f"{COLLECTION}.").split(".")
            for length in (len(parts), len(parts) - 1):
                target = root.joinpath(*parts[:length]).with_suffix(".py") if length else root
                if target.is_file() and target != path:
                    yield target
                    break


def find_circle(graph: dict[Path, set[Path]]) -> list[Path]:
    """Return files that import each other, in order; empty if there is no circle."""
    done: set[Path] = set()

    def walk(path: Path, trail: list[Path]) -> list[Path]:
        if path in trail:
            return [*trail[trail.index(path) :], path]
        if path in done:
            return []
        for target in sorted(graph.get(path, ())):
            if circle := walk(target, [*trail, path]):
                return circle
        done.add(path)
        return []

    return next(filter(None, (walk(path, []) for path in sorted(graph))), [])


def test_no_files_import_each_other():
    files = [path for path in python_files(ROOT) if path.is_relative_to(ROOT / "plugins")]
    circle = find_circle({path: set(imported_files(ROOT, path)) for path in files})
    assert not circle, " -> ".join(path.relative_to(ROOT).as_posix() for path in circle)


def test_circle_of_imports_is_found(tmp_path):
    write(tmp_path, "plugins/module_utils/_smtp/a.py", "def f():\n    from .b import x")
    write(tmp_path, "plugins/module_utils/_smtp/b.py", "from . import c")
    write(tmp_path, "plugins/module_utils/_smtp/c.py", "import typing\nif typing.TYPE_CHECKING:\n    from .a import f")
    files = list(python_files(tmp_path))
    circle = find_circle({path: set(imported_files(tmp_path, path)) for path in files})
    assert [path.stem for path in circle] == ["a", "b", "c", "a"]


def test_no_room_exceeds_the_largest_share():
    sizes: dict[str, int] = {}
    for top in ("plugins", "roles"):
        for path in (ROOT / top).rglob("*"):
            if path.suffix in (".py", ".yml", ".j2"):
                own = path.relative_to(ROOT).parts
                name = own[2] if own[1] == "module_utils" else "/".join(own[:2])
                sizes[name] = sizes.get(name, 0) + path.read_text(encoding="utf-8").count("\n")
    shares = {name: size / sum(sizes.values()) for name, size in sizes.items()}
    assert {name: f"{share:.0%}" for name, share in shares.items() if share > MAX_SHARE} == {}


HEAD = "\n".join([*HEADER, '"""A docstring."""', "", "from __future__ import annotations", ""])
FIRST = HEAD.count("\n") + 1


def write(root: Path, path: str, source: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    return root


GOOD = [
    ("plugins/modules/smtp_send.py", f"from {COLLECTION}.plugins.module_utils._module.send import run"),
    ("plugins/modules/smtp_send.py", "from ansible.module_utils.basic import AnsibleModule"),
    ("plugins/action/smtp_send.py", f"from {COLLECTION}.plugins.plugin_utils._errors import guard"),
    ("plugins/filter/mail.py", f"from {COLLECTION}.plugins.module_utils._message import addresses"),
    ("plugins/plugin_utils/_errors.py", "from ansible.errors import AnsibleError"),
    ("plugins/module_utils/_module/send.py", "from .._smtp.session import Session"),
    ("plugins/module_utils/_module/send.py", "from .. import _smtp"),
    ("plugins/module_utils/_smtp/connection.py", "import socket, ssl"),
    ("plugins/module_utils/_smtp/tls.py", "import ssl"),
    ("plugins/module_utils/_mailing/pool.py", "from .._smtp.session import Session"),
    ("plugins/module_utils/_smtp/pool.py", "from .session import Session"),
    ("plugins/module_utils/_dns/resolver.py", "import dns.resolver"),
    ("plugins/module_utils/_dns/checks.py", "from .resolver import lookup"),
    ("plugins/module_utils/_message/build.py", "import smtplibrary, dnspython, sslext"),
    ("tests/unit/test_x.py", "import socket, dns.resolver, ansible.errors; print(1)"),
]


@pytest.mark.parametrize(("path", "line"), GOOD)
def test_import_that_the_design_allows(tmp_path, path, line):
    assert violations(write(tmp_path, path, f"{HEAD}\n{line}\n")) == []


CORE = "plugins/module_utils/_smtp/reply.py"
BAD = [
    # imports point one way
    ("direction", "plugins/module_utils/_smtp/pool.py", "from .._module import send"),
    ("direction", "plugins/module_utils/_smtp/pool.py", "from .. import _dns, _module"),
    ("direction", "plugins/module_utils/_smtp/pool.py", "from .._module.send import run"),
    ("direction", "plugins/module_utils/_module/send.py", "from ...modules import smtp_send"),
    ("direction", "plugins/module_utils/_module/send.py", "from ...plugin_utils._errors import guard"),
    ("direction", "plugins/modules/smtp_send.py", f"from {COLLECTION}.plugins.plugin_utils._errors import guard"),
    ("direction", "plugins/modules/smtp_send.py", f"from {COLLECTION}.plugins.modules.smtp_info import main"),
    ("direction", "plugins/modules/smtp_send.py", f"import {COLLECTION}.plugins.action.smtp_send"),
    ("direction", "plugins/action/smtp_send.py", f"from {COLLECTION}.plugins.callback import mail_report"),
    ("direction", "plugins/callback/mail_report.py", f"from {COLLECTION}.tests.unit import helper"),
    ("direction", "plugins/plugin_utils/_errors.py", f"from {COLLECTION}.plugins.module_utils._module import send"),
    ("direction", "plugins/doc_fragments/_smtp.py", f"from {COLLECTION}.plugins.module_utils._smtp import presets"),
    # within the core, down the list of the map
    ("order", "plugins/module_utils/_sasl/choice.py", "from .._smtp.reply import Reply"),
    ("order", "plugins/module_utils/_smtp/session.py", "from .._mailing.journal import Journal"),
    ("order", "plugins/module_utils/_smtp/session.py", "from .. import _providers"),
    ("relative", CORE, f"from {COLLECTION}.plugins.module_utils._smtp.errors import SmtpError"),
    ("rooms", "plugins/module_utils/smtp.py", "import re"),
    ("rooms", "plugins/module_utils/smtp/reply.py", "import re"),
    ("rooms", "plugins/lookup/mail.py", "import re"),
    # the core does not import Ansible, exit or print
    ("core", CORE, "from ansible.module_utils.basic import AnsibleModule"),
    ("core", CORE, "import ansible"),
    ("core", CORE, "def f():\n    from ansible.module_utils.common.text.converters import to_text"),
    ("core", CORE, "print('x')"),
    ("core", CORE, "import sys; sys.exit(1)"),
    ("core", CORE, "import sys; sys.stderr.write('x')"),
    ("core", CORE, "exit(1)"),
    ("core", CORE, "raise SystemExit(1)"),
    ("core", CORE, "raise SystemExit"),
    ("core", "plugins/module_utils/_names.py", "print('x')"),
    ("target", "plugins/modules/smtp_send.py", "from ansible.errors import AnsibleError"),
    ("target", "plugins/module_utils/_module/send.py", "import ansible.plugins.loader"),
    # one file opens sockets, one queries the name server
    ("guarded", "plugins/module_utils/_smtp/pool.py", "import socket"),
    ("guarded", "plugins/module_utils/_smtp/tls.py", "from socket import create_connection"),
    ("guarded", "plugins/module_utils/_smtp/oauth.py", "import urllib.request"),
    ("guarded", "plugins/module_utils/_smtp/oauth.py", "from http import client"),
    ("guarded", "plugins/modules/smtp_send.py", "import smtplib"),
    ("guarded", "plugins/module_utils/_other/session.py", "import socket"),
    ("guarded", "plugins/modules/postfix_info.py", "try:\n    import socket as s\nexcept ImportError: pass"),
    ("guarded", "plugins/module_utils/_smtp/pool.py", "import importlib; importlib.import_module('socket')"),
    ("guarded", "plugins/module_utils/_module/send.py", "from ssl import SSLContext"),
    ("guarded", "plugins/module_utils/_dns/checks.py", "import dns.resolver"),
    ("guarded", "plugins/callback/mail_report.py", "from dns import resolver"),
    # at most MAX_LINES
    ("length", CORE, "\n" * MAX_LINES),
]


@pytest.mark.parametrize(("rule", "path", "lines"), BAD)
def test_violation_of_the_design_is_found(tmp_path, rule, path, lines):
    found = violations(write(tmp_path, path, f"{HEAD}\n{lines}\n"))
    assert [(one.path, one.rule) for one in found] == [(path, rule)], "\n".join(map(str, found))


HEADLESS = [
    (1, HEAD.replace("2026", "2025")),
    (2, HEAD.replace("v3.0", "v2.0")),
    (3, HEAD.replace(HEADER[2] + "\n", "")),
    (4, HEAD.replace('"""A docstring."""', "")),
    (4, HEAD.replace("import annotations", "import division")),
    (2, "#!/usr/bin/env python3\n" + HEAD.replace(HEADER[0], "# by me")),
]


@pytest.mark.parametrize(("line", "source"), HEADLESS)
def test_header_is_required(tmp_path, line, source):
    found = violations(write(tmp_path, "tests/unit/test_x.py", source))
    assert [(one.line, one.rule) for one in found] == [(line, "header")], "\n".join(map(str, found))


def test_violation_names_file_line_and_rule(tmp_path):
    found = violations(write(tmp_path, CORE, f"{HEAD}\nimport re\nimport socket\n"))
    assert [str(one) for one in found] == [
        (
            f"{CORE}:{FIRST + 2}: [guarded] imports socket: socket is only for _firewall/reach.py and _renewal/tls.py"
            " and _smtp/connection.py"
        )
    ]


def test_every_file_outside_hidden_folders_is_read(tmp_path):
    write(tmp_path, ".build/venv/x.py", "")
    write(tmp_path, "tests/.cache/x.py", "")
    write(tmp_path, "tests/unit/a.py", HEAD)
    write(tmp_path, "plugins/filter/b.py", HEAD)
    assert [path.name for path in python_files(tmp_path)] == ["b.py", "a.py"]
