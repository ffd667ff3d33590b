# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_send with servers that speak a dialect. Covers the options ignore_extensions and send_ahead of server.py."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mailops.smtp.tests.fault.peer import GREETING, Moment, Peer

Run = t.Callable[..., dict[str, t.Any]]
MANY: dict[str, t.Any] = {"messages": [{"to": f"p{number}@b.test"} for number in range(24)], "to": None}


def test_ignored_extension_is_not_used(run: Run) -> None:
    with Peer(extensions=["PIPELINING", "CHUNKING"]) as peer:
        assert run(peer, ignore_extensions=["chunking"])["recipients"][0]["status"] == "sent"
    assert "DATA" in peer.commands


@pytest.mark.parametrize("extension", ["starttls", "auth", "chunks"])
def test_extension_that_cannot_be_ignored_is_named(run: Run, extension: str) -> None:
    with Peer() as peer:
        result = run(peer, ignore_extensions=[extension])
    assert result["msg"].startswith(f"Nothing was sent: ignore_extensions: '{extension}' cannot be ignored; ")
    assert peer.connections == 0


@pytest.mark.parametrize("send_ahead", [None, True, False])
@pytest.mark.parametrize("connections", [1, 4])
def test_every_message_arrives_at_a_server_that_takes_nothing_ahead(
    run: Run, connections: int, send_ahead: bool | None
) -> None:
    def disturb(moment: Moment) -> str | None:
        return "503 5.5.1 pipelined after end of DATA" if moment.ahead and moment.stage == "MAIL" else None

    with Peer(disturb=disturb, pause=0.02) as peer:
        result = run(peer, **MANY, connections=connections, send_ahead=send_ahead)
    assert result["summary"] == {"sent": 24, "refused": 0, "deferred": 0, "unknown": 0}
    assert sorted(one.accepted for one in peer.receipts if one.recipients) == sorted(
        [m["to"]] for m in MANY["messages"]
    )
    assert bool(peer.ahead) is bool(send_ahead)


def test_greeting_that_refuses_in_its_last_line_is_told(run: Run) -> None:
    with Peer({GREETING: "220-mx\r\n521 5.7.1 blocked using zen"}) as peer:
        result = run(peer)
    assert 'The server said: "521 mx 5.7.1 blocked using zen"' in result["msg"]
    assert "tls: implicit" not in result["msg"]
    assert (result["code"], result["enhanced_code"]) == (521, "5.7.1")


def test_too_many_recipients_get_further_transactions(run: Run) -> None:
    counted: list[str] = []

    def disturb(moment: Moment) -> str | None:
        if moment.stage == "MAIL":
            counted.clear()
        if moment.stage == "RCPT":
            counted.append(moment.recipient)
        return "552 5.5.3 too many recipients" if moment.stage == "RCPT" and len(counted) > 10 else None

    with Peer(disturb=disturb) as peer:
        result = run(peer, to=[f"p{number}@b.test" for number in range(25)])
    assert [one["status"] for one in result["recipients"]] == ["sent"] * 25
    assert result["attempts_made"] == 1
    assert [len(receipt.recipients) for receipt in peer.receipts] == [10, 10, 5]
