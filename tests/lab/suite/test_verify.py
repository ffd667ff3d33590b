# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof at the end of the role: which way the message went, or the log line, what it means and what to do."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import Play, run_play

pytestmark = pytest.mark.second_lab

UPSTREAM = {"host": "smtp.provider.test", "username": "relay@provider.test"}


@pytest.fixture(scope="module", autouse=True)
def restored(relay: t.Any) -> t.Iterator[None]:
    """Afterwards the relay is as the inventory says again, and nothing waits in its queue."""
    yield
    relay.check_output("postsuper -d ALL")
    run_play("verify-restored", "playbooks/relay.yml").succeeded()


def verify(name: str, **extra: t.Any) -> Play:
    """The role with an upstream of its own; the DNS is not asked, since it would object first."""
    return run_play(f"verify-{name}", "playbooks/relay.yml", extra={"relay_dns": {"check": []}, **extra})


def stranger() -> str:
    """A sender that no greylist has seen."""
    return f"grey-{time.time_ns()}@sender.test"


def test_each_hop_is_told(relay: t.Any, lab_prefix: str) -> None:
    play = run_play("verify-sent", "playbooks/relay.yml").succeeded()
    assert play.says(
        f"relay.sender.test -> smtp.provider.test[{lab_prefix}.20]:587 (TLSv1.3, verified): 250 2.0.0 Ok: queued as"
    )
    assert play.count("relay", "changed") == 0


@pytest.fixture(scope="module")
def lab_prefix(relay: t.Any) -> str:
    """The first three numbers of the lab's addresses."""
    return str(relay.check_output("getent ahostsv4 smtp.provider.test")).split()[0].rpartition(".")[0]


#: Variables, words of the log line, words of the advice. Direct delivery where there is no upstream.
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
def test_a_failure_says_the_line_and_what_it_means(relay: t.Any, name: str) -> None:
    """And at once: the time-out of a minute is never waited for where nothing can happen in it."""
    extra, line, advice = FAILURES[name]
    play = verify(name, **extra)
    assert play.code != 0
    assert play.says("was not delivered. Log line:")
    assert play.says(line)
    assert play.says(advice)


def test_greylisting_is_waited_for_where_the_next_attempt_comes_in_time(relay: t.Any, read_mail: t.Any) -> None:
    often = {"minimal_backoff_time": "2s", "queue_run_delay": "2s"}
    to_grey = {"to": "grey@dest.test", "from": stranger()}
    play = verify("waited", relay_upstream={}, relay_verify=to_grey, relay_settings=often).succeeded()
    assert play.says("relay.sender.test -> mx.dest.test[")
    subject = next(line for line in play.output.splitlines() if "relays mail: " in line).partition("relays mail: ")[2][
        :20
    ]
    assert read_mail(subject)
