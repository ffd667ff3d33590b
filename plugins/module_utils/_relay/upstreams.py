# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Destinations of mail: the upstream, the routes, and the servers of the domains that the relay accepts mail for."""

from __future__ import annotations

import math
import re
import typing as t
from dataclasses import dataclass

from .._providers.presets import ProviderError, resolve, settings_for
from .oauth import OAuth, connections, read_oauth
from .reader import Options, Reader, as_address, as_bool, as_list, as_text

#: What a line "server user:password" of a table cannot contain, with a text that does not show the value.
_NEVER_STORABLE = (
    (re.compile(r"^\s|\s\Z"), "begins or ends with white space, which Postfix drops; expected a value without"),
    (re.compile(r"[\x00-\x1f\x7f]"), "contains a line break or another control character; expected one line of text"),
)
_UNSTORABLE = {
    "username": (
        *_NEVER_STORABLE,
        (re.compile(":"), "contains a colon, after which Postfix reads the password; expected a name without colons"),
    ),
    "password": _NEVER_STORABLE,
}
#: Mechanisms that Cyrus SASL and plug-ins for it may have (SASL mechanisms at IANA).
_MECHANISMS = (
    *("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "GSSAPI", "EXTERNAL", "XOAUTH2", "OAUTHBEARER"),
    *("SCRAM-SHA-1", "SCRAM-SHA-224", "SCRAM-SHA-256", "SCRAM-SHA-384", "SCRAM-SHA-512"),
)
#: SHA-256 digest of a certificate or of its public key.
_FINGERPRINT = re.compile(r"(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}\Z")


@dataclass(frozen=True)
class Server:
    """One server and its login."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None

    @property
    def nexthop(self) -> str:
        """The next hop as Postfix writes it; the brackets prevent an MX lookup."""
        address = as_address(self.host)
        return f"[{'ipv6:' if address and address.version == 6 else ''}{self.host}]:{self.port}"


@dataclass(frozen=True)
class UpstreamPace:
    """How fast a server is given mail; None means Postfix's default.

    :param connections: connections at the same time.
    :param delay: seconds between two deliveries, which then happen one at a time.
    :param recipients: recipients per message.
    :param messages_per_connection: messages before a new connection is opened.
    """

    connections: int | None = None
    delay: int | None = None
    recipients: int | None = None
    messages_per_connection: int | None = None


@dataclass(frozen=True)
class Upstream:
    """Servers that take mail, each tried if those before it fail, and the way to connect to them.

    :param tls: ``none``, ``opportunistic``, ``starttls`` (required) or ``implicit``.
    :param validate_certs: whether the certificate must be valid and carry the server's name.
    :param fingerprints: digests of certificates or public keys, required instead of a name.
    :param ca_file: file on the host with the authorities to trust; empty for the system's.
    :param mechanisms: SASL mechanisms that may be used; empty for any.
    :param message_size: octets per message that the server accepts, if known.
    :param sender: sender address of all mail; empty if senders stay as they are.
    :param oauth: the login with OAuth2 tokens, in place of one with a password.
    """

    servers: tuple[Server, ...]
    tls: str
    validate_certs: bool
    fingerprints: tuple[str, ...]
    ca_file: str
    mechanisms: tuple[str, ...]
    pace: UpstreamPace
    message_size: int | None
    sender: str = ""
    oauth: OAuth | None = None

    @property
    def nexthop(self) -> str:
        """The next hops as Postfix writes them."""
        return ",".join(server.nexthop for server in self.servers)

    @property
    def has_login(self) -> bool:
        """Whether any of its servers has a login with a password."""
        return any(server.username for server in self.servers)


@dataclass(frozen=True)
class Route:
    """An exception by recipients or by senders. Without an upstream, mail goes to the MX of its recipients."""

    recipients: tuple[str, ...]
    senders: tuple[str, ...]
    upstream: Upstream | None

    @property
    def all_senders(self) -> tuple[str, ...]:
        """Its senders, and the one that replaces them before the route is chosen."""
        new = self.upstream.sender if self.upstream else ""
        return self.senders if not new or new in self.senders else (*self.senders, new)


@dataclass(frozen=True)
class Domain:
    """A domain for which mail is accepted from any client.

    :param to: the server with its mailboxes; None for the other MX of the domain.
    :param recipients: all its recipients; None if the next server is asked about each.
    """

    name: str
    to: Upstream | None
    recipients: tuple[str, ...] | None


def read_route(reader: Reader, index: int, item: Options) -> Route:
    """Read one entry of ``relay_routes``."""
    variable = f"relay_routes[{index}]"
    recipients, senders = as_list(item.get("recipients")), as_list(item.get("senders"))
    if bool(recipients) == bool(senders):
        reader.problem(variable, "has neither or both of recipients and senders; expected exactly one, not empty")
    upstream, direct = item.get("upstream"), as_bool(item.get("direct"))
    if recipients and upstream:
        _refuse_sender(reader, f"{variable}.upstream", upstream)
    if bool(upstream) == direct:
        reader.problem(
            variable,
            "has neither or both of upstream and direct; expected an upstream, or direct: true for the MX of the "
            "recipients",
        )
    return Route(
        tuple(reader.recipients(f"{variable}.recipients", one) for one in recipients),
        tuple(reader.senders(f"{variable}.senders", one) for one in senders),
        read_upstream(reader, f"{variable}.upstream", upstream) if upstream else None,
    )


def read_domain(reader: Reader, index: int, item: Options) -> Domain:
    """Read one entry of ``relay_domains``."""
    name = reader.domain(f"relay_domains[{index}].name", item["name"])
    variable = f"relay_domains[{index}] ({name})"
    recipients = None
    if item.get("recipients") is not None:
        given = [str(one) for one in as_list(item["recipients"])]
        if not given:
            reader.problem(
                f"{variable}.recipients", "the list is empty; expected at least one recipient, or no recipients option"
            )
        full = [one if "@" in one else f"{one}@{name}" for one in given]
        recipients = tuple(reader.address(f"{variable}.recipients", one) for one in full)
        for one in recipients:
            if one.rpartition("@")[2] != name:
                reader.problem(f"{variable}.recipients", f"{one} is in another domain; expected addresses of {name}")
    to = item.get("to")
    if to:
        _refuse_sender(reader, f"{variable}.to", to)
    return Domain(name, read_upstream(reader, f"{variable}.to", to, delivery=True) if to else None, recipients)


def _refuse_sender(reader: Reader, variable: str, item: Options) -> None:
    if item.get("sender"):
        reader.problem(
            f"{variable}.sender",
            "the sender is replaced before a route by recipient is known; expected sender in relay_upstream or in a "
            "route by senders, or relay_rewrites.generic",
        )


def read_upstream(reader: Reader, variable: str, item: Options, delivery: bool = False) -> Upstream:
    """Read one upstream with its fallbacks.

    :param delivery: whether it is the server of a domain, which accepts mail on port 25 without a login.
    """
    item = _via_relay(reader, variable, item)
    host, port, tls, limits = _destination(reader, variable, item, delivery)
    oauth = read_oauth(reader, variable, item)
    login = {"username": None, "password": None} if item.get("oauth") else {}
    first = _server(reader, variable, {**item, **login, "host": host, "port": port})
    fallbacks = [
        _server(reader, f"{variable}.fallbacks[{index}]", {"port": port, **_given(one)})
        for index, one in enumerate(item.get("fallbacks") or ())
    ]
    known = limits.get("messages_per_minute")
    delay = math.ceil(60 / known) if known and known <= 60 else None
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
            connections=connections(oauth, _limit(reader, variable, item, "connections", limits.get("connections"))),
            delay=_limit(reader, variable, item, "delay", delay, lowest=0),
            recipients=_limit(reader, variable, item, "recipients", limits.get("recipients_per_message")),
            messages_per_connection=_limit(
                reader, variable, item, "messages_per_connection", limits.get("messages_per_connection")
            ),
        ),
        message_size=reader.number(f"{variable}.message_size", item.get("message_size"), 1024, 2**40)
        or limits.get("message_size"),
        sender=_sender(reader, variable, as_text(item.get("sender")), as_text(item.get("username")) or ""),
        oauth=oauth,
    )
    _judge_servers(reader, variable, upstream)
    _judge_tls(reader, variable, upstream)
    return upstream


def _via_relay(reader: Reader, variable: str, item: Options) -> Options:
    """Complete an upstream that names a relay of the inventory: its host, its certificate, and the port for clients.

    Before that relay has been asked, its name stands for its host.
    """
    name = as_text(item.get("relay"))
    if name is None:
        return item
    if item.get("provider") is not None:
        reader.problem(variable, "has both relay and provider; expected one of them")
    known = reader.relays.get(name, {})
    certificate = known.get("certificate")
    found = {
        "host": known.get("hostname") or (name if "." in name else "missing.invalid"),
        "port": 587 if item.get("username") else 25,
        "tls": "starttls",
        "pinned_certificates": [certificate] if certificate else [],
    }
    return {**found, **_given(item)}


def _destination(
    reader: Reader, variable: str, item: Options, delivery: bool
) -> tuple[str, int, str, t.Mapping[str, int]]:
    """Return host, port, TLS mode and known limits; explicit values take precedence over the provider's."""
    host, tls = as_text(item.get("host")), as_text(item.get("tls"))
    port = reader.port(f"{variable}.port", item["port"]) if item.get("port") is not None else None
    if item.get("provider") is not None:
        try:
            provider = resolve(str(item["provider"]), as_text(item.get("region")))
            return (*settings_for(provider, host=host, port=port, tls=tls), provider.limits.known())
        except ProviderError as error:
            reader.problem(f"{variable}.provider", str(error))
    elif not host:
        reader.problem(variable, "has neither host nor provider; expected at least one of them, or a relay")
    if not tls:
        tls = "implicit" if port == 465 else "opportunistic" if delivery and not item.get("username") else "starttls"
    return host or "missing.invalid", port or {"implicit": 465}.get(tls, 25 if delivery else 587), tls, {}


def _server(reader: Reader, variable: str, item: Options) -> Server:
    username, password = as_text(item.get("username")), as_text(item.get("password"))
    host = reader.server(f"{variable}.host", item["host"])
    if bool(username) != bool(password):
        reader.problem(variable, "has only one of username and password; expected both, not empty, or neither")
    for key, value in (("username", username), ("password", password)):
        wrong = [sentence for pattern, sentence in _UNSTORABLE[key] if value and pattern.search(value)]
        if wrong:
            reader.problem(f"{variable}.{key}", wrong[0])
    return Server(host, reader.port(f"{variable}.port", item["port"]), username, password)


def _sender(reader: Reader, variable: str, given: str | None, username: str) -> str:
    """Read the sender of all mail, where the word ``login`` means the address that logs in."""
    if not given:
        return ""
    if given != "login":
        return reader.address(f"{variable}.sender", given)
    if "@" not in username:
        reader.problem(
            f"{variable}.sender",
            "is login, and username is not an address; expected the sender address that the server accepts",
        )
        return ""
    return reader.address(f"{variable}.username", username)


def _judge_servers(reader: Reader, variable: str, upstream: Upstream) -> None:
    for server in upstream.servers[1:]:
        if server.port in (25, 465, 587) and (server.port == 465) != (upstream.tls == "implicit"):
            reader.problem(
                f"{variable}.fallbacks",
                f"port {server.port} of {server.host} does not match tls: {upstream.tls}, which applies to all servers;"
                " expected a port with the same TLS mode",
            )
    names = [server.nexthop for server in upstream.servers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.problem(f"{variable}.fallbacks", f"{name} is listed more than once")
    if upstream.pace.recipients == 1 and (upstream.pace.connections or upstream.pace.delay):
        reader.problem(
            f"{variable}.recipients",
            "with 1, Postfix applies connections and delay to each recipient instead of the server "
            "(default_destination_recipient_limit in postconf(5)); expected 2 or more, or no connections and no delay",
        )


def _judge_tls(reader: Reader, variable: str, upstream: Upstream) -> None:
    if upstream.servers[0].port == 465 and upstream.tls != "implicit":
        reader.problem(
            f"{variable}.tls", "port 465 uses TLS from the first byte (RFC 8314); expected implicit, or another port"
        )
    if (upstream.has_login or upstream.oauth) and upstream.tls in ("none", "opportunistic"):
        secret = "token" if upstream.oauth else "password"
        reader.problem(
            f"{variable}.tls",
            f"a login without mandatory TLS could send the {secret} in cleartext; expected starttls or implicit",
        )
    verified = upstream.tls in ("starttls", "implicit") and upstream.validate_certs and not upstream.fingerprints
    if verified and any(as_address(server.host) for server in upstream.servers):
        reader.problem(
            f"{variable}.host",
            "certificates carry names, not addresses; expected a name, or pinned_certificates",
        )


def _limit(reader: Reader, variable: str, item: Options, name: str, known: int | None, lowest: int = 1) -> int | None:
    given = reader.number(f"{variable}.{name}", item.get(name), lowest, 1_000_000)
    return known if given is None else given


def _mechanism(reader: Reader, variable: str, name: str) -> str:
    if name.upper() not in _MECHANISMS:
        reader.problem(
            f"{variable}.mechanisms",
            f"{name!r} is not a known SASL mechanism; expected one of {', '.join(_MECHANISMS)}",
        )
    elif reader.mechanisms and name.upper() not in reader.mechanisms:
        reader.problem(
            f"{variable}.mechanisms",
            f"the SASL library of this host has no {name.upper()} for Postfix; expected one of "
            f"{', '.join(reader.mechanisms)}, or a plug-in for it on the host",
        )
    return name.upper()


def _fingerprint(reader: Reader, variable: str, given: str) -> str:
    """Read a fingerprint, and return it in the form of ``smtp_tls_fingerprint_cert_match``."""
    if not _FINGERPRINT.match(given):
        reader.problem(
            f"{variable}.pinned_certificates", f"{given!r} is not a SHA-256 digest; expected 64 hexadecimal digits"
        )
    digits = given.replace(":", "").upper()
    return ":".join(digits[index : index + 2] for index in range(0, len(digits), 2))


def _given(item: Options) -> Options:
    return {name: value for name, value in item.items() if value is not None}
