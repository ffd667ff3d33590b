# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public variables of the role ``relay``, taken apart and judged before any host is touched.

Every problem is a sentence that names the variable and says what was expected; all are found in one go.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from dataclasses import dataclass

from .._message.addresses import parse_mailbox
from .._message.errors import InvalidAddress

Options = t.Mapping[str, t.Any]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

#: The widest network that may relay without a login, by IP version: more than this is the Internet, not a site.
WIDEST_PREFIX: t.Mapping[int, int] = {4: 8, 6: 32}

#: What a port means where a listener does not say (RFC 5321, RFC 6409, RFC 8314).
LISTENER_DEFAULTS: t.Mapping[int, tuple[str, bool]] = {
    25: ("opportunistic", False),
    465: ("implicit", True),
    587: ("starttls", True),
}

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: The last label is no number: that would be an address.
_QUALIFIED_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.(?![0-9]+\Z){_LABEL}\Z")
#: Dovecot looks logins up in lower case.
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,127}\Z")
#: Schemes of Dovecot that do not keep the password itself, or a fast hash of it.
_PASSWORD_HASH = re.compile(
    r"\{(?:SCRAM-SHA-256|SCRAM-SHA-1|SHA256-CRYPT|SHA512-CRYPT|BLF-CRYPT|ARGON2I|ARGON2ID|PBKDF2)\}[^\s:]+\Z"
)
_PARAMETER = re.compile(r"[A-Za-z0-9_]+\Z")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Listener:
    """One port that accepts mail.

    :param tls: ``none``, ``opportunistic``, ``starttls`` (required) or ``implicit``.
    :param login: whether a login is demanded.
    :param sources: who may connect; empty for everybody.
    """

    port: int
    tls: str
    login: bool
    sources: tuple[Network, ...]


@dataclass(frozen=True)
class User:
    """One login and the sender addresses it may use (``@domain`` for a whole domain)."""

    name: str
    password: str | None
    password_hash: str | None
    senders: tuple[str, ...]


@dataclass(frozen=True)
class Upstream:
    """The server that takes all outgoing mail."""

    host: str
    port: int
    tls: str
    username: str | None
    password: str | None

    @property
    def nexthop(self) -> str:
        """As Postfix writes it; the brackets say that no MX is asked."""
        return f"[{self.host}]:{self.port}"


@dataclass(frozen=True)
class Inputs:
    """All variables, checked."""

    hostname: str
    domain: str
    listeners: tuple[Listener, ...]
    networks: tuple[Network, ...]
    users: tuple[User, ...]
    upstream: Upstream | None
    settings: t.Mapping[str, str]
    problems: tuple[str, ...]


def read_inputs(options: Options) -> Inputs:
    """Check the role's variables, given without their prefix ``relay_``."""
    reader = _Reader()
    hostname = reader.qualified_name("relay_hostname", options["hostname"])
    domain = reader.qualified_name("relay_domain", options["domain"])
    inputs = Inputs(
        hostname=hostname,
        domain=domain,
        listeners=tuple(reader.listener(index, item) for index, item in enumerate(options["listeners"])),
        networks=reader.networks("relay_networks", options["networks"], bounded=True),
        users=tuple(reader.user(index, item, domain) for index, item in enumerate(options["users"])),
        upstream=reader.upstream(options["upstream"]) if options["upstream"] else None,
        settings=reader.settings(options["settings"]),
        problems=(),
    )
    reader.whole(inputs, options)
    return Inputs(**{**vars(inputs), "problems": tuple(reader.problems)})


