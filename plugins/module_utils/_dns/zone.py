# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records that a mail system calls for, as lines of a zone file and as options of the module nsupdate."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import typing as t

from .._evidence.dns_policy import StsMode
from .._x509.keys import PublicKey
from .dkim import key_name, parse_dkim
from .dmarc import POLICIES, PREFIX, REMOVED, is_dmarc, parse_dmarc
from .dns_errors import InvalidName, LookupFailed, RecordSyntaxError
from .inquiry import PrefetchingLookup
from .lookup import ADDRESS_TYPES, Answer, Lookup
from .mail_system import MailSystem
from .names import printable, require_fqdn, require_host, reverse_pointer
from .records import is_spf, parse_mx, parse_spf
from .scope import is_private_name
from .spf import SpfResult, check_host, for_strangers, spf_records
from .sts import parse_sts, parse_tls_rpt
from .tlsa import matches, parse_tlsa, tlsa_name, wanted_tlsa

TTL = 3600
#: The longest string in a TXT record, in octets (RFC 1035 section 3.3.14).
_MAX_STRING = 255
#: The labels of a name before, and up to, the last one with an underscore.
_SERVICES = (re.compile(r"^(?:.*\.)?(?=_[^.]*\.)"), re.compile(r"^(?:.*\.)?_[^.]*\."))


