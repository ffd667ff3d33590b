# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges that join what is seen from outside, in the DNS and over SMTP, with what the host says of itself."""

from __future__ import annotations

import dataclasses
import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._dns.checks import CHECKS
from .._dns.mail_system import MailSystem
from .._dns.names import Address, parse_address, reverse_pointer
from .._dns.recorded import recorded_system
from .._evidence.dns_policy import DkimFacts
from .._evidence.dns_trust import DaneFacts, TlsaFacts
from .._evidence.host_files import DkimKey
from .._evidence.host_network import Egress
from .._x509.certificate import covers
from .case import Case, Document, Judge, Judges, for_each, together
from .judge_dns import by_checks, findings_of, lookup_of
from .ports import lacks_tls, over_smtp
from .profiles import reaches_others, setting

# -- MR-DNS-03 and MR-SPF-02: the addresses that the host really uses -------------------------------------------------

#: The question without whose answer a check tells nothing, for a domain and an address.
_ASKED: t.Mapping[str, t.Callable[[str, Address], tuple[str, str]]] = {
    "ptr": lambda _domain, address: (reverse_pointer(address), "PTR"),
    "spf": lambda domain, _address: (domain, "TXT"),
}


def _other_addresses(check: str) -> Judge:
    """A judge of the addresses that mail leaves from, of which the check was not told."""

    def judge(case: Case, control: Control) -> t.Iterator[Finding]:
        for document in _direct(case):
            system, lookup = recorded_system(document.subject, document.facts), lookup_of(case, document)
            for address in _visible(case, system):
                if lookup.knows(*_ASKED[check](system.domain, address)):
                    found = CHECKS[check](lookup, dataclasses.replace(system, addresses=(address,)))
                    yield from (one for one in found if one.control == control.id)
                else:
                    message = f"Mail leaves from {address} too, but the DNS was not asked about it."
                    remedy = f"Add {address} to the addresses of mail_dns_info, or set smtp_bind_address to another."
                    yield control.not_checked(str(address), message, remedy)

    return judge


def _visible(case: Case, system: MailSystem) -> list[Address]:
    """The addresses of the host that receivers see, beside those that were given. NAT replaces a private one."""
    own = {parse_address(one.address) for one in _egress(case) if one.address}
    return [one for one in sorted(own - set(system.addresses), key=str) if not system.unreachable([one])]


def _direct(case: Case) -> t.Iterator[Document]:
    """The domains whose receivers see the addresses of this host."""
    documents = case.dns if case.has(EvidenceKind.DNS) else ()
    return (one for one in documents if one.facts.addresses)


def _egress(case: Case) -> tuple[Egress, ...]:
    """From where Postfix connects; nothing if that is not known, since the addresses that were given are judged."""
    return (case.host.facts.egress or ()) if case.has(EvidenceKind.HOST) else ()


# -- MR-DNS-04: the name that Postfix really gives --------------------------------------------------------------------


def _ehlo_of_host(case: Case, control: Control) -> t.Iterator[Finding]:
    """Compare the name that Postfix gives with the one that was looked up."""
    checked = {document.facts.helo.rstrip(".").lower() for document in _direct(case) if document.facts.helo}
    for given in sorted({one.helo_name for one in _egress(case) if one.address}) if checked else ():
        if given.lower() in checked:
            yield control.passed(given, f"Postfix gives the name {given} with EHLO, which was looked up.")
        else:
            message = f"Postfix gives the name {given} with EHLO, but {', '.join(sorted(checked))} was looked up."
            remedy = "Set relay_hostname, and so myhostname, to the name in the DNS."
            yield control.failed(given, message, remedy)


# -- MR-DNS-05: greeting, myhostname, certificate ---------------------------------------------------------------------


