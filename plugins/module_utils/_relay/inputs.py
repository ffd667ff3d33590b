# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public variables of the role ``relay``, taken apart and judged before any host is touched."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._firewall.rules import find_ssh_ports
from .addresses import Rewrites, find_circle, read_rewrites
from .limits import read_limits
from .listeners import Listener, User, read_listener, read_user
from .reader import Network, Options, Reader
from .services import PlannedEntry, read_service, read_settings
from .upstreams import Domain, Route, Upstream, read_domain, read_route, read_upstream


@dataclass(frozen=True)
class Inputs:
    """All variables, checked."""

    hostname: str
    domain: str
    listeners: tuple[Listener, ...]
    networks: tuple[Network, ...]
    users: tuple[User, ...]
    upstream: Upstream | None
    routes: tuple[Route, ...]
    domains: tuple[Domain, ...]
    rewrites: Rewrites
    limits: t.Mapping[str, str]
    settings: t.Mapping[str, str]
    services: tuple[PlannedEntry, ...]
    problems: tuple[str, ...] = ()

    @property
    def upstreams(self) -> t.Iterator[Upstream]:
        """Every server that mail may be given to, the usual one first."""
        yield from filter(None, (self.upstream, *(route.upstream for route in self.routes)))
        yield from filter(None, (domain.to for domain in self.domains))

    @property
    def without_postmaster(self) -> list[str]:
        """Domains whose recipients are listed, and postmaster is not among them."""
        return [
            one.name
            for one in self.domains
            if one.recipients is not None and f"postmaster@{one.name}" not in one.recipients
        ]


def read_inputs(options: Options) -> Inputs:
    """Check the role's variables, given without their prefix ``relay_``."""
    reader = Reader()
    hostname = reader.qualified_name(
        "relay_hostname", options["hostname"], "one in ASCII, like relay.example.com, here or in the inventory"
    )
    domain = str(options["domain"])
    if not reader.problems or not hostname.endswith(domain):  # what was made of a wrong name is no second problem
        reader.qualified_name("relay_domain", domain)
    is_mx = bool(options["domains"])
    inputs = Inputs(
        hostname=hostname,
        domain=domain,
        listeners=tuple(read_listener(reader, index, item, is_mx) for index, item in enumerate(options["listeners"])),
        networks=reader.networks("relay_networks", options["networks"], bounded=True),
        users=tuple(read_user(reader, index, item, domain) for index, item in enumerate(options["users"])),
        upstream=read_upstream(reader, "relay_upstream", options["upstream"]) if options["upstream"] else None,
        routes=tuple(read_route(reader, index, item) for index, item in enumerate(options["routes"])),
        domains=tuple(read_domain(reader, index, item) for index, item in enumerate(options["domains"])),
        rewrites=read_rewrites(reader, options["aliases"], options["rewrites"]),
        limits=read_limits(reader, options["limits"]),
        settings=read_settings(reader, options["settings"]),
        services=tuple(read_service(reader, index, item) for index, item in enumerate(options["services"])),
    )
    _judge_whole(reader, inputs, options)
    return replace(inputs, problems=tuple(reader.problems))


def _judge_whole(reader: Reader, inputs: Inputs, options: Options) -> None:
    """What is wrong only in combination."""
    delivered = [domain.name for domain in inputs.domains if domain.to]
    for variable, names in (
        ("relay_listeners", [f"port {listener.port}" for listener in inputs.listeners]),
        ("relay_users", [user.name for user in inputs.users]),
        ("relay_domains", [domain.name for domain in inputs.domains]),
        ("relay_routes", [*dict.fromkeys(delivered), *(one for route in inputs.routes for one in route.recipients)]),
        ("relay_routes", [one for route in inputs.routes for one in route.senders]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            reader.problem(variable, f"{name} is listed more than once")
    if sum(listener.postscreen for listener in inputs.listeners) > 1:
        reader.problem("relay_listeners", "postscreen guards one port; expected it on one listener only")
    if any(listener.login for listener in inputs.listeners) and not inputs.users:
        reader.problem("relay_users", "a listener demands a login and there is nobody who could; expected a user")
    if inputs.domains and not any(listener.port == 25 and not listener.login for listener in inputs.listeners):
        reader.problem("relay_domains", "other mail servers come to port 25; expected such a listener without login")
    if inputs.networks and all(listener.login for listener in inputs.listeners):
        reader.problem("relay_networks", "every listener demands a login; expected one that does not, such as port 25")
    if not inputs.listeners and not inputs.upstream:
        reader.problem("relay_upstream", "a host without listeners hands its mail to an upstream; expected a host")
    if options["firewall"].get("backend") == "none" and any(listener.sources for listener in inputs.listeners):
        reader.problem("relay_listeners", "from needs a firewall, and relay_firewall.backend is none; leave it out")
    table = inputs.rewrites.alias_table(inputs.hostname, inputs.domain, inputs.without_postmaster)
    circle = find_circle(table, inputs.domain)
    if circle:
        way = " -> ".join(circle)
        reader.problem("relay_aliases", f"{way} goes round in a circle; expected somebody who reads it, as of root")
    tls = options["tls"]
    if bool(tls.get("certificate")) != bool(tls.get("key")):
        reader.problem("relay_tls", "expected certificate and key together, or neither for a self-signed one")
    for port in find_ssh_ports([listener.port for listener in inputs.listeners], options["ssh_port"]):
        reader.problem(
            "relay_listeners", f"port {port} is where Ansible reaches the host; expected a port of its own for mail"
        )
    door = next((listener for listener in inputs.listeners if listener.port == 25), None)
    if options["verify"].get("to") and door and (door.login or door.tls in ("starttls", "implicit")):
        reader.problem(
            "relay_verify", "the message goes in by port 25 of the host itself; expected no login or TLS demanded there"
        )
    for key in ("to", "from"):
        if options["verify"].get(key):
            reader.address(f"relay_verify.{key}", options["verify"][key])
