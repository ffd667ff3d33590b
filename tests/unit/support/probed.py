# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers for active tests: one that allows what it should not, and ones that refuse in their own ways."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Unknown
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import SmtpProbes
from ansible_collections.mailops.smtp.plugins.module_utils._probes.lines import ProbeOptions
from ansible_collections.mailops.smtp.plugins.module_utils._probes.probes import run_probes
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import Fault, Moment, Peer

SINK = "relaytest@sink.test"
DENIED = "554 5.7.1 Relay access denied"
CLEAR, STARTTLS, IMPLICIT = TlsPolicy(TlsMode.NONE), TlsPolicy(TlsMode.STARTTLS), TlsPolicy(TlsMode.IMPLICIT)
Disturb = t.Callable[[Moment], "Fault | str | None"]


def probe(
    peer: Peer, *names: str, tls: TlsPolicy = CLEAR, timeout: float = 5.0, **options: t.Any
) -> tuple[SmtpProbes, dict[str, str]]:
    """Run tests against a peer, and return the facts, and the reasons for what is not known by path."""
    settings = ServerSettings("localhost", peer.port, tls, timeout=timeout, final_timeout=timeout)
    facts, unknown = run_probes(settings, names, ProbeOptions(**{"sink": SINK, **options}))
    return facts, by_path(unknown)


def by_path(unknown: t.Iterable[Unknown]) -> dict[str, str]:
    """Return the reasons by path."""
    return {one.path: one.reason for one in unknown}


def refuses_relaying(reply: str = DENIED) -> Disturb:
    """Refuse each recipient but the postmaster."""

    def disturb(moment: Moment) -> str | None:
        return reply if moment.stage == "RCPT" and moment.recipient != "postmaster" else None

    return disturb


def loses_patience(errors: int, disturb: Disturb) -> Disturb:
    """End a session after so many errors, as Postfix does after 20."""
    counted: Counter[int] = Counter()

    def count(moment: Moment) -> Fault | str | None:
        reply = disturb(moment)
        if isinstance(reply, str) and reply.startswith("5"):
            counted[moment.connection] += 1
            if counted[moment.connection] > errors:
                return "421 4.7.0 Error: too many errors"
        return reply

    return count


#: A server that refuses all that it should.
GOOD: t.Mapping[str, str] = {
    "GREETING": "220 mx.peer.test ESMTP",
    "VRFY": "502 5.5.1 VRFY command is disabled",
    "EXPN": "502 5.5.2 Error: command not recognized",
    "ETRN": "458 Unable to queue messages",
    "HELP": "502 5.5.1 not implemented",
    "XFORWARD": "550 5.7.0 insufficient authorization",
    "XCLIENT": "550 5.7.0 insufficient authorization",
    "AUTH": "530 5.7.0 Must issue a STARTTLS command first",
    "XXXX": "502 5.5.2 Error: command not recognized",
}
