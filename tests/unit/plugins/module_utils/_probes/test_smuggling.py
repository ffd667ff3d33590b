# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""False ends of data, against servers that end the message there, take them as text, or refuse the message."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import SmugglingFacts, SmugglingOutcome
from ansible_collections.mailops.smtp.plugins.module_utils._probes.lines import ProbeOptions
from ansible_collections.mailops.smtp.plugins.module_utils._probes.probes import run_probes
from ansible_collections.mailops.smtp.plugins.module_utils._probes.smuggling import SEQUENCES
from ansible_collections.mailops.smtp.plugins.module_utils._sasl.credentials import Credentials
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.settings import ServerSettings
from ansible_collections.mailops.smtp.plugins.module_utils._smtp.tls import TlsMode, TlsPolicy
from ansible_collections.mailops.smtp.tests.fault.peer import END_OF_DATA, Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import authority_for
from ansible_collections.mailops.smtp.tests.unit.support.probed import STARTTLS, Disturb, by_path, loses_patience, probe

if t.TYPE_CHECKING:
    from pathlib import Path

RIGHT = b"\r\n.\r\n"
SUBJECT = re.compile(rb"^Subject: .*?(\S+)\r?$", re.MULTILINE)


def smuggled(peer: Peer, **options: t.Any) -> tuple[tuple[SmugglingFacts, ...], dict[str, str]]:
    facts, unknown = probe(peer, "smuggling", **options)
    assert facts.smuggling is not None, unknown
    return facts.smuggling, unknown


def outcomes(facts: t.Iterable[SmugglingFacts]) -> set[SmugglingOutcome | None]:
    return {one.outcome for one in facts}


def test_strict_server_takes_all_as_text_in_one_session() -> None:
    with Peer() as peer:
        facts, unknown = smuggled(peer)
    assert [one.sequence for one in facts] == [
        *("\\n.\\n", "\\n.\\r", "\\r.\\n", "\\r.\\r", "\\n.\\r\\n", "\\r.\\r\\n", "\\r\\n\\0.\\r\\n"),
        *("\\r\\n.\\r\\r\\n", "\\r\\r\\n.\\r\\r\\n"),
    ]
    assert outcomes(facts) == {SmugglingOutcome.SWALLOWED}
    assert {(one.replies, one.queue_ids) for one in facts} == {(1, ("PEER12345",))}
    assert (len(peer.messages), peer.connections, unknown) == (len(SEQUENCES) + 1, 1, {})
    for sequence, content in zip(SEQUENCES, peer.messages[1:], strict=True):
        assert sequence + b"MAIL FROM:" in content


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_sequence_that_ends_the_data_is_found(sequence: bytes) -> None:
    with Peer(ends=(RIGHT, sequence)) as peer:
        facts, _unknown = smuggled(peer)
    found = facts[SEQUENCES.index(sequence)]
    assert found.outcome is SmugglingOutcome.ENDED
    assert found.replies
    assert found.replies >= 5  # the message, MAIL, RCPT, DATA and the second message
    assert found.queue_ids == ("PEER12345", "PEER12345")
    assert peer.connections == 1
    assert len(peer.messages) == len(SEQUENCES) + 1 + len([one for one in facts if one.outcome is found.outcome])


def test_second_message_is_found_at_the_sink() -> None:
    def look(nonces: t.Sequence[str]) -> set[str]:
        arrived = [SUBJECT.findall(content)[0].decode() for content in peer.messages]
        return {one for one in nonces if one in arrived}

    with Peer(ends=(RIGHT, b"\n.\n", b"\n.\r\n")) as peer:
        facts, _unknown = smuggled(peer, arrived=look)
    assert {one.sequence: one.arrived for one in facts if one.outcome is SmugglingOutcome.ENDED} == {
        "\\n.\\n": True,
        "\\n.\\r\\n": True,
    }
    assert {one.arrived for one in facts if one.outcome is SmugglingOutcome.SWALLOWED} == {False}


def test_next_server_that_ends_the_data_is_found_by_the_arrival_alone() -> None:
    with Peer() as peer:
        facts, _unknown = smuggled(peer, arrived=lambda nonces: nonces[-2:])
    assert outcomes(facts) == {SmugglingOutcome.SWALLOWED}
    assert [one.sequence for one in facts if one.arrived] == ["\\r\\n.\\r\\r\\n", "\\r\\r\\n.\\r\\r\\n"]


