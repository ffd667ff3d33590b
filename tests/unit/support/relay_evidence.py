# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence of a submission relay without faults, seen over SMTP and proven by messages, and the same with changes."""

from __future__ import annotations

import dataclasses
import types
import typing as t

from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import Declared, DeclaredListener, Target
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.judge import judge
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import EvidenceKind, Profile
from ansible_collections.mailops.smtp.plugins.module_utils._controls.finding import Finding
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.arrived import arrival_of
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.certificate import CertificateFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Kind, Unknown, Vantage
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host import HostFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_config import Instance, Service
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Alias, Queue, QueueState
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Target as AliasTarget
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import FirewallFacts, PortAccess
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.proof import (
    Attempt,
    HopFacts,
    LoginProof,
    MessageProof,
    ProofFacts,
    RecipientProof,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import (
    EhloFacts,
    LoginFacts,
    Reach,
    ReachFacts,
    SmtpFacts,
    TlsFacts,
)
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_answer import AnswerFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import (
    BannerFacts,
    ClearAuthFacts,
    CommandFacts,
    EarlyTalkFacts,
    InjectionFacts,
    LoginReplyFacts,
    RelayFacts,
    RelayOutcome,
    RelayVariantFacts,
    SizeFacts,
    SmtpProbes,
    SmugglingFacts,
    SmugglingOutcome,
    TlsOfferFacts,
    TlsVersionFacts,
)

SEEN_AT = "2026-03-01T12:00:00Z"
HOST, ADDRESS, OUTSIDE, INSIDE = "relay.example.test", "192.0.2.25", "8.8.4.4", "10.1.2.3"

STRANGER, TRUSTED = Vantage("outside", (OUTSIDE,)), Vantage("inside", (INSIDE,))


def answer(code: int, text: str = "said", enhanced: str | None = None) -> AnswerFacts:
    """A reply."""
    return AnswerFacts(code, enhanced, text, 1.0)


def _unknown(reasons: t.Mapping[str, str] | None) -> tuple[Unknown, ...]:
    return tuple(Unknown(path, reason) for path, reason in (reasons or {}).items())


# -- SMTP -------------------------------------------------------------------------------------------------------------

LEAF = CertificateFacts(
    subject="CN=relay",
    issuer="CN=CA",
    names=(HOST,),
    serial="01",
    not_before="2026-01-01T00:00:00Z",
    not_after="2026-12-01T00:00:00Z",
    sha256="00",
    spki_sha256="11",
    key_type="rsa",
    key_bits=2048,
    key_curve=None,
    signature="sha256WithRSAEncryption",
    signature_hash="sha256",
    self_issued=False,
    authority=False,
)
TLS = TlsFacts("starttls", True, True, "", "TLSv1.3", "TLS_AES_256_GCM_SHA384", (LEAF,), 1, 1.0)
WEAK = dict.fromkeys(("NULL", "EXPORT", "RC4", "3DES", "ANON"), False)


def ehlo(*mechanisms: str, **extensions: tuple[str, ...]) -> EhloFacts:
    """A reply to EHLO."""
    return EhloFacts(answer(250), {"SIZE": ("1000",), **extensions}, mechanisms, 1000)


def version(name: str, accepted: bool | None, **weak: bool | None) -> TlsVersionFacts:
    """A version of TLS."""
    groups = {"TDES": "3DES"}
    known = {**WEAK, **{groups.get(group, group): found for group, found in weak.items()}}
    return TlsVersionFacts(name, accepted, known if accepted is not False else {})


OLD = (version("SSLv3", False), version("TLSv1.0", False), version("TLSv1.1", False))
NEW = (version("TLSv1.2", True), version("TLSv1.3", True))
DENIED = answer(554, "Relay access denied", "5.7.1")


def variant(number: int = 2, outcome: RelayOutcome | None = RelayOutcome.REFUSED, **more: t.Any) -> RelayVariantFacts:
    """A way to relay."""
    given = {"recipient": "sink@elsewhere.test", "answer": DENIED, **more}
    return RelayVariantFacts(number, "stranger", "antispam@elsewhere.test", outcome=outcome, **given)


def command(line: str, code: int = 502, usable: bool | None = False, offered: bool = False) -> CommandFacts:
    """A command that was tried."""
    return CommandFacts(line, offered, usable, answer(code))


COMMANDS = tuple(
    map(command, ("VRFY postmaster", "VRFY nobody", "EXPN postmaster", "ETRN x.invalid", "XCLIENT NAME=x"))
)


def sequence(
    outcome: SmugglingOutcome | None = SmugglingOutcome.SWALLOWED, arrived: bool | None = None
) -> SmugglingFacts:
    """A false end of data."""
    return SmugglingFacts("\\n.\\n", outcome, answer(250), 1, arrived=arrived)


INVALID = answer(535, "authentication failed", "5.7.8")
PROBES = SmtpProbes(
    banner=BannerFacts(answer(220, f"{HOST} ESMTP"), HOST, (), ()),
    auth_before_tls=ClearAuthFacts((), answer(503, "AUTH not enabled")),
    commands=COMMANDS,
    size=SizeFacts(1000, answer(552)),
    injection=InjectionFacts(answer(220), answered_in_tls=False),
    relay=RelayFacts(answer(250), answer(250), tuple(variant(number) for number in range(1, 23))),
    smuggling=(sequence(),),
    tls=TlsOfferFacts((*OLD, *NEW), ()),
    early_talk=EarlyTalkFacts(answer(220), answer(250)),
)
#: What a port with a login has of its own: every client without a login is refused.
WANTS_LOGIN = answer(530, "Authentication required", "5.7.0")
LOGIN_PROBES = dataclasses.replace(
    PROBES,
    relay=RelayFacts(answer(250), WANTS_LOGIN, (variant(2, RelayOutcome.AUTHENTICATION_REQUIRED, answer=WANTS_LOGIN),)),
    login_replies=LoginReplyFacts(INVALID, INVALID, True),
)


NO_CHANGE: t.Mapping[str, t.Any] = types.MappingProxyType({})


def smtp(
    port: int = 25,
    unknown: t.Mapping[str, str] | None = None,
    vantage: Vantage = STRANGER,
    probes: t.Mapping[str, t.Any] | None = NO_CHANGE,
    **facts: t.Any,
) -> Evidence[SmtpFacts]:
    """What a port says, with these facts and these active tests changed, or without any tests."""
    login = port != 25
    found = LOGIN_PROBES if login else PROBES
    defaults: dict[str, t.Any] = {
        "connections": (ReachFacts(ADDRESS, port, Reach.OPEN),),
        "address": ADDRESS,
        "greeting": answer(220, f"{HOST} ESMTP"),
        "ehlo": ehlo(STARTTLS=()),
        "starttls": answer(220),
        "tls": TLS,
        "ehlo_in_tls": ehlo("PLAIN", "LOGIN") if login else ehlo(),
        "login": LoginFacts(True, "PLAIN", answer(235)) if login else None,
        "probes": None if probes is None else dataclasses.replace(found, **probes),
    }
    if port == 465:
        defaults |= {"ehlo": None, "starttls": None, "tls": dataclasses.replace(TLS, began="implicit")}
    seen = SmtpFacts(HOST, port, **{"addresses": (ADDRESS,), **defaults, **facts})
    return Evidence(Kind.SMTP, f"{HOST}:{port}", SEEN_AT, 0.1, vantage, seen, _unknown(unknown))


NOTHING: dict[str, t.Any] = {
    **dict.fromkeys(("address", "greeting", "ehlo", "starttls", "tls", "ehlo_in_tls", "login", "probes")),
}


def closed(port: int = 25, state: Reach = Reach.FILTERED, vantage: str = "outside") -> Evidence[SmtpFacts]:
    """A port to which no connection was made."""
    one = smtp(port, {"ehlo": "Not reached: the step connect did not pass."}, Vantage(vantage, (OUTSIDE,)))
    facts = dataclasses.replace(one.facts, connections=(ReachFacts(ADDRESS, port, state),), **NOTHING)
    return dataclasses.replace(one, facts=facts)


# -- the host ---------------------------------------------------------------------------------------------------------

PARAMETERS = {
    "myhostname": HOST,
    "inet_interfaces": "all",
    "mynetworks": "127.0.0.0/8 [::1]/128 10.1.0.0/16",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_sasl_auth_enable": "no",
    "smtpd_tls_auth_only": "yes",
    "smtpd_tls_security_level": "may",
    "smtpd_forbid_bare_newline": "normalize",
    "smtpd_forbid_bare_newline_exclusions": "",
    "smtpd_forbid_unauth_pipelining": "yes",
    "smtpd_client_connection_count_limit": "10",
    "smtpd_client_message_rate_limit": "100",
    "smtpd_recipient_limit": "1000",
    "smtpd_client_event_limit_exceptions": "127.0.0.0/8 10.1.0.0/16",
}
SUBMISSION = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch",
    "smtpd_sender_login_maps": "texthash:/etc/postfix/senders",
}


