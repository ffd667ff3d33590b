# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the DNS records of a mail domain and of the hosts that send for it. Pure: all DNS goes through a lookup."""

from __future__ import annotations

import typing as t

from .._controls.finding import Finding
from . import controls
from .dns_errors import InvalidName, LookupFailed, RecordSyntaxError
from .host_facts import MAX_TARGETS, names_asked
from .lookup import ADDRESS_TYPES, Lookup, addresses_of, end_of_alias, why_absent, why_no_address
from .mail_system import MailSystem
from .names import Address, is_address, require_fqdn, require_host, reverse_pointer
from .policy_checks import (
    FactCheck,
    check_dkim,
    check_dmarc,
    check_helo_spf,
    check_mta_sts,
    check_parked,
    check_spf_limits,
    check_tls_rpt,
)
from .records import MxRecord, parse_mx
from .scope import is_localhost, scope_of
from .spf_checks import check_spf
from .survey import Survey
from .trust_checks import check_authority, check_blocklists, check_caa, check_dane, check_dnssec, check_ipv6

Check = t.Callable[[Lookup, MailSystem], list[Finding]]


def run_checks(lookup: Lookup, system: MailSystem, names: t.Iterable[str], seen: Survey | None = None) -> list[Finding]:
    """Run the checks ``names`` in that order. Bad records and failed lookups are findings.

    Checks of :data:`FACT_CHECKS` judge what was ``seen``, and are left out without it.
    """
    findings = []
    for name in names:
        findings += CHECKS[name](lookup, system) if name in CHECKS else []
        findings += FACT_CHECKS[name](seen, system) if seen and name in FACT_CHECKS else []
    return findings


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
    try:
        require_fqdn(host)
        found = addresses_of(lookup, host)
        if not found:
            message = f"The EHLO name {host} does not resolve to an address: {why_no_address(lookup, host)}."
            remedy = system.name_remedy(host, _helo_remedy(system, found))
            return controls.HELO.failed(host, message, remedy)
    except InvalidName as error:
        message = f"The EHLO name {host} is not a fully qualified host name: {error.reason}."
        remedy = "Use a name such as mail.example.com with EHLO, and set hostname to it."
        return controls.HELO.failed(host, message, remedy)
    except LookupFailed as error:
        return controls.HELO.undecided(host, error)
    return _judge_helo_addresses(system, found)


def _judge_helo_addresses(system: MailSystem, found: t.Sequence[Address]) -> Finding:
    host = system.hostname
    message = f"The EHLO name {host} resolves to {system.described(found)}"
    if system.addresses and not set(found) & set(system.addresses):
        egress = system.described(system.addresses)
        return controls.HELO.failed(host, f"{message}, but mail leaves from {egress}.", _helo_remedy(system, found))
    if system.unreachable(found):
        return controls.HELO.failed(host, f"{message}.", _remove_addresses(system, host, found))
    if not system.addresses:
        message += ", but no egress address was given to compare with."
        return controls.HELO.not_checked(host, message, "Set addresses to the addresses that mail leaves from.")
    return controls.HELO.passed(host, f"{message}.")


def _helo_remedy(system: MailSystem, found: t.Sequence[Address]) -> str:
    """The records to publish for the EHLO name: never an address that receivers do not see."""
    if not system.addresses:
        return f"Publish an A or AAAA record for {system.hostname}."
    seen = [address for address in system.addresses if not system.hidden(address)]
    if not seen:
        return system.egress_remedy(system.addresses[0], "")
    wrong = system.unreachable(found)
    instead = f" in place of {_joined(wrong)}" if wrong else ""
    return f"Publish A or AAAA records for {system.hostname} with {_joined(seen)}{instead}."


def _remove_addresses(system: MailSystem, host: str, found: t.Sequence[Address]) -> str:
    """What to do about the addresses of ``host`` that other hosts cannot reach."""
    unreachable = system.unreachable(found)
    remedy = f"Remove {_joined(unreachable)} from the address records of {host}: other hosts cannot reach it there."
    if len(unreachable) == len(found):
        remedy += " Publish the public address of the host in their place."
    if any(scope and scope.is_private for scope in map(scope_of, unreachable)):
        # With split DNS, the record that other hosts see may be right.
        remedy += " If the name servers of your network alone answer so, set nameservers to public ones."
    return remedy


# -- mx: MR-DNS-01 --------------------------------------------------------------------------------------------------


