# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of mail_dns_info: the checks, what they compare with, how the DNS is asked. Private to the collection."""

from __future__ import annotations


class ModuleDocFragment:
    # Describes ARGUMENT_SPEC in module_utils/_module/dns_options.py, with the options of the module itself.
    DOCUMENTATION = r"""
options:
  checks:
    description:
      - The checks to run, and with them the parts of RV(evidence) to collect.
      - V(a) checks V(MR-DNS-04), that the EHLO name is fully qualified and resolves to one of O(addresses).
      - V(mx) checks V(MR-DNS-01), that the domain exists and has MX records, and that each target is a host name with
        an address and not an alias. A null MX is a failure for a domain that sends mail.
      - For V(a) and V(mx), each address must be one that other hosts can reach. Loopback, link-local and the like never
        are. Private addresses are accepted if one of O(addresses) is in the same private network (C(10.0.0.0/8), say),
        or if O(domain) is below a name of private networks, such as C(.test), C(.internal), C(.local), C(.lan) or
        C(.home.arpa). Documentation addresses are accepted for example domains, such as C(example.com).
      - V(ptr) checks V(MR-DNS-03), that each of O(addresses) has a reverse name that leads back to it, and the part of
        V(MR-DNS-04) that requires the EHLO name as the reverse name.
      - V(spf) checks V(MR-SPF-01), that the domain has one valid SPF record, and V(MR-SPF-02), that SPF passes each of
        O(addresses). A record that is mangled, or that is at another name than O(domain), is told.
      - V(spf) also checks V(MR-SPF-03), that receivers can evaluate the record with at most 10 lookups, 2 of them
        without a record, and that it has at most 450 octets; and V(MR-SPF-04), that a valid record neither lets hosts
        all over the Internet send, as V(+all) and V(ip4:0.0.0.0/0) do, nor gives them the result neutral, as V(?all)
        and a record without V(all) do, nor uses V(ptr). Includes and redirects are followed.
      - V(helo_spf) checks V(MR-SPF-05), that the EHLO name has an SPF record of its own that passes O(addresses).
      - V(ipv6) checks V(MR-DNS-06), that each IPv6 address that mail leaves from has an AAAA record, a reverse name and
        a pass by SPF, and that the EHLO name has no other.
      - V(parked) checks V(MR-DNS-02), that a domain with a null MX also has V(v=spf1 -all) and a DMARC policy
        V(reject).
      - V(dkim) checks the selectors in O(dkim). V(MR-DKIM-01), the key is published, valid, neither revoked nor marked
        as a test. V(MR-DKIM-02), it is the given public key. V(MR-DKIM-03), it is Ed25519, or RSA with at least 2048
        bits, and allows SHA-256.
      - V(dmarc) finds the DMARC policy by the tree walk of RFC 9989. V(MR-DMARC-01), there is a valid record.
        V(MR-DMARC-02), it asks to quarantine or reject forged mail, also from subdomains. V(MR-DMARC-03), it asks for
        reports, their addresses receive mail, and the domains of others agree. V(MR-DMARC-05), it has no tag that RFC
        9989 removed (C(pct), C(rf), C(ri)).
      - V(mta_sts) checks V(MR-STS-01), that senders find an MTA-STS record and, over HTTPS with a valid certificate, a
        policy that is enforced and lists all targets of MX records. It does not apply if DANE is there.
      - V(tls_rpt) checks V(MR-STS-02), that the domain asks for reports about TLS.
      - V(dane) checks V(MR-DANE-01), that the TLSA records of the mail servers are usable and proved by DNSSEC, and
        V(MR-DANE-02), that they match O(certificates).
      - V(dnssec) checks V(MR-DNS-07), that DNSSEC proves the domain's records, and V(MR-DNS-08), that the name servers
        that are asked validate.
      - V(caa) checks V(MR-DNS-10), that CAA records let O(certificate_authority) issue certificates for the EHLO name.
      - V(blocklists) checks V(MR-DNS-09), that no list has one of O(addresses) or O(domain). A list is believed only if
        it passes its own test (RFC 5782), and an answer that means a refusal is not a listing.
      - V(authority) checks V(MR-DNS-11), that all name servers of the zone answer, and agree on the SOA, NS, MX and TXT
        records.
    type: list
    elements: str
    choices: [a, mx, ptr, spf, helo_spf, ipv6, parked, dkim, dmarc, mta_sts, tls_rpt, dane, dnssec, caa,
      blocklists, authority]
    default: [a, mx, ptr, spf, helo_spf, ipv6, parked, dkim, dmarc, mta_sts, tls_rpt, dane, dnssec, caa,
      blocklists, authority]
  dkim:
    description: The DKIM selectors that the domain's mail is signed with. They cannot be found in the DNS.
    type: list
    elements: dict
    default: []
    suboptions:
      selector:
        description: The selector, the part of the name before C(._domainkey).
        type: str
        required: true
      domain:
        description: The signing domain. By default, O(domain).
        type: str
      public_key:
        description:
          - The public key that the signer uses, in PEM, as the value of C(p=), or as a whole record. A private key is
            refused.
        type: str
  certificates:
    description: The certificates of mail servers, to compare with their TLSA records.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The name of the mail server.
        type: str
        required: true
      port:
        description: The port of the mail server.
        type: int
        default: 25
      chain:
        description: The certificates in PEM, as the server shows them, its own first. At most 20.
        type: str
        required: true
  certificate_authority:
    description: The authority that issues the certificates, as CAA records name it, such as V(letsencrypt.org).
    type: str
  blocklists:
    description:
      - DNS block lists of addresses, such as V(zen.spamhaus.org). Many of them do not answer public name servers, which
        is not taken for a listing.
    type: list
    elements: str
    default: []
  domain_blocklists:
    description: DNS block lists of domains, such as V(dbl.spamhaus.org).
    type: list
    elements: str
    default: []
  wanted:
    description: Choices for the records that RV(records) proposes.
    type: dict
    suboptions:
      dmarc_policy:
        description: The DMARC policy. A record that is there is right if it is at least as strict.
        type: str
        choices: [none, quarantine, reject]
        default: quarantine
      report_address:
        description: The mail address that receives reports. By default, postmaster of O(domain).
        type: str
      mta_sts_mode:
        description: The mode of the MTA-STS policy. Without it, MTA-STS is not proposed.
        type: str
        choices: [enforce, testing, none]
      mta_sts_max_age:
        description: For how many seconds senders keep the policy. At most 31557600, a year.
        type: int
        default: 604800
      mta_sts_addresses:
        description: The addresses of the web server that serves the policy.
        type: list
        elements: str
        default: []
  nameservers:
    description:
      - The IP addresses of the name servers to query, with a port if it is not 53, such as V(192.0.2.53),
        V(192.0.2.53:5353), V(2001:db8::53) or V([2001:db8::53]:5353).
      - By default, the name servers of the host on which the module runs.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds to wait for the answer to one question, including all name servers and retries. More than 0, and
        at most 3600.
      - Questions are asked side by side, so that name servers that do not answer cost this time once. A run takes at
        most about six times this long.
    type: float
    default: 5.0
  retries:
    description: How many times a question is sent again to each name server that does not answer it. At most 10.
    type: int
    default: 2
  ca_file:
    description:
      - A file with the authorities to trust in PEM, in place of the system's, for the certificate of the web server
        that serves the MTA-STS policy. It is on the host on which the module runs.
    type: path
"""