def service(name: str, kind: str = "inet", program: str = "smtpd", **parameters: str) -> Service:
    """A service of master.cf."""
    return Service(name, kind, "n", "-", "y", "-", "-", program, own=tuple(parameters), parameters=parameters)


SERVICES = (
    service("smtp"),
    service("submission", **SUBMISSION),
    service("submissions", smtpd_tls_wrappermode="yes", **SUBMISSION),
)
INSTANCE = Instance("", "", True, "/etc/postfix", "3.9.1", PARAMETERS, tuple(PARAMETERS), SERVICES)
FACTS = HostFacts(
    config=(INSTANCE,),
    aliases=tuple(Alias("", one, True, (AliasTarget("address", "ops@x.test"),), ()) for one in ("postmaster", "abuse")),
    queue=(Queue("", "/var/spool/postfix", 1, SEEN_AT, (QueueState("deferred", 1, 10, "2026-03-01T11:00:00Z", ()),)),),
)


def host(unknown: t.Mapping[str, str] | None = None, **facts: t.Any) -> Evidence[HostFacts]:
    """What the host says of itself, with these groups changed."""
    seen = dataclasses.replace(FACTS, **facts)
    return Evidence(Kind.HOST, "relay", SEEN_AT, 0.1, Vantage("relay"), seen, _unknown(unknown))


