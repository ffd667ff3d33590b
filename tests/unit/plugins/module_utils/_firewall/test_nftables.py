# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nftables is given; what it does to a real firewall is a test of the lab."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import nftables
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.host import FirewallError
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.rules import PortRule
from ansible_collections.mailops.smtp.tests.unit.support.firewall_rules import MADE, NAMES, RULES

BACKEND = nftables.Nftables()
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


def ruleset(rules: t.Iterable[PortRule]) -> str:
    return BACKEND.write(rules, "Ansible managed")[nftables.RULES_FILE]


def statements(text: str) -> list[str]:
    """The rules of the chain, of a file or as nft lists them."""
    (chain,) = re.findall(r"chain input \{\n(.*?)\n\s*\}", text, flags=re.DOTALL)
    return [line.strip() for line in chain.splitlines()]


def nft_works() -> bool:
    """Whether nft is here and may check a ruleset in a network namespace of its own."""
    if not shutil.which("nft", path=PATH) or not shutil.which("unshare"):
        return False
    return (
        subprocess.run(
            [*SEALED, "nft", "list", "ruleset"], env={"PATH": PATH}, capture_output=True, check=False
        ).returncode
        == 0
    )


SEALED = ["unshare", "--user", "--map-root-user", "--net"]


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


@pytest.mark.skipif(not nft_works(), reason="nft, or a network namespace for it, is not available; the lab has both")
@pytest.mark.parametrize("rules", MADE, ids=NAMES)
def test_nft_loads_and_lists_the_same_rules(rules: list[PortRule], tmp_path: Path) -> None:
    """Loaded twice, since a reload must not add the rules to those that are there."""
    path = tmp_path / "relay.nft"
    path.write_text(ruleset(rules))
    script = f"nft --check --file {path} && nft -f {path} && nft -f {path} && nft list table inet relay"
    done = subprocess.run(
        [*SEALED, "sh", "-c", script], env={"PATH": PATH}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert statements(done.stdout)[3:] == statements(path.read_text())[3:]


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
