# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges of keys, certificates and passwords in files: who can read them, and how old they are."""

from __future__ import annotations

import typing as t

from .._controls.control import Control, EvidenceKind
from .._controls.finding import Finding, FindingStatus
from .._evidence.certificate import CertificateFacts
from .._evidence.document import Evidence, seconds_of
from .._evidence.host_files import DkimKey, HostFile
from .case import Case, Document, Judges, together
from .ports import lacks_tls, over_smtp
from .profiles import MANDATORY_TLS, setting

_DAY, _HOUR = 86400, 3600
_ROOT = ("root",)

# -- MR-TLS-08, MR-DKIM-04, MR-HOST-04: who can read a file -----------------------------------------------------------

_OTHERS, _GROUP = 0o007, 0o070
#: The users and groups of the programs that sign.
_SIGNERS: t.Mapping[str | None, tuple[str, ...]] = {
    "OpenDKIM": ("opendkim",),
    "rspamd": ("_rspamd", "rspamd"),
    "dkimpy-milter": ("dkimpy-milter",),
    "amavis": ("amavis", "vscan"),
}
#: Groups of programs that check logins by a file of their own. The file has no group in common with another program.
_LOGIN_GROUPS: t.Mapping[str, tuple[str, ...]] = {"Dovecot": ("dovecot",), "Cyrus SASL": ("sasl", "postfix")}


#: Settings of Cyrus SASL, which distributions install for all to read. Few of them have a password.
_MAYBE = "/smtpd.conf"


def _tls_keys(case: Case, control: Control) -> t.Iterator[Finding]:
    yield from _judge_files(case, control, "key", "No file has the private key of a certificate.")


def _dkim_keys(case: Case, control: Control) -> t.Iterator[Finding]:
    signers = {key.path: _SIGNERS.get(key.signer, ()) for key in case.host.need("dkim")}
    yield from _judge_files(case, control, "DKIM key", "The host has no DKIM key.", signers)


def _password_files(case: Case, control: Control) -> t.Iterator[Finding]:
    groups = {
        file.path: tuple(group for name in file.named_by for group in _LOGIN_GROUPS.get(name, ()))
        for file in case.host.need("files")
    }
    for finding in _judge_files(case, control, "passwords", "No file has passwords of mail.", groups):
        if finding.status is FindingStatus.FAIL and finding.subject.endswith(_MAYBE):
            message = f"{finding.message.rstrip('.')}, and may have the login for a database."
            yield control.not_checked(finding.subject, message, finding.remedy)
        else:
            yield finding


def _judge_files(
    case: Case, control: Control, purpose: str, none: str, allowed: t.Mapping[str, tuple[str, ...]] | None = None
) -> t.Iterator[Finding]:
    """Judge who can read the files with a purpose: root, and the users and groups that are allowed for a path."""
    host = case.host
    found = [one for one in host.need("files") if one.purpose == purpose and one.exists is not False]
    for one in found:
        if one.mode is None:
            reason = host.why(f"files.{one.path}") or "its mode is not known"
            yield control.undecided(one.path, reason, EvidenceKind.HOST)
        else:
            yield _judge_file(control, one, (allowed or {}).get(one.path, ()))
    if not found:
        yield control.not_applicable(host.subject, none)


def _judge_file(control: Control, file: HostFile, allowed: tuple[str, ...]) -> Finding:
    who = _reader(file, (*_ROOT, *allowed))
    if not who:
        return control.passed(file.path, f"{file.path} has the mode {file.mode}: no other program can read it.")
    message = f"{file.path} can be read by {who} (mode {file.mode}, owner {file.owner}, group {file.group})."
    owner = file.owner if file.owner in allowed else _ROOT[0]
    return control.failed(file.path, message, f"Run chown {owner} {file.path}, then chmod 0600 {file.path}.")


def _reader(file: HostFile, allowed: t.Collection[str]) -> str:
    """Who can read a file beside these users and groups; empty if no one can."""
    mode = int(file.mode or "0", 8)
    if mode & _OTHERS:
        return "every user"
    if mode & _GROUP and file.group not in allowed:
        return f"the group {file.group}"
    return "" if file.owner in allowed else f"the user {file.owner}"


