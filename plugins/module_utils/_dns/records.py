# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types and parsers of MX records (RFC 5321 section 5.1, RFC 7505) and SPF records (RFC 7208), without lookups."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import re
import typing as t

from .errors import RecordSyntaxError
from .macros import is_domain_spec, is_macro_string


@dataclasses.dataclass(frozen=True, order=True)
class MxRecord:
    """One mail exchanger. An empty ``exchange`` is the null MX: the domain accepts no mail (RFC 7505 section 3)."""

    preference: int
    exchange: str

    @property
    def is_null(self) -> bool:
        """Whether this record declares that the domain accepts no mail."""
        return not self.exchange


def parse_mx(value: str) -> MxRecord:
    """Parse ``10 mx.example.com``. Raises :class:`RecordSyntaxError`."""
    preference, _blank, exchange = value.partition(" ")
    if not (preference.isdecimal() and exchange):
        raise RecordSyntaxError(f"{value!r} is not a valid MX record")
    return MxRecord(int(preference), exchange.rstrip(".").lower())


class Qualifier(str, enum.Enum):
    """The result of a matching mechanism (RFC 7208 section 4.6.2)."""

    PASS = "+"
    FAIL = "-"
    SOFTFAIL = "~"
    NEUTRAL = "?"


Network = t.Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclasses.dataclass(frozen=True)
class SpfMechanism:
    """One mechanism with its qualifier (RFC 7208 section 5)."""

    name: str
    qualifier: Qualifier
    #: The term as published, for messages.
    text: str
    #: The domain-spec with its macros; empty means the domain that published the record.
    domain: str = ""
    #: Only of ``ip4`` and ``ip6``.
    network: Network | None = None
    #: Only of ``a`` and ``mx``: how many leading bits must match, by IP version.
    prefix4: int = 32
    prefix6: int = 128


@dataclasses.dataclass(frozen=True)
class SpfRecord:
    """A valid SPF record. Unknown modifiers are ignored (RFC 7208 section 6)."""

    mechanisms: tuple[SpfMechanism, ...] = ()
    #: The domain-spec of the ``redirect`` modifier, or empty.
    redirect: str = ""
    #: The domain-spec of the ``exp`` modifier, or empty.
    explanation: str = ""


_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"([-+?~]?)([a-z][a-z0-9._-]*)(.*)", re.IGNORECASE)
_NUMBER = "0|[1-9][0-9]{0,2}"
_DUAL_CIDR = re.compile(rf"(.*?)(?:/({_NUMBER}))?(?://({_NUMBER}))?")
_NETWORK = re.compile(rf":([0-9a-f:.]+)(?:/({_NUMBER}))?", re.IGNORECASE)


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record, valid or not (RFC 7208 section 4.5)."""
    return bool(_VERSION.match(text))


def parse_spf(text: str) -> SpfRecord:
    """Parse an SPF record. Raises :class:`RecordSyntaxError` for an error anywhere in it (RFC 7208 section 4.6)."""
    if not is_spf(text):
        raise RecordSyntaxError("the record does not begin with v=spf1")
    mechanisms: list[SpfMechanism] = []
    modifiers: dict[str, str] = {}
    for term in filter(None, text[len("v=spf1") :].split(" ")):
        modifier = _MODIFIER.fullmatch(term)
        if modifier:
            _add_modifier(modifiers, modifier.group(1).lower(), modifier.group(2), term)
        else:
            mechanisms.append(_parse_directive(term))
    return SpfRecord(tuple(mechanisms), modifiers.get("redirect", ""), modifiers.get("exp", ""))


def _add_modifier(modifiers: dict[str, str], name: str, value: str, term: str) -> None:
    """Add one modifier. A known one may appear once, and names a domain (RFC 7208 section 6)."""
    known = name in ("redirect", "exp")
    if known and name in modifiers:
        raise RecordSyntaxError(f"the modifier {name}= appears twice")
    if not (is_domain_spec(value) if known else is_macro_string(value)):
        raise RecordSyntaxError(f"{term!r} does not have a valid value")
    modifiers[name] = value


def _parse_directive(term: str) -> SpfMechanism:
    """Parse ``[qualifier] mechanism`` (RFC 7208 section 4.6.1)."""
    match = _DIRECTIVE.fullmatch(term)
    if not match:
        raise RecordSyntaxError(f"{term!r} is not a valid SPF term")
    qualifier, name, argument = match.group(1) or "+", match.group(2).lower(), match.group(3)
    if name not in _ARGUMENTS:
        raise RecordSyntaxError(f"{term!r} is not a known mechanism")
    try:
        return _ARGUMENTS[name](SpfMechanism(name, Qualifier(qualifier), term), argument)
    except ValueError as error:
        raise RecordSyntaxError(f"{term!r} is not valid: {error}") from error


def _no_argument(mechanism: SpfMechanism, argument: str) -> SpfMechanism:
    if argument:
        raise ValueError("it takes no argument")
    return mechanism


def _optional_domain(mechanism: SpfMechanism, argument: str) -> SpfMechanism:
    if not argument:
        return mechanism
    if not (argument.startswith(":") and is_domain_spec(argument[1:])):
        raise ValueError("the domain is malformed")
    return dataclasses.replace(mechanism, domain=argument[1:])


def _required_domain(mechanism: SpfMechanism, argument: str) -> SpfMechanism:
    if not argument:
        raise ValueError("it needs a domain")
    return _optional_domain(mechanism, argument)


def _domain_and_prefixes(mechanism: SpfMechanism, argument: str) -> SpfMechanism:
    match = _DUAL_CIDR.fullmatch(argument)
    if not match:
        raise ValueError("the domain is malformed")
    domain, prefix4, prefix6 = match.groups()
    return dataclasses.replace(
        _optional_domain(mechanism, domain), prefix4=_prefix(prefix4, 32), prefix6=_prefix(prefix6, 128)
    )


def _ip4(mechanism: SpfMechanism, argument: str) -> SpfMechanism:
    address, prefix = _split_network(argument)
    network = ipaddress.IPv4Network((str(ipaddress.IPv4Address(address)), _prefix(prefix, 32)), strict=False)
    return dataclasses.replace(mechanism, network=network)


def _ip6(mechanism: SpfMechanism, argument: str) -> SpfMechanism:
    address, prefix = _split_network(argument)
    network = ipaddress.IPv6Network((str(ipaddress.IPv6Address(address)), _prefix(prefix, 128)), strict=False)
    return dataclasses.replace(mechanism, network=network)


def _split_network(argument: str) -> tuple[str, str | None]:
    match = _NETWORK.fullmatch(argument)
    if not match:
        raise ValueError("the network is malformed")
    return match.group(1), match.group(2)


def _prefix(text: str | None, width: int) -> int:
    length = width if text is None else int(text)
    if length > width:
        raise ValueError(f"/{length} is more than {width} bits")
    return length


#: The parser for what follows the name of each mechanism (RFC 7208 section 5).
_ARGUMENTS: dict[str, t.Callable[[SpfMechanism, str], SpfMechanism]] = {
    "all": _no_argument,
    "include": _required_domain,
    "a": _domain_and_prefixes,
    "mx": _domain_and_prefixes,
    "ptr": _optional_domain,
    "ip4": _ip4,
    "ip6": _ip6,
    "exists": _required_domain,
}