def refuses_after(messages: int, reply: str) -> Disturb:
    """Refuse all messages but the first."""
    seen: Counter[str] = Counter()

    def disturb(moment: Moment) -> str | None:
        seen[moment.stage] += 1
        return reply if moment.stage == END_OF_DATA and seen[END_OF_DATA] > messages else None

    return disturb


def test_refusal_of_the_message() -> None:
    with Peer(disturb=refuses_after(1, "550 5.5.2 bare <LF> received")) as peer:
        facts, _unknown = smuggled(peer)
    assert outcomes(facts) == {SmugglingOutcome.REFUSED}
    assert {one.answer.text if one.answer else None for one in facts} == {"5.5.2 bare <LF> received"}
    assert len({one.nonce for one in facts}) == len(SEQUENCES)


def test_server_that_hangs_up_at_each_refusal_gets_six_connections() -> None:
    with Peer(disturb=loses_patience(1, refuses_after(1, "521 5.5.2 bare <LF> received"))) as peer:
        facts, unknown = smuggled(peer)
    assert peer.connections <= 6
    assert [one.outcome for one in facts] == [SmugglingOutcome.REFUSED] * 6 + [None] * 3
    assert {"no connection was left" in reason for reason in unknown.values()} == {True}


#: A server that does not take the message at all -> part of the reason.
NOT_TAKEN: list[tuple[dict[str, t.Any], str]] = [
    ({"replies": {"MAIL": "530 5.7.0 Authentication required"}}, "takes no message from here"),
    ({"replies": {"RCPT": "550 5.1.1 unknown"}}, "550 5.1.1 unknown"),
    ({"replies": {"DATA": "554 5.5.1 no valid recipients"}}, "554 5.5.1"),
    ({"replies": {END_OF_DATA: "451 4.3.0 later"}}, "451 4.3.0 later"),
    ({"replies": {END_OF_DATA: "421 4.3.0 bye"}}, "421 4.3.0 bye"),
    ({"faults": {END_OF_DATA: Fault.CLOSE}}, "after the content"),
    ({"faults": {END_OF_DATA: Fault.STALL}}, "no answer within"),
    ({"faults": {"DATA": Fault.RESET}}, "connection was lost"),
]


@pytest.mark.parametrize(("faults", "reason"), NOT_TAKEN)
def test_message_that_is_not_taken_is_not_known(faults: dict[str, t.Any], reason: str) -> None:
    with Peer(**faults) as peer:
        facts, unknown = probe(peer, "smuggling", timeout=0.2, connections=4)
    assert facts.smuggling is None
    assert reason in unknown["probes.smuggling"]
    assert peer.connections <= 4


def test_temporary_refusal_is_not_known() -> None:
    with Peer(disturb=refuses_after(1, "451 4.3.0 later")) as peer:
        facts, unknown = smuggled(peer)
    assert outcomes(facts) == {None}
    assert unknown["probes.smuggling[0]"] == 'the server cannot tell now: "451 4.3.0 later"'
    assert len(unknown) == len(SEQUENCES)


def test_login_of_the_settings_is_used_in_verified_tls(tmp_path: Path) -> None:
    authority = authority_for("localhost", tmp_path)
    for policy, expected in ((TlsPolicy(ca_file=authority.ca_file), SmugglingOutcome.SWALLOWED), (STARTTLS, None)):
        with Peer(extensions=["AUTH PLAIN"], tls=authority.server) as peer:
            settings = ServerSettings("localhost", peer.port, policy, Credentials("app@peer.test", "secret"))
            options = ProbeOptions(sink="inbox@sink.test")
            facts, unknown = run_probes(settings, ["smuggling"], options)
        assert outcomes(facts.smuggling or ()) == ({expected} if expected else set())
        assert any(one.startswith("AUTH PLAIN") for one in peer.commands) is (expected is not None)
        assert ("MAIL FROM:<app@peer.test>" in peer.commands) is (expected is not None)
        if not expected:
            assert "certificate was refused" in by_path(unknown)["probes.smuggling"]
        assert "secret" not in repr((facts, unknown))


def test_login_is_not_sent_in_clear() -> None:
    with Peer(extensions=["AUTH PLAIN"]) as peer:
        settings = ServerSettings(
            "localhost", peer.port, TlsPolicy(TlsMode.OPPORTUNISTIC), Credentials("app", "secret")
        )
        facts, unknown = run_probes(settings, ["smuggling"], ProbeOptions(sink="inbox@sink.test"))
    assert facts.smuggling is None
    assert "in clear" in by_path(unknown)["probes.smuggling"]
    assert not any(one.startswith("AUTH") for one in peer.commands)
