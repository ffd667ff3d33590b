# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""roles/relay/README.md says what the role's argument specs say."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import yaml

from ansible_collections.mailops.smtp.tests.setup import role_page


def options_of(specs: t.Any) -> Iterator[str]:
    """The names of all options, of every entry point and at any depth."""
    for name, option in (specs.get("options") or {}).items():
        yield name
        yield from options_of(option)


def test_the_page_is_up_to_date():
    written = role_page.PAGE.read_text(encoding="utf-8")
    assert written == role_page.page(), f"roles/relay/README.md is stale; run {role_page.COMMAND}"


def test_the_page_names_every_variable_and_option():
    page = role_page.page()
    entries = yaml.safe_load(role_page.SPECS.read_text(encoding="utf-8"))["argument_specs"]
    names = {name for entry in entries.values() for name in options_of(entry)}
    assert {"relay_upstream", "pinned_certificates"} <= names
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_the_upstream_is_described_once():
    page = role_page.page()
    assert page.count("- `pinned_certificates`") == 1
    assert page.count("The options are those of [`relay_upstream`](#relay_upstream).") == 2
