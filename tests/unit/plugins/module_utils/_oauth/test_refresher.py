# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The refresher, with a token server on loopback: when it asks, what it keeps, and what it says.

Covers refresher.py, store.py and request.py.
"""

from __future__ import annotations

import datetime
import json
import os
import signal
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._oauth import refresher
from ansible_collections.mailops.smtp.plugins.module_utils._oauth.store import BadName, NoToken, State, StoredToken
from ansible_collections.mailops.smtp.tests.unit.support.token_server import GRANTED, Served

SECRET, REFRESH = "client-s3cret", "refresh-s3cret"


class Upstream:
    """The state and the credential of an upstream, and what the refresher says of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "state"
        self.folder.mkdir()
        self.state = State(str(self.folder), "m365")
        self._request = folder / "request"
        self.said: list[str] = []
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))

    def ask_for(self, served: Served, expires: str | None = None, **options: t.Any) -> None:
        """Write the credential."""
        oauth = {
            "token_url": served.url,
            "client_id": "app",
            "client_secret": SECRET,
            "ca_file": served.ca_file,
            "timeout": 5,
            **options,
        }
        form = {"name": "m365", "state_directory": str(self.folder), "username": "relay@example.com"}
        self._request.write_text(json.dumps({**form, "oauth": oauth, "expires": expires}), encoding="ascii")

    def refresh(self, force: bool = False) -> bool:
        self.said.clear()
        done = refresher.refresh("m365", self.said.append, force)
        assert not any(secret in line for line in self.said for secret in (SECRET, REFRESH, "ya29"))
        return done

    def hold(self, age: float, left: float) -> StoredToken:
        """Keep a token of this age with so much life left, in seconds."""
        token = StoredToken("0ld", time.time() - age, time.time() + left)
        self.state.keep_token(token)
        return token


@pytest.fixture
def upstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    return Upstream(tmp_path, monkeypatch)


def test_token_is_fetched_and_kept_for_its_owner_alone(upstream: Upstream, served: Served) -> None:
    upstream.ask_for(served)
    assert upstream.refresh()
    assert len(upstream.said) == 1
    assert upstream.said[0].startswith("m365: refreshed: the token is valid for 60 min, until 20")
    [path] = upstream.folder.iterdir()
    assert (path.name, stat.S_IMODE(path.stat().st_mode)) == ("m365.token", 0o600)
    facts = json.loads(path.read_bytes())
    assert facts["access_token"] == "ya29.t0ken"
    assert facts["expires_at"] - facts["obtained_at"] == 3599
    assert upstream.state.usable_token().access_token == "ya29.t0ken"


#: what the server says of the life -> what is believed
LIVES = [(599.5, 599), (15, 15), (10**9, 86_400), (10**400, 3600), ("1800", 1800), (None, 3600), (-5, 3600)]


@pytest.mark.parametrize(("said", "believed"), LIVES)
def test_life_of_a_token_is_believed_within_reason(
    upstream: Upstream, served: Served, said: t.Any, believed: int
) -> None:
    upstream.ask_for(served)
    served.server.body = json.dumps({"access_token": "ya29.t0ken", "expires_in": said}).encode()
    for _run in range(2):
        assert upstream.refresh()
    token = upstream.state.token()
    assert token is not None
    assert round(token.expires_at - token.obtained_at, 3) == believed


#: age and rest of the token's life in seconds, whether the bridge wants another, forced, whether the server is asked
TIMES = [
    (60, 3540, False, False, False),
    (1700, 1900, False, False, False),
    (1801, 1799, False, False, True),
    (60, 840, False, False, True),
    (3600, -1, False, False, True),
    (-500, 4100, False, False, True),
    (60, 3540, False, True, True),
    (60, 3540, True, False, False),
    (301, 3299, True, False, True),
]


@pytest.mark.parametrize(("age", "left", "wanted", "force", "asked"), TIMES)
def test_server_is_asked_only_when_it_is_time(
    upstream: Upstream, served: Served, age: float, left: float, wanted: bool, force: bool, asked: bool
) -> None:
    upstream.ask_for(served)
    upstream.hold(age, left)
    if wanted:
        upstream.state.want_token()
    assert upstream.refresh(force)
    assert bool(served.server.forms) is asked
    assert upstream.said[0].startswith("m365: refreshed" if asked else "m365: kept")
    assert not upstream.state.take_wish()


#: status and body of the server, words
FAILURES = [
    (
        401,
        b'{"error": "invalid_client", "error_description": "AADSTS7000222 client-s3cret"}',
        "client_secret has expired; make a new one in Entra",
    ),
    (400, b'{"error": "invalid_grant"}', "invalid_grant"),
    (500, b"<html>oops", "without a readable reason"),
    (200, b"nonsense", "without an access token"),
    (200, b'{"access_token": "ya29.t0ken", "expires_in": 0}', "granted a token that is valid for 0 s"),
    (200, b'{"access_token": "a b"}', "without an access token"),
    (200, b" " * 1_000_000 + GRANTED, "without an access token"),
    (200, b"[" * 100_000, "without an access token"),
]


@pytest.mark.parametrize(("status", "body", "words"), FAILURES)
def test_failure_is_told_and_the_present_token_stays(
    upstream: Upstream, served: Served, status: int, body: bytes, words: str
) -> None:
    upstream.ask_for(served)
    served.server.status, served.server.body = status, body
    assert not upstream.refresh()
    assert words in upstream.said[0]
    assert upstream.said[0].endswith("no token is valid, so mail waits in the queue")
    held = upstream.hold(2000, 1600)
    assert not upstream.refresh()
    assert upstream.said[0].startswith("m365: failed: ")
    assert "the present one is kept: the token is valid for 27 min" in upstream.said[0]
    assert upstream.state.token() == held


