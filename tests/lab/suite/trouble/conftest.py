# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults and attacks: the relay's upstream is the faulty peer, which injects faults and records all mail it receives.

The name of the folder orders these tests after the others; after the last one the relay is restored.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from pathlib import Path

import pytest
import trustme

from ansible_collections.mailops.smtp.tests.lab.suite.plays import LAB, ROOT, run_play
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.upstream import (
    CERTIFICATE,
    CONTROL_PORT,
    FOLDER,
    HOST,
    PORT,
    FaultyUpstream,
    MailLog,
)

Put = t.Callable[[str, str, bytes], None]

#: How long the relay waits for a reply, since a stalled peer never sends one.
PATIENCE = "3s"
STAGES = ("connect", "helo", "starttls", "mail", "rcpt", "data_init", "data_xfer", "data_done", "rset", "quit")
SETTINGS: dict[str, t.Any] = {
    **{f"smtp_{stage}_timeout": PATIENCE for stage in STAGES},
    **dict.fromkeys(("minimal_backoff_time", "maximal_backoff_time", "queue_run_delay"), "1s"),
    # a domain that outsiders may send to, so that they reach DATA; its mail goes to the upstream too
    "relay_domains": "dest.test",
    "relay_transport": "$default_transport",
    # the probes open many connections from a few addresses
    **dict.fromkeys(("smtpd_client_connection_rate_limit", "smtpd_client_message_rate_limit"), 0),
    "smtpd_client_connection_count_limit": 100,
}


@pytest.fixture(scope="session")
def variables(passwords: dict[str, str]) -> dict[str, t.Any]:
    """Variables of the role with the faulty peer as upstream."""
    login = {"username": "relay@provider.test", "password": passwords["relay@provider.test"]}
    return {
        # a reused connection would avoid the faults at connect, TLS and login
        "relay_upstream": {"host": HOST, "port": PORT, **login, "messages_per_connection": 1},
        "relay_settings": SETTINGS,
        "relay_dns": {"check": []},
        "relay_verify": {},
    }


@pytest.fixture(scope="module")
def address(probe: t.Callable[..., t.Any]) -> str:
    """The relay's address."""
    return str(probe("client", "resolve", host="relay.sender.test"))


@pytest.fixture(scope="module")
def unprotected(request: pytest.FixtureRequest, upstream: FaultyUpstream, hosts: dict[str, t.Any]) -> t.Iterator[None]:
    """The relay also has the services that the test file names in UNPROTECTED: there the attempts can succeed."""
    del upstream
    relay, master, services = hosts["relay"], "/etc/postfix/master.cf", request.module.UNPROTECTED
    last = re.findall(r"^([0-9]+) inet", services, re.MULTILINE)[-1]
    relay.check_output(f"cp -p {master} /root/master.cf && cat >>{master} <<'END'\n{services}END")
    relay.check_output(
        f"systemctl reload postfix && timeout 10 sh -c 'until ss -Hltn | grep -q :{last}; do sleep 0.1; done'"
    )
    yield
    relay.check_output(f"cp -p /root/master.cf {master} && rm /root/master.cf && systemctl reload postfix")


_AT_THE_END: list[t.Callable[[], t.Any]] = []


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Clean up after the last test of this folder, when its fixtures are finished."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        while _AT_THE_END:
            _AT_THE_END.pop()()


@pytest.fixture(scope="session")
def upstream(
    relay: t.Any, hosts: dict[str, t.Any], put: Put, probe: t.Callable[..., t.Any], variables: dict[str, t.Any]
) -> FaultyUpstream:
    """Start the faulty peer, and configure the relay to send all mail to it."""
    for name in ("peer.py", "serve.py"):
        put("upstream", f"{FOLDER}/{name}", (ROOT / "tests/fault" / name).read_bytes())
    put("upstream", CERTIFICATE, pem(HOST))
    run = f"systemd-run --quiet --collect --unit=fault-peer python3 {FOLDER}/serve.py {PORT} {CONTROL_PORT}"
    hosts["upstream"].check_output(f"systemctl stop fault-peer 2>/dev/null; {run}")
    hosts["upstream"].check_output(f"timeout 10 sh -c 'until ss -Hltn | grep -q :{CONTROL_PORT}; do sleep 0.1; done'")
    _AT_THE_END.append(lambda: hosts["upstream"].check_output(f"systemctl stop fault-peer; rm -r {FOLDER}"))
    _AT_THE_END.append(lambda: run_play("trouble-ends", "playbooks/relay.yml").succeeded())
    faulty = FaultyUpstream(probe, relay)
    faulty.recover()  # the role logs in there before it makes the change
    run_play("trouble-begins", "playbooks/relay.yml", extra=variables).succeeded()
    return faulty


@pytest.fixture(autouse=True)
def _without_faults(upstream: FaultyUpstream) -> None:
    """Start each test with an upstream without faults."""
    upstream.recover()


@pytest.fixture
def journal(upstream: FaultyUpstream, hosts: dict[str, t.Any]) -> MailLog:
    """The relay's mail log during this test."""
    del upstream
    return MailLog(hosts["relay"])


def issue(name: str, begins: float, ends: float) -> tuple[bytes, bytes]:
    """Issue a new key and chain by the lab's authority; ``begins`` and ``ends`` are days from now."""
    authority = trustme.CA.from_pem((LAB / "pki/ca.pem").read_bytes(), (LAB / "pki/ca.key").read_bytes())
    now = datetime.datetime.now(datetime.UTC)
    begin, end = (now + datetime.timedelta(days=days) for days in (begins, ends))
    leaf = authority.issue_cert(name, common_name=name, not_before=begin, not_after=end)
    return leaf.private_key_pem.bytes(), b"".join(part.bytes() for part in leaf.cert_chain_pems)


def pem(name: str, begins: float = -1, ends: float = 1) -> bytes:
    """Return key and chain as one PEM text."""
    return b"".join(issue(name, begins, ends))


def relay_tls(begins: float = -1, ends: float = 1) -> dict[str, str]:
    """Issue a new certificate of the relay and return it as a value of the role's ``relay_tls``."""
    paths = {"key": LAB / "trouble.key", "certificate": LAB / "trouble.pem"}
    for path, content in zip(paths.values(), issue("relay.sender.test", begins, ends), strict=True):
        path.touch(mode=0o600)
        path.write_bytes(content)
    return {name: str(path) for name, path in paths.items()}
