# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of roles/relay/files/relay_dkim.py: which keys sign, and what is told of the records."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[3] / "roles/relay/files/relay_dkim.py"
_spec = importlib.util.spec_from_file_location("relay_dkim", PATH)
assert _spec
assert _spec.loader
program: t.Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(program)

RECORDS: list[tuple[list[str] | None, str]] = [
    (["v=DKIM1; k=rsa; p=AAAA"], "published"),
    (["v=DKIM1;p=AA AA"], "published"),
    (["p=AAAA"], "published"),
    ([], "missing"),
    (["v=spf1 -all"], "missing"),
    (["v=DKIM1; p=BBBB"], "foreign"),
    (["v=DKIM1; p="], "foreign"),
    (["v=DKIM1; k=ed25519; p=AAAA"], "foreign"),
    (["v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB"], "foreign"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("texts", "expected"), RECORDS)
def test_a_record_is_compared_with_the_key(texts: list[str] | None, expected: str) -> None:
    assert program.compare(texts, "rsa", "AAAA") == expected


def key(selector: str, kind: str = "rsa") -> dict[str, str]:
    name = f"{selector}._domainkey.a.test"
    return {"name": name, "selector": selector, "kind": kind, "path": f"/keys/{selector}.key"}


CHOICES: list[tuple[dict[str, str], bool, str | None]] = [
    ({}, False, None),
    ({"old": "published"}, False, "old"),
    ({"old": "published", "new": "missing"}, False, "old"),
    ({"old": "published", "new": "foreign"}, False, "old"),
    ({"old": "published", "new": "published"}, False, "new"),
    ({"old": "missing", "new": "published"}, False, "new"),
    ({"old": "published"}, True, "new"),
]


@pytest.mark.parametrize(("states", "now", "expected"), CHOICES)
def test_the_newest_published_selector_signs_alone(states: dict[str, str], now: bool, expected: str | None) -> None:
    domains = [{"domain": "a.test", "selectors": [[key("old")], [key("new")]]}]
    active = program.judge(domains, now, {f"{one}._domainkey.a.test": state for one, state in states.items()})
    assert [one.selector for keys in active.values() for one in keys] == ([expected] if expected else [])


def test_both_keys_of_a_selector_must_be_published() -> None:
    domains = [{"domain": "a.test", "selectors": [[key("r1"), key("r1-ed", "ed25519")]]}]
    states = {"r1._domainkey.a.test": "published"}
    assert program.judge(domains, False, states) == {}
    active = program.judge(domains, False, {**states, "r1-ed._domainkey.a.test": "published"})
    assert '"/keys/r1-ed.seed"' in program.tables("rspamd", active)["signing.conf"]
    assert program.tables("opendkim", active)["signing.table"] == "*@a.test r1._domainkey.a.test\n"


ANSWERS: list[tuple[str, list[str] | None]] = [
    (";; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\n", []),
    (";; ->>HEADER<<- opcode: QUERY, status: SERVFAIL, id: 1\n", None),
    ('; status: NOERROR,\na.test. 60 IN TXT "v=DKIM1\\; " "p=A"\n', ["v=DKIM1; p=A"]),
    ("; status: NOERROR,\na.test. 60 IN CNAME b.test.\n", []),
]


@pytest.mark.parametrize(("output", "expected"), ANSWERS)
def test_what_dig_says(
    output: str, expected: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "answer").write_text(output)
    dig = tmp_path / "dig"
    dig.write_text(f"#!/bin/sh\nexec /bin/cat {tmp_path}/answer\n")
    dig.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert program.ask("a.test", []) == expected


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_check_lets_a_real_key_sign_and_keeps_what_was_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r1.key"
    make = ["openssl", "genpkey", "-algorithm", "ED25519", "-out", str(path)]
    subprocess.run(make, check=True, capture_output=True)
    name = "r1._domainkey.a.test"
    settings = {
        "signer": "rspamd",
        "state_directory": str(tmp_path),
        "sign_now": False,
        "nameservers": [],
        "domains": [{"domain": "a.test", "selectors": [[{**key("r1", "ed25519"), "path": str(path)}]]}],
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setattr(program, "SETTINGS", str(tmp_path / "settings.json"))
    reloads: list[None] = []
    monkeypatch.setattr(program, "reload", lambda _unit: reloads.append(None))
    public = program.public_half(str(path), "ed25519")
    signs = []
    answers: list[list[str] | None] = [[], [f"v=DKIM1; k=ed25519; p={public}"], None, ["v=DKIM1; k=ed25519; p=BBBB"]]
    for answer in answers:
        monkeypatch.setattr(program, "ask", lambda *_words, answer=answer: answer)
        assert program.main(["check"]) == 0
        signs.append("r1" in (tmp_path / "signing.conf").read_text())
    assert signs == [False, True, True, False]
    assert len(reloads) == 3  # the first one made the empty table
    capsys.readouterr()
    assert program.main(["records"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["name"], record["state"], record["txt"]) == (name, "foreign", f"v=DKIM1; k=ed25519; p={public}")
    assert "PRIVATE" not in json.dumps(record)
