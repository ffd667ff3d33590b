# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The active tests of a server, as a table, and the run of some of them over a few shared connections.

They are for servers that one may test: a provider may block a client that tries them.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._evidence.document import Unknown
from .._evidence.smtp_probes import RelayOutcome, SmtpProbes
from .commands import (
    probe_banner,
    probe_clear_auth,
    probe_commands,
    probe_early_talk,
    probe_injection,
    probe_login_replies,
    probe_size,
)
from .line import NotKnown
from .lines import Lines, ProbeOptions
from .rate import probe_rate
from .relay import probe_relay
from .smuggling import probe_smuggling
from .tls_probe import probe_tls

if t.TYPE_CHECKING:
    from .._evidence.smtp_probes import RelayVariantFacts, SmugglingFacts
    from .._smtp.settings import ServerSettings

#: Ports without TLS at the first octet.
_CLEAR_PORTS = (25, 587)


class Probe(t.NamedTuple):
    """One active test.

    :param run: makes the fact; raises :class:`NotKnown`.
    :param description: a sentence for the documentation.
    :param sends_mail: whether it sends messages; ``relay`` does so only if it is told to.
    :param ports: the ports on which it makes sense; empty for all.
    :param connections: how many it opens at a server that behaves well, beside the one that the tests share.
    """

    run: t.Callable[[Lines, ProbeOptions], t.Any]
    description: str
    sends_mail: bool = False
    ports: tuple[int, ...] = ()
    connections: int = 0


#: By name, which is the field of :class:`SmtpProbes`, in the order of the run: tests that share a session come first.
PROBES: t.Mapping[str, Probe] = {
    "banner": Probe(probe_banner, "Product names and versions in the greeting."),
    "auth_before_tls": Probe(probe_clear_auth, "Whether a login can begin before TLS.", ports=_CLEAR_PORTS),
    "commands": Probe(probe_commands, "VRFY, EXPN, ETRN, HELP, DSN, XFORWARD and XCLIENT."),
    "size": Probe(probe_size, "The limit for messages, and a message of one octet more."),
    "injection": Probe(
        probe_injection, "Commands in clear behind STARTTLS, and what the server remembers.", ports=_CLEAR_PORTS
    ),
    "relay": Probe(probe_relay, "The 22 open-relay variants.", sends_mail=True, connections=1),
    "smuggling": Probe(probe_smuggling, "False ends of data with a second message behind them.", sends_mail=True),
    "login_replies": Probe(probe_login_replies, "A wrong password and an unknown user, each once.", ports=(465, 587)),
    "tls": Probe(probe_tls, "TLS versions and weak cipher suites.", connections=4),
    "early_talk": Probe(probe_early_talk, "EHLO before the greeting.", connections=1),
    "rate": Probe(probe_rate, "Limits of connections, messages and errors.", connections=1),
}


def run_probes(
    settings: ServerSettings, names: t.Collection[str], options: ProbeOptions | None = None
) -> tuple[SmtpProbes, list[Unknown]]:
    """Run the named tests against one port, and return what was seen and what could not be seen.

    The login of the settings is used by ``smuggling`` alone, and sent only as the settings allow.

    :raises ValueError: there is no test of that name.
    """
    unnamed = set(names).difference(PROBES)
    if unnamed:
        raise ValueError(f"no test is named {', '.join(sorted(unnamed))}; expected any of {', '.join(PROBES)}")
    options = options or ProbeOptions()
    lines = Lines(settings, options)
    found: dict[str, t.Any] = {}
    try:
        for name in PROBES:
            if name in names:
                lines.reserved = _reserved_after(name, names)
                try:
                    found[name] = PROBES[name].run(lines, options)
                except NotKnown as error:
                    lines.note(name, error)
    finally:
        lines.close()
    return _look(SmtpProbes(**found, connections=lines.opened), options, lines), lines.unknown


def _reserved_after(name: str, names: t.Collection[str]) -> int:
    """How many connections the tests need that come later."""
    order = list(PROBES)
    return sum(PROBES[one].connections for one in order[order.index(name) + 1 :] if one in names)


def _look(probes: SmtpProbes, options: ProbeOptions, lines: Lines) -> SmtpProbes:
    """Ask which messages arrived, if there is a way to look."""
    nonces = nonces_of(probes)
    if not nonces or not options.arrived:
        return probes
    try:
        return with_arrivals(probes, options.arrived(tuple(nonces)))
    except NotKnown as error:
        for path in nonces.values():
            lines.note(path, error)
        return probes


def nonces_of(probes: SmtpProbes) -> dict[str, str]:
    """Return the nonces of the messages that the server accepted, each with the path of the fact of its arrival."""
    kinds: dict[str, t.Sequence[RelayVariantFacts | SmugglingFacts]] = {
        "relay.variants": probes.relay.variants if probes.relay else (),
        "smuggling": probes.smuggling or (),
    }
    return {
        one.nonce: f"{kind}[{number}].arrived"
        for kind, tried in kinds.items()
        for number, one in enumerate(tried)
        if one.nonce
    }


def with_arrivals(probes: SmtpProbes, arrived: t.Collection[str]) -> SmtpProbes:
    """Return the facts after a look at the sink: which of the nonces arrived, each as a message of its own."""
    variants = [
        dataclasses.replace(
            one,
            arrived=one.nonce in arrived,
            outcome=RelayOutcome.CONFIRMED if one.nonce in arrived else one.outcome,
        )
        if one.nonce
        else one
        for one in (probes.relay.variants if probes.relay else ())
    ]
    smuggled = [
        dataclasses.replace(one, arrived=one.nonce in arrived) if one.nonce else one for one in probes.smuggling or ()
    ]
    return dataclasses.replace(
        probes,
        relay=dataclasses.replace(probes.relay, variants=tuple(variants)) if probes.relay else None,
        smuggling=tuple(smuggled) if probes.smuggling is not None else None,
    )
