# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look-up of provider presets by name and region; the user's settings take precedence. No provider is contacted."""

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
#: The only port whose number implies implicit TLS (RFC 8314 section 7.3).
_SUBMISSIONS = 465


class ProviderError(ValueError):
    """The provider cannot be used as requested; the text is a sentence for the user, without the final full stop."""


class UnknownProvider(ProviderError):
    """There is no provider with this name."""


class RegionRequired(ProviderError):
    """The provider has a host in each region, and the region is missing."""


class UnknownRegion(ProviderError):
    """The provider does not have this region, or has no regions."""


class NoSuchEndpoint(ProviderError):
    """The provider has no port with this TLS mode."""


class Destination(t.NamedTuple):
    """Where to connect, in plain values."""

    host: str
    port: int
    tls: str


def find(name: str) -> Provider | None:
    """Return the provider with this name or alias in any case; its host may still contain ``{region}``."""
    return PROVIDERS.get(_NAMES.get(_normalise(name), ""))


def resolve(name: str, region: str | None = None) -> Provider:
    """Return a provider with the host name of the region.

    :raises UnknownProvider: the text has similar names, and how to list all of them.
    :raises RegionRequired: the text lists the regions.
    :raises UnknownRegion: the text lists the regions.
    """
    provider = find(name)
    if provider is None:
        raise UnknownProvider(
            f"provider is {name!r}, which is unknown{_closest(name)}; 'ansible-doc -t filter"
            " mailops.smtp.smtp_provider' lists the known providers"
        )
    allowed = ", ".join(provider.regions)
    if region and not provider.regions:
        raise UnknownRegion(f"region is {region!r}, but provider {provider.name} has no regions; remove region")
    chosen = region or provider.default_region
    if not provider.regions:
        return provider
    if not chosen:
        raise RegionRequired(
            f"provider {provider.name} has a different host in each region; set region to one of: {allowed}"
        )
    if chosen not in provider.regions:
        raise UnknownRegion(f"region is {region!r}; expected one of those of provider {provider.name}: {allowed}")
    host = provider.host.replace("{region}", provider.regions[chosen])
    return dataclasses.replace(provider, host=host, region=chosen)


def settings_for(
    provider: Provider, *, host: str | None = None, port: int | None = None, tls: str | None = None
) -> Destination:
    """Return the provider's settings, with the user's explicit settings in their place.

    A port alone uses the TLS mode that the provider has on it; a TLS mode alone uses the first port that has it.

    :param provider: from :func:`resolve`.
    :param tls: a value of :class:`.tls.TlsMode`; every mode but ``implicit`` uses a STARTTLS port.
    :raises NoSuchEndpoint: no port of the provider has this TLS mode; an explicit port overrides that.
    """
    endpoint = provider.default
    if port:
        endpoint = Endpoint(port, _mode_on(provider, port))
    elif tls:
        endpoint = _endpoint_with(provider, tls)
    return Destination(host or provider.host, endpoint.port, tls or endpoint.tls.value)


def provider_of_host(host: str) -> str | None:
    """Return the name of the provider with this host, for users who set host and not provider."""
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
    raise NoSuchEndpoint(
        f"tls is {tls!r}, but provider {provider.name} has only: {offered}; change tls, or set port too"
    )
