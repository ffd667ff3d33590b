# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the policies that a domain publishes for receivers and senders: DMARC, MTA-STS, TLS reports and DANE."""

from __future__ import annotations

from .control import ALL, MX_HOST, RELAYS, Conflict, Control, Effect, Rows, from_dns, from_host, from_proof, from_smtp
from .finding import Severity
from .source import Source, rfc

_REJECT = Source("SCuBA", "MS.EXO.4.2v1", "It calls for p=reject; the control also accepts p=quarantine.")
_REJECT_BOD = Source("BOD 18-01", "DMARC policy of reject", "The control also accepts p=quarantine.")
_FEDERAL = (
    Source("SCuBA", "MS.EXO.4.3v1", "Whether the address of CISA is among the recipients is not looked at."),
    Source("BOD 18-01", "recipient of DMARC reports", "Whether it is the address of CISA is not looked at."),
)

ROWS: Rows = (
    Control(
        id="MR-DMARC-01",
        title="Receivers find one valid DMARC record for the domain",
        severity=Severity.HIGH,
        rationale="Without a record, receivers do not connect SPF and DKIM with the sender that people see.",
        sources=(
            rfc(9989, "4.10"),
            Source("TR-03182", "H-01"),
            Source("SCuBA", "MS.EXO.4.1v1", "Other domains of the organization are not looked at."),
            Source("BOD 18-01", "valid DMARC records", "Other domains of the organization are not looked at."),
            Source("Google", "requirements for 5,000 messages a day: DMARC"),
            Source("M3AAWG", "section 5.1", "It has more recommendations than that the record exists."),
        ),
        profiles=ALL,
        needs=(from_dns("dmarc"),),
        by_hand='Publish one TXT record such as "v=DMARC1; p=none; rua=mailto:dmarc@example.com" at _dmarc.',
    ),
    Control(
        id="MR-DMARC-02",
        title="The DMARC policy of the domain and its subdomains is quarantine or reject",
        severity=Severity.HIGH,
        rationale="With p=none or t=y, receivers deliver forged mail as if there were no policy.",
        sources=(
            rfc(9989, "4.7"),
            Source("TR-03182", "H-02"),
            _REJECT,
            _REJECT_BOD,
            Source("PCI DSS", "5.4.1", "Filters for incoming mail and training are not looked at."),
            Source("CIS Controls", "9.5", "Whether incoming mail is verified is not looked at."),
        ),
        profiles=ALL,
        needs=(from_dns("dmarc"),),
        by_hand="Once the reports show that all of your mail passes, set p=quarantine and then p=reject, remove t=y,"
        " and set sp and np no weaker.",
    ),
    Control(
        id="MR-DMARC-03",
        title="DMARC reports have a recipient that can receive them and agrees to it",
        severity=Severity.MEDIUM,
        rationale="The reports show who sends in the name of the domain, and which of your own mail fails.",
        sources=(
            rfc(9990, "4"),
            Source("TR-03182", "H-03"),
            *_FEDERAL,
            Source("SCuBA", "MS.EXO.4.4v1", "Failure reports are not called for."),
        ),
        profiles=ALL,
        needs=(from_dns("dmarc"),),
        by_hand="Set rua to a mailbox that exists. If it is in another domain, publish DOMAIN._report._dmarc there.",
        conflicts=(
            Conflict(
                _FEDERAL,
                ALL,
                Effect.NOT_APPLICABLE,
                "The address of CISA is only for agencies of the United States. Agencies check it by hand.",
            ),
        ),
    ),
    Control(
        id="MR-DMARC-04",
        title="The domain in From is that of SPF or of the DKIM signature",
        severity=Severity.HIGH,
        rationale="DMARC passes only if SPF or DKIM passes for the domain that people see. A relay that sends for"
        " another domain breaks this without an error.",
        sources=(
            rfc(9989, "4.4"),
            Source("Google", "requirements for 5,000 messages a day: alignment of From"),
        ),
        profiles=RELAYS,
        needs=(from_proof("messages"),),
        by_hand="Let the envelope sender or the signature have the domain of From.",
        variables=("relay_upstream.sender", "relay_rewrites"),
    ),
    Control(
        id="MR-DMARC-05",
        title="The DMARC record has no tags that RFC 9989 removed",
        severity=Severity.LOW,
        rationale="Receivers ignore pct, rf and ri, so a policy that rests on them does something else.",
        sources=(rfc(9989, "4.7"),),
        profiles=ALL,
        needs=(from_dns("dmarc"),),
        by_hand="Remove pct, rf and ri. Set t=y in place of a pct of 0.",
    ),
    Control(
        id="MR-STS-01",
        title="MTA-STS covers every mail server of the domain, and senders can fetch the policy",
        severity=Severity.MEDIUM,
        rationale="Without a policy, an attacker on the way can turn TLS off. With a wrong one, mail does not arrive.",
        sources=(rfc(8461, "3", "4"),),
        profiles=MX_HOST,
        needs=(from_dns("mta_sts", "mx"),),
        by_hand="Publish the TXT record at _mta-sts, serve the policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt,"
        " and list every MX host in it.",
    ),
    Control(
        id="MR-STS-02",
        title="The domain asks senders for reports about TLS",
        severity=Severity.LOW,
        rationale="These reports are the only way to learn that senders cannot deliver because of TLS.",
        sources=(rfc(8460, "3"),),
        profiles=MX_HOST,
        needs=(from_dns("tls_rpt"),),
        by_hand='Publish the TXT record "v=TLSRPTv1; rua=mailto:tls@example.com" at _smtp._tls.',
    ),
    Control(
        id="MR-DANE-01",
        title="Mail servers have TLSA records that DNSSEC protects, of usage 2 or 3",
        severity=Severity.MEDIUM,
        rationale="With DANE, senders refuse a forged certificate and a connection without TLS.",
        sources=(rfc(7672, "3.1"),),
        profiles=MX_HOST,
        needs=(from_dns("dane", "dnssec"),),
        by_hand="Publish TLSA 3 1 1 records at _25._tcp.HOST with the SHA-256 of the server's public key, in a signed"
        " zone.",
    ),
    Control(
        id="MR-DANE-02",
        title="TLSA records match the certificate in use, and there is one for the next key",
        severity=Severity.HIGH,
        rationale="If no record matches after a renewal, senders that use DANE deliver nothing.",
        sources=(rfc(7671, "5", "8"),),
        profiles=MX_HOST,
        needs=(from_dns("dane"), from_smtp("tls"), from_host("certificates")),
        by_hand="Keep the key when the certificate is renewed, or publish the record of the next key a week before.",
        variables=("relay_tls.certificate", "relay_tls.key"),
    ),
    Control(
        id="MR-DANE-03",
        title="Mail to other servers uses DANE or MTA-STS where they offer it",
        severity=Severity.MEDIUM,
        rationale="Opportunistic TLS can be turned off by an attacker on the way.",
        sources=(rfc(7672, "2.2"),),
        profiles=RELAYS,
        needs=(from_host("config"),),
        by_hand="Set smtp_tls_security_level to dane and smtp_dns_support_level to dnssec, with a name server that"
        " validates.",
        variables=("relay_settings", "relay_upstream.tls"),
    ),
)
