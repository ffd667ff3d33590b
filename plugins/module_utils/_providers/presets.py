# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look-up of providers: by name and region, with the user's own settings on top. No provider is ever contacted."""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t

from .._smtp.tls import TlsMode
from .hosting import HOSTING
from .mailboxes import MAILBOXES
from .provider import Endpoint, Provider
from .services import SERVICES

PROVIDERS: t.Mapping[str, Provider] = {
    provider.name: provider for provider in sorted((*MAILBOXES, *HOSTING, *SERVICES), key=lambda one: one.name)
}
_NAMES: t.Mapping[str, str] = {
    name: provider.name for provider in PROVIDERS.values() for name in (provider.name, *provider.aliases)
}
#: RFC 8314 section 7.3: the one port whose number alone says that TLS begins at once.
_SUBMISSIONS = 465


class ProviderError(ValueError):
    """A provider that cannot be used as asked; the text is a sentence for the user, without the final full stop."""


class UnknownProvider(ProviderError):
    """No provider of that name."""


class RegionRequired(ProviderError):
    """The provider has one host a region, and none was named."""


class UnknownRegion(ProviderError):
    """The provider has no such region, or none at all."""


class NoSuchEndpoint(ProviderError):
    """The provider has no port with this kind of TLS."""


class Destination(t.NamedTuple):
    """Where to connect, in plain values."""

    host: str
    port: int
    tls: str


def find(name: str) -> Provider | None:
    """The provider of that name or alias, whatever its case, its host not yet resolved."""
    return PROVIDERS.get(_NAMES.get(_normalise(name), ""))


def resolve(name: str, region: str | None = None) -> Provider:
    """Find a provider; the host of the result is a host name.

    :raises UnknownProvider: says which names come close, and how to list them.
    :raises RegionRequired: says which regions there are.
    :raises UnknownRegion: says the same.
    """
    provider = find(name)
    if provider is None:
        raise UnknownProvider(
            f"provider {name!r} is not known{_closest(name)};"
            " ansible-doc -t filter mailops.smtp.smtp_provider lists all of them"
        )
    allowed = ", ".join(provider.regions)
    if region and not provider.regions:
        raise UnknownRegion(f"region is {region!r}, but provider {provider.name} has no regions; leave it out")
    chosen = region or provider.default_region
    if not provider.regions:
        return provider
    if not chosen:
        raise RegionRequired(f"provider {provider.name} has one host a region; say which with region: {allowed}")
    if chosen not in provider.regions:
        raise UnknownRegion(f"region is {region!r}, provider {provider.name} has: {allowed}")
    host = provider.host.replace("{region}", provider.regions[chosen])
    return dataclasses.replace(provider, host=host, region=chosen)


def settings_for(
    provider: Provider, *, host: str | None = None, port: int | None = None, tls: str | None = None
) -> Destination:
    """The provider's settings, with what the user said explicitly in their place.

    A port alone takes the TLS mode that the provider speaks there; a TLS mode alone takes the first port that has it.

    :param provider: from :func:`resolve`.
    :param tls: a value of :class:`.tls.TlsMode`; every mode but ``implicit`` takes a STARTTLS port.
    :raises NoSuchEndpoint: no port of the provider has this TLS mode; name the port too to try it nevertheless.
    """
    endpoint = provider.default
    if port:
        endpoint = Endpoint(port, _mode_on(provider, port))
    elif tls:
        endpoint = _endpoint_with(provider, tls)
    return Destination(host or provider.host, endpoint.port, tls or endpoint.tls.value)


def provider_of_host(host: str) -> str | None:
    """The name of the provider whose host this is, for those who named the host and not the provider."""
    wanted = host.rstrip(".").lower()
    for provider in PROVIDERS.values():
        regions = provider.regions.values() or ("",)
        if wanted in (provider.host.replace("{region}", region) for region in regions):
            return provider.name
    return None


def _normalise(name: str) -> str:
    return re.sub(r"[\s.-]+", "_", str(name).strip().lower())


def _closest(name: str) -> str:
    close = difflib.get_close_matches(_normalise(name), _NAMES, n=3, cutoff=0.7)
    names = list(dict.fromkeys(_NAMES[one] for one in close))
    return f" (did you mean {' or '.join(names)}?)" if names else ""


def _mode_on(provider: Provider, port: int) -> TlsMode:
    for endpoint in provider.endpoints:
        if endpoint.port == port:
            return endpoint.tls
    return TlsMode.IMPLICIT if port == _SUBMISSIONS else TlsMode.STARTTLS


def _endpoint_with(provider: Provider, tls: str) -> Endpoint:
    mode = TlsMode.IMPLICIT if tls == TlsMode.IMPLICIT.value else TlsMode.STARTTLS
    for endpoint in provider.endpoints:
        if endpoint.tls is mode:
            return endpoint
    offered = ", ".join(f"{endpoint.port} ({endpoint.tls.value})" for endpoint in provider.endpoints)
    raise NoSuchEndpoint(f"tls is {tls!r}, provider {provider.name} has: {offered}")
