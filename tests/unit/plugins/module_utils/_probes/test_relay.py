# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open-relay variants, against servers that relay, refuse, end the session, want a login, or cannot tell."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.smtp_probes import RelayOutcome, RelayVariantFacts
from ansible_collections.mailops.smtp.plugins.module_utils._probes.line import NotKnown
from ansible_collections.mailops.smtp.plugins.module_utils._probes.relay import VARIANTS
from ansible_collections.mailops.smtp.tests.fault.peer import Fault, Moment, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import authority_for
from ansible_collections.mailops.smtp.tests.unit.support.probed import (
    DENIED,
    STARTTLS,
    Disturb,
    loses_patience,
    probe,
    refuses_relaying,
)

if t.TYPE_CHECKING:
    from pathlib import Path

Tried = tuple[tuple[RelayVariantFacts, ...], dict[str, str]]


def tried(peer: Peer, **options: t.Any) -> Tried:
    facts, unknown = probe(peer, "relay", **options)
    assert facts.relay, unknown
    return facts.relay.variants, unknown


def outcomes(variants: t.Iterable[RelayVariantFacts]) -> set[RelayOutcome | None]:
    return {one.outcome for one in variants}


def test_paths_of_all_variants() -> None:
    with Peer(replies={"GREETING": "220 mx.peer.test ESMTP"}, disturb=refuses_relaying()) as peer:
        variants, _unknown = tried(peer)
    assert [one.number for one in variants] == [*VARIANTS] == [*range(1, 23)]
    me, to, stranger = "[127.0.0.1]", "relaytest@sink.test", "antispam@sink.test"
    assert [(one.sender, one.recipient) for one in variants] == [
        *(("", to), (stranger, to), ("antispam@mx.peer.test", to), (f"antispam@{me}", to)),
        (stranger, f"relaytest%sink.test@{me}"),
        (stranger, "relaytest%sink.test@mx.peer.test"),
        (stranger, '"relaytest@sink.test"'),
        (stranger, '"relaytest%sink.test"'),
        (stranger, f"relaytest@sink.test@{me}"),
        (stranger, f'"relaytest@sink.test"@{me}'),
        (stranger, "relaytest@sink.test@mx.peer.test"),
        (stranger, f"@{me}:relaytest@sink.test"),
        (stranger, "@mx.peer.test:relaytest@sink.test"),
        (stranger, "sink.test!relaytest"),
        (stranger, f"sink.test!relaytest@{me}"),
        (stranger, "sink.test!relaytest@mx.peer.test"),
        ("postmaster@peer.test", to),
        (stranger, to),
        (stranger, "relaytest@sink.test@"),
        ("antisp\u00e4m@sink.test", "relaytest+\u00fc@sink.test"),
        *((stranger, to), (stranger, to)),
    ]


#: Greeting -> the server's name and its domain in the variants.
NAMED = [
    ("220 mx.peer.test ESMTP", "mx.peer.test", "peer.test"),
    ("220 MX.Peer.Test ESMTP", "MX.Peer.Test", "Peer.Test"),
    ("220 peer.test ESMTP", "peer.test", "peer.test"),
    ("220 ESMTP ready", "[localhost]", "[localhost]"),
    ("220 192.0.2.1 ESMTP", "[localhost]", "[localhost]"),
    ("220-\r\n220 welcome", "[localhost]", "[localhost]"),
]


@pytest.mark.parametrize(("greeting", "server", "domain"), NAMED)
def test_name_of_the_server(greeting: str, server: str, domain: str) -> None:
    with Peer(replies={"GREETING": greeting}, disturb=refuses_relaying()) as peer:
        variants, _unknown = tried(peer)
    assert (variants[2].sender, variants[16].sender) == (f"antispam@{server}", f"postmaster@{domain}")


#: What a server does at RCPT -> the outcome of each variant, or the reason why it is not known.
REPLIES: list[tuple[str, str, RelayOutcome | str]] = [
    ("RCPT", DENIED, RelayOutcome.REFUSED),
    ("RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", RelayOutcome.REFUSED),
    ("RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts", RelayOutcome.REFUSED),
    ("RCPT", "454 4.7.1 <relaytest@sink.test>: Relay access denied", RelayOutcome.REFUSED),
    ("RCPT", "530 5.7.0 Authentication required", RelayOutcome.AUTHENTICATION_REQUIRED),
    ("RCPT", "550 5.7.1 Client was not authenticated", RelayOutcome.AUTHENTICATION_REQUIRED),
    ("RCPT", "503 5.5.1 AUTH first", RelayOutcome.AUTHENTICATION_REQUIRED),
    ("RCPT", "450 4.2.0 Greylisted, try again later", "cannot tell now"),
    ("RCPT", "451 4.7.1 Greylisting in action", "cannot tell now"),
    ("RCPT", "252 2.1.5 cannot verify, but will accept", RelayOutcome.ACCEPTED),
    ("RCPT", "251 user not local; will forward", RelayOutcome.ACCEPTED),
    ("MAIL", "530 5.7.57 Client not authenticated to send mail", RelayOutcome.AUTHENTICATION_REQUIRED),
    ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", "wants TLS first"),
    ("MAIL", "550 5.7.1 You are blocked", RelayOutcome.REFUSED),
    ("MAIL", "501 5.1.7 Bad sender address syntax", RelayOutcome.REFUSED),
]


