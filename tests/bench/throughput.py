# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages per second from client over relay to sink: the role's configuration against that of Debian's package.

Both run on the same host in turn, with the same queue directory; the clock stops when the sink has the last message.
With TLS to the upstream, a Postfix there passes the message to the sink while receiving it
(``smtpd_proxy_filter``), so that no second queue is part of the measurement.
"""

from __future__ import annotations

import functools
import shlex
import subprocess
import time
import typing as t

from ansible_collections.mailops.smtp.tests.bench.measure import compare, ratio
from ansible_collections.mailops.smtp.tests.bench.plays import ROLE, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB

RELAY, CLIENT, UPSTREAM = "relay", "client", "upstream"
UPSTREAM_NAME = "smtp.provider.test"
SINK_PORT, TLS_PORT = 2525, 2589
SESSIONS, SIZE, COUNT = 20, 5120, 2000
LIMIT = 60  # seconds for any command

#: Variables of the role: a relay for the client, without options that change its speed.
ROLE_VARIABLES: t.Mapping[str, t.Any] = {
    "relay_listeners": [{"port": 25}],
    "relay_users": [],
    "relay_settings": {},
    "relay_verify": {},
}


def measure_throughput(rounds: int) -> None:
    """Measure both configurations, without and with TLS to the upstream."""
    print("\nPreparing the relay's configurations and the sink", flush=True)
    prepare()
    print(f"Messages per second, {SESSIONS} sessions, {SIZE:,} octets, {COUNT:,} messages (median of {rounds})")
    names = ("the role, no TLS", "stock, no TLS", "the role, TLS", "stock, TLS")
    rates = compare(rounds, {name: functools.partial(relayed_per_second, name) for name in names})
    ratio(rates, "the role, no TLS", "stock, no TLS", "0.95x")
    ratio(rates, "the role, TLS", "stock, TLS", "1.2x")


def prepare() -> None:
    """Prepare the configurations in /srv/bench of the relay, the client's generator and the upstream's TLS."""
    run(CLIENT, INSTALL)
    # the package's default without answers to its questions: an Internet site
    run(RELAY, f"[ -d /srv/bench ] || {{ {INSTALL}; mkdir /srv/bench && cp -a /etc/postfix /srv/bench/untouched; }}")
    for name, port, tls in (("no TLS", SINK_PORT, "none"), ("TLS", TLS_PORT, "starttls")):
        upstream = {"host": UPSTREAM_NAME, "port": port, "tls": tls}
        run_play(ROLE, RELAY, extra={**ROLE_VARIABLES, "relay_upstream": upstream})
        run(RELAY, f"rm -rf '/srv/bench/the role, {name}' && cp -a /etc/postfix '/srv/bench/the role, {name}'")
        stock = {
            "relayhost": f"[{UPSTREAM_NAME}]:{port}",
            "mynetworks": run(RELAY, "postconf -h mynetworks"),
            # the same requirement as the role's: a certificate with the upstream's name
            **({"smtp_tls_security_level": "secure", "smtp_tls_CAfile": CERTIFICATES} if tls != "none" else {}),
        }
        settings = shlex.join(f"{key}={value}" for key, value in stock.items())
        folder = f"'/srv/bench/stock, {name}'"
        run(RELAY, f"rm -rf {folder} && cp -a /srv/bench/untouched {folder} && postconf -c {folder} -e {settings}")
    run(UPSTREAM, TLS_LISTENER)


CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
INSTALL = (
    "DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends postfix libsasl2-modules"
    " >/dev/null 2>&1 && systemctl stop postfix"
)
TLS_LISTENER = f"""
postconf -Me '{TLS_PORT}/inet={TLS_PORT} inet n - n - - smtpd'
for option in smtpd_tls_security_level=encrypt smtpd_tls_loglevel=0 smtpd_proxy_filter=127.0.0.1:{SINK_PORT} \
  "mynetworks=$(getent ahostsv4 relay.sender.test | awk 'NR == 1 {{ print $1 }}')" \
  smtpd_client_restrictions= smtpd_relay_restrictions=permit_mynetworks,reject; do
  postconf -Pe "{TLS_PORT}/inet/$option"
done
systemctl restart postfix
"""
SWITCH = """
systemctl stop postfix
postsuper -d ALL 2>/dev/null # messages that the sink had counted but not confirmed when it exited
rm -rf /etc/postfix && cp -a {folder} /etc/postfix
systemctl reset-failed postfix # or systemd refuses the fifth start in ten seconds
systemctl start postfix
until ss -Hltn 'sport = :25' | grep -q . ; do sleep 0.05; done
"""


def relayed_per_second(configuration: str) -> float:
    """Start the relay with a configuration and measure the time until the sink has all messages."""
    run(RELAY, SWITCH.format(folder=f"'/srv/bench/{configuration}'"))
    # exits after the last message
    sink = start(UPSTREAM, f"timeout {LIMIT} smtp-sink -u nobody -M {COUNT} 0.0.0.0:{SINK_PORT} 1000")
    run(UPSTREAM, f"until ss -Hltn 'sport = :{SINK_PORT}' | grep -q . ; do sleep 0.05; done")
    sender, recipient = "app@sender.test", "inbox@dest.test"
    source = f"smtp-source -s {SESSIONS} -l {SIZE} -m {COUNT} -f {sender} -t {recipient} relay.sender.test:25"
    began = time.monotonic()
    run(CLIENT, source)
    code = sink.wait(LIMIT)
    seconds = time.monotonic() - began
    assert code == 0, f"the sink did not get {COUNT} messages: {run(RELAY, 'journalctl -n 20 --no-pager -u postfix')}"
    return COUNT / seconds


def ssh(host: str, command: str) -> list[str]:
    return ["ssh", "-F", str(LAB / "ssh_config"), host, command]


def run(host: str, command: str, limit: float = LIMIT) -> str:
    done = subprocess.run(ssh(host, f"set -eu\n{command}"), capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, f"{host}: {command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout.strip()


def start(host: str, command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(ssh(host, command), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
