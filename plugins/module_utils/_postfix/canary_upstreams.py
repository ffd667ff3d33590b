# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try the servers that take mail, before a configuration goes live: connect, TLS and login, but no message.

A copy of the transport delivers an address probe (ADDRESS_VERIFICATION_README) to the server. So it is smtp(8) itself
that logs in, with the SASL library, the TLS policy and the login table of the configuration. The server's reply to the
probe's sender or recipient does not matter: it comes after the login.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, replace

from .._smtp.connection import connect
from .._smtp.errors import SmtpError, Stage
from .._smtp.settings import ServerSettings
from .._smtp.tls import TlsMode, TlsPolicy
from .canary_process import TRIED, run
from .canary_questions import FOREIGN
from .config import Configuration, MasterEntry
from .log import Hop, attempts, parse_line
from .meaning import explain
from .problem import ConfigText, Problem

#: The smtpd that asks for a probe.
ASKING = "canary-asking"
#: Where a reply shows that the login, if any, has succeeded (smtp_proto.c).
_PASSED = re.compile(r"\(in reply to (?:MAIL FROM|RCPT TO|DATA|RSET) command\)")
_TROUBLE = re.compile(r"\]: ((?:warning|error|fatal|panic): .+)")
_TABLE = re.compile(r"texthash:(/\S+)")
#: Shorter than those of a delivery, since a person waits.
_PATIENCE = {
    "smtp_connect_timeout": "8s",
    "smtp_helo_timeout": "15s",
    "smtp_starttls_timeout": "15s",
    "smtp_mail_timeout": "15s",
    "smtp_rcpt_timeout": "15s",
    # one process does everything, so that it logs everything
    "smtp_tls_connection_reuse": "no",
    "smtp_connection_cache_destinations": "",
    "smtp_connection_cache_on_demand": "no",
}


@dataclass(frozen=True)
class Trial:
    """One server to try.

    :param name: the copy of the transport, which the canary runs.
    :param transport: the entry of master.cf that delivers to the server.
    :param nexthop: the server, as Postfix writes it.
    """

    name: str
    transport: MasterEntry
    nexthop: str

    @property
    def recipient(self) -> str:
        """The address of the probe, in a domain that cannot exist."""
        return f"{self.name}@{FOREIGN}"


def choose(
    upstreams: t.Iterable[t.Mapping[str, str]], staged: Configuration, tree: str, live: str
) -> tuple[Trial, ...]:
    """Return a trial for each upstream whose transport or login differs from the live one.

    :param upstreams: ``transport`` and ``nexthop`` of each.
    :param tree: the directory with the configuration's files, under their full paths.
    :param live: the live configuration directory.
    """
    transports = {service.name: service for service in staged.services if service.type == "unix"}
    trials = []
    for index, upstream in enumerate(upstreams):
        service = transports.get(upstream["transport"])
        if service and _differs(service, staged, tree, live):
            trials.append(Trial(f"{TRIED}{index + 1}", service, upstream["nexthop"]))
    return tuple(trials)


def _differs(service: MasterEntry, staged: Configuration, tree: str, live: str) -> bool:
    if not os.path.exists(f"{live}/master.cf"):
        return True
    if run("postconf", "-c", live, "-M", f"{service.name}/unix").output.split() != str(service).split():
        return True
    tables = _TABLE.findall(staged.value("smtp_sasl_password_maps", service))
    return any(_content(tree + table) != _content(table) for table in tables)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


def services(trials: t.Collection[Trial]) -> list[MasterEntry]:
    """Return the copies of the transports, and the smtpd that asks for the probes."""
    if not trials:
        return []
    alone = {f"smtpd_{kind}_restrictions": "" for kind in ("client", "helo", "sender", "data", "end_of_data")}
    asking = MasterEntry(ASKING, "unix", "y", "-", "n", "-", "-", "smtpd").with_options(
        {
            **alone,
            "smtpd_relay_restrictions": "",
            "smtpd_recipient_restrictions": "reject_unverified_recipient, reject",
            "smtpd_reject_unlisted_recipient": "no",
            "smtpd_tls_security_level": "none",
            "smtpd_tls_wrappermode": "no",
            "smtpd_sasl_auth_enable": "no",
            "smtpd_milters": "",
            "smtpd_milter_maps": "",
            "smtpd_proxy_filter": "",
        }
    )
    copies = [
        replace(trial.transport, name=trial.name).with_options({"syslog_name": trial.name, **_PATIENCE})
        for trial in trials
    ]
    return [asking, *copies]


def routes(trials: t.Iterable[Trial]) -> str:
    """Return the table that leads each probe to its server (address_verify_transport_maps)."""
    lines = [f"{{{trial.recipient} = {trial.name}:{trial.nexthop}}}" for trial in trials]
    return f"inline:{{ {' '.join(lines)} }}" if lines else ""


def ask(socket: str, trials: t.Iterable[Trial]) -> None:
    """Ask for a probe of each server; the log will show what becomes of it."""
    settings = ServerSettings("localhost", tls=TlsPolicy(mode=TlsMode.NONE), unix_socket=socket)
    try:
        connection = connect(settings)
        connection.read_reply(Stage.GREETING)
        commands = ["EHLO localhost", "MAIL FROM:<>", *(f"RCPT TO:<{trial.recipient}>" for trial in trials), "QUIT"]
        for command in commands:
            connection.send(f"{command}\r\n".encode("ascii"), Stage.RCPT)
            connection.read_reply(Stage.RCPT)
        connection.close()
    except SmtpError:  # the canary's log says why
        return


def find_hops(log: str) -> dict[str, Hop]:
    """Return the end of each probe, by its recipient."""
    return {hop.recipient: hop for hop in attempts(filter(None, map(parse_line, log.splitlines())))}


def judge(trials: t.Iterable[Trial], log: str, source: ConfigText) -> t.Iterator[Problem]:
    """Yield a problem for each server that mail cannot be handed to with this configuration.

    A server that cannot be reached is none if its transport has another one: that is what fallbacks are for.
    """
    hops = find_hops(log)
    trials = list(trials)
    usable = {trial.transport.name for trial in trials if _is_usable(hops.get(trial.recipient))}
    for trial in trials:
        hop = hops.get(trial.recipient)
        if _is_usable(hop) or ((hop is None or hop.relay == "none") and trial.transport.name in usable):
            continue
        where = f"{trial.transport.name}: {trial.nexthop}"
        if hop is None:
            said = f"{where} gave no result in time{_last_trouble(log)}"
            yield source.on_service(said, trial.transport, "Check its address and port, and the name servers.")
        else:
            advice = explain(hop).advice or "See what the server's documentation says about this reply."
            yield source.on_service(f"{where} cannot be used: {hop.text}", trial.transport, advice)


def _last_trouble(log: str) -> str:
    """Return the end of a sentence with the last warning or error of the log; empty if it has none."""
    found = _TROUBLE.findall(log)
    return f", and Postfix said: {found[-1]}" if found else ""


def _is_usable(hop: Hop | None) -> bool:
    """Whether the session reached the commands that follow the login."""
    return hop is not None and (hop.status == "deliverable" or bool(_PASSED.search(hop.text)))
