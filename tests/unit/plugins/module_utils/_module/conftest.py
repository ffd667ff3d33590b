# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules as Ansible runs them, for the tests of what is between their options and their result."""

from __future__ import annotations

import getpass
import grp
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.module_utils._module import config_options
from ansible_collections.mailops.smtp.plugins.modules import config_transaction, smtp_send
from ansible_collections.mailops.smtp.tests.fault.peer import Peer

Run = t.Callable[..., dict[str, t.Any]]
OWNER = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(peer, _check=False, **options)`` gives the module's result; ``warnings`` in it is what it warned of."""
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: warnings.append(text))

    def run_module(peer: Peer | None, _check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        server = {"host": "127.0.0.1", "port": peer.port} if peer else {}
        given = {**server, "from": "a@a.test", "to": ["b@b.test"], "subject": "s", "timeout": 2, **options}
        given = {name: value for name, value in given.items() if value is not None}
        with patch_module_args({**given, "_ansible_check_mode": _check}), pytest.raises(SystemExit):
            smtp_send.main()
        return {**json.loads(capsys.readouterr().out), "warnings": warnings}

    return run_module


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``deploy(files, check=False, **options)`` gives its result; ``log`` in it is what went to syslog."""
    log: list[str] = []
    monkeypatch.setattr(config_options, "STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, msg, **_more: log.append(str(msg)))

    def run_module(files: list[dict[str, t.Any]], check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        given = {"name": "app", "files": [{**OWNER, **file} for file in files], **options, "_ansible_check_mode": check}
        with patch_module_args(given), pytest.raises(SystemExit):
            config_transaction.main()
        return {**json.loads(capsys.readouterr().out), "log": "\n".join(log)}

    return run_module
