# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config_transaction with systemd units: the calls to systemctl, their number, and the states given back.

A script replaces systemctl here; the lab uses the real one.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mailops.smtp.plugins.module_utils._module.config_units import Unit, was_enabled

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def run(deploy: Run) -> Run:
    return deploy


#: A unit missing from units.json does not exist. No unit starts while app.conf contains ``bad``.
SYSTEMCTL = r"""#!/usr/bin/python3 -IS
import json, pathlib, sys
here = pathlib.Path(__file__).parent
units = json.loads((here / "units.json").read_text())
words = [word for word in sys.argv[1:] if word not in ("--quiet", "--")]
verb, names = words[0], [word for word in words[1:] if not word.startswith("--")]
with open(here / "log", "a") as log:
    log.write(" ".join([verb, *names]) + "\n")
blocks = []
for name in names:
    enabled, active = units.get(name, ["not-found", "inactive"])
    there = enabled != "not-found"
    if verb == "reset-failed":
        units.update({name: [enabled, "inactive"]} if active == "failed" else {})
        continue
    if verb == "show":
        load = enabled if enabled in ("masked", "not-found") else "loaded"
        blocks.append(f"LoadState={load}\nActiveState={active}\nUnitFileState={enabled if there else ''}\n")
        continue
    if not there:
        sys.exit(f"Unit {name} does not exist.")
    if verb == "disable" and (here / "stuck").exists():
        sys.exit(f"Failed to disable {name}: Access denied")
    if verb in ("enable", "disable"):
        units[name] = [verb + "d", active]
    elif verb == "stop":
        units[name] = [enabled, "inactive"]
    else:
        conf = here.parent / "app.conf"
        if conf.exists() and "bad" in conf.read_text():
            sys.exit(f"Job for {name} failed.")
        units[name] = [enabled, "active"]
print("\n".join(blocks), end="")
(here / "units.json").write_text(json.dumps(units))
"""


