# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of SPF."""

from __future__ import annotations

from .control import ALL, RELAYS, Conflict, Control, Effect, Rows, from_dns, from_host
from .finding import Severity
from .source import Source, rfc

_HARD_FAIL = Source("SCuBA", "MS.EXO.2.2v3", "It calls for -all; the control also accepts ~all.")

ROWS: Rows = (
    Control(
        id="MR-SPF-01",
        title="The domain has exactly one SPF record, and it is valid",
        severity=Severity.HIGH,
        rationale="Receivers treat a second or a malformed record as an error, and then no host is allowed to send.",
        sources=(
            rfc(7208, "4.5"),
            Source("TR-03182", "D-01"),
            Source("SP 800-177", "4-1"),
            Source("BOD 18-01", "valid SPF records", "Other domains of the organization are not looked at."),
            Source("Google", "requirements for all senders: SPF or DKIM"),
            Source("M3AAWG", "section 5.1", "It has more recommendations than that the record exists."),
        ),
        profiles=ALL,
        needs=(from_dns("spf"),),
        by_hand='Publish one TXT record that begins with "v=spf1", names the hosts that send, and ends with ~all or'
        " -all.",
    ),
    Control(
        id="MR-SPF-02",
        title="SPF passes for each address that mail leaves from",
        severity=Severity.CRITICAL,
        rationale="Mail from an address that SPF does not list fails SPF at every receiver, and often DMARC as well.",
        sources=(rfc(7208, "2.6"), Source("TR-03182", "D-02")),
        profiles=ALL,
        needs=(from_dns("spf", "egress"), from_host("egress")),
        by_hand="Add the address to the SPF record with ip4 or ip6, or include the record of the upstream.",
    ),
    Control(
        id="MR-SPF-03",
        title="The SPF record stays within the limits of lookups and size",
        severity=Severity.HIGH,
        rationale="A record with more than ten lookups is an error for receivers. A long answer may not fit into one"
        " packet.",
        sources=(rfc(7208, "3.4", "4.6.4"),),
        profiles=ALL,
        needs=(from_dns("spf"),),
        by_hand="Remove includes that are not used any more, and write addresses with ip4 and ip6, not a and mx.",
    ),
    Control(
        id="MR-SPF-04",
        title="The SPF record refuses hosts that are not listed",
        severity=Severity.HIGH,
        rationale="A record that ends with +all or ?all, or that lists wide networks, lets strangers send in the name"
        " of the domain.",
        sources=(rfc(7208, "2.6", "5.5"), Source("TR-03182", "D-03"), _HARD_FAIL),
        profiles=ALL,
        needs=(from_dns("spf"),),
        by_hand="End the record with -all or ~all, remove ptr, and name smaller networks.",
        conflicts=(
            Conflict(
                (_HARD_FAIL,),
                ALL,
                Effect.WAIVER,
                "With -all, receivers may refuse mail that was forwarded before they look at its DKIM signature. A"
                " domain with a DMARC policy of reject is protected with ~all as well.",
            ),
        ),
    ),
    Control(
        id="MR-SPF-05",
        title="The EHLO name has an SPF record of its own",
        severity=Severity.LOW,
        rationale="Bounces have no sender address, so receivers evaluate SPF for the EHLO name.",
        sources=(rfc(7208, "2.3"),),
        profiles=RELAYS,
        needs=(from_dns("spf", "helo"),),
        by_hand='Publish the TXT record "v=spf1 a -all" for the EHLO name.',
        level=2,
    ),
)
