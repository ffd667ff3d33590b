# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate the README.md of each role from its argument specs; run by ``make docs``."""

from __future__ import annotations

import re
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
# The environment links the collection into this path, so it is set before the imports.
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.mailops.smtp.plugins.module_utils._relay.shapes import kind_of  # noqa: E402
from ansible_collections.mailops.smtp.tests.setup import pages  # noqa: E402

COMMAND = pages.COMMAND

Options = t.Mapping[str, t.Any]


def folder(role: str) -> Path:
    """Return the folder of a role."""
    return ROOT / "roles" / role


def specs(role: str) -> Path:
    """Return the file with the argument specs of a role."""
    return folder(role) / "meta" / "argument_specs.yml"


HEAD = f"""\
# Role mailops.smtp.{{role}}

<!-- Made by tests/setup/role_page.py from meta/argument_specs.yml. Change that file, then run:
     {COMMAND} -->
"""
#: What follows the introduction, by role.
AFTERWARDS = {
    "relay": """\
[docs/relay.md](../../docs/relay.md) explains how the parts work together.
[playbooks/scenarios](../../playbooks/scenarios) has an inventory for each kind of relay.
""",
    "compliance": """\
[docs/compliance.md](../../docs/compliance.md) explains how the parts work together, and
[docs/audit.md](../../docs/audit.md) leads to a pipeline. [docs/controls.md](../../docs/controls.md) has the catalogue.
""",
}
#: Markup of Ansible's documentation. All of it becomes code here, so its kinds are not distinguished.
_MARKUP = re.compile(r"\b(?:RV|[BCEIMOPV])\(((?:\\\)|[^)\\]|\\.)*)\)")


def page(role: str) -> str:
    """Return the page of a role as Markdown."""
    entries = yaml.safe_load(specs(role).read_text(encoding="utf-8"))["argument_specs"]
    main = entries["main"]
    described = _Described()
    lines = [HEAD.format(role=role), f"{main['short_description']}.", ""]
    lines += [*_items(main["description"]), "", AFTERWARDS[role]]
    lines += ["## Variables", "", *_table(main["options"]), ""]
    for name, option in main["options"].items():
        lines += _variable(name, option, described)
    for name, entry in entries.items():
        if name != "main":
            lines += [f"## Entry point `{name}`", "", f"{entry['short_description']}.", ""]
            lines += [*_items(entry["description"]), ""]
    return "\n".join(lines).rstrip() + "\n"


class _Described:
    """Sets of options that are already on the page, so that equal sets are not repeated."""

    def __init__(self) -> None:
        self._known: list[tuple[str, Options]] = []

    def place_of(self, variable: str, options: Options) -> str | None:
        """Return the variable above that has the same options; ``None`` if this is the first."""
        found = next((name for name, known in self._known if known == options), None)
        if found is None:
            self._known.append((variable, options))
        return found


def _table(options: Options) -> Iterator[str]:
    yield "| variable | type | default | summary |"
    yield "|---|---|---|---|"
    for name, option in options.items():
        default = f"`{_value(option['default'])}`" if "default" in option else ""
        first = _marked(_paragraphs(option)[0]).replace("|", "\\|")
        yield f"| [`{name}`](#{name}) | {_type(option)} | {default} | {first} |"


def _variable(name: str, option: Options, described: _Described) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield pages.wrapped(f"{_facts(option)}.")
    yield ""
    yield from _items(_paragraphs(option))
    yield ""
    if "options" in option:
        yield from _options(name, option["options"], described, "")
        yield ""


def _options(path: str, options: Options, described: _Described, indent: str) -> Iterator[str]:
    """Yield the options of a variable as nested lists."""
    same = described.place_of(path, options)
    if same:
        yield pages.wrapped(f"The options are those of {_link(same)}.", indent)
        return
    if not indent:
        yield "Options:"
        yield ""
    for name, option in options.items():
        text = " ".join(map(_marked, _paragraphs(option)))
        yield pages.wrapped(f"`{name}` ({_facts(option)}): {text}", f"{indent}- ")
        if "options" in option:
            yield from _options(f"{path}.{name}", option["options"], described, f"{indent}  ")


def _link(path: str) -> str:
    variable = path.split(".")[0]
    return f"[`{path}`](#{variable})"


def _facts(option: Options) -> str:
    facts = [_type(option)]
    if option.get("required"):
        facts.append("required")
    if "choices" in option:
        facts.append("one of " + ", ".join(f"`{_value(choice)}`" for choice in option["choices"]))
    if "default" in option:
        facts.append(f"default `{_value(option['default'])}`")
    return ", ".join(facts)


def _type(option: Options) -> str:
    kind, elements = kind_of(option)
    return f"list of {elements}" if kind == "list" else kind


def _value(value: t.Any) -> str:
    """Return the value as YAML, in one line."""
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, default_flow_style=True, width=1000).split("\n")[0]


def _paragraphs(option: Options) -> list[str]:
    text = option["description"]
    return [text] if isinstance(text, str) else list(text)


def _items(paragraphs: t.Iterable[str]) -> Iterator[str]:
    for text in paragraphs:
        yield pages.wrapped(_marked(text), "- ")


def _marked(text: str) -> str:
    """Convert the markup of Ansible to Markdown."""
    return pages.linked(_MARKUP.sub(lambda found: f"`{found[1]}`", text))


if __name__ == "__main__":
    for name in AFTERWARDS:
        pages.write(folder(name) / "README.md", page(name))
