# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/providers.md from the providers' data: make docs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The collection is found where the environment links it, so the path comes before the imports.
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import PROVIDERS  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._providers.provider import Endpoint, Provider  # noqa: E402
from ansible_collections.mailops.smtp.tests.setup import pages  # noqa: E402

PAGE = ROOT / "docs" / "providers.md"
COMMAND = pages.COMMAND

INTRODUCTION = f"""\
# Mail providers

<!-- Made by tests/setup/providers_page.py from plugins/module_utils/_providers. Change the data, then run:
     {COMMAND} -->

What this collection knows of {len(PROVIDERS)} mail providers: where to connect, how to log in, how much they take,
and what to do when they refuse a login. The filter `mailops.smtp.smtp_provider` gives the same in a playbook:

```yaml
- name: Host and port of Amazon SES in Ireland
  vars:
    ses: "{{{{ 'ses' | mailops.smtp.smtp_provider(region='eu-west-1') }}}}"
  ansible.builtin.debug:
    msg: "{{{{ ses.host }}}}:{{{{ ses.port }}}}"
```

Each fact names the page it is from and the month that page was read; copies of pages were read, some older than that
month. A source that is not the provider's own, such as a blog, a bug report or another program's table, is marked as
secondary: `[2?]`. Check such a fact with the provider before you depend on it. No provider was contacted to make this
page. What no page says is left out: a limit that is missing here is unknown, not absent. Providers change; where one
differs from this page, name host, port and TLS mode yourself, which wins over the preset, and tell us.
"""

LABELS = {
    "host": "Host",
    "regions": "Regions",
    "endpoints": "Ports",
    "login": "User name",
    "secrets": "Password",
    "mechanisms": "Mechanisms",
    "oauth": "OAuth2",
    "connections": "Connections at once",
    "messages_per_connection": "Messages a connection",
    "messages_per_minute": "Messages a minute",
    "messages_per_day": "Messages a day",
    "recipients_per_message": "Recipients a message",
    "recipients_per_day": "Recipients a day",
    "message_size": "Octets a message",
    "notes": "Notes",
}
SECRETS = {
    "password": "password of the mailbox",
    "app_password": "app password",
    "authorisation_code": "authorisation code (授权码)",
    "smtp_key": "SMTP or API key",
    "oauth2": "OAuth2",
}


def page() -> str:
    """The whole page."""
    details = (line for one in PROVIDERS.values() for line in _details(one))
    return "\n".join([INTRODUCTION, *_table(), "", *details]).rstrip() + "\n"


def _table() -> Iterator[str]:
    yield "| name | provider | host | port | password |"
    yield "|---|---|---|---|---|"
    for one in PROVIDERS.values():
        secrets = ", ".join(SECRETS[secret.value] for secret in one.secrets)
        name = f"[`{one.name}`](#{one.name})"
        yield f"| {name} | {one.title} | `{one.host}` | {_endpoint(one.default)} | {secrets} |"


def _details(one: Provider) -> Iterator[str]:
    yield f"## {one.name}"
    yield ""
    others = f" Other names: {', '.join(f'`{alias}`' for alias in one.aliases)}." if one.aliases else ""
    yield pages.wrapped(f"{one.title}.{others}")
    yield ""
    facts = one.facts()
    for fact, label in LABELS.items():
        if fact in facts:
            yield pages.wrapped(f"{label}: {_value(one, fact, facts[fact])} {_marks(one, fact)}", "- ")
    yield pages.wrapped(pages.linked(f"When the login fails: {one.login_advice}"), "- ")
    yield ""
    yield "Sources:"
    yield ""
    for number, page in enumerate(one.citations, start=1):
        yield f"{number}. {page.date}{', secondary' if page.secondary else ''}: <{page.url}>"  # a URL may exceed a line
    yield ""


def _value(one: Provider, fact: str, value: object) -> str:
    if fact == "host":
        return f"`{value}`"
    if fact == "endpoints":
        return ", ".join(map(_endpoint, one.endpoints))
    if fact == "regions":
        default = f"; `{one.default_region}` without one" if one.default_region else ""
        return ", ".join(_region(one, region) for region in one.regions) + default
    if fact == "secrets":
        return ", ".join(SECRETS[secret.value] for secret in one.secrets)
    if fact == "mechanisms":
        return ", ".join(one.mechanisms)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _region(one: Provider, region: str) -> str:
    host = one.host.replace("{region}", one.regions[region])
    return f"`{region}`" if one.regions[region] == region else f"`{region}` (`{host}`)"


def _endpoint(endpoint: Endpoint) -> str:
    return f"{endpoint.port} {endpoint.tls.value}"


def _marks(one: Provider, fact: str) -> str:
    pages = [(number, page) for number, page in enumerate(one.citations, start=1) if fact in page.facts.split()]
    return "".join(f"[{number}{'?' if page.secondary else ''}]" for number, page in pages)


if __name__ == "__main__":
    pages.write(PAGE, page())
