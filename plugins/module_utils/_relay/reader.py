# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers for the values of the role's variables: names, networks, addresses, numbers and times.

Each value is checked where it is read. A problem is one sentence: the variable, what is wrong, and what was expected.
Reading continues after a problem, so that one run reports all of them.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import typing as t

from .._message.addresses import parse_mailbox
from .._message.domains import ascii_domain
from .._message.errors import InvalidAddress

Options = t.Mapping[str, t.Any]
Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_Value = t.TypeVar("_Value")

#: Prefix length of the widest network that may relay without a login, by IP version; no site has a wider one.
WIDEST_PREFIX: t.Mapping[int, int] = {4: 8, 6: 32}

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: The last label must not be a number, since that would be an address.
_QUALIFIED_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.(?![0-9]+\Z){_LABEL}\Z")
_LOCAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*\Z")
#: Postfix reads a bare number as seconds, hours or days, depending on the parameter.
_DURATION = re.compile(r"(?:0|[0-9]+[smhdw])\Z")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


class Reader:
    """Collect problems while reading, and return a harmless value in place of an invalid one."""

    def __init__(self, mechanisms: t.Collection[str] = (), relays: t.Mapping[str, Options] | None = None) -> None:
        """Begin without problems.

        :param mechanisms: with which the host can log in to an upstream; empty if that is not known yet.
        :param relays: what is known of relays of the inventory, by their name there.
        """
        self.problems: list[str] = []
        self.mechanisms = mechanisms
        self.relays = relays or {}

    def problem(self, variable: str, sentence: str) -> None:
        """Record what is wrong with this variable."""
        self.problems.append(f"{variable}: {sentence}")

    def qualified_name(self, variable: str, given: t.Any, expected: str = "one such as relay.example.com") -> str:
        """Read the name of a host or domain with at least two labels, and return it in lower case."""
        value = str(given)
        if not _QUALIFIED_NAME.match(value):
            self.problem(variable, f"{value!r} is not a fully qualified name; expected {expected}")
        return value.lower()

    def server(self, variable: str, given: t.Any) -> str:
        """Read the address or name of another host; a name is returned in A-labels and lower case."""
        value = str(given)
        if as_address(value):
            return value.lower()
        with contextlib.suppress(InvalidAddress):  # reported below
            value = ascii_domain(value)
        return self.qualified_name(variable, value, "one such as smtp.example.com, without port or brackets")

    def domain(self, variable: str, given: t.Any) -> str:
        """Read a mail domain, and return it as DNS and Postfix use it: in A-labels and lower case."""
        try:
            value = ascii_domain(str(given).strip())
            if _QUALIFIED_NAME.match(value):
                return value.lower()
        except InvalidAddress:
            pass
        self.problem(variable, f"{str(given)!r} is not a valid domain; expected a name such as example.com")
        return str(given)

    def networks(self, variable: str, values: t.Any, bounded: bool = False) -> tuple[Network, ...]:
        """Read addresses and networks.

        :param bounded: whether to refuse networks wider than :data:`WIDEST_PREFIX`.
        """
        networks = []
        for value in as_list(values):
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

    def port(self, variable: str, given: t.Any) -> int:
        """Read a TCP port."""
        return self.number(variable, given, 1, 65535) or 1

    def number(self, variable: str, given: t.Any, lowest: int, highest: int) -> int | None:
        """Read a whole number within bounds; None if none is given."""
        if given is None:
            return None
        if re.match(r"[0-9]+\Z", str(given)) and lowest <= int(given) <= highest:
            return int(given)
        self.problem(variable, f"{given!r} is not valid; expected a whole number from {lowest} to {highest}")
        return None

    def duration(self, variable: str, given: t.Any) -> str | None:
        """Read a time in the form of postconf(5); None if none is given."""
        if given is None:
            return None
        if not _DURATION.match(str(given)):
            self.problem(variable, f"{given!r} is not a valid time; expected a number with s, m, h, d or w, such as 2d")
        return str(given)

    def line(self, variable: str, given: t.Any) -> str:
        """Read text that must fit on one line of a file."""
        value = "" if given is None else str(given).strip()
        if not value or _UNSAFE.search(value):
            self.problem(variable, f"{str(given)!r} is empty or not a single line; expected one line of text")
        return value

    def path(self, variable: str, given: t.Any) -> str:
        """Read the path of a file on the managed host."""
        value = self.line(variable, given)
        if not value.startswith("/"):
            self.problem(variable, f"{value!r} is not an absolute path; expected one such as /etc/ssl/own.pem")
        return value

    def address(self, variable: str, given: t.Any, local: bool = False) -> str:
        """Read an address, and return it as Postfix looks it up: in lower case, with the domain in A-labels.

        :param local: whether a name without a domain is accepted.
        """
        value = str(given).strip()
        if local and _LOCAL_NAME.match(value):
            return value.lower()
        try:
            mailbox = parse_mailbox(value)
            if mailbox.domain and not mailbox.name and not mailbox.local.startswith(("#", '"')):
                return mailbox.address.lower()
        except InvalidAddress:
            pass
        self.problem(variable, f"{value!r} is not a valid address; expected one such as deploy@example.com")
        return value

    def senders(self, variable: str, given: t.Any) -> str:
        """Read an address, or ``@domain`` for all addresses of a domain."""
        value = str(given).strip()
        if value.startswith("@"):
            return "@" + self.domain(variable, value[1:])
        if "@" not in value:
            self.problem(
                variable, f"{value!r} is not a valid address; expected deploy@example.com, or @example.com for a domain"
            )
            return value
        return self.address(variable, value)

    def recipients(self, variable: str, given: t.Any) -> str:
        """Read an address, a domain, or ``.domain`` for its subdomains."""
        value = str(given).strip()
        if "@" in value:
            return self.address(variable, value)
        return ("." if value.startswith(".") else "") + self.domain(variable, value.lstrip("."))

    def table(
        self, variable: str, given: Options, key: t.Callable[[str, t.Any], str], value: t.Callable[[str, t.Any], _Value]
    ) -> dict[str, _Value]:
        """Read a table with these readers of keys and values; two spellings of one key are a problem."""
        table: dict[str, _Value] = {}
        for name, item in given.items():
            known = key(variable, name)
            if known in table:
                self.problem(variable, f"{known} is listed more than once")
            table[known] = value(f"{variable}.{name}", item)
        return table


# Ansible checks the types of a role's variables, but passes the values on as they were written.


def as_list(value: t.Any) -> list[t.Any]:
    """Return a list, which may be written as text with commas."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    if value is None or isinstance(value, (list, tuple, set)):
        return list(value or ())
    return [value]


def as_text(value: t.Any) -> str | None:
    """Return text, which YAML may have read as a number."""
    return None if value is None else str(value)


def as_bool(value: t.Any) -> bool:
    """Return a boolean, which may be written as a word."""
    return value.lower() in ("yes", "true", "on", "1", "y", "t") if isinstance(value, str) else bool(value)


def as_address(text: str) -> Address | None:
    """Return the IP address, or None if the text is not one."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(value: t.Any) -> Network:
    """Parse a network.

    :raises ValueError: not a network, or one with an IPv6 scope, which may be any text and means nothing elsewhere.
    """
    if "%" in str(value):
        raise ValueError(f"{str(value)!r} does not appear to be an IPv4 or IPv6 network")
    return ipaddress.ip_network(str(value))
