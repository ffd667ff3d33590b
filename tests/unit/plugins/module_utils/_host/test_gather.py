# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of a host as a document: every group of facts, without a secret, read back as it was written."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._evidence.document import Kind
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.host import HostFacts
from ansible_collections.mailops.smtp.plugins.module_utils._evidence.reading import read
from ansible_collections.mailops.smtp.plugins.module_utils._host.gather import GATHER, collect
from ansible_collections.mailops.smtp.plugins.module_utils._module.postfix_info import GROUPS
from ansible_collections.mailops.smtp.tests.unit.plugins.module_utils._host.fakes import FakeHost


def test_every_group_is_a_fact_and_a_choice() -> None:
    assert tuple(GATHER) == GROUPS == tuple(field.name for field in dataclasses.fields(HostFacts))


@pytest.mark.parametrize("recorded", ["", "debian", "rhel", "nested", "multi", "broken"])
def test_document_of_a_host_without_programs(tmp_path: Path, recorded: str) -> None:
    host = FakeHost(tmp_path, recorded)
    found = collect(host._run, GROUPS, str(tmp_path))
    document = found.to_dict()
    assert (document["kind"], document["version"], document["facts"]["units"]) == ("host", 1, None)
    paths = {one["path"] for one in document["unknown"]}
    assert {"units", "listeners"} <= paths
    assert all(one["reason"].endswith(".") for one in document["unknown"])
    assert "s3cret" not in json.dumps(document)
    assert read(json.loads(json.dumps(document)), {Kind.HOST: HostFacts}) == found


def test_only_the_groups_that_are_asked_for(tmp_path: Path) -> None:
    host = FakeHost(tmp_path, "debian")
    facts = collect(host._run, ["config"], str(tmp_path)).facts
    assert [name for name in GROUPS if getattr(facts, name) is not None] == ["config"]
    assert all(command.startswith("postconf") for command in host.asked)
