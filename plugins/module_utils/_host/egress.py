# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From which addresses Postfix connects to other hosts: those it is told to use, or else what the kernel chooses."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from .._evidence.host_config import Instance, Service
from .._evidence.host_network import Egress
from .._firewall.reach import source_address
from .._postfix.config import split_words
from .host import Host
from .instances import find as find_instances
from .instances import value_of

#: Reserved addresses that no host has (RFC 5737, RFC 3849): the kernel chooses the way to them, and nothing is sent.
_ELSEWHERE = {4: "192.0.2.1", 6: "2001:db8::1"}
_BIND = {4: "smtp_bind_address", 6: "smtp_bind_address6"}
#: A host of which no MX record is asked, with its port.
_HOST = re.compile(r"\[([^\]]+)\](?::\w+)?\Z")


def find(host: Host) -> tuple[Egress, ...] | None:
    """The addresses of every service that delivers over SMTP, for both versions of IP."""
    instances = find_instances(host)
    if instances is None:
        host.cannot("egress", "The configuration of Postfix is not known.")
        return None
    return tuple(
        _egress(host, instance, service, version)
        for instance in instances
        for service in instance.services or ()
        if service.program == "smtp"
        for version in (4, 6)
    )


def _egress(host: Host, instance: Instance, service: Service, version: int) -> Egress:
    address, decided_by = _address(host, instance, service, version)
    return Egress(
        instance=instance.name,
        service=service.name,
        ip_version=version,
        address=address,
        decided_by=decided_by,
        bind_enforced=value_of(instance, "smtp_bind_address_enforce", service) == "yes",
        helo_name=value_of(instance, "smtp_helo_name", service),
    )


def _address(host: Host, instance: Instance, service: Service, version: int) -> tuple[str | None, str]:
    """The address and what decides it, as smtp(8) chooses it."""
    protocols = split_words(value_of(instance, "inet_protocols", service))
    if not {"all", f"ipv{version}"} & set(protocols):
        return None, "inet_protocols"
    bound = value_of(instance, _BIND[version], service)
    if bound:
        return bound.strip("[]"), _BIND[version]
    interfaces = split_words(value_of(instance, "inet_interfaces", service))
    if interfaces not in (["all"], ["loopback-only"]):
        own = {address for name in interfaces for address in _resolve(host, name, version)}
        if len(own) == 1 and not ipaddress.ip_address(min(own)).is_loopback:
            return own.pop(), "inet_interfaces"
    return _by_routes(host, instance, service, version), "routes"


def _by_routes(host: Host, instance: Instance, service: Service, version: int) -> str | None:
    """The kernel's choice towards the next server, if there is one for all mail, or else towards the internet."""
    next_hop = _next_hop(instance, service)
    ways = _resolve(host, next_hop, version) if next_hop else []
    for way in [*ways, _ELSEWHERE[version]]:
        source = source_address(way)
        if source:
            return source
    return None


def _next_hop(instance: Instance, service: Service) -> str:
    """The host to which the service hands over all mail without a more exact rule; empty if it asks for MX records."""
    for name in ("default_transport", "relay_transport"):
        transport, _colon, hop = value_of(instance, name).partition(":")
        match = next(filter(None, map(_HOST.match, split_words(hop or value_of(instance, "relayhost")))), None)
        if transport == service.name and match:
            return match[1]
    return ""


def _resolve(host: Host, name: str, version: int) -> list[str]:
    """The addresses of a name in one version of IP, by the host's own resolver."""
    bare = name.strip("[]").replace("IPv6:", "").replace("ipv6:", "")
    try:
        found: t.Iterable[str] = [str(ipaddress.ip_address(bare))]
    except ValueError:
        found = (line.split()[0] for line in host.run("getent", "ahosts", bare)[1].splitlines() if line.strip())
    return list(dict.fromkeys(one for one in found if ipaddress.ip_address(one.partition("%")[0]).version == version))