def _login_over_tls(case: Case, control: Control) -> t.Iterator[Finding]:
    """Judge whether Postfix may send the password of an upstream without TLS."""
    for instance in case.host.need("config"):
        place = instance.config_directory
        case.host.known(instance.parameters, f"config.{place}", place)
        senders = [
            one
            for one in case.host.known(instance.services, f"config.{place}.services", place)
            if one.program == "smtp"
        ]
        for service in senders:
            if setting(instance, service, "smtp_sasl_auth_enable") != "yes":
                continue
            level = setting(instance, service, "smtp_tls_security_level") or "none"
            subject = f"{place} {service.name}"
            if level in (*MANDATORY_TLS, "dane-only"):
                yield control.passed(subject, f"{service.name} logs in over TLS of the level {level} alone.")
            elif setting(instance, service, "smtp_tls_policy_maps"):
                yield control.undecided(subject, "smtp_tls_policy_maps decides for each server", EvidenceKind.HOST)
            else:
                message = f"{service.name} logs in with smtp_tls_security_level {level}, so also without TLS."
                yield control.failed(subject, message, "Set relay_upstream.tls, or smtp_tls_security_level to encrypt.")


# -- MR-TLS-05: how long certificates are valid -----------------------------------------------------------------------

#: In days: a certificate that lasts longer is renewed by hand.
_BY_HAND = 100
#: In days, what a certificate renewed by hand must have left, and should have.
_LEAST, _SOON = 7, 30
#: The same as a part of its life for one that a program renews, which certbot does when a third is left.
_LEAST_PART, _SOON_PART = 1 / 4, 1 / 3


def _files_of_certificates(case: Case, control: Control) -> t.Iterator[Finding]:
    if not case.has(EvidenceKind.HOST):
        return  # what the server shows is judged
    host = case.host
    for one in host.need("certificates"):
        if one.chain is None:
            reason = host.why(f"certificates.{one.path}") or "its certificates are not known"
            yield control.undecided(one.path, reason, EvidenceKind.HOST)
        elif one.chain:
            yield _judge_validity(case, control, one.path, one.chain)


@over_smtp("tls")
def _shown_certificates(case: Case, control: Control, document: Document) -> t.Iterator[Finding]:
    if lacks_tls(document):
        yield control.not_applicable(document.subject, f"{document.subject} has no TLS, and so no certificate.")
        return
    chain = document.need("tls").chain
    if chain:
        yield _judge_validity(case, control, document.subject, chain)
    else:
        yield control.undecided(document.subject, "the server shows no certificate", EvidenceKind.SMTP)


def _judge_validity(case: Case, control: Control, subject: str, chain: t.Sequence[t.Any]) -> Finding:
    """Judge the certificate of a chain that expires first."""
    now = seconds_of(case.moment)
    first = min(chain, key=lambda one: one.not_after)
    late = next((one for one in chain if seconds_of(one.not_before) > now), None)
    left, life = (seconds_of(first.not_after) - begin for begin in (now, seconds_of(first.not_before)))
    least, soon = (_LEAST * _DAY, _SOON * _DAY) if life > _BY_HAND * _DAY else (life * _LEAST_PART, life * _SOON_PART)
    if late:
        message = f"The certificate {_name(late)} of {subject} is not valid before {late.not_before}."
        return control.failed(subject, message, "Set the clock, or present a certificate that is valid now.")
    what = f"The certificate {_name(first)} of {subject}"
    if left < 0:
        return control.failed(subject, f"{what} expired on {first.not_after}.", "Renew it, then reload Postfix.")
    if left < least:
        message = f"{what} expires in {_span(left)}, on {first.not_after}."
        return control.failed(subject, message, "Renew it, reload Postfix, and find out why it was not renewed.")
    hint = " Renew it soon." if left <= soon else ""
    return control.passed(subject, f"{what} is valid for {_span(left)} more.{hint}")


def _name(certificate: CertificateFacts) -> str:
    """Return the subject, or the first name: authorities leave the subject empty."""
    return certificate.subject or next(iter(certificate.names), "without a name")


