# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The active tests of smtp_info against the relay, and against two of its ports without protection.

As in test_attacks.py, all mail goes to the faulty upstream, so what arrives there is the truth. The tests run on the
hosts of the lab: what a server allows depends on the address of the client.
"""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence import reading
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import (
    RelayOutcome,
    SmtpProbes,
    SmugglingOutcome,
)
from ansible_collections.mailops.smtp.plugins.module_utils._probes.probes import nonces_of, with_arrivals
from ansible_collections.mailops.smtp.tests.lab.suite.trouble import test_attacks
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.test_attacks import (
    NAIVE_PORT,
    OPEN_PORT,
    RELAY,
    RELAYED_WHEN_OPEN,
)
from ansible_collections.mailops.smtp.tests.lab.suite.trouble.upstream import FaultyUpstream

#: An address of a domain that exists, and that the relay is not responsible for.
SINK = "relaytest@provider.test"
#: A recipient for which the relay takes mail from strangers.
LOCAL = "inbox@dest.test"
WITHIN_SIX = ("banner", "auth_before_tls", "commands", "size", "injection", "relay", "smuggling")
#: The same services without protection as there, for the fixture.
UNPROTECTED = test_attacks.UNPROTECTED
pytestmark = pytest.mark.usefixtures("unprotected")
Run = t.Callable[..., tuple[SmtpProbes, dict[str, str]]]


@pytest.fixture(scope="module")
def run(upstream: FaultyUpstream, info: t.Callable[..., dict[str, t.Any]]) -> Run:
    """``run(on, port, names, ...)``: the facts, after a look at what arrived, and the reasons for what is not known."""

    def run_on(
        on: str, port: int, *names: str, tls: str = "starttls", sink: str = SINK, **options: t.Any
    ) -> tuple[SmtpProbes, dict[str, str]]:
        tests = {"probes": names, "probe_sink": sink, "probe_recipient": LOCAL, "probe_messages": True}
        document = info(on, host=RELAY, port=port, tls=tls, **tests, **options)["evidence"]
        evidence = reading.read(document)
        upstream.wait_for_empty_queue()
        probes = evidence.facts.probes or SmtpProbes()
        arrived = {
            nonce for nonce in nonces_of(probes) if any(one.subject.endswith(nonce) for one in upstream.taken(nonce))
        }
        return with_arrivals(probes, arrived), {one.path: one.reason for one in evidence.unknown}

    return run_on


def test_relay_allows_nothing_within_six_connections(run: Run) -> None:
    facts, unknown = run("outsider", 25, *WITHIN_SIX)
    assert facts.connections <= 6
    assert facts.relay, unknown
    assert facts.relay.local
    assert facts.relay.local.code == 250
    assert {one.outcome for one in facts.relay.variants} == {RelayOutcome.REFUSED}, facts.relay
    assert facts.smuggling, unknown
    assert SmugglingOutcome.ENDED not in {one.outcome for one in facts.smuggling}
    assert not any(one.arrived for one in facts.smuggling)
    assert facts.commands
    assert [one.command for one in facts.commands if one.usable] == []
    assert facts.injection
    assert not facts.injection.answered_in_tls
    assert facts.banner
    assert (facts.banner.name, facts.banner.products) == (RELAY, ())


@pytest.mark.parametrize(("port", "tls"), [(587, "starttls"), (465, "implicit")])
def test_submission_relays_nothing_without_a_login(run: Run, passwords: dict[str, str], port: int, tls: str) -> None:
    login = {"username": "app@sender.test", "password": passwords["app@sender.test"]}
    facts, unknown = run("client", port, "relay", "login_replies", tls=tls, **login)
    assert facts.relay, unknown
    assert {one.outcome for one in facts.relay.variants} <= {
        RelayOutcome.REFUSED,
        RelayOutcome.AUTHENTICATION_REQUIRED,
    }, facts.relay
    assert facts.login_replies, unknown
    assert facts.login_replies.same


def test_tls_of_the_relay(run: Run) -> None:
    facts, unknown = run("outsider", 25, "tls")
    assert facts.tls, unknown
    assert [one.version for one in facts.tls.versions if one.accepted] == ["TLSv1.2", "TLSv1.3"]
    weak = {group for one in facts.tls.versions for group, accepted in one.weak.items() if accepted}
    assert weak <= {"ANON", "CBC"}


def test_open_relay_is_confirmed(run: Run) -> None:
    facts, unknown = run("outsider", OPEN_PORT, "relay", tls="none")
    assert facts.relay, unknown
    confirmed = {one.number for one in facts.relay.variants if one.outcome is RelayOutcome.CONFIRMED}
    assert confirmed >= {int(name[:2]) for name in RELAYED_WHEN_OPEN}, (facts.relay, unknown)


def test_smuggling_is_found(run: Run) -> None:
    facts, unknown = run("client", NAIVE_PORT, "smuggling", tls="none", sink="app@sender.test")
    assert facts.smuggling, unknown
    ended = {one.sequence for one in facts.smuggling if one.outcome is SmugglingOutcome.ENDED}
    arrived = {one.sequence for one in facts.smuggling if one.arrived}
    assert ended >= {"\\n.\\n", "\\n.\\r\\n"}, facts.smuggling
    assert arrived == ended


def test_closed_port_is_not_known(run: Run) -> None:
    facts, unknown = run("outsider", 2597, "relay", tls="none")
    assert facts.relay is None
    assert "no connection" in unknown["probes.relay"]
