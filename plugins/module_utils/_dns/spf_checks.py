# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a mail domain's SPF record: MR-SPF-01, MR-SPF-02 and MR-SPF-04. All DNS goes through a lookup."""

from __future__ import annotations

import typing as t

from .._controls.finding import Finding
from . import controls
from .dns_errors import InvalidName, LookupFailed, RecordSyntaxError
from .lookup import Lookup, addresses_of, why_no_address
from .mail_system import MailSystem
from .names import Address, parse_address
from .records import SpfRecord, parse_spf
from .spf import SpfResult, check_host, for_strangers, mangled_records, spf_records, why_no_record


def check_spf(lookup: Lookup, system: MailSystem) -> list[Finding]:
    """Check that the domain has one valid SPF record (RFC 7208 section 4.5), which passes its mail and no other."""
    findings = _judge_spf_record(lookup, system)
    findings += [_judge_spf_address(lookup, system, address) for address in system.addresses]
    findings += [_judge_spf_upstream(lookup, system, upstream) for upstream in system.via]
    if not system.sends:
        remedy = "Set addresses to the addresses that mail leaves from, or via to the upstream hosts."
        findings.append(controls.SPF_PASS.not_checked(system.domain, "No egress address was given.", remedy))
    return findings


def _judge_spf_record(lookup: Lookup, system: MailSystem) -> list[Finding]:
    domain = system.domain
    try:
        texts = spf_records(lookup, domain)
        if not texts:
            return [_judge_missing_spf(lookup, system)]
        if len(texts) > 1:
            message = f"{domain} has {len(texts)} SPF records, and receivers may use none of them."
            remedy = 'Merge them into one record: "v=spf1", the terms of all, and one "all" at the end.'
            return [controls.SPF_RECORD.failed(domain, message, remedy)]
        record = parse_spf(texts[0])
    except LookupFailed as error:
        return [controls.SPF_RECORD.undecided(domain, error)]
    except RecordSyntaxError as error:
        message = f"The SPF record of {domain} is invalid: {error}."
        remedy = "Correct the record; until then, receivers use no part of it, and some reject the mail."
        return [controls.SPF_RECORD.failed(domain, message, remedy)]
    return [_judge_spf_terms(lookup, domain, record), _judge_spf_policy(lookup, domain, record)]


def _judge_missing_spf(lookup: Lookup, system: MailSystem) -> Finding:
    domain = system.domain
    message = f"{why_no_record(lookup, domain)}."
    if not lookup.query(domain, "TXT").exists:
        return controls.SPF_RECORD.failed(domain, message, controls.remedy_for_domain(domain))
    if mangled_records(lookup, domain):
        remedy = 'Correct the beginning of the record: "v=spf1", a blank, and then the terms, without quotation marks.'
        return controls.SPF_RECORD.failed(domain, message + _strays(lookup, domain), remedy)
    remedy = (
        f'Publish a TXT record for {domain} with "v=spf1", a term for each host that sends its mail, and "~all" or'
        ' "-all" at the end.'
    )
    place = _misplaced_record(lookup, system)
    if place:
        message += f" There is one at {place}, where receivers do not look for mail from {domain}."
        remedy += f" Take the terms from {place} if they are meant for {domain}."
    return controls.SPF_RECORD.failed(domain, message + _strays(lookup, domain), remedy)


def _misplaced_record(lookup: Lookup, system: MailSystem) -> str:
    """The first name near the domain that has an SPF record, if any. SPF is not inherited by subdomains."""
    domain = system.domain
    parent = domain.partition(".")[2]
    places = [form.format(domain=domain) for form in _MISPLACED]
    places += [system.hostname] * bool(system.hostname) + [parent] * ("." in parent) + [f"{domain}.{domain}"]
    try:
        return next((place for place in places if spf_records(lookup, place)), "")
    except (InvalidName, LookupFailed):
        return ""


def _strays(lookup: Lookup, domain: str) -> str:
    """A sentence for each TXT record that belongs at another name."""
    texts = [text.strip(" \"'").replace(" ", "").lower() for text in lookup.query(domain, "TXT").values]
    return "".join(
        f" It has {kind} record, which receivers ignore there: it belongs at {place.format(domain=domain)}."
        for version, (kind, place) in _PLACES.items()
        if any(text.startswith(version) for text in texts)
    )


