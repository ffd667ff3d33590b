# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public variables of the role ``relay``, read and checked before any host is touched."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._firewall.rules import find_ssh_ports
from .addresses import Rewrites, find_loop, read_rewrites
from .bans import read_bans
from .certificates import read_certificate
from .dkim import judge_settings, judge_signed, read_dkim
from .limits import read_limits
from .listeners import Listener, User, read_listener, read_user
from .names import HostNames, host_names
from .reader import Network, Options, Reader, as_bool
from .services import PlannedEntry, read_service, read_settings
from .upstreams import Domain, Route, Upstream, read_domain, read_route, read_upstream


@dataclass(frozen=True)
class Inputs:
    """All variables of the role, checked."""

    host: HostNames
    listeners: tuple[Listener, ...]
    networks: tuple[Network, ...]
    users: tuple[User, ...]
    upstream: Upstream | None
    routes: tuple[Route, ...]
    domains: tuple[Domain, ...]
    rewrites: Rewrites
    strangers_may: frozenset[str]
    limits: t.Mapping[str, str]
    settings: t.Mapping[str, str]
    services: tuple[PlannedEntry, ...]
    bans: t.Mapping[str, t.Any]
    certificate: t.Mapping[str, t.Any]
    dkim: t.Mapping[str, t.Any]
    problems: tuple[str, ...] = ()

    @property
    def hostname(self) -> str:
        """The name of the host that is valid everywhere."""
        return self.host.hostname

    @property
    def domain(self) -> str:
        """The mail domain of the host."""
        return self.host.domain

    @property
    def aliases(self) -> dict[str, tuple[str, ...]]:
        """The virtual alias table."""
        return self.rewrites.alias_table(self.host, self.without_postmaster)

    @property
    def upstreams(self) -> t.Iterator[Upstream]:
        """Every upstream that may get mail, the default one first."""
        yield from filter(None, (self.upstream, *(route.upstream for route in self.routes)))
        yield from filter(None, (domain.to for domain in self.domains))

    @property
    def without_postmaster(self) -> list[str]:
        """Domains whose listed recipients do not include postmaster."""
        return [
            one.name
            for one in self.domains
            if one.recipients is not None and f"postmaster@{one.name}" not in one.recipients
        ]


def read_inputs(options: Options) -> Inputs:
    """Read and check the role's variables, given without their prefix ``relay_``."""
    reader = Reader(options["postfix"].get("mechanisms", ()), options.get("relays"))
    hostname = reader.qualified_name(
        "relay_hostname",
        options["hostname"],
        "one in ASCII such as relay.example.com, in relay_hostname or in the inventory",
    )
    domain = str(options["domain"])
    if not reader.problems or not hostname.endswith(domain):  # a domain made from a wrong name is not a second problem
        reader.qualified_name("relay_domain", domain)
    is_mx = bool(options["domains"])
    domains = tuple(read_domain(reader, index, item) for index, item in enumerate(options["domains"]))
    listeners = tuple(read_listener(reader, index, item, is_mx) for index, item in enumerate(options["listeners"]))
    inputs = Inputs(
        host=host_names(hostname, domain, options["names"], [one.name for one in domains]),
        listeners=listeners,
        networks=reader.networks("relay_networks", options["networks"], bounded=True),
        users=tuple(read_user(reader, index, item, domain) for index, item in enumerate(options["users"])),
        upstream=read_upstream(reader, "relay_upstream", options["upstream"]) if options["upstream"] else None,
        routes=tuple(read_route(reader, index, item) for index, item in enumerate(options["routes"])),
        domains=domains,
        rewrites=read_rewrites(reader, options["aliases"], options["rewrites"]),
        strangers_may=frozenset(name for name, may in options["strangers"].items() if may is not None and as_bool(may)),
        limits=read_limits(reader, options["limits"]),
        settings=read_settings(reader, options["settings"]),
        services=tuple(read_service(reader, index, item) for index, item in enumerate(options["services"])),
        bans=read_bans(reader, options.get("bans") or {}, listeners),
        certificate=read_certificate(reader, options["tls"], hostname, listeners),
        dkim=read_dkim(reader, options.get("dkim") or {}),
    )
    _judge_whole(reader, inputs, options)
    return replace(inputs, problems=tuple(reader.problems))


def _judge_whole(reader: Reader, inputs: Inputs, options: Options) -> None:
    """Report what is wrong only in combination."""
    delivered = [domain.name for domain in inputs.domains if domain.to]
    default_sender = [inputs.upstream.sender] if inputs.upstream and inputs.upstream.sender else []
    for variable, names in (
        ("relay_listeners", [f"port {listener.port}" for listener in inputs.listeners]),
        ("relay_users", [user.name for user in inputs.users]),
        ("relay_domains", [domain.name for domain in inputs.domains]),
        ("relay_routes", [*dict.fromkeys(delivered), *(one for route in inputs.routes for one in route.recipients)]),
        ("relay_routes", [*default_sender, *(one for route in inputs.routes for one in route.all_senders)]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            reader.problem(variable, f"{name} is listed more than once")
    if sum(listener.postscreen for listener in inputs.listeners) > 1:
        reader.problem("relay_listeners", "more than one listener has postscreen; expected at most one")
    if any(listener.login for listener in inputs.listeners) and not inputs.users:
        reader.problem(
            "relay_users", "a listener requires a login, and there are no users; expected a user, or login: false"
        )
    if inputs.domains and not any(listener.port == 25 and not listener.login for listener in inputs.listeners):
        reader.problem(
            "relay_domains", "other mail servers deliver to port 25; expected a listener with port 25 and no login"
        )
    if inputs.networks and all(listener.login for listener in inputs.listeners):
        reader.problem(
            "relay_networks", "no listener accepts mail without a login; expected one that does, such as port 25"
        )
    if not inputs.listeners and not inputs.upstream:
        reader.problem(
            "relay_upstream", "a host without listeners needs an upstream; expected host or provider, or a listener"
        )
    if options["firewall"].get("backend") == "none" and any(listener.sources for listener in inputs.listeners):
        reader.problem(
            "relay_listeners",
            "from needs a firewall, and relay_firewall.backend is none; expected another backend. Without from, every "
            "client may connect that a firewall outside the host lets through",
        )
    if any(upstream.sender for upstream in inputs.upstreams) and inputs.rewrites.tables.get("sender_canonical"):
        reader.problem(
            "relay_rewrites.sender_canonical",
            "replaces senders, and so does sender of an upstream; expected only one of them",
        )
    sender = inputs.upstream.sender if inputs.upstream else ""
    judge_signed(reader, inputs.dkim, inputs.rewrites.tables.get("generic", {}), sender, inputs.routes)
    judge_settings(reader, inputs.dkim, inputs.settings)
    circle = find_loop(inputs.aliases, inputs.domain)
    if circle:
        way = " -> ".join(circle)
        reader.problem(
            "relay_aliases", f"{way} is a loop; expected a mailbox at the end, such as root: ops@example.com"
        )
    for port in find_ssh_ports([listener.port for listener in inputs.listeners], options["ssh_port"]):
        reader.problem(
            "relay_listeners", f"port {port} carries Ansible's connection to the host; expected another port for mail"
        )
    door = next((listener for listener in inputs.listeners if listener.port == 25), None)
    if options["verify"].get("to") and door and (door.login or door.tls in ("starttls", "implicit")):
        reader.problem(
            "relay_verify",
            "the message is sent to port 25 of the host itself; expected a listener there that requires neither login "
            "nor TLS",
        )
    for key in ("to", "from"):
        if options["verify"].get(key):
            reader.address(f"relay_verify.{key}", options["verify"][key])
