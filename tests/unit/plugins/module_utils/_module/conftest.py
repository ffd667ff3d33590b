# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module config_transaction as Ansible runs it, for tests from its options to its result."""

from __future__ import annotations

import getpass
import grp
import json
import locale
import os
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.module_utils._module import config_options
from ansible_collections.mailops.smtp.plugins.modules import config_transaction

Run = t.Callable[..., dict[str, t.Any]]
OWNER = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Undo what a module does to the environment of its process, which here is that of all tests."""
    before, inherited, words = dict(os.environ), os.umask(0o022), locale.setlocale(locale.LC_ALL)
    os.umask(inherited)
    yield
    monkeypatch.undo()
    os.environ.clear()
    os.environ.update(before)
    os.umask(inherited)
    locale.setlocale(locale.LC_ALL, words)


@pytest.fixture
def deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``deploy(files, check=False, **options)`` returns the result; its ``log`` is what the module wrote to syslog."""
    log: list[str] = []
    monkeypatch.setattr(config_options, "STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(basic.AnsibleModule, "log", lambda _self, msg, **_more: log.append(str(msg)))

    def run_module(files: list[dict[str, t.Any]], check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        given = {"name": "app", "files": [{**OWNER, **file} for file in files], **options, "_ansible_check_mode": check}
        with patch_module_args(given), pytest.raises(SystemExit):
            config_transaction.main()
        result = json.loads(capsys.readouterr().out)
        result.pop("_ansible_new_secrets", None)  # ansible-core 2.22: for the controller, which never shows it
        return {**result, "log": "\n".join(log)}

    return run_module
