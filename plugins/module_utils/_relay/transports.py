# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transports: a service of master.cf for each upstream, with its own TLS, login and pace.

Parameters of main.cf apply to every server that mail may go to, options of a service to one. So a login reaches its own
server only, and servers with STARTTLS and with implicit TLS can be used side by side.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .oauth import name_of, place_of
from .reader import as_address
from .upstreams import Upstream

#: Postfix's configuration directory.
DIRECTORY = "/etc/postfix"
#: The table that removes the user ID of a program of this host as mail leaves.
LOCAL_HOP = "relay_local_hop"
#: Security levels of smtp(8) that need no certificate; :func:`_tls_options` chooses the others.
_LEVELS: t.Mapping[str, str] = {"none": "none", "opportunistic": "may"}
#: For a server that accepts one message per connection.
_NO_REUSE: t.Mapping[str, str] = {
    "smtp_connection_cache_destinations": "",
    "smtp_connection_cache_on_demand": "no",
    "smtp_tls_connection_reuse": "no",
}
#: Of a transport whose bridge (spawn(8)) logs in with OAuth2. A bridge keeps its session for as long as Postfix keeps
#: the connection; it answers after the provider has, or after its own timeouts: 300 s for a reply, 600 s for the reply
#: to a content, after what is still on its way. If Postfix gave up before, it could send an accepted message twice.
_BRIDGED: t.Mapping[str, str] = {
    "lmtp_tls_security_level": "none",  # the socket is on this host
    "lmtp_sasl_auth_enable": "no",
    "lmtp_connection_cache_destinations": "static:all",
    "lmtp_generic_maps": "$smtp_generic_maps",
    "lmtp_lhlo_timeout": "600s",
    "lmtp_mail_timeout": "600s",
    "lmtp_rcpt_timeout": "600s",
    "lmtp_data_init_timeout": "600s",
    "lmtp_data_xfer_timeout": "600s",
    "lmtp_data_done_timeout": "1200s",
}


@dataclass(frozen=True)
class Transport:
    """One upstream as Postfix knows it.

    :param name: name of the service.
    :param directory: directory of its tables.
    :param bridge: name of its bridge; empty without one.
    """

    name: str
    upstream: Upstream
    directory: str
    bridge: str = ""

    @property
    def table(self) -> str:
        """Path of the table with its logins, if it has any."""
        return f"{self.directory}/relay_login_{self.name}"

    @property
    def header_table(self) -> str:
        """Path of the table that replaces the sender in headers, if it has one."""
        return f"{self.directory}/relay_from_{self.name}"

    @property
    def route(self) -> str:
        """The value of a transport table (transport(5))."""
        return (
            f"{self.name}:unix:private/{self.bridge}-socket" if self.bridge else f"{self.name}:{self.upstream.nexthop}"
        )

    @property
    def client(self) -> str:
        """The client of Postfix that delivers, which is also the prefix of its parameters."""
        return "lmtp" if self.bridge else "smtp"

    @property
    def options(self) -> dict[str, str]:
        """The parameters that apply to this transport alone."""
        options = {"syslog_name": f"postfix/{self.name}", **(_BRIDGED if self.bridge else _tls_options(self.upstream))}
        if self.upstream.has_login:
            options["smtp_sasl_auth_enable"] = "yes"
            options["smtp_sasl_password_maps"] = f"texthash:{self.table}"
        if self.upstream.mechanisms:
            options["smtp_sasl_mechanism_filter"] = ", ".join(name.lower() for name in self.upstream.mechanisms)
        if self.upstream.sender:
            local_hop = f"{self.directory}/{LOCAL_HOP}"
            options[f"{self.client}_header_checks"] = f"regexp:{self.header_table}, regexp:{local_hop}"
        messages = self.upstream.pace.messages_per_connection
        if messages == 1:
            options.update({name.replace("smtp", self.client): value for name, value in _NO_REUSE.items()})
        elif messages:
            # the first message is not a reuse, and 0 would mean no limit
            options[f"{self.client}_connection_reuse_count_limit"] = str(messages - 1)
        return options

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of qmgr(8) and spawn(8), which begin with the name of the transport or of the bridge."""
        pace = self.upstream.pace
        limits = {
            "concurrency_limit": pace.connections,
            "rate_delay": None if pace.delay is None else f"{pace.delay}s",
            "recipient_limit": pace.recipients,
        }
        # a bridge ends with its connection, which lasts as long as there is mail
        bridge = {f"{self.bridge}-socket_time_limit": "1d"} if self.bridge else {}
        named = {f"{self.name}_destination_{name}": str(value) for name, value in limits.items() if value is not None}
        return {**named, **bridge}

    @property
    def logins(self) -> list[str]:
        """The lines of its login table."""
        logins = [server for server in self.upstream.servers if server.username]
        return [f"{server.nexthop} {server.username}:{server.password}" for server in logins]


def name_transports(upstreams: t.Iterable[Upstream], directory: str) -> dict[Upstream, Transport]:
    """Return a transport for each upstream; equal upstreams share one.

    A transport is named after its host, so that the log shows where mail goes.

    :param directory: directory of the tables.
    """
    transports: dict[Upstream, Transport] = {}
    known = tuple(upstreams)
    mailboxes: dict[str, set[str]] = {}
    for upstream in known:
        if upstream.oauth:
            mailboxes.setdefault(_place(upstream), set()).add(upstream.oauth.username)
    for upstream in known:
        if upstream not in transports:
            server = upstream.servers[0]
            # the path of its socket has at most 108 octets (unix(7))
            name = "to-" + re.sub("[^a-z0-9]+", "-", f"{server.host[:60]}-{server.port}")
            taken = {transport.name for transport in transports.values()}
            name = next(one for one in (name, *(f"{name}-{count}" for count in range(2, 10_000))) if one not in taken)
            bridges = {transport.bridge for transport in transports.values()}
            place = _place(upstream)
            bridge = name_of(upstream.oauth, place, mailboxes[place], bridges) if upstream.oauth else ""
            transports[upstream] = Transport(name, upstream, directory, bridge)
    return transports


def _place(upstream: Upstream) -> str:
    server = upstream.servers[0]
    return place_of(upstream.oauth, server.host, server.port) if upstream.oauth else ""


def _tls_options(upstream: Upstream) -> dict[str, str]:
    if upstream.tls in _LEVELS:
        return {"smtp_tls_security_level": _LEVELS[upstream.tls]}
    options = {
        "smtp_tls_security_level": "encrypt",
        # a handshake costs more than a message, so connections are always kept, not only for a long queue
        "smtp_tls_connection_reuse": "yes",
        "smtp_connection_cache_destinations": "static:all",
    }
    if not any(as_address(server.host) for server in upstream.servers):
        options["smtp_tls_servername"] = "nexthop"  # RFC 6066 section 3: not an address
    if upstream.fingerprints:
        options["smtp_tls_security_level"] = "fingerprint"
        options["smtp_tls_fingerprint_digest"] = "sha256"
        options["smtp_tls_fingerprint_cert_match"] = ", ".join(upstream.fingerprints)
    elif upstream.validate_certs:
        options["smtp_tls_security_level"] = "secure"
        options["smtp_tls_secure_cert_match"] = "nexthop"
    if upstream.ca_file:
        options["smtp_tls_CAfile"] = upstream.ca_file
    if upstream.tls == "implicit":
        options["smtp_tls_wrappermode"] = "yes"
    return options