class Systemd:
    """The units and the log of the systemctl script."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir()
        (root / "systemctl").write_text(SYSTEMCTL)
        (root / "systemctl").chmod(0o755)
        self.units = {}

    @property
    def units(self) -> dict[str, list[str]]:
        return dict(json.loads((self._root / "units.json").read_text()))

    @units.setter
    def units(self, units: dict[str, list[str]]) -> None:
        (self._root / "units.json").write_text(json.dumps(units))

    def calls(self) -> list[str]:
        """Return the calls since the last time they were read."""
        log = self._root / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return Systemd(tmp_path / "bin")


def bundle(tmp_path: Path, content: str = "port 25\n") -> dict[str, t.Any]:
    return {
        "files": [{"path": f"{tmp_path}/app.conf", "content": content}],
        "services": [{"unit": "app.service", "files": [str(tmp_path)], "restart_lines": "^port "}],
    }


FIRST_STATES = [
    ["enabled", "active"],
    ["disabled", "inactive"],
    ["disabled", "active"],
    ["enabled", "failed"],
    ["static", "inactive"],
]


@pytest.mark.parametrize("first", FIRST_STATES)
def test_unit_is_enabled_started_and_given_back(run: Run, systemd: Systemd, tmp_path: Path, first: list[str]) -> None:
    systemd.units = {"app.service": first}
    assert run(**bundle(tmp_path))["changed"] is True
    assert systemd.units["app.service"] == ["static" if first[0] == "static" else "enabled", "active"]
    assert run(**bundle(tmp_path))["changed"] is False
    preview = run([], check=True, state="absent")
    words = {"active": "running"}
    given_back = {"app.service": f"{first[0]} {words.get(first[1], 'stopped')}"}
    assert (preview["changed"], preview["given_back"]) == (True, given_back)
    assert systemd.units["app.service"][1] == "active"
    assert run([], state="absent")["changed"] is True
    assert systemd.units["app.service"] == [first[0], "active" if first[1] == "active" else "inactive"]
    assert run([], state="absent")["changed"] is False
    assert not (tmp_path / "state").exists()


def test_systemctl_is_called_no_more_than_needed(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    systemd.units = {"app.service": ["disabled", "inactive"]}
    show = "show app.service"
    run(**bundle(tmp_path))
    assert systemd.calls() == [show, show, "enable app.service", "restart app.service", show]
    run(**bundle(tmp_path))
    assert systemd.calls() == [show]
    run(**bundle(tmp_path, "port 25\nname b\n"))
    assert systemd.calls() == [show, "reload-or-restart app.service", show]
    run(**bundle(tmp_path, "port 26\n"))
    assert systemd.calls() == [show, "restart app.service", show]
    run([], state="absent")
    assert systemd.calls() == [show, "stop app.service", "disable app.service", show, show]


@pytest.mark.parametrize("drift", [["disabled", "active"], ["enabled", "inactive"]])
def test_unit_changed_on_the_host_is_corrected(run: Run, systemd: Systemd, tmp_path: Path, drift: list[str]) -> None:
    """A unit that was only disabled is not restarted."""
    systemd.units = {"app.service": ["enabled", "active"]}
    run(**bundle(tmp_path))
    systemd.units = {"app.service": drift}
    assert run(check=True, **bundle(tmp_path))["changed"] is True
    systemd.calls()
    assert run(**bundle(tmp_path))["changed"] is True
    assert systemd.units == {"app.service": ["enabled", "active"]}
    assert ("restart app.service" in systemd.calls()) is (drift[1] == "inactive")


@pytest.mark.parametrize("first", FIRST_STATES[:3])
def test_failed_first_run_gives_the_unit_back(run: Run, systemd: Systemd, tmp_path: Path, first: list[str]) -> None:
    systemd.units = {"app.service": first}
    result = run(**bundle(tmp_path, "bad\n"), health=[["grep", "-q", "bad", f"{tmp_path}/app.conf"]])
    assert "Job for app.service failed." in result["msg"]
    assert "Everything was put back as it was." in result["msg"]
    assert systemd.units == {"app.service": first}
    assert not (tmp_path / "app.conf").exists()


def test_failed_later_run_leaves_all_units_as_they_were(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    systemd.units = {"app.service": ["enabled", "active"], "more.service": ["disabled", "inactive"]}
    run(**bundle(tmp_path))
    bad = bundle(tmp_path, "bad\n")
    result = run(bad["files"], services=[{"unit": "more.service"}])
    assert "Everything was put back as it was." in result["msg"]
    assert systemd.units == {"app.service": ["enabled", "active"], "more.service": ["disabled", "inactive"]}


def test_unit_whose_file_is_declared(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    """systemd knows it after daemon-reload; it is stopped and disabled before its file is removed."""
    unit = tmp_path / "systemd/system/app.service"
    files = [{"path": str(unit), "content": "[Service]\n"}]
    services = [{"unit": "app.service"}]
    run(files, state="noted", services=services)
    systemd.units = {"app.service": ["disabled", "inactive"]}
    systemd.calls()
    run(files, services=services)
    show = "show app.service"
    assert systemd.calls() == ["daemon-reload", show, "enable app.service", "restart app.service", show]
    result = json.dumps(run([], state="absent"))
    down = [show, "stop app.service", "disable app.service"]
    forgotten = ["daemon-reload", "stop app.service", "reset-failed app.service"]
    assert systemd.calls() == [*down, *forgotten, show, show], result
    assert not unit.exists()


def test_unit_that_a_timer_started_is_stopped_with_its_file(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    """A template stands for all its instances, which no service names."""
    template = {"path": f"{tmp_path}/systemd/system/job@.service", "content": "[Service]\n"}
    run([template, *bundle(tmp_path)["files"]])
    assert "stop job@*.service" not in systemd.calls()
    run(bundle(tmp_path)["files"])
    assert systemd.calls() == ["daemon-reload", "stop job@*.service", "reset-failed job@*.service"]


def test_noted_state_precedes_the_package(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    """A package brings the unit enabled and running after the note; it is given back as neither."""
    services = bundle(tmp_path)["services"]
    assert run([], check=True, state="noted", services=services)["changed"] is False
    assert not (tmp_path / "state").exists()
    assert run([], state="noted", services=services)["changed"] is False
    systemd.units = {"app.service": ["enabled", "active"]}
    assert run([], state="noted", services=services)["changed"] is False
    run(**bundle(tmp_path))
    assert run([], state="absent")["given_back"] == {"app.service": "not-found stopped"}
    assert systemd.units == {"app.service": ["disabled", "inactive"]}


def test_noted_state_precedes_the_package_after_a_crash_too(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    """The crashed run is not undone by the note, but by the next run that deploys files."""
    systemd.units = {"app.service": ["enabled", "active"]}
    run(**bundle(tmp_path))
    if (child := os.fork()) == 0:
        run(**bundle(tmp_path, "port 26\n"), activate=[{"command": ["sh", "-c", "kill -9 $PPID"]}])
    os.waitpid(child, 0)
    services = [*bundle(tmp_path)["services"], {"unit": "more.service"}]
    assert run([], state="noted", services=services)["changed"] is False
    assert (tmp_path / "app.conf").read_text() == "port 26\n"
    systemd.units = {**systemd.units, "more.service": ["enabled", "inactive"]}
    assert run(bundle(tmp_path)["files"], services=services)["recovered"] is True
    assert systemd.units["more.service"] == ["enabled", "active"]
    assert run(**bundle(tmp_path))["given_back"] == {"more.service": "not-found stopped"}
    assert systemd.units["more.service"] == ["disabled", "inactive"]


@pytest.mark.parametrize(
    ("since", "after"),
    [
        (["enabled", "inactive"], ["disabled", "inactive"]),  # by its package
        (["enabled", "active"], ["enabled", "active"]),  # by an administrator
    ],
)
def test_failed_validation_lets_no_new_unit_start_at_boot(
    run: Run, systemd: Systemd, tmp_path: Path, since: list[str], after: list[str]
) -> None:
    """The configuration of the package would be in force then."""
    run([], state="noted", services=bundle(tmp_path)["services"])
    systemd.units = {"app.service": since}
    failed = run(**bundle(tmp_path), validators=[{"command": ["false"]}])
    assert (failed["outcome"], systemd.units) == ("untouched", {"app.service": after})
    assert run(**bundle(tmp_path))["changed"] is True
    assert systemd.units == {"app.service": ["enabled", "active"]}


def test_unit_that_cannot_be_disabled_is_told(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    """After the reason of the failure; the next run, which succeeds, needs it enabled."""
    run([], state="noted", services=bundle(tmp_path)["services"])
    systemd.units = {"app.service": ["enabled", "inactive"]}
    (tmp_path / "bin/stuck").touch()
    failed = run(**bundle(tmp_path), validators=[{"command": ["sh", "-c", "echo no good; exit 1"]}])
    assert "no good" in failed["msg"]
    assert "could not be cleared away" in failed["msg"]
    assert "Failed to disable app.service: Access denied" in failed["msg"]
    assert run(**bundle(tmp_path))["changed"] is True


def test_undo_forgets_that_a_unit_failed(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    """A unit that did not run before is not among the failed ones after."""
    systemd.units = {"app.service": ["disabled", "inactive"]}
    fails = f"! grep -q bad {tmp_path}/app.conf || {{ sed -i s/inactive/failed/ {tmp_path}/bin/units.json; exit 1; }}"
    options = {"activate": [{"command": ["sh", "-c", fails]}], "services": [{"unit": "app.service"}]}
    (tmp_path / "app.conf").write_text("port 25\n")
    result = run(bundle(tmp_path, "bad\n")["files"], **options)
    assert systemd.units == {"app.service": ["disabled", "inactive"]}, result["msg"]
    assert "reset-failed app.service" in systemd.calls()


def drained(tmp_path: Path, when: str) -> list[dict[str, t.Any]]:
    script = f"test {when} {tmp_path}/queue || {{ echo 2 messages wait >&2; exit 1; }}"
    return [{"unit": "app.service", "drained": [["sh", "-c", script]]}, {"unit": "other.service", "drained": [["no"]]}]


@pytest.mark.parametrize("first", FIRST_STATES[:2])
def test_unit_that_is_not_drained_is_kept(run: Run, systemd: Systemd, tmp_path: Path, first: list[str]) -> None:
    """A unit that ran before the first run is given back without this check."""
    systemd.units = {"app.service": first}
    run(**bundle(tmp_path))
    (tmp_path / "queue").touch()
    for check in (True, False):
        result = run([], check=check, state="absent", services=drained(tmp_path, "! -e"))
        if first[1] == "active":
            assert result["changed"] is True
        else:
            assert result["msg"] == "Nothing was changed: 2 messages wait"
            assert (result["step"], systemd.units["app.service"]) == ("drained", ["enabled", "active"])
            assert "stop app.service" not in systemd.calls()


def test_unit_that_fills_before_it_stops_is_started_again(run: Run, systemd: Systemd, tmp_path: Path) -> None:
    """``drained`` runs again after the stop; if it fails, the unit is started again with its files."""
    systemd.units = {"app.service": ["disabled", "inactive"]}
    run(**bundle(tmp_path))
    script = f"test ! -e {tmp_path}/asked || {{ echo one waits >&2; exit 1; }}; touch {tmp_path}/asked"
    services = [{"unit": "app.service", "drained": [["sh", "-c", script]]}]
    result = run([], state="absent", services=services)
    assert result["msg"] == "one waits\nEverything was put back as it was."
    assert systemd.units == {"app.service": ["enabled", "active"]}
    assert (tmp_path / "app.conf").exists()


@pytest.mark.parametrize("when", ["before", "later"])
def test_masked_unit_is_refused(run: Run, systemd: Systemd, tmp_path: Path, when: str) -> None:
    if when != "before":
        systemd.units = {"app.service": ["enabled", "active"]}
        run(**bundle(tmp_path))
    systemd.units = {"app.service": ["masked", "inactive"]}
    for state in ("noted", "present") if when == "before" else ("present", "absent"):
        result = run(**bundle(tmp_path), state=state)
        assert "app.service is masked" in result["msg"]
        assert "systemctl unmask app.service" in result["msg"]
    assert systemd.units == {"app.service": ["masked", "inactive"]}
    assert (tmp_path / "app.conf").exists() is (when != "before")


def test_error_without_systemd_names_the_options(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(**bundle(tmp_path))
    assert "set reload and restart instead of unit" in result["msg"]
    assert not (tmp_path / "app.conf").exists()


BAD = [{"unit": "app"}, {"unit": "app .service"}, {"unit": "app.service", "restart": ["x"]}, {}]


@pytest.mark.parametrize("service", BAD)
def test_invalid_services_are_refused(run: Run, systemd: Systemd, tmp_path: Path, service: dict[str, t.Any]) -> None:
    result = run([{"path": f"{tmp_path}/app.conf", "content": "x"}], services=[service])
    assert result["failed"] is True
    assert "services" in result["msg"]
    assert systemd.calls() == []


@pytest.mark.parametrize(
    ("file", "enabled"), [("enabled", True), ("static", True), ("disabled", False), ("linked", False), ("", False)]
)
def test_noted_state_says_whether_the_unit_started_at_boot(file: str, enabled: bool) -> None:
    """A transient unit has no file, so its state begins with an empty word."""
    assert was_enabled(Unit("loaded", file, "active").state) == enabled
