# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role's variables are made of: names, networks, addresses, numbers and times, each checked where it is read.

Every problem is a sentence that names the variable and says what was expected; all are found in one go.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import typing as t

from .._message.addresses import ascii_domain, parse_mailbox
from .._message.errors import InvalidAddress

Options = t.Mapping[str, t.Any]
Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
_Value = t.TypeVar("_Value")

#: The widest network that may relay without a login, by IP version: more than this is the Internet, not a site.
WIDEST_PREFIX: t.Mapping[int, int] = {4: 8, 6: 32}

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: The last label is no number: that would be an address.
_QUALIFIED_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.(?![0-9]+\Z){_LABEL}\Z")
_LOCAL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*\Z")
#: Postfix takes a bare number for seconds here, hours there and days elsewhere.
_DURATION = re.compile(r"(?:0|[0-9]+[smhdw])\Z")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


class Reader:
    """Collects problems while it reads, and gives something harmless in the place of what is wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def problem(self, variable: str, sentence: str) -> None:
        """Note that this variable is wrong."""
        self.problems.append(f"{variable}: {sentence}")

    def qualified_name(self, variable: str, given: t.Any, expected: str = "one like relay.example.com") -> str:
        """A host or domain of at least two labels, in small letters."""
        value = str(given)
        if not _QUALIFIED_NAME.match(value):
            self.problem(variable, f"{value!r} is no fully qualified name; expected {expected}")
        return value.lower()

    def server(self, variable: str, given: t.Any) -> str:
        """Another host, as Postfix connects to it: an address, or a name in A-labels and small letters."""
        value = str(given)
        if as_address(value):
            return value.lower()
        with contextlib.suppress(InvalidAddress):  # which is told below
            value = ascii_domain(value)
        return self.qualified_name(variable, value, "one like smtp.example.com, without port or brackets")

    def domain(self, variable: str, given: t.Any) -> str:
        """A mail domain, as DNS and Postfix have it: in A-labels and small letters."""
        try:
            value = ascii_domain(str(given).strip())
            if _QUALIFIED_NAME.match(value):
                return value.lower()
        except InvalidAddress:
            pass
        self.problem(variable, f"{str(given)!r} is no domain; expected something like example.com")
        return str(given)

    def networks(self, variable: str, values: t.Any, bounded: bool = False) -> tuple[Network, ...]:
        """Addresses and networks.

        :param bounded: whether they are to be no wider than a site.
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
        """A TCP port."""
        return self.number(variable, given, 1, 65535) or 1

    def number(self, variable: str, given: t.Any, lowest: int, highest: int) -> int | None:
        """A whole number within bounds, or nothing where none is given."""
        if given is None:
            return None
        if re.match(r"[0-9]+\Z", str(given)) and lowest <= int(given) <= highest:
            return int(given)
        self.problem(variable, f"{given!r} is out of bounds; expected a number from {lowest} to {highest}")
        return None

    def duration(self, variable: str, given: t.Any) -> str | None:
        """A time as Postfix has it (postconf(5)), or nothing where none is given."""
        if given is None:
            return None
        if not _DURATION.match(str(given)):
            self.problem(variable, f"{given!r} is no time; expected a number with s, m, h, d or w, such as 2d")
        return str(given)

    def line(self, variable: str, given: t.Any) -> str:
        """Text that goes into one line of a file."""
        value = "" if given is None else str(given).strip()
        if not value or _UNSAFE.search(value):
            self.problem(variable, f"{str(given)!r} is empty or no single line")
        return value

    def path(self, variable: str, given: t.Any) -> str:
        """A file of the managed host."""
        value = self.line(variable, given)
        if not value.startswith("/"):
            self.problem(variable, f"{value!r} is no absolute path; expected something like /etc/ssl/own.pem")
        return value

    def address(self, variable: str, given: t.Any, local: bool = False) -> str:
        """An address as Postfix looks it up: domain in A-labels, small letters.

        :param local: whether a name without a domain will do.
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
        self.problem(variable, f"{value!r} is no address; expected something like deploy@example.com")
        return value

    def senders(self, variable: str, given: t.Any) -> str:
        """An address, or ``@domain`` for all of a domain."""
        value = str(given).strip()
        if value.startswith("@"):
            return "@" + self.domain(variable, value[1:])
        if "@" not in value:
            self.problem(
                variable, f"{value!r} is no address; expected deploy@example.com, or @example.com for a domain"
            )
            return value
        return self.address(variable, value)

    def recipients(self, variable: str, given: t.Any) -> str:
        """An address, a domain, or ``.domain`` for those below it."""
        value = str(given).strip()
        if "@" in value:
            return self.address(variable, value)
        return ("." if value.startswith(".") else "") + self.domain(variable, value.lstrip("."))

    def table(
        self, variable: str, given: Options, key: t.Callable[[str, t.Any], str], value: t.Callable[[str, t.Any], _Value]
    ) -> dict[str, _Value]:
        """Keys and values as these two read them; keys that were written differently may turn out to be the same."""
        table: dict[str, _Value] = {}
        for name, item in given.items():
            known = key(variable, name)
            if known in table:
                self.problem(variable, f"{known} is listed more than once")
            table[known] = value(f"{variable}.{name}", item)
        return table


# Ansible checks the types of a role's variables, and hands them on as they were written.


def as_list(value: t.Any) -> list[t.Any]:
    """A list, which may have been written as words with commas."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value or ())


def as_text(value: t.Any) -> str | None:
    """Text, which YAML may have taken for a number."""
    return None if value is None else str(value)


def as_bool(value: t.Any) -> bool:
    """A switch, which may have been written as a word."""
    return value.lower() in ("yes", "true", "on", "1", "y", "t") if isinstance(value, str) else bool(value)


def as_address(text: str) -> Address | None:
    """An IP address, or nothing where it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(value: t.Any) -> Network:
    """:raises ValueError: no network; an IPv6 scope, which may be any text, belongs to no other host."""
    if "%" in str(value):
        raise ValueError(f"{str(value)!r} does not appear to be an IPv4 or IPv6 network")
    return ipaddress.ip_network(str(value))
