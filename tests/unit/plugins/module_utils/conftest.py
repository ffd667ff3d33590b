# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of several rooms need: the module smtp_send as Ansible runs it, and a token server."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mailops.smtp.plugins.modules import smtp_send
from ansible_collections.mailops.smtp.tests.fault.peer import Peer
from ansible_collections.mailops.smtp.tests.unit.support.token_server import Served, token_server

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run(peer, _check=False, **options)`` returns the module's result with its ``warnings``."""
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _self, text: warnings.append(text))

    def run_module(peer: Peer | None, _check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        server = {"host": "127.0.0.1", "port": peer.port} if peer else {}
        given = {**server, "from": "a@a.test", "to": ["b@b.test"], "subject": "s", "timeout": 2, **options}
        given = {name: value for name, value in given.items() if value is not None}
        with patch_module_args({**given, "_ansible_check_mode": _check}), pytest.raises(SystemExit):
            smtp_send.main()
        result = json.loads(capsys.readouterr().out)
        result.pop("_ansible_new_secrets", None)  # ansible-core 2.22: for the controller, which never shows it
        return {**result, "warnings": warnings}

    return run_module


@pytest.fixture(scope="session")
def token_authority() -> trustme.CA:
    """The authority of the token server's certificate."""
    return trustme.CA()


@pytest.fixture
def served(token_authority: trustme.CA, tmp_path: Path) -> Iterator[Served]:
    """A token server on loopback."""
    with token_server(token_authority, tmp_path) as running:
        yield running
