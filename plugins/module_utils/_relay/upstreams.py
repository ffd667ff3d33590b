# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where mail goes: the upstream, the routes beside it, and the servers of the domains that the relay takes mail for."""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass

from .._providers.presets import ProviderError, resolve, settings_for
from .reader import Options, Reader, as_address, as_bool, as_list, as_text

#: What a line "server user:password" of a table cannot hold, and how to say so without showing it.
_NEVER_STORABLE = (
    (re.compile(r"^\s|\s\Z"), "begins or ends with a blank or a line break, which Postfix drops; expected it without"),
    (re.compile(r"[\x00-\x1f\x7f]"), "holds a line break or another control character; expected one line of text"),
)
_UNSTORABLE = {
    "username": (*_NEVER_STORABLE, (re.compile(":"), "holds a colon, where Postfix takes the password to begin")),
    "password": _NEVER_STORABLE,
}
#: What Cyrus SASL may have, with what others add to it (SASL mechanisms at IANA).
_MECHANISMS = (
    *("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "GSSAPI", "EXTERNAL", "XOAUTH2", "OAUTHBEARER"),
    *("SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512"),
)
#: SHA-256 of a certificate or of its public key.
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}\Z")


@dataclass(frozen=True)
class Server:
    """One server and the login for it."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @property
    def nexthop(self) -> str:
        """As Postfix writes it; the brackets say that no MX is asked."""
        address = as_address(self.host)
        return f"[{'ipv6:' if address and address.version == 6 else ''}{self.host}]:{self.port}"


@dataclass(frozen=True)
class UpstreamPace:
    """How much mail a server is given; None is Postfix's own measure.

    :param connections: at the same time.
    :param delay: seconds between two deliveries, which then happen one at a time.
    :param recipients: of one message.
    :param messages_per_connection: before the connection is made anew.
    """

    connections: int | None = None
    delay: int | None = None
    recipients: int | None = None
    messages_per_connection: int | None = None


@dataclass(frozen=True)
class Upstream:
    """Servers that take mail, the second where the first does not, and how they are talked to.

    :param tls: ``none``, ``opportunistic``, ``starttls`` (required) or ``implicit``.
    :param validate_certs: whether the certificate must carry the server's name.
    :param fingerprints: certificates, or public keys, to demand in place of a name.
    :param ca_file: authorities to trust, a file of the host; empty for those of the system.
    :param mechanisms: SASL mechanisms that may be used; empty for all.
    :param message_size: octets that the provider takes, where that is known.
    """

    servers: tuple[Server, ...]
    tls: str
    validate_certs: bool
    fingerprints: tuple[str, ...]
    ca_file: str
    mechanisms: tuple[str, ...]
    pace: UpstreamPace
    message_size: int | None

    @property
    def nexthop(self) -> str:
        """As Postfix writes it."""
        return ",".join(server.nexthop for server in self.servers)

    @property
    def has_login(self) -> bool:
        """Whether any of its servers is logged in to."""
        return any(server.username for server in self.servers)


@dataclass(frozen=True)
class Route:
    """An exception by recipients or by senders; without an upstream, mail goes to the MX of its recipients."""

    recipients: tuple[str, ...]
    senders: tuple[str, ...]
    upstream: Upstream | None


@dataclass(frozen=True)
class Domain:
    """A domain whose mail is taken from everybody.

    :param to: where it goes; None for the other MX of the domain.
    :param recipients: all there are; None where the next server is asked about each.
    """

    name: str
    to: Upstream | None
    recipients: tuple[str, ...] | None


def read_route(reader: Reader, index: int, item: Options) -> Route:
    """One entry of ``relay_routes``."""
    variable = f"relay_routes[{index}]"
    recipients, senders = as_list(item.get("recipients")), as_list(item.get("senders"))
    if bool(recipients) == bool(senders):
        reader.problem(variable, "expected either recipients or senders, and at least one")
    upstream, direct = item.get("upstream"), as_bool(item.get("direct"))
    if bool(upstream) == direct:
        reader.problem(variable, "expected either an upstream, or direct: true for the MX of the recipients")
    return Route(
        tuple(reader.recipients(f"{variable}.recipients", one) for one in recipients),
        tuple(reader.senders(f"{variable}.senders", one) for one in senders),
        read_upstream(reader, f"{variable}.upstream", upstream) if upstream else None,
    )


def read_domain(reader: Reader, index: int, item: Options) -> Domain:
    """One entry of ``relay_domains``."""
    name = reader.domain(f"relay_domains[{index}].name", item["name"])
    variable = f"relay_domains[{index}] ({name})"
    recipients = None
    if item.get("recipients") is not None:
        given = [str(one) for one in as_list(item["recipients"])]
        if not given:
            reader.problem(f"{variable}.recipients", "nobody is listed; expected a recipient, or no recipients at all")
        full = [one if "@" in one else f"{one}@{name}" for one in given]
        recipients = tuple(reader.address(f"{variable}.recipients", one) for one in full)
        for one in recipients:
            if one.rpartition("@")[2] != name:
                reader.problem(f"{variable}.recipients", f"{one} is of another domain")
    to = item.get("to")
    return Domain(name, read_upstream(reader, f"{variable}.to", to, delivery=True) if to else None, recipients)


def read_upstream(reader: Reader, variable: str, item: Options, delivery: bool = False) -> Upstream:
    """One upstream with its fallbacks.

    :param delivery: whether it is the server of a domain, which takes mail on port 25 from everybody.
    """
    host, port, tls, limits = _destination(reader, variable, item, delivery)
    first = _server(reader, variable, {**item, "host": host, "port": port})
    fallbacks = [
        _server(reader, f"{variable}.fallbacks[{index}]", {"port": port, **_given(one)})
        for index, one in enumerate(item.get("fallbacks") or ())
    ]
    known = limits.get("messages_per_minute")
    delay = 1 if limits.get("messages_per_second") == 1 else math.ceil(60 / known) if known and known <= 60 else None
    upstream = Upstream(
        servers=(first, *fallbacks),
        tls=tls,
        validate_certs=True if item.get("validate_certs") is None else as_bool(item["validate_certs"]),
        fingerprints=tuple(
            _fingerprint(reader, variable, str(one)) for one in as_list(item.get("pinned_certificates"))
        ),
        ca_file=reader.path(f"{variable}.ca_file", item["ca_file"]) if item.get("ca_file") else "",
        mechanisms=tuple(_mechanism(reader, variable, str(one)) for one in as_list(item.get("mechanisms"))),
        pace=UpstreamPace(
            connections=_limit(reader, variable, item, "connections", limits.get("connections")),
            delay=_limit(reader, variable, item, "delay", delay, lowest=0),
            recipients=_limit(reader, variable, item, "recipients", limits.get("recipients_per_message")),
            messages_per_connection=_limit(
                reader, variable, item, "messages_per_connection", limits.get("messages_per_connection")
            ),
        ),
        message_size=limits.get("message_size"),
    )
    _judge_servers(reader, variable, upstream)
    _judge_tls(reader, variable, upstream)
    return upstream


def _destination(
    reader: Reader, variable: str, item: Options, delivery: bool
) -> tuple[str, int, str, t.Mapping[str, int]]:
    """Host, port, TLS mode and known limits: what is said explicitly wins over the provider."""
    host, tls = as_text(item.get("host")), as_text(item.get("tls"))
    port = reader.port(f"{variable}.port", item["port"]) if item.get("port") is not None else None
    if item.get("provider") is not None:
        try:
            provider = resolve(str(item["provider"]), as_text(item.get("region")))
            return (*settings_for(provider, host=host, port=port, tls=tls), provider.limits.known())
        except ProviderError as error:
            reader.problem(f"{variable}.provider", str(error))
    elif not host:
        reader.problem(f"{variable}", "expected a host, or a provider")
    if not tls:
        tls = "implicit" if port == 465 else "opportunistic" if delivery and not item.get("username") else "starttls"
    return host or "missing.invalid", port or {"implicit": 465}.get(tls, 25 if delivery else 587), tls, {}


def _server(reader: Reader, variable: str, item: Options) -> Server:
    username, password = as_text(item.get("username")), as_text(item.get("password"))
    host = reader.server(f"{variable}.host", item["host"])
    if bool(username) != bool(password):
        reader.problem(variable, "expected username and password together, and neither empty")
    for key, value in (("username", username), ("password", password)):
        wrong = [sentence for pattern, sentence in _UNSTORABLE[key] if value and pattern.search(value)]
        if wrong:
            reader.problem(f"{variable}.{key}", wrong[0])
    return Server(host, reader.port(f"{variable}.port", item["port"]), username, password)


def _judge_servers(reader: Reader, variable: str, upstream: Upstream) -> None:
    for server in upstream.servers[1:]:
        if server.port in (25, 465, 587) and (server.port == 465) != (upstream.tls == "implicit"):
            reader.problem(
                f"{variable}.fallbacks",
                f"port {server.port} of {server.host} speaks TLS otherwise than tls: {upstream.tls}, which holds for"
                " all servers; expected a port that speaks it alike",
            )
    names = [server.nexthop for server in upstream.servers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.problem(f"{variable}.fallbacks", f"{name} is listed more than once")
    if upstream.pace.recipients == 1 and (upstream.pace.connections or upstream.pace.delay):
        reader.problem(
            f"{variable}.recipients",
            "with 1 Postfix counts connections and delay for each recipient instead of for the server "
            "(default_destination_recipient_limit in postconf(5)); expected 2 or more, or neither of these",
        )


def _judge_tls(reader: Reader, variable: str, upstream: Upstream) -> None:
    if upstream.servers[0].port == 465 and upstream.tls != "implicit":
        reader.problem(
            f"{variable}.tls", "port 465 speaks TLS from its first byte (RFC 8314); expected implicit, or another port"
        )
    if upstream.has_login and upstream.tls in ("none", "opportunistic"):
        reader.problem(
            f"{variable}.tls", "a login without TLS would send the password in clear; expected starttls or implicit"
        )
    verified = upstream.tls in ("starttls", "implicit") and upstream.validate_certs and not upstream.fingerprints
    if verified and any(as_address(server.host) for server in upstream.servers):
        reader.problem(
            f"{variable}.host",
            "certificates carry names; expected a name, pinned_certificates, or validate_certs: false",
        )


def _limit(reader: Reader, variable: str, item: Options, name: str, known: int | None, lowest: int = 1) -> int | None:
    given = reader.number(f"{variable}.{name}", item.get(name), lowest, 1_000_000)
    return known if given is None else given


def _mechanism(reader: Reader, variable: str, name: str) -> str:
    if name.upper() not in _MECHANISMS:
        reader.problem(
            f"{variable}.mechanisms", f"{name!r} is no SASL mechanism; expected one of {', '.join(_MECHANISMS)}"
        )
    return name.upper()


def _fingerprint(reader: Reader, variable: str, given: str) -> str:
    """In the form of Postfix (smtp_tls_fingerprint_cert_match)."""
    if not _FINGERPRINT.match(given):
        reader.problem(
            f"{variable}.pinned_certificates", f"{given!r} is no SHA-256 fingerprint; expected 64 hexadecimal digits"
        )
    digits = given.replace(":", "").upper()
    return ":".join(digits[index : index + 2] for index in range(0, len(digits), 2))


def _given(item: Options) -> Options:
    return {name: value for name, value in item.items() if value is not None}
