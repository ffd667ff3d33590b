# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types and parsers of MX records (RFC 5321 section 5.1, RFC 7505) and SPF records (RFC 7208), without lookups."""

from __future__ import annotations

import dataclasses
import enum
import functools
import ipaddress
import re
import typing as t

from .dns_errors import RecordSyntaxError, shorten
from .macros import is_domain_spec, is_macro_string
from .names import character_name, printable, without_final_dot


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
    return MxRecord(int(preference), "" if exchange == "." else without_final_dot(exchange).lower())


class Qualifier(str, enum.Enum):
    """The result of a matching mechanism (RFC 7208 section 4.6.2)."""

    PASS = "+"
    FAIL = "-"
    SOFTFAIL = "~"
    NEUTRAL = "?"


#: The shortest prefixes of networks that one organization has: the early blocks of IPv4, and more than IPv6 ever gave.
_WIDEST4 = 8
_WIDEST6 = 16

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

    @property
    def is_too_wide(self) -> bool:
        """Whether it lets a network send that is larger than what any organization has."""
        prefix4, prefix6 = self.prefix4, self.prefix6
        if self.network:
            prefix4, prefix6 = (self.network.prefixlen, 128) if self.name == "ip4" else (32, self.network.prefixlen)
        return self.qualifier is Qualifier.PASS and (prefix4 < _WIDEST4 or prefix6 < _WIDEST6)


@dataclasses.dataclass(frozen=True)
class SpfRecord:
    """A valid SPF record. Unknown modifiers are ignored (RFC 7208 section 6)."""

    mechanisms: tuple[SpfMechanism, ...] = ()
    #: The domain-spec of the ``redirect`` modifier, or empty.
    redirect: str = ""
    #: The domain-spec of the ``exp`` modifier, or empty.
    explanation: str = ""
    #: Terms that are valid and without effect, most likely by mistake, each with the reason.
    idle: tuple[str, ...] = ()


_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE | re.ASCII)
_BEGINNING = "v=spf1 "
#: What is left of the beginning of a mangled record when all but letters and digits are removed.
_MANGLED = re.compile(r"(?:vspf|spf1|spfv1|vsfp1|vs?p?f1)")
#: Terms alone.
_WITHOUT_VERSION = re.compile(r"\W*(?:ip[46]:|include:|a[ :]|mx[ :]).*[-~?+]all\W*", re.IGNORECASE | re.DOTALL)
_MANGLED_WITHIN = re.compile(r"v\s*=\s*spf1\b", re.IGNORECASE)
_SENDER_ID = re.compile(r"spf2\.0/", re.IGNORECASE)
_NOT_PRINTABLE = re.compile(r"[^ -~]+")
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE | re.ASCII)
_DIRECTIVE = re.compile(r"([-+?~]?)([a-z][a-z0-9._-]*)(.*)", re.IGNORECASE | re.ASCII)
#: A term that begins within another one.
_JOINED = re.compile(
    r"[^-+~?](?:[-+~?]?(?:ip[46]|include|exists|mx|ptr):|(?:redirect|exp)=|v=spf1|[-+~?]all\Z)", re.IGNORECASE
)
_NUMBER = "0|[1-9][0-9]{0,2}"
_DUAL_CIDR = re.compile(rf"(.*?)(?:/({_NUMBER}))?(?://({_NUMBER}))?")
_NETWORK = re.compile(rf":([0-9a-f:.]+)(?:/({_NUMBER}))?", re.IGNORECASE)


def is_spf(text: str) -> bool:
    """Whether a TXT record is an SPF record, valid or not (RFC 7208 section 4.5)."""
    return bool(_VERSION.match(text))


def why_not_spf(text: str) -> str:
    """Say where a TXT record differs from the SPF record that it was meant to be; empty if it was not meant as one."""
    letters = re.sub(r"[^a-z0-9]", "", text[:40].lower())
    meant = _MANGLED.match(letters) or _MANGLED_WITHIN.search(text) or _WITHOUT_VERSION.fullmatch(text)
    if is_spf(text) or _SENDER_ID.match(text) or not meant:
        return ""
    spot = next((at for at, wanted in enumerate(_BEGINNING) if text[at : at + 1].lower() != wanted), 0)
    found = f"character {spot + 1} is {_spot(text[spot:])}" if text[spot:] else "it ends too early"
    return f'it must begin with "v=spf1" and a blank, but {found} in {_excerpt(text)}'


def _spot(text: str) -> str:
    """The first character of ``text``, with its name if it is not ASCII."""
    octets = _NOT_PRINTABLE.match(text)
    name = f" ({_character_name(octets.group())})" if octets else ""
    return f"'{printable(text[0])}'{name}"


def _excerpt(text: str, length: int = 40) -> str:
    return f"'{printable(text[:length])}{'...' if text[length:] else ''}'"


