# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a configuration into one that can run as a canary.

The canary runs beside the live Postfix, is not reachable by clients, and delivers nothing. Every smtpd listens on a
Unix socket in the canary's own queue directory, so that it uses no port and only root can connect.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from .config import Configuration, MasterEntry, parse_master, split_words

#: A replacement for Dovecot, whose socket may not exist yet: a service that speaks version 1 of Dovecot's protocol.
SASL_SERVICE = "canary-sasl"
SASL_SCRIPT = (
    r"printf 'VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nMECH\tSCRAM-SHA-256\tmutual-auth\nDONE\n'"
    "\nexec cat >/dev/null\n"
)

#: An smtpd without its own options in master.cf, which evaluates each restriction separately.
PLAIN = "canary-plain"

_LISTS = ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data", "etrn")
#: Valid restrictions that only end a list, need a login, or query other servers.
_NOT_WALKED = re.compile(
    r"(permit|reject|defer|warn_if_reject|defer_if_permit|defer_if_reject|sleep|check_policy_service|permit_mx_backup"
    r"|reject_rbl_client|reject_rhsbl_(client|reverse_client|helo|sender|recipient)|permit_(dnswl|rhswl)_client"
    r"|reject_(authenticated_|unauthenticated_|known_)?sender_login_mismatch|reject_unverified_(sender|recipient)|reject_unknown_(sender|recipient)_domain"
    r"|reject_unknown_(client|reverse_client|helo)_hostname"
    r"|check_(client|reverse_client_hostname|helo|sender|recipient)_(mx|ns|a)_access)\Z"
)
_HAS_ARGUMENT = re.compile(r"check_|(reject|permit)_(rbl|rhsbl|dnswl|rhswl)_|sleep\Z")
#: Parameters with lookup tables that Postfix writes to.
WRITTEN = re.compile(r"\w+_session_cache_database|postscreen_cache_map|address_verify_map")


@dataclass(frozen=True)
class Home:
    """The directory of a canary, which only root can list."""

    path: str

    @property
    def tree(self) -> str:
        """The directory with the configuration's files, under their full paths."""
        return f"{self.path}/tree"

    @property
    def queue(self) -> str:
        """The canary's queue directory."""
        return f"{self.path}/queue"

    @property
    def data(self) -> str:
        """The canary's data directory."""
        return f"{self.path}/data"

    @property
    def log(self) -> str:
        """The log of the canary's processes."""
        return f"{self.path}/log"

    @property
    def sasl_script(self) -> str:
        """The script that replaces Dovecot."""
        return f"{self.path}/sasl"

    def socket(self, name: str) -> str:
        """The socket on which a service listens."""
        return f"{self.queue}/private/{name}"


@dataclass(frozen=True)
class CanaryListener:
    """One smtpd or postscreen that clients reach, and how the canary probes it.

    :param name: the canary's service, and its name in the log.
    :param service: the entry of master.cf.
    :param implicit_tls: whether TLS starts with the first byte.
    :param public: whether other hosts can connect.
    """

    name: str
    service: MasterEntry
    implicit_tls: bool
    public: bool

    @property
    def screens(self) -> bool:
        """Whether this is postscreen(8), which is probed for a greeting only; the smtpd behind it is a listener too."""
        return self.service.command == "postscreen"


@dataclass(frozen=True)
class Canary:
    """The text of main.cf and master.cf, the listeners to probe, and the services that deliver over SMTP or LMTP."""

    main: str
    master: str
    listeners: t.Sequence[CanaryListener]
    clients: t.Sequence[MasterEntry]


def build(
    staged: Configuration, home: Home, moved: t.Mapping[str, str], more: t.Sequence[MasterEntry] = (), routes: str = ""
) -> Canary:
    """Build the canary's configuration.

    :param moved: paths of the live host, with those of the canary.
    :param more: services for the trial of upstreams, which alone may deliver.
    :param routes: the table that leads address probes to these services.
    """
    paths = {**moved, staged.value("queue_directory"): home.queue, staged.value("data_directory"): home.data}
    listeners = [*_listeners(staged), _plain(staged)]
    services = [service for service in staged.services if service.type != "inet" and service.command != "pickup"]
    services += [_asked(listener.service, listener.name, staged) for listener in listeners]
    services += _helpers(home, {service.name for service in services})
    transports = [service.name for service in services if service.type == "unix"]
    written = {name: _in_data_directory(name, value) for name, value in staged.main.items() if WRITTEN.fullmatch(name)}
    main = {**staged.main, **written, **_overrides(home, transports)}
    if routes:
        main["address_verify_transport_maps"] = routes
    master = move("".join(f"{service}\n" for service in [*services, *more]), paths)
    tried = {service.name for service in more}
    entries = [one for one in parse_master(master) if one.name not in tried]
    clients = {one.arguments: one for one in entries if one.command in ("smtp", "lmtp")}
    return Canary(
        main=move("".join(f"{name} = {value}\n" for name, value in main.items()), paths),
        master=master,
        listeners=listeners,
        clients=list(clients.values()),
    )


def move(text: str, paths: t.Mapping[str, str]) -> str:
    """Replace each of these paths in a text, also as the beginning of a longer path."""
    alternatives = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True) if path)
    return re.sub(rf"(?<![\w./-])(?:{alternatives})(?![\w.-])", lambda match: paths[match.group()], text)


