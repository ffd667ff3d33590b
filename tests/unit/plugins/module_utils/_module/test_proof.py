# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof of a configuration: what is sent, when the run is undone, and what stays behind."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._module import proof
from ansible_collections.mailops.smtp.plugins.module_utils._module.postfix import Way
from ansible_collections.mailops.smtp.tests.fault.peer import Peer

Run = t.Callable[..., dict[str, t.Any]]

PROOF = {"to": "ops@example.test", "from": "root@host.test", "subject": "x relays mail"}
SENT = {"queue_id": "Q1", "summary": "relay -> next"}


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Peer]:
    with Peer() as server:
        monkeypatch.setattr(proof, "_LOOPBACK", replace(proof._LOOPBACK, host="127.0.0.1", port=server.port))
        yield server


def end_as(monkeypatch: pytest.MonkeyPatch, problem: str) -> None:
    monkeypatch.setattr(proof, "follow", lambda _commands, _queue_id, _timeout: Way([SENT], problem))


def test_the_message_is_sent_in_every_run_but_not_in_check_mode(
    deploy: Run, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_as(monkeypatch, "")
    files = [{"path": f"{tmp_path}/x", "content": "new\n"}]
    assert "proof_hops" not in deploy(files, check=True, proof=PROOF)
    for changed in (True, False):
        result = deploy(files, proof=PROOF)
        assert (result["changed"], result["proof_hops"]) == (changed, [SENT])
    assert [(one.sender, one.recipients) for one in peer.receipts] == [("root@host.test", ["ops@example.test"])] * 2
    assert b"Subject: x relays mail\r\n" in peer.receipts[0].content
    assert b"Auto-Submitted: auto-generated\r\n" in peer.receipts[0].content


@pytest.mark.parametrize(("on_failure", "content"), [("restore", "old\n"), ("keep", "new\n")])
def test_a_failure_undoes_the_run_unless_it_is_to_be_kept(
    deploy: Run, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_failure: str, content: str
) -> None:
    del peer
    path = tmp_path / "x"
    path.write_text("old\n")
    end_as(monkeypatch, "Message Q1 was not delivered.")
    result = deploy([{"path": str(path), "content": "new\n"}], proof={**PROOF, "on_failure": on_failure})
    assert (result["failed"], path.read_text(), result["step"]) == (True, content, "prove")
    assert result["changed"] is (on_failure == "keep")
    assert ("Everything was put back" in result["msg"]) is (on_failure == "restore")
    assert result["proof_hops"] == [SENT]


def test_a_failure_without_a_change_says_that_the_files_are_as_declared(
    deploy: Run, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del peer
    files = [{"path": f"{tmp_path}/x", "content": "new\n"}]
    deploy(files)
    end_as(monkeypatch, "Message Q1 was not delivered.")
    result = deploy(files, proof=PROOF)
    assert result["msg"].startswith("The files are as declared and the service is healthy, but its proof failed.")
    assert result["changed"] is False


def test_a_refusal_is_told_and_undone(deploy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_text("old\n")
    with Peer(replies={"RCPT": "550 5.7.1 not here"}) as server:
        monkeypatch.setattr(proof, "_LOOPBACK", replace(proof._LOOPBACK, host="127.0.0.1", port=server.port))
        result = deploy([{"path": str(path), "content": "new\n"}], proof=PROOF)
    assert "550 5.7.1 not here" in result["msg"]
    assert path.read_text() == "old\n"