@dataclasses.dataclass(frozen=True)
class ZoneRecord:
    """All records of one name and type, as they should be."""

    name: str
    rdtype: str
    values: tuple[str, ...]
    #: Whether the name has a record of this type and purpose already, and whether all are as they should be.
    there: bool | None
    right: bool | None
    note: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of a zone file."""
        return tuple(f"{self.name}. {TTL} IN {self.rdtype} {value}" for value in self.values)

    def to_dict(self, zone: str) -> dict[str, t.Any]:
        """The form that a module returns. The first five are options of ``community.general.nsupdate``."""
        return {
            "zone": zone,
            "record": f"{self.name}.",
            "type": self.rdtype,
            "value": list(self.values),
            "ttl": TTL,
            "lines": list(self.lines),
            "there": self.there,
            "right": self.right,
            "note": self.note,
        }


@dataclasses.dataclass(frozen=True)
class Wishes:
    """What is not a fact of the mail system, but a choice."""

    dmarc_policy: str = "quarantine"
    report_address: str = ""
    sts_mode: StsMode | None = None
    sts_max_age: int = 604_800
    sts_addresses: tuple[str, ...] = ()


def wanted_records(lookup: PrefetchingLookup, system: MailSystem, wishes: Wishes) -> list[dict[str, t.Any]]:
    """The records, in the order in which they are needed. What is there and right is kept as it is."""
    hosts = [system.hostname] if _has_public_name(system) else []
    lookup.prefetch((name, "SOA") for name in [*hosts, *map(reverse_pointer, system.addresses)])
    lookup.prefetch((prefix + system.domain, "TXT") for prefix in (PREFIX, "_smtp._tls."))
    records = [one for maker in _MAKERS for one in maker(lookup, system, wishes)]
    return [one.to_dict(_zone_of(lookup, one.name)) for one in records]


def sts_policy(lookup: Lookup, system: MailSystem, wishes: Wishes) -> str:
    """The policy to serve (RFC 8461 section 3.2); empty without a mode, and if the mail servers are not known."""
    if not wishes.sts_mode:
        return ""
    published = _mx_values(lookup, system)
    if published is None:
        return ""
    hosts = sorted({parse_mx(one).exchange for one in published}) or [system.hostname]
    lines = ["version: STSv1", f"mode: {wishes.sts_mode.value}", *(f"mx: {host}" for host in filter(None, hosts))]
    return "".join(f"{line}\r\n" for line in [*lines, f"max_age: {wishes.sts_max_age}"])


def _zone_of(lookup: Lookup, name: str) -> str:
    """The zone that ``name`` is in; empty if it is not known.

    One may begin at a name such as ``_domainkey``, which providers let be delegated. If such a name is an alias, the
    answer is from another zone.
    """
    answers = (_answer(lookup, known, "SOA") for known in dict.fromkeys(one.sub("", name) for one in _SERVICES))
    zones = (answer.zone for answer in answers if answer)
    return next((zone for zone in zones if zone and f".{name}".lower().endswith(f".{zone}")), "")


def _answer(lookup: Lookup, name: str, rdtype: str) -> Answer | None:
    try:
        return lookup.query(name, rdtype)
    except InvalidName:
        return Answer(exists=False)
    except LookupFailed:
        return None


def _record(
    lookup: Lookup,
    name: str,
    rdtype: str,
    values: t.Sequence[str],
    is_right: t.Callable[[tuple[str, ...]], bool] | None = None,
    note: str = "",
) -> ZoneRecord:
    """The record, compared with what is published; a value that is right in another way stays as it is."""
    answer = _answer(lookup, name, rdtype)
    if answer is None:
        return ZoneRecord(name, rdtype, tuple(values), None, None, note)
    found = answer.values
    right = is_right(found) if is_right else {_same(one) for one in found} == {_same(one) for one in values}
    return ZoneRecord(name, rdtype, tuple(values), bool(found), right, _alias_note(name, answer) or note)


def _alias_note(name: str, answer: Answer) -> str:
    """A name with a CNAME record can have no other (RFC 1034 section 3.6.2)."""
    if not answer.aliases:
        return ""
    return f"{name} is an alias of {answer.aliases[0]}: change the record there, or remove the CNAME record first."


def _told(right: bool, _found: tuple[str, ...]) -> bool:
    """What is known already, as a function of what is found."""
    return right


def _has_all(wanted: t.Sequence[str], found: tuple[str, ...]) -> bool:
    return set(wanted) <= set(map(_same, found))


def _same(value: str) -> str:
    return value.rstrip(".").lower()


def txt(text: str) -> str:
    """``text`` as the strings of a TXT record in a zone file."""
    parts = [text[start : start + _MAX_STRING] for start in range(0, len(text), _MAX_STRING)] or [""]
    return " ".join('"' + printable(part).replace('"', '\\"') + '"' for part in parts)


def _policy(
    lookup: Lookup, name: str, text: str, mine: t.Callable[[str], bool], is_right: t.Callable[[str], bool | None]
) -> ZoneRecord:
    """A TXT record of which there must be one that begins in its way. Others at the same name are kept.

    What is there is also kept if it is not known whether it is right.
    """
    answer = _answer(lookup, name, "TXT")
    if answer is None:
        return ZoneRecord(name, "TXT", (txt(text),), None, None)
    found = [one for one in answer.values if mine(one)]
    others = [one for one in answer.values if not mine(one)]
    right = len(found) == 1 and is_right(found[0])
    kept = text if right is False else found[0]
    return ZoneRecord(name, "TXT", tuple(map(txt, [*others, kept])), bool(found), right, _alias_note(name, answer))


# -- a maker for each kind of record --------------------------------------------------------------------------------


def _has_public_name(system: MailSystem) -> bool:
    try:
        require_fqdn(system.hostname)
    except InvalidName:
        return False
    return not is_private_name(system.hostname) or is_private_name(system.domain)


def _hosts(lookup: Lookup, system: MailSystem, _wishes: Wishes) -> t.Iterator[ZoneRecord]:
    """The addresses of the EHLO name. It may have others too, such as those that it receives mail at."""
    if not (_has_public_name(system) and system.sends_directly):
        return
    for version, rdtype in ADDRESS_TYPES.items():
        wanted = [str(one) for one in system.addresses if one.version == version]
        if wanted:
            yield _record(lookup, system.hostname, rdtype, wanted, functools.partial(_has_all, wanted))


def _reverse(lookup: Lookup, system: MailSystem, _wishes: Wishes) -> t.Iterator[ZoneRecord]:
    if not _has_public_name(system):
        return
    for address in system.addresses:
        note = f"Ask the provider of {address} for it, who has this zone."
        yield _record(lookup, reverse_pointer(address), "PTR", [f"{system.hostname}."], note=note)


def _mx_values(lookup: Lookup, system: MailSystem) -> list[str] | None:
    """The MX records that name a host; None if they cannot be looked up."""
    answer = _answer(lookup, system.domain, "MX")
    return None if answer is None else list(filter(_names_host, answer.values))


def _names_host(value: str) -> bool:
    """Whether an MX record is neither null nor names an address or what else is not a host."""
    try:
        require_host(parse_mx(value).exchange)
    except (InvalidName, RecordSyntaxError):
        return False
    return True


def _mx(lookup: Lookup, system: MailSystem, _wishes: Wishes) -> t.Iterator[ZoneRecord]:
    """An MX record, for replies and bounces. Those that are there and name a host are kept."""
    answer, kept = _answer(lookup, system.domain, "MX"), _mx_values(lookup, system)
    if answer and kept:
        values = tuple(f"{one}." for one in kept)
        yield ZoneRecord(system.domain, "MX", values, there=True, right=len(kept) == len(answer.values))
    elif _has_public_name(system) and system.sends:
        yield _record(lookup, system.domain, "MX", [f"10 {system.hostname}."])


def _spf(lookup: Lookup, system: MailSystem, _wishes: Wishes) -> t.Iterator[ZoneRecord]:
    if system.addresses:
        text = _spf_text(lookup, system)
        known = text or _fresh_spf(system)
        yield _policy(lookup, system.domain, known, is_spf, lambda found: None if text is None else found == text)
    if _has_public_name(system) and system.addresses and system.hostname != system.domain:
        right = _passes_all(lookup, system, system.hostname)
        yield _policy(lookup, system.hostname, "v=spf1 a -all", is_spf, lambda _found: right)


_GOOD_ENDS = (SpfResult.FAIL, SpfResult.SOFTFAIL)


def _fresh_spf(system: MailSystem) -> str:
    return " ".join(["v=spf1", *map(_term, system.addresses), "-all"])


def _spf_text(lookup: Lookup, system: MailSystem) -> str | None:
    """The record that is there if it is right; with terms for the addresses that do not pass; or else a new one.

    None if a lookup fails: the record may be right, and a new one would lack what others need.
    """
    try:
        records = spf_records(lookup, system.domain)
        if len(records) != 1 or parse_spf(records[0]).idle:
            return _fresh_spf(system)
    except LookupFailed:
        return None
    except RecordSyntaxError:
        return _fresh_spf(system)
    strangers = for_strangers(lookup, system.domain).result
    results = {one: check_host(lookup, one, system.domain, helo=system.hostname).result for one in system.addresses}
    if SpfResult.TEMPERROR in (strangers, *results.values()):
        return None
    if strangers not in _GOOD_ENDS:
        return _fresh_spf(system)
    terms = [_term(address) for address, result in results.items() if result is not SpfResult.PASS]
    return re.sub(r"^v=spf1", " ".join(["v=spf1", *terms]), records[0], flags=re.IGNORECASE) if terms else records[0]


def _term(address: t.Any) -> str:
    return f"ip{address.version}:{address}"


def _passes_all(lookup: Lookup, system: MailSystem, name: str) -> bool | None:
    results = {check_host(lookup, one, name, helo=name).result for one in system.addresses}
    return None if SpfResult.TEMPERROR in results else results == {SpfResult.PASS}


def _dkim(lookup: Lookup, system: MailSystem, _wishes: Wishes) -> t.Iterator[ZoneRecord]:
    """The keys that were given. A key that was not given cannot be published."""
    from_key = {one: dkim_text(one.key) for one in system.selectors if one.key}
    for selector, text in from_key.items():
        same = _reads_as(selector.key)
        yield _policy(lookup, key_name(selector), text, lambda _text: True, same)


def _reads_as(key: PublicKey | None) -> t.Callable[[str], bool]:
    def same(text: str) -> bool:
        try:
            record = parse_dkim(text)
        except RecordSyntaxError:
            return False
        return record.key == key and "y" not in record.flags and record.signs_mail and record.allows_sha256

    return same


def dkim_text(key: PublicKey) -> str:
    """The key record of ``key``."""
    return f"v=DKIM1; k={key.type}; p={key.published}"


def _dmarc(lookup: Lookup, system: MailSystem, wishes: Wishes) -> t.Iterator[ZoneRecord]:
    text = f"v=DMARC1; p={wishes.dmarc_policy}; rua=mailto:{_report_address(system, wishes)}"
    yield _policy(lookup, PREFIX + system.domain, text, is_dmarc, _is_good_dmarc(wishes))


def _is_good_dmarc(wishes: Wishes) -> t.Callable[[str], bool]:
    def good(text: str) -> bool:
        record = parse_dmarc(text)
        policies = (record.policy, record.subdomain_policy, record.absent_policy)
        strict = min(map(POLICIES.index, policies)) >= POLICIES.index(wishes.dmarc_policy)
        removed = any(tag in record.tags for tag in REMOVED)
        return strict and not record.errors and not removed and record.tags.get("t") != "y" and bool(record.uris("rua"))

    return good


def _report_address(system: MailSystem, wishes: Wishes) -> str:
    return wishes.report_address or f"postmaster@{system.domain}"


def _tls_rpt(lookup: Lookup, system: MailSystem, wishes: Wishes) -> t.Iterator[ZoneRecord]:
    text = f"v=TLSRPTv1; rua=mailto:{_report_address(system, wishes)}"
    yield _policy(lookup, f"_smtp._tls.{system.domain}", text, lambda one: one.startswith("v=TLSRPTv1"), _is_good_rpt)


def _is_good_rpt(text: str) -> bool:
    try:
        return bool(parse_tls_rpt(text))
    except RecordSyntaxError:
        return False


def _mta_sts(lookup: Lookup, system: MailSystem, wishes: Wishes) -> t.Iterator[ZoneRecord]:
    policy = sts_policy(lookup, system, wishes)
    if policy:
        # The id must change with the policy, and only then.
        wanted = hashlib.sha256(policy.encode()).hexdigest()[:20]
        yield _policy(
            lookup,
            f"_mta-sts.{system.domain}",
            f"v=STSv1; id={wanted}",
            lambda one: one.startswith("v=STSv1"),
            lambda found: _sts_id(found) == wanted,
        )
    for version, rdtype in ADDRESS_TYPES.items():
        values = [one for one in wishes.sts_addresses if (":" in one) == (version == 6)]
        if values and wishes.sts_mode:
            yield _record(lookup, f"mta-sts.{system.domain}", rdtype, values)


def _sts_id(text: str) -> str:
    try:
        return parse_sts(text)
    except RecordSyntaxError:
        return ""


def _tlsa(lookup: Lookup, system: MailSystem, _wishes: Wishes) -> t.Iterator[ZoneRecord]:
    servers = dict.fromkeys((one.host, one.port) for one in system.certificates)
    for host, port in servers:
        # A server may have one certificate for RSA, and one for ECDSA.
        chains = [one.chain for one in system.certificates if (one.host, one.port) == (host, port)]
        name = tlsa_name(host, port)
        answer = _answer(lookup, name, "TLSA")
        usable = [one for one in map(parse_tlsa, answer.values if answer else ()) if not one.error]
        kept = [f"{one.usage} {one.selector} {one.matching} {one.data}" for one in usable]
        lacking = [wanted_tlsa(chain[0]) for chain in chains if not any(matches(one, chain) for one in usable)]
        # Records of the keys before and after this one are kept for roll-overs.
        values = list(dict.fromkeys([*lacking, *kept]))
        note = "Only in a zone that DNSSEC secures. Remove the records of old keys."
        yield _record(lookup, name, "TLSA", values, functools.partial(_told, not lacking), note)


_MAKERS = (_hosts, _reverse, _mx, _spf, _dkim, _dmarc, _tlsa, _mta_sts, _tls_rpt)
