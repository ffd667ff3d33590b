# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of TLS at the ports, as it is seen over SMTP. Judges of certificate files are in ``judge_keys.py``."""

from __future__ import annotations

import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._evidence.certificate import CertificateFacts
from .._evidence.smtp import TlsFacts
from .._probes.suites import VERSIONS
from .case import Case, Document, DocumentJudge, Judge, Judges
from .ports import expected, fact, lacks_tls, offers_login, over_smtp, requires_login, services_on
from .profiles import setting

# -- MR-TLS-01: TLS is there ------------------------------------------------------------------------------------------

#: How smtp_info words that plain text came where TLS should begin.
_PLAIN = "answered without TLS"
_IMPLICIT = "Set smtpd_tls_wrappermode to yes for this port."
_STARTTLS = "Set smtpd_tls_security_level to may, or to encrypt where logins are taken, and give Postfix a certificate."


@over_smtp("tls", "ehlo")
def _offered(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    facts, subject = document.facts, document.subject
    wanted = expected(case, facts.port).tls
    if wanted == "implicit":
        yield _implicit(case, control, document)
    elif _at_once(document) and wanted:
        message = "TLS begins with the first octet, where clients expect STARTTLS."
        yield control.failed(subject, message, "Set smtpd_tls_wrappermode to no for this port.")
    elif _at_once(document):
        yield control.passed(subject, "TLS begins with the first octet.")
    elif "STARTTLS" not in document.need("ehlo").extensions:
        yield control.failed(subject, "The server does not offer STARTTLS.", _STARTTLS)
    elif facts.starttls and facts.starttls.code >= 500:
        message = f'The server offers STARTTLS, but refuses it: "{facts.starttls.code} {facts.starttls.text}".'
        yield control.failed(subject, message, "Look for errors of TLS in the log of Postfix.")
    else:
        yield control.passed(subject, f"STARTTLS leads to {document.need('tls').version}.")


def _at_once(document: Document) -> bool:
    tls = document.facts.tls
    return bool(document.facts.tls_at_once or (tls and tls.began == "implicit"))


def _implicit(case: Case, control: Control, document: Document) -> Finding:
    facts = document.facts
    if _at_once(document):
        return control.passed(document.subject, "TLS begins with the first octet.")
    wrapped = {setting(one, service, "smtpd_tls_wrappermode") for one, service in services_on(case, facts.port)}
    clear = facts.tls_at_once is False or facts.ehlo or _PLAIN in document.why("tls") or "no" in wrapped
    if clear:
        return control.failed(document.subject, "TLS does not begin with the first octet.", _IMPLICIT)
    document.need("tls")
    return control.undecided(document.subject, "it is not known how TLS begins", EvidenceKind.SMTP)


# -- where there is TLS -----------------------------------------------------------------------------------------------


def _in_tls(*paths: str, only: t.Callable[[Case, int], bool] | None = None) -> t.Callable[[DocumentJudge], Judge]:
    """As :func:`over_smtp`, for what has nothing to judge on a port without TLS."""

    def decorated(judge: DocumentJudge) -> Judge:
        @over_smtp(*paths, only=only)
        def judge_one(case: Case, control: Control, document: Document) -> t.Iterable[Finding]:
            if lacks_tls(document):
                return [control.not_applicable(document.subject, f"{document.subject} has no TLS.")]
            return judge(case, control, document)

        return judge_one

    return decorated


# -- MR-TLS-02, MR-TLS-03: versions and ciphers -----------------------------------------------------------------------

_MODERN = ("TLSv1.2", "TLSv1.3")
_PROTOCOLS = "Set smtpd_tls_protocols and smtpd_tls_mandatory_protocols to >=TLSv1.2, in master.cf as well."


@_in_tls("probes.tls")
def _versions(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    versions = document.need("probes.tls").versions
    old = [one.version for one in versions if one.accepted and one.version not in _MODERN]
    lacking = [one.version for one in versions if one.accepted is False and one.version in _MODERN]
    known = {one.version for one in versions if one.accepted is not None}
    open_ = [one for one in VERSIONS if one not in known] if versions else []
    if old:
        yield control.failed(document.subject, f"The server accepts {' and '.join(old)}.", _PROTOCOLS)
    if lacking:
        yield control.failed(document.subject, f"The server does not accept {' and '.join(lacking)}.", _PROTOCOLS)
    if old or lacking:
        return
    if open_ or not versions:
        yield control.undecided(document.subject, _reason(document, "versions", open_), EvidenceKind.SMTP)
    else:
        yield control.passed(document.subject, "The server accepts TLS 1.2 and 1.3, and no older version.")


#: Groups of weak suites. Suites with CBC have weaknesses too, but some clients have no others.
_WEAK = ("NULL", "EXPORT", "RC4", "3DES", "ANON")
_CIPHERS = "Set smtpd_tls_mandatory_ciphers and smtpd_tls_ciphers to high, and exclude aNULL, RC4 and 3DES."


@_in_tls("probes.tls")
def _ciphers(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    port = document.facts.port
    # Servers that deliver to port 25 without a certificate to verify gain nothing from one.
    login = requires_login(case, port) or offers_login(case, port)
    groups = [one for one in _WEAK if one != "ANON" or login]
    versions = document.need("probes.tls").versions
    known = [
        (group, one.version, one.weak.get(group)) for one in versions if one.accepted is not False for group in groups
    ]
    weak = [f"{group} with {version}" for group, version, accepted in known if accepted]
    open_ = [f"{group} with {version}" for group, version, accepted in known if accepted is None]
    if weak:
        yield control.failed(document.subject, f"The server accepts weak suites: {', '.join(weak)}.", _CIPHERS)
    elif open_ or not known:
        yield control.undecided(document.subject, _reason(document, "cipher suites", open_), EvidenceKind.SMTP)
    else:
        yield control.passed(document.subject, f"The server accepts no suite of {', '.join(groups)}.")


def _reason(document: Document, what: str, names: t.Sequence[str]) -> str:
    named = f"it is not known whether {', '.join(names)} is accepted" if names else f"no {what} are known"
    why = document.why("probes.tls")
    return f"{named}: {why}" if why else named


# -- MR-TLS-04, MR-TLS-06: the certificate ----------------------------------------------------------------------------


@_in_tls("tls")
def _trusted(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    tls: TlsFacts = document.need("tls")
    if not tls.accepted and _is_for_no_one(case, document):
        message = "The certificate is self-signed. No one logs in on this port, so that clients need not verify it."
        yield control.not_applicable(document.subject, message)
    elif not tls.accepted:
        message = f"The certificate is refused: {tls.refusal.rstrip('.')}."
        yield control.failed(document.subject, message, control.by_hand)
    elif not tls.verified:
        message = "The certificate was not verified, as the task asked, or since the server is on the host that asked."
        remedy = "Ask from another host, with validate_certs: true."
        yield control.not_checked(document.subject, message, remedy)
    else:
        yield control.passed(document.subject, "The certificate is trusted, and has the name that was asked for.")


def _is_for_no_one(case: Case, document: Document) -> bool:
    """Whether a certificate that no authority has signed serves a port where TLS is opportunistic (RFC 7435)."""
    port, own = document.facts.port, fact(document, "probes.tls.certificate")
    return bool(own and own.self_issued) and not requires_login(case, port) and not offers_login(case, port)


#: The shortest key by its type, in bits (RFC 9325 section 4.5).
_LEAST_BITS = {"rsa": 2048, "ec": 256}
#: Signatures that have no hash to choose (RFC 8410).
_WITHOUT_HASH = ("ED25519", "ED448")
_BROKEN_HASHES = ("md2", "md5", "sha1")


@_in_tls("tls", "probes.tls")
def _strong(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    # After a handshake that failed there is no chain; the probe reads the server's own certificate.
    offer, tls = fact(document, "probes.tls"), document.facts.tls
    chain: t.Sequence[CertificateFacts] = tls.chain if tls else ()
    chain = chain or [document.need("probes.tls.certificate" if offer or tls else "tls")]
    weak = [weakness for place, one in enumerate(chain) for weakness in _weaknesses(one, place)]
    open_ = [f"the key of {one.subject}" for one in chain if one.key_bits is None]
    open_ += [f"the signature of {one.subject}" for place, one in enumerate(chain) if _has_unknown_hash(one, place)]
    if weak:
        remedy = "Obtain a certificate signed with SHA-256, with an RSA key of 2048 bits or an EC key on P-256."
        yield control.failed(document.subject, f"The certificate is weak: {'; '.join(weak)}.", remedy)
    elif open_:
        yield control.undecided(document.subject, f"{', '.join(open_)} is of a type that is not known")
    else:
        own = chain[0]
        signed = f", signed with {own.signature_hash}" if own.signature_hash else ""
        yield control.passed(document.subject, f"The key is {own.key_type} with {own.key_bits} bits{signed}.")


def _has_unknown_hash(one: CertificateFacts, place: int) -> bool:
    is_root = place > 0 and one.self_issued
    return one.signature_hash is None and one.signature not in _WITHOUT_HASH and not is_root


def _weaknesses(one: CertificateFacts, place: int) -> t.Iterator[str]:
    """What is weak in a certificate of the chain; a root above it is trusted for itself, not for its signature."""
    if one.key_bits is not None and one.key_bits < _LEAST_BITS.get(one.key_type, 0):
        yield f"the {one.key_type} key of {one.subject} has {one.key_bits} bits"
    is_root = place > 0 and one.self_issued
    if one.signature_hash in _BROKEN_HASHES and not is_root:
        yield f"{one.subject} is signed with {one.signature_hash}"


# -- MR-TLS-07: injection ---------------------------------------------------------------------------------------------


def _has_starttls(case: Case, port: int) -> bool:
    return expected(case, port).tls not in ("implicit", "none")


@_in_tls("probes.injection", only=_has_starttls)
def _injected(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    found, subject = document.need("probes.injection"), document.subject
    if found.answered_in_tls:
        message = "A command that was sent in clear behind STARTTLS was answered in TLS."
        yield control.failed(subject, message, "Update Postfix, or the proxy in front of it.")
    elif found.answered_in_tls is False:
        yield control.passed(subject, "A command that was sent in clear behind STARTTLS was not answered in TLS.")
    elif found.starttls.code >= 500:
        yield control.passed(subject, "The server refuses STARTTLS with a command behind it.")
    else:
        said = found.answered_in_clear
        reason = f'the command was answered in clear: "{said.code} {said.text}"' if said else found.refusal
        reason = reason or f'STARTTLS was answered by "{found.starttls.code} {found.starttls.text}"'
        yield control.undecided(subject, reason.rstrip("."), EvidenceKind.SMTP)


JUDGES: Judges = {
    "MR-TLS-01": _offered,
    "MR-TLS-02": _versions,
    "MR-TLS-03": _ciphers,
    "MR-TLS-04": _trusted,
    "MR-TLS-06": _strong,
    "MR-TLS-07": _injected,
}
