# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of logins: where they are offered, which are accepted, and what is accepted without one."""

from __future__ import annotations

import re
import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding
from .._evidence.host_config import Instance, Service
from .._evidence.proof import Attempt
from .attempts import Tried, accepted, login_ports, login_works, refused, said, tried, wants_login, wants_tls
from .case import Case, Document, Judge, Judges, guarded, together
from .ports import decisive, expected, is_trusted, offers_login, over_smtp, requires_login, services_on
from .profiles import MANDATORY_TLS, is_public, services, setting

#: A judge of one port that requires a login.
PortJudge = t.Callable[[Case, Control, int, str], t.Iterable[Finding]]


def for_login_ports(judge: PortJudge) -> Judge:
    """A judge of each port that requires a login; what one misses does not keep others from it."""

    def judge_all(case: Case, control: Control) -> t.Iterator[Finding]:
        ports = login_ports(case)
        for port in ports:
            subject = f"{case.target.host}:{port}"

            def judge_one(
                case: Case, control: Control, port: int = port, subject: str = subject
            ) -> t.Iterable[Finding]:
                return judge(case, control, port, subject)

            yield from decisive(guarded(judge_one, case, control))
        if not ports:
            message = f"No port of {case.target.host} is known to require a login."
            yield control.not_checked(case.target.host, message, "Declare its listeners, or ask it with smtp_info.")

    return judge_all


# -- MR-AUTH-01: before TLS -------------------------------------------------------------------------------------------

_TLS_ONLY = "Set smtpd_tls_auth_only to yes, in master.cf as well."


