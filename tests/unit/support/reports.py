# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up reports: one with each state, any that Hypothesis thinks of, and one of a large fleet."""

from __future__ import annotations

from hypothesis import strategies as st

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.report import (
    Certificate,
    Citation,
    ControlInfo,
    EvidenceReference,
    HostReport,
    Report,
    Result,
    Seen,
    Threshold,
    Waiver,
)
from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import Finding, FindingStatus, Severity

WHEN = "2026-11-28T12:00:00Z"
HOSTILE = "220 <script>alert(1)</script> \x1b[31m\x00 ]]> & ' \" `@root` | [x](javascript:1) \u202e \ud800"

CONTROLS = (
    ControlInfo(
        "MR-DNS-03",
        "Each egress address has a forward-confirmed PTR record",
        Severity.HIGH,
        "Large providers refuse mail from an address without one.",
        (Citation("RFCs", "RFC 1912", "section 2.1"), Citation("NIST SP 800-53", "SP 800-53", "SC-20", "Rev. 5")),
        "",
        "Ask the provider of the address for the PTR record.",
    ),
    ControlInfo(
        "MR-TLS-02",
        "Only TLS 1.2 and 1.3 are offered",
        Severity.HIGH,
        "TLS 1.0 and 1.1 are deprecated.",
        (Citation("RFCs", "RFC 8996"), Citation("PCI DSS", "PCI DSS", "4.2.1", "v4.0.1", "Only mail.")),
        "relay_tls:\n  minimum: TLSv1.2",
        "postconf -e 'smtpd_tls_protocols = >=TLSv1.2'",
    ),
    ControlInfo(
        "MR-SMTP-03",
        "The banner names no product",
        Severity.LOW,
        "",
        (Citation("DISA STIG", "STIG RHEL 9", "X", "V2R5"),),
    ),
    ControlInfo(
        "MR-AUTH-01", "No login before TLS", Severity.CRITICAL, "", (Citation("RFCs", "RFC 4954", "section 4"),)
    ),
)


def finding(control="MR-DNS-03", status="fail", severity="high", subject="relay1.example.com", message="", remedy=""):
    """A finding; the message is made up."""
    message = message or f"{control} comes to {status}."
    return Finding(control, FindingStatus(status), Severity(severity), subject, message, remedy, "RFC 1912 section 2.1")


def result(status="fail", control="MR-DNS-03", severity="high", subject="relay1.example.com", **fields):
    """A result; other fields are those of the finding or of the result."""
    own = {name: fields.pop(name) for name in ("waiver", "waiver_expired", "seen") if name in fields}
    return Result(finding(control, status, severity, subject, **fields), **own)


def report(*results, host="relay1.example.com", fail_on="high", **fields):
    """A report of one host with these results."""
    hosts = fields.pop("hosts", (HostReport(host, "submission_relay", results=results),))
    given = {"when": WHEN, "title": "Mail relays", "collection_version": "0.1.0", "controls": CONTROLS, **fields}
    return Report(hosts=hosts, fail_on=Threshold(fail_on), **given)


WAIVER = Waiver("MR-TLS-02", "mail team", "An old printer needs TLS 1.0", "2026-12-31", "relay1.*")


def each_state():
    """A report with each state, and a host that is down."""
    results = (
        result("fail", message="192.0.2.25 has no PTR record.", remedy="Set one.", subject="192.0.2.25",
               seen=(Seen("dns relay1.example.com reverse.192.0.2.25.names", "[]"),)),
        result("fail", "MR-TLS-02", message="TLS 1.0 is offered.", waiver=WAIVER),
        result("error", "MR-AUTH-01", "critical", message="relay1.example.com:587 replied 421."),
        result("pass", "MR-SMTP-03", "low", message="The banner is 220 relay1.example.com ESMTP."),
        result("not_checked", "MR-DNS-03", subject="2001:db8::25", message="No name server answers."),
        result("not_applicable", "MR-DNS-03", subject="10.0.0.25", message="10.0.0.25 is private."),
    )  # fmt: skip
    first = HostReport(
        "relay1.example.com",
        "submission_relay",
        "It has a listener on port 587",
        results,
        evidence=(EvidenceReference("dns", "example.com", WHEN, "controller", "evidence/relay1.dns.json"),),
        certificates=(Certificate("mail.example.com", 5), Certificate("old.example.com", -2)),
        queue={"active": 3, "deferred": 120},
    )
    second = HostReport("relay2.example.com", problem="relay2.example.com could not be reached: no route to host.")
    return report(hosts=(first, second), notices=("The waiver of MR-DNS-10 was not used.",))