@over_smtp("greeting")
def _same_name(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    greeting = document.need("greeting")
    name = (greeting.text.split() or [""])[0].lower()
    own = _myhostname(case)
    tls = document.facts.tls
    names = [one.lower() for one in tls.chain[0].names] if tls and tls.chain else None
    if own and name != own:
        message = f"{document.subject} greets as {name}, but myhostname is {own}."
        yield control.failed(document.subject, message, "Let smtpd_banner begin with $myhostname.")
    elif names is not None and not any(covers(one, name) for one in names):
        message = f"{document.subject} greets as {name}, but its certificate is for {', '.join(names) or 'no name'}."
        yield control.failed(document.subject, message, f"Present a certificate for {name}, or greet with its name.")
    elif names is None and document.why("tls") and not lacks_tls(document):
        yield control.undecided(document.subject, document.why("tls"), EvidenceKind.SMTP)
    else:
        also = " and has a certificate for it" if names is not None else ""
        yield control.passed(document.subject, f"{document.subject} greets as {name}{also}.")


def _myhostname(case: Case) -> str:
    """The name in the configuration; empty if it is not known, or if several instances have different ones."""
    instances = (case.host.facts.config or ()) if case.has(EvidenceKind.HOST) else ()
    names = {setting(one, None, "myhostname").lower() for one in instances if one.enabled and one.parameters}
    return names.pop() if len(names) == 1 else ""


# -- MR-DNS-06: IPv6 at the listeners ---------------------------------------------------------------------------------


def _ipv6_listeners(case: Case, control: Control) -> t.Iterator[Finding]:
    """Compare the AAAA record of the host with its sockets."""
    if not (case.has(EvidenceKind.HOST) and case.has(EvidenceKind.DNS)):
        return
    public = [one for one in case.host.facts.listeners or () if reaches_others(one)]
    missing = sorted(
        {one.port for one in public if one.takes_ipv4} - {one.port for one in public if ":" in one.address}
    )
    own = {document.facts.helo: document for document in case.dns if document.facts.helo}
    for name, document in own.items():
        addresses = [one.ipv6 for one in document.facts.hosts or () if one.name == name.lower() and one.ipv6]
        if not addresses or not public:
            continue
        if missing:
            ports = ", ".join(map(str, missing))
            message = f"{name} has an AAAA record, but the host does not listen on port {ports} over IPv6."
            remedy = "Set inet_protocols to all in relay_settings, or remove the AAAA record."
            yield control.failed(name, message, remedy)
        else:
            yield control.passed(name, f"The mail ports of {name} listen over IPv6 as over IPv4.")


# -- MR-DNS-08: the name servers of the relay -------------------------------------------------------------------------


@for_each(EvidenceKind.DNS)
def _validation(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    """Judge the name servers that were asked if the relay itself asked them: those of others say nothing of it."""
    asker = document.evidence.seen_from.host
    relay = case.host.evidence.seen_from.host if case.has(EvidenceKind.HOST) else asker
    found = [one for one in findings_of(case, document, "dnssec") if one.control == control.id]
    if asker == relay:
        yield from found
    else:
        message = f"The name servers of {asker} were asked, not those of the relay {relay}."
        yield control.not_checked(relay, message, f"Run mail_dns_info with dnssec on {relay}.")


# -- MR-DKIM-02: the published key and the private key ----------------------------------------------------------------


@for_each(EvidenceKind.DNS)
def _dkim_match(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    found = {one.subject: one for one in findings_of(case, document, "dkim") if one.control == control.id}
    published = document.need("dkim")
    signing = [one for one in _dkim_keys(case) if one.signer and one.selector]
    for one in published:
        name = f"{one.selector}._domainkey.{one.domain}"
        own = [key for key in signing if _is_for(key, one)]
        if own and name in found:
            yield from (_compare_keys(control, name, one, key, case.host) for key in own)
        elif name in found:
            yield found[name]
        elif one.records is None:
            yield control.undecided(name, document.why(f"dkim.{one.selector}"), EvidenceKind.DNS)
        else:
            yield control.not_applicable(name, f"{name} has no usable key to compare with: see MR-DKIM-01.")
    for key in signing:
        if key.domain == document.subject and not any(_is_for(key, one) for one in published):
            name = f"{key.selector}._domainkey.{key.domain}"
            message = f"The relay has a key for {name}, which was not looked up."
            yield control.not_checked(name, message, f"Add the selector {key.selector} to dkim of mail_dns_info.")
    if not published and not signing:
        yield control.not_checked(document.subject, "No DKIM selector is known.", "Name the selectors in dkim.")


def _dkim_keys(case: Case) -> tuple[DkimKey, ...]:
    return (case.host.facts.dkim or ()) if case.has(EvidenceKind.HOST) else ()


def _is_for(key: DkimKey, facts: DkimFacts) -> bool:
    return (key.selector or "").lower() == facts.selector and (key.domain or facts.domain).lower() == facts.domain


def _compare_keys(control: Control, name: str, facts: DkimFacts, key: DkimKey, host: Document) -> Finding:
    if key.spki_sha256 is None:
        reason = host.why(f"dkim.{key.path}") or f"the public half of {key.path} is not known"
        return control.undecided(name, reason, EvidenceKind.HOST)
    if key.spki_sha256 == facts.spki_sha256:
        return control.passed(name, f"The key at {name} belongs to {key.path}, the relay's key for it.")
    message = f"The key at {name} does not belong to {key.path}, the relay's key for it, whose signatures are invalid."
    return control.failed(name, message, f"Publish the public half of {key.path} at {name}.")


# -- MR-DANE-02: TLSA records and the certificates in use -------------------------------------------------------------

#: SHA-256 of a certificate and of its public key.
_Digests = tuple[str, str]


@for_each(EvidenceKind.DNS)
def _tlsa_match(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    found = [one for one in findings_of(case, document, "dane") if one.control == control.id]
    if document.facts.dane is None:
        yield control.undecided(document.subject, document.why("dane") or document.why("mx"))
    for one in document.facts.dane or ():
        usable = [record for record in one.records or () if not record.error]
        shown = {**_live_chains(case, one), **_chains_on_disk(case, one.host)} if usable else {}
        compared = [_compare_chain(control, one, usable, where, chain) for where, chain in shown.items()]
        decided = [finding for finding in compared if finding]
        yield from decided or [finding for finding in found if finding.subject == one.host]
        if one.records is None:
            yield control.undecided(one.host, document.why(f"dane.{one.host}"))
        elif not usable:
            yield control.not_applicable(one.host, f"{one.host} has no TLSA record that senders use.")
    if document.facts.dane == ():
        yield control.not_applicable(document.subject, f"{document.subject} has no mail server.")


def _live_chains(case: Case, facts: DaneFacts) -> dict[str, list[_Digests]]:
    """The certificates that the server shows, by what shows them."""
    documents = case.smtp if case.has(EvidenceKind.SMTP) else ()
    return {
        f"{facts.host}:{facts.port}": [(one.sha256, one.spki_sha256) for one in document.facts.tls.chain]
        for document in documents
        if document.facts.tls and document.facts.host.lower() == facts.host and document.facts.port == facts.port
    }


def _chains_on_disk(case: Case, name: str) -> dict[str, list[_Digests]]:
    """The certificates that Postfix loads next, of those files that are for this host."""
    files = (case.host.facts.certificates or ()) if case.has(EvidenceKind.HOST) else ()
    return {
        one.path: [(each.sha256, each.spki_sha256) for each in one.chain]
        for one in files
        if one.chain and any(covers(each, name) for each in one.chain[0].names)
    }


def _compare_chain(
    control: Control, facts: DaneFacts, usable: t.Sequence[TlsaFacts], where: str, chain: t.Sequence[_Digests]
) -> Finding | None:
    """Compare what SHA-256 can compare; None if no record is of that kind."""
    comparable = [record for record in usable if record.matching == 1]
    if any(record.data in _candidates(record, chain) for record in comparable):
        spare = "" if len(usable) > 1 else " No record for the next key is published yet."
        return control.passed(where, f"A TLSA record of {facts.host} matches the certificate of {where}.{spare}")
    if len(comparable) < len(usable):
        return None
    message = f"No TLSA record of {facts.host} matches the certificate of {where}, so that senders refuse to deliver."
    return control.failed(where, message, f"Publish a TLSA record for the certificate of {where}.")


def _candidates(record: TlsaFacts, chain: t.Sequence[_Digests]) -> list[str]:
    own = chain[:1] if record.usage == 3 else chain[1:] or chain[:1]
    return [digests[record.selector] for digests in own]


JUDGES: Judges = {
    "MR-DNS-03": together(by_checks("ptr"), _other_addresses("ptr")),
    "MR-DNS-04": together(by_checks("a", "ptr"), _ehlo_of_host),
    "MR-DNS-05": _same_name,
    "MR-DNS-08": _validation,
    "MR-SPF-02": together(by_checks("spf"), _other_addresses("spf")),
    "MR-DNS-06": together(by_checks("ipv6"), _ipv6_listeners),
    "MR-DKIM-02": _dkim_match,
    "MR-DANE-02": _tlsa_match,
}
