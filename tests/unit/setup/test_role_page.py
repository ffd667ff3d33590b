# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The README.md of each role says what its argument specs say."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest
import yaml

from ansible_collections.mailops.smtp.tests.setup import role_page


def options_of(specs: t.Any) -> Iterator[str]:
    """The names of all options, of every entry point and at any depth."""
    for name, option in (specs.get("options") or {}).items():
        yield name
        yield from options_of(option)


@pytest.mark.parametrize("role", role_page.AFTERWARDS)
def test_the_page_is_up_to_date(role):
    written = (role_page.folder(role) / "README.md").read_text(encoding="utf-8")
    assert written == role_page.page(role), f"roles/{role}/README.md is stale; run {role_page.COMMAND}"


def test_every_role_has_a_page():
    assert {path.name for path in role_page.folder("relay").parent.iterdir()} == set(role_page.AFTERWARDS)


@pytest.mark.parametrize(
    ("role", "some"),
    [("relay", {"relay_upstream", "pinned_certificates"}), ("compliance", {"compliance_waivers", "authserv_id"})],
)
def test_the_page_names_every_variable_and_option(role, some):
    page = role_page.page(role)
    entries = yaml.safe_load(role_page.specs(role).read_text(encoding="utf-8"))["argument_specs"]
    names = {name for entry in entries.values() for name in options_of(entry)}
    assert some <= names
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_the_upstream_is_described_once():
    page = role_page.page("relay")
    assert page.count("- `pinned_certificates`") == 1
    assert page.count("The options are those of [`relay_upstream`](#relay_upstream).") == 2


def test_the_role_compliance_has_at_most_twenty_variables_each_with_its_default():
    entries = yaml.safe_load(role_page.specs("compliance").read_text(encoding="utf-8"))["argument_specs"]
    options = entries["main"]["options"]
    defaults = yaml.safe_load((role_page.folder("compliance") / "defaults/main.yml").read_text(encoding="utf-8"))
    assert len(options) <= 20
    assert list(defaults) == list(options)
    assert {name: one["default"] for name, one in options.items() if "default" in one}.items() <= defaults.items()