def check_mx(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that the domain has MX records whose targets have addresses and are not aliases (RFC 5321 section 5.1)."""
    domain = system.domain
    try:
        records = sorted(map(parse_mx, lookup.query(domain, "MX").values))
        if not records:
            return [_judge_missing_mx(lookup, system)]
    except RecordSyntaxError as error:
        remedy = "Publish an MX record with a number and the name of a host, such as 10 mail.example.com."
        return [controls.MX.failed(domain, f"The MX record of {domain} is malformed: {error}.", remedy)]
    except LookupFailed as error:
        return [controls.MX.undecided(domain, error)]
    if any(record.is_null for record in records):
        return [_judge_null_mx(system, records)]
    findings = [_judge_mx_target(lookup, system, record.exchange) for record in records[:MAX_TARGETS]]
    if len(records) > MAX_TARGETS:
        rest = f"it has {len(records)} MX records, and only {MAX_TARGETS} targets were looked up"
        findings.append(controls.MX.undecided(domain, rest))
    return findings


def _judge_missing_mx(lookup: Lookup, system: MailSystem) -> Finding:
    """Without an MX record, mail goes to the address of the domain, if it has one (RFC 5321 section 5.1)."""
    domain = system.domain
    reason = why_absent(lookup, domain, "MX", "no MX record")
    if not lookup.query(domain, "MX").exists:
        return controls.MX.failed(
            domain, f"{reason}, so no mail can reach {domain}.", controls.remedy_for_domain(domain)
        )
    remedy = f"Publish an MX record for {domain} that names its mail server."
    try:
        found = addresses_of(lookup, domain)
    except LookupFailed:
        found = ()
    message = f"{reason}, so replies and bounces may not reach it."
    if found:
        message += f" Servers that fall back to its address try {system.described(found)}."
    return controls.MX.failed(domain, message, remedy)


def _judge_null_mx(system: MailSystem, records: t.Sequence[MxRecord]) -> Finding:
    """A null MX is the only MX record (RFC 7505 section 3), and its domain does not send mail (section 4.2)."""
    domain = system.domain
    if len(records) > 1:
        message = f"{domain} has both a null MX and other MX records."
        remedy = "Remove the null MX." if system.sends else "Remove the null MX, or all other MX records."
        return controls.MX.failed(domain, message, remedy)
    if system.sends:
        message = f"{domain} sends mail but has a null MX, so many receivers reject its mail."
        return controls.MX.failed(domain, message, "Replace it with an MX record that names a mail server.")
    return controls.MX.not_applicable(domain, f"{domain} has a null MX: it accepts no mail.")


def _judge_mx_target(lookup: Lookup, system: MailSystem, target: str) -> Finding:
    message = f"The MX target {target} of {system.domain}"
    if is_address(target):
        message += " is an IP address, but an MX record must name a host."
        return controls.MX.failed(target, message, "Name a host in the MX record, and give that host the address.")
    if is_localhost(target):
        message += " means, on each host, that host itself, so mail from other hosts does not arrive."
        return controls.MX.failed(target, message, _mx_remedy(system, "Name the mail server in the MX record."))
    try:
        require_host(target)
        alias = end_of_alias(lookup, target)
        found = addresses_of(lookup, target)
        absence = "" if found else why_no_address(lookup, target)
    except InvalidName as error:
        message = f"The MX target of {system.domain} is malformed: {error}."
        return controls.MX.failed(target, message, "Name a host such as mail.example.com in the MX record.")
    except LookupFailed as error:
        return controls.MX.undecided(target, error)
    if alias != target:
        return _judge_mx_alias(target, alias, found, message)
    if not found:
        remedy = system.name_remedy(target, _absent_target(target, system.domain))
        return controls.MX.failed(target, f"{message} has no address. {absence}.", remedy)
    message += f" resolves to {system.described(found)}."
    if system.unreachable(found):
        return controls.MX.failed(target, message, _mx_remedy(system, _remove_addresses(system, target, found)))
    return controls.MX.passed(target, message)


def _judge_mx_alias(target: str, alias: str, found: t.Sequence[Address], message: str) -> Finding:
    """An MX record must not name an alias (RFC 2181 section 10.3), beside which no other record may exist."""
    if not found:
        remedy = f"Replace the CNAME record of {target} by an A or AAAA record."
        return controls.MX.failed(target, f"{message} is an alias of {alias}, which has no address.", remedy)
    remedy = f"Name {alias} in the MX record, or give {target} an A or AAAA record in place of its CNAME record."
    return controls.MX.failed(target, f"{message} is an alias of {alias}.", remedy)


def _absent_target(target: str, domain: str) -> str:
    """What to do about a target without an address, which may come from a dot too few or too many in the zone file."""
    remedy = f"Publish an A or AAAA record for {target}, or name another host in the MX record."
    if "." not in target:
        return f"{remedy} If {target}.{domain} is meant, remove the final dot in the zone file."
    if target.endswith(f".{domain}") and "." in target[: -len(domain) - 1]:
        return f"{remedy} If {target[: -len(domain) - 1]} is meant, end the name with a dot in the zone file."
    return remedy


def _mx_remedy(system: MailSystem, remedy: str) -> str:
    """``remedy`` for a target that mail does not reach, which some publish on purpose."""
    if system.sends:
        return remedy
    return f'{remedy} If {system.domain} neither accepts nor sends mail, publish the null MX "0 ." alone (RFC 7505).'


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
    seen = system.described([address])
    wanted = _good_ehlo_name(system) or "the name that the mail server gives with EHLO"
    try:
        published = lookup.query(reverse_pointer(address), "PTR").values
        names = names_asked(published, system.hostname)
        confirmed, doubts, problem = _confirm(lookup, system, names, address)
    except LookupFailed as error:
        return [controls.FCRDNS.undecided(subject, error)]
    if not names:
        remedy = system.egress_remedy(address, f"Ask the provider of {address} to set its PTR record to {wanted}.")
        return [controls.FCRDNS.failed(subject, f"{seen} has no PTR record.", remedy)]
    if confirmed:
        message = f"{seen} has the reverse name {_joined(confirmed)}, which leads back to it."
        return [controls.FCRDNS.passed(subject, message), *_judge_same_name(system, address, confirmed)]
    if problem:
        return [controls.FCRDNS.undecided(subject, problem)]
    if len(names) < len(published):
        rest = f"it has {len(published)} reverse names, and the {len(names)} that were looked up do not lead back to it"
        return [controls.FCRDNS.undecided(subject, rest)]
    message = f"{seen} has the reverse name {_joined(names)}, which does not lead back to it. {' '.join(doubts)}"
    remedy = f"Make the PTR record of {address} and the address of {wanted} match."
    return [controls.FCRDNS.failed(subject, message, system.egress_remedy(address, remedy))]


def _good_ehlo_name(system: MailSystem) -> str:
    """The EHLO name if a PTR record may lead to it, else empty."""
    try:
        require_fqdn(system.hostname)
    except InvalidName:
        return ""
    return "" if system.name_remedy(system.hostname, "") else system.hostname


def _confirm(
    lookup: Lookup, system: MailSystem, names: t.Sequence[str], address: Address
) -> tuple[list[str], list[str], LookupFailed | None]:
    """The names that resolve to ``address``, a sentence for each that does not, and the error of the last lookup."""
    confirmed, doubts, problem = [], [], None
    for name in names:
        try:
            found = addresses_of(lookup, name, [address.version])
            if address in found:
                confirmed.append(name)
            elif found:
                doubts.append(f"{name} resolves to {system.described(found)}.")
            else:
                doubts.append(f"{_why_no_host(lookup, name, address)}.")
        except InvalidName as error:
            doubts.append(f"{error}.")
        except LookupFailed as error:
            problem = error
    return confirmed, doubts, problem


def _why_no_host(lookup: Lookup, name: str, address: Address) -> str:
    if name != ".":
        require_host(name)
    return why_no_address(lookup, name, ADDRESS_TYPES[address.version])


def _judge_same_name(system: MailSystem, address: Address, names: t.Sequence[str]) -> list[Finding]:
    """Check that the reverse name is the EHLO name, as MR-DNS-04 requires."""
    host = system.hostname
    if not host:
        return []
    if host.rstrip(".").lower() in (name.lower() for name in names):
        return [controls.HELO.passed(str(address), f"The reverse name of {address} is the EHLO name {host}.")]
    message = f"The reverse name of {address} is {_joined(names)}, but the EHLO name is {host}."
    remedy = f"Use {names[0]} with EHLO, and set hostname to it."
    if _good_ehlo_name(system):
        remedy = f"Ask the provider of {address} to set its PTR record to {host}, or use {names[0]} with EHLO."
    return [controls.HELO.failed(str(address), message, system.egress_remedy(address, remedy))]


def _joined(values: t.Iterable[object]) -> str:
    return ", ".join(map(str, values))


#: The checks that look up, by their names in the option ``checks``.
CHECKS: dict[str, Check] = {"a": check_a, "mx": check_mx, "ptr": check_ptr, "spf": check_spf}
#: The checks that judge facts. A name may be in both.
FACT_CHECKS: dict[str, FactCheck] = {
    "spf": check_spf_limits,
    "helo_spf": check_helo_spf,
    "ipv6": check_ipv6,
    "parked": check_parked,
    "dkim": check_dkim,
    "dmarc": check_dmarc,
    "mta_sts": check_mta_sts,
    "tls_rpt": check_tls_rpt,
    "dane": check_dane,
    "dnssec": check_dnssec,
    "caa": check_caa,
    "blocklists": check_blocklists,
    "authority": check_authority,
}
#: The parts of the facts that each check is about, and so the evidence.
PARTS: dict[str, tuple[str, ...]] = {
    "a": ("hosts",),
    "mx": ("mx", "hosts"),
    "ptr": ("egress",),
    "spf": ("spf",),
    "helo_spf": ("spf",),
    "ipv6": ("hosts", "egress", "spf"),
    "parked": ("mx", "spf", "dmarc"),
    "dkim": ("dkim",),
    "dmarc": ("dmarc",),
    "mta_sts": ("mx", "mta_sts", "dane"),
    "tls_rpt": ("mx", "tls_rpt"),
    "dane": ("mx", "dane", "dnssec"),
    "dnssec": ("dnssec",),
    "caa": ("caa",),
    "blocklists": ("blocklists",),
    "authority": ("authority",),
}
