# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OAuth2 access tokens for SMTP: the request for a token, and the meaning of the answer (RFC 6749).

Nothing here opens a connection: a :class:`TokenClient` builds the request, and the caller sends it and passes the
answer back.
"""

from __future__ import annotations

import email.utils
import enum
import ipaddress
import json
import re
import time
import typing as t
import urllib.parse
from dataclasses import dataclass, field

from .jwt import InvalidSigner, ServiceAccount, Signer
from .mechanisms import printable
from .scrubbing import MASK, encoded_forms, scrub_text
from .token_refusals import token_advice

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
    """No access token was obtained; the text is a sentence without secrets and without the final full stop."""


class Grant(str, enum.Enum):
    """How the client is authorised to get a token."""

    CLIENT_CREDENTIALS = "client_credentials"  # on its own behalf (RFC 6749 section 4.4)
    REFRESH_TOKEN = "refresh_token"  # for a user who consented once (RFC 6749 section 6)
    SERVICE_ACCOUNT = "service_account"  # for a user, by a key of Google that may act for any (RFC 7523 section 2.1)


class InvalidTokenClient(OAuthError):
    """The values do not make a valid request; nothing was sent."""


class TokenServerUnreachable(OAuthError):
    """The token server did not answer, or its certificate does not match its name."""


class TokenRefused(OAuthError):
    """The token server refused the request.

    :param error: its error code (RFC 6749 section 5.2), if it sent one.
    """

    def __init__(self, problem: str, error: str = "") -> None:
        super().__init__(problem)
        self.error = error


class BadTokenAnswer(OAuthError):
    """The answer is not a valid answer of a token server (RFC 6749 section 5.1)."""


@dataclass(frozen=True)
class TokenProvider:
    """The token endpoint of a provider.

    :param token_url: may contain ``{tenant}``.
    :param scopes: grant -> the scope for SMTP; empty requests what the user consented to. The provider does not
        support a grant that is missing here.
    :param default_tenants: grant -> the tenant if none is given.
    """

    token_url: str
    scopes: t.Mapping[Grant, str]
    default_tenants: t.Mapping[Grant, str] = field(default_factory=dict)


#: learn.microsoft.com/exchange/client-developer/legacy-protocols/
#: how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth; developers.google.com/identity/protocols/oauth2/
#: web-server and service-account (Google has no client credentials grant).
PROVIDERS: t.Mapping[str, TokenProvider] = {
    "microsoft": TokenProvider(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        {
            Grant.CLIENT_CREDENTIALS: "https://outlook.office365.com/.default",
            Grant.REFRESH_TOKEN: "https://outlook.office.com/SMTP.Send",
        },
        {Grant.REFRESH_TOKEN: "common"},
    ),
    "google": TokenProvider(
        "https://oauth2.googleapis.com/token",
        {Grant.REFRESH_TOKEN: "", Grant.SERVICE_ACCOUNT: "https://mail.google.com/"},
    ),
}

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}\Z")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 section 2.2
_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523 section 2.1
#: A server may echo the JWT that it refuses; its three parts begin with the base64 of a brace and a quote.
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")
#: Seconds that the clocks of this host and of the token server may differ by before that is named as a reason.
_CLOCK = 90
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,20})?\Z", re.ASCII)
_NO_URL = "token_url is not a valid URL; expected a URL such as https://login.example.com/token"
_TOKEN = re.compile(r"[!-~]+\Z")
#: The longest token that a login can carry: a line of base64 has at most 12,288 octets (RFC 4954 section 4).
_LONGEST_TOKEN = 9_000
#: What a value that was pasted or read from a file may have too much.
_STRAY = re.compile(r"\s|.*\s\Z|.*[\x00-\x1f\x7f]", re.DOTALL)
#: Tenants of Microsoft that stand for those of any user.
_OF_USERS = ("common", "organizations", "consumers")


class TokenRequest(t.NamedTuple):
    """What to send with POST; the body contains the secrets."""

    url: str
    body: bytes
    headers: t.Mapping[str, str]


@dataclass(frozen=True)
class AccessToken:
    """A token that was granted.

    :param token: the secret.
    :param expires_in: its lifetime in seconds, if the server sends it.
    :param refresh_token: the refresh token that replaces the one that was sent, if the server sends one.
    """

    token: str = field(repr=False)
    expires_in: int | None = None
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class TokenClient:
    """One client at one token endpoint.

    :param token_url: https, or http on the loopback interface.
    :param client_secret: None for public clients, which have no secret (RFC 6749 section 2.1).
    :param signer: a certificate in place of the secret, or the service account.
    :raises InvalidTokenClient: the values contradict each other.
    """

    token_url: str
    grant: Grant
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scope: str = ""
    signer: Signer | None = None

    def __post_init__(self) -> None:
        _check_url(self.token_url)
        for name in ("client_id", "client_secret", "refresh_token", "scope"):
            if _STRAY.match(getattr(self, name) or ""):
                raise InvalidTokenClient(
                    f"{name} begins or ends with white space, or contains a line break or another control character;"
                    " remove it"
                )
        if self.grant is Grant.SERVICE_ACCOUNT:
            if not isinstance(self.signer, ServiceAccount):
                raise InvalidTokenClient("grant service_account needs service_account; set it, or change grant")
            return
        if isinstance(self.signer, ServiceAccount):
            raise InvalidTokenClient(f"service_account does not fit grant {self.grant.value}; remove one of them")
        if not self.client_id:
            raise InvalidTokenClient("client_id is empty; set it to the ID that the provider gave the application")
        if self.client_secret and self.signer:
            raise InvalidTokenClient("client_secret and certificate are both set; set only one of them")
        needed = "refresh_token" if self.grant is Grant.REFRESH_TOKEN else "client_secret"
        if not getattr(self, needed) and not (needed == "client_secret" and self.signer):
            also = " or certificate with private_key" if needed == "client_secret" else ""
            raise InvalidTokenClient(f"grant {self.grant.value} needs {needed}{also}; set it, or change grant")

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
        signer: Signer | None = None,
    ) -> TokenClient:
        """Return a client of one of :data:`PROVIDERS`.

        :param scope: replaces the provider's scope for SMTP.
        :raises InvalidTokenClient: also if the provider does not support the grant, or the tenant is not valid.
        """
        known = PROVIDERS.get(provider)
        if known is None:
            raise InvalidTokenClient(f"provider is {provider!r}; expected {' or '.join(PROVIDERS)}")
        if grant not in known.scopes:
            grants = " and ".join(grant.value for grant in known.scopes)
            raise InvalidTokenClient(f"{provider} does not support grant {grant.value} for SMTP; expected {grants}")
        url = known.token_url
        if "{tenant}" in url:
            url = url.format(tenant=_tenant(tenant or known.default_tenants.get(grant, ""), grant))
        scope = known.scopes[grant] if scope is None else scope
        return cls(url, grant, client_id, client_secret, refresh_token, scope, signer)

    @property
    def host(self) -> str:
        """The host that receives the request."""
        return urllib.parse.urlsplit(self.token_url).hostname or ""

    def request(self) -> TokenRequest:
        """Build the request. As Microsoft and Google document it, the client authenticates in the body.

        RFC 6749 section 2.3.1.

        :raises InvalidTokenClient: the JWT could not be signed.
        """
        try:
            fields = self._fields()
        except InvalidSigner as error:
            raise InvalidTokenClient(str(error)) from None
        body = urllib.parse.urlencode({name: value for name, value in fields.items() if value})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return TokenRequest(self.token_url, body.encode("ascii"), headers)

    def _fields(self) -> t.Mapping[str, str | None]:
        if isinstance(self.signer, ServiceAccount):
            scope = self.scope or PROVIDERS["google"].scopes[Grant.SERVICE_ACCOUNT]  # also at a token_url
            return {"grant_type": _BEARER, "assertion": self.signer.assertion(self.token_url, scope)}
        assertion = self.signer.assertion(self.token_url, self.client_id) if self.signer else None
        return {
            "grant_type": self.grant.value,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "client_assertion_type": _ASSERTION if assertion else None,
            "client_assertion": assertion,
            "refresh_token": self.refresh_token if self.grant is Grant.REFRESH_TOKEN else None,
            "scope": self.scope,
        }

    def scrub(self, text: str, *more: str) -> str:
        """Return the text without this client's secrets and control characters, for a log."""
        forms = encoded_forms(filter(None, [self.client_secret, self.refresh_token, *more]))
        return printable(scrub_text(_JWT.sub(MASK, text), forms), limit=600)

    def read_answer(self, status: int, body: bytes, date: str = "") -> AccessToken:
        """Return the token in the server's answer.

        :param status: the HTTP status code.
        :param date: the server's HTTP date, which tells whether a JWT was refused because of the clock.
        :raises TokenRefused: the server refused; the text has its reason.
        :raises BadTokenAnswer: the answer is neither a token nor a refusal.
        """
        facts = _json_object(body)
        if status != 200 or facts.get("error"):
            raise self._refused(status, facts, date)
        token = facts.get("access_token")
        if not isinstance(token, str) or not _TOKEN.match(token):
            raise BadTokenAnswer(f"the token server {self.host} answered without an access token; check token_url")
        if len(token) > _LONGEST_TOKEN:
            raise BadTokenAnswer(
                f"the token server {self.host} granted a token of {len(token)} characters; expected at most"
                f" {_LONGEST_TOKEN}, which is what a login can carry"
            )
        kind = facts.get("token_type", "bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":  # RFC 6749 section 7.1
            raise BadTokenAnswer(f"the token server {self.host} granted a token of another type; expected type bearer")
        renewed = facts.get("refresh_token")
        renewed = renewed if isinstance(renewed, str) and _TOKEN.match(renewed) else None
        return AccessToken(token, _seconds(facts.get("expires_in")), renewed)

    def _refused(self, status: int, facts: t.Mapping[str, t.Any], date: str) -> TokenRefused:
        error, description, token = (
            value if isinstance(value, str) else ""
            for value in (facts.get("error"), facts.get("error_description"), facts.get("access_token"))
        )
        reason = self.scrub(": ".join(filter(None, [error, description])), token)
        advice = _clock_advice(date) if self.signer else ""
        advice = advice or token_advice(error, description, isinstance(self.signer, ServiceAccount))
        problem = f"the token server {self.host} refused the request ({status})"
        problem += f': "{reason}"' if reason else " without a readable reason"
        return TokenRefused(f"{problem}; {advice}" if advice else problem, self.scrub(error, token))


def _clock_advice(date: str) -> str:
    """Return what to do if this host's clock differs from the server's, which makes a JWT invalid; else nothing."""
    try:
        ahead = time.time() - email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return ""
    if abs(ahead) < _CLOCK:
        return ""
    side = "ahead of" if ahead > 0 else "behind"
    return f"the clock of this host is {abs(ahead) / 60:.0f} min {side} that of the token server; set it, as by NTP"


def _check_url(url: str) -> None:
    """Require TLS and no fragment (RFC 6749 section 3.2); plain HTTP may only go to this host."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidTokenClient(_NO_URL) from None
    if not host or port == 0 or not _TOKEN.match(url) or parts.scheme not in ("http", "https"):
        raise InvalidTokenClient(_NO_URL)
    if parts.username is not None or parts.fragment:
        raise InvalidTokenClient("token_url contains a user name or a fragment; remove it, and use client_id")
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidTokenClient(f"token_url would send secrets to {host} without TLS; use https")


def is_loopback(host: str) -> bool:
    """Return whether the host is ``localhost`` or a loopback address (RFC 6761 section 6.3)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tenant(tenant: str, grant: Grant) -> str:
    if not tenant:
        raise InvalidTokenClient("this grant needs tenant; set it to the ID or the domain of the tenant")
    if not _TENANT.match(tenant):
        raise InvalidTokenClient(f"tenant is {tenant!r}; expected an ID or a domain")
    if grant is Grant.CLIENT_CREDENTIALS and tenant.lower() in _OF_USERS:
        raise InvalidTokenClient(f"tenant is {tenant!r}, which is for users; expected the ID or the domain of your own")
    return tenant


def _json_object(body: bytes) -> t.Mapping[str, t.Any]:
    """Return the JSON object of the body, or an empty one; a parser's error would quote the body with its secrets."""
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _seconds(value: object) -> int | None:
    """Return a lifetime in seconds, or None for what is none; some servers send it as a string or with a fraction."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value)
    return int(float(text)) if _SECONDS.match(text) else None