#: content of the file of authorities; None for no file
@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read: No such file"), ("x", "has no certificate in PEM")]
)
def test_unusable_file_of_authorities_is_named(
    upstream: Upstream, served: Served, tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "own.pem"
    if content is not None:
        path.write_text(content)
    upstream.ask_for(served, ca_file=str(path))
    assert not upstream.refresh()
    assert f"m365: failed: oauth.ca_file {path} {words}" in upstream.said[0]


def test_slow_server_is_given_up(upstream: Upstream, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresher, "_TOTAL", 0.3)
    served.server.pause.clear()
    upstream.ask_for(served)
    began = time.monotonic()
    assert not upstream.refresh()
    assert time.monotonic() - began < 1.5
    served.server.pause.set()
    assert "no complete answer within 0.3 s" in upstream.said[0]


def test_rotated_refresh_token_is_used_until_another_is_configured(upstream: Upstream, served: Served) -> None:
    served.server.body = json.dumps({**json.loads(GRANTED), "refresh_token": "n3xt"}).encode()
    upstream.ask_for(served, refresh_token=REFRESH)
    assert upstream.refresh()
    assert upstream.said[0] == "m365: the server sent a new refresh token, which is used from now on"
    assert stat.S_IMODE((upstream.folder / "m365.refresh").stat().st_mode) == 0o600
    assert upstream.refresh(force=True)
    upstream.ask_for(served, refresh_token="c0nfigured")
    assert upstream.refresh(force=True)
    assert [form["refresh_token"] for form in served.server.forms] == [REFRESH, "n3xt", "c0nfigured"]


def test_renewed_token_is_taken_over_from_a_name_that_has_changed(tmp_path: Path) -> None:
    """A second mailbox at the provider changes the first one's name, and the role removes what the old name kept."""
    State(str(tmp_path), "microsoft365").keep_renewed("n3xt", "digest")
    new = State(str(tmp_path), "microsoft365-relay-a-test")
    assert (new.renewed("another"), new.renewed("digest")) == (None, "n3xt")
    (tmp_path / "microsoft365.refresh").unlink()
    assert new.renewed("digest") == "n3xt"


def day(days: int) -> str:
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days)).date().isoformat()


@pytest.mark.parametrize(
    ("days", "words"), [(40, ""), (20, "the secret expires on"), (0, "the secret expires on"), (-3, "expired on")]
)
def test_secret_that_expires_soon_is_told(upstream: Upstream, served: Served, days: int, words: str) -> None:
    upstream.ask_for(served, expires=day(days))
    assert upstream.refresh()
    warnings = [line for line in upstream.said if "warning" in line]
    assert bool(warnings) is bool(words)
    assert all(words in line and day(days) in line for line in warnings)


#: content of the credential, words
BAD_REQUESTS = [
    (b"nonsense", "run the role again"),
    (b"{}", "run the role again"),
    (b'{"name": "x", "state_directory": "/x", "username": "", "expires": null, "oauth": {}}', "not that of m365"),
    (b'{"name": "m365", "state_directory": "/x", "username": "", "expires": null, "oauth": {}}', "provider is ''"),
]


@pytest.mark.parametrize(("content", "words"), BAD_REQUESTS)
def test_request_that_cannot_be_used_is_told(upstream: Upstream, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "request").write_bytes(content)
    assert not upstream.refresh()
    assert words in upstream.said[0]


def test_missing_credential_is_told(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wish is taken all the same: systemd starts the refresher as long as there is one."""
    monkeypatch.setattr(refresher, "STATE_DIRECTORY", str(upstream.folder))
    upstream.state.want_token()
    assert not upstream.refresh()
    assert upstream.said == ["m365: failed: the credential request cannot be read: No such file or directory"]
    assert not upstream.state.take_wish()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert not upstream.refresh()
    assert "start the refresher as its systemd unit" in upstream.said[0]


def test_state_that_cannot_be_written_is_told(upstream: Upstream, served: Served) -> None:
    upstream.ask_for(served)
    (upstream.folder / "m365.token.new").mkdir()
    assert not upstream.refresh()
    assert "was not written" in upstream.said[0]


@pytest.mark.parametrize("moment", ["os.rename", "os.fsync"])
def test_refresher_that_is_killed_leaves_the_old_token(upstream: Upstream, served: Served, moment: str) -> None:
    upstream.ask_for(served)
    held = upstream.hold(2000, 1600)
    source = (
        f"import os, signal\n{moment} = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"from {refresher.__name__} import refresh\nrefresh('m365', print)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", source], env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(served.server.forms) == 1
    assert upstream.state.token() == held
    assert upstream.refresh(), "the next run is not disturbed by what it left"
    assert upstream.state.usable_token().access_token == "ya29.t0ken"
    assert [path.name for path in upstream.folder.iterdir()] == ["m365.token"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"access_token": "x"}', b'{"access_token": 5}', b"\xff"])
def test_damaged_token_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m365.token").write_bytes(content)
    state = State(str(tmp_path), "m365")
    assert state.token() is None
    with pytest.raises(NoToken):
        state.usable_token()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "a b", "x" * 65])
def test_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        State("/nowhere", name)
