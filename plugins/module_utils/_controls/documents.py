# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents that controls cite, with the version that was read."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Document:
    """A document in one version."""

    title: str
    version: str
    #: A month, or a day in ISO 8601.
    date: str
    #: A key of :data:`STANDARDS`.
    standard: str


#: Standards by the name that a report uses.
STANDARDS = {
    "stig": "DISA STIG",
    "cis": "CIS Benchmarks",
    "cis_controls": "CIS Controls",
    "bsi": "BSI TR-03182",
    "nist_800_177": "NIST SP 800-177",
    "nist_800_53": "NIST SP 800-53",
    "pci_dss": "PCI DSS",
    "bod_18_01": "CISA BOD 18-01",
    "scuba": "CISA SCuBA",
    "anssi": "ANSSI BP-028",
    "senders": "Rules for senders (Google, M3AAWG)",
    "cve": "Known vulnerabilities",
    "rfc": "RFCs",
}

_RFCS = {
    1034: ("Domain names: concepts and facilities", "November 1987"),
    1870: ("SMTP service extension for message size declaration", "November 1995"),
    1912: ("Common DNS operational and configuration errors", "February 1996"),
    2142: ("Mailbox names for common services, roles and functions", "May 1997"),
    2181: ("Clarifications to the DNS specification", "July 1997"),
    2920: ("SMTP service extension for command pipelining", "September 2000"),
    3207: ("SMTP service extension for secure SMTP over TLS", "February 2002"),
    3848: ("ESMTP and LMTP transmission types registration", "July 2004"),
    4035: ("Protocol modifications for the DNS security extensions", "March 2005"),
    4954: ("SMTP service extension for authentication", "July 2007"),
    5280: ("Internet X.509 certificate and CRL profile", "May 2008"),
    5321: ("Simple Mail Transfer Protocol", "October 2008"),
    5782: ("DNS blacklists and whitelists", "February 2010"),
    6376: ("DomainKeys Identified Mail (DKIM) signatures", "September 2011"),
    6409: ("Message submission for mail", "November 2011"),
    7208: ("Sender Policy Framework (SPF)", "April 2014"),
    7505: ("A null MX resource record for domains that accept no mail", "June 2015"),
    7671: ("DANE: updates and operational guidance", "October 2015"),
    7672: ("SMTP security via opportunistic DANE TLS", "October 2015"),
    8301: ("Cryptographic algorithm and key usage update to DKIM", "January 2018"),
    8314: ("Cleartext considered obsolete: TLS for email submission and access", "January 2018"),
    8460: ("SMTP TLS reporting", "September 2018"),
    8461: ("SMTP MTA strict transport security (MTA-STS)", "September 2018"),
    8463: ("A new cryptographic signature method for DKIM", "September 2018"),
    8659: ("DNS certification authority authorization (CAA) resource record", "November 2019"),
    8996: ("Deprecating TLS 1.0 and TLS 1.1", "March 2021"),
    9325: ("Recommendations for secure use of TLS and DTLS", "November 2022"),
    9525: ("Service identity in TLS", "November 2023"),
    9989: ("Domain-based message authentication, reporting and conformance (DMARC)", "May 2026"),
    9990: ("DMARC aggregate reporting", "May 2026"),
}

_STIG = "{} Security Technical Implementation Guide"
_CIS = "CIS Benchmark for {}"

DOCUMENTS = {
    **{f"RFC {number}": Document(title, "", date, "rfc") for number, (title, date) in _RFCS.items()},
    "STIG RHEL 8": Document(_STIG.format("Red Hat Enterprise Linux 8"), "V2R8", "2026-07-01", "stig"),
    "STIG RHEL 9": Document(_STIG.format("Red Hat Enterprise Linux 9"), "V2R9", "2026-07-01", "stig"),
    "STIG RHEL 10": Document(_STIG.format("Red Hat Enterprise Linux 10"), "V1R2", "2026-07-01", "stig"),
    "STIG Oracle Linux 8": Document(_STIG.format("Oracle Linux 8"), "V2R9", "2026-07-01", "stig"),
    "STIG Oracle Linux 9": Document(_STIG.format("Oracle Linux 9"), "V1R6", "2026-07-01", "stig"),
    # The benchmarks have no date in the copies that were read.
    "CIS RHEL 8": Document(_CIS.format("Red Hat Enterprise Linux 8"), "4.0.0", "", "cis"),
    "CIS RHEL 9": Document(_CIS.format("Red Hat Enterprise Linux 9"), "2.0.0", "", "cis"),
    "CIS RHEL 10": Document(_CIS.format("Red Hat Enterprise Linux 10"), "1.0.1", "", "cis"),
    "CIS AlmaLinux 9": Document(_CIS.format("AlmaLinux OS 9"), "2.0.0", "", "cis"),
    "CIS Debian 12": Document(_CIS.format("Debian 12"), "1.1.0", "", "cis"),
    "CIS Debian 13": Document(_CIS.format("Debian 13"), "1.0.0", "", "cis"),
    "CIS Ubuntu 22.04": Document(_CIS.format("Ubuntu 22.04 LTS"), "2.0.0", "", "cis"),
    "CIS Ubuntu 24.04": Document(_CIS.format("Ubuntu 24.04 LTS"), "1.0.0", "", "cis"),
    "CIS Controls": Document("CIS Critical Security Controls", "8", "May 2021", "cis_controls"),
    "TR-03182": Document("BSI TR-03182, Email Authentication, with its test cases", "1.0", "July 2023", "bsi"),
    "SP 800-177": Document("Trustworthy Email", "Revision 1", "February 2019", "nist_800_177"),
    "SP 800-53": Document(
        "Security and Privacy Controls for Information Systems and Organizations",
        "Revision 5",
        "September 2020",
        "nist_800_53",
    ),
    "PCI DSS": Document("Payment Card Industry Data Security Standard", "4.0.1", "June 2024", "pci_dss"),
    "BOD 18-01": Document("Enhance Email and Web Security", "", "2017-10-16", "bod_18_01"),
    "SCuBA": Document("CISA M365 Secure Configuration Baseline for Exchange Online", "ScubaGear 1.8.0", "", "scuba"),
    "ANSSI BP-028": Document("Configuration Recommendations of a GNU/Linux System", "2.0", "", "anssi"),
    "Google": Document("Email sender guidelines", "", "February 2024", "senders"),
    "M3AAWG": Document("Email Authentication Recommended Best Practices", "", "September 2020", "senders"),
    "CVE": Document("Common Vulnerabilities and Exposures", "", "", "cve"),
}
