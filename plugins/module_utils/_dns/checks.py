# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the DNS records of a mail domain and of the hosts that send for it. Pure: all DNS goes through a lookup."""

from __future__ import annotations

import dataclasses
import typing as t

from .._controls.finding import Finding
from . import controls
from .dns_errors import InvalidName, LookupFailed, RecordSyntaxError
from .lookup import ADDRESS_TYPES, Lookup, addresses_of, why_absent
from .names import Address, is_fqdn, parse_address, reverse_pointer
from .records import MxRecord, SpfRecord, parse_mx, parse_spf
from .spf import SpfResult, check_host, for_strangers, mangled_records, spf_records, why_no_record


@dataclasses.dataclass(frozen=True)
class MailSystem:
    """A mail domain and the way its mail leaves: the subject of the checks."""

    #: The part of the sender addresses after the @.
    domain: str
    #: The name given with EHLO.
    hostname: str = ""
    #: The egress addresses, as seen from the Internet.
    addresses: tuple[Address, ...] = ()
    #: The upstream hosts (smarthosts) that take the mail. Without ``addresses``, all mail leaves through them.
    via: tuple[str, ...] = ()

    @property
    def sends_directly(self) -> bool:
        """Whether receivers see this host's own address, as far as is known."""
        return bool(self.addresses) or not self.via

    @property
    def sends(self) -> bool:
        """Whether the domain is known to send mail."""
        return bool(self.addresses or self.via)


Check = t.Callable[[Lookup, MailSystem], list[Finding]]


def run_checks(lookup: Lookup, system: MailSystem, names: t.Iterable[str]) -> list[Finding]:
    """Run the checks ``names`` (keys of :data:`CHECKS`) in that order. Bad records and failed lookups are findings."""
    return [finding for name in names for finding in CHECKS[name](lookup, system)]


# -- a: MR-DNS-04 ---------------------------------------------------------------------------------------------------


