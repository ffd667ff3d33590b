# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of TLS at the listeners, and of the certificate."""

from __future__ import annotations

from .control import ALL, RELAYS, Control, Rows, from_host, from_smtp
from .finding import Severity
from .source import Source, rfc

_IN_TRANSIT = Source("CIS Controls", "3.10", "Only mail at the listeners is looked at.")
_PCI = Source("PCI DSS", "4.2.1", "Only mail at the listeners is looked at.")

ROWS: Rows = (
    Control(
        id="MR-TLS-01",
        title="Ports 25 and 587 offer STARTTLS, and port 465 begins with TLS",
        severity=Severity.HIGH,
        rationale="Without TLS, passwords and mail travel in clear.",
        sources=(
            rfc(3207, "4"),
            rfc(8314, "3.3"),
            Source("BOD 18-01", "STARTTLS on mail servers"),
            Source("SP 800-53", "SC-8", "Only mail at the listeners is looked at."),
            _IN_TRANSIT,
        ),
        profiles=RELAYS,
        needs=(from_smtp("ehlo", "starttls", "tls"),),
        by_hand="Set smtpd_tls_security_level to may on port 25 and to encrypt on port 587, and smtpd_tls_wrappermode"
        " to yes on port 465.",
        variables=("relay_listeners[].tls",),
    ),
    Control(
        id="MR-TLS-02",
        title="TLS 1.2 and 1.3 are accepted, and no older version",
        severity=Severity.HIGH,
        rationale="TLS 1.0 and 1.1 have known weaknesses, and an attacker can make clients fall back to them.",
        sources=(
            rfc(8996, "4", "5"),
            rfc(9325, "3.1.1"),
            _PCI,
            Source("BOD 18-01", "SSLv2 and SSLv3 disabled on mail servers"),
        ),
        profiles=RELAYS,
        needs=(from_smtp("probes.tls"),),
        by_hand="Set smtpd_tls_protocols and smtpd_tls_mandatory_protocols to >=TLSv1.2.",
        variables=("relay_settings",),
    ),
    Control(
        id="MR-TLS-03",
        title="No weak cipher suites are accepted",
        severity=Severity.HIGH,
        rationale="RC4, 3DES, EXPORT and NULL can be read by others. Without a certificate (anonymous), a client that"
        " logs in cannot know whom it gives the password to.",
        sources=(
            rfc(9325, "4.1", "4.2"),
            _PCI,
            Source("BOD 18-01", "3DES and RC4 disabled on mail servers"),
        ),
        profiles=RELAYS,
        needs=(from_smtp("probes.tls"),),
        by_hand="Set smtpd_tls_mandatory_ciphers to high, and smtpd_tls_mandatory_exclude_ciphers to aNULL, RC4, 3DES.",
        variables=("relay_tls.old_clients", "relay_settings"),
    ),
    Control(
        id="MR-TLS-04",
        title="The certificate is trusted, complete with its chain, and has the name that clients use",
        severity=Severity.HIGH,
        rationale="Clients that verify cannot connect otherwise, and those that do not verify can be deceived.",
        sources=(rfc(8314, "4.4"), rfc(9525, "6")),
        profiles=RELAYS,
        needs=(from_smtp("tls"),),
        by_hand="Obtain a certificate for the name that clients use, and give Postfix the file with the whole chain"
        " (smtpd_tls_chain_files).",
        variables=("relay_tls.certificate", "relay_hostname"),
    ),
    Control(
        id="MR-TLS-05",
        title="The certificate stays valid for more than a week, or a quarter of a life of up to 100 days",
        severity=Severity.HIGH,
        rationale="On the day on which it expires, clients stop sending. A program renews a certificate when a third of"
        " its life is left, so less than a quarter shows that the renewal failed.",
        sources=(rfc(5280, "4.1.2.5"),),
        profiles=RELAYS,
        needs=(from_smtp("tls"), from_host("certificates")),
        by_hand="Renew the certificate, reload Postfix, and repair the automatic renewal.",
        variables=("relay_tls.certificate",),
    ),
    Control(
        id="MR-TLS-06",
        title="The key of the certificate is strong enough, and so is its signature",
        severity=Severity.MEDIUM,
        rationale="With a broken key or a forged signature, an attacker can take the place of the server.",
        sources=(rfc(9325, "4.5"), _PCI),
        profiles=RELAYS,
        needs=(from_smtp("tls"),),
        by_hand="Obtain a certificate signed with SHA-256, with an RSA key of 2048 bits or an EC key on P-256.",
        variables=("relay_tls.certificate", "relay_tls.key"),
    ),
    Control(
        id="MR-TLS-07",
        title="Commands in clear behind STARTTLS are not carried out in TLS",
        severity=Severity.HIGH,
        rationale="Otherwise an attacker on the way can put commands of its own before those of a client.",
        sources=(rfc(3207, "4.2"), Source("CVE", "CVE-2011-0411")),
        profiles=RELAYS,
        needs=(from_smtp("probes.injection"),),
        by_hand="Update Postfix, or the proxy in front of it.",
    ),
    Control(
        id="MR-TLS-08",
        title="Only root can read the private key of the certificate",
        severity=Severity.HIGH,
        rationale="Programs that can read the key can take the place of the server.",
        sources=(Source("SP 800-53", "SC-12", "How keys are made and destroyed is not looked at."),),
        profiles=ALL,
        needs=(from_host("files"),),
        by_hand="Give the key file the owner root and the mode 0600.",
        variables=("relay_tls.key",),
    ),
)