TEXTS = st.one_of(st.sampled_from((HOSTILE, "", "relay1.example.com")), st.text(max_size=30))
_MOMENTS = st.just(WHEN)
_WAIVERS = st.builds(Waiver, TEXTS, TEXTS, TEXTS, st.just("2026-12-31"), TEXTS, TEXTS)
_FINDINGS = st.builds(
    Finding, TEXTS, st.sampled_from(FindingStatus), st.sampled_from(Severity), TEXTS, TEXTS, TEXTS, TEXTS
)
_RESULTS = st.builds(
    Result,
    _FINDINGS,
    st.none() | _WAIVERS,
    st.booleans(),
    st.lists(st.builds(Seen, TEXTS, TEXTS), max_size=2).map(tuple),
)
_SOURCES = st.lists(st.builds(Citation, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple)
_HOSTS = st.builds(
    HostReport,
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(_RESULTS, max_size=4).map(tuple),
    TEXTS,
    st.lists(st.builds(EvidenceReference, TEXTS, TEXTS, _MOMENTS, TEXTS, TEXTS), max_size=1).map(tuple),
    st.lists(st.builds(Certificate, TEXTS, st.integers(-1000, 1000)), max_size=2).map(tuple),
    st.dictionaries(TEXTS, st.integers(0, 10**6), max_size=2),
)
_CONTROLS = st.builds(ControlInfo, TEXTS, TEXTS, st.sampled_from(Severity), TEXTS, _SOURCES, TEXTS, TEXTS)
#: Reports with any text in any field.
ANY_REPORT = st.builds(
    Report,
    _MOMENTS,
    TEXTS,
    TEXTS,
    st.lists(_CONTROLS, max_size=3).map(tuple),
    st.lists(_HOSTS, max_size=3).map(tuple),
    st.sampled_from(Threshold),
    st.lists(TEXTS, max_size=2).map(tuple),
)


def fleet(hosts=1000, controls=64):
    """A large fleet, of which one finding in nine fails."""
    known = tuple(
        ControlInfo(
            f"MR-X-{number:02}",
            f"The relay meets requirement number {number}",
            list(Severity)[number % 4],
            "Mail is lost or read by others if it does not.",
            (
                Citation("RFCs", "RFC 5321", f"section {number}"),
                Citation(f"Standard {number % 6}", "Document", "", "2026"),
            ),
            f"relay_option_{number}: true",
            f"postconf -e option_{number}=yes",
        )
        for number in range(controls)
    )
    states = ("pass", "pass", "pass", "fail", "pass", "not_applicable", "pass", "pass", "error")

    def one(name, number):
        status = states[(number * 7 + sum(map(ord, name))) % 9]
        message = f"Requirement {number} was judged on {name} by what it replied: 250 OK."
        return result(status, f"MR-X-{number:02}", list(Severity)[number % 4].value, name, message=message,
                      remedy="" if status == "pass" else f"Set relay_option_{number}.")  # fmt: skip

    names = [f"relay{number}.example.com" for number in range(hosts)]
    found = tuple(
        HostReport(name, "submission_relay", "named", tuple(one(name, number) for number in range(controls)),
                   certificates=(Certificate(name, len(name) * 3),), queue={"deferred": len(name)})
        for name in names
    )  # fmt: skip
    return report(hosts=found, controls=known)