#: Where an SPF record is put by mistake, beside the EHLO name, the parent, and the name twice for want of a dot.
_MISPLACED = ("_spf.{domain}", "spf.{domain}", "_dmarc.{domain}", "www.{domain}")
#: The kind of a record and its proper place, by how its text begins (RFC 7489, 6376, 8461, 8460).
_PLACES = {
    "v=dmarc1": ("a DMARC", "_dmarc.{domain}"),
    "v=dkim1": ("a DKIM", "SELECTOR._domainkey.{domain}"),
    "v=stsv1": ("an MTA-STS", "_mta-sts.{domain}"),
    "v=tlsrptv1": ("a TLS reporting", "_smtp._tls.{domain}"),
}


def _judge_spf_terms(lookup: Lookup, domain: str, record: SpfRecord) -> Finding:
    """Judge a valid record by its terms, some of which may be without effect."""
    if record.idle:
        message = f"The SPF record of {domain} has terms that receivers ignore: {'; '.join(record.idle)}."
        return controls.SPF_RECORD.failed(domain, message, "Correct these terms, or remove them.")
    message = f"{domain} has one valid SPF record."
    mangled = mangled_records(lookup, domain)
    if mangled:
        message += f" Receivers ignore another TXT record, which was meant as one: {mangled[0]}."
    return controls.SPF_RECORD.passed(domain, message + _strays(lookup, domain))


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
        'List all hosts that send for the domain and no others, and end the record with "~all" or "-all".',
    ),
    SpfResult.NEUTRAL: (
        "gives hosts that are not listed the result neutral, as if there were no record",
        'List all hosts that send for the domain, then end the record (or that of its redirect) with "~all" or "-all".',
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
    seen = system.described([address])
    message = f"The SPF result of {system.domain} for {seen} is {outcome.result.value}: {outcome.reason}."
    if outcome.result is SpfResult.PASS:
        return controls.SPF_PASS.passed(str(address), message)
    if outcome.result is SpfResult.PERMERROR:
        remedy = f"Correct the SPF record of {system.domain} and the records that it includes."
    else:
        remedy = system.egress_remedy(address, _list_address(lookup, system.domain, address, outcome.result))
    return controls.SPF_PASS.failed(str(address), message, remedy)


def _list_address(lookup: Lookup, domain: str, address: Address, result: SpfResult) -> str:
    term = f"ip{address.version}:{address}"
    if result is not SpfResult.NONE:
        return f'Add {term} behind "v=spf1" in the SPF record of {domain}.'
    if mangled_records(lookup, domain):
        return f"Correct the mangled record, and make sure that it has {term} or another term for {address}."
    return f"Publish one valid SPF record for {domain}, with {term}."


def _judge_spf_upstream(lookup: Lookup, system: MailSystem, upstream: str) -> Finding:
    """Evaluate SPF for the addresses of an upstream in the DNS, in place of those it sends from, which are unknown.

    A pass for all of them is a pass. Any other result is not a failure: many providers accept mail on other addresses
    than those they send from.
    """
    try:
        found = _upstream_addresses(lookup, upstream)
        if not found:
            message = f"The upstream {upstream} cannot be judged by SPF: {why_no_address(lookup, upstream)}."
            return controls.SPF_PASS.not_checked(upstream, message, f"Check the spelling of {upstream} in via.")
    except (InvalidName, LookupFailed) as error:
        return controls.SPF_PASS.undecided(upstream, error)
    outcomes = [check_host(lookup, address, system.domain, helo=upstream) for address in found]
    if all(outcome.result is SpfResult.PASS for outcome in outcomes):
        message = f"The SPF result of {system.domain} for {upstream} is pass: {system.described(found)}."
        return controls.SPF_PASS.passed(upstream, message)
    message = f"SPF of {system.domain} does not pass the addresses of {upstream}, which may send from other addresses."
    remedy = f"Make sure that the SPF record has the include: term that the operator of {upstream} documents."
    hidden = [address for address in found if system.hidden(address)]
    if hidden:
        message = f"SPF of {system.domain} cannot be judged for {upstream}: it resolves to {system.described(found)}."
        remedy = f"Make sure that SPF passes the public addresses from which mail leaves behind {upstream}."
    return controls.SPF_PASS.not_checked(upstream, message, remedy)


def _upstream_addresses(lookup: Lookup, upstream: str) -> tuple[Address, ...]:
    """The addresses of an upstream, which is a host name or an address."""
    try:
        return (parse_address(upstream),)
    except ValueError:
        return addresses_of(lookup, upstream)


def _joined(values: t.Iterable[object]) -> str:
    return ", ".join(map(str, values))
