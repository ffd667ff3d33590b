# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages per second from client over relay to sink: logins with OAuth2 tokens beside logins with a password.

Both go to a Postfix of the provider that requires TLS and a login, and passes a message to the sink while receiving it:
a port for each kind of login. Each message has a recipient of its own, so the sink's file tells what was lost and what
arrived twice.
The clock stops when the relay's queue is empty.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import time
import typing as t

import yaml

from ansible_collections.mailops.smtp.tests.bench import throughput, token_peers
from ansible_collections.mailops.smtp.tests.bench.measure import compare, ratio
from ansible_collections.mailops.smtp.tests.bench.plays import ROLE, run_play
from ansible_collections.mailops.smtp.tests.bench.throughput import CLIENT, COUNT, RELAY, SESSIONS, SIZE, UPSTREAM, run
from ansible_collections.mailops.smtp.tests.bench.token_peers import PASSWORD_PORT, TOKEN_PORT, USER
from ansible_collections.mailops.smtp.tests.lab.suite import oauth
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB

LIMIT = 300  # seconds for a run
MILLISECONDS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")
PASSWORD, BRIDGE = "a password", "relay_upstream.oauth"


class Load(t.NamedTuple):
    """What the relays are given to do.

    :param connections: at the same time with the provider.
    :param each: whether each message has a connection, and so a login, of its own.
    """

    title: str
    connections: int
    each: bool
    messages: int


#: Microsoft 365 permits 3 connections. Little mail means a login for each message.
LOADS = (
    Load("3 connections", 3, False, COUNT),
    Load("3 connections, a login for each message", 3, True, 20),
)


class _Templates(dict[str, str]):
    """The lab's passwords, as the inventory names them: no secret appears in a command line."""

    def __missing__(self, account: str) -> str:
        return f"{{{{ lab_passwords['{account}'] }}}}"


class Cost(t.NamedTuple):
    """What a run cost the relay.

    :param cpu: milliseconds of CPU time for each message, of all processes of Postfix and of what it talks to.
    :param memory: MB of them when the last message had left, without what processes share.
    :param logins: how many the provider has seen.
    """

    cpu: float
    memory: float
    logins: int


def measure_tokens(rounds: int) -> None:
    """Measure the same relay with both kinds of login, and peers if they are there."""
    print("\nPreparing the relay's configurations and the provider", flush=True)
    prepare_provider()
    for load in LOADS:
        measure(rounds, load, prepare(load))


def measure(rounds: int, load: Load, names: t.Sequence[str]) -> None:
    """Let configurations take turns, and print their rates and costs."""
    work = f"{SESSIONS} sessions, {SIZE:,} octets, {load.messages:,} messages, {load.title}"
    print(f"Messages per second, {work} (median of {rounds})")
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    runs = {name: functools.partial(relayed_per_second, name, load.messages, costs[name]) for name in names}
    rates = compare(rounds, runs)
    for name, seen in costs.items():
        cpu, memory, logins = (statistics.median(figures) for figures in zip(*seen, strict=True))
        print(f"  {name}: {cpu:.2f} ms of CPU time for a message, {memory:.0f} MB, {logins:.0f} logins by token")
    for name in names[1:]:
        ratio(rates, name, PASSWORD, "0.5x")


def prepare(load: Load) -> list[str]:
    """Prepare the configurations in /srv/bench of the relay; return their names."""
    pace = {"connections": load.connections, **({"messages_per_connection": 1} if load.each else {})}
    secrets = _Templates()
    password = {"host": oauth.HOST, "port": PASSWORD_PORT, "username": USER, "password": secrets[USER]}
    upstreams = {
        PASSWORD: {**password, **pace},
        BRIDGE: oauth.upstream(oauth.ways(secrets)["client_secret"], port=TOKEN_PORT, **pace),
    }
    for name, upstream in upstreams.items():
        run_play(ROLE, RELAY, extra={**throughput.ROLE_VARIABLES, "relay_upstream": upstream})
        run(RELAY, f"mkdir -p /srv/bench && rm -rf '/srv/bench/{name}' && cp -a /etc/postfix '/srv/bench/{name}'")
    if token_peers.names():
        token_peers.install(yaml.safe_load((LAB / "secrets.yml").read_text())["lab_passwords"])
    for peer in token_peers.names():
        token_peers.prepare(peer, PASSWORD)
    return [*upstreams, *token_peers.names()]


