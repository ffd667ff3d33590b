# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts about DNSSEC, CAA, DNS block lists, and the authoritative servers of the zone."""

from __future__ import annotations

import ipaddress
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._evidence.dns_trust import (
    AuthoritativeServer,
    AuthorityFacts,
    BlocklistFacts,
    CaaFacts,
    DnssecFacts,
    DnssecState,
    Listing,
)
from .dns_errors import LookupFailed, ServerFailure
from .inquiry import Inquiry, all_shown, shown
from .names import Address, is_address, reverse_pointer

# -- DNSSEC (RFC 4035) ----------------------------------------------------------------------------------------------

ROOT = ""


def dnssec_facts(inquiry: Inquiry) -> DnssecFacts:
    """What the name servers make of the domain. They vouch for secure answers, and refuse bogus ones."""
    domain = inquiry.system.domain
    signed = _signed(inquiry, domain)
    try:
        answer = inquiry.lookup.query(domain, "SOA")
    except ServerFailure as error:
        if signed is not None:
            # They answer if they need not validate, so that is what they refuse.
            return DnssecFacts(resolver_validates=True, state=DnssecState.BOGUS, signed=signed)
        inquiry.note("dnssec", error)
        return DnssecFacts()
    except LookupFailed as error:
        inquiry.note("dnssec", error)
        return DnssecFacts(signed=signed)
    if answer.secure:
        return DnssecFacts(resolver_validates=True, state=DnssecState.SECURE, signed=signed)
    validates = _vouch_for_root(inquiry)
    if validates is False:
        inquiry.note("dnssec.state", "the name servers that were asked do not validate, or do not say so")
    return DnssecFacts(validates, DnssecState.INSECURE if validates else None, signed)


def _signed(inquiry: Inquiry, domain: str) -> bool | None:
    try:
        return inquiry.lookup.unchecked(domain, "SOA").signed
    except LookupFailed as error:
        inquiry.note("dnssec.signed", error)
        return None


def _vouch_for_root(inquiry: Inquiry) -> bool | None:
    """Whether the name servers say that the root, which is signed, is secure."""
    try:
        root = inquiry.lookup.query(ROOT, "SOA")
    except LookupFailed as error:
        inquiry.note("dnssec.resolver_validates", error)
        return None
    if not root.values:
        inquiry.note("dnssec.resolver_validates", "the name servers that were asked do not know the root of the DNS")
        return None
    return root.secure


# -- CAA (RFC 8659) -------------------------------------------------------------------------------------------------


def caa_facts(inquiry: Inquiry) -> CaaFacts:
    """The CAA records that apply to the EHLO name: its own, or those of the nearest domain above it (section 3)."""
    system = inquiry.system
    name = system.hostname if system.hostname and not is_address(system.hostname) else system.domain
    labels = name.rstrip(".").split(".")
    climb = [".".join(labels[start:]) for start in range(len(labels))]
    inquiry.prefetch((place, "CAA") for place in climb)
    for place in climb:
        values = inquiry.values("caa", place, "CAA")
        if values is None:
            return CaaFacts(name)
        if values:
            return CaaFacts(name, place, all_shown(values), _issuers(values))
    return CaaFacts(name, records=())


_CRITICAL = 128
#: The registered tags (RFC 8659, RFC 9495, and the CA/Browser Forum).
_CAA_TAGS = frozenset({"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone"})


def _issuers(values: t.Iterable[str]) -> tuple[str, ...] | None:
    """The domains of ``issue`` records; None if there is no such record, so that any authority may issue.

    None of them may if a critical record has a tag that they do not know (section 4.1).
    """
    fields = [value.split(" ", 2) for value in values]
    if any(int(flags) & _CRITICAL and tag.lower() not in _CAA_TAGS for flags, tag, _value in fields):
        return ()
    issue = [value.strip('"') for _flags, tag, value in fields if tag.lower() == "issue"]
    named = (value.partition(";")[0].strip().lower() for value in issue)
    return tuple(sorted(filter(None, named))) if issue else None


# -- DNS block lists (RFC 5782) -------------------------------------------------------------------------------------

#: The entries that a list must have and must not have, to be believed (section 5), by what it lists.
_TESTS = {
    "domain": ("test", "invalid"),
    "IPv4": ("2.0.0.127", "1.0.0.127"),
    "IPv6": tuple(
        reverse_pointer(ipaddress.ip_address(f"::ffff:7f00:{last}")).removesuffix(".ip6.arpa") for last in (2, 1)
    ),
}
_CODES = ipaddress.ip_network("127.0.0.0/8")
#: What no list answers, but a resolver that redirects unknown names may.
_NEVER = "127.0.0.1"
#: Answers of Spamhaus and others that mean an error: a public resolver, too many questions, a wrong name.
_REFUSALS = ipaddress.ip_network("127.255.255.0/24")


#: A subject, how a list has it, and which test stands for it.
_Entry = tuple[str, str, str]


