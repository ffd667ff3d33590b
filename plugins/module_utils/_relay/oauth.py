# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``oauth`` of an upstream: a login with OAuth2 tokens, read and checked."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import typing as t
from dataclasses import dataclass, field

from .._oauth.request import token_client
from .._providers.presets import ProviderError, resolve
from .._sasl.jwt import ClientCertificate
from .._sasl.oauth import OAuthError
from .reader import Options, Reader, as_bool, as_text

#: Connections at the same time if no limit of the provider is known: each is a process of the bridge.
_CONNECTIONS = 5
#: A date, or what YAML writes for a date with a time.
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.Z+-]*)?\Z")
#: Suboptions that go to the refresher as they are.
_FOR_TOKENS = (
    *("provider", "token_url", "grant", "client_id", "client_secret", "refresh_token", "tenant", "scope"),
    *("certificate", "private_key", "service_account", "ca_file"),
)
#: Options of an upstream that its bridge does not have, with what is expected in their place.
_WITHOUT: t.Mapping[str, str] = {
    "password": "is set, and so is oauth; expected one of them",
    "relay": "is set, and relays have passwords; expected a provider, or host",
    "fallbacks": "are set, and a token is for one server; expected none with oauth",
    "pinned_certificates": "are set; expected none with oauth, for which the certificate must carry the name",
    "mechanisms": "are set; expected none with oauth, which always is XOAUTH2",
}


@dataclass(frozen=True)
class OAuth:
    """A login with tokens.

    :param provider: name of the preset; empty without one.
    :param username: the mailbox.
    :param request: the suboptions in JSON, with their secrets.
    :param expires: date of the secret's end as YYYY-MM-DD; empty if it is not known.
    :param certificate_expires: the same of the certificate; empty without one.
    """

    provider: str
    username: str
    request: str = field(repr=False)
    expires: str = ""
    certificate_expires: str = ""


def read_oauth(reader: Reader, variable: str, item: Options) -> OAuth | None:
    """Read ``oauth`` of an upstream; None without it."""
    given = item.get("oauth")
    if not given:
        return None
    for name, sentence in _WITHOUT.items():
        if item.get(name):
            reader.problem(f"{variable}.{name}", sentence)
    if item.get("validate_certs") is not None and not as_bool(item["validate_certs"]):
        reader.problem(f"{variable}.validate_certs", "is false; expected true, as a token is given to no other server")
    username = as_text(item.get("username")) or ""
    if not username:
        reader.problem(f"{variable}.username", "is missing; expected the mailbox that the tokens of oauth are for")
    elif re.search(r"[\x00-\x20\x7f]", username):
        reader.problem(f"{variable}.username", "contains white space or a control character; expected an address")
    preset, issuer = _preset(item)
    options = {
        name: given[name] if name == "service_account" else as_text(given[name])
        for name in _FOR_TOKENS
        if given.get(name) is not None
    }
    if not options.get("token_url"):
        options.setdefault("provider", issuer)
    if preset and not (issuer or given.get("provider") or given.get("token_url")):
        reader.problem(
            f"{variable}.oauth",
            f"{preset} has no OAuth2 that is known here; expected a password, or token_url if it has",
        )
        return None
    if given.get("provider") and given.get("token_url"):
        reader.problem(f"{variable}.oauth", "has both provider and token_url; expected one of them")
    if options.get("ca_file"):
        options["ca_file"] = reader.path(f"{variable}.oauth.ca_file", options["ca_file"])
    ends = _judge(reader, f"{variable}.oauth", options, username)
    expires = _date(reader, f"{variable}.oauth.expires", given.get("expires"))
    return OAuth(preset, username, json.dumps(options, sort_keys=True, default=str), expires, ends)


def _preset(item: Options) -> tuple[str, str]:
    """Return the name of the preset and who issues its tokens; a name that is wrong is reported by others."""
    if item.get("provider") is None:
        return "", ""
    try:
        provider = resolve(str(item["provider"]), as_text(item.get("region")))
    except ProviderError:
        return "", ""
    return provider.name, provider.oauth


def _judge(reader: Reader, variable: str, options: Options, username: str) -> str:
    """Report what the programs would refuse on the host; return the date of the certificate's end, if there is one."""
    if not (options.get("provider") or options.get("token_url")):
        reader.problem(variable, "has neither provider nor token_url; expected one of them, or a provider of upstreams")
        return ""
    try:
        signer = token_client(options, username).signer
        if not isinstance(signer, ClientCertificate):
            return ""
        signer.check_validity()
        return signer.expires[:10]
    except (OAuthError, ValueError) as error:
        reader.problem(variable, str(error))
        return ""


def _date(reader: Reader, variable: str, given: t.Any) -> str:
    if given is None:
        return ""
    date = _DATE.match(str(given))
    try:
        return datetime.datetime.strptime(date[1] if date else "", "%Y-%m-%d").date().isoformat()
    except ValueError:
        reader.problem(variable, f"{str(given)!r} is not a date; expected one such as 2027-11-30")
        return ""


def connections(oauth: OAuth | None, limit: int | None) -> int | None:
    """Return how many connections an upstream may have; with OAuth2 there is always a limit."""
    return limit or _CONNECTIONS if oauth else limit


def place_of(oauth: OAuth, host: str, port: int) -> str:
    """Return the provider, or else the server, as a part of names."""
    return _plain(oauth.provider or f"{host[:50]}-{port}")


def name_of(oauth: OAuth, place: str, mailboxes: t.Collection[str], taken: t.Collection[str]) -> str:
    """Return the name of units and files.

    With several mailboxes at one place, each has its own name, whatever their order: while one of them goes, a bridge
    that Postfix still starts for it must not find the login of another.

    :param mailboxes: all that log in at this place.
    """
    name = place if len(mailboxes) < 2 else f"{_short(place)}-{_short(_plain(oauth.username.lower()))}"
    return next(one for one in (name, *(f"{name}-{count}" for count in range(2, 10_000))) if one not in taken)


def _plain(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text).strip("-")


def _short(text: str) -> str:
    """Return a text of at most 30 characters, which differs from that of another text."""
    return text if len(text) <= 30 else f"{text[:23].rstrip('-')}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