def _overrides(home: Home, transports: t.Sequence[str]) -> dict[str, str]:
    """Settings to share nothing with the live Postfix, deliver nothing, send no notices and wait briefly for DNS."""
    kept = "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME"
    verify = {f"address_verify_{kind}_transport": "discard:" for kind in ("local", "virtual", "relay", "default")}
    return {
        "queue_directory": home.queue,
        "data_directory": home.data,
        "maillog_file": home.log,
        "maillog_file_prefixes": home.path,
        "multi_instance_directories": "",
        "multi_instance_name": "",
        "multi_instance_enable": "no",
        "import_environment": f"{kept} {{RES_OPTIONS=timeout:1 attempts:1}}",
        "queue_minfree": "0",
        "notify_classes": "",
        "defer_transports": " ".join(transports),
        **verify,
        "address_verify_transport_maps": "",
        "address_verify_sender_dependent_default_transport_maps": "",
        "address_verify_poll_count": "1",
    }


def _in_data_directory(name: str, table: str) -> str:
    kind, colon, _path = table.partition(":")
    return f"{kind}:$data_directory/{name}" if colon else table


def _listeners(staged: Configuration) -> list[CanaryListener]:
    """Every smtpd and postscreen(8) with a port, and the smtpd of type ``pass`` behind postscreen."""
    found: list[CanaryListener] = []
    for service in staged.services:
        if service.type != "inet" or service.command not in ("smtpd", "postscreen"):
            continue
        behind = [one for one in staged.services if (one.type, one.command) == ("pass", "smtpd")]
        for asked in (service, *(behind if service.command == "postscreen" else ())):
            implicit_tls = asked.command == "smtpd" and staged.value("smtpd_tls_wrappermode", asked) == "yes"
            found.append(CanaryListener(f"canary-{len(found) + 1}", asked, implicit_tls, _is_public(service, staged)))
    return found


def _is_public(service: MasterEntry, staged: Configuration) -> bool:
    host = service.name.rpartition(":")[0].strip("[]")
    hosts = [host] if host else split_words(staged.value("inet_interfaces"))
    return not all(re.match(r"loopback-only\Z|localhost\Z|127\.|::1\Z", one.strip("[]")) for one in hosts)


def _asked(service: MasterEntry, name: str, staged: Configuration) -> MasterEntry:
    """Turn a listener into an smtpd on its own socket, without filters, that accepts XCLIENT from the canary."""
    options = {
        "syslog_name": name,
        "smtpd_authorized_xclient_hosts": "127.0.0.1",
        "smtpd_upstream_proxy_protocol": "",
        "smtpd_milters": "",
        "smtpd_milter_maps": "",
        "smtpd_proxy_filter": "",
        "smtpd_tls_req_ccert": "no",
        "smtpd_error_sleep_time": "0",
        "postscreen_upstream_proxy_protocol": "",
        "postscreen_dnsbl_sites": "",
        "postscreen_greet_wait": "1s",
    }
    if staged.value("smtpd_sasl_type", service) == "dovecot":
        options["smtpd_sasl_path"] = f"private/{SASL_SERVICE}"
    socket = replace(service, name=name, type="unix", private="y", wakeup="-")
    return socket.with_options(options)


def _plain(staged: Configuration) -> CanaryListener:
    """An smtpd with the settings of main.cf that evaluates every restriction, whatever the earlier ones decide."""
    walk = [f"warn_if_reject {restriction}" for restriction in restrictions_to_walk(staged)]
    options = {
        "smtpd_client_restrictions": "",
        "smtpd_helo_restrictions": "",
        "smtpd_sender_restrictions": "",
        "smtpd_recipient_restrictions": ", ".join(walk),
        "smtpd_relay_restrictions": "reject_unauth_destination",
        "smtpd_relay_before_recipient_restrictions": "no",
        "smtpd_delay_reject": "yes",
        "smtpd_sasl_auth_enable": "no",
    }
    service = MasterEntry(PLAIN, "unix", "y", "-", "n", "-", "-", "smtpd").with_options(options)
    return CanaryListener(PLAIN, service, staged.value("smtpd_tls_wrappermode") == "yes", public=False)


def restrictions_to_walk(staged: Configuration) -> list[str]:
    """Each restriction of each list once, with its argument, except those of ``_NOT_WALKED``."""
    classes = split_words(staged.value("smtpd_restriction_classes"))
    names = {*(f"smtpd_{kind}_restrictions" for kind in _LISTS), *classes}
    found: dict[str, None] = {}
    for name, value in staged.settings():
        if name in names:
            for restriction, argument in _restrictions(value):
                if not _NOT_WALKED.match(restriction) and restriction not in classes:
                    found[f"{restriction} {argument}".strip()] = None
    return list(found)


def _restrictions(value: str) -> t.Iterator[tuple[str, str]]:
    words = split_words(value)
    while words:
        word = words.pop(0)
        yield word, words.pop(0) if words and _HAS_ARGUMENT.match(word) else ""


def _helpers(home: Home, names: t.Container[str]) -> t.Iterator[MasterEntry]:
    """Services that the canary needs, even if the configuration lacks them."""
    if "postlog" not in names:
        yield MasterEntry("postlog", "unix-dgram", "n", "-", "n", "-", "1", "postlogd")
    if "discard" not in names:
        yield MasterEntry("discard", "unix", "-", "-", "n", "-", "-", "discard")
    argv = ("user=nobody", f"argv=/bin/sh {home.sasl_script}")
    yield MasterEntry(SASL_SERVICE, "unix", "-", "n", "n", "-", "0", "spawn", argv)
