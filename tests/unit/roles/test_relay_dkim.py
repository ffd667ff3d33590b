# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of roles/relay/files/relay_dkim.py: which keys sign, and what is told of the records."""

from __future__ import annotations

import datetime
import errno
import fcntl
import importlib.util
import json
import os
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
    (["  v = DKIM1 ; k = RSA ;\tp = AA\tAA ; "], "published"),
    (["p=AAAA"], "published"),
    (["k=rsa; p=AAAA; n=note"], "published"),
    (["v=DKIM1; p=AAAA; h=sha1:sha256; s=*; t=y:s"], "published"),
    (["v=DKIM1; p=AAAA; s=email : other"], "published"),
    ([], "missing"),
    (["v=spf1 -all"], "missing"),
    (["v=DMARC1; p=none"], "missing"),
    (["v=spf1 -all", "hello"], "missing"),
    (["v=DKIM1; p=BBBB"], "foreign"),
    (["v=DKIM1; p=aaaa"], "foreign"),
    (["v=DKIM1; k=ed25519; p=BBBB; h=sha1"], "foreign"),
    (["v=DKIM1; p="], "revoked"),
    (["p= ; v=DKIM1"], "revoked"),
    (["v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB"], "several"),
    (["v=DKIM1; p=AAAA", "v=spf1 -all"], "several"),
    (["v=DKIM1; k=ed25519; p=AAAA"], "unusable"),
    (["k=rsa; p=AAAA; v=DKIM1"], "unusable"),
    (["v=dkim1; p=AAAA"], "unusable"),
    (["v=DKIM1 k=rsa p=AAAA"], "unusable"),
    (["v=DKIM1; k=rsa"], "unusable"),
    (["v=DKIM1; p=AAAA; h=sha1"], "unusable"),
    (["v=DKIM1; p=AAAA; s=tlsrpt"], "unusable"),
    (["v=DKIM1; p=AAAA; p=AAAA"], "unusable"),
    (["v=DKIM1; rubbish; p=AAAA"], "unusable"),
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
    ('; status: NOERROR,\na.test. 60 IN CNAME b.test.\nb.test. 60 IN TXT "v=DKIM1"\n', ["v=DKIM1"]),
    (";; status: NOERROR,\n;; flags: qr rd; QUERY: 1\n; EDNS: version: 0, flags:; udp: 1232\n", None),
    ("; status: NOERROR,\n;; flags: qr aa rd; QUERY: 1\n", []),
    ("; status: NXDOMAIN,\n;; flags: qr rd ra; QUERY: 1\n", []),
    (
        '; status: NOERROR,\na.test. 60 IN TXT "v=DKIM1;\\009p=A" "; n=\\195\\169\\\\"\n',
        ["v=DKIM1;\tp=A; n=\xc3\xa9\\"],
    ),
    ('; status: NOERROR,\na.test. 60 IN TXT "p=A"\na.test. 60 IN TXT "" "p" "=B"\n', ["p=A", "p=B"]),
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


#: What each server answers; the names to look up, the questions to the servers, and the records.
ROUNDS: list[tuple[dict[str, str], list[str], list[str], list[list[str] | None]]] = [
    # an alias, from a server that does not recurse and does not serve what it leads to
    (
        {
            "a.test.@192.0.2.1": "status: NOERROR\\na.test. 60 IN CNAME b.example.",
            "b.example.@192.0.2.1": "status: REFUSED",
            "b.example.": 'status: NOERROR\\nb.example. 60 IN TXT "p=A"',
        },
        ["a.test"],
        ["a.test.@192.0.2.1", "b.example.@192.0.2.1", "b.example."],
        [["p=A"]],
    ),
    # an alias, and no one who knows what it leads to
    (
        {"a.test.@192.0.2.1": "status: NOERROR\\na.test. 60 IN CNAME b.example."},
        ["a.test"],
        ["a.test.@192.0.2.1", "b.example.@192.0.2.1", "b.example."],
        [None],
    ),
    # a server that is down costs time once
    (
        {"a.test.@192.0.2.2": "status: NXDOMAIN", "c.test.@192.0.2.2": "status: NXDOMAIN"},
        ["a.test", "c.test"],
        ["a.test.@192.0.2.1", "a.test.@192.0.2.2", "c.test.@192.0.2.2"],
        [[], []],
    ),
]