@pytest.mark.parametrize(("stage", "reply", "expected"), REPLIES)
def test_what_a_reply_means(stage: str, reply: str, expected: RelayOutcome | str) -> None:
    with Peer(disturb=lambda moment: reply if moment.stage == stage and moment.sender else None) as peer:
        variants, unknown = tried(peer)
    variants = variants[1:]  # the first has no sender
    if isinstance(expected, RelayOutcome):
        assert outcomes(variants) == {expected}
        assert {f"{one.answer.code} {one.answer.text}" for one in variants if one.answer} == {reply}
        assert unknown == {}
    else:
        assert outcomes(variants) == {None}
        assert all(expected in reason for reason in unknown.values())
        assert len(unknown) == len(variants)
        assert {f"{one.answer.code} {one.answer.text}" for one in variants if one.answer} == {reply}


def test_acceptance_alone_sends_nothing_and_confirms_nothing() -> None:
    with Peer() as peer:
        variants, unknown = tried(peer)
    assert outcomes(variants) == {RelayOutcome.ACCEPTED}
    assert {one.nonce for one in variants} == {None}
    assert (peer.messages, peer.connections, unknown) == ([], 1, {})


def arrivals(peer: Peer) -> t.Callable[[t.Sequence[str]], set[str]]:
    """Look at the subjects of the messages that a peer took."""

    def look(nonces: t.Sequence[str]) -> set[str]:
        subjects = re.findall(rb"^Subject: .*?(\S+)\r$", b"".join(peer.messages), re.MULTILINE)
        return {one for one in nonces if one.encode() in subjects}

    return look


def test_open_relay_is_confirmed_by_arrivals() -> None:
    with Peer() as peer:
        variants, _unknown = tried(peer, send_messages=True, arrived=arrivals(peer))
    assert outcomes(variants) == {RelayOutcome.CONFIRMED}
    assert all(one.arrived and one.end_of_data and one.end_of_data.code == 250 for one in variants)
    assert len(peer.messages) == len({one.nonce for one in variants}) == len(VARIANTS)


def test_message_that_does_not_arrive_confirms_nothing() -> None:
    with Peer() as peer:
        variants, _unknown = tried(peer, send_messages=True, arrived=lambda nonces: nonces[:1])
    assert [one.outcome for one in variants] == [RelayOutcome.CONFIRMED] + [RelayOutcome.ACCEPTED] * 21
    assert [one.arrived for one in variants] == [True] + [False] * 21


#: A server that does not accept the message -> reply, whether the nonce is looked for.
REFUSED_LATE: list[tuple[dict[str, t.Any], int | None, bool]] = [
    ({"replies": {"DATA": "554 5.7.1 no"}}, 554, False),
    ({"replies": {".": "550 5.7.1 refused by content"}}, 550, True),
    ({"faults": {".": Fault.ACCEPT_AND_CLOSE}}, None, True),
]


@pytest.mark.parametrize(("faults", "code", "looked_for"), REFUSED_LATE)
def test_message_that_is_not_accepted(faults: dict[str, t.Any], code: int | None, looked_for: bool) -> None:
    with Peer(**faults) as peer:
        variants, unknown = tried(peer, send_messages=True, arrived=lambda _nonces: (), connections=30)
    assert outcomes(variants) == {RelayOutcome.ACCEPTED}
    assert {one.end_of_data.code if one.end_of_data else None for one in variants} == {code}
    assert {one.nonce is not None for one in variants} == {looked_for}
    assert ("probes.relay.variants[0].end_of_data" in unknown) is (code is None)


def test_message_arrives_although_its_reply_was_lost() -> None:
    with Peer(faults={".": Fault.ACCEPT_AND_CLOSE}) as peer:
        variants, _unknown = tried(peer, send_messages=True, arrived=arrivals(peer))
    assert [one.outcome for one in variants[:5]] == [RelayOutcome.CONFIRMED] * 5
    assert len(peer.messages) == 6


def test_sink_that_cannot_be_looked_at_is_told() -> None:
    def blind(_nonces: t.Sequence[str]) -> t.NoReturn:
        raise NotKnown("the mailbox of the sink cannot be opened")

    with Peer() as peer:
        variants, unknown = tried(peer, send_messages=True, arrived=blind)
    assert outcomes(variants) == {RelayOutcome.ACCEPTED}
    assert unknown["probes.relay.variants[21].arrived"] == "the mailbox of the sink cannot be opened"


def only(number: int) -> Disturb:
    """Relay by one variant alone."""
    wanted = VARIANTS[number]

    def disturb(moment: Moment) -> str | None:
        if moment.stage != "RCPT" or moment.recipient == "postmaster":
            return None
        return None if "%" in moment.recipient and "@" not in moment.recipient and wanted else DENIED

    return disturb


