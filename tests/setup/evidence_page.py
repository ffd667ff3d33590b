# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/evidence.md and docs/evidence.schema.json from the types of the evidence: make docs."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The imports need the path, since the environment links the collection there.
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import VERSION, Evidence  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.forms import Form, Shape, fields_of  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import FACTS  # noqa: E402
from ansible_collections.mailops.smtp.tests.setup import pages  # noqa: E402

PAGE = ROOT / "docs" / "evidence.md"
SCHEMA = ROOT / "docs" / "evidence.schema.json"
COMMAND = pages.COMMAND

INTRODUCTION = f"""\
<!-- SPDX-License-Identifier: GPL-3.0-or-later -->

# Evidence

<!-- Made by tests/setup/evidence_page.py from plugins/module_utils/_evidence. Change the types, then run:
     {COMMAND} -->

Evidence says what was seen, when, and from where. It never says whether that is good. `mail_dns_info` returns what the
DNS says of a domain, `smtp_info` what a server says over SMTP, and `postfix_info` what a host says of itself, each as
`evidence`. The role `compliance` adds what became of logins and of messages that it sent.

- **Known, unknown, not asked.** `[]` and `false` are facts: it was looked for, and it is not there. `null` is the lack
  of a fact. If it was asked for and could not be seen, such as after a time-out, SERVFAIL, a 421 or without a
  permission, `unknown` has its path and the reason. Otherwise it was not asked for.
- **No secrets.** A document has no password, no private key, no token, and no content of a message.
- **Times** are in UTC (RFC 3339). Durations are in fields named `milliseconds` or `seconds`.
- **Versions.** `version` is raised when a fact changes its name or meaning. New facts do not raise it, so read a
  document with other fields than those below, and ignore them.

[evidence.schema.json](evidence.schema.json) is the JSON Schema of a document. A playbook saves one, and tells what
changed since the last one:

```yaml
- name: Read the host
  mailops.smtp.postfix_info:
    gather: [all]
  register: now

- name: Show what changed since the evidence was saved
  vars:
    saved: "{{{{ lookup('ansible.builtin.file', 'evidence/' ~ inventory_hostname ~ '.json') | from_json }}}}"
  ansible.builtin.debug:
    msg: "{{{{ now.evidence | mailops.smtp.evidence_changes(saved) }}}}"

- name: Save the evidence for the next run
  ansible.builtin.copy:
    content: "{{{{ now.evidence | to_nice_json }}}}"
    dest: "evidence/{{{{ inventory_hostname }}}}.json"
    mode: "0600"
  delegate_to: localhost
```

The filter reports a fact that one of the documents does not know as `unknown`, not as a change. The order of a list
does not count.
"""

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_JSON_WORDS = {"None": "null", "True": "true", "False": "false"}
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def records() -> list[t.Any]:
    """Return the types of the document, each before the types of its fields."""
    found: dict[str, t.Any] = {}

    def walk(record: t.Any) -> None:
        if found.setdefault(record.__name__, record) is not record:
            raise ValueError(f"two types of evidence have the name {record.__name__}; rename one")
        for form in (innermost(field.form) for field in fields_of(record)):
            if form.shape is Shape.RECORD and found.get(form.type.__name__) is not form.type:
                walk(form.type)

    for record in (Evidence, *FACTS.values()):
        walk(record)
    return list(found.values())


def innermost(form: Form) -> Form:
    """Return what a list or a mapping holds in the end."""
    return innermost(form.items) if form.items else form


def schema() -> str:
    """Return the JSON Schema of a document.

    Other fields than the known ones are allowed, as when a document is read: a newer collection may have added them,
    and its documents are still valid.
    """
    envelope, *others = map(record_schema, records())
    envelope["properties"]["version"]["const"] = VERSION
    envelope["required"].append("version")
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://github.com/mailops/smtp/raw/main/docs/evidence.schema.json",
        "$comment": f"SPDX-License-Identifier: GPL-3.0-or-later. Made by tests/setup/evidence_page.py: {COMMAND}",
        **envelope,
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind.value}}},
                "then": {"properties": {"facts": {"$ref": f"#/$defs/{facts.__name__}"}}},
            }
            for kind, facts in FACTS.items()
        ],
        "$defs": {one["title"]: one for one in others},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def record_schema(record: t.Any) -> dict[str, t.Any]:
    """Return the JSON Schema of a type."""
    fields = fields_of(record)
    return {
        "title": record.__name__,
        "description": _summary(record),
        "type": "object",
        "properties": {
            one.name: {
                **({"description": _in_json(one.description)} if one.description else {}),
                **_form_schema(one.form),
            }
            for one in fields
        },
        "required": [one.name for one in fields if one.required],
    }


def _described(text: str) -> dict[str, str]:
    return {"description": _in_json(text)} if text else {}


def _form_schema(form: Form) -> dict[str, t.Any]:
    if form.optional:
        return {"anyOf": [_form_schema(dataclasses.replace(form, optional=False)), {"type": "null"}]}
    if form.shape is Shape.RECORD:
        return {"$ref": f"#/$defs/{form.type.__name__}"}
    if form.type is tuple and form.items:
        return {"type": "array", "items": _form_schema(form.items)}
    if form.type is dict and form.items:
        return {"type": "object", "additionalProperties": _form_schema(form.items)}
    if form.choices:
        return {"enum": list(form.choices)}
    return {"type": _TYPES.get(form.type, "object"), **({"format": form.format} if form.format else {})}


def page() -> str:
    """Return the page."""
    return "\n".join([INTRODUCTION, *(line for record in records() for line in _section(record))]).rstrip() + "\n"


def _section(record: t.Any) -> Iterator[str]:
    level = "##" if record is Evidence or record in FACTS.values() else "###"
    yield f"{level} {record.__name__}"
    yield ""
    yield pages.wrapped(_summary(record))
    yield ""
    yield "| field | type | description |"
    yield "|---|---|---|"
    for field in fields_of(record):
        kind = f"{_form_words(field.form)}{' or null' if field.form.optional else ''}"
        yield f"| `{field.name}` | {kind} | {_in_table(field.description)} |"
    yield ""


def _form_words(form: Form) -> str:
    if form.shape is Shape.RECORD:
        return _link(form.type)
    if form.items:
        items = f"{_form_words(form.items)}{' or null' if form.items.optional else ''}"
        return f"list of {items}" if form.type is tuple else f"mapping of names to {items}"
    if form.choices:
        return " or ".join(f"`{choice}`" for choice in form.choices)
    if form.format == "date-time":
        return "time"
    return _WORDS.get(form.type) or " or ".join(map(_link, FACTS.values()))


def _link(record: t.Any) -> str:
    return f"[{record.__name__}](#{record.__name__.lower()})"


def _in_table(text: str) -> str:
    """Return the text without what Markdown would take for markup, and its URLs as links."""
    words = (word if "://" in word else re.sub(r"[|*_<\[]", r"\\\g<0>", word) for word in _in_json(text).split())
    return pages.linked(" ".join(words))


def _summary(record: t.Any) -> str:
    """Return the first paragraph of the docstring, in one line."""
    return _in_json(" ".join((inspect.getdoc(record) or "").split("\n\n", maxsplit=1)[0].split()))


def _in_json(text: str) -> str:
    """Return the text with the words of JSON in place of Python's."""
    return re.sub(r"\b(?:None|True|False)\b", lambda word: _JSON_WORDS[word[0]], text)


if __name__ == "__main__":
    pages.write(PAGE, page())
    pages.write(SCHEMA, schema())
