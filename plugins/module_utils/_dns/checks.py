# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the DNS records of a mail domain and of the hosts that send for it. Pure: all DNS goes through a lookup."""

from __future__ import annotations

import dataclasses
import typing as t

from .._controls.finding import Finding
from . import rules
from .errors import InvalidName, LookupFailed, RecordSyntaxError
from .lookup import Lookup, addresses_of
from .names import Address, is_fqdn, parse_address, reverse_pointer
from .records import MxRecord, parse_mx, parse_spf
from .spf import SpfResult, check_host, spf_records


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
        return rules.HELO.not_checked(system.domain, "No host name was given.", remedy)
    if not system.sends_directly:
        return rules.HELO.not_applicable(host, f"Receivers see the EHLO name of {_joined(system.via)}, not {host}.")
    if not is_fqdn(host):
        message = f"The EHLO name {host} is not a fully qualified host name."
        return rules.HELO.failed(host, message, "Use a name such as mail.example.com with EHLO.")
    try:
        found = addresses_of(lookup, host)
    except LookupFailed as error:
        return rules.HELO.undecided(host, error)
    return _judge_helo_addresses(system, found)


def _judge_helo_addresses(system: MailSystem, found: t.Sequence[Address]) -> Finding:
    host = system.hostname
    if not found:
        message = f"The EHLO name {host} does not resolve to an address."
        return rules.HELO.failed(host, message, f"Publish an A or AAAA record for {host}.")
    if not system.addresses:
        message = f"The EHLO name {host} resolves to {_joined(found)}, but no egress address was given to compare with."
        return rules.HELO.not_checked(host, message, "Set addresses to the addresses that mail leaves from.")
    if not set(found) & set(system.addresses):
        egress = _joined(system.addresses)
        message = f"The EHLO name {host} resolves to {_joined(found)}, but mail leaves from {egress}."
        return rules.HELO.failed(host, message, f"Publish A or AAAA records for {host} with {egress}.")
    return rules.HELO.passed(host, f"The EHLO name {host} resolves to {_joined(found)}.")


# -- mx: MR-DNS-01 --------------------------------------------------------------------------------------------------


