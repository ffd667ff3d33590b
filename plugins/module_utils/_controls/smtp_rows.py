# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what a server says and takes over SMTP."""

from __future__ import annotations

from .control import MX_HOST, RELAYS, Control, Rows, from_host, from_proof, from_smtp
from .finding import Severity
from .source import Source, rfc

ROWS: Rows = (
    Control(
        id="MR-SMTP-01",
        title="Only CR LF, dot, CR LF ends a message, and commands sent too early are refused",
        severity=Severity.HIGH,
        rationale="Otherwise a message can carry a second one with a forged sender, which seems to come from this"
        " server (SMTP smuggling).",
        sources=(rfc(5321, "2.3.8", "4.1.1.4"), rfc(2920, "3.1"), Source("CVE", "CVE-2023-51764")),
        profiles=RELAYS,
        needs=(from_smtp("probes.smuggling", "probes.early_talk"), from_host("config")),
        by_hand="Set smtpd_forbid_bare_newline to normalize, smtpd_forbid_bare_newline_exclusions to nothing, and"
        " smtpd_forbid_unauth_pipelining to yes; update Postfix if it does not know them.",
        variables=("relay_settings",),
    ),
    Control(
        id="MR-SMTP-02",
        title="Clients cannot use VRFY, EXPN, ETRN and XCLIENT",
        severity=Severity.MEDIUM,
        rationale="VRFY and EXPN tell which addresses exist. With XCLIENT, a client can claim to be another one.",
        sources=(
            rfc(5321, "3.5.3", "7.3"),
            Source("SP 800-53", "CM-7", "Only commands of SMTP are looked at."),
        ),
        profiles=RELAYS,
        needs=(from_smtp("ehlo", "probes.commands"),),
        by_hand="Set disable_vrfy_command to yes, smtpd_discard_ehlo_keywords to etrn, and leave"
        " smtpd_authorized_xclient_hosts empty.",
        variables=("relay_settings",),
    ),
    Control(
        id="MR-SMTP-03",
        title="The greeting names neither the product nor its version",
        severity=Severity.LOW,
        rationale="With the version, an attacker knows at once which faults to try.",
        sources=(Source("SP 800-53", "AC-8", "Only the greeting of SMTP is looked at."),),
        profiles=RELAYS,
        needs=(from_smtp("greeting", "probes.banner"),),
        by_hand="Set smtpd_banner to $myhostname ESMTP.",
        variables=("relay_settings",),
    ),
    Control(
        id="MR-SMTP-04",
        title="Mail to postmaster and abuse is accepted",
        severity=Severity.MEDIUM,
        rationale="By these addresses, others report faults and abuse. Servers without postmaster are refused by some.",
        sources=(rfc(5321, "4.5.1"), rfc(2142, "4", "5")),
        profiles=MX_HOST,
        needs=(from_proof("recipients"), from_host("aliases")),
        by_hand="Add both to the recipients of each domain, and lead them to a mailbox that someone reads.",
        variables=("relay_domains[].recipients", "relay_aliases"),
    ),
    Control(
        id="MR-SMTP-05",
        title="The server announces its limit for the size of messages, and refuses larger ones",
        severity=Severity.LOW,
        rationale="With the announced limit, clients learn at once that a message is too large, instead of sending it"
        " in vain.",
        sources=(rfc(1870, "6.1"),),
        profiles=RELAYS,
        needs=(from_smtp("ehlo", "probes.size"),),
        by_hand="Set message_size_limit to the limit of the server that takes the mail next.",
        variables=("relay_limits.message_size",),
        level=2,
    ),
    Control(
        id="MR-SMTP-06",
        title="Connections and recipients of one client are limited",
        severity=Severity.MEDIUM,
        rationale="Without limits, one client can use up the server for all others.",
        sources=(Source("SP 800-53", "SC-5", "Only limits of Postfix are looked at."),),
        profiles=RELAYS,
        needs=(from_host("config"),),
        by_hand="Set smtpd_client_connection_count_limit or smtpd_client_connection_rate_limit, and"
        " smtpd_recipient_limit.",
        variables=("relay_limits",),
    ),
)
