# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the files that the collection has deployed, by the manifests of its transactions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host_files import ManagedFile
from ansible_collections.mailops.smtp.plugins.module_utils._host import managed
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.model import Manifest, OwnedFile, digest_of
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.swap import RunRecord
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost

#: What is on the host: content and mode; and the state and mode that are told.
STATES = [
    (b"declared", 0o640, ("unchanged", "0640")),
    (b"declared", 0o644, ("unchanged", "0644")),
    (b"edited", 0o640, ("edited", "0640")),
    (b"", 0o640, ("edited", "0640")),
    (None, 0, ("missing", None)),
]


def deploy(host: FakeHost) -> None:
    manifest = Manifest(files={"/etc/postfix/main.cf": OwnedFile(digest_of(b"declared"), 0o640)})
    host.put("/var/lib/mailops/relay/manifest", json.dumps(RunRecord((), (), (), (), manifest).to_json()))
    host.put("/var/lib/mailops/replaced_packages", "exim4\n")


@pytest.mark.parametrize(("content", "mode", "expected"), STATES)
def test_state_of_a_file(tmp_path: Path, content: bytes | None, mode: int, expected: tuple[str, str | None]) -> None:
    host = FakeHost(tmp_path)
    deploy(host)
    if content is not None:
        host.put("/etc/postfix/main.cf", content).chmod(mode)
    state, now = expected
    assert managed.find(host) == (ManagedFile("/etc/postfix/main.cf", "relay", state, "0640", now),)
    assert host.reasons() == {}


def test_a_host_that_the_role_has_not_configured(tmp_path: Path) -> None:
    assert managed.find(FakeHost(tmp_path)) == ()


def test_a_manifest_that_cannot_be_understood_is_unknown(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.put("/var/lib/mailops/relay/manifest", "[]")
    assert managed.find(host) is None
    assert host.reasons() == {"managed": "/var/lib/mailops/relay/manifest cannot be understood."}
