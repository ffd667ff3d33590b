# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of DNSSEC, DANE, CAA, block lists, the servers of the zone and IPv6, judged by the facts alone."""

from __future__ import annotations

import typing as t

from .._controls.finding import Finding
from .._evidence.dns_trust import DaneFacts, DnssecState, Listing
from . import controls
from .dns_errors import few
from .mail_system import MailSystem
from .survey import Survey

# -- dnssec: MR-DNS-07 and MR-DNS-08 --------------------------------------------------------------------------------

_VALIDATING = "Ask name servers that validate, such as those that the relay itself uses."


def check_dnssec(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that the domain is signed and valid, and that the name servers that were asked notice if it is not."""
    return [_judge_state(survey, system.domain), _judge_resolver(survey)]


def _judge_state(survey: Survey, domain: str) -> Finding:
    facts = survey.facts.dnssec
    state = facts.state if facts else None
    if state is DnssecState.SECURE:
        return controls.DNSSEC.passed(domain, f"DNSSEC proves the records of {domain}.")
    if state is DnssecState.BOGUS:
        message = f"The DNSSEC signatures of {domain} are not valid, so that servers that validate cannot reach it."
        return controls.DNSSEC.failed(domain, message, "Correct the signatures, or the DS record at the registrar.")
    if state is DnssecState.INSECURE:
        message = f"{domain} is not secured by DNSSEC: "
        message += (
            "it is signed, but the zone above has no DS record." if facts and facts.signed else "it is not signed."
        )
        return controls.DNSSEC.failed(domain, message, "Sign the zone, and have the registrar publish the DS record.")
    if facts and facts.resolver_validates is False:
        message = "The name servers that were asked do not validate, so that DNSSEC is not known."
        return controls.DNSSEC.not_checked(domain, message, _VALIDATING)
    return controls.DNSSEC.undecided(domain, survey.why("dnssec"))


def _judge_resolver(survey: Survey) -> Finding:
    servers = ", ".join(survey.facts.nameservers) or "the name servers"
    validates = survey.facts.dnssec.resolver_validates if survey.facts.dnssec else None
    if validates is None:
        return controls.VALIDATION.undecided(servers, survey.why("dnssec"))
    if validates:
        return controls.VALIDATION.passed(servers, f"{servers} validate DNSSEC.")
    message = f"{servers} do not validate DNSSEC, or do not say so, so that mail by DANE is not possible."
    return controls.VALIDATION.failed(servers, message, "Turn on DNSSEC validation in the resolver.")


# -- dane: MR-DANE-01 and MR-DANE-02 --------------------------------------------------------------------------------


def check_dane(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that TLSA records are proved by DNSSEC, are usable, and match the certificates."""
    facts = survey.facts.dane
    if facts is None:
        return [controls.DANE.undecided(system.domain, survey.why("mx"))]
    if not facts:
        return [controls.DANE.not_applicable(system.domain, f"{system.domain} has no mail server.")]
    return [finding for one in facts for finding in _judge_server(survey, one)]


def _judge_server(survey: Survey, facts: DaneFacts) -> list[Finding]:
    host = facts.host
    if facts.records is None:
        return [controls.DANE.undecided(host, survey.why(f"dane.{host}"))]
    if not facts.records:
        return [controls.DANE.not_applicable(host, f"{host} has no TLSA record for port {facts.port}.")]
    usable = [one for one in facts.records if not one.error]
    dnssec = survey.facts.dnssec
    if not usable:
        message = f"Senders cannot use the TLSA records of {host}: {facts.records[0].error}."
        return [controls.DANE.failed(host, message, "Publish a record that begins with 3 1 1.")]
    if not facts.secure and not (dnssec and dnssec.resolver_validates):
        message = (
            "The name servers that were asked do not validate, so that it is not known whether DNSSEC proves them."
        )
        return [controls.DANE.not_checked(host, message, _VALIDATING), _judge_chain(facts)]
    if not facts.secure:
        message = f"Senders ignore the TLSA records of {host}, which DNSSEC does not prove."
        return [controls.DANE.failed(host, message, "Sign the zone, or remove the TLSA records."), _judge_chain(facts)]
    return [controls.DANE.passed(host, f"{host} has TLSA records, which DNSSEC proves."), _judge_chain(facts)]


def _judge_chain(facts: DaneFacts) -> Finding:
    host = facts.host
    if facts.matches is None:
        remedy = "Set certificates to the chain of the mail server."
        return controls.DANE_MATCH.not_checked(host, "No certificate was given to compare with.", remedy)
    if not facts.matches:
        message = f"No TLSA record of {host} matches its certificates, so that senders refuse to deliver."
        return controls.DANE_MATCH.failed(host, message, f"Publish a TLSA record for the certificate of {host}.")
    spare = "Another record is there for the next key." if facts.spare else "There is no record for the next key yet."
    return controls.DANE_MATCH.passed(host, f"A TLSA record of {host} matches its certificates. {spare}")


# -- caa: MR-DNS-10 -------------------------------------------------------------------------------------------------


def check_caa(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that the authority of the certificates may issue them."""
    facts, authority = survey.facts.caa, system.certificate_authority.lower()
    if facts is None or facts.records is None:
        return [controls.CAA.undecided(facts.name if facts else system.domain, survey.why("caa"))]
    if facts.issuers is None:
        return [controls.CAA.passed(facts.name, f"Any authority may issue certificates for {facts.name}.")]
    issuers = ", ".join(few(facts.issuers)) or "no authority"
    message = f"The CAA records of {facts.found_at} let {issuers} issue certificates for {facts.name}"
    if not authority:
        remedy = "Set certificate_authority to the name of the authority in CAA records, such as letsencrypt.org."
        return [controls.CAA.not_checked(facts.name, f"{message}.", remedy)]
    if authority in facts.issuers:
        return [controls.CAA.passed(facts.name, f"{message}.")]
    remedy = f'Add the CAA record 0 issue "{authority}" to {facts.found_at}.'
    if not facts.issuers:
        remedy += " Remove records that forbid it: critical ones (128) with a tag that authorities do not know."
    return [controls.CAA.failed(facts.name, f"{message}, but not {authority}.", remedy)]


# -- blocklists: MR-DNS-09 ------------------------------------------------------------------------------------------


def check_blocklists(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that no list has an egress address or the domain. A list that fails its own test decides nothing."""
    lists = survey.facts.blocklists
    if not lists:
        remedy = "Set blocklists to the lists that matter to the receivers, such as zen.spamhaus.org."
        return [controls.BLOCKLISTS.not_checked(system.domain, "No block list was given.", remedy)]
    if not any(one.listings for one in lists):
        remedy = "Set addresses to the addresses that mail leaves from."
        return [controls.BLOCKLISTS.not_checked(system.domain, "No egress address was given.", remedy)]
    return [_judge_listing(survey, one.name, listing) for one in lists for listing in one.listings]


def _judge_listing(survey: Survey, zone: str, listing: Listing) -> Finding:
    if listing.codes is None:
        return controls.BLOCKLISTS.undecided(listing.subject, survey.why(f"blocklists.{zone}"))
    if not listing.codes:
        return controls.BLOCKLISTS.passed(listing.subject, f"{listing.subject} is not on {zone}.")
    reason = f": {listing.reason}" if listing.reason else ""
    message = f"{listing.subject} is on {zone} ({', '.join(few(listing.codes))}){reason}".rstrip(".") + "."
    remedy = "Find and stop the cause, such as a client that was taken over; then ask the list to remove the entry."
    return controls.BLOCKLISTS.failed(listing.subject, message, remedy)


# -- authority: MR-DNS-11 -------------------------------------------------------------------------------------------


def check_authority(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that all authoritative servers answer, and give the same answers."""
    facts = survey.facts.authority
    if facts is None or facts.differing is None:
        return [controls.AUTHORITY.undecided(system.domain, survey.why("authority"))]
    if facts.differing:
        serials = ", ".join(f"{one.name} {one.serial}" for one in facts.servers if one.serial is not None)
        message = (
            f"The name servers of {facts.zone} differ in {', '.join(facts.differing)} (serial numbers: {serials})."
        )
        remedy = "Wait until the zone is transferred; if they still differ, correct the transfer."
        return [controls.AUTHORITY.failed(facts.zone, message, remedy)]
    silent = [one for one in facts.servers if one.serial is None]
    if silent:
        return [controls.AUTHORITY.undecided(one.name, survey.why(f"authority.{one.name}")) for one in silent]
    servers = ", ".join(one.name for one in facts.servers)
    return [controls.AUTHORITY.passed(facts.zone, f"The name servers of {facts.zone} agree: {servers}.")]


# -- ipv6: MR-DNS-06 ------------------------------------------------------------------------------------------------


def check_ipv6(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that IPv6 is as complete as IPv4: addresses, reverse names and SPF of the sending host."""
    host, facts = system.hostname, survey.facts
    if not system.sends_directly:
        message = f"Receivers see the addresses of the upstream, not those of {host or system.domain}."
        return [controls.IPV6.not_applicable(host or system.domain, message)]
    own = next((one for one in facts.hosts or () if one.name == host), None)
    if own and own.ipv6 is None:
        return [controls.IPV6.undecided(host, survey.why(f"hosts.{host}"))]
    published = own.ipv6 if own and own.ipv6 else ()
    leaving = [one for one in facts.egress or () if ":" in one.address]
    if not published and not leaving:
        return [controls.IPV6.not_applicable(host or system.domain, "No IPv6 address was found or given.")]
    unused = [address for address in published if address not in {one.address for one in leaving}]
    if unused and system.addresses:
        message = f"{host} has the IPv6 address {', '.join(unused)}, which is not one of the egress addresses."
        remedy = "Set addresses to all addresses that mail leaves from, or remove the AAAA record."
        return [controls.IPV6.failed(host, message, remedy)]
    passing = {one.address for one in (facts.spf.evaluations if facts.spf else ()) if one.result == "pass"}
    return [
        _judge_address(survey, one.address, one.confirmed, one.address in published, one.address in passing)
        for one in leaving
    ] or [controls.IPV6.not_checked(host, "No egress address was given.", "Set addresses to the egress addresses.")]


def _judge_address(
    survey: Survey, address: str, names: t.Sequence[str] | None, published: bool, passes: bool
) -> Finding:
    if names is None:
        return controls.IPV6.undecided(address, survey.why(f"egress.{address}"))
    if not passes and survey.why("spf"):
        return controls.IPV6.undecided(address, survey.why("spf"))
    wanted = {
        "an AAAA record of the EHLO name": published,
        "a reverse name that leads back to it": bool(names),
        "a pass by SPF": passes,
    }
    missing = [what for what, there in wanted.items() if not there]
    if missing:
        message = f"Mail leaves from {address}, which does not have {' and '.join(missing)}."
        return controls.IPV6.failed(address, message, "Publish these records, or send over IPv4 alone.")
    return controls.IPV6.passed(address, f"{address} has its name, its reverse name and SPF, as over IPv4.")