def config(*services: Service, **parameters: str) -> Evidence[HostFacts]:
    """The host with these parameters, and these services in place of those of the same name."""
    kept = {(one.name, one.type): one for one in (*SERVICES, *services)}
    changed = dataclasses.replace(
        INSTANCE, parameters={**PARAMETERS, **parameters}, services=tuple(kept.values()), own=()
    )
    return host(config=(changed,))


def filtered(others: str = "drop", port: int = 25) -> Evidence[HostFacts]:
    """The host with a packet filter for a port."""
    ports = tuple(PortAccess(port, number, others, ("10.1.0.0/16",), (), ()) for number in (4, 6))
    return host(firewall=FirewallFacts((), (), ports, ()))


# -- the proof --------------------------------------------------------------------------------------------------------

HEADERS = f"""\
Return-Path: <app@example.test>
Received: from mx.dest.test ([127.0.0.1]) by imap.dest.test with LMTP id 1; Sun, 1 Mar 2026 12:00:03 +0000
Authentication-Results: mx.dest.test; spf=pass smtp.mailfrom=app@example.test;
 dkim=pass header.d=example.test header.s=s1; dmarc=pass header.from=example.test
Received: from {HOST} ({HOST} [192.0.2.25])
 (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
 by mx.dest.test (Mail) with ESMTPS id 2 for <me@dest.test>; Sun, 1 Mar 2026 12:00:02 +0000 (UTC)
Authentication-Results: {HOST}; dkim=none
Received: from client (unknown [198.51.100.7]) by {HOST} (Mail) with ESMTPSA id 3;
 Sun, 1 Mar 2026 12:00:01 +0000 (UTC)
DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s1; h=from:to:subject:from; bh=x; b=y
From: App <app@example.test>
"""
ARRIVAL = arrival_of(HEADERS)


