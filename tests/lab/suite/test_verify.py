# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test message at the end of the role: its hops, or the log line of the failure, its meaning and the remedy."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import Play, run_play

pytestmark = pytest.mark.second_lab

UPSTREAM = {"host": "smtp.provider.test", "username": "relay@provider.test"}


@pytest.fixture(scope="module", autouse=True)
def restored(relay: t.Any) -> t.Iterator[None]:
    """Empty the queue and restore the relay of the inventory at the end."""
    yield
    relay.check_output("postsuper -d ALL")
    run_play("verify-restored", "playbooks/relay.yml").succeeded()


def verify(name: str, **extra: t.Any) -> Play:
    """Run the role with other variables, without the DNS checks, which would fail first."""
    return run_play(f"verify-{name}", "playbooks/relay.yml", extra={"relay_dns": {"check": []}, **extra})


def stranger() -> str:
    """Return a sender that is not on the greylist yet."""
    return f"grey-{time.time_ns()}@sender.test"


def test_each_hop_is_reported(relay: t.Any, lab_prefix: str) -> None:
    play = run_play("verify-sent", "playbooks/relay.yml").succeeded()
    assert play.says(
        f"relay.sender.test -> smtp.provider.test[{lab_prefix}.20]:587 (TLSv1.3, verified): 250 2.0.0 Ok: queued as"
    )
    assert play.count("relay", "changed") == 0


@pytest.fixture(scope="module")
def lab_prefix(relay: t.Any) -> str:
    """The first three octets of the lab's addresses."""
    return str(relay.check_output("getent ahostsv4 smtp.provider.test")).split()[0].rpartition(".")[0]


#: Variables, words of the log line, words of the advice. Without an upstream the relay delivers directly.
FAILURES: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "wrong-password": (
        {"relay_upstream": {**UPSTREAM, "password": "wrong-on-purpose"}},
        "status=deferred (SASL authentication failed; server smtp.provider.test",
        "The server did not accept user name and password: check both",
    ),
    "no-such-host": (
        {"relay_upstream": {"host": "nosuch.provider.test"}},
        "(Host or domain name not found.",
        "The DNS has no such name, or no address for it. Check the spelling of the next server",
    ),
    "refused": (
        {"relay_upstream": {"host": "smtp.provider.test", "port": 2600}},
        ":2600: Connection refused)",
        "No server listens on that port. Check its address and port",
    ),
    "other-name": (
        {"relay_upstream": {"host": "other.provider.test"}},
        "status=deferred (Server certificate not verified)",
        (
            "The certificate does not carry the name under which Postfix contacted the server: use a name from the"
            " certificate."
        ),
    ),
    "no-mailbox": (
        {"relay_upstream": {}, "relay_verify": {"to": "nobody@dest.test"}},
        "status=bounced (host mx.dest.test",
        (
            "There is no such mailbox: check the spelling of the recipient. "
            "Postfix does not retry; it notifies the sender with"
        ),
    ),
    "greylisted": (
        {"relay_upstream": {}, "relay_verify": {"to": "grey@dest.test", "from": stranger()}},
        "Greylisted",
        "from the same address. The message stays in the queue of this host, and Postfix retries.",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_reports_the_log_line_and_advice(relay: t.Any, name: str) -> None:
    """Reported at once: the role does not wait for the timeout of a minute if the outcome cannot change."""
    extra, line, advice = FAILURES[name]
    play = verify(name, **extra)
    assert play.code != 0
    assert play.says("was not delivered. Log line:")
    assert play.says(line)
    assert play.says(advice)


def test_the_role_waits_for_greylisting_if_the_next_attempt_is_in_time(relay: t.Any, read_mail: t.Any) -> None:
    often = {"minimal_backoff_time": "2s", "queue_run_delay": "2s"}
    to_grey = {"to": "grey@dest.test", "from": stranger()}
    play = verify("waited", relay_upstream={}, relay_verify=to_grey, relay_settings=often).succeeded()
    assert play.says("relay.sender.test -> mx.dest.test[")
    subject = next(line for line in play.output.splitlines() if "relays mail: " in line).partition("relays mail: ")[2][
        :20
    ]
    assert read_mail(subject)
