# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proofs of the role.

Before a change, a login at the upstream; after it, a message: its hops, or the log line of the failure, its meaning and
the remedy, and the previous configuration.
"""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.lab.suite.plays import Play, run_play

pytestmark = pytest.mark.second_lab

UPSTREAM = {"host": "smtp.provider.test", "username": "relay@provider.test"}
TO = {"to": "postmaster@dest.test"}


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
        {"relay_upstream": {**UPSTREAM, "password": "wrong-on-purpose"}, "relay_verify": {**TO, "upstreams": False}},
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


#: Variables of an upstream that cannot be used, words of the error, words of the advice.
UNUSABLE: dict[str, tuple[dict[str, t.Any], str, str]] = {
    "wrong-password": (
        {**UPSTREAM, "password": "wrong-on-purpose"},
        "[smtp.provider.test]:587 cannot be used: SASL authentication failed; server smtp.provider.test",
        "The server did not accept user name and password: check both",
    ),
    "wrong-fallback": (
        {
            **UPSTREAM,
            "fallbacks": [{"host": "smtp.provider.test", "port": 2589, "username": "x", "password": "secret"}],
        },
        "[smtp.provider.test]:2589 cannot be used: TLS is required, but was not offered",
        "TLS is required, and the server does not offer it",
    ),
    "refused": (
        {**UPSTREAM, "password": "x-secret", "port": 2600},
        "[smtp.provider.test]:2600 cannot be used: connect to smtp.provider.test",
        "No server listens on that port.",
    ),
    "other-name": (
        {**UPSTREAM, "password": "x-secret", "host": "other.provider.test"},
        "[other.provider.test]:587 cannot be used: Server certificate not verified",
        "use a name from the certificate.",
    ),
}


def files_of(relay: t.Any) -> str:
    """Return the digests of the live configuration."""
    return str(relay.check_output("find /etc/postfix /etc/dovecot -type f | sort | xargs sha256sum"))


@pytest.mark.parametrize(("name", "options"), [*((name, []) for name in UNUSABLE), ("wrong-password", ["--check"])])
def test_an_upstream_that_cannot_be_used_changes_nothing(
    relay: t.Any, passwords: dict[str, str], name: str, options: list[str]
) -> None:
    upstream, words, advice = UNUSABLE[name]
    before = files_of(relay)
    upstream = {"password": passwords["relay@provider.test"], **upstream}
    play = run_play(f"verify-unusable-{name}", "playbooks/relay.yml", *options, extra={"relay_upstream": upstream})
    assert play.code != 0
    assert play.says("Nothing was changed: the new configuration is not valid.")
    assert play.says(words)
    assert play.says(advice)
    assert (files_of(relay), play.count("relay", "changed")) == (before, 0)
    assert relay.service("postfix").is_running


def test_a_failing_proof_puts_the_previous_configuration_back(relay: t.Any) -> None:
    """The message of the proof does not stay in the queue, and the mail of others does not meet the fault."""
    before = files_of(relay)
    other_name = {"relay_upstream": {"host": "other.provider.test"}}
    play = verify("restored-after-proof", relay_verify=TO, **other_name)
    assert play.code != 0
    assert play.says("Everything was put back as it was.")
    assert files_of(relay) == before
    assert "queue is empty" in relay.check_output("postqueue -p")
    play = verify("kept-after-proof", relay_verify={**TO, "on_failure": "keep"}, **other_name)
    assert play.says("The files are as declared and the service is healthy, but its proof failed.")
    assert play.says("changed: true")
    assert "other.provider.test" in relay.check_output("postconf -x relayhost default_transport")
    run_play("verify-after-keep", "playbooks/relay.yml").succeeded()
    assert files_of(relay) == before


def test_mail_that_waited_for_the_login_is_tried_at_once(
    relay: t.Any, read_mail: t.Callable[..., t.Any], passwords: dict[str, str]
) -> None:
    unseen = {"upstreams": False}
    verify("login-wrong", relay_upstream={**UPSTREAM, "password": "wrong"}, relay_verify=unseen).succeeded()
    subject = f"waited {time.time_ns()}"
    relay.check_output(f"printf 'Subject: {subject}\n\nx\n' | sendmail -f app@sender.test inbox@dest.test")
    wait = (
        "for _ in $(seq 100); do postqueue -j | grep -q 'SASL authentication failed' && exit; sleep 0.2; done; exit 1"
    )
    relay.check_output(wait)
    right = {**UPSTREAM, "password": passwords["relay@provider.test"]}
    verify("login-right", relay_upstream=right, relay_verify=unseen).succeeded()
    assert read_mail(subject)


def test_the_role_waits_for_greylisting_if_the_next_attempt_is_in_time(relay: t.Any, read_mail: t.Any) -> None:
    often = {"minimal_backoff_time": "2s", "queue_run_delay": "2s"}
    to_grey = {"to": "grey@dest.test", "from": stranger()}
    play = verify("waited", relay_upstream={}, relay_verify=to_grey, relay_settings=often).succeeded()
    assert play.says("relay.sender.test -> mx.dest.test[")
    subject = next(line for line in play.output.splitlines() if "relays mail: " in line).partition("relays mail: ")[2][
        :20
    ]
    assert read_mail(subject)
