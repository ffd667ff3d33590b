# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each control of what a server says, and of messages that arrive, judged from evidence.

Covers judge_tls.py, judge_auth.py, judge_relay.py, judge_smtp.py, judge_proof.py, attempts.py and ports.py.
"""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._compliance import (
    judge_auth,
    judge_proof,
    judge_relay,
    judge_smtp,
    judge_tls,
)
from ansible_collections.mailops.smtp.plugins.module_utils._compliance.case import Declared, DeclaredListener, Target
from ansible_collections.mailops.smtp.plugins.module_utils._controls.catalogue import CATALOGUE
from ansible_collections.mailops.smtp.plugins.module_utils._controls.control import EvidenceKind, Profile
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.arrived import arrival_of
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Vantage
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_files import HostFile
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Alias, Queue, QueueState
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_mail import Target as AliasTarget
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_network import FirewallFacts, PortAccess
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.proof import Attempt, RecipientProof
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp import EhloFacts, LoginFacts, Reach
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import (
    BannerFacts,
    ClearAuthFacts,
    EarlyTalkFacts,
    InjectionFacts,
    LoginReplyFacts,
    RelayFacts,
    RelayOutcome,
    SizeFacts,
    SmugglingOutcome,
    TlsOfferFacts,
)
from ansible_collections.mailops.smtp.tests.unit.support import relay_evidence as relay
from ansible_collections.mailops.smtp.tests.unit.support.relay_evidence import (
    ALL,
    COMMANDS,
    DENIED,
    INVALID,
    LEAF,
    LOGINS,
    NEW,
    OLD,
    SUBMISSION,
    TARGET,
    TLS,
    TRUSTED,
    answer,
    closed,
    command,
    config,
    ehlo,
    filtered,
    hop,
    host,
    judged,
    login,
    message,
    proof,
    sequence,
    service,
    smtp,
    variant,
    version,
)

#: The controls of these files.
MINE = {
    **judge_tls.JUDGES,
    **judge_auth.JUDGES,
    **judge_relay.JUDGES,
    **judge_smtp.JUDGES,
    **judge_proof.JUDGES,
}
PASS, FAIL, ERROR, NOT_CHECKED, NOT_APPLICABLE = "pass", "fail", "error", "not_checked", "not_applicable"
OPEN, CONFIRMED = RelayOutcome.ACCEPTED, RelayOutcome.CONFIRMED
DOCUMENTS = {"smtp": "smtp25", **{name: name for name in ALL}}


def with_(*evidence: Evidence[t.Any], without: str = "") -> list[Evidence[t.Any]]:
    """A relay without faults, with these documents in place of those of the same kind and port."""
    found = {key: one for key, one in ALL.items() if key not in without.split()}
    for one in evidence:
        key = one.kind.value + str(one.facts.port or "") if one.kind.value == "smtp" else one.kind.value
        found[key] = one
    return list(found.values())


def only(*evidence: Evidence[t.Any]) -> list[Evidence[t.Any]]:
    return list(evidence)


def relayed(*variants: t.Any, **more: t.Any) -> Evidence[t.Any]:
    """Port 25, with these ways to relay."""
    facts = {"mail": answer(250), "local": answer(250), **more.pop("facts", {})}
    return smtp(25, probes={"relay": RelayFacts(variants=variants, **facts)}, **more)


def probed(name: str, value: t.Any, port: int = 25, reason: str = "") -> list[Evidence[t.Any]]:
    """A relay in which one active test found something else, or nothing for a reason."""
    return with_(smtp(port, {f"probes.{name}": reason} if reason else None, probes={name: value}))


def facts(port: int = 25, unknown: dict[str, str] | None = None, **changed: t.Any) -> list[Evidence[t.Any]]:
    return with_(smtp(port, unknown, **changed))


def offered(*versions: t.Any) -> list[Evidence[t.Any]]:
    return probed("tls", TlsOfferFacts(versions, ()), 587)


def certificate(*others: dict[str, t.Any], **changes: t.Any) -> list[Evidence[t.Any]]:
    """A chain whose first certificate is changed."""
    chain = (dataclasses.replace(LEAF, **changes), *(dataclasses.replace(LEAF, **one) for one in others))
    return facts(tls=dataclasses.replace(TLS, chain=chain))


def untrusted(port: int, self_issued: bool = True, **changed: t.Any) -> list[Evidence[t.Any]]:
    """A port whose certificate is refused."""
    tls = dataclasses.replace(TLS, accepted=False, verified=False, refusal="self-signed certificate.", chain=())
    found = TlsOfferFacts((*OLD, *NEW), (), dataclasses.replace(LEAF, self_issued=self_issued))
    return with_(smtp(port, probes={"tls": found}, tls=tls, **changed))


def tried(*changed: t.Any, unknown: dict[str, str] | None = None) -> list[Evidence[t.Any]]:
    """The proof with these attempts in place of those of the same kind and port, and no logins over SMTP."""
    found = {(one.port, one.attempt): one for one in (*LOGINS, *changed)}
    bare: dict[str, t.Any] = {"login": None, "probes": None}
    return with_(proof(unknown, logins=tuple(found.values())), *(smtp(port, **bare) for port in (465, 587)))


def no_proof(*evidence: Evidence[t.Any]) -> list[Evidence[t.Any]]:
    """Without a proof, and without logins over SMTP."""
    bare: dict[str, t.Any] = {"login": None, "probes": None}
    return with_(*(smtp(port, **bare) for port in (25, 465, 587)), *evidence, without="proof")


def sent(*messages: t.Any, unknown: dict[str, str] | None = None) -> list[Evidence[t.Any]]:
    """The proof with these messages in place of those of the same port."""
    found = {(one.port, one.returns): one for one in (*(message(port) for port in (25, 465, 587)), *messages)}
    return with_(proof(unknown, messages=tuple(found.values())))


def headers(before: str, after: str) -> list[Evidence[t.Any]]:
    return sent(message(587, (before, after)))


def queue(count: int, oldest: str | None) -> list[Evidence[t.Any]]:
    return with_(host(queue=(Queue("", "/q", count, oldest, (QueueState("deferred", count, 1, oldest, ()),)),)))


def target(**declared: t.Any) -> Target:
    return dataclasses.replace(TARGET, declared=Declared(**declared))


UNDECLARED = target()
NO_LOGINS = target(listeners=(DeclaredListener(25, "opportunistic", login=False),), networks=())
DOWN = "The server did not answer within 10 s."
REFUSED = answer(554, "Client host rejected: Access denied", "5.7.1")
BUSY = answer(421, "too busy")
TLS_OF_HOP = "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))"

NO_STARTTLS = facts(
    25,
    {"tls": "x.", "probes.tls": "x.", "probes.injection": "the server does not offer STARTTLS."},
    ehlo=ehlo(),
    starttls=None,
    tls=None,
    probes={"tls": None, "injection": None},
)

#: Control -> case -> the evidence, the statuses of its findings, and words of one of them.
TABLE: dict[str, dict[str, tuple[t.Any, ...]]] = {
    "MR-TLS-01": {
        "no STARTTLS": (facts(587, ehlo=ehlo(), starttls=None, tls=None), FAIL, "does not offer STARTTLS"),
        "no STARTTLS on port 25": (facts(25, ehlo=ehlo(), starttls=None, tls=None), FAIL, "does not offer STARTTLS"),
        "STARTTLS is refused": (facts(587, starttls=answer(502), tls=None), FAIL, "refuses it"),
        "clear on 465": (
            facts(465, {"tls": "The server answered without TLS."}, tls=None, ehlo_in_tls=None),
            FAIL,
            "does not begin with the first octet",
        ),
        "clear on 465, by its configuration": (
            with_(
                smtp(465, {"tls": DOWN}, tls=None, ehlo_in_tls=None),
                config(service("submissions", smtpd_tls_wrappermode="no", **SUBMISSION)),
            ),
            FAIL,
            "smtpd_tls_wrappermode",
        ),
        "TLS at once on 587": (facts(587, tls=dataclasses.replace(TLS, began="implicit")), FAIL, "expect STARTTLS"),
        "TLS at once, found by a look": (facts(587, ehlo=None, tls=None, tls_at_once=True), FAIL, "expect STARTTLS"),
        "no answer": (facts(587, {"ehlo": DOWN}, ehlo=None, starttls=None, tls=None), ERROR, "did not answer"),
        "no handshake": (facts(587, {"tls": DOWN}, tls=None), ERROR, "did not answer"),
        "no handshake on 465": (facts(465, {"tls": DOWN}, tls=None), ERROR, "did not answer"),
        "closed": (with_(closed(587, Reach.REFUSED)), ERROR, "refuses the connection"),
        "filtered": (with_(closed(25)), ERROR, "does not answer"),
        "closed to all but others": (
            only(closed(465, Reach.REFUSED), closed(465, Reach.REFUSED, vantage="far")),
            ERROR,
            "only 192.0.2.40 may connect to it, and no vantage did",
            target(listeners=(DeclaredListener(465, "implicit", sources=("192.0.2.40",)),), networks=()),
        ),
        "name without address": (
            with_(smtp(25, {"ehlo": "x."}, addresses=(), connections=None, **relay.NOTHING)),
            ERROR,
            "no address",
        ),
        "filtered for one vantage": (only(smtp(25), closed(25, vantage="far"), smtp(465), smtp(587)), PASS, ""),
        "port not asked": (with_(without="smtp465"), NOT_CHECKED, "Port 465 was not asked"),
        "nothing asked": (only(host()), NOT_CHECKED, "no evidence of kind smtp"),
        "host down": (only(), ERROR, "the host is down", relay.unseen(EvidenceKind.SMTP)),
    },
    "MR-TLS-02": {
        "no STARTTLS": (NO_STARTTLS, NOT_APPLICABLE, "has no TLS"),
        "old": (
            offered(*OLD[:1], version("TLSv1.0", True), version("TLSv1.1", True), *NEW),
            FAIL,
            "TLSv1.0 and TLSv1.1",
        ),
        "SSLv3 alone": (offered(version("SSLv3", True), *NEW), FAIL, "SSLv3"),
        "no 1.3": (offered(*OLD, NEW[0], version("TLSv1.3", False)), FAIL, "does not accept TLSv1.3"),
        "no 1.2": (offered(*OLD, version("TLSv1.2", False), NEW[1]), FAIL, "does not accept TLSv1.2"),
        "not known": (offered(*OLD, version("TLSv1.2", None), NEW[1]), ERROR, "TLSv1.2"),
        "some are missing": (offered(*NEW), ERROR, "SSLv3, TLSv1.0, TLSv1.1"),
        "none at all": (offered(), ERROR, "no versions"),
        "failed": (probed("tls", None, 587, "too few connections"), ERROR, "too few connections"),
        "not asked": (probed("tls", None, 587), NOT_CHECKED, "test tls was not made"),
    },
    "MR-TLS-03": {
        "no STARTTLS": (NO_STARTTLS, NOT_APPLICABLE, "has no TLS"),
        "3DES": (offered(*OLD, version("TLSv1.2", True, TDES=True), NEW[1]), FAIL, "3DES with TLSv1.2"),
        "RC4 and EXPORT": (offered(*OLD, version("TLSv1.2", True, RC4=True, EXPORT=True)), FAIL, "EXPORT with"),
        "NULL": (offered(*OLD, version("TLSv1.2", True, NULL=True)), FAIL, "NULL"),
        "in an old version": (offered(version("TLSv1.0", True, RC4=True), *NEW), FAIL, "RC4 with TLSv1.0"),
        "anonymous with a login": (offered(*OLD, version("TLSv1.2", True, ANON=True)), FAIL, "ANON"),
        "anonymous without a login": (
            probed("tls", TlsOfferFacts((*OLD, version("TLSv1.2", True, ANON=True), NEW[1]), ()), 25),
            PASS,
            "",
        ),
        "CBC": (offered(*OLD, version("TLSv1.2", True, CBC=True)), PASS, ""),
        "not known": (offered(*OLD, version("TLSv1.2", True, RC4=None)), ERROR, "RC4 with TLSv1.2"),
        "no version": (offered(*OLD), ERROR, "no cipher suites"),
        "not asked": (probed("tls", None, 587), NOT_CHECKED, ""),
    },
    "MR-TLS-04": {
        "no STARTTLS": (NO_STARTTLS, NOT_APPLICABLE, "has no TLS"),
        "refused": (
            facts(tls=dataclasses.replace(TLS, accepted=False, verified=False, refusal="It has expired.")),
            FAIL,
            "It has expired.",
        ),
        "signed by itself": (untrusted(587), FAIL, "self-signed"),
        "signed by itself, where no one logs in": (untrusted(25), NOT_APPLICABLE, "need not verify"),
        "signed by itself, where a login is offered": (untrusted(25, ehlo_in_tls=ehlo("PLAIN")), FAIL, "self-signed"),
        "signed by an unknown authority": (untrusted(25, self_issued=False), FAIL, "self-signed"),
        "not verified": (facts(tls=dataclasses.replace(TLS, verified=False)), NOT_CHECKED, "was not verified"),
        "not verified by one vantage": (
            [
                *with_(),
                smtp(25, vantage=Vantage("relay", (relay.ADDRESS,)), tls=dataclasses.replace(TLS, verified=False)),
            ],
            PASS,
            "",
        ),
        "failed": (facts(25, {"tls": DOWN}, tls=None), ERROR, "did not answer"),
        "not asked": (facts(25, tls=None), NOT_CHECKED, ""),
    },
    "MR-TLS-06": {
        "no STARTTLS": (NO_STARTTLS, NOT_APPLICABLE, "has no TLS"),
        "short key": (certificate(key_bits=1024), FAIL, "1024 bits"),
        "small curve": (certificate(key_type="ec", key_bits=192), FAIL, "192 bits"),
        "no chain": (
            facts(tls=dataclasses.replace(TLS, chain=()), probes={"tls": None}),
            NOT_CHECKED,
            "test tls was not made",
        ),
        "unknown key": (certificate(key_type="1.2.3", key_bits=None), ERROR, "not known"),
        "SHA-1": (certificate(signature_hash="sha1"), FAIL, "sha1"),
        "MD5 of a self-signed one": (certificate(signature_hash="md5", self_issued=True), FAIL, "md5"),
        "SHA-1 above it": (certificate({"subject": "CN=sub", "signature_hash": "sha1"}), FAIL, "CN=sub"),
        "SHA-1 of a root": (certificate({"signature_hash": "sha1", "self_issued": True}), PASS, ""),
        "EC": (certificate(key_type="ec", key_bits=256), PASS, "ec with 256"),
        "Ed25519": (
            certificate(key_type="ed25519", key_bits=256, signature="ED25519", signature_hash=None),
            PASS,
            "ed25519",
        ),
        "unknown hash": (certificate(signature="1.2.3.4", signature_hash=None), ERROR, "the signature of CN=relay"),
        "short key seen by the probe alone": (
            facts(tls=None, probes={"tls": TlsOfferFacts((), (), dataclasses.replace(LEAF, key_bits=1024))}),
            FAIL,
            "1024",
        ),
        "failed": (facts(25, {"tls": DOWN}, tls=None, probes={"tls": None}), ERROR, "did not answer"),
        "not asked": (facts(25, tls=None, probes={"tls": None}), NOT_CHECKED, ""),
    },
    "MR-TLS-07": {
        "no STARTTLS": (NO_STARTTLS, NOT_APPLICABLE, "has no TLS"),
        "answered in TLS": (
            probed("injection", InjectionFacts(answer(220), answered_in_tls=True)),
            FAIL,
            "was answered",
        ),
        "STARTTLS is refused": (probed("injection", InjectionFacts(answer(554))), PASS, "refuses STARTTLS"),
        "handshake failed": (probed("injection", InjectionFacts(answer(220), refusal="it closed")), ERROR, "it closed"),
        "answered in clear": (probed("injection", InjectionFacts(answer(220), answer(250, "OK"))), ERROR, "in clear"),
        "4yz": (probed("injection", InjectionFacts(answer(454))), ERROR, "454"),
        "failed": (probed("injection", None, reason=DOWN), ERROR, "did not answer"),
        "not asked": (probed("injection", None), NOT_CHECKED, ""),
    },
    "MR-AUTH-01": {
        "offered": (facts(587, ehlo=ehlo("PLAIN", "LOGIN", STARTTLS=())), FAIL, "PLAIN, LOGIN"),
        "offered on port 25": (facts(25, ehlo=ehlo("PLAIN", STARTTLS=())), FAIL, "PLAIN"),
        "not offered, but taken": (
            probed("auth_before_tls", ClearAuthFacts((), answer(334)), 587),
            FAIL,
            "not offered, but accepted",
        ),
        "by the configuration": (
            with_(config(service("587", **{**SUBMISSION, "smtpd_tls_auth_only": "no"}))),
            FAIL,
            "smtpd_tls_auth_only is no",
        ),
        "by the configuration, with TLS required": (
            with_(
                config(
                    service("587", **{**SUBMISSION, "smtpd_tls_auth_only": "no", "smtpd_tls_security_level": "encrypt"})
                )
            ),
            PASS,
            "",
        ),
        "4yz": (probed("auth_before_tls", ClearAuthFacts((), BUSY), 587), ERROR, "421"),
        "failed": (probed("auth_before_tls", None, 587, DOWN), ERROR, "did not answer"),
        "no EHLO": (facts(587, {"ehlo": DOWN}, ehlo=None, probes={"auth_before_tls": None}), ERROR, "did not answer"),
        "not asked": (probed("auth_before_tls", None, 587), NOT_CHECKED, ""),
        "connection refused": (with_(closed(587, Reach.REFUSED)), ERROR, "refuses the connection"),
    },
    "MR-AUTH-02": {
        "weak": (facts(587, ehlo_in_tls=ehlo("PLAIN", "DIGEST-MD5")), FAIL, "DIGEST-MD5"),
        "not declared": (facts(465, ehlo_in_tls=ehlo("PLAIN", "SCRAM-SHA-256")), FAIL, "SCRAM-SHA-256"),
        "usual": (facts(587, ehlo_in_tls=ehlo("SCRAM-SHA-256-PLUS", "xoauth2")), PASS, "usual", UNDECLARED),
        "not usual": (facts(587, ehlo_in_tls=ehlo("NTLM")), FAIL, "NTLM", UNDECLARED),
        "none": (facts(587, ehlo_in_tls=ehlo()), NOT_CHECKED, "No login is offered"),
        "failed": (facts(587, {"ehlo_in_tls": DOWN}, ehlo_in_tls=None), ERROR, "did not answer"),
        "not asked": (facts(587, ehlo_in_tls=None), NOT_CHECKED, ""),
        "no port with a login": (only(smtp(25)), NOT_CHECKED, "no mechanisms", NO_LOGINS),
    },
    "MR-AUTH-03": {
        "refused": (tried(login(Attempt.RIGHT, login=INVALID)), FAIL, "was refused on port 587"),
        "refused over SMTP": (
            with_(smtp(587, login=LoginFacts(False, "PLAIN", INVALID)), without="proof"),
            FAIL,
            "was refused on port 587",
        ),
        "over SMTP alone": (with_(without="proof"), PASS, ""),
        "4yz": (tried(login(Attempt.RIGHT, login=answer(454))), ERROR, "454"),
        "failed": (
            tried(login(Attempt.RIGHT, login=None), unknown={f"logins[{place}].login": DOWN for place in range(10)}),
            ERROR,
            "did not answer",
        ),
        "failed over SMTP": (
            with_(smtp(587, {"login": DOWN}, login=None), without="proof"),
            ERROR,
            "did not answer",
        ),
        "connection refused": (with_(closed(587, Reach.REFUSED), without="proof"), NOT_CHECKED, "port 587"),
        "no account": (no_proof(), NOT_CHECKED, "No login was tried"),
        "no port with a login": (only(smtp(25)), NOT_CHECKED, "No port of relay", NO_LOGINS),
        "nothing asked": (only(host()), NOT_CHECKED, "No login was tried"),
    },
    "MR-AUTH-04": {
        "any password": (tried(login(Attempt.WRONG_PASSWORD, login=answer(235))), FAIL, "was accepted"),
        "any user": (tried(login(Attempt.UNKNOWN_USER, login=answer(235))), FAIL, "was accepted"),
        "another code": (tried(login(Attempt.UNKNOWN_USER, login=answer(550))), FAIL, "not by 535"),
        "told apart": (tried(login(Attempt.UNKNOWN_USER, login=answer(535, "no such user"))), FAIL, "told apart"),
        "told apart by the enhanced code": (
            tried(login(Attempt.UNKNOWN_USER, login=answer(535, INVALID.text, "5.7.9"))),
            FAIL,
            "told apart",
        ),
        "told apart over SMTP": (
            with_(smtp(587, probes={"login_replies": LoginReplyFacts(INVALID, answer(535, "who?"), False)})),
            FAIL,
            "told apart",
        ),
        "any secret over SMTP": (facts(587, wrong_login=LoginFacts(True, "PLAIN", answer(235))), FAIL, "was accepted"),
        "a right one is refused, too": (tried(login(Attempt.RIGHT, login=INVALID)), ERROR, "right login is refused"),
        "4yz": (tried(login(Attempt.WRONG_PASSWORD, login=answer(454))), ERROR, "454"),
        "failed": (
            with_(smtp(587, {"probes.login_replies": DOWN}, probes={"login_replies": None}), without="proof"),
            ERROR,
            "did not answer",
        ),
        "no account": (
            with_(smtp(587, probes={"login_replies": LoginReplyFacts(None, INVALID, None)}), without="proof"),
            NOT_CHECKED,
            "only one was tried",
        ),
        "not asked": (no_proof(), NOT_CHECKED, "No wrong login"),
    },
    "MR-AUTH-05": {
        "accepted": (tried(login(Attempt.NO_LOGIN, mail=answer(250))), FAIL, "without a login on port 587"),
        "accepted by a probe": (
            probed("relay", RelayFacts(answer(250), answer(250), (variant(),)), 587),
            FAIL,
            "without a login on port 587",
        ),
        "a way to relay is accepted": (
            probed("relay", RelayFacts(answer(250), None, (variant(2, OPEN, answer=answer(250)),)), 587),
            FAIL,
            "without a login on port 587",
        ),
        "accepted over SMTP": (
            with_(smtp(587, login=None, recipient=answer(250), probes={"relay": None}), without="proof"),
            FAIL,
            "without a login on port 587",
        ),
        "refused with a login elsewhere": (tried(login(Attempt.NO_LOGIN, mail=REFUSED)), PASS, ""),
        "refused by the configuration": (
            with_(smtp(587, login=None, recipient=REFUSED, probes={"relay": None}), without="proof"),
            PASS,
            "",
        ),
        "refusal of anyone": (
            with_(smtp(587, login=None, recipient=REFUSED, probes={"relay": None}), without="proof host"),
            ERROR,
            "may be a refusal of the client",
        ),
        "wants TLS first": (
            tried(login(Attempt.NO_LOGIN, mail=answer(530, "Must issue a STARTTLS command first", "5.7.0"))),
            ERROR,
            "wants TLS first",
        ),
        "4yz": (tried(login(Attempt.NO_LOGIN, mail=answer(450))), ERROR, "450"),
        "failed": (
            tried(login(Attempt.NO_LOGIN, mail=None), unknown={f"logins[{place}].mail": DOWN for place in range(10)}),
            ERROR,
            "did not answer",
        ),
        "accepted from a trusted host": (
            with_(
                smtp(587, vantage=TRUSTED, login=None, recipient=answer(250), probes={"relay": None}),
                without="proof",
            ),
            NOT_CHECKED,
            "allowed networks",
        ),
        "MAIL alone": (
            with_(smtp(587, login=None, sender=answer(250), probes={"relay": None}), without="proof"),
            NOT_CHECKED,
            "No mail without a login",
        ),
        "not asked": (no_proof(), NOT_CHECKED, "No mail without a login"),
    },
    "MR-AUTH-06": {
        "accepted": (tried(login(Attempt.OTHER_SENDER, mail=answer(250))), FAIL, "app can send as boss@example.test"),
        "by the configuration": (
            no_proof(config(service("submission", **{**SUBMISSION, "smtpd_sender_restrictions": ""}))),
            {FAIL, NOT_CHECKED},
            "any address",
        ),
        "by the configuration, no owners": (
            no_proof(config(service("submission", **{**SUBMISSION, "smtpd_sender_login_maps": ""}))),
            {FAIL, NOT_CHECKED},
            "any address",
        ),
        "login refused": (tried(login(Attempt.OTHER_SENDER, login=INVALID)), ERROR, "was refused"),
        "nothing accepted": (tried(login(Attempt.RIGHT, mail=REFUSED)), ERROR, "shows nothing"),
        "no recipient": (tried(login(Attempt.RIGHT, mail=None)), NOT_CHECKED, "No recipient was named"),
        "4yz": (tried(login(Attempt.OTHER_SENDER, mail=answer(451))), ERROR, "451"),
        "failed": (
            tried(
                login(Attempt.OTHER_SENDER, mail=None), unknown={f"logins[{place}].mail": DOWN for place in range(10)}
            ),
            ERROR,
            "did not answer",
        ),
        "not asked": (no_proof(), NOT_CHECKED, "address of another"),
    },
    "MR-RELAY-01": {
        "confirmed": (with_(relayed(variant(2, CONFIRMED))), FAIL, "arrived at another server"),
        "arrived": (with_(relayed(variant(5, OPEN, recipient="a%b@c", arrived=True))), FAIL, "variant 5"),
        "accepted": (with_(relayed(variant(1, OPEN), variant(2))), FAIL, "variant 1"),
        "accepted after SMTPUTF8": (with_(relayed(variant(20, OPEN, recipient="s\u00fc@elsewhere.test"))), FAIL, ""),
        "quoted address accepted": (
            with_(relayed(variant(7, OPEN, recipient='"sink@elsewhere.test"'))),
            ERROR,
            "may mean a mailbox",
        ),
        "accepted, not arrived": (with_(relayed(variant(2, OPEN, arrived=False))), ERROR, "has not arrived"),
        "accepted, refused at the end": (with_(relayed(variant(2, OPEN, end_of_data=answer(554)))), PASS, ""),
        "accepted in a domain of its own": (
            with_(relayed(variant(1, OPEN), variant(2)), config(relay_domains="other.test, Elsewhere.test")),
            ERROR,
            "takes mail for sink@elsewhere.test from everyone",
        ),
        "refused in a domain that is declared its own": (
            with_(relayed(variant())),
            ERROR,
            "takes mail for sink@elsewhere.test from everyone",
            target(relay_domains=("elsewhere.test",)),
        ),
        "one is not known": (with_(relayed(variant(2), variant(3, None))), ERROR, "variant 3"),
        "none tried": (with_(relayed()), ERROR, "no way was tried"),
        "refusal of the client at MAIL": (with_(relayed(variant(), facts={"mail": REFUSED})), ERROR, "every recipient"),
        "refusal of the client at RCPT": (
            with_(relayed(variant(answer=REFUSED), facts={"local": REFUSED})),
            ERROR,
            "every recipient was refused",
        ),
        "no such user": (with_(relayed(variant(), facts={"local": answer(550, "who?", "5.1.1")})), PASS, ""),
        "no recipient of its own": (with_(relayed(variant(answer=DENIED), facts={"local": DENIED})), PASS, ""),
        "wants a login": (with_(relayed(variant(), facts={"mail": answer(530), "local": None})), PASS, ""),
        "refusal that has the name of a relay": (
            with_(
                relayed(
                    variant(answer=answer(554, "<probe@relay.a.test>: Client host relay-7[192.0.2.7] rejected")),
                    facts={"local": REFUSED},
                )
            ),
            ERROR,
            "every recipient was refused",
        ),
        "wants TLS first": (
            with_(relayed(variant(), facts={"mail": answer(530, "Must issue a STARTTLS command first")})),
            ERROR,
            "every recipient was refused",
        ),
        "from a trusted network": (with_(relayed(variant(), vantage=TRUSTED)), NOT_CHECKED, "prove nothing"),
        "open to a trusted network": (with_(relayed(variant(2, OPEN), vantage=TRUSTED)), NOT_CHECKED, "prove nothing"),
        "trusted by the configuration": (
            with_(relayed(variant(), vantage=Vantage("near", ("10.9.0.1",))), config(mynetworks="10.0.0.0/8")),
            NOT_CHECKED,
            "prove nothing",
        ),
        "open, trust not known": (
            with_(relayed(variant(2, OPEN), vantage=TRUSTED), without="host"),
            ERROR,
            "not known whether",
            UNDECLARED,
        ),
        "open to the Internet, trust not known": (
            with_(relayed(variant(2, OPEN)), without="host"),
            FAIL,
            "variant 2",
            UNDECLARED,
        ),
        "mynetworks in a table": (
            with_(relayed(variant(2, OPEN), vantage=TRUSTED), config(mynetworks="hash:/etc/postfix/nets")),
            ERROR,
            "not known whether",
            UNDECLARED,
        ),
        "both sides": ([*with_(), smtp(25, vantage=TRUSTED)], PASS, ""),
        "connection refused": (with_(closed(25, Reach.REFUSED)), ERROR, "refuses the connection"),
        "closed outside, open inside": (
            [*with_(), closed(25), smtp(25, vantage=TRUSTED)][1:],
            ERROR,
            "does not answer",
        ),
        "closed by the host": (
            [*with_(filtered(), without="smtp25"), closed(25), smtp(25, vantage=TRUSTED)],
            PASS,
            "Strangers cannot connect",
        ),
        "closed, not by the host": (
            [*with_(filtered("accept"), without="smtp25"), closed(25), smtp(25, vantage=TRUSTED)],
            ERROR,
            "does not answer",
        ),
        "closed by the host, service not seen": (with_(filtered(), closed(25)), ERROR, "does not answer"),
        "421": (probed("relay", None, reason='the server does not serve this client now: "421 busy"'), ERROR, "421"),
        "not asked": (probed("relay", None), NOT_CHECKED, ""),
        "nothing asked": (only(host()), NOT_CHECKED, ""),
    },
    "MR-RELAY-02": {
        "everyone": (with_(config(mynetworks="127.0.0.0/8 0.0.0.0/0")), FAIL, "0.0.0.0/0"),
        "everyone over IPv6": (with_(config(mynetworks="[::]/0")), FAIL, "[::]/0"),
        "half of all": (with_(config(mynetworks="128.0.0.0/1")), FAIL, "any site"),
        "public range": (with_(config(mynetworks="203.0.113.0/24")), FAIL, "public", UNDECLARED),
        "public range, declared": (
            with_(config(mynetworks="203.0.113.0/24")),
            PASS,
            "",
            target(networks=("203.0.113.0/24",)),
        ),
        "public and wide, declared": (with_(config(mynetworks="8.0.0.0/8")), FAIL, "", target(networks=("8.0.0.0/8",))),
        "public IPv6 range": (with_(config(mynetworks="[2001:db8::]/32")), FAIL, "", UNDECLARED),
        "public host": (with_(config(mynetworks="203.0.113.9 [2001:db8::1]/128")), PASS, "", UNDECLARED),
        "wide": (with_(config(mynetworks="10.0.0.0/8")), FAIL, "most sites", UNDECLARED),
        "not declared": (with_(config(mynetworks="10.2.0.0/24")), FAIL, "not declared"),
        "within the declared": (with_(config(mynetworks="10.1.7.0/24, [::ffff:127.0.0.0]/104")), PASS, ""),
        "of a service": (with_(config(service("smtp", mynetworks="0.0.0.0/0"))), FAIL, "0.0.0.0/0"),
        "exception": (with_(config(mynetworks="!10.1.0.9 10.1.0.0/16")), PASS, ""),
        "table": (with_(config(mynetworks="cidr:/etc/postfix/nets")), NOT_CHECKED, "cidr:"),
        "not readable": (
            with_(
                host(
                    {"config./etc/postfix": "postconf failed."},
                    config=(dataclasses.replace(relay.INSTANCE, parameters=None),),
                )
            ),
            ERROR,
            "postconf failed",
        ),
        "not in the evidence": (
            with_(host(config=(dataclasses.replace(relay.INSTANCE, parameters={"myhostname": "relay"}),))),
            NOT_CHECKED,
            "does not have the value of mynetworks",
        ),
        "not asked": (with_(host(config=None)), NOT_CHECKED, ""),
        "no Postfix": (with_(host(config=())), NOT_CHECKED, "not installed"),
        "host down": (only(), ERROR, "the host is down", relay.unseen(EvidenceKind.HOST)),
        "null client": (with_(config(mynetworks="0.0.0.0/0")), FAIL, "", Target("relay", (Profile.NULL_CLIENT,))),
    },
    "MR-RELAY-03": {
        "table first": (
            with_(config(smtpd_relay_restrictions="permit_mynetworks, check_client_access cidr:/x, reject")),
            NOT_CHECKED,
            "asks check_client_access cidr:/x",
        ),
        "table after a refusal": (
            with_(config(smtpd_relay_restrictions="reject_unauth_destination, check_client_access cidr:/x")),
            PASS,
            "",
        ),
        "empty": (with_(config(smtpd_relay_restrictions="")), FAIL, "smtpd_relay_restrictions is empty"),
        "refused for the recipient": (
            with_(
                config(
                    smtpd_relay_restrictions="",
                    smtpd_recipient_restrictions="permit_mynetworks, reject_unauth_destination",
                )
            ),
            PASS,
            "",
        ),
        "not refused for the recipient either": (
            with_(config(smtpd_relay_restrictions="", smtpd_recipient_restrictions="permit_mynetworks")),
            FAIL,
            "smtpd_recipient_restrictions ends with permit_mynetworks",
        ),
        "no refusal": (
            with_(config(smtpd_relay_restrictions="permit_mynetworks")),
            FAIL,
            "ends with permit_mynetworks",
        ),
        "permit first": (with_(config(smtpd_relay_restrictions="permit, reject")), FAIL, "has permit before"),
        "static table": (
            with_(config(smtpd_relay_restrictions="check_client_access static:OK reject_unauth_destination")),
            FAIL,
            "static:OK",
        ),
        "white list": (
            with_(config(smtpd_relay_restrictions="permit_dnswl_client x.test reject")),
            FAIL,
            "permit_dnswl",
        ),
        "warning only": (
            with_(config(smtpd_relay_restrictions="permit_mynetworks warn_if_reject reject_unauth_destination")),
            FAIL,
            "ends with reject_unauth_destination",
        ),
        "defer": (with_(config(smtpd_relay_restrictions="permit_mynetworks defer_unauth_destination")), PASS, ""),
        "of a service": (with_(config(service("smtp", smtpd_relay_restrictions="permit"))), FAIL, "permit"),
        "of the service behind postscreen": (
            with_(config(service("smtpd", "pass", smtpd_relay_restrictions="permit_mynetworks"))),
            FAIL,
            "",
        ),
        "main.cf is overridden": (
            with_(
                config(service("smtp", smtpd_relay_restrictions="reject"), smtpd_relay_restrictions="permit"),
            ),
            PASS,
            "",
        ),
        "not readable": (
            with_(host({"config": "postconf failed."}, config=None)),
            ERROR,
            "postconf failed",
        ),
        "not asked": (with_(host(config=None)), NOT_CHECKED, ""),
    },
    "MR-SMTP-01": {
        "ended": (probed("smuggling", (sequence(SmugglingOutcome.ENDED),)), FAIL, "\\n.\\n"),
        "arrived at the next server": (probed("smuggling", (sequence(arrived=True),)), FAIL, "\\n.\\n"),
        "by the configuration": (
            with_(config(smtpd_forbid_bare_newline="no")),
            FAIL,
            "smtpd_forbid_bare_newline is no",
        ),
        "but for everyone": (
            with_(config(smtpd_forbid_bare_newline_exclusions="0.0.0.0/0")),
            FAIL,
            "exclusions lets everyone",
        ),
        "work-around": (
            with_(
                config(
                    smtpd_forbid_bare_newline="no",
                    smtpd_data_restrictions="reject_unauth_pipelining",
                    smtpd_discard_ehlo_keywords="chunking",
                )
            ),
            PASS,
            "",
        ),
        "early talk": (with_(config(smtpd_forbid_unauth_pipelining="no")), FAIL, "before the greeting"),
        "early talk where a login is needed": (
            with_(config(service("587", smtpd_forbid_unauth_pipelining="no"))),
            PASS,
            "",
        ),
        "early talk refused": (
            with_(
                smtp(25, probes={"early_talk": EarlyTalkFacts(answer(220), answer(554))}),
                *(smtp(port, probes={"early_talk": None}) for port in (465, 587)),
                config(smtpd_forbid_unauth_pipelining="no"),
            ),
            PASS,
            "",
        ),
        "one is not known": (probed("smuggling", (sequence(), sequence(None))), ERROR, "not known"),
        "none tried": (probed("smuggling", ()), ERROR, "no sequence"),
        "failed": (probed("smuggling", None, reason=DOWN), ERROR, "did not answer"),
        "not asked": (with_(smtp(25, probes={"smuggling": None, "early_talk": None})), NOT_CHECKED, ""),
    },
    "MR-SMTP-02": {
        "VRFY": (probed("commands", (command("VRFY postmaster", 250, True), *COMMANDS[1:])), FAIL, "VRFY"),
        "EXPN": (probed("commands", (*COMMANDS, command("EXPN x", 250, True))), FAIL, "EXPN"),
        "XCLIENT": (probed("commands", (*COMMANDS[:4], command("XCLIENT NAME=x", 220, True))), FAIL, "XCLIENT"),
        "ETRN is offered": (probed("commands", (*COMMANDS, command("ETRN x", 459, False, True))), FAIL, "ETRN"),
        "VRFY is offered, and tells nothing": (
            probed("commands", (*(command(f"VRFY {one}", 252, None, True) for one in "ab"), *COMMANDS[2:])),
            PASS,
            "",
        ),
        "DSN is usable": (probed("commands", (*COMMANDS, command("MAIL FROM:<> RET=HDRS", 250, True))), PASS, ""),
        "4yz": (probed("commands", (*COMMANDS, command("EXPN x", 450, None))), ERROR, "EXPN was answered"),
        "one is missing": (probed("commands", COMMANDS[:4]), ERROR, "XCLIENT is not known"),
        "failed": (probed("commands", None, reason=DOWN), ERROR, "did not answer"),
        "not asked": (probed("commands", None), NOT_CHECKED, ""),
    },
    "MR-SMTP-03": {
        "product": (
            probed("banner", BannerFacts(answer(220, "x ESMTP Postfix"), "x", ("Postfix",), ())),
            FAIL,
            "names Postfix",
        ),
        "version": (probed("banner", BannerFacts(answer(220, "x ESMTP 3.9.1"), "x", (), ("3.9.1",))), FAIL, "3.9.1"),
        "in the greeting alone": (
            facts(greeting=answer(220, "x ESMTP Postfix (Debian/GNU)"), probes={"banner": None}),
            FAIL,
            "Postfix, Debian",
        ),
        "refused": (facts(greeting=answer(554, "no"), probes={"banner": None}), ERROR, "refused the connection"),
        "failed": (facts(25, {"greeting": DOWN}, greeting=None, probes={"banner": None}), ERROR, "did not answer"),
        "not asked": (facts(greeting=None, probes={"banner": None}), NOT_CHECKED, ""),
    },
    "MR-SMTP-04": {
        "refused": (
            with_(proof(recipients=(RecipientProof(25, "abuse@example.test", answer(550)),))),
            FAIL,
            "is refused",
        ),
        "one domain of two": (
            with_(
                proof(
                    recipients=tuple(
                        RecipientProof(25, f"{name}@{domain}.test", answer(550 if domain == "b" else 250))
                        for name in ("postmaster", "abuse")
                        for domain in "ab"
                    )
                )
            ),
            FAIL,
            "b.test",
        ),
        "by aliases": (with_(without="proof"), PASS, "ops@x.test"),
        "alias that leads nowhere": (
            with_(
                host(
                    aliases=(
                        *(relay.FACTS.aliases or ())[:1],
                        Alias("", "abuse", True, (AliasTarget("unresolved", "x"),)),
                    )
                ),
                without="proof",
            ),
            FAIL,
            "leads nowhere",
        ),
        "4yz": (with_(proof(recipients=(RecipientProof(25, "abuse@example.test", answer(450)),))), ERROR, "450"),
        "failed": (
            with_(proof({"recipients[0].answer": DOWN}, recipients=(RecipientProof(25, "abuse@example.test"),))),
            ERROR,
            "did not answer",
        ),
        "not asked": (with_(host(aliases=None), without="proof"), NOT_CHECKED, "was not asked"),
        "no relay for strangers": (with_(), NOT_APPLICABLE, "", Target("relay", (Profile.SUBMISSION_RELAY,))),
    },
    "MR-SMTP-05": {
        "no limit": (facts(ehlo_in_tls=EhloFacts(answer(250), {}), probes={"size": SizeFacts(None)}), FAIL, "no limit"),
        "not refused": (probed("size", SizeFacts(1000, answer(250))), FAIL, "1001 octets"),
        "another refusal": (probed("size", SizeFacts(1000, answer(550))), ERROR, "not for its size"),
        "4yz": (probed("size", SizeFacts(1000, answer(452))), ERROR, "452"),
        "wants TLS": (probed("size", SizeFacts(1000, answer(530))), NOT_CHECKED, "530"),
        "failed": (probed("size", None, reason=DOWN), ERROR, "did not answer"),
        "not asked": (probed("size", None), NOT_CHECKED, ""),
    },
    "MR-SMTP-06": {
        "messages are not counted": (with_(config(smtpd_client_message_rate_limit="0")), PASS, ""),
        "connections": (with_(config(smtpd_client_connection_count_limit="0")), FAIL, "connections"),
        "recipients": (with_(config(smtpd_recipient_limit="0")), FAIL, "recipients"),
        "of a service": (with_(config(service("587", smtpd_recipient_limit="0"))), FAIL, "recipients"),
        "another limit of connections": (
            with_(config(smtpd_client_connection_count_limit="0", smtpd_client_connection_rate_limit="9")),
            PASS,
            "",
        ),
        "but for everyone": (with_(config(smtpd_client_event_limit_exceptions="0.0.0.0/0")), FAIL, "exempts everyone"),
        "not readable": (with_(host({"config": "postconf failed."}, config=None)), ERROR, "postconf failed"),
        "parameters not readable": (
            with_(
                host(
                    {"config./etc/postfix": "postconf failed."},
                    config=(dataclasses.replace(relay.INSTANCE, parameters=None),),
                )
            ),
            ERROR,
            "postconf failed",
        ),
        "not asked": (with_(host(config=None)), NOT_CHECKED, ""),
        "loopback alone": (with_(config(inet_interfaces="loopback-only")), NOT_APPLICABLE, ""),
    },
    "MR-E2E-01": {
        "refused": (sent(message(accepted=False, answer=answer(554, "no"))), FAIL, "was refused"),
        "not found": (
            sent(message(arrived=False, arrival=None)),
            FAIL,
            "did not arrive in imap.dest.test within 60 s, though mx.dest.test",
        ),
        "bounced": (sent(message(arrived=False, hops=(hop("bounced", "550 no"),))), FAIL, 'is bounced: "550 no"'),
        "deferred": (sent(message(arrived=False, hops=(hop("deferred", "timed out"),))), FAIL, "is deferred"),
        "held": (sent(message(arrived=None, mailbox=None, hops=(hop("held", "hold"),))), FAIL, "is held"),
        "greylisted": (sent(message(arrived=False, hops=(hop("deferred", "450 Greylisted"),))), ERROR, "Greylisted"),
        "no mailbox": (sent(message(arrived=None, mailbox=None)), PASS, "no mailbox was looked in"),
        "4yz": (sent(message(accepted=False, answer=answer(451))), ERROR, "451"),
        "not sent": (
            sent(message(accepted=None, arrived=None), unknown={"messages[2].accepted": DOWN}),
            ERROR,
            "did not answer",
        ),
        "mailbox failed": (
            sent(message(arrived=None), unknown={"messages[2].arrived": "The mailbox refused the login."}),
            ERROR,
            "refused the login",
        ),
        "not looked for": (sent(message(arrived=None, hops=None, mailbox=None)), NOT_CHECKED, ""),
        "a way was not tried": (with_(proof(messages=(message(25), message(465)))), NOT_CHECKED, "port 587"),
        "by sendmail": (
            with_(proof(messages=(message(None),))),
            PASS,
            "",
            Target("relay", (Profile.NULL_CLIENT,)),
        ),
        "none": (with_(proof(messages=())), NOT_CHECKED, ""),
        "no messages asked": (with_(proof(messages=None)), NOT_CHECKED, ""),
        "no proof": (with_(without="proof"), NOT_CHECKED, "no evidence of kind proof"),
    },
    "MR-E2E-02": {
        "SPF fails": (headers("spf=pass", "spf=fail"), FAIL, "mx.dest.test says that spf is fail"),
        "no SPF record": (headers("spf=pass", "spf=none"), FAIL, "spf is none"),
        "DKIM fails": (headers("dkim=pass", "dkim=fail"), FAIL, "dkim is fail"),
        "DMARC has no record": (headers("dmarc=pass", "dmarc=none"), FAIL, "dmarc is none"),
        "one of two signatures": (headers("dkim=pass", "dkim=fail header.d=x.test; dkim=pass"), PASS, ""),
        "temperror": (headers("spf=pass", "spf=temperror"), ERROR, "says nothing of spf"),
        "no DMARC": (headers("; dmarc=pass header.from=example.test", ""), ERROR, "says nothing of dmarc"),
        "no results": (
            headers("Authentication-Results: mx.dest.test;", "X-Other: x;"),
            ERROR,
            "no Authentication-Results",
        ),
        "of the host itself": (
            headers("Results: mx.dest.test;", f"Results: {relay.HOST};"),
            ERROR,
            "no Authentication",
        ),
        "of another than the receiver": (
            sent(message(authserv_id="other.test")),
            ERROR,
            "no Authentication-Results of other.test",
        ),
        "without a name": (headers("Results: mx.dest.test; spf", "Results: spf"), PASS, "the receiver says"),
        "no TLS to the receiver": (
            headers(f"{TLS_OF_HOP}\n by mx.dest.test (Mail) with ESMTPS", "by mx.dest.test with ESMTP"),
            FAIL,
            "mx.dest.test got the message without TLS",
        ),
        "no TLS to the relay": (
            headers("with ESMTPSA", "with ESMTPA"),
            FAIL,
            f"{relay.HOST} got the message without TLS",
        ),
        "login not noted": (headers("with ESMTPSA", "with ESMTPS"), FAIL, "does not note the login"),
        "the relay hides its field": (headers(f"by {relay.HOST} (Mail) with ESMTPSA id 3", "by x (x)"), PASS, ""),
        "no way is told": (
            sent(message(arrival=dataclasses.replace(relay.ARRIVAL, received=()))),
            ERROR,
            "no Received",
        ),
        "not arrived": (sent(message(arrived=False, arrival=None)), ERROR, "has not arrived"),
        "no mailbox": (sent(message(arrived=None, arrival=None, mailbox=None)), NOT_CHECKED, ""),
        "no proof": (with_(without="proof"), NOT_CHECKED, ""),
    },
    "MR-E2E-03": {
        "many": (queue(5000, None), FAIL, "5000 messages"),
        "old": (queue(2, "2026-02-27T12:00:00Z"), FAIL, "since 2026-02-27"),
        "young": (queue(20, "2026-03-01T10:00:00Z"), PASS, ""),
        "bounce": (sent(message(returns=True)), PASS, "returned"),
        "refused at once": (sent(message(returns=True, accepted=False, answer=answer(550))), PASS, "at once"),
        "refused like every message": (
            sent(
                message(returns=True, accepted=False, answer=REFUSED),
                *(message(port, accepted=False, answer=REFUSED) for port in (25, 465, 587)),
            ),
            ERROR,
            "may be a refusal of every message",
        ),
        "bounce is lost": (sent(message(returns=True, arrived=False)), FAIL, "was not sent"),
        "bounce does not return": (
            sent(message(returns=True, arrived=False, hops=(hop("bounced", "no", notification_id="4Q"),))),
            FAIL,
            "did not return",
        ),
        "mailbox failed": (
            sent(message(returns=True, arrived=None), unknown={"messages[3].arrived": DOWN}),
            ERROR,
            "did not answer",
        ),
        "queue not readable": (
            with_(host({"queue": "Permission denied."}, queue=None), without="proof"),
            {ERROR, NOT_CHECKED},
            "Permission denied",
        ),
        "not asked": (with_(host(queue=None), without="proof"), NOT_CHECKED, ""),
        "no queue": (with_(host(queue=())), NOT_APPLICABLE, ""),
    },
    "MR-DKIM-07": {
        "unsigned": (headers("DKIM-Signature:", "X-Other:"), FAIL, "without a DKIM signature"),
        "invalid": (headers("dkim=pass", "dkim=fail"), FAIL, "says fail"),
        "From once": (headers("from:to:subject:from", "from:to:subject"), FAIL, "second From"),
        "another is valid": (
            headers("dkim=pass header.d=example.test", "dkim=pass header.d=other.test"),
            FAIL,
            "No DKIM signature is valid",
        ),
        "identity alone": (headers("header.d=example.test", "header.i=@example.test"), PASS, ""),
        "another selector": (headers("header.s=s1", "header.s=s2"), FAIL, "No DKIM signature is valid"),
        "temperror": (headers("dkim=pass", "dkim=temperror"), ERROR, "at the time"),
        "nothing said": (headers("dkim=pass header.d=example.test header.s=s1;", ""), ERROR, "nothing of DKIM"),
        "not arrived": (sent(message(arrived=False, arrival=None)), ERROR, "has not arrived"),
        "no proof": (with_(without="proof"), NOT_CHECKED, ""),
        "none": (with_(proof(messages=())), NOT_CHECKED, "No message was sent"),
    },
    "MR-DMARC-04": {
        "not aligned": (headers("dmarc=pass", "dmarc=fail"), FAIL, "example.test"),
        "other domains, no DMARC": (
            sent(
                message(
                    headers=(
                        "header.d=example.test header.s=s1; dmarc=pass header.from=example.test",
                        "header.d=x.net",
                    ),
                    arrival=arrival_of(
                        relay.HEADERS.replace("header.d=example.test", "header.d=x.net")
                        .replace("; dmarc=pass", "; x=pass")
                        .replace("smtp.mailfrom=app@example.test", "smtp.mailfrom=app@y.net")
                    ),
                )
            ),
            FAIL,
            "only y.net, x.net",
        ),
        "aligned without DMARC": (headers("dmarc=pass", "dmarc=none"), PASS, "example.test"),
        "nothing passes": (
            sent(
                message(
                    arrival=arrival_of(
                        relay.HEADERS.replace("=pass", "=none"),
                    )
                )
            ),
            FAIL,
            "no domain",
        ),
        "siblings": (
            sent(
                message(
                    arrival=arrival_of(
                        relay.HEADERS.replace("dmarc=pass", "dmarc=none")
                        .replace("app@example.test", "app@a.example.test")
                        .replace("header.d=example.test", "header.d=b.example.test")
                        .replace("spf=pass", "spf=none")
                    )
                )
            ),
            ERROR,
            "belong together",
        ),
        "no results": (headers("Authentication-Results: mx.dest.test;", "X-Other: x;"), ERROR, ""),
        "not arrived": (sent(message(arrived=False, arrival=None)), ERROR, "has not arrived"),
        "no proof": (with_(without="proof"), NOT_CHECKED, ""),
    },
}
ROWS = [(control, name) for control, found in TABLE.items() for name in found]


def test_table_has_every_control_with_every_status():
    assert set(TABLE) == set(MINE)
    for control, found in TABLE.items():
        seen = {status for _evidence, status, *_rest in found.values() if isinstance(status, str)}
        assert {FAIL, ERROR, NOT_CHECKED} <= seen, control


@pytest.mark.parametrize("control", MINE)
def test_relay_without_faults_passes(control):
    assert {one.status.value for one in judged(ALL.values())[control]} == {PASS}


@pytest.mark.parametrize(("control", "name"), ROWS, ids=lambda value: value)
def test_control(control, name):
    evidence, expected, words, *rest = TABLE[control][name]
    found = judged(evidence, *rest)[control]
    seen = {one.status.value for one in found}
    # The other ports of the relay have no fault.
    wanted = expected if isinstance(expected, set) else {expected}
    assert wanted <= seen <= wanted | {PASS}, found
    told = [f"{one.message} {one.remedy}" for one in found if one.status.value in wanted]
    assert any(words in one for one in told), told


@pytest.mark.parametrize("control", MINE)
def test_profile_without_the_control_is_not_judged(control):
    others = [one for one in Profile if one not in CATALOGUE[control].profiles]
    for profile in others:
        (finding,) = judged(ALL.values(), Target("relay", (profile,)))[control]
        assert finding.status.value == NOT_APPLICABLE


@pytest.mark.parametrize("control", MINE)
def test_nothing_is_never_a_pass(control):
    assert {one.status.value for one in judged([])[control]} <= {NOT_CHECKED}
    down = relay.unseen(*EvidenceKind)
    assert {one.status.value for one in judged([], down)[control]} <= {ERROR, NOT_CHECKED}


@pytest.mark.parametrize("control", MINE)
def test_server_that_answers_421_everywhere_passes_nothing(control):
    """What the host says of itself is left out, since it does not come from the server."""
    busy = [
        smtp(port, dict.fromkeys(("greeting", "ehlo", "tls", "probes", "login"), "It said 421."), **relay.NOTHING)
        for port in (25, 465, 587)
    ]
    assert PASS not in {one.status.value for one in judged(busy)[control]}


def test_findings_of_a_port_have_a_subject_each():
    found = judged([*ALL.values(), smtp(25, vantage=Vantage("far", ("9.9.9.9",)))])["MR-SMTP-02"]
    subjects = [one.subject for one in found]
    assert subjects[:2] == ["relay.example.test:25 from outside", "relay.example.test:25 from far"]
    assert len(set(subjects)) == len(subjects)


def test_every_text_is_a_sentence():
    for evidence, *_rest in (case for found in TABLE.values() for case in found.values()):
        for control, found in judged(evidence).items():
            for one in found if control in MINE else ():
                assert one.message.endswith((".", '."', '".')), one
                assert ".." not in one.message.replace("\\r.\\n", "").replace("\\n.\\n", ""), one
                assert bool(one.remedy) == (one.status.value in (FAIL, ERROR, NOT_CHECKED)), one


DAMAGED = {
    "a mode": host(files=(HostFile("/k", "key", exists=True, mode="rw-r--r--"),)),
    "a network": host(firewall=FirewallFacts((), (), (PortAccess(25, 4, "drop", ("everyone",), (), ()),), ())),
    "a port": config(service("\u00b2", program="smtpd")),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_evidence_is_an_error_and_never_a_pass(what):
    found = judged(with_(DAMAGED[what]))
    damaged = [one for ones in found.values() for one in ones if "no version of it can have" in one.message]
    assert damaged
    assert {one.status.value for one in damaged} == {ERROR}