@over_smtp("probes.auth_before_tls", "ehlo", "tls")
def _before_tls(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    facts, subject = document.facts, document.subject
    if expected(case, facts.port).tls == "implicit" and document.need("tls").began == "implicit":
        yield control.passed(subject, "TLS begins with the first octet, so that no login can come before it.")
        return
    mechanisms = document.need("ehlo").auth_mechanisms
    if mechanisms:
        message = f"Logins are offered before TLS: {', '.join(mechanisms)}."
        yield control.failed(subject, message, _TLS_ONLY)
        return
    answer = document.need("probes.auth_before_tls").answer
    if answer.code < 400:
        message = f"A login is not offered, but accepted before TLS: {said(answer)}."
        yield control.failed(subject, message, _TLS_ONLY)
    elif answer.code < 500:
        yield control.undecided(subject, f"the server cannot tell now: {said(answer)}", EvidenceKind.SMTP)
    else:
        yield control.passed(subject, f"A login before TLS is not offered, and refused: {said(answer)}.")


def _clear_in_config(case: Case, control: Control) -> t.Iterator[Finding]:
    """A port that was not asked may take passwords in clear as well."""
    config = case.host.facts.config if case.has(EvidenceKind.HOST) else None
    for instance in config or ():
        for service in services(instance):
            if is_public(instance, service) and _takes_clear_logins(instance, service):
                message = f"The service {service.name} takes logins without TLS: smtpd_tls_auth_only is no."
                yield control.failed(f"{case.host.subject} {service.name}", message, _TLS_ONLY)


def _takes_clear_logins(instance: Instance, service: Service) -> bool:
    def value(name: str) -> str:
        return setting(instance, service, name)

    has_tls = value("smtpd_tls_wrappermode") == "yes" or value("smtpd_tls_security_level") in MANDATORY_TLS
    return value("smtpd_sasl_auth_enable") == "yes" and value("smtpd_tls_auth_only") == "no" and not has_tls


# -- MR-AUTH-02: mechanisms -------------------------------------------------------------------------------------------

#: What may be offered if the owner declares no list: inside TLS none of them is weak.
USUAL_MECHANISMS = (
    "PLAIN",
    "LOGIN",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "XOAUTH2",
    "OAUTHBEARER",
    "EXTERNAL",
)


def _has_logins(case: Case, port: int) -> bool:
    return offers_login(case, port) or requires_login(case, port)


@over_smtp("ehlo_in_tls", only=_has_logins)
def _offered_mechanisms(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    declared = case.target.declared.mechanisms
    allowed = {one.upper() for one in (USUAL_MECHANISMS if declared is None else declared)}
    offered = document.need("ehlo_in_tls").auth_mechanisms
    others = [
        one for one in offered if re.sub(r"-PLUS\Z", "", one.upper()) not in allowed and one.upper() not in allowed
    ]
    which = "the usual" if declared is None else "the declared"
    if not offered:
        message = "No login is offered, so no mechanisms can be compared."
        yield control.not_checked(document.subject, message, "Let the port offer logins, or declare it without them.")
    elif others:
        message = f"Mechanisms beyond {which} ones are offered: {', '.join(others)}."
        yield control.failed(document.subject, message, control.by_hand)
    else:
        yield control.passed(document.subject, f"Only {which} mechanisms are offered: {', '.join(offered)}.")


def _mechanisms(case: Case, control: Control) -> t.Iterator[Finding]:
    found = list(_offered_mechanisms(case, control))
    if not found:
        message = "No port offered a login, so no mechanisms can be compared."
        found = [control.not_checked(case.target.host, message, "Ask a port that takes logins with smtp_info.")]
    yield from found


# -- MR-AUTH-03, MR-AUTH-04: right and wrong --------------------------------------------------------------------------

_NO_ACCOUNT = "Give the role compliance an account, or smtp_info a login."


@for_login_ports
def _right(case: Case, control: Control, port: int, subject: str) -> t.Iterator[Finding]:
    found = tried(case, port, Attempt.RIGHT)
    if not found:
        yield control.not_checked(subject, f"No login was tried on port {port}.", _NO_ACCOUNT)
    for one in found:
        answer = one.need_login()
        if accepted(answer):
            yield control.passed(subject, f"A login was accepted on port {port}.")
        else:
            message = f"A login was refused on port {port}: {said(answer)}."
            yield control.failed(subject, message, control.by_hand)


#: RFC 4954 section 6: authentication credentials invalid.
_INVALID = 535


@for_login_ports
def _wrong(case: Case, control: Control, port: int, subject: str) -> t.Iterator[Finding]:
    wrong, unknown = (tried(case, port, kind) for kind in (Attempt.WRONG_PASSWORD, Attempt.UNKNOWN_USER))
    replies = [one.need_login() for one in (*wrong, *unknown)]
    others = [answer for answer in replies if answer.code != _INVALID]
    if any(map(accepted, replies)):
        message = f"A wrong login was accepted on port {port}."
        yield control.failed(subject, message, control.by_hand)
    elif others:
        message = f"A wrong login was answered by {said(others[0])}, not by {_INVALID}."
        yield control.failed(subject, message, "Let Dovecot verify the passwords, and look for errors in its log.")
    elif not wrong or not unknown:
        message = f"Of a wrong password and an unknown user, only one was tried on port {port}."
        message = message if replies else f"No wrong login was tried on port {port}."
        yield control.not_checked(subject, message, _NO_ACCOUNT)
    elif len({(one.code, one.enhanced_code, one.text) for one in replies}) > 1:
        message = f"A wrong password and an unknown user are told apart: {said(replies[0])} and {said(replies[-1])}."
        yield control.failed(subject, message, "Let the server answer both alike.")
    elif any(refused(one.login) for one in tried(case, port, Attempt.RIGHT)):
        yield control.undecided(subject, "a right login is refused as well, so that a refusal shows nothing")
    else:
        yield control.passed(subject, f"Wrong logins get the same refusal on port {port}: {said(replies[0])}.")


# -- MR-AUTH-05: without a login --------------------------------------------------------------------------------------

_ASKS_FOR_LOGIN = re.compile(r"\bauthenticat|\bauth first\b|\blog ?in (?:is )?(?:required|first)", re.IGNORECASE)


@for_login_ports
def _without(case: Case, control: Control, port: int, subject: str) -> t.Iterator[Finding]:
    found = tried(case, port, Attempt.NO_LOGIN)
    found = [one for one in found if one.mail] or found  # the vantage that was served decides
    strangers = [one for one in found if not _from_trusted(case, one)]
    if not strangers:
        message = f"No mail without a login was tried on port {port}."
        if found:
            where = found[0].document.evidence.seen_from.host
            message = f"Port {port} was tried without a login from {where} alone, which is in the allowed networks."
        yield control.not_checked(subject, message, "Ask from a host outside of these networks.")
    for one in strangers:
        yield _judge_without(case, control, port, subject, one)


def _from_trusted(case: Case, one: Tried) -> bool:
    """Whether the vantage may send without a login, so that an acceptance shows nothing."""
    is_smtp = one.document.kind is EvidenceKind.SMTP
    return is_smtp and accepted(one.mail) and bool(is_trusted(case, one.document))


def _judge_without(case: Case, control: Control, port: int, subject: str, one: Tried) -> Finding:
    answer = one.need_mail()
    if accepted(answer):
        message = f"Mail was accepted without a login on port {port}: {said(answer)}."
        return control.failed(subject, message, control.by_hand)
    # A refusal may concern this client alone, unless it asks for a login, or the port is known to serve others.
    if wants_tls(answer):
        return control.undecided(subject, f"the server wants TLS first: {said(answer)}")
    proven = answer.code == 530 or _ASKS_FOR_LOGIN.search(answer.text)
    if proven or login_works(case, port) or wants_login(case, port):
        return control.passed(subject, f"Mail without a login is refused on port {port}: {said(answer)}.")
    reason = f"{said(answer)} may be a refusal of the client that asked, since no login was accepted either"
    return control.undecided(subject, reason)


# -- MR-AUTH-06: the sender of another --------------------------------------------------------------------------------


def _has_no_recipient(found: t.Sequence[Tried]) -> bool:
    """Whether logins were accepted, and no mail was tried then."""
    return bool(found) and all(
        accepted(one.login) and one.mail is None and not one.document.why(one.mail_path) for one in found
    )


@for_login_ports
def _of_another(case: Case, control: Control, port: int, subject: str) -> t.Iterator[Finding]:
    found = tried(case, port, Attempt.OTHER_SENDER)
    if not found:
        yield _by_config(case, control, port, subject)
    for one in found:
        if not accepted(one.need_login()):
            reason = f"the login that would have used the sender was refused: {said(one.need_login())}"
            yield control.undecided(subject, reason)
        elif accepted(one.need_mail()):
            message = f"{one.user} can send as {one.sender}, which is the address of another, on port {port}."
            yield control.failed(subject, message, control.by_hand)
        elif _has_no_recipient(tried(case, port, Attempt.RIGHT)):
            message = f"No recipient was named on port {port}, so that nothing is known of senders."
            yield control.not_checked(subject, message, "Set compliance_recipient to an address elsewhere.")
        elif not any(accepted(own.mail) for own in tried(case, port, Attempt.RIGHT)):
            reason = "no mail with an address of the user itself was accepted, so that a refusal shows nothing"
            yield control.undecided(subject, reason)
        else:
            yield control.passed(subject, f"{one.user} cannot send as {one.sender}: {said(one.need_mail())}.")


_MISMATCH = re.compile(r"\breject_(?:authenticated_)?sender_login_mismatch\b")
_PLACES = ("client", "helo", "sender", "relay", "recipient")


def _by_config(case: Case, control: Control, port: int, subject: str) -> Finding:
    """Without a proof, a configuration shows that nothing hinders a user, but not that something does."""
    for instance, service in services_on(case, port):
        case.host.known(instance.parameters, f"config.{instance.config_directory}", subject)
        lists = [setting(instance, service, f"smtpd_{one}_restrictions") for one in _PLACES]
        owners = setting(instance, service, "smtpd_sender_login_maps")
        if not owners or not any(map(_MISMATCH.search, lists)):
            message = f"The service {service.name} lets every user send with any address."
            return control.failed(subject, message, control.by_hand)
    message = f"No user tried to send with the address of another on port {port}."
    return control.not_checked(subject, message, "Give the role compliance two accounts, or an address of another.")


JUDGES: Judges = {
    "MR-AUTH-01": together(_before_tls, _clear_in_config),
    "MR-AUTH-02": _mechanisms,
    "MR-AUTH-03": _right,
    "MR-AUTH-04": _wrong,
    "MR-AUTH-05": _without,
    "MR-AUTH-06": _of_another,
}
