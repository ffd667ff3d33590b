# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the host, and of messages that were sent through it."""

from __future__ import annotations

from .control import ALL, RELAYS, Conflict, Control, Effect, Rows, from_host, from_proof, from_smtp
from .finding import Severity
from .source import Source, each, rfc

_LOCAL_ONLY = tuple(
    Source(name, rule)
    for name, rule in {
        "CIS RHEL 8": "2.1.23",
        "CIS RHEL 9": "2.1.21",
        "CIS RHEL 10": "2.1.21",
        "CIS AlmaLinux 9": "2.1.21",
        "CIS Debian 12": "2.1.21",
        "CIS Debian 13": "2.1.22",
        "CIS Ubuntu 22.04": "2.1.21",
        "CIS Ubuntu 24.04": "2.1.21",
        "ANSSI BP-028": "R74",
    }.items()
)
_ONE_MAIL_SERVER = tuple(
    Source(name, rule)
    for name, rule in {
        "STIG RHEL 8": "RHEL-08-040002",
        "STIG RHEL 9": "RHEL-09-215020",
        "STIG Oracle Linux 8": "OL08-00-040002",
        "STIG Oracle Linux 9": "OL09-00-000150",
    }.items()
)
_ALIASES = (
    *(
        Source(name, rule, "The rule has postmaster lead to root; the control accepts any mailbox.")
        for name, rule in {
            "STIG RHEL 8": "RHEL-08-030030",
            "STIG RHEL 9": "RHEL-09-252060",
            "STIG RHEL 10": "RHEL-10-700670",
            "STIG Oracle Linux 8": "OL08-00-030030",
            "STIG Oracle Linux 9": "OL09-00-000815",
        }.items()
    ),
    Source("STIG RHEL 9", "RHEL-09-653125"),
    Source("STIG RHEL 10", "RHEL-10-200691"),
    Source("STIG Oracle Linux 9", "OL09-00-002405"),
    Source("ANSSI BP-028", "R75", "Only root, postmaster and abuse are looked at."),
    Source("SP 800-53", "AU-5", "Whether the alerts are sent is not looked at."),
)