@pytest.mark.parametrize(("answers", "names", "asked", "expected"), ROUNDS)
def test_which_server_is_asked(
    answers: dict[str, str],
    names: list[str],
    asked: list[str],
    expected: list[list[str] | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = "".join(f"{question}) printf '{answer}\\n';;\n" for question, answer in answers.items())
    dig = tmp_path / "dig"
    dig.write_text(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in -q) q=$2;; @*) q=$q$1;; esac; shift; done\n"
        f'echo "$q" >>{tmp_path}/asked\ncase $q in\n{cases}*) exit 9;;\nesac\n'
    )
    dig.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(program, "_silent", set())
    servers = ["192.0.2.1"] if len(names) == 1 else ["192.0.2.1", "192.0.2.2"]
    assert [program.ask(name, servers) for name in names] == expected
    assert (tmp_path / "asked").read_text().split() == asked


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
    reloads: list[str] = []

    def reload(unit: str) -> bool:
        reloads.append(unit)
        return len(reloads) != 2

    monkeypatch.setattr(program, "reload", reload)
    public = program.public_half(str(path), "ed25519")
    signs: list[bool] = []
    answers: list[list[str] | None] = [[], [f"v=DKIM1; k=ed25519; p={public}"], None, ["v=DKIM1; k=ed25519; p=BBBB"]]
    for answer in answers:
        monkeypatch.setattr(program, "ask", lambda *_words, answer=answer: answer)
        assert program.main(["check"]) == (1 if len(signs) == 1 else 0)  # the second reload fails, and is made up for
        signs.append("r1" in (tmp_path / "signing.conf").read_text())
    assert signs == [False, True, True, False]
    assert len(reloads) == 4  # the first one made the empty table
    capsys.readouterr()
    assert program.main(["records"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["name"], record["state"], record["public_key"]) == (name, "foreign", public)
    assert (record["domain"], record["selector"], record["keep_until"]) == ("a.test", "r1", "")
    assert "PRIVATE" not in json.dumps(record)
    assert json.loads((tmp_path / "signed.json").read_text()) == {name: str(datetime.date.today())}


#: What is in the place of an RSA key: a text, or options of openssl that make it; empty for none.
NO_KEYS: list[str | list[str]] = [
    "",
    "garbage",
    ["-algorithm", "ED25519"],
    ["-algorithm", "RSA", "-aes256", "-pass", "pass:secret"],
]


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
@pytest.mark.parametrize("word", ["check", "records"])
@pytest.mark.parametrize("made", NO_KEYS)
def test_key_that_is_none_is_told_in_a_sentence(
    made: str | list[str],
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "r1.key"
    if isinstance(made, list):
        subprocess.run(["openssl", "genpkey", *made, "-out", str(path)], check=True, capture_output=True)
    elif made:
        path.write_text(made)
    settings = {
        "signer": "rspamd",
        "state_directory": str(tmp_path),
        "sign_now": False,
        "nameservers": [],
        "domains": [{"domain": "a.test", "selectors": [[{**key("r1"), "path": str(path)}]]}],
    }
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setattr(program, "SETTINGS", str(tmp_path / "settings.json"))
    assert program.main([word]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(
        f"relay_dkim.py: {path} is not a private key of type rsa that openssl can read; expected"
    )
    assert not (tmp_path / "signing.conf").exists()


#: Mode of the directory of a key and of the key; which of them is told.
MODES: list[tuple[int, int, str]] = [
    (0o755, 0o640, ""),
    (0o750, 0o644, ""),
    (0o777, 0o640, "keys"),
    (0o775, 0o640, "keys"),
    (0o1777, 0o640, ""),
    (0o755, 0o660, "keys/r1.key"),
]


@pytest.mark.parametrize(("folder", "file", "told"), MODES)
def test_key_that_others_could_replace_is_told(folder: int, file: int, told: str, tmp_path: Path) -> None:
    path = tmp_path / "keys/r1.key"
    path.parent.mkdir()
    path.touch()
    path.chmod(file)
    path.parent.chmod(folder)
    if not told:
        program.check_owner(str(path))
        program.check_owner(str(path.with_name("missing.key")))
        return
    with pytest.raises(program.BadKey, match=f"^{tmp_path / told} can be changed by others than root; expected"):
        program.check_owner(str(path))


@pytest.fixture(name="checks")
def _checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A host with a key, whose record is published; each reload is noted with the table that the signer reads."""
    domains = [{"domain": "a.test", "selectors": [[key("r1")]]}]
    settings = {"signer": "rspamd", "state_directory": str(tmp_path), "sign_now": False, "nameservers": []}
    (tmp_path / "settings.json").write_text(json.dumps({**settings, "domains": domains}))
    reloads: list[str] = []

    def reload(_unit: str) -> bool:
        reloads.append((tmp_path / "signing.conf").read_text())
        return True

    monkeypatch.setattr(program, "SETTINGS", str(tmp_path / "settings.json"))
    monkeypatch.setattr(program, "public_half", lambda *_words: "AAAA")
    monkeypatch.setattr(program, "ask", lambda *_words: ["v=DKIM1; p=AAAA"])
    monkeypatch.setattr(program, "reload", reload)
    return reloads


@pytest.mark.parametrize("fails", range(4))
def test_a_check_that_ends_too_soon_loses_no_reload(
    fails: int, checks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the rename of any file, or no space is left for it: the next check makes up for it."""
    rename, renamed = os.rename, iter(range(100))

    def fail(old: str, new: str) -> None:
        if next(renamed) == fails:
            raise OSError(errno.ENOSPC, "No space left on device")
        rename(old, new)

    monkeypatch.setattr(program.os, "rename", fail)
    with pytest.raises(OSError, match="No space left"):
        program.main(["check"])
    assert program.main(["check"]) == 0
    assert checks[-1:] == [(tmp_path / "signing.conf").read_text()]
    assert program.main(["check"]) == 0
    assert len(checks) == 1


def _is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_checks_take_turns(checks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check waits for another one, then reads what that left, and others wait for it until its reload is done."""
    locked: dict[str, bool] = {}
    ask, reload = program.ask, program.reload
    for name, function in (("ask", ask), ("reload", reload)):

        def note(*words: t.Any, name: str = name, function: t.Any = function) -> t.Any:
            locked[name] = _is_locked(tmp_path / "lock")
            return function(*words)

        monkeypatch.setattr(program, name, note)
    settings = json.loads((tmp_path / "settings.json").read_text())
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def end(_seconds: float) -> None:
            renamed = [{"domain": "b.test", "selectors": [[key("r2")]]}]
            (tmp_path / "settings.json").write_text(json.dumps({**settings, "domains": renamed}))
            fcntl.flock(other, fcntl.LOCK_UN)

        monkeypatch.setattr(program.time, "sleep", end)
        assert program.main(["check"]) == 0
    assert "b.test" in checks[-1]
    assert locked == {"ask": True, "reload": True}
    assert not _is_locked(tmp_path / "lock")


def test_a_check_that_never_ends_is_told(
    checks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = iter(range(0, 10_000, 100))
    monkeypatch.setattr(program.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(program.time, "monotonic", lambda: next(turns))
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert program.main(["check"]) == 1
        assert "another check has not ended after 600 s, so this one did nothing" in capsys.readouterr().err
        assert program.main(["records"]) == 0  # only reads, and never waits
    assert checks == []


def test_no_other_user_can_keep_the_checks_waiting(checks: list[str], tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert program.main(["check"]) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    assert len(checks) == 1


ED = {"r1-ed": "ed25519"}
#: Selectors with their keys, the comparison of each, the last days of signatures; state and last day of each record.
TOLD: list[tuple[list[list[str]], dict[str, str], dict[str, str], dict[str, tuple[str, str]]]] = [
    (
        [["r1"], ["r2"]],
        {"r1": "published", "r2": "published"},
        {"r1": "2026-11-29"},
        {"r1": ("published", "2026-12-07"), "r2": ("signing", "")},
    ),
    ([["r1"], ["r2"]], {"r1": "published"}, {"r1": "2026-11-29"}, {"r1": ("signing", ""), "r2": ("unknown", "")}),
    ([["r1"], ["r2"]], {"r2": "missing"}, {"r1": "2026-11-29"}, {"r1": ("unknown", ""), "r2": ("waiting", "")}),
    (
        [["r0"], ["r1", "r1-ed"]],
        {"r0": "published", "r1": "published", "r1-ed": "missing"},
        {},
        {"r0": ("signing", ""), "r1": ("incomplete", ""), "r1-ed": ("waiting", "")},
    ),
    (
        [["r1", "r1-ed"]],
        {"r1": "missing", "r1-ed": "published"},
        {},
        {"r1": ("waiting", ""), "r1-ed": ("incomplete", "")},
    ),
]


@pytest.mark.parametrize(("selectors", "states", "signed", "expected"), TOLD)
def test_each_record_is_told_with_what_it_waits_for(
    selectors: list[list[str]],
    states: dict[str, str],
    signed: dict[str, str],
    expected: dict[str, tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program, "public_half", lambda *_words: "AAAA")
    keys = [[key(one, ED.get(one, "rsa")) for one in group] for group in selectors]
    settings = {"sign_now": False, "domains": [{"domain": "a.test", "selectors": keys}]}
    records = program.told(
        settings,
        {f"{one}._domainkey.a.test": state for one, state in states.items()},
        {f"{one}._domainkey.a.test": day for one, day in signed.items()},
    )
    assert {one["selector"]: (one["state"], one["keep_until"]) for one in records} == expected
    for one in records:
        assert one["told"].startswith(f"{one['name']} ")
        assert one["keep_until"] in one["told"]
        assert "{" not in one["told"]


def test_what_no_longer_belongs_to_the_relay_is_forgotten() -> None:
    settings = {"domains": [{"domain": "a.test", "selectors": [[key("r2")]]}]}
    active = {"a.test": [program.Key(**key("r2"))]}
    days = program.remember({"r1._domainkey.a.test": "2026-11-01"}, settings, active)
    assert days == {"r2._domainkey.a.test": str(datetime.date.today())}


#: What each process says of its signals, by turns; the main process afterwards, which is another one after a restart;
#: and whether the signer has its tables in the end.
RELOADS: list[tuple[dict[str, list[str]], str, bool]] = [
    ({"1": ["0"], "2": ["0", "0", "800"], "3": ["0", ""]}, "1", True),
    ({"1": ["0"], "2": ["800"], "3": ["0", "0", "0", "4a03", ""]}, "1", True),
    ({"1": ["0"], "2": ["0"], "3": ["800"]}, "1", False),
    ({"1": ["100", "100", "0"]}, "1", True),
    ({"1": ["100"]}, "1", False),
    ({"1": ["100"], "2": ["0"]}, "5", True),
    ({}, "1", True),
]


@pytest.mark.parametrize(("processes", "after", "expected"), RELOADS)
def test_a_reload_ends_when_no_process_with_the_old_table_takes_mail(
    processes: dict[str, list[str]], after: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A main process has taken its signal, and each worker blocks the one that told it to stop, or has ended."""

    def say(turn: int) -> bool:
        for number, turns in processes.items():
            now = turns[min(turn, len(turns) - 1)]
            file = tmp_path / number / "status"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{'ShdPnd' if number == '1' else 'SigBlk'}:\t{now:0>16}\nSigCgt:\t{'f' * 16}\n")
            if not now:
                file.unlink()
        return turn < 9

    calls: list[list[str]] = []
    monkeypatch.setattr(program, "PROC", str(tmp_path))
    mains = iter(["1", after])
    monkeypatch.setattr(program, "_main", lambda _unit: next(mains))
    monkeypatch.setattr(program.subprocess, "run", lambda argv, **_options: calls.append(argv))
    children = tmp_path / "1/task/1"
    children.mkdir(parents=True)
    (children / "children").write_text(" ".join(number for number in processes if number != "1") + "\n")
    turns = iter(range(100))
    say(next(turns))
    monkeypatch.setattr(program.time, "sleep", lambda _seconds: say(next(turns)))
    monkeypatch.setattr(program.time, "monotonic", lambda: 0 if next(turns) < 50 else 100)
    assert program.reload("rspamd.service") is expected
    assert calls == [["systemctl", "try-reload-or-restart", "--", "rspamd.service"]]
