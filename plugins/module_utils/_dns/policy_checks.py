# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the policies that a domain publishes, which are judged by the facts alone."""

from __future__ import annotations

import typing as t

from .._controls.finding import Finding
from .._evidence.dns_policy import DkimFacts, DmarcFacts, MtaStsFacts, ReportAddress, SpfFacts, StsMode
from . import controls
from .dns_errors import few
from .mail_system import MailSystem
from .names import is_address
from .spf import MAX_LOOKUPS, MAX_VOID_LOOKUPS
from .survey import Survey

FactCheck = t.Callable[[Survey, MailSystem], list[Finding]]

# -- spf: MR-SPF-03, and helo_spf: MR-SPF-05 ------------------------------------------------------------------------

#: In octets: with its name, the record then fits in an answer over UDP (RFC 7208 section 3.4).
_MAX_SPF_SIZE = 450


def check_spf_limits(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that receivers can evaluate the record within their limits. A missing or invalid one is MR-SPF-01's."""
    facts = survey.facts.spf
    if not facts or not facts.records or facts.error:
        return []
    if facts.lookups is None or facts.voids is None or facts.strangers is None:
        return [controls.SPF_LIMITS.undecided(system.domain, survey.why("spf"))]
    size = facts.size or 0
    cost = f"{facts.lookups} DNS lookups, {facts.voids} of them without a record, and has {size} octets"
    limits = f"at most {MAX_LOOKUPS}, {MAX_VOID_LOOKUPS} and {_MAX_SPF_SIZE}"
    if facts.lookups > MAX_LOOKUPS or facts.voids > MAX_VOID_LOOKUPS or size > _MAX_SPF_SIZE:
        message = f"The SPF record of {system.domain} may cause {cost}; receivers expect {limits}."
        remedy = (
            "Remove terms of hosts that no longer send, or replace include, a and mx by the networks they stand for."
        )
        return [controls.SPF_LIMITS.failed(system.domain, message, remedy)]
    return [controls.SPF_LIMITS.passed(system.domain, f"The SPF record of {system.domain} may cause {cost}.")]


def check_helo_spf(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that the EHLO name has a record of its own, which receivers evaluate for bounces (RFC 7208 section 2.4)."""
    host = system.hostname
    facts = survey.facts.spf or SpfFacts()
    if not host:
        remedy = "Set hostname to the name that the mail server gives with EHLO."
        return [controls.SPF_HELO.not_checked(system.domain, "No host name was given.", remedy)]
    if not system.sends_directly:
        return [controls.SPF_HELO.not_applicable(host, f"Receivers see the EHLO name of the upstream, not {host}.")]
    if is_address(host):
        return [controls.SPF_HELO.not_applicable(host, f"The EHLO name {host} is an address, which has no records.")]
    if facts.helo_records is None:
        return [controls.SPF_HELO.undecided(host, survey.why("spf.helo"))]
    if not facts.helo_records:
        remedy = f'Publish a TXT record for {host} with "v=spf1 a -all".'
        return [controls.SPF_HELO.failed(host, f"The EHLO name {host} has no SPF record.", remedy)]
    identity = "mailfrom" if host == system.domain else "helo"
    results = [one for one in facts.evaluations if one.identity == identity]
    wrong = [one for one in results if one.result != "pass"]
    if any(one.result == "temperror" for one in wrong):
        return [controls.SPF_HELO.undecided(host, survey.why("spf.evaluations"))]
    if wrong:
        message = (
            f"The SPF result of the EHLO name {host} for {wrong[0].address} is {wrong[0].result}: {wrong[0].reason}."
        )
        return [controls.SPF_HELO.failed(host, message, f"List the egress addresses in the SPF record of {host}.")]
    message = f"The EHLO name {host} has an SPF record" + (", which passes the egress addresses." if results else ".")
    return [controls.SPF_HELO.passed(host, message)]


# -- dkim: MR-DKIM-01, MR-DKIM-02, MR-DKIM-03 -----------------------------------------------------------------------

#: RFC 8301 section 3.2: signers use at least as many.
_MIN_RSA_BITS = 2048


def check_dkim(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check the key of each selector: receivers can use it, it is the one that signs, and it is strong."""
    facts = survey.facts.dkim
    if not facts:
        remedy = "Set dkim to the selectors that the domain's mail is signed with."
        return [controls.DKIM_RECORD.not_checked(system.domain, "No DKIM selector was given.", remedy)]
    return [finding for one in facts for finding in _judge_key(survey, one)]


def _judge_key(survey: Survey, facts: DkimFacts) -> list[Finding]:
    name = f"{facts.selector}._domainkey.{facts.domain}"
    if facts.records is None:
        return [controls.DKIM_RECORD.undecided(name, survey.why(f"dkim.{facts.selector}"))]
    fault, remedy = _key_fault(facts, name)
    if fault:
        return [controls.DKIM_RECORD.failed(name, f"{fault}.", remedy)]
    found = [controls.DKIM_RECORD.passed(name, f"{name} has a valid {facts.key_type} key of {facts.key_bits} bits.")]
    return [*found, _judge_match(facts, name), _judge_strength(facts, name)]


def _key_fault(facts: DkimFacts, name: str) -> tuple[str, str]:
    """What is wrong with the record, and what to do; empty if nothing is."""
    if not facts.records:
        return f"There is no DKIM key at {name}", f"Publish the public key of the selector {facts.selector} there."
    if facts.error:
        return f"Receivers cannot use the DKIM key at {name}: {facts.error}", "Correct the record."
    if facts.revoked:
        return f"The DKIM key at {name} is revoked: p= is empty", "Sign with another selector, or publish the key."
    if facts.testing:
        return f"The DKIM key at {name} is marked as a test (t=y)", "Remove y from t= in the record."
    if facts.email is False:
        return f"The DKIM key at {name} may not sign mail: its s= has neither email nor *", "Remove s= from the record."
    return "", ""


def _judge_match(facts: DkimFacts, name: str) -> Finding:
    if facts.matches is None:
        remedy = "Set public_key of the selector to the public key of the signer."
        return controls.DKIM_MATCH.not_checked(name, "No public key was given to compare with.", remedy)
    if facts.matches:
        return controls.DKIM_MATCH.passed(name, f"The key at {name} is the one that was given.")
    message = f"The key at {name} is not the one that was given, so receivers reject its signatures."
    return controls.DKIM_MATCH.failed(name, message, "Publish the public key of the signer there.")


def _judge_strength(facts: DkimFacts, name: str) -> Finding:
    if facts.hashes and "sha256" not in facts.hashes:
        message = f"The key at {name} allows only the hash {', '.join(facts.hashes)}, which receivers no longer accept."
        return controls.DKIM_STRENGTH.failed(name, message, "Remove h= from the record, or set it to sha256.")
    if facts.key_type == "rsa" and (facts.key_bits or 0) < _MIN_RSA_BITS:
        message = f"The RSA key at {name} has {facts.key_bits} bits; expected at least {_MIN_RSA_BITS}."
        return controls.DKIM_STRENGTH.failed(name, message, "Make a longer key, with a new selector.")
    return controls.DKIM_STRENGTH.passed(name, f"The key at {name} is strong: {facts.key_type}, {facts.key_bits} bits.")


# -- dmarc: MR-DMARC-01, MR-DMARC-02, MR-DMARC-03, MR-DMARC-05 ------------------------------------------------------

_ENFORCING = ("quarantine", "reject")


def check_dmarc(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that the tree walk of RFC 9989 finds a policy, that it is enforced, and that reports arrive."""
    domain, facts = system.domain, survey.facts.dmarc
    if facts is None or facts.organization is None:
        return [controls.DMARC_RECORD.undecided(domain, survey.why("dmarc"))]
    if facts.found_at is None:
        message = f"{domain} has no DMARC record, and no domain above it has one."
        if facts.errors:
            message = f"{domain} has no DMARC record that receivers use: {'; '.join(facts.errors)}."
        remedy = f'Publish one TXT record at _dmarc.{domain}, such as "v=DMARC1; p=reject; rua=mailto:ADDRESS".'
        return [controls.DMARC_RECORD.failed(domain, message, remedy)]
    return [
        _judge_record(facts, domain),
        _judge_policy(facts, domain),
        *_judge_reports(survey, facts, domain),
        _judge_tags(facts, domain),
    ]


def _judge_record(facts: DmarcFacts, domain: str) -> Finding:
    if facts.errors:
        message = f"Receivers cannot use all of the DMARC record of {facts.found_at}: {'; '.join(facts.errors)}."
        return controls.DMARC_RECORD.failed(domain, message, f"Correct the record at _dmarc.{facts.found_at}.")
    return controls.DMARC_RECORD.passed(domain, f"The DMARC record at _dmarc.{facts.found_at} is valid.")


def _judge_policy(facts: DmarcFacts, domain: str) -> Finding:
    policies = {
        domain: facts.policy,
        "subdomains": facts.subdomain_policy,
        "subdomains that do not exist": facts.absent_policy,
    }
    weak = [name for name, policy in policies.items() if policy not in _ENFORCING]
    remedy = f"Set p=quarantine or p=reject in the record at _dmarc.{facts.found_at}, and remove weaker sp= and np=."
    if facts.policy is None:
        return controls.DMARC_POLICY.failed(domain, f"Receivers apply no DMARC policy to {domain}.", remedy)
    if weak:
        message = f"DMARC asks receivers to do nothing about forged mail from {', '.join(weak)} (policy none)."
        return controls.DMARC_POLICY.failed(domain, message, remedy)
    if facts.testing:
        message = f"The DMARC policy of {domain} is marked as a test (t=y), so receivers do not apply it."
        return controls.DMARC_POLICY.failed(domain, message, f"Remove t=y from the record at _dmarc.{facts.found_at}.")
    message = f"DMARC asks receivers to {facts.policy} forged mail from {domain}."
    return controls.DMARC_POLICY.passed(domain, message)


def _judge_reports(survey: Survey, facts: DmarcFacts, domain: str) -> list[Finding]:
    addresses = [one for one in facts.reports if one.kind == "rua" and one.domain]
    if not addresses:
        message = f"The DMARC record of {facts.found_at} asks for no reports by mail, so misuse and mistakes go unseen."
        remedy = f"Add rua=mailto:ADDRESS to the record at _dmarc.{facts.found_at}."
        return [controls.DMARC_REPORTS.failed(domain, message, remedy)]
    return [_judge_report(survey, facts, one) for one in addresses]


def _judge_report(survey: Survey, facts: DmarcFacts, report: ReportAddress) -> Finding:
    if report.receives is False:
        message = f"DMARC reports go to {report.uri}, but {report.domain} has no mail server."
        return controls.DMARC_REPORTS.failed(report.uri, message, "Name an address that receives mail in rua=.")
    if report.authorised is False:
        message = f"DMARC reports to {report.uri} are not sent: {report.domain} does not agree to receive them."
        place = f"{facts.found_at}._report._dmarc.{report.domain}"
        remedy = f'Have its operator publish "v=DMARC1" in a TXT record at {place}, or name another address.'
        return controls.DMARC_REPORTS.failed(report.uri, message, remedy)
    if report.external is None or report.receives is None or (report.external and report.authorised is None):
        return controls.DMARC_REPORTS.undecided(report.uri, survey.why(f"dmarc.reports.{report.domain}"))
    return controls.DMARC_REPORTS.passed(report.uri, f"DMARC reports to {report.uri} can be delivered.")


def _judge_tags(facts: DmarcFacts, domain: str) -> Finding:
    if facts.removed_tags:
        tags = ", ".join(f"{tag}=" for tag in facts.removed_tags)
        message = f"The DMARC record of {facts.found_at} has {tags}, which RFC 9989 removed."
        return controls.DMARC_TAGS.failed(domain, message, f"Remove {tags} from the record at _dmarc.{facts.found_at}.")
    return controls.DMARC_TAGS.passed(domain, f"The DMARC record of {facts.found_at} has no removed tag.")


# -- mta_sts: MR-STS-01, and tls_rpt: MR-STS-02 ---------------------------------------------------------------------


def receives(survey: Survey) -> bool:
    """Whether the domain may receive mail: it has an MX record that is not null, or its MX records are not known."""
    return survey.facts.mx is None or any(one.host for one in survey.facts.mx)


def check_mta_sts(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that senders find a policy that they enforce, and that it lists all mail servers."""
    domain, facts = system.domain, survey.facts.mta_sts
    if not receives(survey):
        return [controls.MTA_STS.not_applicable(domain, f"{domain} has no mail server.")]
    if facts is None or facts.records is None:
        return [controls.MTA_STS.undecided(domain, survey.why("mta_sts"))]
    if not facts.records and any(one.secure and one.records for one in survey.facts.dane or ()):
        return [
            controls.MTA_STS.not_applicable(domain, f"{domain} has no MTA-STS record, but DANE, which is stronger.")
        ]
    fault, remedy = _sts_fault(facts, domain)
    if fault:
        return [controls.MTA_STS.failed(domain, f"{fault}.", remedy)]
    if facts.status is None or facts.uncovered is None:
        return [controls.MTA_STS.undecided(domain, survey.why("mta_sts") or survey.why("mx"))]
    return [controls.MTA_STS.passed(domain, f"The MTA-STS policy of {domain} is enforced for all its mail servers.")]


def _sts_fault(facts: MtaStsFacts, domain: str) -> tuple[str, str]:
    """What is wrong, and what to do; empty if nothing is, as far as is known."""
    url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    plain = (facts.content_type or "").partition(";")[0].strip().lower() == "text/plain"
    faults = (
        (not facts.records, f"{domain} has no MTA-STS record", f"Publish a policy at {url}, and the record for it."),
        (facts.error, f"Senders cannot use the MTA-STS record of {domain}: {facts.error}", "Correct the record."),
        (facts.host_addresses == (), f"mta-sts.{domain} has no address", "Publish an A or AAAA record for it."),
        (
            facts.certificate_error,
            f"Senders refuse the certificate at {url}: {facts.certificate_error}",
            f"Install a valid certificate for mta-sts.{domain}.",
        ),
        (
            facts.status not in (None, 200),
            f"{url} answers with the status {facts.status}",
            "Serve the policy there, without a redirect.",
        ),
        (facts.status == 200 and not plain, f"{url} is not of the type text/plain", "Serve it as text/plain."),
        (
            facts.policy_errors,
            f"Senders cannot use the policy at {url}: {'; '.join(facts.policy_errors)}",
            "Correct the policy, and change the id of the record.",
        ),
        (
            facts.mode not in (None, StsMode.ENFORCE),
            f"The MTA-STS policy of {domain} is not enforced: its mode is {facts.mode.value if facts.mode else ''}",
            "Set mode: enforce once the reports show no failures, and change the id of the record.",
        ),
        (
            facts.uncovered,
            f"The MTA-STS policy of {domain} does not list {', '.join(facts.uncovered or ())}",
            "Add these mail servers to the policy, and change the id of the record.",
        ),
    )
    return next(((fault, remedy) for wrong, fault, remedy in faults if wrong), ("", ""))


def check_tls_rpt(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that senders can report failures of TLS."""
    domain, facts = system.domain, survey.facts.tls_rpt
    if not receives(survey):
        return [controls.TLS_RPT.not_applicable(domain, f"{domain} has no mail server.")]
    if facts is None or facts.records is None:
        return [controls.TLS_RPT.undecided(domain, survey.why("tls_rpt"))]
    if not facts.records:
        remedy = f'Publish a TXT record at _smtp._tls.{domain} with "v=TLSRPTv1; rua=mailto:ADDRESS".'
        return [controls.TLS_RPT.failed(domain, f"{domain} asks for no reports about TLS.", remedy)]
    if facts.error:
        message = f"Senders cannot use the TLS reporting record of {domain}: {facts.error}."
        return [controls.TLS_RPT.failed(domain, message, "Correct the record.")]
    return [controls.TLS_RPT.passed(domain, f"Reports about TLS go to {', '.join(few(facts.reports_to))}.")]


# -- parked: MR-DNS-02 ----------------------------------------------------------------------------------------------


def check_parked(survey: Survey, system: MailSystem) -> list[Finding]:
    """Check that a domain with a null MX, which says that it has no mail, also says so of its senders."""
    domain, facts = system.domain, survey.facts
    if facts.mx is None:
        return [controls.PARKED.undecided(domain, survey.why("mx"))]
    if [one.host for one in facts.mx] != [""]:
        return [controls.PARKED.not_applicable(domain, f"{domain} has no null MX, so it may send mail.")]
    spf, dmarc = facts.spf, facts.dmarc
    if not spf or spf.records is None or not dmarc or dmarc.organization is None:
        return [controls.PARKED.undecided(domain, survey.why("spf") or survey.why("dmarc"))]
    missing = [
        *(['"v=spf1 -all"'] if [one.lower().split() for one in spf.records] != [["v=spf1", "-all"]] else []),
        *(["a DMARC record with p=reject"] if dmarc.policy != "reject" else []),
        *(["rua= in the DMARC record"] if not any(one.kind == "rua" for one in dmarc.reports) else []),
    ]
    if missing:
        message = f"{domain} has a null MX, but not {', '.join(missing)}, so that its name can be forged."
        return [controls.PARKED.failed(domain, message, f"Publish {', '.join(missing)}.")]
    return [controls.PARKED.passed(domain, f"{domain} says in all its records that it has no mail.")]
