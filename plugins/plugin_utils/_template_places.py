# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the file and the line of a template in which an error arose, since Ansible tells few of them."""

from __future__ import annotations

import ast
import re
import traceback
import typing as t

from jinja2 import BaseLoader, Environment, TemplateError, meta, nodes

#: The first line of a template with Jinja's settings, as in Ansible.
OVERRIDES = "#jinja2:"
_EXTENSIONS = ["jinja2.ext.do", "jinja2.ext.loopcontrols"]
_UNDEFINED = re.compile(r"'(?P<variable>[^']+)' (?:is undefined|not defined)|has no attribute '(?P<attribute>[^']+)'")
#: Tests and filters whose operand may be undefined.
_GUARDS = frozenset(["defined", "undefined", "default", "d"])
#: Places that are told of those where an undefined variable is used.
_MOST = 3


#: What an expression of a template may raise, besides Jinja's own errors.
RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


def split_overrides(text: str) -> tuple[dict[str, t.Any], str]:
    """Return Jinja's settings from the first line of a template, and the rest.

    :raises TemplateError: the first line is not valid.
    """
    if not text.startswith(OVERRIDES):
        return {}, text
    line, _newline, rest = text.partition("\n")
    try:
        pairs = [pair.split(":", 1) for pair in line[len(OVERRIDES) :].split(",")]
        return {name.strip(): ast.literal_eval(value.strip()) for name, value in pairs}, rest
    except (SyntaxError, ValueError) as error:
        raise TemplateError(
            f"line 1 is not valid; expected names and values, such as {OVERRIDES} trim_blocks: False"
        ) from error


def place_of(error: BaseException, text: str, path: str, loader: BaseLoader) -> str:
    """Return where in a template an error arose, as words such as `` (line 3)``; empty if that is not known.

    :param text: the template, with its line of settings.
    :param path: the file as Jinja names it; other files are included ones.
    :param loader: loader of included templates.
    """
    shift = 1 if text.startswith(OVERRIDES) else 0
    place = _raised(error)
    places = [place] if place else _uses(error, text, loader)
    words = [
        f"line {line + shift}" if file in ("", "<template>", "<unknown>", path) else f"{file}, line {line}"
        for file, line in dict.fromkeys(places)
    ]
    return f" ({' or '.join(words[:_MOST])}{' or later' if len(words) > _MOST else ''})" if words else ""


def _raised(error: BaseException | None) -> tuple[str, int] | None:
    """Return the file and the line of a syntax error, or of a call that raised an error."""
    found = None
    while error:
        line = getattr(error, "lineno", None)
        if line:
            return getattr(error, "filename", None) or "", line
        for frame, python_line in traceback.walk_tb(error.__traceback__):
            template = frame.f_globals.get("__jinja_template__")
            if template is not None:
                found = template.filename or "", template.get_corresponding_lineno(python_line)
            elif frame.f_code.co_filename == "<template>":  # Jinja has put the template's line there
                found = "", python_line
        error = error.__cause__
    return found


def _uses(error: BaseException, text: str, loader: BaseLoader) -> list[tuple[str, int]]:
    """Return the files and lines that use what is undefined: Ansible raises that error after the rendering."""
    undefined = _UNDEFINED.search(str(error))
    found: list[tuple[str, int]] = []
    if not undefined:
        return found
    try:
        overrides, text = split_overrides(text)
        environment = Environment(extensions=_EXTENSIONS, **overrides)  # noqa: S701 - it only parses
        waiting, seen = [("", text)], {""}
        while waiting:
            file, source = waiting.pop(0)
            tree = environment.parse(source)
            found += [(file, line) for line in _lines(tree, undefined)]
            for name in meta.find_referenced_templates(tree):
                if name and name not in seen:
                    seen.add(name)
                    waiting.append((name, loader.get_source(environment, name)[0]))
    except (TemplateError, *RAISED):  # such as an included file that is missing
        return found
    return found


def _lines(tree: nodes.Template, undefined: re.Match[str]) -> t.Iterator[int]:
    """Yield the lines that use a variable or an attribute and do not allow it to be undefined."""
    guarded = {id(call.node) for call in tree.find_all((nodes.Filter, nodes.Test)) if call.name in _GUARDS}
    for node in tree.find_all((nodes.Name, nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Name):
            same = node.ctx == "load" and node.name == undefined["variable"]
        elif isinstance(node, nodes.Getattr):
            same = node.attr == undefined["attribute"]
        else:
            same = isinstance(node, nodes.Getitem) and node.arg == nodes.Const(undefined["attribute"])
        if same and id(node) not in guarded:
            yield node.lineno
