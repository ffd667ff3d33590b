# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All active tests in one run: few connections, bounded time, evidence that can be read again, no secret.

Covers _probes/probes.py, _probes/lines.py and _probes/line.py.
"""

from __future__ import annotations

import dataclasses
import json
import time
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence import reading
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.compare import changes
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Evidence, Kind, Vantage, plain
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import RelayOutcome, SmtpProbes
from ansible_collections.mailops.smtp.plugins.module_utils._probes import commands, lines
from ansible_collections.mailops.smtp.plugins.module_utils._probes.lines import ProbeOptions
from ansible_collections.mailops.smtp.plugins.module_utils._probes.probes import PROBES, run_probes
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import BODY, END_OF_DATA, GREETING, TLS, Fault, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for
from ansible_collections.mailops.smtp.tests.unit.support.probed import (
    CLEAR,
    GOOD,
    IMPLICIT,
    STARTTLS,
    loses_patience,
    probe,
    refuses_relaying,
)

SECRET = "correct-horse"
BUT_RATE = [name for name in PROBES if name != "rate"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for what does not come."""
    monkeypatch.setattr(commands, "_INJECTED", 0.1)
    monkeypatch.setattr(commands, "_IN_CLEAR", 0.02)
    monkeypatch.setattr(lines, "_QUIT", 0.2)


def good(authority: Authority, **options: t.Any) -> Peer:
    """A server that refuses what it should, and ends a session after 20 errors."""
    replies = {name: reply for name, reply in GOOD.items() if name not in ("AUTH", "XXXX")}
    return Peer(
        **{
            "replies": {**replies, "AUTH": "535 5.7.8 authentication failed"},
            "disturb": loses_patience(20, refuses_relaying()),
            "tls": authority.server,
            "extensions": ["PIPELINING", "SIZE 1000000", "AUTH PLAIN"],
            **options,
        }
    )


def test_table_has_a_test_for_each_fact() -> None:
    facts = [field.name for field in dataclasses.fields(SmtpProbes) if field.name != "connections"]
    assert list(PROBES) == facts
    assert {name for name, one in PROBES.items() if one.sends_mail} == {"relay", "smuggling"}
    assert all(one.description.endswith(".") and one.connections < 6 for one in PROBES.values())


def test_each_field_is_described() -> None:
    def described(kind: t.Any) -> t.Iterator[str]:
        for field in dataclasses.fields(kind):
            yield field.metadata["description"]

    module = __import__(SmtpProbes.__module__, fromlist=["x"])
    kinds = [one for one in vars(module).values() if dataclasses.is_dataclass(one)]
    assert len(kinds) > 15
    assert all(text.endswith(".") for kind in kinds for text in described(kind))


def test_good_server_is_known_with_six_connections(authority: Authority) -> None:
    with good(authority) as peer:
        facts, unknown = probe(peer, *BUT_RATE, tls=STARTTLS, username="boss")
    assert unknown == {}
    assert (peer.connections, facts.connections) == (6, 6)
    assert facts.relay
    assert {one.outcome for one in facts.relay.variants} == {RelayOutcome.REFUSED}
    assert facts.tls
    assert [one.version for one in facts.tls.versions if one.accepted] == ["TLSv1.2", "TLSv1.3"]


def test_implicit_tls(authority: Authority) -> None:
    with good(authority, implicit=True) as peer:
        facts, unknown = probe(peer, *BUT_RATE, tls=IMPLICIT)
    assert [*unknown] == ["probes.auth_before_tls", "probes.injection"]
    assert facts.login_replies
    assert facts.early_talk
    assert peer.connections <= 6


@pytest.mark.parametrize("connections", range(7))
def test_limit_of_connections_is_kept(authority: Authority, connections: int) -> None:
    with good(authority) as peer:
        facts, unknown = probe(peer, *PROBES, tls=STARTTLS, connections=connections)
    assert peer.connections == facts.connections <= connections
    if not connections:
        assert [*unknown] == [f"probes.{name}" for name in PROBES]


def test_only_what_was_asked_for_is_there(authority: Authority) -> None:
    with good(authority) as peer:
        facts, unknown = probe(peer, "banner", "size")
    assert unknown == {}
    assert {name for name in PROBES if getattr(facts, name) is not None} == {"banner", "size"}
    assert not any(one.startswith(("VRFY", "RCPT", "STARTTLS", "AUTH")) for one in peer.commands)


def test_unknown_name_is_told() -> None:
    with pytest.raises(ValueError, match="no test is named open_relay; expected any of banner"):
        run_probes(ServerSettings("localhost", 25, CLEAR), ["open_relay"])


def test_server_without_tls_is_tested_in_clear() -> None:
    with Peer(disturb=refuses_relaying()) as peer:
        facts, unknown = probe(peer, "relay", "smuggling", tls=STARTTLS)
    assert facts.relay
    assert facts.smuggling
    assert unknown == {}