def check_mx(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that the domain has MX records whose targets have addresses and are not aliases (RFC 5321 section 5.1)."""
    domain = system.domain
    try:
        records = sorted(map(parse_mx, lookup.query(domain, "MX").values))
    except (LookupFailed, RecordSyntaxError) as error:
        return [rules.MX.undecided(domain, error)]
    if not records:
        message = f"{domain} has no MX record, so replies and bounces may not reach it."
        return [rules.MX.failed(domain, message, f"Publish an MX record for {domain} that names its mail server.")]
    if any(record.is_null for record in records):
        return [_judge_null_mx(system, records)]
    return [_judge_mx_target(lookup, domain, record.exchange) for record in records]


def _judge_null_mx(system: MailSystem, records: t.Sequence[MxRecord]) -> Finding:
    """A null MX is the only MX record (RFC 7505 section 3), and its domain does not send mail (section 4.2)."""
    domain = system.domain
    if len(records) > 1:
        message = f"{domain} has both a null MX and other MX records."
        return rules.MX.failed(domain, message, "Remove the null MX, or all other MX records.")
    if system.sends:
        message = f"{domain} sends mail but has a null MX, so many receivers reject its mail."
        return rules.MX.failed(domain, message, "Replace it with an MX record that names a mail server.")
    return rules.MX.not_applicable(domain, f"{domain} has a null MX: it accepts no mail.")


def _judge_mx_target(lookup: Lookup, domain: str, target: str) -> Finding:
    try:
        alias = lookup.query(target, "CNAME").values
        found = addresses_of(lookup, target)
    except InvalidName as error:
        message = f"The MX target of {domain} is malformed: {error}."
        return rules.MX.failed(target, message, "Name a host in the MX record.")
    except LookupFailed as error:
        return rules.MX.undecided(target, error)
    if alias:
        message = f"The MX target {target} of {domain} is an alias of {alias[0]}."
        return rules.MX.failed(target, message, f"Name {alias[0]} in the MX record, or give {target} an A record.")
    if not found:
        message = f"The MX target {target} of {domain} has no address."
        return rules.MX.failed(target, message, f"Publish an A or AAAA record for {target}, or remove its MX record.")
    return rules.MX.passed(target, f"The MX target {target} of {domain} resolves to {_joined(found)}.")


# -- ptr: MR-DNS-03, and the reverse name for MR-DNS-04 -------------------------------------------------------------


def check_ptr(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that each egress address has a name that leads back to it (RFC 1912 section 2.1), and is the EHLO name."""
    if system.addresses:
        return [finding for address in system.addresses for finding in _judge_reverse(lookup, system, address)]
    if system.via:
        message = f"Receivers see the addresses of {_joined(system.via)}, whose operator sets their reverse names."
        return [rules.FCRDNS.not_applicable(system.domain, message)]
    remedy = "Set addresses to the addresses that mail leaves from."
    return [rules.FCRDNS.not_checked(system.domain, "No egress address was given.", remedy)]


def _judge_reverse(lookup: Lookup, system: MailSystem, address: Address) -> list[Finding]:
    subject = str(address)
    wanted = system.hostname or "the name that the mail server gives with EHLO"
    try:
        names = lookup.query(reverse_pointer(address), "PTR").values
        confirmed, problem = _confirm(lookup, names, address)
    except LookupFailed as error:
        return [rules.FCRDNS.undecided(subject, error)]
    if not names:
        remedy = f"Ask the provider of {address} to set its PTR record to {wanted}."
        return [rules.FCRDNS.failed(subject, f"{address} has no PTR record.", remedy)]
    if confirmed:
        message = f"{address} has the reverse name {_joined(confirmed)}, which leads back to it."
        return [rules.FCRDNS.passed(subject, message), *_judge_same_name(system, address, confirmed)]
    if problem:
        return [rules.FCRDNS.undecided(subject, problem)]
    message = f"{address} has the reverse name {_joined(names)}, which does not lead back to it."
    remedy = f"Make the PTR record of {address} and the address of {wanted} match."
    return [rules.FCRDNS.failed(subject, message, remedy)]


def _confirm(lookup: Lookup, names: t.Sequence[str], address: Address) -> tuple[list[str], LookupFailed | None]:
    """The names that resolve to ``address``, and the error of the last failed lookup."""
    confirmed, problem = [], None
    for name in names:
        try:
            if address in addresses_of(lookup, name, [address.version]):
                confirmed.append(name)
        except InvalidName:
            continue
        except LookupFailed as error:
            problem = error
    return confirmed, problem


def _judge_same_name(system: MailSystem, address: Address, names: t.Sequence[str]) -> list[Finding]:
    """Check that the reverse name is the EHLO name, as MR-DNS-04 requires."""
    host = system.hostname
    if not host:
        return []
    if host.rstrip(".").lower() in (name.lower() for name in names):
        return [rules.HELO.passed(str(address), f"The reverse name of {address} is the EHLO name {host}.")]
    message = f"The reverse name of {address} is {_joined(names)}, but the EHLO name is {host}."
    remedy = f"Ask the provider of {address} to set its PTR record to {host}, or use {names[0]} with EHLO."
    return [rules.HELO.failed(str(address), message, remedy)]


# -- spf: MR-SPF-01 and MR-SPF-02 -----------------------------------------------------------------------------------


def check_spf(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that the domain has one valid SPF record (RFC 7208 section 4.5), which passes all its mail."""
    findings = [_judge_spf_record(lookup, system)]
    findings += [_judge_spf_address(lookup, system, address) for address in system.addresses]
    findings += [_judge_spf_upstream(lookup, system, upstream) for upstream in system.via]
    if not system.sends:
        remedy = "Set addresses to the addresses that mail leaves from, or via to the upstream hosts."
        findings.append(rules.SPF_PASS.not_checked(system.domain, "No egress address was given.", remedy))
    return findings


def _judge_spf_record(lookup: Lookup, system: MailSystem) -> Finding:
    domain = system.domain
    try:
        texts = spf_records(lookup, domain)
        if not texts:
            remedy = f'Publish a TXT record for {domain} that begins with "v=spf1" and ends with "-all" or "~all".'
            return rules.SPF_RECORD.failed(domain, f"{domain} has no SPF record.", remedy)
        if len(texts) > 1:
            message = f"{domain} has {len(texts)} SPF records, and receivers may use none of them."
            return rules.SPF_RECORD.failed(domain, message, "Merge them into one record.")
        parse_spf(texts[0])
    except LookupFailed as error:
        return rules.SPF_RECORD.undecided(domain, error)
    except RecordSyntaxError as error:
        message = f"The SPF record of {domain} is invalid: {error}."
        return rules.SPF_RECORD.failed(domain, message, "Correct the record; until then, receivers ignore all of it.")
    return rules.SPF_RECORD.passed(domain, f"{domain} has one valid SPF record.")


def _judge_spf_address(lookup: Lookup, system: MailSystem, address: Address) -> Finding:
    outcome = check_host(lookup, address, system.domain, helo=system.hostname)
    if outcome.result is SpfResult.TEMPERROR:
        return rules.SPF_PASS.undecided(str(address), outcome.reason)
    message = f"The SPF result of {system.domain} for {address} is {outcome.result.value}: {outcome.reason}."
    if outcome.result is SpfResult.PASS:
        return rules.SPF_PASS.passed(str(address), message)
    remedy = f"Add ip{address.version}:{address} to the SPF record of {system.domain}."
    if outcome.result is SpfResult.PERMERROR:
        remedy = f"Correct the SPF record of {system.domain} and the records that it includes."
    return rules.SPF_PASS.failed(str(address), message, remedy)


def _judge_spf_upstream(lookup: Lookup, system: MailSystem, upstream: str) -> Finding:
    """Evaluate SPF for the addresses of an upstream in the DNS, in place of those it sends from, which are unknown.

    A pass for all of them is a pass. Any other result is not a failure: many providers accept mail on other addresses
    than those they send from.
    """
    try:
        found = _upstream_addresses(lookup, upstream)
    except (InvalidName, LookupFailed) as error:
        return rules.SPF_PASS.undecided(upstream, error)
    outcomes = [check_host(lookup, address, system.domain, helo=upstream) for address in found]
    if outcomes and all(outcome.result is SpfResult.PASS for outcome in outcomes):
        message = f"The SPF result of {system.domain} for {upstream} is pass: {_joined(found)}."
        return rules.SPF_PASS.passed(upstream, message)
    message = f"SPF of {system.domain} does not pass the addresses of {upstream}, which may send from other addresses."
    remedy = f"Make sure that the SPF record has the include: term that the operator of {upstream} documents."
    return rules.SPF_PASS.not_checked(upstream, message, remedy)


def _upstream_addresses(lookup: Lookup, upstream: str) -> tuple[Address, ...]:
    """The addresses of an upstream, which is a host name or an address."""
    try:
        return (parse_address(upstream),)
    except ValueError:
        return addresses_of(lookup, upstream)


def _joined(values: t.Iterable[object]) -> str:
    return ", ".join(map(str, values))


#: The checks by their names in the option ``checks``.
CHECKS: dict[str, Check] = {"a": check_a, "mx": check_mx, "ptr": check_ptr, "spf": check_spf}
