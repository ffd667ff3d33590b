# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the DNS: names, addresses and DNSSEC."""

from __future__ import annotations

from .control import ALL, RELAYS, Control, Rows, from_dns, from_host, from_smtp
from .finding import Severity
from .source import Source, each, rfc

ROWS: Rows = (
    Control(
        id="MR-DNS-01",
        title="Each MX record of the domain names a host that has an address and is not an alias",
        severity=Severity.HIGH,
        rationale="Replies and bounces arrive by the MX records. Many receivers refuse mail from a domain that cannot"
        " be answered.",
        sources=(rfc(5321, "5.1"), rfc(2181, "10.3")),
        profiles=ALL,
        needs=(from_dns("mx", "hosts"),),
        by_hand="Publish MX records that name hosts with A or AAAA records of their own, without a CNAME record.",
    ),
    Control(
        id="MR-DNS-02",
        title="A domain that sends no mail says so with a null MX, SPF and DMARC",
        severity=Severity.MEDIUM,
        rationale="Others forge senders of domains that publish nothing. With these records, receivers refuse such"
        " mail at once.",
        sources=(
            rfc(7505),
            rfc(7208, "10.1.2"),
            *each("TR-03182", "L-01", "L-02", "L-03", "L-04", "L-05"),
            Source("SP 800-177", "4-1"),
        ),
        profiles=ALL,
        needs=(from_dns("mx", "spf", "dmarc"),),
        by_hand='Publish the MX record "0 .", the SPF record "v=spf1 -all", and a DMARC record with p=reject and rua.',
    ),
    Control(
        id="MR-DNS-03",
        title="Each address that mail leaves from has a reverse name that leads back to it",
        severity=Severity.HIGH,
        rationale="Large receivers refuse mail from an address without such a name, because most infected hosts have"
        " none.",
        sources=(
            rfc(1912, "2.1"),
            Source("Google", "requirements for all senders: forward and reverse DNS records"),
        ),
        profiles=RELAYS,
        needs=(from_dns("egress"), from_host("egress")),
        by_hand="Ask the provider of the address to set its PTR record to the EHLO name, and publish that name with the"
        " address.",
    ),
    Control(
        id="MR-DNS-04",
        title="The EHLO name is fully qualified, resolves to the egress address and is its reverse name",
        severity=Severity.HIGH,
        rationale="Receivers compare the name that a server gives with the address it connects from. Mail of servers"
        " that give another name is refused or counted as spam.",
        sources=(rfc(5321, "4.1.1.1"),),
        profiles=RELAYS,
        needs=(from_dns("helo", "hosts", "egress"), from_host("egress")),
        by_hand="Set myhostname to a name in the DNS that resolves to the egress address.",
        variables=("relay_hostname",),
    ),
    Control(
        id="MR-DNS-05",
        title="Greeting, myhostname and certificate have the same name",
        severity=Severity.MEDIUM,
        rationale="Clients verify the certificate against the name that they connect to. A second name in the greeting"
        " misleads those who look for a fault.",
        sources=(rfc(9525, "6"), rfc(8314, "4.4")),
        profiles=RELAYS,
        needs=(from_smtp("greeting", "tls"), from_host("config", "certificates")),
        by_hand="Set myhostname to the name that clients use, and present a certificate that has it.",
        variables=("relay_hostname", "relay_tls.certificate"),
    ),
    Control(
        id="MR-DNS-06",
        title="IPv6 works as IPv4 does, or is not used",
        severity=Severity.MEDIUM,
        rationale="A host with an AAAA record is tried over IPv6 first, and mail that leaves over IPv6 needs the same"
        " records as over IPv4.",
        sources=(rfc(5321, "5.2"),),
        profiles=RELAYS,
        needs=(from_dns("hosts", "egress", "spf"), from_host("listeners", "egress", "config")),
        by_hand="Listen on the addresses of the AAAA records, give them PTR records and SPF, or set inet_protocols to"
        " ipv4 and remove the AAAA records.",
        variables=("relay_settings",),
    ),
    Control(
        id="MR-DNS-07",
        title="The zone of the domain is signed with DNSSEC, and its signatures are valid",
        severity=Severity.MEDIUM,
        rationale="Without signatures, an attacker can forge the records on which SPF, DKIM, DMARC and DANE rest.",
        sources=(rfc(4035, "5"), *each("SP 800-177", "4-2", "4-6")),
        profiles=ALL,
        needs=(from_dns("dnssec"),),
        by_hand="Sign the zone, and publish its DS record in the parent zone through the registrar.",
    ),
    Control(
        id="MR-DNS-08",
        title="The name servers that the relay asks validate DNSSEC",
        severity=Severity.MEDIUM,
        rationale="Only with validation does the relay notice forged records, and only then does it use DANE.",
        sources=(
            rfc(4035, "3.2.3"),
            Source("SP 800-177", "4-7"),
            *each("TR-03182", "B-01", "B-02", "B-03"),
            Source("SP 800-53", "SC-21", "Other protections of the name resolution are not looked at."),
        ),
        profiles=RELAYS,
        needs=(from_dns("dnssec"),),
        by_hand="Run a validating name server such as unbound on the relay, and name it alone in /etc/resolv.conf.",
    ),
    Control(
        id="MR-DNS-09",
        title="No block list has the addresses that mail leaves from, or the domain",
        severity=Severity.MEDIUM,
        rationale="Receivers refuse mail from listed addresses. A listing often shows that an account or the host was"
        " misused.",
        sources=(rfc(5782, "2", "5"),),
        profiles=RELAYS,
        needs=(from_dns("blocklists"),),
        by_hand="Find out what the list saw, stop it, and ask the list to remove the entry.",
    ),
    Control(
        id="MR-DNS-10",
        title="CAA records allow the authority that issued the certificate, and no others",
        severity=Severity.LOW,
        rationale="CAA records keep other authorities from issuing certificates for the name. If the relay's own"
        " authority is missing, the next renewal fails.",
        sources=(rfc(8659, "4.2"),),
        profiles=RELAYS,
        needs=(from_dns("caa"), from_smtp("tls")),
        by_hand='Publish a CAA record such as 0 issue "letsencrypt.org" that names the authority.',
        level=2,
    ),
    Control(
        id="MR-DNS-11",
        title="All authoritative name servers of the zone give the same answers",
        severity=Severity.MEDIUM,
        rationale="If a name server has an old zone, some receivers see old records, and failures come and go.",
        sources=(rfc(1034, "4.3.5"), rfc(1912, "2.8")),
        profiles=ALL,
        needs=(from_dns("authority"),),
        by_hand="Repair the zone transfers to the server that differs, or remove it from the delegation.",
        level=2,
    ),
)