def prepare_provider() -> None:
    """Prepare the client's generator, and ports of the provider that are the same but for the mechanism."""
    run(CLIENT, throughput.INSTALL)
    for port, mechanism in ((PASSWORD_PORT, "plain"), (TOKEN_PORT, "xoauth2")):
        run(UPSTREAM, LISTENER.format(port=port, mechanism=mechanism, sink=throughput.SINK_PORT))
    run(UPSTREAM, "systemctl restart postfix")


LISTENER = """
postconf -Me '{port}/inet={port} inet n - n - - smtpd'
for option in smtpd_tls_security_level=encrypt smtpd_sasl_auth_enable=yes smtpd_sasl_mechanism_filter={mechanism} \
  smtpd_relay_restrictions=permit_sasl_authenticated,reject smtpd_proxy_filter=127.0.0.1:{sink}; do
  postconf -Pe "{port}/inet/$option"
done
"""
SINK = f"""
systemctl stop bench-sink 2>/dev/null || true
install -d --owner=nobody /run/bench-sink && rm -f /run/bench-sink/*
systemd-run --quiet --collect --unit=bench-sink --property=RuntimeMaxSec={LIMIT} \
  smtp-sink -u nobody -D /run/bench-sink/mail 0.0.0.0:{throughput.SINK_PORT} 1000
until ss -Hltn 'sport = :{throughput.SINK_PORT}' | grep -q . ; do sleep 0.05; done
"""
EMPTY = """
cd /var/spool/postfix
until [ -z "$(find maildrop incoming active deferred -type f -print -quit)" ]; do sleep 0.02; done
"""
#: Ticks of CPU time of all processes in the units of Postfix and of peers, and of their children; then their kB.
COSTS = r"""
processes=$(grep -lsE '/(postfix|bench-)' /proc/[0-9]*/cgroup | xargs -n 1 dirname)
of() { for process in $processes; do cat "$process/$1" 2>/dev/null || true; done; }
of stat | awk '{ n += $14 + $15 + $16 + $17 } END { print n + 0 }'
of smaps_rollup | awk '/^Pss:/ { n += $2 } END { print n + 0 }'
"""
#: Messages at the sink, and different recipients among them.
ARRIVED = """
systemctl stop bench-sink
sed -n 's/^X-Rcpt-Args: *//p' /run/bench-sink/mail | sort | uniq -c | awk '{ all += $1 } END { print all + 0, NR }'
"""


def relayed_per_second(configuration: str, messages: int, costs: list[Cost]) -> float:
    """Start the relay with a configuration, and measure the time until it has passed on all messages, each once."""
    run(RELAY, throughput.SWITCH.format(folder=f"'/srv/bench/{configuration}'"))
    if token_peers.names():
        run(RELAY, token_peers.START_PROXY)
    run(UPSTREAM, SINK)
    logins, before = count_logins(), run(RELAY, COSTS).split()
    sender, recipient = "app@sender.test", "inbox@dest.test"
    source = f"smtp-source -N -s {SESSIONS} -l {SIZE} -m {messages} -f {sender} -t {recipient} relay.sender.test:25"
    began = time.monotonic()
    run(CLIENT, source, LIMIT)
    run(RELAY, EMPTY, LIMIT)
    seconds = time.monotonic() - began
    after = run(RELAY, COSTS).split()
    arrived = run(UPSTREAM, ARRIVED)
    assert arrived == f"{messages} {messages}", (
        f"of {messages} messages, this many and so many different ones came: {arrived}"
    )
    ticks = int(after[0]) - int(before[0])
    costs.append(Cost(ticks * MILLISECONDS_PER_TICK / messages, int(after[1]) / 1000, count_logins() - logins))
    return messages / seconds


def count_logins() -> int:
    """Return how many tokens the provider has checked so far: once for each login."""
    facts = json.loads(run(UPSTREAM, "python3 /srv/lab/token_server.py '{}'"))
    return int(facts["counts"].get("introspect", 0))
