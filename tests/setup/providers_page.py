# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/providers.md from the presets of the providers: make docs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The imports need the path, since the environment links the collection there.
sys.path.insert(0, str(ROOT / ".build" / "collections"))

from ansible_collections.mailops.smtp.plugins.module_utils._providers.hints_by_provider import (  # noqa: E402
    BY_PROVIDER,
)
from ansible_collections.mailops.smtp.plugins.module_utils._providers.oauth_steps import (  # noqa: E402
    OAUTH_STEPS,
    Way,
)
from ansible_collections.mailops.smtp.plugins.module_utils._providers.presets import PROVIDERS  # noqa: E402
from ansible_collections.mailops.smtp.plugins.module_utils._providers.provider import (  # noqa: E402
    Endpoint,
    KnownReply,
    Provider,
)
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.token_refusals import (  # noqa: E402
    TOKEN_REFUSALS,
)
from ansible_collections.mailops.smtp.tests.setup import pages  # noqa: E402

PAGE = ROOT / "docs" / "providers.md"
COMMAND = pages.COMMAND

INTRODUCTION = f"""\
# Mail providers

<!-- Made by tests/setup/providers_page.py from plugins/module_utils/_providers. Change the data, then run:
     {COMMAND} -->

The presets of {len(PROVIDERS)} mail providers: where to connect, how to log in, how much they accept, and what to do if
they refuse a login. The filter `mailops.smtp.smtp_provider` returns the same in a playbook:

```yaml
- name: Show host and port of Amazon SES in Ireland
  vars:
    ses: "{{{{ 'ses' | mailops.smtp.smtp_provider(region='eu-west-1') }}}}"
  ansible.builtin.debug:
    msg: "{{{{ ses.host }}}}:{{{{ ses.port }}}}"
```

Each fact has its source and the month in which the source was read. Copies of pages were read, and some are older than
that month. A source that is not the provider's own, such as a blog, a bug report or another program's table, is marked
as secondary: `[2?]`. Check such a fact with the provider before you depend on it. No provider was contacted to make
this page. Unknown facts are left out: a limit that is missing here is unknown, not absent. Providers change: if one
differs from this page, set host, port and TLS mode, which take precedence over the preset, and report it.

What to do at Microsoft and Google before they grant OAuth2 tokens is [below](#oauth2-at-microsoft), and so is what it
means if they [refuse a token](#refusals-of-token-servers) or [a login or message](#refusals-and-what-they-mean).
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
    "messages_per_connection": "Messages per connection",
    "messages_per_minute": "Messages per minute",
    "messages_per_day": "Messages per day",
    "recipients_per_message": "Recipients per message",
    "recipients_per_day": "Recipients per day",
    "message_size": "Octets per message",
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
    """Return the whole page."""
    details = (line for one in PROVIDERS.values() for line in _details(one))
    steps = (line for name, ways in OAUTH_STEPS.items() for line in _steps(name, ways))
    return "\n".join([INTRODUCTION, *_table(), "", *details, *steps, *_token_refusals(), *_refusals()]).rstrip() + "\n"


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
    yield pages.wrapped(pages.linked(f"If the login fails: {one.login_advice}"), "- ")
    yield ""
    yield "Sources:"
    yield ""
    for number, page in enumerate(one.citations, start=1):
        yield f"{number}. {page.date}{', secondary' if page.secondary else ''}: <{page.url}>"  # a URL may exceed a line
    yield ""


def _steps(name: str, ways: tuple[Way, ...]) -> Iterator[str]:
    yield f"## OAuth2 at {name.title()}"
    yield ""
    for way in ways:
        yield pages.wrapped(f"For {way.title}:")
        yield ""
        for number, step in enumerate(way.steps, start=1):
            yield pages.wrapped(step, f"{number}. ")
        yield ""
        yield pages.wrapped(f"Options of `oauth`: {'; '.join(way.options)}.")
        yield ""
        for url in way.sources:
            yield f"Source: <{url}>"  # a URL may exceed a line
            yield ""


def _token_refusals() -> Iterator[str]:
    yield "## Refusals of token servers"
    yield ""
    yield pages.wrapped(
        "Modules and the refresher of a relay quote the reason of the token server, with the same advice. All codes of"
        " Microsoft are at <https://login.microsoftonline.com/error>."
    )
    yield ""
    for one in TOKEN_REFUSALS:
        who = " for a service account" if one.service_account else ""
        yield pages.wrapped(pages.linked(f"`{one.reason}`{who}: {one.advice}."), "- ")
    yield ""


def _refusals() -> Iterator[str]:
    yield "## Refusals and what they mean"
    yield ""
    yield "Replies of particular providers. Modules and the role's log give the same advice."
    yield ""
    for reply in BY_PROVIDER:
        yield pages.wrapped(pages.linked(f"{_condition(reply)}: {reply.advice}"), "- ")


def _condition(reply: KnownReply) -> str:
    """Describe the replies that an entry fits."""
    codes = " or ".join(f"`{code}`" for code in reply.codes)
    status = " or ".join(f"`{code}`" for code in reply.enhanced)
    words = f"with text like `{reply.text}`" if reply.text else ""
    found = [" with ".join(filter(None, [codes, status])), words]
    names = f" ({', '.join(reply.providers)})" if reply.providers else ""
    return " ".join(filter(None, found)) + names


def _value(one: Provider, fact: str, value: object) -> str:
    if fact == "host":
        return f"`{value}`"
    if fact == "endpoints":
        return ", ".join(map(_endpoint, one.endpoints))
    if fact == "regions":
        default = f"; the default is `{one.default_region}`" if one.default_region else ""
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