def login(attempt: Attempt, port: int = 587, **more: t.Any) -> LoginProof:
    """One attempt, as it should end."""
    right = attempt in (Attempt.RIGHT, Attempt.OTHER_SENDER)
    defaults: dict[str, t.Any] = {
        "user": None if attempt is Attempt.NO_LOGIN else "app",
        "sender": "app@example.test" if attempt is Attempt.RIGHT else "boss@example.test",
        "login": answer(235) if right else None if attempt is Attempt.NO_LOGIN else INVALID,
        "mail": answer(250) if attempt is Attempt.RIGHT else answer(553, "not owned by user app"),
    }
    if attempt in (Attempt.WRONG_PASSWORD, Attempt.UNKNOWN_USER):
        defaults["mail"] = None
    return LoginProof(port, attempt, **{**defaults, **more})


def hop(status: str = "sent", text: str = "250 Ok: queued as 4QX", **more: t.Any) -> HopFacts:
    """A line of the trace."""
    return HopFacts("4QA", "me@dest.test", status, "mx.dest.test[192.0.2.80]:25", "2.0.0", text, **more)


def message(port: int | None = 587, headers: tuple[str, str] | None = None, **more: t.Any) -> MessageProof:
    """A message that arrived, with a part of its headers replaced."""
    defaults: dict[str, t.Any] = {
        "user": "app" if port != 25 else None,
        **dict.fromkeys(("sender", "author"), "app@example.test"),
        "recipient": "me@dest.test",
        "nonce": f"n{port}",
        "sent_at": SEEN_AT,
        "accepted": True,
        "answer": answer(250),
        "queue_id": "4QA",
        "hops": (hop(),),
        "mailbox": "imap.dest.test",
        "waited_seconds": 60.0,
        "arrived": True,
        "arrival_milliseconds": 1500.0,
        "arrival": arrival_of(HEADERS.replace(*headers)) if headers else ARRIVAL,
    }
    return MessageProof(port, **{**defaults, **more})


LOGINS = tuple(login(attempt, port) for attempt in Attempt for port in (465, 587))


def proof(unknown: t.Mapping[str, str] | None = None, **facts: t.Any) -> Evidence[ProofFacts]:
    """The proof of a relay without faults, with these facts changed."""
    defaults: dict[str, t.Any] = {
        "logins": LOGINS,
        "recipients": tuple(RecipientProof(25, f"{one}@example.test", answer(250)) for one in ("postmaster", "abuse")),
        "messages": tuple(message(port) for port in (25, 465, 587)),
    }
    seen = ProofFacts(HOST, **{**defaults, **facts})
    return Evidence(Kind.PROOF, HOST, SEEN_AT, 0.1, Vantage("outside", (OUTSIDE,)), seen, _unknown(unknown))


# -- all of it --------------------------------------------------------------------------------------------------------

DECLARED = Declared(
    listeners=(
        DeclaredListener(25, "opportunistic", login=False),
        DeclaredListener(465, "implicit"),
        DeclaredListener(587),
    ),
    networks=("10.1.0.0/16",),
    mechanisms=("PLAIN", "LOGIN"),
)
TARGET = Target("relay", (Profile.SUBMISSION_RELAY, Profile.MX), DECLARED)
ALL: t.Mapping[str, Evidence[t.Any]] = {
    "smtp25": smtp(25),
    "smtp465": smtp(465),
    "smtp587": smtp(587),
    "host": host(),
    "proof": proof(),
}


def judged(evidence: t.Iterable[Evidence[t.Any]], target: Target = TARGET) -> dict[str, list[Finding]]:
    """The findings by their controls."""
    found: dict[str, list[Finding]] = {}
    for one in judge(evidence, target).findings:
        found.setdefault(one.control, []).append(one)
    return found


def unseen(*kinds: EvidenceKind) -> Target:
    """The target if evidence of these kinds could not be collected."""
    return dataclasses.replace(TARGET, unseen=dict.fromkeys(kinds, "the host is down"))