def test_server_whose_tls_fails_is_tested_in_clear(authority: Authority) -> None:
    with Peer(tls=authority.server, faults={TLS: Fault.CLOSE}, disturb=refuses_relaying()) as peer:
        facts, unknown = probe(peer, "relay", tls=STARTTLS)
    assert facts.relay, unknown
    assert (peer.connections, unknown) == (4, {})


def test_server_that_does_not_answer_is_left_alone() -> None:
    with Peer(replies={GREETING: "421 4.7.0 too many connections"}) as peer:
        facts, unknown = probe(peer, *PROBES)
    assert plain(facts) == plain(SmtpProbes(connections=facts.connections))
    assert peer.connections == 2
    assert all("421 4.7.0 too many connections" in reason for reason in unknown.values())
    assert len(unknown) == len(PROBES)


def test_names_are_said_as_the_settings_have_them() -> None:
    with Peer() as peer:
        settings = ServerSettings("localhost", peer.port, CLEAR, ehlo_name="probe.test")
        run_probes(settings, ["banner", "early_talk"])
    assert {one for one in peer.commands if one.startswith("EHLO")} == {"EHLO probe.test"}


def test_time_is_bounded() -> None:
    with Peer(faults={"RCPT": Fault.DRIP}) as peer:
        began = time.monotonic()
        _facts, unknown = probe(peer, *PROBES, timeout=60, seconds=1.5)
        assert time.monotonic() - began < 6
    assert any("time for the tests is over" in one or "no answer within" in one for one in unknown.values())


STAGES = [GREETING, "EHLO", "STARTTLS", TLS, "MAIL", "RCPT", "DATA", BODY, END_OF_DATA, "RSET"]
FAULTS = [
    *(Fault.CLOSE, Fault.STALL, Fault.GARBAGE, Fault.INJECT, Fault.OUT_OF_STEP, "421 4.3.2 bye"),
]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_no_fault_confirms_anything(authority: Authority, stage: str, fault: Fault | str) -> None:
    """Whatever the server does, the run ends in time, within six connections, and nothing is proven by silence."""
    faults, replies = ({stage: fault}, {}) if isinstance(fault, Fault) else ({}, {stage: fault})
    began = time.monotonic()
    with good(authority, faults=faults, replies={**GOOD, **replies}) as peer:
        facts, unknown = probe(
            peer, *BUT_RATE, tls=STARTTLS, timeout=0.1, seconds=3, send_messages=True, arrived=lambda nonces: ()
        )
    assert time.monotonic() - began < 7
    assert peer.connections <= 6
    outcomes = {one.outcome for one in facts.relay.variants} if facts.relay else set()
    assert RelayOutcome.CONFIRMED not in outcomes
    if stage in (GREETING, "EHLO") and fault is not Fault.INJECT:
        assert facts.relay is None
        assert "probes.relay" in unknown


@pytest.fixture(scope="module")
def evidence(authority: Authority) -> tuple[Evidence[SmtpProbes], str]:
    with good(authority) as peer:
        policy = TlsPolicy(ca_file=authority.ca_file)
        settings = ServerSettings("localhost", peer.port, policy, Credentials("boss", SECRET))
        options = ProbeOptions(sink="relaytest@sink.test", username="boss")
        facts, unknown = run_probes(settings, list(PROBES), options)
        said = "\n".join(peer.log)
    vantage = Vantage("tester", ("127.0.0.1",))
    return (
        Evidence(Kind.SMTP, settings.server, "2026-01-01T00:00:00Z", 1.0, vantage, facts, tuple(unknown)),
        said,
    )


def test_evidence_can_be_read_again(evidence: tuple[Evidence[SmtpProbes], str]) -> None:
    document = json.loads(json.dumps(evidence[0].to_dict()))
    assert reading.read(document, {Kind.SMTP: SmtpProbes}) == evidence[0]
    assert changes(evidence[0], evidence[0]) == []


def test_evidence_has_no_secret(evidence: tuple[Evidence[SmtpProbes], str]) -> None:
    document = json.dumps(evidence[0].to_dict())
    assert SECRET not in document
    assert "The administrator" not in document  # the content of a message


def test_two_runs_differ_only_in_their_nonces(authority: Authority) -> None:
    seen = []
    for _run in range(2):
        with good(authority) as peer:
            facts, _unknown = probe(peer, *BUT_RATE, tls=STARTTLS, nonce="n0", username="boss")
        seen.append(Evidence(Kind.SMTP, "a", "2026-01-01T00:00:00Z", 0.0, Vantage("b"), facts))
    assert changes(*seen) == []


def test_login_of_the_settings_is_not_used_to_relay() -> None:
    with Peer(extensions=["AUTH PLAIN"], disturb=refuses_relaying()) as peer:
        settings = ServerSettings(
            "localhost", peer.port, TlsPolicy(TlsMode.NONE), Credentials("boss", SECRET), allow_cleartext_login=True
        )
        run_probes(settings, ["relay", "commands"], ProbeOptions(sink="relaytest@sink.test"))
    assert not any(one.startswith("AUTH") for one in peer.commands)
