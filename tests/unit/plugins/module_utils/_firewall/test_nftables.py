# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nftables is given; what it does to a real firewall is a test of the lab."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import from_nft, nftables
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.from_nft import read_chains
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.host import FirewallError
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.rules import PortRule
from ansible_collections.mailops.smtp.tests.unit.support.firewall_rules import MADE, NAMES, RULES
from ansible_collections.mailops.smtp.tests.unit.support.nft import NEEDS_NFT, in_a_namespace

BACKEND = nftables.Nftables()


def ruleset(rules: t.Iterable[PortRule]) -> str:
    return BACKEND.write(rules, "Ansible managed")[nftables.RULES_FILE]


def statements(text: str) -> list[str]:
    """The rules of the chain, of a file or as nft lists them."""
    (chain,) = re.findall(r"chain input \{\n(.*?)\n\s*\}", text, flags=re.DOTALL)
    return [line.strip() for line in chain.splitlines()]


@pytest.mark.parametrize(("rules", "expected"), list(zip(MADE, [row[2] for row in RULES], strict=True)), ids=NAMES)
def test_every_rule_is_a_statement_of_the_chain(rules: list[PortRule], expected: list[str]) -> None:
    text = ruleset(rules)
    assert text.startswith("#\n# Ansible managed\n#\n")
    assert "\ntable inet relay\ndelete table inet relay\ntable inet relay {\n" in text
    assert text.count("{") == text.count("}") == 2
    assert statements(text) == [
        "type filter hook input priority filter; policy accept;",
        'iifname "lo" accept',
        "ct state established,related accept",
        *(f"tcp dport {line.replace('reject', 'reject with tcp reset')}" for line in expected),
    ]


@NEEDS_NFT
@pytest.mark.parametrize("rules", MADE, ids=NAMES)
def test_nft_loads_and_lists_the_same_rules(rules: list[PortRule], tmp_path: Path) -> None:
    """Loaded twice, since a reload must not add the rules to those that are there."""
    path = tmp_path / "relay.nft"
    path.write_text(ruleset(rules))
    load = f"nft --check --file {path} && nft -f {path} && nft -f {path}"
    listed = in_a_namespace(f"{load} && nft list table inet relay")
    assert statements(listed)[3:] == statements(path.read_text())[3:]
    kernel = read_chains(json.loads(in_a_namespace(f"{load} && nft --json list table inet relay"))["nftables"])
    assert kernel == [nftables.make_chain(nftables.read_statements(path.read_text().splitlines()))]
    assert nftables.read_statements(path.read_text().splitlines()) == rules


#: What others may have done to the table.
DRIFTS = [
    "flush chain inet relay input",
    "delete table inet relay",
    "flush ruleset",
    "insert rule inet relay input ip saddr 203.0.113.9 accept",
    "insert rule inet relay input tcp dport 587 accept",
    "add rule inet relay input tcp dport 587 accept",
    "delete rule inet relay input handle 4",
    "chain inet relay input { policy drop; }",
    "table inet relay { flags dormant; }",
    "add chain inet relay other { type filter hook input priority 0; }",
]


@NEEDS_NFT
@pytest.mark.parametrize("drift", ["", *DRIFTS])
def test_what_the_kernel_has_is_compared_with_the_file(
    drift: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "relay.nft"
    path.write_text(ruleset(MADE[2]))
    answer = in_a_namespace(f"nft -f {path}; nft '{drift}'; nft --json list table inet relay 2>/dev/null || true")
    monkeypatch.setattr(nftables, "RULES_FILE", str(path))
    monkeypatch.setattr(nftables, "UNIT_FILE", str(path))
    monkeypatch.setattr(nftables, "_LINK", str(path))
    monkeypatch.setattr(nftables, "succeeds", lambda *_argv: True)
    monkeypatch.setattr(
        from_nft, "run", lambda *argv: subprocess.CompletedProcess(argv, 0 if answer else 1, answer, "")
    )
    assert BACKEND.agrees() == (not drift)


def test_the_unit_loads_the_file() -> None:
    unit = BACKEND.write([], "Managed here.\nDo not edit.")[nftables.UNIT_FILE]
    assert unit.startswith("#\n# Managed here.\n# Do not edit.\n#\n[Unit]\n")
    for line in ("ExecStart", "ExecReload"):
        assert f"\n{line}=/usr/sbin/nft -f /etc/nftables.d/relay.nft\n" in unit
    assert "\nExecStop=-/usr/sbin/nft delete table inet relay\n" in unit
    assert "\nReloadPropagatedFrom=nftables.service\n" in unit


def test_all_that_nft_says_of_a_staged_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "/stage/etc/nftables.d/relay.nft:9:5-8: Error: syntax error\n    tpc dport 25\n    ^^^"
    monkeypatch.setattr(nftables, "run", lambda *argv: subprocess.CompletedProcess(argv, 1, "", said))
    with pytest.raises(FirewallError) as caught:
        BACKEND.validate("/stage")
    assert str(caught.value) == f"nft --check --file /stage/etc/nftables.d/relay.nft: {said}"
