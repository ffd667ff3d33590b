# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of the presets: what is known about a mail provider, and its known replies.

Each fact has the page it is from, the month in which the page was read, and whether the page is the provider's own. A
fact without a page stays unknown.
"""

from __future__ import annotations

import enum
import re
import typing as t
from dataclasses import dataclass, field, fields

from .._smtp.tls import TlsMode

if t.TYPE_CHECKING:
    from .._smtp.errors import Stage
    from .._smtp.reply import Reply


class Secret(str, enum.Enum):
    """The kind of secret that a login needs."""

    PASSWORD = "password"
    APP_PASSWORD = "app_password"  # created for one program, in the settings of the account
    AUTHORISATION_CODE = "authorisation_code"  # the same in China (授权码), shown when SMTP is turned on
    SMTP_KEY = "smtp_key"  # created by the service for SMTP, or its API key
    OAUTH2 = "oauth2"


class Endpoint(t.NamedTuple):
    """A port and its TLS mode."""

    port: int
    tls: TlsMode


class Citation(t.NamedTuple):
    """The source of some facts.

    :param url: the page.
    :param date: the month in which it was read, ``YYYY-MM``.
    :param facts: names of the fields of :class:`Provider` and :class:`Limits`, separated by spaces.
    :param secondary: whether the page is a third party's, such as a blog, a bug report or another program's table.
    """

    url: str
    date: str
    facts: str
    secondary: bool = False


@dataclass(frozen=True)
class Limits:
    """How much a provider accepts from one account; None is unknown.

    :param message_size: octets, after encoding.
    """

    connections: int | None = None
    messages_per_connection: int | None = None
    messages_per_minute: int | None = None
    messages_per_day: int | None = None
    recipients_per_message: int | None = None
    recipients_per_day: int | None = None
    message_size: int | None = None

    def known(self) -> dict[str, int]:
        """Return the limits that are known."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Provider:
    """The preset of one provider.

    :param name: the value of the option ``provider``, in lower case.
    :param title: its usual name.
    :param host: host name; contains ``{region}`` if the regions have different hosts.
    :param endpoints: ports, the default one first.
    :param login: the user name to use, as part of a sentence.
    :param secrets: the secrets that it accepts, the usual one first.
    :param login_advice: what to do if the login is refused, as a sentence or two.
    :param citations: the sources of all facts that are set.
    :param aliases: other values of the option ``provider``.
    :param regions: region -> replacement of ``{region}`` in ``host``. If an account exists in one region only, there is
        no default, since another region refuses the right password.
    :param default_region: the region if none is set, for providers that accept an account in any region.
    :param region: the chosen region, after :func:`.presets.resolve`.
    :param mechanisms: SASL mechanisms that are known to be offered; empty is unknown.
    :param oauth: the provider of OAuth2 tokens: ``microsoft``, ``google``, or empty.
    :param notes: what else a sender must know.
    """

    name: str
    title: str
    host: str
    endpoints: tuple[Endpoint, ...]
    login: str
    secrets: tuple[Secret, ...]
    login_advice: str
    citations: tuple[Citation, ...]
    aliases: tuple[str, ...] = ()
    regions: t.Mapping[str, str] = field(default_factory=dict)
    default_region: str = ""
    region: str = ""
    mechanisms: tuple[str, ...] = ()
    oauth: str = ""
    limits: Limits = field(default_factory=Limits)
    notes: str = ""

    @property
    def default(self) -> Endpoint:
        """The endpoint to use if the user sets neither port nor TLS mode."""
        return self.endpoints[0]

    def facts(self) -> dict[str, t.Any]:
        """Return all the facts that need a source, by the name of the field."""
        names = ("host", "endpoints", "login", "secrets", "regions", "mechanisms", "oauth", "notes")
        values = {name: getattr(self, name) for name in names}
        return {**{name: value for name, value in values.items() if value}, **self.limits.known()}

    def citation_of(self, fact: str) -> Citation | None:
        """Return the source of one fact: the provider's own page, else a third party's."""
        found = [citation for citation in self.citations if fact in citation.facts.split()]
        return min(found, key=lambda citation: citation.secondary, default=None)

    def to_dict(self) -> dict[str, t.Any]:
        """Return the dictionary that the filter returns."""
        return {
            "name": self.name,
            "title": self.title,
            "region": self.region,
            "host": self.host,
            "port": self.default.port,
            "tls": self.default.tls.value,
            "ports": [{"port": endpoint.port, "tls": endpoint.tls.value} for endpoint in self.endpoints],
            "login": self.login,
            "secrets": [secret.value for secret in self.secrets],
            "login_advice": self.login_advice,
            "mechanisms": list(self.mechanisms),
            "oauth": self.oauth,
            "limits": {one.name: getattr(self.limits, one.name) for one in fields(self.limits)},
            "notes": self.notes,
            "sources": {fact: page.url for fact in self.facts() for page in [self.citation_of(fact)] if page},
        }


@dataclass(frozen=True)
class KnownReply:
    """One known reply and its advice. An empty condition always matches.

    :param advice: what to do, as a sentence or two.
    :param source: where the reply is documented.
    :param codes: three-digit codes.
    :param enhanced: enhanced status codes.
    :param text: a pattern to search in the text, in any case.
    :param providers: names of the providers that send it; empty if the other conditions are sufficient.
    :param stages: stages of the session in which it is sent.
    """

    advice: str
    source: str
    codes: tuple[int, ...] = ()
    enhanced: tuple[str, ...] = ()
    text: str = ""
    providers: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

    def fits(self, reply: Reply, stage: Stage, provider: str | None) -> bool:
        """Return whether all the conditions match."""
        return (
            (not self.codes or reply.code in self.codes)
            and (not self.enhanced or reply.enhanced in self.enhanced)
            and (not self.providers or provider in self.providers)
            and (not self.stages or stage in self.stages)
            and (not self.text or re.search(self.text, reply.text, re.IGNORECASE) is not None)
        )


def starttls(*ports: int) -> tuple[Endpoint, ...]:
    """Return endpoints where TLS begins by STARTTLS."""
    return tuple(Endpoint(port, TlsMode.STARTTLS) for port in ports)


def implicit(*ports: int) -> tuple[Endpoint, ...]:
    """Return endpoints where TLS begins with the first byte."""
    return tuple(Endpoint(port, TlsMode.IMPLICIT) for port in ports)
