# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of systemd: what they are, and how they get another state, with as few processes as that takes."""

from __future__ import annotations

import re
import typing as t

from .._transaction.model import TransactionError
from .commands import Commands

#: Where systemd looks for units. What changes there it has to be told.
_UNIT_FILE = re.compile(r"/systemd/(system|system\.control|transient)/")
#: Of a unit that does not start at boot and can be told to. Others are beyond ``enable``: static, generated, indirect.
_OFF = ("disabled", "linked", "linked-runtime")


class Unit(t.NamedTuple):
    """One unit: three properties of systemd."""

    load: str
    file: str
    active: str

    @property
    def masked(self) -> bool:
        return self.load == "masked" or self.file.startswith("masked")

    @property
    def enabled(self) -> bool:
        """Whether it starts at boot, or whatever it belongs to does."""
        return self.load == "loaded" and not self.masked and self.file not in (*_OFF, "bad", "")

    @property
    def runs(self) -> bool:
        return self.active in ("active", "reloading", "activating")

    @property
    def well(self) -> bool:
        """Unlike one that is started again and again."""
        return self.active in ("active", "reloading")

    @property
    def state(self) -> str:
        """What is kept of it: ``enabled running``."""
        return f"{self.file if self.load == 'loaded' else self.load} {'running' if self.runs else 'stopped'}"


class Units:
    """:raises TransactionError: in every method, with what systemctl said."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def look(self, names: t.Collection[str]) -> dict[str, Unit]:
        """All of them, by one process."""
        if not names:
            return {}
        argv = ["systemctl", "show", "--property=LoadState,UnitFileState,ActiveState", "--", *names]
        code, output, complaints = self._commands.run(argv)
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
        if code != 0 or len(blocks) != len(names):
            raise TransactionError(
                f"systemctl cannot tell of {', '.join(names)}: {complaints.strip() or f'exit code {code}'}. "
                "On a host without systemd, give reload and restart in place of unit."
            )
        found = [Unit(one["LoadState"], one["UnitFileState"], one["ActiveState"]) for one in blocks]
        return dict(zip(names, found))

    def reload_definitions(self, paths: t.Iterable[str]) -> None:
        """Once unit files are among what changed."""
        if any(_UNIT_FILE.search(path) for path in paths):
            self._commands.must_succeed(["systemctl", "daemon-reload"])

    def enable(self, units: t.Mapping[str, Unit]) -> None:
        """Those that are not."""
        require_unmasked(units)
        self._call("enable", [name for name, unit in units.items() if not unit.enabled])

    def bring_down(self, units: t.Mapping[str, Unit], first: t.Mapping[str, str]) -> None:
        """Stop those that did not run at first, and disable those that were not enabled."""
        self._call("stop", [name for name, unit in units.items() if unit.runs and not ran(first[name])])
        disabled = [name for name, unit in units.items() if unit.file == "enabled" and not was_enabled(first[name])]
        self._call("disable", disabled)

    def give_back(self, units: t.Mapping[str, Unit], first: t.Mapping[str, str]) -> None:
        """The first state: enabled or not, started anew with the files that are there now, or stopped."""
        self.bring_down(units, first)
        back = {name: unit for name, unit in units.items() if first[name].startswith("enabled ")}
        running = [name for name in units if ran(first[name])]
        require_unmasked({name: units[name] for name in (*back, *running)})
        self._call("enable", [name for name, unit in back.items() if not unit.enabled])
        self._call("restart", running)

    def _call(self, verb: str, names: list[str]) -> None:
        if names:
            self._commands.must_succeed(["systemctl", "--quiet", verb, "--", *names])


def require_unmasked(units: t.Mapping[str, Unit]) -> None:
    """:raises TransactionError: one of them is masked."""
    for name, unit in units.items():
        if unit.masked:
            raise TransactionError(
                f"{name} is masked: somebody decided that it never starts. "
                f"If it may, run 'systemctl unmask {name}' and try again."
            )


def ran(state: str) -> bool:
    """Whether the unit ran, from what was kept of it."""
    return state.endswith(" running")


def was_enabled(state: str) -> bool:
    """Whether the unit started at boot, from what was kept of it."""
    return state.rpartition(" ")[0] not in (*_OFF, "not-found", "bad", "")


def is_back(unit: Unit, state: str) -> bool:
    """Whether a unit is as it was at first, in what can be given back."""
    settled = unit.file not in ("enabled", "disabled") or unit.enabled == was_enabled(state)
    return unit.load == "not-found" or (settled and unit.runs == ran(state))
