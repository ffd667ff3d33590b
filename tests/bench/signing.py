# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages per second from client over relay to sink, with and without DKIM signatures, and the signer's memory."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.mailops.smtp.tests.bench import throughput
from ansible_collections.mailops.smtp.tests.bench.measure import compare, ratio
from ansible_collections.mailops.smtp.tests.bench.plays import ROLE, run_play

UNSIGNED, SIGNED, TWICE = "without signatures", "signed with RSA", "signed with RSA and Ed25519"
#: Relays by name, with the domains that they sign for.
RELAYS: t.Mapping[str, t.Sequence[t.Mapping[str, t.Any]]] = {
    UNSIGNED: [],
    SIGNED: [{"domain": "sender.test", "selectors": ["bench"]}],
    TWICE: [{"domain": "sender.test", "selectors": ["bench"], "ed25519": True}],
}
#: The share of memory that belongs to each process of the signer, in kB.
MEMORY = "for pid in $(pgrep -x rspamd); do awk '/^Pss:/ { print $2 }' /proc/$pid/smaps_rollup; done"


def measure_signing(rounds: int) -> None:
    """Measure the relay with the same upstream, and with one and two signatures for each message."""
    print("\nPreparing the relay's configurations and the sink", flush=True)
    throughput.run(throughput.CLIENT, throughput.INSTALL)
    rates: dict[str, float] = {}
    print(f"Messages per second, {throughput.COUNT:,} messages of {throughput.SIZE:,} octets (median of {rounds})")
    for name, domains in RELAYS.items():
        prepare(name, domains)
        rates |= compare(rounds, {name: functools.partial(throughput.relayed_per_second, name)})
    ratio(rates, SIGNED, UNSIGNED, "0.5x")
    print(f"  memory of the signer: {sum(map(int, throughput.run(throughput.RELAY, MEMORY).split())) / 1000:.0f} MB")


def prepare(name: str, domains: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    """Prepare a configuration in /srv/bench of the relay; the signer runs with the keys of these domains."""
    upstream = {"host": throughput.UPSTREAM_NAME, "port": throughput.SINK_PORT, "tls": "none"}
    signing = {"domains": domains, "sign": "now"} if domains else {}
    variables = {**throughput.ROLE_VARIABLES, "relay_upstream": upstream, "relay_dkim": signing}
    run_play(ROLE, throughput.RELAY, extra=variables)
    folder = f"'/srv/bench/{name}'"
    throughput.run(throughput.RELAY, f"mkdir -p /srv/bench && rm -rf {folder} && cp -a /etc/postfix {folder}")
