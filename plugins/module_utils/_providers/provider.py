# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a mail provider, as types. The providers themselves are tables of them.

Every fact names the page it is from and the month that page was read. What no page says stays unknown.
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
    """What stands in the place of the password."""

    PASSWORD = "password"
    APP_PASSWORD = "app_password"  # made for one program, in the settings of the account
    AUTHORISATION_CODE = "authorisation_code"  # the same in China (授权码), shown when SMTP is switched on
    SMTP_KEY = "smtp_key"  # made by the service for SMTP, or its API key
    OAUTH2 = "oauth2"


class Endpoint(t.NamedTuple):
    """A port and when TLS begins on it."""

    port: int
    tls: TlsMode


class Source(t.NamedTuple):
    """Where some facts are from.

    :param url: the page.
    :param date: the month it was read, ``YYYY-MM``.
    :param facts: names of the fields of :class:`Provider` and :class:`Limits`, separated by spaces.
    """

    url: str
    date: str
    facts: str


@dataclass(frozen=True)
class Limits:
    """How much a provider takes from one account. None: no page says.

    :param message_size: octets, after encoding.
    """

    connections: int | None = None
    messages_per_connection: int | None = None
    messages_per_second: int | None = None
    messages_per_minute: int | None = None
    messages_per_day: int | None = None
    recipients_per_message: int | None = None
    recipients_per_day: int | None = None
    message_size: int | None = None

    def known(self) -> dict[str, int]:
        """The limits that some page names."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Provider:
    """One provider.

    :param name: what users write, in lower case.
    :param title: what people call it.
    :param host: host name; ``{region}`` stands where the regions differ.
    :param endpoints: ports, the default one first.
    :param login: which user name to give, as a sentence.
    :param secrets: what serves as the password, the usual one first.
    :param login_advice: what to do when the login is refused, as a sentence or two.
    :param sources: where each fact that is set is from.
    :param aliases: other names users write.
    :param regions: region -> what stands for ``{region}`` in ``host``. Where an account lives in one region there is
        no default: the wrong region refuses a right password.
    :param default_region: the region of those who name none, where any will do.
    :param region: the region of this one, once it is resolved.
    :param mechanisms: SASL mechanisms that are known to be offered; empty is not known.
    :param oauth: which token endpoints fit: ``microsoft``, ``google``, or empty.
    :param notes: what else a sender needs to know.
    """

    name: str
    title: str
    host: str
    endpoints: tuple[Endpoint, ...]
    login: str
    secrets: tuple[Secret, ...]
    login_advice: str
    sources: tuple[Source, ...]
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
        """The port to take when the user names none."""
        return self.endpoints[0]

    def facts(self) -> dict[str, t.Any]:
        """Every fact that needs a source, by the name of its field."""
        names = ("host", "endpoints", "login", "secrets", "regions", "mechanisms", "oauth", "notes")
        values = {name: getattr(self, name) for name in names}
        return {**{name: value for name, value in values.items() if value}, **self.limits.known()}

    def source_of(self, fact: str) -> Source | None:
        """Where one fact is from."""
        return next((source for source in self.sources if fact in source.facts.split()), None)

    def to_dict(self) -> dict[str, t.Any]:
        """The form a filter or module returns."""
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
            "sources": {fact: source.url for fact in self.facts() for source in [self.source_of(fact)] if source},
        }


@dataclass(frozen=True)
class KnownReply:
    """One reply, and the advice for it. A condition that is left out always holds.

    :param advice: what to do, as a sentence or two.
    :param source: where the reply is from.
    :param codes: three-digit codes.
    :param enhanced: enhanced status codes.
    :param text: a pattern found in the text, whatever its case.
    :param providers: names of those who mean this by it; leave out where the other conditions tell.
    :param stages: where in the session it is said.
    """

    advice: str
    source: str
    codes: tuple[int, ...] = ()
    enhanced: tuple[str, ...] = ()
    text: str = ""
    providers: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

    def fits(self, reply: Reply, stage: Stage, provider: str | None) -> bool:
        """Whether every condition holds."""
        return (
            (not self.codes or reply.code in self.codes)
            and (not self.enhanced or reply.enhanced in self.enhanced)
            and (not self.providers or provider in self.providers)
            and (not self.stages or stage in self.stages)
            and (not self.text or re.search(self.text, reply.text, re.IGNORECASE) is not None)
        )


def starttls(*ports: int) -> tuple[Endpoint, ...]:
    """Ports where TLS begins by command."""
    return tuple(Endpoint(port, TlsMode.STARTTLS) for port in ports)


def implicit(*ports: int) -> tuple[Endpoint, ...]:
    """Ports where TLS begins with the first byte."""
    return tuple(Endpoint(port, TlsMode.IMPLICIT) for port in ports)
