# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module works the same in every environment: modes, words and programs."""

from __future__ import annotations

import os
import stat
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._module.environment import settle, settled_environment

Run = t.Callable[..., dict[str, t.Any]]
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.mark.parametrize(
    ("given", "name", "settled"),
    [
        ({"LC_ALL": "de_DE.UTF-8"}, "LC_ALL", "C"),
        ({"LANG": "ja_JP.eucJP"}, "LANG", None),
        ({"LANGUAGE": "fr:de"}, "LANGUAGE", None),
        ({"LC_TIME": "de_DE.UTF-8"}, "LC_TIME", None),
        ({"TZ": "Asia/Kathmandu"}, "TZ", None),
        ({"MAIL_CONFIG": "/home/me/postfix"}, "MAIL_CONFIG", None),
        ({"OPENSSL_CONF": "/home/me/openssl.cnf"}, "OPENSSL_CONF", None),
        ({"BASH_ENV": "/root/.noise"}, "BASH_ENV", None),
        ({"SYSTEMD_PAGER": "less"}, "SYSTEMD_PAGER", None),
        ({"GREP_OPTIONS": "--color=always"}, "GREP_OPTIONS", None),
        ({}, "PATH", SYSTEM),
        ({"PATH": "/usr/bin:/bin"}, "PATH", "/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"),
        ({"PATH": ".::/opt/own/bin"}, "PATH", f"/opt/own/bin:{SYSTEM}"),
        ({"TMPDIR": "/nonexistent"}, "TMPDIR", None),
        ({"TMPDIR": "relative"}, "TMPDIR", None),
        ({"TMPDIR": "/dev"}, "TMPDIR", "/dev"),
        ({"HOME": "/nonexistent"}, "HOME", "/"),
        ({}, "HOME", "/"),
        ({"HOME": "/usr"}, "HOME", "/usr"),
        ({"http_proxy": "http://proxy:3128"}, "http_proxy", "http://proxy:3128"),
    ],
)
def test_variables_of_a_login_do_not_change_what_programs_do(
    given: dict[str, str], name: str, settled: str | None
) -> None:
    assert settled_environment(given).get(name) == settled


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o027, 0o077, 0o777])
def test_a_directory_of_a_module_has_the_mode_it_wants(tmp_path: Path, umask: int) -> None:
    inherited = os.umask(umask)
    try:
        settle()
        (tmp_path / "made").mkdir()
    finally:
        os.umask(inherited)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o755


def test_month_names_are_english_after_settling() -> None:
    settle()
    assert time.strftime("%b %a", time.gmtime(0)) == "Jan Thu"


@pytest.mark.parametrize("umask", [0o027, 0o077])
def test_a_transaction_makes_directories_and_files_with_their_modes(deploy: Run, tmp_path: Path, umask: int) -> None:
    path = tmp_path / "new" / "deeper" / "app.conf"
    inherited = os.umask(umask)
    try:
        result = deploy(
            [{"path": str(path), "content": "x\n", "mode": "0644"}],
            validators=[{"command": ["sh", "-c", f"[ $(umask) = 0022 ] && touch {tmp_path}/by-program"]}],
        )
    finally:
        os.umask(inherited)
    assert result["changed"] is True, result
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "new/deeper", "by-program")}
    assert modes == {"new": 0o755, "new/deeper": 0o755, "by-program": 0o644}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_program_speaks_english_whatever_the_login_speaks(
    deploy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    script = 'echo "$LC_ALL${LANG-}${LANGUAGE-}${LC_MESSAGES-}" >&2; exit 1'
    result = deploy([{"path": f"{tmp_path}/x", "content": "x"}], validators=[{"command": ["sh", "-c", script]}])
    assert result["msg"].endswith("failed: C")


def test_a_user_other_than_root_is_told_to_become(deploy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    monkeypatch.setattr(os, "access", lambda *_args, **_more: False)
    for options in ({}, {"check": True}, {"state": "absent"}, {"state": "noted"}):
        result = deploy([{"path": f"{tmp_path}/x", "content": "x"}], **options)
        assert result["step"] == "options"
        assert result["msg"].startswith("Nothing was changed: Set become: true on the task or the play: it runs as ")