@functools.lru_cache(maxsize=64)
def parse_spf(text: str) -> SpfRecord:
    """Parse an SPF record. Raises :class:`RecordSyntaxError` for an error anywhere in it (RFC 7208 section 4.6)."""
    if not is_spf(text):
        raise RecordSyntaxError("the record does not begin with v=spf1")
    _require_ascii(text)
    mechanisms: list[SpfMechanism] = []
    modifiers: dict[str, str] = {}
    for term in filter(None, text[len("v=spf1") :].split(" ")):
        modifier = _MODIFIER.fullmatch(term)
        if modifier:
            _add_modifier(modifiers, modifier.group(1).lower(), modifier.group(2), term)
        else:
            mechanisms.append(_parse_directive(term))
    redirect = modifiers.get("redirect", "")
    idle = (*_misused_modifiers(modifiers), *_never_reached(mechanisms, redirect))
    return SpfRecord(tuple(mechanisms), redirect, modifiers.get("exp", ""), tuple(map(shorten, idle)))


def _require_ascii(text: str) -> None:
    """Refuse all but printable ASCII (RFC 7208 section 3.1), and name the spot: such characters are often invisible."""
    match = _NOT_PRINTABLE.search(text)
    if match:
        term = text[text.rfind(" ", 0, match.start()) + 1 :].partition(" ")[0]
        octets = printable(match.group())
        raise RecordSyntaxError(
            f"character {match.start() + 1} is {_character_name(match.group())}, which is not printable ASCII:"
            f" {octets} in '{printable(term)}'"
        )


def _character_name(octets: str) -> str:
    """The name of the first character of UTF-8 ``octets``, such as ``U+200B ZERO WIDTH SPACE``, or of the octet."""
    try:
        character = octets.encode("latin-1").decode("utf-8")[0]
    except UnicodeError:
        character = octets[0]
    return character_name(character)


def _misused_modifiers(modifiers: t.Iterable[str]) -> t.Iterator[str]:
    """Receivers ignore a modifier that they do not know (RFC 7208 section 6), such as a mechanism with ``=``."""
    for name in modifiers:
        mechanism = _MEANT.get(name, name)
        if name == "v":
            yield "'v=' appears twice"
        elif mechanism in _ARGUMENTS:
            yield f"'{name}=' is not a mechanism; write {mechanism}{':' if mechanism != 'all' else ''}"


def _never_reached(mechanisms: t.Sequence[SpfMechanism], redirect: str) -> t.Iterator[str]:
    """What follows ``all``, and ``redirect`` beside it, is ignored (RFC 7208 section 5.1)."""
    names = [mechanism.name for mechanism in mechanisms]
    if "all" not in names:
        return
    first = names.index("all")
    for mechanism in mechanisms[first + 1 :]:
        yield f"'{mechanism.text}' follows '{mechanisms[first].text}', which ends the evaluation"
    if redirect:
        yield f"'redirect={redirect}' is not used in a record with '{mechanisms[first].text}'"


def _add_modifier(modifiers: dict[str, str], name: str, value: str, term: str) -> None:
    """Add one modifier. A known one may appear once, and names a domain (RFC 7208 section 6)."""
    known = name in ("redirect", "exp")
    if known and name in modifiers:
        raise RecordSyntaxError(f"the modifier {name}= appears twice")
    if not (is_domain_spec(value) if known else is_macro_string(value)):
        raise RecordSyntaxError(f"{term!r} does not have a valid value{_advice(term)}")
    modifiers[name] = value


def _parse_directive(term: str) -> SpfMechanism:
    """Parse ``[qualifier] mechanism`` (RFC 7208 section 4.6.1)."""
    match = _DIRECTIVE.fullmatch(term)
    if not match:
        raise RecordSyntaxError(f"{term!r} is not a valid SPF term{_advice(term)}")
    qualifier, name, argument = match.group(1) or "+", match.group(2).lower(), match.group(3)
    if name not in _ARGUMENTS:
        raise RecordSyntaxError(f"{term!r} is not a known mechanism{_advice(term, name)}")
    try:
        return _ARGUMENTS[name](SpfMechanism(name, Qualifier(qualifier), shorten(term)), argument)
    except ValueError as error:
        raise RecordSyntaxError(f"{term!r} is not valid: {error}{_advice(term)}") from error


#: What was meant by names that are often written.
_MEANT = {
    "ip": "ip4",
    "ipv4": "ip4",
    "ip4v": "ip4",
    "ipv6": "ip6",
    "ip6v": "ip6",
    "includes": "include",
    "inlcude": "include",
    "exist": "exists",
    "al": "all",
    "redirect": "redirect=",
    "exp": "exp=",
}


def _advice(term: str, name: str = "") -> str:
    """What is most likely wrong with an invalid term, to follow the sentence that says so."""
    quote = next((mark for mark in "\"'" if mark in term), "")
    if quote:
        return f"; remove the quotation mark {quote}"
    if _JOINED.search(term):
        return "; a blank is missing between two terms, or between two strings, which are joined as they are"
    if term[-1] in ",;":
        return "; separate the terms by blanks alone"
    return f"; write {_MEANT[name]} instead" if name in _MEANT else ""


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
