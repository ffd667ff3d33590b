# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of master.cf (master(5)): those of every relay, its listeners, its transports, and the user's own."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .bridges import bridge_line
from .dkim import MILTER
from .listeners import Listener
from .reader import Options, Reader
from .transports import DIRECTORY, Transport

#: Postfix's own services, without those that listen or that deliver to this host.
_EVERYWHERE = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
cleanup-probe unix n - n - 0 cleanup
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsproxy unix - - n - 0 tlsproxy
postlog unix-dgram n - n - 1 postlogd
"""
#: Options of these services. A header beyond ASCII does not need SMTPUTF8, which many servers lack. An address does;
#: qmgr(8) looks for one. verify(8) cannot ask for SMTPUTF8, so the cleanup(8) of its probes detects the need.
_OPTIONS: t.Mapping[str, t.Mapping[str, str]] = {
    "cleanup": {"smtputf8_enable": "no"},
    "verify": {"cleanup_service_name": "cleanup-probe"},
}

#: Options of smtpd(8) for each TLS mode of a listener.
_TLS_OPTIONS: t.Mapping[str, t.Mapping[str, str]] = {
    "none": {"smtpd_tls_security_level": "none"},
    "opportunistic": {"smtpd_tls_security_level": "may"},
    "starttls": {"smtpd_tls_security_level": "encrypt"},
    "implicit": {"smtpd_tls_security_level": "encrypt", "smtpd_tls_wrappermode": "yes"},
}
#: A submission port requires a login, which may use its own senders only (RFC 6409 sections 4.3 and 6.1).
_LOGIN_OPTIONS: t.Mapping[str, str] = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated,reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
    # no login owns the null sender
    "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch,"
    " check_sender_access inline:{ {<> = 553 5.7.1 a login needs a sender address} },"
    f" check_sender_access regexp:{DIRECTORY}/relay_login_senders",
    # every spelling of a sender is bound to its login
    "smtpd_command_filter": f"regexp:{DIRECTORY}/relay_login_commands",
    # users may ask for reports (DSN, RFC 3461)
    "smtpd_discard_ehlo_keywords": "silent-discard, etrn",
    # a mail program is quick, so an idle or dripping client need not hold a process for 300 s; by default these values
    # depend on stress mode, which lasts 1000 s and would drop right users after one mistake (STRESS_README)
    "smtpd_timeout": "60s",
    "smtpd_starttls_timeout": "30s",
    "smtpd_per_request_deadline": "yes",
    "smtpd_hard_error_limit": "20",
    "smtpd_junk_command_limit": "100",
    # mail programs pipeline before the server offers it; Postfix's own master.cf allows that, too
    "smtpd_forbid_unauth_pipelining": "no",
    # limits for clients bind allowed networks, too: one of their hosts may be taken over, and guess passwords
    "smtpd_client_event_limit_exceptions": "",
    # the Received header does not reveal the client's address (RELEASE_NOTES-3.10)
    "smtpd_hide_client_session": "yes",
}
#: Names in the log by kind of listener; that of mail servers has the plain one. pflogsumm counts no others. Postfix
#: had them in its own master.cf until it renamed smtps.
_LOG_NAMES: t.Mapping[str, t.Mapping[str, str]] = {
    "submission": {"syslog_name": "postfix/submission"},
    "smtps": {"syslog_name": "postfix/smtps"},
}
_FIELDS = ("private", "unprivileged", "chroot", "wakeup", "processes")
_FIELD = re.compile(r"[A-Za-z0-9?-]+\Z")
_NAME = re.compile(r"[A-Za-z0-9.:\[\]_-]+\Z")
_PARAMETER = re.compile(r"[A-Za-z0-9_]+\Z")


@dataclass(frozen=True)
class PlannedEntry:
    """One entry of master.cf.

    :param line: its fields, including the command.
    :param options: parameters that apply to this entry alone.
    """

    line: str
    options: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """Name and type; an entry replaces one with the same key."""
        return tuple(self.line.split()[:2])


def all_services(
    listeners: t.Sequence[Listener],
    transports: t.Iterable[Transport],
    own: t.Iterable[PlannedEntry],
    signed: bool = False,
) -> list[PlannedEntry]:
    """Return each entry once; the user's own take precedence.

    :param signed: whether mail is signed that comes with a login.
    """
    services = [service for listener in listeners for service in _listening(listener, signed)]
    if not any(listener.port == 25 for listener in listeners):
        # programs of this host and the message of relay_verify always have port 25 on loopback
        services.append(
            PlannedEntry("25 inet n - n - - smtpd" if not listeners else "127.0.0.1:25 inet n - n - - smtpd")
        )
    services += [PlannedEntry(line, _OPTIONS.get(line.split()[0], {})) for line in _EVERYWHERE.split("\n") if line]
    for one in transports:
        services.append(PlannedEntry(f"{one.name} unix - - n - - {one.client}", one.options))
        if one.bridge:
            services.append(PlannedEntry(bridge_line(one)))
    return list({service.key: service for service in (*services, *own)}.values())


def _listening(listener: Listener, signed: bool) -> t.Iterator[PlannedEntry]:
    options = {**_LOG_NAMES.get(listener.kind, {}), **_TLS_OPTIONS[listener.tls]}
    if listener.login:
        options.update(_LOGIN_OPTIONS)
        if signed:
            options["smtpd_milters"] = MILTER
    if listener.tls == "implicit":
        options["smtpd_starttls_timeout"] = "10s"  # the connections of a client are counted after the handshake
    if not listener.postscreen:
        yield PlannedEntry(f"{listener.port} inet n - n - - smtpd", options)
        return
    # one process screens all clients (POSTSCREEN_README)
    yield PlannedEntry(f"{listener.port} inet n - n - 1 postscreen")
    yield PlannedEntry("smtpd pass - - n - - smtpd", options)
    yield PlannedEntry("dnsblog unix - - n - 0 dnsblog")


def read_service(reader: Reader, index: int, item: Options) -> PlannedEntry:
    """Read one entry of ``relay_services``."""
    name, kind = str(item["name"]), str(item.get("type") or "unix")
    variable = f"relay_services[{index}] ({name})"
    if not _NAME.match(name):
        reader.problem(
            variable, "is not a valid service name; expected one as in master(5), such as 2525 or 127.0.0.1:10025"
        )
    fields = [str(item[key]) if item.get(key) is not None else "-" for key in _FIELDS]
    if item.get("chroot") is None:
        fields[2] = "n"
    if item.get("private") is None and kind == "inet":
        fields[0] = "n"  # master(5): Internet services cannot be private
    for key, value in zip(_FIELDS, fields):
        if not _FIELD.match(value):
            reader.problem(f"{variable}.{key}", f"{value!r} is not valid; expected y, n, - or a number")
    options = {str(key): as_postfix(value) for key, value in (item.get("options") or {}).items()}
    for key, value in options.items():
        if not _PARAMETER.match(key) or not is_line(value):
            reader.problem(
                f"{variable}.options.{key}", "is not valid; expected a Postfix parameter with its value on one line"
            )
        if not _is_balanced(value):
            reader.problem(
                f"{variable}.options.{key}",
                "has braces that do not match, which end an option of master.cf; expected a pair for each brace",
            )
    return PlannedEntry(" ".join([name, kind, *fields, reader.line(f"{variable}.command", item["command"])]), options)


def read_settings(reader: Reader, values: Options) -> dict[str, str]:
    """Read ``relay_settings``."""
    settings = {str(name): as_postfix(value) for name, value in values.items()}
    for name, value in settings.items():
        if not _PARAMETER.match(name) or not is_line(value):
            reader.problem(
                f"relay_settings.{name}", "is not valid; expected a Postfix parameter with its value on one line"
            )
    return settings


def is_line(value: str) -> bool:
    """Whether a value has no control characters, and so stays on its line."""
    return not re.search(r"[\x00-\x1f\x7f]", value)


def _is_balanced(value: str) -> bool:
    """Whether braces come in pairs, since options are enclosed in braces (master(5))."""
    depth = 0
    for brace in re.findall("[{}]", value):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def as_postfix(value: t.Any) -> str:
    """Return a value of YAML as Postfix writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