ROWS: Rows = (
    Control(
        id="MR-HOST-01",
        title="The mail ports that listen are the declared ones",
        severity=Severity.HIGH,
        rationale="A port that no one knows of is neither watched nor protected. A null client needs none beyond"
        " loopback.",
        sources=(
            *_LOCAL_ONLY,
            Source("CIS Controls", "4.8", "Only mail ports are looked at."),
            Source("PCI DSS", "2.2.4", "Only mail ports are looked at."),
            Source("SP 800-53", "CM-7", "Only mail ports are looked at."),
        ),
        profiles=ALL,
        needs=(from_host("listeners", "config"),),
        by_hand="Remove the service from master.cf, or set inet_interfaces to loopback-only on a null client.",
        variables=("relay_listeners",),
        conflicts=(
            Conflict(
                _LOCAL_ONLY,
                RELAYS,
                Effect.NOT_APPLICABLE,
                "The recommendation is for hosts that are not mail servers. A relay is there to take mail from others.",
            ),
        ),
    ),
    Control(
        id="MR-HOST-02",
        title="The firewall opens the declared ports to the declared networks alone, and lets mail out",
        severity=Severity.HIGH,
        rationale="The firewall is the second lock: it holds when Postfix is configured wrongly.",
        sources=(
            Source("PCI DSS", "1.4.2", "Only mail ports are looked at."),
            Source("CIS Controls", "4.4", "Only mail ports are looked at."),
            Source("SP 800-53", "SC-7", "Only mail ports are looked at."),
        ),
        profiles=ALL,
        needs=(from_host("firewall", "listeners"), from_smtp("connections")),
        by_hand="Allow the mail ports in the host's firewall for these networks, and port 25 to other servers.",
        variables=("relay_firewall", "relay_listeners[].from"),
    ),
    Control(
        id="MR-HOST-03",
        title="Postfix runs, is enabled, up to date and free of complaints, and is the only mail server",
        severity=Severity.MEDIUM,
        rationale="A server that does not start again after a reboot, or a second one beside it, loses mail.",
        sources=(*_ONE_MAIL_SERVER, Source("SP 800-53", "CM-7", "Only mail servers are looked at.")),
        profiles=ALL,
        needs=(from_host("units", "packages", "mail_servers", "config"),),
        by_hand="Enable the unit of Postfix, mend what postfix check prints, update it, and remove other mail servers.",
        variables=("relay_state", "relay_takeover"),
    ),
    Control(
        id="MR-HOST-04",
        title="Files with passwords are readable by root alone, and logins at the upstream need TLS",
        severity=Severity.HIGH,
        rationale="The password of the upstream lets others send in your name, from the file or from the network.",
        sources=(
            Source("SP 800-53", "IA-5", "Only passwords of mail are looked at."),
            Source("SP 800-53", "SC-8", "Only logins at the upstream are looked at."),
            Source("PCI DSS", "8.3.2", "Only logins at the upstream are looked at."),
        ),
        profiles=ALL,
        needs=(from_host("files", "config"),),
        by_hand="Give the files of smtp_sasl_password_maps the mode 0600, and set smtp_tls_security_level to encrypt,"
        " verify or secure.",
        variables=("relay_upstream.tls",),
    ),
    Control(
        id="MR-HOST-05",
        title="Mail to root and postmaster ends in a mailbox",
        severity=Severity.MEDIUM,
        rationale="Programs report faults to root, and other servers to postmaster. Otherwise these reports are lost.",
        sources=_ALIASES,
        profiles=ALL,
        needs=(from_host("aliases"),),
        by_hand="Add aliases for root and postmaster to /etc/aliases, and run newaliases.",
        variables=("relay_aliases",),
    ),
    Control(
        id="MR-HOST-06",
        title="The files that a role of this collection deployed are as it deployed them",
        severity=Severity.MEDIUM,
        rationale="A change by hand is in no inventory. The next run undoes it, perhaps at the worst moment.",
        sources=(Source("SP 800-53", "CM-6", "Only files of the role are looked at."),),
        profiles=ALL,
        needs=(from_host("managed"),),
        by_hand="Bring the change into the variables of the role, or undo it, and run the role.",
    ),
    Control(
        id="MR-E2E-01",
        title="A message sent through each way in arrives in time",
        severity=Severity.CRITICAL,
        rationale="Only a message that arrives proves that login, queue, route and upstream work together.",
        sources=(rfc(5321, "6.1"),),
        profiles=ALL,
        needs=(from_proof("messages"),),
        by_hand="Send a message with a word of your own in its subject, and follow its queue ID in the logs.",
        variables=("relay_verify.to", "relay_upstream"),
    ),
    Control(
        id="MR-E2E-02",
        title="The receiver finds that SPF, DKIM and DMARC pass, and that the mail came in over TLS",
        severity=Severity.HIGH,
        rationale="What counts is how receivers judge the mail, not how it looks on the relay.",
        sources=(rfc(3848), *each("TR-03182", "D-02", "F-03")),
        profiles=ALL,
        needs=(from_proof("messages"),),
        by_hand="Look for Authentication-Results in the message that arrived, and mend what did not pass.",
    ),
    Control(
        id="MR-E2E-03",
        title="The queue moves, and bounces return to the sender",
        severity=Severity.LOW,
        rationale="A growing queue is the first sign that receivers refuse or delay the mail.",
        sources=(rfc(5321, "4.5.4.1"),),
        profiles=ALL,
        needs=(from_host("queue"), from_proof("messages")),
        by_hand="Look with postqueue -p at the reasons why messages wait, and mend the most frequent one.",
        variables=("relay_limits.queue_lifetime", "relay_limits.bounce_lifetime"),
        level=2,
    ),
)
