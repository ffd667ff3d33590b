# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OAuth2 access token for SMTP: the request for one, and what the answer means (RFC 6749).

Nothing here opens a connection: a :class:`TokenClient` gives the request, whoever fetched it gives the answer.
"""

from __future__ import annotations

import enum
import ipaddress
import json
import re
import typing as t
import urllib.parse
from dataclasses import dataclass, field

from .mechanisms import printable
from .scrubbing import encoded_forms, scrub_text

__all__ = [
    "PROVIDERS",
    "AccessToken",
    "BadTokenAnswer",
    "Grant",
    "InvalidTokenClient",
    "OAuthError",
    "TokenClient",
    "TokenProvider",
    "TokenRefused",
    "TokenRequest",
    "TokenServerUnreachable",
    "is_loopback",
]


class OAuthError(ValueError):
    """No access token could be had; the text is a sentence without secrets and without the final full stop."""


class Grant(str, enum.Enum):
    """How the client shows that it may have a token."""

    CLIENT_CREDENTIALS = "client_credentials"  # on its own behalf (RFC 6749 section 4.4)
    REFRESH_TOKEN = "refresh_token"  # for a user who consented once (RFC 6749 section 6)


class InvalidTokenClient(OAuthError):
    """Values that no request can be made of; nothing was sent."""


class TokenServerUnreachable(OAuthError):
    """No answer from the token server, or not from whom its name says."""


class TokenRefused(OAuthError):
    """The token server said no.

    :param error: its word for it (RFC 6749 section 5.2), where it gave one.
    """

    def __init__(self, problem: str, error: str = "") -> None:
        super().__init__(problem)
        self.error = error


class BadTokenAnswer(OAuthError):
    """An answer that is no answer of a token server (RFC 6749 section 5.1)."""


@dataclass(frozen=True)
class TokenProvider:
    """The token end point of a provider.

    :param token_url: may hold ``{tenant}``.
    :param scopes: grant -> the scope for SMTP; empty asks for what was consented to. A grant that is not here is none
        of the provider's.
    :param default_tenants: grant -> what stands for the tenant where none is given.
    """

    token_url: str
    scopes: t.Mapping[Grant, str]
    default_tenants: t.Mapping[Grant, str] = field(default_factory=dict)


#: learn.microsoft.com/exchange/client-developer/legacy-protocols/
#: how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth; developers.google.com/identity/protocols/oauth2/
#: web-server (Google has no client credentials grant, its service accounts sign a JWT instead).
PROVIDERS: t.Mapping[str, TokenProvider] = {
    "microsoft": TokenProvider(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        {
            Grant.CLIENT_CREDENTIALS: "https://outlook.office365.com/.default",
            Grant.REFRESH_TOKEN: "https://outlook.office.com/SMTP.Send",
        },
        {Grant.REFRESH_TOKEN: "common"},
    ),
    "google": TokenProvider("https://oauth2.googleapis.com/token", {Grant.REFRESH_TOKEN: ""}),
}

#: RFC 6749 section 5.2 -> what to do about it.
_ADVICE = {
    "invalid_client": "check client_id and client_secret; secrets expire",
    "invalid_grant": "the refresh token has expired or was revoked: let the user consent again",
    "unauthorized_client": "this client may not use this grant: see its registration",
    "unsupported_grant_type": "the server does not know this grant",
    "invalid_scope": "the scope is not what this client or user consented to",
}

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}\Z")
_NO_URL = "the token_url is not a URL such as https://login.example.com/token"
_TOKEN = re.compile(r"[!-~]+\Z")


class TokenRequest(t.NamedTuple):
    """What to send with POST. The body holds the secrets."""

    url: str
    body: bytes
    headers: t.Mapping[str, str]


@dataclass(frozen=True)
class AccessToken:
    """A token that was granted.

    :param token: the secret.
    :param expires_in: seconds it is good for, where the server says.
    """

    token: str = field(repr=False)
    expires_in: int | None = None


@dataclass(frozen=True)
class TokenClient:
    """One client at one token end point.

    :param token_url: https, or http on the loopback interface.
    :param client_secret: not for public clients, which have none (RFC 6749 section 2.1).
    :raises InvalidTokenClient: the values contradict each other.
    """

    token_url: str
    grant: Grant
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scope: str = ""

    def __post_init__(self) -> None:
        _check_url(self.token_url)
        if not self.client_id:
            raise InvalidTokenClient("a token is asked for with a client_id, and there is none")
        needed = "refresh_token" if self.grant is Grant.REFRESH_TOKEN else "client_secret"
        if not getattr(self, needed):
            raise InvalidTokenClient(f"the grant {self.grant.value} needs {needed}")

    @classmethod
    def of_provider(
        cls,
        provider: str,
        grant: Grant,
        client_id: str,
        client_secret: str | None = None,
        refresh_token: str | None = None,
        scope: str | None = None,
        tenant: str | None = None,
    ) -> TokenClient:
        """A client of one of :data:`PROVIDERS`.

        :param scope: in place of the provider's for SMTP.
        :raises InvalidTokenClient: also for a grant the provider does not know, and a tenant missing or not one.
        """
        known = PROVIDERS.get(provider)
        if known is None:
            raise InvalidTokenClient(f"the provider is {provider!r}, expected {' or '.join(PROVIDERS)}")
        if grant not in known.scopes:
            grants = " and ".join(grant.value for grant in known.scopes)
            raise InvalidTokenClient(f"{provider} has no grant {grant.value} for SMTP, it knows {grants}")
        url = known.token_url
        if "{tenant}" in url:
            url = url.format(tenant=_tenant(tenant or known.default_tenants.get(grant, "")))
        scope = known.scopes[grant] if scope is None else scope
        return cls(url, grant, client_id, client_secret, refresh_token, scope)

    @property
    def host(self) -> str:
        """Whom the request goes to."""
        return urllib.parse.urlsplit(self.token_url).hostname or ""

    def request(self) -> TokenRequest:
        """The client authenticates in the body, which Microsoft and Google document (RFC 6749 section 2.3.1)."""
        fields = {
            "grant_type": self.grant.value,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token if self.grant is Grant.REFRESH_TOKEN else None,
            "scope": self.scope,
        }
        body = urllib.parse.urlencode({name: value for name, value in fields.items() if value})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return TokenRequest(self.token_url, body.encode("ascii"), headers)

    def scrub(self, text: str, *more: str) -> str:
        """The text without this client's secrets, fit for a log."""
        forms = encoded_forms(filter(None, [self.client_secret, self.refresh_token, *more]))
        return printable(scrub_text(text, forms), limit=600)

    def read_answer(self, status: int, body: bytes) -> AccessToken:
        """What the server answered.

        :param status: of HTTP.
        :raises TokenRefused: it said no, and why.
        :raises BadTokenAnswer: neither a token nor a refusal.
        """
        facts = _json_object(body)
        if status != 200 or "error" in facts:
            raise self._refused(status, facts)
        token = facts.get("access_token")
        if not isinstance(token, str) or not _TOKEN.match(token):
            raise BadTokenAnswer(f"the token server {self.host} answered without an access token")
        kind = facts.get("token_type", "bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":  # RFC 6749 section 7.1
            raise BadTokenAnswer(f"the token server {self.host} granted a token that is not of type bearer")
        return AccessToken(token, _seconds(facts.get("expires_in")))

    def _refused(self, status: int, facts: t.Mapping[str, t.Any]) -> TokenRefused:
        error, description, token = (
            value if isinstance(value, str) else ""
            for value in (facts.get("error"), facts.get("error_description"), facts.get("access_token"))
        )
        said = self.scrub(": ".join(filter(None, [error, description])), token)
        advice = _ADVICE.get(error, "")
        problem = f"the token server {self.host} refused ({status})"
        problem += f': "{said}"' if said else " without a reason it could spell"
        return TokenRefused(f"{problem}; {advice}" if advice else problem, self.scrub(error, token))


def _check_url(url: str) -> None:
    """RFC 6749 section 3.2: TLS, no fragment. Plain HTTP stays on this host."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidTokenClient(_NO_URL) from None
    if not host or port == 0 or not _TOKEN.match(url) or parts.scheme not in ("http", "https"):
        raise InvalidTokenClient(_NO_URL)
    if parts.username is not None or parts.fragment:
        raise InvalidTokenClient("the token_url holds a user or a fragment, which belong elsewhere")
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidTokenClient(f"the token_url sends secrets to {host} without TLS; use https")


def is_loopback(host: str) -> bool:
    """Whether the host is this one, by its own name or address (RFC 6761 section 6.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tenant(tenant: str) -> str:
    if not tenant:
        raise InvalidTokenClient("this grant needs the tenant: its id or its domain")
    if not _TENANT.match(tenant):
        raise InvalidTokenClient(f"the tenant is {tenant!r}, expected an id or a domain")
    return tenant


def _json_object(body: bytes) -> t.Mapping[str, t.Any]:
    """The object that the body is, or an empty one. A parser's error would carry the body, secrets and all."""
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _seconds(value: object) -> int | None:
    """A lifetime; some servers write it as a string."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
