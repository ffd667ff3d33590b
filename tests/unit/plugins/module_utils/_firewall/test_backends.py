# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All backends as one: each follows its files, whatever becomes of the others."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import backends
from ansible_collections.mailops.smtp.plugins.module_utils._firewall.host import FirewallError

BACKENDS = backends.BACKENDS


@pytest.mark.parametrize(
    "error", [FirewallError("firewalld is not running"), PermissionError("firewalld is not running")]
)
def test_one_that_cannot_follow_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """firewalld's policy is back and firewalld does not run: the table that took its place has to go all the same."""
    followed = []

    def fail() -> None:
        raise error

    monkeypatch.setattr(BACKENDS["firewalld"], "apply", fail)
    for name in ("ufw", "nftables"):
        monkeypatch.setattr(BACKENDS[name], "apply", lambda name=name: followed.append(name))
    with pytest.raises(FirewallError) as caught:
        backends.apply()
    assert followed == ["ufw", "nftables"]
    assert str(caught.value) == "firewalld is not running"


def test_those_that_disagree_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, agrees in (("firewalld", False), ("ufw", True), ("nftables", False)):
        monkeypatch.setattr(BACKENDS[name], "agrees", lambda agrees=agrees: agrees)
    assert backends.disagreement() == "The rules in force in firewalld and nftables are not those of the files."
    for backend in BACKENDS.values():
        monkeypatch.setattr(backend, "agrees", lambda: True)
    assert backends.disagreement() == ""


@pytest.mark.parametrize("name", BACKENDS)
def test_staged_files_are_judged_by_the_program_they_are_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    judged: list[str] = []
    for one, backend in BACKENDS.items():
        monkeypatch.setattr(backend, "validate", lambda stage, one=one: judged.append(f"{one} {stage}"))
    backends.validate(str(tmp_path))
    assert judged == []
    for path, content in BACKENDS[name].write([], "").items():
        staged = Path(f"{tmp_path}{path}")
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_text(content)
    backends.validate(str(tmp_path))
    assert judged == [f"{name} {tmp_path}"]


PROGRAMS = [("firewalld", ["firewall-offline-cmd"]), ("ufw", ["ufw"]), ("nftables", ["nft"])]


@pytest.mark.parametrize(("name", "programs"), PROGRAMS)
def test_files_need_the_program_that_judges_them(name: str, programs: list[str]) -> None:
    assert backends.needed_programs(BACKENDS[name].paths) == programs
    assert backends.needed_programs(["/etc/postfix/main.cf"]) == []


def test_every_backend_writes_the_files_that_it_owns() -> None:
    made: dict[str, dict[str, t.Any]] = backends.write_all([], "")
    assert {name: set(files) for name, files in made.items()} == {
        name: set(backend.paths) for name, backend in BACKENDS.items()
    }
