# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""smtp_info as Ansible runs it: its options, its result, and the playbook that shows the checklist."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.modules import smtp_info
from ansible_collections.mailops.smtp.tests.fault.peer import GREETING, Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import Authority, authority_for
from ansible_collections.mailops.smtp.tests.unit.support.playbook import run_playbook

Run = t.Callable[..., dict[str, t.Any]]
ROOT = Path(__file__).resolve().parents[4]
EXTENSIONS = ("PIPELINING", "AUTH PLAIN LOGIN XOAUTH2")
LOGIN = {"username": "deploy@a.test", "password": "correct horse"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority_for("localhost", tmp_path_factory.mktemp("ca"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(_check=False, **options)`` returns the module's result with its warnings."""
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: warnings.append(text))

    def run_module(_check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        with patch_module_args({**options, "_ansible_check_mode": _check}), pytest.raises(SystemExit):
            smtp_info.main()
        result = json.loads(capsys.readouterr().out)
        result.pop("_ansible_new_secrets", None)
        return {**result, "warnings": list(warnings)}

    return run_module


def server(peer: Peer, authority: Authority) -> dict[str, t.Any]:
    return {"host": "localhost", "port": peer.port, "tls": "starttls", "ca_file": authority.ca_file, "timeout": 5}


def test_a_server_that_is_ready(run: Run, authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        result = run(**server(peer, authority), **LOGIN, recipient="Ops <ops@b.test>")
        assert not peer.messages
    assert result["passed"] is True
    assert result["changed"] is False
    assert result["stopped_at"] is None
    assert result["msg"] == f"localhost:{peer.port}: every step passed."
    assert [one["state"] for one in result["steps"]] == ["passed"] * 10
    assert result["evidence"]["facts"]["sender"]["code"] == 250, "the login is an address, so it is the sender"
    assert result["evidence"]["seen_from"]["addresses"] == ["127.0.0.1"]
    assert len(result["checklist"]) == 8
    assert "MAIL FROM:<deploy@a.test>" in peer.commands[-3]
    assert peer.commands[-2] == "RCPT TO:<ops@b.test>"


@pytest.mark.parametrize(
    ("on_problem", "failed", "warned"), [("report", None, 0), ("warn", None, 1), ("fail", True, 0)]
)
def test_what_happens_if_a_step_does_not_pass(
    run: Run, authority: Authority, on_problem: str, failed: bool | None, warned: int
) -> None:
    with Peer({"AUTH": "535 5.7.8 no"}, tls=authority.server, extensions=EXTENSIONS) as peer:
        result = run(**server(peer, authority), **LOGIN, on_problem=on_problem)
    assert (result.get("failed"), len(result["warnings"])) == (failed, warned)
    assert (result["passed"], result["stopped_at"]) == (False, "login")
    assert result["msg"].startswith(f"localhost:{peer.port}: The login of deploy@a.test with PLAIN was refused.")
    assert "app password" in result["msg"]
    assert result["evidence"]["facts"]["login"]["accepted"] is False


def test_a_test_message_is_sent_but_not_in_check_mode(run: Run, authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        options = {**server(peer, authority), **LOGIN, "to": "ops@b.test", "from": "D <d@a.test>", "test_message": True}
        assert "message" not in {one["step"] for one in run(_check=True, **options)["steps"]}
        assert not peer.messages
        result = run(**options)
        (message,) = peer.messages
    assert result["evidence"]["facts"]["message"]["queue_id"] == "PEER12345"
    assert b"From: <d@a.test>" in message or b"From: d@a.test" in message
    assert b"Auto-Submitted: auto-generated" in message
    assert peer.receipts[0].sender == "d@a.test"


BAD: list[tuple[dict[str, t.Any], str]] = [
    ({"recipient": "ops@b.test"}, "recipient is set, and sender is not; set sender"),
    ({"sender": "a@b.test", "test_message": True}, "test_message is true, and recipient is not set; set recipient"),
    ({"wrong_login": True}, "wrong_login is true, and there is no login; set username and password or oauth"),
    ({"sender": "not an address"}, "sender: "),
    ({"sender": "a@b.test", "recipient": "x y"}, "recipient: "),
    ({"probe_messages": True}, "probe_messages is true, and probe_sink is not set"),
    ({"probes": ["banner", "relay"]}, "probes has relay, and probe_sink is not set; set it to a mailbox"),
    ({"probe_connections": 0}, "probe_connections is 0; expected 1 or more"),
    ({"probe_sink": "a b@c.test"}, "probe_sink is 'a b@c.test'; expected an address without blanks"),
    ({"probe_recipient": "a\r\nb"}, "probe_recipient is 'a\\r\\nb'; expected an address without blanks"),
    ({"port": 99999}, "port is 99999"),
    ({"provider": "gmial"}, "did you mean gmail"),
    ({"ca_file": "/nonexistent"}, "ca_file /nonexistent cannot be read"),
    ({"username": "a"}, "neither password nor oauth"),
    ({"host": "smtp://x.test:25"}, "expected only a host name"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[words for _options, words in BAD])
def test_options_that_cannot_be_used(run: Run, options: dict[str, t.Any], words: str) -> None:
    result = run(**{"host": "localhost", "tls": "starttls", **options})
    assert result["failed"] is True
    assert result["msg"].startswith("Nothing was asked: ")
    assert words in result["msg"]
    assert "evidence" not in result


def test_the_null_sender(run: Run) -> None:
    with Peer() as peer:
        result = run(host="localhost", port=peer.port, tls="none", sender="<>", recipient="ops@b.test")
    assert result["passed"], result["msg"]
    assert any(one.startswith("MAIL FROM:<>") for one in peer.commands)


ENCODED = "Y29ycmVjdCBob3JzZQ== AGRlcGxveUBhLnRlc3QAY29ycmVjdCBob3JzZQ=="


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        (GREETING, f"220 correct horse {ENCODED}"),
        ("EHLO", f"250-localhost\r\n250-AUTH PLAIN\r\n250 X-ECHO {ENCODED}"),
        ("AUTH", f"535 5.7.8 wrong: correct horse, {ENCODED}"),
    ],
    ids=["greeting", "ehlo", "auth"],
)
def test_no_secret_in_the_result(run: Run, authority: Authority, stage: str, reply: str) -> None:
    """Nor before the login, from a server that knows it from an earlier one."""
    with Peer({stage: reply}, tls=authority.server, extensions=EXTENSIONS) as peer:
        result = run(**server(peer, authority), **LOGIN)
    result.pop("invocation", None)
    for form in ("correct horse", "Y29ycmVjdCBob3JzZQ", "horse", "Y3QgaG9yc2U"):
        assert form not in json.dumps(result)


def test_a_token_that_cannot_be_fetched_does_not_hide_the_rest(run: Run, authority: Authority) -> None:
    oauth = {"token_url": "http://127.0.0.1:1/token", "client_id": "i", "client_secret": "s3cret-of-the-app"}
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        result = run(**server(peer, authority), username="deploy@a.test", oauth=oauth, wrong_login=True)
    assert result["stopped_at"] == "login"
    assert result["msg"].startswith(f"localhost:{peer.port}: No access token: no token from 127.0.0.1")
    assert result["evidence"]["facts"]["tls"]["accepted"] is True
    assert "sender" in {one["step"] for one in result["steps"]}
    assert "s3cret-of-the-app" not in json.dumps({**result, "invocation": None})


# Active tests


def test_active_tests_are_facts_beside_the_steps(run: Run, authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        result = run(**server(peer, authority), **LOGIN, probes=["commands", "auth_before_tls"])
        connections = peer.connections
    probes = result["evidence"]["facts"]["probes"]
    assert result["passed"]
    assert probes["auth_before_tls"]["mechanisms"] == ["PLAIN", "LOGIN", "XOAUTH2"]
    assert {one["command"].split()[0] for one in probes["commands"]} >= {"VRFY", "EXPN", "ETRN"}
    assert connections == result["evidence"]["facts"]["connections_made"] <= 6


def test_active_tests_stay_within_six_connections(run: Run, authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        names = ["banner", "commands", "injection", "relay", "tls", "early_talk", "rate", "login_replies"]
        result = run(**server(peer, authority), **LOGIN, probes=names, probe_sink="sink@elsewhere.test")
        assert not peer.messages
        assert peer.connections <= 6
    assert any("connection" in one["reason"] for one in result["evidence"]["unknown"])


def test_active_tests_need_a_connection(run: Run) -> None:
    result = run(host="127.0.0.1", port=1, tls="none", probes=["banner"])
    assert result["evidence"]["facts"]["probes"] is None
    assert "probes.banner" in {one["path"] for one in result["evidence"]["unknown"]}


def test_no_message_is_sent_in_check_mode(run: Run, authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        options = {"probes": ["smuggling", "relay"], "probe_sink": "sink@elsewhere.test", "probe_messages": True}
        run(_check=True, **server(peer, authority), **LOGIN, **options)
        assert not peer.messages


# The playbook


def play(folder: Path, **variables: t.Any) -> str:
    (folder / "mail.yml").write_text(json.dumps(variables))
    playbook = str(ROOT / "playbooks/diagnose.yml")
    return run_playbook(playbook, "-e", "@mail.yml", cwd=folder, home=folder)


def test_the_playbook_shows_the_checklist(tmp_path: Path, authority: Authority) -> None:
    with Peer(tls=authority.server, extensions=EXTENSIONS) as peer:
        given = {
            "diagnose_host": "localhost",
            "diagnose_port": peer.port,
            "diagnose_tls": "starttls",
            "diagnose_ca_file": authority.ca_file,
            "diagnose_username": "deploy@a.test",
            "diagnose_password": "correct horse",
            "diagnose_recipient": "ops@b.test",
            "diagnose_test_message": True,
        }
        output = play(tmp_path, **given)
        assert "failed=0" in output, output
        assert '"[ok] Account: the server accepts the login of deploy@a.test, with PLAIN.' in output
        assert len(peer.messages) == 1
        peer.replies["AUTH"] = "535 5.7.8 no"
        output = play(tmp_path, **given)
    assert "failed=1" in output, output
    assert "[!!] Account: The login of deploy@a.test with PLAIN was refused. It said: '535 5.7.8 no'." in output
    assert "the checklist above says what to do about the step login" in output
    assert "correct horse" not in output


def test_the_playbook_says_what_it_needs(tmp_path: Path) -> None:
    output = play(tmp_path)
    assert "Set diagnose_provider to your mail provider, such as gmail" in output
