# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/controls.md from the catalogue of controls: make docs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The imports need the path, since the environment links the collection there.
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CONTROLS  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import (  # noqa: E402
    ALL,
    RELAYS,
    Conflict,
    Control,
    Effect,
    EvidenceKind,
    Need,
    Profile,
)
from ansible_collections.mailops.smtp.plugins.module_utils._controls.documents import STANDARDS, Document  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._controls.standards import Requirement, view  # noqa: E402
from ansible_collections.mailops.smtp.tests.setup import pages  # noqa: E402

PAGE = ROOT / "docs" / "controls.md"
COMMAND = pages.COMMAND

INTRODUCTION = f"""\
<!-- SPDX-License-Identifier: GPL-3.0-or-later -->

# Controls

<!-- Made by tests/setup/controls_page.py from plugins/module_utils/_controls. Change the rows, then run:
     {COMMAND} -->

A control is a requirement with an id that stays the same. It is judged from [evidence](evidence.md), and its finding is
`pass`, `fail`, `error` (it could not be decided), `not_applicable` or `not_checked`.

- **Profile**: what a host is there for. `null_client` sends its own mail to another server. `submission_relay` takes
  mail from users that log in, `outbound_relay` from networks, and `mx` from strangers. A control applies to the
  profiles that it names; *relays* are all but `null_client`.
- **Level** 2 marks an optional control.
- **Fix**: variables of the role [relay](../roles/relay/README.md) that help to meet the control, and what to do by
  hand.
- **Conflict**: a requirement of a standard that contradicts what such a host is there for. Either it is not applicable
  to it, or a waiver has to say why it is not met; the text can serve as its reason.
"""

GROUPS = {
    "DNS": "DNS",
    "SPF": "SPF",
    "DKIM": "DKIM",
    "DMARC": "DMARC",
    "STS": "MTA-STS and TLS reports",
    "DANE": "DANE",
    "TLS": "TLS and certificates",
    "AUTH": "Logins",
    "RELAY": "Relaying",
    "SMTP": "SMTP",
    "HOST": "The host",
    "E2E": "From end to end",
}
SETS = {ALL: "all", RELAYS: "relays"}
#: The module that returns each kind of evidence.
COLLECTORS = {
    EvidenceKind.DNS: "`mail_dns_info`",
    EvidenceKind.SMTP: "`smtp_info`",
    EvidenceKind.HOST: "`postfix_info`",
    EvidenceKind.PROOF: "the role `compliance`",
}
EFFECTS = {Effect.NOT_APPLICABLE: "not applicable", Effect.WAIVER: "waiver"}


def page() -> str:
    """Return the page."""
    lines = [INTRODUCTION, *_overview()]
    for group, controls in groupby(CONTROLS, key=group_of):
        lines += [f"## {GROUPS[group]}", ""]
        lines += [line for control in controls for line in _control(control)]
    lines += [
        "## Standards",
        "",
        pages.wrapped(
            "Which controls check which requirement. A requirement that is checked in part is not shown to be met by"
            " controls alone. Ids and versions are those of the documents named here; other versions may number their"
            " requirements differently."
        ),
        "",
    ]
    lines += [line for standard in STANDARDS if standard != "rfc" for line in _standard(standard)]
    return "\n".join(lines).rstrip() + "\n"


def group_of(control: Control) -> str:
    """Return the middle part of the id, such as DNS."""
    return control.id.split("-")[1]


def _overview() -> Iterator[str]:
    yield "| id | requirement | severity | profiles |"
    yield "|---|---|---|---|"
    for control in CONTROLS:
        optional = ", level 2" if control.level == 2 else ""
        title = f"[{control.id}](#{control.id.lower()})"
        yield f"| {title} | {control.title} | {control.severity.value}{optional} | {_profiles(control.profiles)} |"
    yield ""


def _control(control: Control) -> Iterator[str]:
    yield f"### {control.id}"
    yield ""
    yield pages.wrapped(f"**{control.title}.** {_text(control.rationale)}")
    yield ""
    yield pages.wrapped(f"Sources: {', '.join(str(one) for one in control.sources)}.", "- ")
    yield pages.wrapped(f"Evidence: {'; '.join(map(_need, control.needs))}.", "- ")
    yield pages.wrapped(f"Fix: {_variables(control)}{_text(control.by_hand)}", "- ")
    for conflict in control.conflicts:
        yield pages.wrapped(_conflict(conflict), "- ")
    if control.not_implemented:
        yield pages.wrapped(f"Not evaluated: {control.not_implemented}", "- ")
    yield ""


def _profiles(profiles: tuple[Profile, ...]) -> str:
    """Return the names of the profiles, or the word for a set of them."""
    return SETS.get(profiles) or ", ".join(f"`{one.value}`" for one in profiles)


def _text(text: str) -> str:
    """Return the text without what Markdown would take for markup, and its URLs as links."""
    return pages.linked(re.sub(r"(?<!\w)[_*<|\[]", r"\\\g<0>", text))


def _need(need: Need) -> str:
    groups = ", ".join(f"`{one}`" for one in need.groups)
    return f"{groups} of {COLLECTORS[need.kind]}"


def _variables(control: Control) -> str:
    names = ", ".join(f"`{one}`" for one in control.variables)
    return f"{names} of the role. By hand: " if names else ""


def _conflict(conflict: Conflict) -> str:
    names = ", ".join(map(str, conflict.sources))
    return f"Conflict ({EFFECTS[conflict.effect]}, {_profiles(conflict.profiles)}): {names}. {_text(conflict.reason)}"


def _standard(standard: str) -> Iterator[str]:
    requirements = view(standard)
    yield f"### {STANDARDS[standard]}"
    yield ""
    documents = {one.name: one.document for one in requirements}
    for name, document in documents.items():
        yield pages.wrapped(_document(name, document), "- ")
    yield ""
    yield "| requirement | controls | not checked |"
    yield "|---|---|---|"
    for one in requirements:
        controls = ", ".join(coverage.control for coverage in one.coverage)
        yield f"| {one.name} {one.requirement} | {controls} | {_not_checked(one)} |"
    yield ""


def _document(name: str, document: Document) -> str:
    edition = ", ".join(filter(None, [document.version, document.date]))
    return f"{name}: {document.title}{f' ({edition})' if edition else ''}."


def _not_checked(requirement: Requirement) -> str:
    texts = [one.not_covered for one in requirement.coverage if one.not_covered]
    texts += [f"{EFFECTS[one.effect].capitalize()}: {_profiles(one.profiles)}." for one in requirement.conflicts]
    return " ".join(dict.fromkeys(texts))


if __name__ == "__main__":
    pages.write(PAGE, page())
