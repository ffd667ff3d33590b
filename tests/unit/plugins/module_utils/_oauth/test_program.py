# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs as a relay has them: from their files alone, as processes."""

from __future__ import annotations

import json
import marshal
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._oauth.store import (
    STATE_DIRECTORY,
    State,
    StoredToken,
)
from ansible_collections.mailops.smtp.plugins.module_utils._relay.program_files import (
    OAUTH_CONFIG,
    PROGRAMS,
    program_files,
)
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.authority import authority_for


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the programs, whose configurations and compiled files are beside it."""
    folder = tmp_path_factory.mktemp("program")
    for file in program_files("oauth"):
        place = folder / "lib" / Path(file["path"]).relative_to(PROGRAMS["oauth"].directory)
        place.parent.mkdir(parents=True, exist_ok=True)
        source = file["content"].replace(STATE_DIRECTORY, str(folder)).replace(OAUTH_CONFIG, str(folder))
        place.write_text(source, encoding="utf-8")
    return folder


def run(program: Path, *arguments: str, said: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", str(program / "lib"), *arguments]
    return subprocess.run(command, input=said, capture_output=True, timeout=60, env=environment, check=False)


#: arguments -> exit status, words
USES = [
    (("--help",), 0, "usage: relay-oauth refresh NAME"),
    (("refresh", "--help"), 0, "usage"),
    ((), 2, "usage"),
    (("refresh",), 2, "usage"),
    (("bridge", "x", "--force"), 2, "usage"),
    (("refresh", "m365"), 1, "m365: failed: systemd gave no credential"),
    (("refresh", "../etc"), 1, "is not the name of an upstream"),
    (("probe", "m365"), 1, "m365.json cannot be read: No such file"),
]


@pytest.mark.parametrize(("arguments", "status", "words"), USES)
def test_programs_run_from_their_files_alone(
    program: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    done = run(program, *arguments)
    assert (done.returncode, words in done.stderr.decode()) == (status, True), done.stderr.decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a directory to another user")
def test_what_another_user_has_compiled_is_not_run(program: Path, tmp_path: Path) -> None:
    """An administrator runs the program as root, and the cache belongs to the user of the programs."""
    place = tmp_path / "lib"
    shutil.copytree(program / "lib", place)
    main = place / "__main__.py"
    main.write_text(main.read_text(encoding="utf-8").replace(str(program), str(tmp_path)), encoding="utf-8")
    command = [sys.executable, "-I", str(place), "--help"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (compiled,) = (tmp_path / "pycache").rglob("program.*.pyc")
    head = compiled.read_bytes()[:16]
    compiled.write_bytes(head + marshal.dumps(compile("raise SystemExit(99)", "program.py", "exec")))
    os.chown(tmp_path, 65534, 65534)
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr[:6]) == (0, b"usage:")
    assert not list(place.rglob("program.*.pyc"))
    os.chown(tmp_path, 0, 0)
    assert subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 99, "proves nothing"


def test_bridge_without_configuration_says_nothing_to_its_client(program: Path) -> None:
    done = run(program, "bridge", "none", said=b"LHLO x\r\n")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_bridge_sends_a_message(program: Path, tmp_path: Path) -> None:
    authority = authority_for("localhost", tmp_path)
    said = b"LHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
    with Peer(extensions=["PIPELINING", "AUTH XOAUTH2"], tls=authority.server) as peer:
        form = {
            "host": "localhost",
            "port": peer.port,
            "tls": "starttls",
            "username": "relay@example.com",
            "state_directory": str(tmp_path),
            "helo": "relay.example.com",
            "ca_file": authority.ca_file,
        }
        (program / "m365.json").write_text(json.dumps(form), encoding="ascii")
        State(str(tmp_path), "m365").keep_token(StoredToken("t0ken", time.time(), time.time() + 3600))
        done = run(program, "bridge", "m365", said=said + b"Hello\r\n.\r\nQUIT\r\n")
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[-2:] == ["250 2.0.0 Ok: queued as PEER12345", "221 2.0.0 Bye"]
    assert peer.messages == [b"Hello\r\n.\r\n"]
    assert (program / "pycache").is_dir(), "compiled files are kept for the next start"
    assert not list((program / "lib/relay_oauth").rglob("__pycache__"))
