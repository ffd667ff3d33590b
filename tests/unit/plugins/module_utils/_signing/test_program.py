# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program: what a check does with keys, and what it leaves. Covers program.py, keys.py and state.py."""

from __future__ import annotations

import datetime
import errno
import fcntl
import json
import os
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._signing import keys, program
from ansible_collections.mailops.smtp.plugins.module_utils._signing.lookup import Lookup


class Done(t.NamedTuple):
    status: int
    reported: list[str]
    said: list[str]


def run(word: str) -> Done:
    reported: list[str] = []
    said: list[str] = []
    return Done(program.main([word], reported.append, said.append), reported, said)


def key(selector: str, kind: str = "rsa") -> dict[str, str]:
    name = f"{selector}._domainkey.a.test"
    return {"name": name, "selector": selector, "kind": kind, "path": f"/keys/{selector}.key"}


def test_usage_and_settings_that_cannot_be_used_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("help") == (2, [], ["usage: relay-dkim check|records"])
    monkeypatch.setattr(keys, "SETTINGS", str(tmp_path / "settings.json"))
    for text in ("", "[]", "null", '"x"', "{}", '{"domains": [{}]}'):
        (tmp_path / "settings.json").write_text(text)
        done = run("check")
        assert (done.status, done.reported) == (1, [])
        assert done.said[0].endswith(". Run the role again.")


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_check_lets_a_real_key_sign_and_keeps_what_was_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.setattr(keys, "SETTINGS", str(tmp_path / "settings.json"))
    reloads: list[str] = []

    def reload(unit: str) -> bool:
        reloads.append(unit)
        return len(reloads) != 2

    monkeypatch.setattr(program, "reload", reload)
    public = keys.public_half(str(path), "ed25519")
    signs: list[bool] = []
    answers: list[list[str] | None] = [[], [f"v=DKIM1; k=ed25519; p={public}"], None, ["v=DKIM1; k=ed25519; p=BBBB"]]
    for answer in answers:
        monkeypatch.setattr(Lookup, "texts", lambda *_words, answer=answer: answer)
        # the second reload fails, and is made up for
        assert run("check").status == (1 if len(signs) == 1 else 0)
        signs.append("r1" in (tmp_path / "signing.conf").read_text())
    assert signs == [False, True, True, False]
    assert len(reloads) == 4  # the first one made the empty table
    (record,) = json.loads(run("records").reported[0])
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
    monkeypatch.setattr(keys, "SETTINGS", str(tmp_path / "settings.json"))
    done = run(word)
    assert (done.status, done.reported) == (1, [])
    assert done.said[0].startswith(f"{path} is not a private key of type rsa that openssl can read; expected")
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
        keys.check_owner(str(path))
        keys.check_owner(str(path.with_name("missing.key")))
        return
    with pytest.raises(keys.Trouble, match=f"^{tmp_path / told} can be changed by others than root; expected"):
        keys.check_owner(str(path))


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

    monkeypatch.setattr(keys, "SETTINGS", str(tmp_path / "settings.json"))
    monkeypatch.setattr(program, "public_half", lambda *_words: "AAAA")
    monkeypatch.setattr(Lookup, "texts", lambda *_words: ["v=DKIM1; p=AAAA"])
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

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match="No space left"):
        run("check")
    assert run("check").status == 0
    assert checks[-1:] == [(tmp_path / "signing.conf").read_text()]
    assert run("check").status == 0
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
    places: list[tuple[t.Any, str]] = [(Lookup, "texts"), (program, "reload")]
    for place, name in places:
        before = getattr(place, name)

        def note(*words: t.Any, name: str = name, before: t.Any = before) -> t.Any:
            locked[name] = _is_locked(tmp_path / "lock")
            return before(*words)

        monkeypatch.setattr(place, name, note)
    settings = json.loads((tmp_path / "settings.json").read_text())
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def end(_seconds: float) -> None:
            renamed = [{"domain": "b.test", "selectors": [[key("r2")]]}]
            (tmp_path / "settings.json").write_text(json.dumps({**settings, "domains": renamed}))
            fcntl.flock(other, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", end)
        assert run("check").status == 0
    assert "b.test" in checks[-1]
    assert locked == {"texts": True, "reload": True}
    assert not _is_locked(tmp_path / "lock")


def test_a_check_that_never_ends_is_told(checks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter(range(0, 10_000, 100))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(time, "monotonic", lambda: next(turns))
    with (tmp_path / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = run("check")
        assert done.status == 1
        assert done.said[0].startswith("Another check has not ended after 600 s, so this one did nothing.")
        assert run("records").status == 0  # only reads, and never waits
    assert checks == []


def test_no_other_user_can_keep_the_checks_waiting(checks: list[str], tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert run("check").status == 0
    finally:
        os.umask(before)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
    assert len(checks) == 1
