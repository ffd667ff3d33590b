# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config_transaction with a firewall among its activators and validators; real firewalls are in the lab."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._firewall import backends, host

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(deploy: Run) -> Run:
    return deploy


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "app.conf"
    path.write_text("old\n")
    path.chmod(0o644)
    return path


@pytest.fixture
def firewall(monkeypatch: pytest.MonkeyPatch, target: Path) -> list[str]:
    """A firewall that follows the file, and refuses and cannot read some; what it was asked to do."""
    in_force = target.with_name("in-force")
    in_force.write_text("old\n")
    done: list[str] = []

    def validate(stage: str) -> None:
        text = Path(stage + str(target)).read_text()
        done.append(f"validate {text.strip()}")
        if "invalid" in text:
            raise host.FirewallError(f"nft --check: {stage}{target}:1:1-3: Error: syntax error")

    def apply() -> None:
        done.append(f"apply {target.read_text().strip()}")
        if "refused" in target.read_text():
            raise host.FirewallError("firewalld is not running")
        in_force.write_text(target.read_text())

    def disagreement() -> str:
        if target.read_text() == "unreadable\n":
            raise host.FirewallError("firewalld does not answer")
        return "" if in_force.read_text() == target.read_text() else "The rules in force are others."

    for function in (validate, apply, disagreement):
        monkeypatch.setattr(backends, function.__name__, function)
    monkeypatch.setattr(backends, "needed_programs", lambda paths: ["sh"] if str(target) in paths else ["no-such"])
    return done


FIREWALL: dict[str, t.Any] = {"validators": [{"firewall": {}}], "activate": [{"firewall": {}}]}


def test_a_firewall_follows_the_file(run: Run, target: Path, firewall: list[str]) -> None:
    files = [{"path": str(target), "content": "new\n"}]
    preview = run(files, check=True, **FIREWALL)
    assert (preview["changed"], "msg" in preview, firewall) == (True, False, ["validate new"])
    assert run(files, **FIREWALL)["changed"] is True
    assert run(files, **FIREWALL)["changed"] is False
    assert run(files, check=True, **FIREWALL)["changed"] is False
    assert firewall == ["validate new", "validate new", "apply new"]


def test_a_firewall_that_drifted_is_told_by_check_mode_and_mended(run: Run, target: Path, firewall: list[str]) -> None:
    files = [{"path": str(target), "content": "new\n"}]
    run(files, **FIREWALL)
    firewall.clear()
    target.with_name("in-force").write_text("something else\n")
    preview = run(files, check=True, **FIREWALL)
    assert (preview["changed"], preview["drift"]) == (True, ["The rules in force are others."])
    assert firewall == []
    mended = run(files, **FIREWALL)
    assert (mended["changed"], mended["drift"]) == (True, ["The rules in force are others."])
    assert firewall == ["apply new"]
    again = run(files, **FIREWALL)
    assert (again["changed"], again["drift"]) == (False, [])


def test_a_firewall_that_cannot_follow_gets_its_old_rules_back(run: Run, target: Path, firewall: list[str]) -> None:
    result = run([{"path": str(target), "content": "refused\n"}], **FIREWALL)
    assert (result["failed"], result["step"]) == (True, "activate")
    assert result["msg"] == "firewalld is not running\nEverything was put back as it was."
    assert firewall == ["validate refused", "apply refused", "apply old"]
    assert target.read_text() == "old\n"


def test_a_firewall_that_cannot_be_asked_is_not_well(run: Run, target: Path, firewall: list[str]) -> None:
    result = run([{"path": str(target), "content": "unreadable\n"}], **FIREWALL)
    assert (result["step"], target.read_text()) == ("health", "old\n")
    assert result["msg"] == "firewalld does not answer\nEverything was put back as it was."
    target.write_text("unreadable\n")
    assert run([{"path": str(target), "content": "unreadable\n"}], check=True, **FIREWALL)["changed"] is True


def test_what_a_firewall_does_not_accept_is_told_with_file_and_line(
    run: Run, target: Path, firewall: list[str]
) -> None:
    result = run([{"path": str(target), "content": "invalid\n"}], **FIREWALL)
    assert (result["step"], result["failed_file"], result["failed_line"]) == ("validate", str(target), 1)
    assert f"nft --check: {target}:1:1-3: Error: syntax error" in result["msg"]
    assert (firewall, target.read_text()) == (["validate invalid"], "old\n")


def test_a_firewall_is_activated_when_the_files_go(run: Run, target: Path, firewall: list[str]) -> None:
    run([{"path": str(target), "content": "new\n"}], **FIREWALL)
    firewall.clear()
    assert run([], state="absent", activate=FIREWALL["activate"])["changed"] is True
    assert (firewall, target.read_text()) == (["apply old"], "old\n")
    assert run([], state="absent", activate=FIREWALL["activate"])["changed"] is False


def test_no_files_are_as_good_as_absent(run: Run, target: Path, firewall: list[str]) -> None:
    run([{"path": str(target), "content": "new\n"}], **FIREWALL)
    firewall.clear()
    assert run([], **FIREWALL)["changed"] is True
    assert (firewall, target.read_text()) == (["apply old"], "old\n")
    assert run([], **FIREWALL)["changed"] is False