def check_a(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that the EHLO name is fully qualified and resolves to an egress address (RFC 5321 section 4.1.1.1)."""
    return [_judge_helo(lookup, system)]


def _judge_helo(lookup: Lookup, system: MailSystem) -> Finding:
    host = system.hostname
    if not host:
        remedy = "Set hostname to the name that the mail server gives with EHLO."
        return controls.HELO.not_checked(system.domain, "No host name was given.", remedy)
    if not system.sends_directly:
        return controls.HELO.not_applicable(host, f"Receivers see the EHLO name of {_joined(system.via)}, not {host}.")
    if not is_fqdn(host):
        message = f"The EHLO name {host} is not a fully qualified host name."
        return controls.HELO.failed(host, message, "Use a name such as mail.example.com with EHLO.")
    try:
        found = addresses_of(lookup, host)
        if not found:
            message = f"The EHLO name {host} does not resolve to an address: {_why_no_address(lookup, host)}."
            return controls.HELO.failed(host, message, f"Publish an A or AAAA record for {host}.")
    except LookupFailed as error:
        return controls.HELO.undecided(host, error)
    return _judge_helo_addresses(system, found)


def _judge_helo_addresses(system: MailSystem, found: t.Sequence[Address]) -> Finding:
    host = system.hostname
    if not system.addresses:
        message = f"The EHLO name {host} resolves to {_joined(found)}, but no egress address was given to compare with."
        return controls.HELO.not_checked(host, message, "Set addresses to the addresses that mail leaves from.")
    if not set(found) & set(system.addresses):
        egress = _joined(system.addresses)
        message = f"The EHLO name {host} resolves to {_joined(found)}, but mail leaves from {egress}."
        return controls.HELO.failed(host, message, f"Publish A or AAAA records for {host} with {egress}.")
    return controls.HELO.passed(host, f"The EHLO name {host} resolves to {_joined(found)}.")


# -- mx: MR-DNS-01 --------------------------------------------------------------------------------------------------


def check_mx(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that the domain has MX records whose targets have addresses and are not aliases (RFC 5321 section 5.1)."""
    domain = system.domain
    try:
        records = sorted(map(parse_mx, lookup.query(domain, "MX").values))
        if not records:
            return [_judge_missing_mx(lookup, domain)]
    except (LookupFailed, RecordSyntaxError) as error:
        return [controls.MX.undecided(domain, error)]
    if any(record.is_null for record in records):
        return [_judge_null_mx(system, records)]
    return [_judge_mx_target(lookup, domain, record.exchange) for record in records]


def _judge_missing_mx(lookup: Lookup, domain: str) -> Finding:
    """Without an MX record, mail goes to the address of the domain, if it has one (RFC 5321 section 5.1)."""
    reason = why_absent(lookup, domain, "MX", "no MX record")
    if not lookup.query(domain, "MX").exists:
        return controls.MX.failed(domain, f"{reason}, so no mail can reach {domain}.", _remedy_for_domain(domain))
    remedy = f"Publish an MX record for {domain} that names its mail server."
    try:
        found = addresses_of(lookup, domain)
    except LookupFailed:
        found = ()
    message = f"{reason}, so replies and bounces may not reach it."
    if found:
        message += f" Servers that fall back to its address try {_joined(found)}."
    return controls.MX.failed(domain, message, remedy)


def _remedy_for_domain(domain: str) -> str:
    return f"Check the spelling of {domain}, its registration and its delegation."


def _judge_null_mx(system: MailSystem, records: t.Sequence[MxRecord]) -> Finding:
    """A null MX is the only MX record (RFC 7505 section 3), and its domain does not send mail (section 4.2)."""
    domain = system.domain
    if len(records) > 1:
        message = f"{domain} has both a null MX and other MX records."
        return controls.MX.failed(domain, message, "Remove the null MX, or all other MX records.")
    if system.sends:
        message = f"{domain} sends mail but has a null MX, so many receivers reject its mail."
        return controls.MX.failed(domain, message, "Replace it with an MX record that names a mail server.")
    return controls.MX.not_applicable(domain, f"{domain} has a null MX: it accepts no mail.")


def _judge_mx_target(lookup: Lookup, domain: str, target: str) -> Finding:
    if _is_address(target):
        message = f"The MX target {target} of {domain} is an IP address, but an MX record must name a host."
        return controls.MX.failed(target, message, "Name a host in the MX record, and give that host the address.")
    try:
        alias = lookup.query(target, "CNAME").values
        found = addresses_of(lookup, target)
        absence = "" if found or alias else _why_no_address(lookup, target)
    except InvalidName as error:
        message = f"The MX target of {domain} is malformed: {error}."
        return controls.MX.failed(target, message, "Name a host in the MX record.")
    except LookupFailed as error:
        return controls.MX.undecided(target, error)
    if alias:
        message = f"The MX target {target} of {domain} is an alias of {alias[0]}."
        if not found:
            message = f"{message[:-1]}, which has no address."
        return controls.MX.failed(target, message, f"Name {alias[0]} in the MX record, or give {target} an A record.")
    if not found:
        message = f"The MX target {target} of {domain} has no address. {absence}."
        remedy = f"Publish an A or AAAA record for {target}, or remove its MX record."
        if target.endswith(f".{domain}") and "." in target[: -len(domain) - 1]:
            remedy += f" If {target[: -len(domain) - 1]} is meant, end the name with a dot in the zone file."
        return controls.MX.failed(target, message, remedy)
    return controls.MX.passed(target, f"The MX target {target} of {domain} resolves to {_joined(found)}.")


# -- ptr: MR-DNS-03, and the reverse name for MR-DNS-04 -------------------------------------------------------------


def check_ptr(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that each egress address has a name that leads back to it (RFC 1912 section 2.1), and is the EHLO name."""
    if system.addresses:
        return [finding for address in system.addresses for finding in _judge_reverse(lookup, system, address)]
    if system.via:
        message = f"Receivers see the addresses of {_joined(system.via)}, whose operator sets their reverse names."
        return [controls.FCRDNS.not_applicable(system.domain, message)]
    remedy = "Set addresses to the addresses that mail leaves from."
    return [controls.FCRDNS.not_checked(system.domain, "No egress address was given.", remedy)]


def _judge_reverse(lookup: Lookup, system: MailSystem, address: Address) -> list[Finding]:
    subject = str(address)
    wanted = system.hostname or "the name that the mail server gives with EHLO"
    try:
        names = lookup.query(reverse_pointer(address), "PTR").values
        confirmed, doubts, problem = _confirm(lookup, names, address)
    except LookupFailed as error:
        return [controls.FCRDNS.undecided(subject, error)]
    if not names:
        remedy = f"Ask the provider of {address} to set its PTR record to {wanted}."
        return [controls.FCRDNS.failed(subject, f"{address} has no PTR record.", remedy)]
    if confirmed:
        message = f"{address} has the reverse name {_joined(confirmed)}, which leads back to it."
        return [controls.FCRDNS.passed(subject, message), *_judge_same_name(system, address, confirmed)]
    if problem:
        return [controls.FCRDNS.undecided(subject, problem)]
    message = f"{address} has the reverse name {_joined(names)}, which does not lead back to it. {' '.join(doubts)}"
    remedy = f"Make the PTR record of {address} and the address of {wanted} match."
    return [controls.FCRDNS.failed(subject, message, remedy)]


def _confirm(
    lookup: Lookup, names: t.Sequence[str], address: Address
) -> tuple[list[str], list[str], LookupFailed | None]:
    """The names that resolve to ``address``, a sentence for each that does not, and the error of the last lookup."""
    confirmed, doubts, problem = [], [], None
    for name in names:
        try:
            found = addresses_of(lookup, name, [address.version])
            if address in found:
                confirmed.append(name)
            elif found:
                doubts.append(f"{name} resolves to {_joined(found)}.")
            else:
                doubts.append(f"{_why_no_address(lookup, name, ADDRESS_TYPES[address.version])}.")
        except InvalidName as error:
            doubts.append(f"{error}.")
        except LookupFailed as error:
            problem = error
    return confirmed, doubts, problem


def _judge_same_name(system: MailSystem, address: Address, names: t.Sequence[str]) -> list[Finding]:
    """Check that the reverse name is the EHLO name, as MR-DNS-04 requires."""
    host = system.hostname
    if not host:
        return []
    if host.rstrip(".").lower() in (name.lower() for name in names):
        return [controls.HELO.passed(str(address), f"The reverse name of {address} is the EHLO name {host}.")]
    message = f"The reverse name of {address} is {_joined(names)}, but the EHLO name is {host}."
    remedy = f"Ask the provider of {address} to set its PTR record to {host}, or use {names[0]} with EHLO."
    return [controls.HELO.failed(str(address), message, remedy)]


# -- spf: MR-SPF-01, MR-SPF-02 and MR-SPF-03 ------------------------------------------------------------------------


def check_spf(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that the domain has one valid SPF record (RFC 7208 section 4.5), which passes its mail and no other."""
    findings = _judge_spf_record(lookup, system.domain)
    findings += [_judge_spf_address(lookup, system, address) for address in system.addresses]
    findings += [_judge_spf_upstream(lookup, system, upstream) for upstream in system.via]
    if not system.sends:
        remedy = "Set addresses to the addresses that mail leaves from, or via to the upstream hosts."
        findings.append(controls.SPF_PASS.not_checked(system.domain, "No egress address was given.", remedy))
    return findings


def _judge_spf_record(lookup: Lookup, domain: str) -> list[Finding]:
    try:
        texts = spf_records(lookup, domain)
        if not texts:
            return [_judge_missing_spf(lookup, domain)]
        if len(texts) > 1:
            message = f"{domain} has {len(texts)} SPF records, and receivers may use none of them."
            return [controls.SPF_RECORD.failed(domain, message, "Merge them into one record.")]
        record = parse_spf(texts[0])
    except LookupFailed as error:
        return [controls.SPF_RECORD.undecided(domain, error)]
    except RecordSyntaxError as error:
        message = f"The SPF record of {domain} is invalid: {error}."
        remedy = "Correct the record; until then, receivers ignore all of it."
        return [controls.SPF_RECORD.failed(domain, message, remedy)]
    return [_judge_spf_terms(lookup, domain, record), _judge_spf_policy(lookup, domain, record)]


def _judge_missing_spf(lookup: Lookup, domain: str) -> Finding:
    remedy = f'Publish a TXT record for {domain} that begins with "v=spf1" and ends with "-all" or "~all".'
    if not lookup.query(domain, "TXT").exists:
        remedy = _remedy_for_domain(domain)
    elif mangled_records(lookup, domain):
        remedy = 'Correct the beginning of the record: "v=spf1", a blank, and then the terms, without quotation marks.'
    return controls.SPF_RECORD.failed(domain, f"{why_no_record(lookup, domain)}.", remedy)


def _judge_spf_terms(lookup: Lookup, domain: str, record: SpfRecord) -> Finding:
    """Judge a valid record by its terms, some of which may be without effect."""
    if record.idle:
        message = f"The SPF record of {domain} has terms that receivers ignore: {'; '.join(record.idle)}."
        return controls.SPF_RECORD.failed(domain, message, "Correct these terms, or remove them.")
    message = f"{domain} has one valid SPF record."
    mangled = mangled_records(lookup, domain)
    if mangled:
        message += f" Receivers ignore another TXT record, which was meant as one: {mangled[0]}."
    return controls.SPF_RECORD.passed(domain, message)


def _judge_spf_policy(lookup: Lookup, domain: str, record: SpfRecord) -> Finding:
    """Judge what a valid record says of hosts that do not send for the domain."""
    outcome = for_strangers(lookup, domain)
    if outcome.result is SpfResult.TEMPERROR:
        return controls.SPF_POLICY.undecided(domain, outcome.reason)
    if outcome.result in _POLICY_FAULTS:
        meaning, remedy = _POLICY_FAULTS[outcome.result]
        return controls.SPF_POLICY.failed(domain, f"The SPF record of {domain} {meaning}: {outcome.reason}.", remedy)
    wide = [mechanism.text for mechanism in record.mechanisms if mechanism.is_too_wide]
    if wide:
        message = f"The SPF record of {domain} lets networks send that no organization can have: {_joined(wide)}."
        return controls.SPF_POLICY.failed(domain, message, "Correct the number behind the slash.")
    if any(mechanism.name == "ptr" for mechanism in record.mechanisms):
        message = f"The SPF record of {domain} uses ptr, which is slow and unreliable, so some receivers ignore it."
        return controls.SPF_POLICY.failed(domain, message, "Replace ptr with a, mx, ip4 or ip6.")
    message = f"SPF of {domain} gives hosts that are not listed the result {outcome.result.value}: {outcome.reason}."
    return controls.SPF_POLICY.passed(domain, message)


#: What the record does and the remedy, by its result for hosts that do not send for the domain.
_POLICY_FAULTS = {
    SpfResult.PASS: (
        "lets hosts all over the Internet send for it",
        'List only the hosts that send for the domain, and end the record with "-all" or "~all".',
    ),
    SpfResult.NEUTRAL: (
        "gives hosts that are not listed the result neutral, as if there were no record",
        'End the record with "-all" or "~all".',
    ),
    SpfResult.PERMERROR: (
        "cannot be evaluated",
        "Correct the record and the records that it includes.",
    ),
}


def _judge_spf_address(lookup: Lookup, system: MailSystem, address: Address) -> Finding:
    outcome = check_host(lookup, address, system.domain, helo=system.hostname)
    if outcome.result is SpfResult.TEMPERROR:
        return controls.SPF_PASS.undecided(str(address), outcome.reason)
    message = f"The SPF result of {system.domain} for {address} is {outcome.result.value}: {outcome.reason}."
    if outcome.result is SpfResult.PASS:
        return controls.SPF_PASS.passed(str(address), message)
    remedy = f"Add ip{address.version}:{address} to the SPF record of {system.domain}."
    if outcome.result is SpfResult.PERMERROR:
        remedy = f"Correct the SPF record of {system.domain} and the records that it includes."
    if outcome.result is SpfResult.NONE:
        remedy = f"Publish one valid SPF record for {system.domain}, with ip{address.version}:{address}."
    return controls.SPF_PASS.failed(str(address), message, remedy)


def _judge_spf_upstream(lookup: Lookup, system: MailSystem, upstream: str) -> Finding:
    """Evaluate SPF for the addresses of an upstream in the DNS, in place of those it sends from, which are unknown.

    A pass for all of them is a pass. Any other result is not a failure: many providers accept mail on other addresses
    than those they send from.
    """
    try:
        found = _upstream_addresses(lookup, upstream)
        if not found:
            message = f"The upstream {upstream} cannot be judged by SPF: {_why_no_address(lookup, upstream)}."
            return controls.SPF_PASS.not_checked(upstream, message, f"Check the spelling of {upstream} in via.")
    except (InvalidName, LookupFailed) as error:
        return controls.SPF_PASS.undecided(upstream, error)
    outcomes = [check_host(lookup, address, system.domain, helo=upstream) for address in found]
    if all(outcome.result is SpfResult.PASS for outcome in outcomes):
        message = f"The SPF result of {system.domain} for {upstream} is pass: {_joined(found)}."
        return controls.SPF_PASS.passed(upstream, message)
    message = f"SPF of {system.domain} does not pass the addresses of {upstream}, which may send from other addresses."
    remedy = f"Make sure that the SPF record has the include: term that the operator of {upstream} documents."
    return controls.SPF_PASS.not_checked(upstream, message, remedy)


def _upstream_addresses(lookup: Lookup, upstream: str) -> tuple[Address, ...]:
    """The addresses of an upstream, which is a host name or an address."""
    try:
        return (parse_address(upstream),)
    except ValueError:
        return addresses_of(lookup, upstream)


def _why_no_address(lookup: Lookup, name: str, rdtype: str = "A") -> str:
    if name in ("", "."):
        return "The root of the DNS is not a host"
    return why_absent(lookup, name, rdtype, "no A or AAAA record")


def _is_address(text: str) -> bool:
    try:
        parse_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _joined(values: t.Iterable[object]) -> str:
    return ", ".join(map(str, values))


#: The checks by their names in the option ``checks``.
CHECKS: dict[str, Check] = {"a": check_a, "mx": check_mx, "ptr": check_ptr, "spf": check_spf}