def test_single_hole_is_found() -> None:
    with Peer(disturb=only(8)) as peer:
        variants, _unknown = tried(peer, send_messages=True, arrived=arrivals(peer))
    assert [one.number for one in variants if one.outcome is RelayOutcome.CONFIRMED] == [8]
    assert [receipt.recipients for receipt in peer.receipts] == [['"relaytest%sink.test"']]


@pytest.mark.parametrize(("errors", "connections"), [(100, 3), (10, 3), (5, 5)])
def test_variants_share_sessions_until_the_server_loses_patience(errors: int, connections: int) -> None:
    """A session is also left before the server delays its replies, as Postfix does after ten refusals."""
    with Peer(disturb=loses_patience(errors, refuses_relaying())) as peer:
        variants, unknown = tried(peer)
    assert (outcomes(variants), unknown, peer.connections) == ({RelayOutcome.REFUSED}, {}, connections)


def test_no_more_than_six_connections() -> None:
    with Peer(disturb=loses_patience(2, refuses_relaying())) as peer:
        variants, unknown = tried(peer)
    known = [one.outcome for one in variants]
    assert peer.connections == 6
    assert known == [RelayOutcome.REFUSED] * 12 + [None] * 10
    assert [*unknown] == [f"probes.relay.variants[{number}]" for number in range(12, 22)]
    assert "no connection was left of the 6" in unknown["probes.relay.variants[21]"]


#: What a server does before it serves -> part of the reason.
NO_SERVICE: list[tuple[dict[str, t.Any], str]] = [
    ({"replies": {"GREETING": "421 4.7.0 too many connections"}}, "421 4.7.0 too many connections"),
    ({"replies": {"GREETING": "554 5.7.1 no service for you"}}, "refuses to serve this client"),
    ({"faults": {"GREETING": Fault.CLOSE}}, "the server closed it"),
    ({"faults": {"GREETING": Fault.STALL}}, "no answer within"),
    ({"faults": {"GREETING": Fault.GARBAGE}}, "HTTP"),
    ({"faults": {"GREETING": Fault.ENDLESS}}, "longer than"),
    ({"replies": {"EHLO": "550 5.7.1 go away"}}, "550 5.7.1 go away"),
    ({"replies": {"EHLO": "502 no", "HELO": "502 no"}}, "refuses EHLO"),
    ({"replies": {"MAIL": "451 4.3.0 try again later"}}, "does not serve this client now"),
    ({"replies": {"MAIL": "421 4.3.2 shutting down"}}, "421 4.3.2 shutting down"),
]


@pytest.mark.parametrize(("faults", "reason"), NO_SERVICE)
def test_server_that_does_not_serve_is_not_known(faults: dict[str, t.Any], reason: str) -> None:
    with Peer(**faults) as peer:
        facts, unknown = probe(peer, "relay", timeout=0.3)
    assert facts.relay is None
    assert reason in unknown["probes.relay"]


def test_closed_port_is_not_known() -> None:
    with Peer() as peer:
        pass
    facts, unknown = probe(peer, "relay")
    assert facts.relay is None
    assert "no connection" in unknown["probes.relay"]


def test_local_recipient_shows_whether_the_client_is_served() -> None:
    with Peer(disturb=lambda moment: "550 5.7.1 Client host blocked" if moment.stage == "RCPT" else None) as peer:
        facts, _unknown = probe(peer, "relay", local_recipient="info@peer.test")
    assert facts.relay
    assert facts.relay.local
    assert (facts.relay.mail.code, facts.relay.local.text) == (250, "5.7.1 Client host blocked")
    assert "RCPT TO:<info@peer.test>" in peer.commands


def test_sink_is_needed() -> None:
    with Peer() as peer:
        _facts, unknown = probe(peer, "relay", sink="")
    assert "needs probe_sink" in unknown["probes.relay"]
    assert peer.connections == 0


@pytest.mark.parametrize("address", ["a@b.test>\r\nDATA", "a b@c.test", "<a@b.test>", "a@b.test\0"])
def test_address_cannot_end_a_command(address: str) -> None:
    with Peer() as peer, pytest.raises(ValueError, match="expected an address"):
        probe(peer, "relay", sink=address)


def test_utf8_is_announced_if_offered() -> None:
    with Peer(extensions=["SMTPUTF8"], disturb=refuses_relaying()) as peer:
        tried(peer)
    assert "MAIL FROM:<antisp\u00e4m@sink.test> SMTPUTF8" in peer.commands


def test_variants_are_tried_in_tls(tmp_path: Path) -> None:
    with Peer(tls=authority_for("localhost", tmp_path).server, disturb=refuses_relaying()) as peer:
        variants, _unknown = tried(peer, tls=STARTTLS)
    assert outcomes(variants) == {RelayOutcome.REFUSED}
    assert peer.commands[:3] == [peer.commands[0], "STARTTLS", peer.commands[0]]