def blocklist_facts(inquiry: Inquiry) -> tuple[BlocklistFacts, ...]:
    """What the lists say of the egress addresses and of the domain."""
    system = inquiry.system
    addresses: list[_Entry] = [(str(one), _entry(one), f"IPv{one.version}") for one in system.addresses]
    domains: list[_Entry] = [(system.domain, system.domain, "domain")]
    lists = [
        *((zone, addresses) for zone in system.blocklists),
        *((zone, domains) for zone in system.domain_blocklists),
    ]
    for zone, entries in lists:
        tests = {test for *_names, test in entries} or {"IPv4"}
        asked = [*(name for test in tests for name in _TESTS[test]), *(entry for _subject, entry, _test in entries)]
        inquiry.prefetch((f"{name}.{zone}", "A") for name in asked)
    return tuple(_ask_list(inquiry, zone, entries) for zone, entries in lists)


def _entry(address: Address) -> str:
    """How a list has the address: its reverse name without the zone (section 2)."""
    return reverse_pointer(address).rsplit(".", 2)[0]


def _ask_list(inquiry: Inquiry, zone: str, entries: t.Sequence[_Entry]) -> BlocklistFacts:
    passed = {test: _passes(inquiry, zone, test) for test in sorted({test for *_names, test in entries} or {"IPv4"})}
    works = next((one for one in (True, False) if one in passed.values()), None)
    return BlocklistFacts(zone, works, tuple(_listing(inquiry, zone, entry, passed[entry[2]]) for entry in entries))


def _passes(inquiry: Inquiry, zone: str, test: str) -> bool | None:
    path = f"blocklists.{zone}"
    listed, never = (_codes(inquiry, path, f"{entry}.{zone}") for entry in _TESTS[test])
    if listed is None or never is None:
        return None
    if listed and not never:
        return True
    wrong = "lists the entry that must not be listed" if never else "does not list its test entry"
    inquiry.note(path, f"{zone} {wrong} for {test} (RFC 5782 section 5), so it is not believed")
    return False


def _listing(inquiry: Inquiry, zone: str, entry: _Entry, passed: bool | None) -> Listing:
    subject, name, _test = entry
    if not passed:
        return Listing(subject)
    path = f"blocklists.{zone}"
    codes = _codes(inquiry, path, f"{name}.{zone}")
    reason = inquiry.values(path, f"{name}.{zone}", "TXT") if codes else None
    return Listing(subject, codes, shown(reason[0]) if reason else "")


def _codes(inquiry: Inquiry, path: str, name: str) -> tuple[str, ...] | None:
    """The answers of a list; None if there is none, or one that is not an answer of a list."""
    values = inquiry.values(path, name, "A")
    for value in values or ():
        address = ipaddress.ip_address(value)
        if address in _REFUSALS:
            inquiry.note(path, f"the list refuses to answer these name servers: {name} has the address {value}")
            return None
        if address not in _CODES or value == _NEVER:
            inquiry.note(path, f"{name} has the address {value}, which no list answers (RFC 5782 section 2.1)")
            return None
    return values


# -- the servers of the zone ----------------------------------------------------------------------------------------

_MAX_SERVERS = 8
_COMPARED = ("SOA", "NS", "MX", "TXT")


def authority_facts(inquiry: Inquiry) -> AuthorityFacts | None:
    """Ask each authoritative server for the domain's records."""
    domain = inquiry.system.domain
    answer = inquiry.answer("authority", domain, "SOA")
    if answer is None:
        return None
    zone = answer.zone or domain
    names = inquiry.values("authority", zone, "NS")
    if names is None:
        return AuthorityFacts(zone)
    if not names:
        inquiry.note("authority", f"{zone} has no NS record")
    if len(names) > _MAX_SERVERS:
        inquiry.note("authority", f"{zone} has {len(names)} name servers; only {_MAX_SERVERS} were asked")
    names = names[:_MAX_SERVERS]
    inquiry.prefetch((name, rdtype) for name in names for rdtype in ("A", "AAAA"))
    asked = [(name, _one_address(inquiry, name)) for name in names]
    with ThreadPoolExecutor(_MAX_SERVERS) as pool:
        answers = list(pool.map(lambda server: _ask_server(inquiry, zone, *server), asked))
    servers = tuple(
        AuthoritativeServer(name, address, _serial(found)) for (name, address), found in zip(asked, answers)
    )
    known = [found for found in answers if found]
    differing = tuple(rdtype for rdtype in _COMPARED if len({found[rdtype] for found in known}) > 1)
    return AuthorityFacts(zone, servers, differing if known else None)


def _one_address(inquiry: Inquiry, name: str) -> str:
    """One address of a server: it is the same server at the others. IPv4 first, which every vantage has."""
    found = inquiry.addresses(f"authority.{name}", name)
    if found is not None and not found:
        inquiry.note(f"authority.{name}", f"{name} has no address")
    return str(found[0]) if found else ""


def _ask_server(inquiry: Inquiry, zone: str, name: str, address: str) -> dict[str, tuple[str, ...]]:
    """The records by type; empty if the server does not answer."""
    if not address:
        return {}
    domain = inquiry.system.domain
    places = {"SOA": zone, "NS": zone}
    try:
        return {rdtype: inquiry.lookup.at(address, places.get(rdtype, domain), rdtype).values for rdtype in _COMPARED}
    except LookupFailed as error:
        inquiry.note(f"authority.{name}", error)
        return {}


def _serial(found: t.Mapping[str, tuple[str, ...]]) -> int | None:
    fields = found["SOA"][0].split() if found.get("SOA") else []
    return int(fields[2]) if len(fields) > 2 and fields[2].isdigit() else None