def _span(seconds: float) -> str:
    unit, name = (_DAY, "day") if seconds >= 2 * _DAY else (_HOUR, "hour")
    number = int(seconds // unit)
    return f"{number} {name}{'' if number == 1 else 's'}"


# -- MR-DKIM-05 and MR-DKIM-06 ----------------------------------------------------------------------------------------

#: In days. TR-03182 leaves the time to the operator.
_MAX_AGE = 365

#: Hosts that are named.
_TOLD = 3

#: The names of the hosts that have a key, by its digest.
KeyHolders = t.Mapping[str, tuple[str, ...]]


def holders_of_keys(fleet: t.Mapping[str, t.Iterable[Evidence[t.Any]]]) -> KeyHolders:
    """Which hosts of a fleet have which DKIM keys, for :attr:`.case.Target.key_holders`."""
    found: dict[str, dict[str, None]] = {}
    for host, documents in fleet.items():
        for one in documents:
            for key in getattr(one.facts, "dkim", None) or ():
                if isinstance(key, DkimKey) and key.spki_sha256:
                    found.setdefault(key.spki_sha256, {})[host] = None
    return {digest: tuple(hosts) for digest, hosts in found.items()}


def _own_keys(case: Case, control: Control) -> t.Iterator[Finding]:
    holders = case.target.key_holders
    for key in _signing_keys(case, control):
        if isinstance(key, Finding):
            yield key
        elif holders is None:
            message = f"It is not known whether other relays have the key {key.path} too."
            yield control.not_checked(key.path, message, "Judge all relays in one run.")
        else:
            others = [one for one in holders.get(key.spki_sha256 or "", ()) if one != case.target.host]
            if others:
                message = f"{_some(others)} {'has' if len(others) == 1 else 'have'} the key {key.path} too."
                yield control.failed(key.path, message, "Make a key with a selector of its own for each relay.")
            else:
                yield control.passed(key.path, f"No other relay of this run has the key {key.path}.")


def _some(hosts: t.Sequence[str]) -> str:
    """These hosts in words: the first, and how many more, since a fleet may have thousands."""
    told = list(hosts[:_TOLD])
    if len(hosts) > _TOLD:
        told.append(f"{len(hosts) - _TOLD} more")
    return " and ".join([one for one in (", ".join(told[:-1]), told[-1]) if one])


def _age_of_keys(case: Case, control: Control) -> t.Iterator[Finding]:
    files = {one.path: one for one in case.host.need("files")}
    for key in _signing_keys(case, control):
        if isinstance(key, Finding):
            yield key
            continue
        changed = files[key.path].changed_at if key.path in files else None
        if changed is None:
            reason = case.host.why(f"files.{key.path}") or "the age of its file is not known"
            yield control.undecided(key.path, reason, EvidenceKind.HOST)
            continue
        days = int((seconds_of(case.moment) - seconds_of(changed)) // _DAY)
        message = f"The key {key.path} is {_span(days * _DAY)} old"
        if days > _MAX_AGE:
            remedy = "Make a key with a new selector, publish it, sign with it, and revoke the old one later."
            yield control.failed(key.path, f"{message}; expected at most {_span(_MAX_AGE * _DAY)}.", remedy)
        else:
            yield control.passed(key.path, f"{message}.")


def _signing_keys(case: Case, control: Control) -> t.Iterator[DkimKey | Finding]:
    """The keys with which a program signs, and an error for one that could not be read."""
    keys = [one for one in case.host.need("dkim") if one.signer]
    for one in keys:
        reason = case.host.why(f"dkim.{one.path}") if one.spki_sha256 is None else ""
        yield control.undecided(one.path, reason.rstrip("."), EvidenceKind.HOST) if reason else one
    if not keys and not case.host.why("dkim"):
        yield control.not_applicable(case.host.subject, "The host has no DKIM key.")
    elif not keys:
        yield control.undecided(case.host.subject, case.host.why("dkim"), EvidenceKind.HOST)


JUDGES: Judges = {
    "MR-TLS-05": together(_files_of_certificates, _shown_certificates),
    "MR-TLS-08": _tls_keys,
    "MR-DKIM-04": _dkim_keys,
    "MR-DKIM-05": _own_keys,
    "MR-DKIM-06": _age_of_keys,
    "MR-HOST-04": together(_password_files, _login_over_tls),
}