class _Reader:
    """Collects problems while it reads, and gives something harmless in the place of what is wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def problem(self, variable: str, sentence: str) -> None:
        self.problems.append(f"{variable}: {sentence}")

    def qualified_name(self, variable: str, given: t.Any) -> str:
        value = str(given)
        if not _QUALIFIED_NAME.match(value):
            self.problem(variable, f"{value!r} is no fully qualified name; expected something like relay.example.com")
        return value

    def networks(self, variable: str, values: t.Any, bounded: bool = False) -> tuple[Network, ...]:
        networks = []
        for value in _as_list(values):
            try:
                network = _network(value)
            except ValueError as error:
                self.problem(variable, f"{error}; expected an address or a network such as 192.0.2.0/24")
                continue
            widest = WIDEST_PREFIX[network.version]
            if bounded and network.prefixlen < widest:
                self.problem(
                    variable,
                    f"{value} would let strangers send mail through this host; expected the networks of your own "
                    f"hosts, none wider than /{widest}",
                )
            networks.append(network)
        return tuple(networks)

    def listener(self, index: int, item: Options) -> Listener:
        variable = f"relay_listeners[{index}]"
        port = int(item["port"])
        if not 1 <= port <= 65535:
            self.problem(variable, f"port {port} is none; expected 1 to 65535")
        tls, login = LISTENER_DEFAULTS.get(port, ("starttls", True))
        tls = item.get("tls") or tls
        login = login if item.get("login") is None else _as_bool(item["login"])
        if login and tls in ("none", "opportunistic"):
            self.problem(
                variable, f"a login with tls: {tls} could travel in clear; expected tls: starttls or tls: implicit"
            )
        if item.get("from") is not None and not _as_list(item["from"]):
            self.problem(f"{variable}.from", "an empty list lets nobody connect; expected a network, or no from at all")
        return Listener(port, tls, login, self.networks(f"{variable}.from", item.get("from")))

    def user(self, index: int, item: Options, domain: str) -> User:
        name = str(item["name"])
        variable = f"relay_users[{index}] ({name})"
        if not _USER_NAME.match(name):
            self.problem(variable, "expected a name of small letters, digits and . _ @ + -")
        password, password_hash = _as_text(item.get("password")), _as_text(item.get("password_hash"))
        if bool(password) == bool(password_hash):
            self.problem(variable, "expected either password or password_hash, and not an empty one")
        if password_hash and not _PASSWORD_HASH.match(password_hash):
            self.problem(
                variable, "password_hash has no scheme fit for passwords; expected something like {SHA512-CRYPT}$6$..."
            )
        senders = _as_list(item.get("senders")) or [name if "@" in name else f"{name}@{domain}"]
        return User(name, password, password_hash, tuple(self._sender(f"{variable}.senders", one) for one in senders))

    def _sender(self, variable: str, sender: str) -> str:
        """:returns: the address as Postfix will see it, or ``@domain``."""
        try:
            mailbox = parse_mailbox(f"anybody{sender}" if sender.startswith("@") else sender)
            if mailbox.domain and not mailbox.name and not mailbox.local.startswith(("#", '"')):
                return f"@{mailbox.domain}" if sender.startswith("@") else mailbox.address
        except InvalidAddress:
            pass
        self.problem(variable, f"{sender!r} is no address; expected deploy@example.com, or @example.com for a domain")
        return sender

    def upstream(self, item: Options) -> Upstream:
        username, password = _as_text(item.get("username")), _as_text(item.get("password"))
        tls = item.get("tls") or "starttls"
        upstream = Upstream(str(item["host"]), int(item.get("port") or 587), tls, username, password)
        if not _QUALIFIED_NAME.match(upstream.host):
            self.problem(
                "relay_upstream.host", f"{upstream.host!r} is no host name; expected something like smtp.example.com"
            )
        if not 1 <= upstream.port <= 65535:
            self.problem("relay_upstream.port", f"{upstream.port} is none; expected 1 to 65535")
        if upstream.port == 465:
            self.problem(
                "relay_upstream.port", "465 speaks TLS with the first byte, which is not supported yet; use 587"
            )
        if bool(username) != bool(password):
            self.problem("relay_upstream", "expected username and password together, and neither empty")
        if username and tls == "none":
            self.problem(
                "relay_upstream.tls", "a login without TLS would send the password in clear; expected tls: starttls"
            )
        for key, value in (("username", username), ("password", password)):
            if value and (_UNSAFE.search(value) or value != value.strip() or (key == "username" and ":" in value)):
                self.problem(f"relay_upstream.{key}", "holds a character that Postfix cannot store in its table")
        return upstream

    def settings(self, values: Options) -> dict[str, str]:
        settings = {str(name): _postfix_value(value) for name, value in values.items()}
        for name, value in settings.items():
            if not _PARAMETER.match(name) or _UNSAFE.search(value):
                self.problem(f"relay_settings.{name}", "expected a Postfix parameter with its value on one line")
        return settings

    def whole(self, inputs: Inputs, options: Options) -> None:
        """What is wrong only in combination."""
        ports = [listener.port for listener in inputs.listeners]
        for port in sorted({port for port in ports if ports.count(port) > 1}):
            self.problem("relay_listeners", f"port {port} is listed more than once")
        names = [user.name for user in inputs.users]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.problem("relay_users", f"{name} is listed more than once")
        if any(listener.login for listener in inputs.listeners) and not inputs.users:
            self.problem("relay_users", "a listener demands a login and there is nobody who could; expected a user")
        if not inputs.listeners and not inputs.upstream:
            self.problem("relay_upstream", "a host without listeners hands its mail to an upstream; expected a host")
        if options["firewall"].get("backend") == "none" and any(listener.sources for listener in inputs.listeners):
            self.problem("relay_listeners", "from needs a firewall, and relay_firewall.backend is none; leave it out")
        tls = options["tls"]
        if bool(tls.get("certificate")) != bool(tls.get("key")):
            self.problem("relay_tls", "expected certificate and key together, or neither for a self-signed one")
        self._verify(inputs, options["verify"])

    def _verify(self, inputs: Inputs, verify: Options) -> None:
        takes_plain_mail = any(
            listener.port == 25 and not listener.login and listener.tls in ("none", "opportunistic")
            for listener in inputs.listeners
        )
        if verify.get("to") and inputs.listeners and not takes_plain_mail:
            self.problem("relay_verify", "the message goes in by port 25 of the host itself; expected such a listener")
        for key in ("to", "from"):
            if verify.get(key):
                try:
                    parse_mailbox(verify[key])
                except InvalidAddress as error:
                    self.problem(f"relay_verify.{key}", str(error))


# Ansible checks the types of a role's variables, and hands them on as they were written.


def _network(value: t.Any) -> Network:
    """:raises ValueError: no network; an IPv6 scope, which may be any text, belongs to no other host."""
    if "%" in str(value):
        raise ValueError(f"{str(value)!r} does not appear to be an IPv4 or IPv6 network")
    return ipaddress.ip_network(str(value))


def _as_list(value: t.Any) -> list[str]:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value or ())


def _as_text(value: t.Any) -> str | None:
    return None if value is None else str(value)


def _as_bool(value: t.Any) -> bool:
    return value.lower() in ("yes", "true", "on", "1", "y", "t") if isinstance(value, str) else bool(value)


def _postfix_value(value: t.Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
