# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of systemd: query and change their states with as few processes as possible."""

from __future__ import annotations

import os
import re
import typing as t

from .._transaction.model import TransactionError
from .commands import Commands

#: Directories of unit files. After a change in them systemd must be reloaded.
_UNIT_FILE = re.compile(r"/systemd/(system|system\.control|transient)/")
_UNITS = (".service", ".timer", ".path", ".socket")
#: States of a unit file that ``enable`` can change. It has no effect on static, generated or indirect units.
_OFF = ("disabled", "linked", "linked-runtime")


class Unit(t.NamedTuple):
    """One unit.

    :ivar load: ``LoadState`` of systemd.
    :ivar file: ``UnitFileState`` of systemd.
    :ivar active: ``ActiveState`` of systemd.
    """

    load: str
    file: str
    active: str

    @property
    def masked(self) -> bool:
        return self.load == "masked" or self.file.startswith("masked")

    @property
    def enabled(self) -> bool:
        """Whether the unit starts at boot, or with a unit that does."""
        return self.load == "loaded" and not self.masked and self.file not in (*_OFF, "bad", "")

    @property
    def runs(self) -> bool:
        return self.active in ("active", "reloading", "activating")

    @property
    def well(self) -> bool:
        """Whether the unit is up; one that keeps restarting is not."""
        return self.active in ("active", "reloading")

    @property
    def state(self) -> str:
        """The state as noted in the manifest, such as ``enabled running``."""
        return f"{self.file if self.load == 'loaded' else self.load} {'running' if self.runs else 'stopped'}"


class Units:
    """Queries and changes through systemctl.

    :raises TransactionError: in every method, with the output of systemctl.
    """

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def look(self, names: t.Collection[str]) -> dict[str, Unit]:
        """Query all units with one process."""
        if not names:
            return {}
        argv = ["systemctl", "show", "--property=LoadState,UnitFileState,ActiveState", "--", *names]
        code, output, complaints = self._commands.run(argv)
        blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
        if code != 0 or len(blocks) != len(names):
            raise TransactionError(
                f"systemctl cannot show {', '.join(names)}: {complaints.strip() or f'exit code {code}'}. "
                "On a host without systemd, set reload and restart instead of unit."
            )
        found = [Unit(one["LoadState"], one["UnitFileState"], one["ActiveState"]) for one in blocks]
        return dict(zip(names, found))

    def reload_definitions(self, paths: t.Iterable[str]) -> None:
        """Make systemd reload its unit files if any of them changed, and stop and forget the units of removed ones.

        What a timer or a path has started does not belong to the transaction, and goes on without its file.
        """
        files = [path for path in paths if _UNIT_FILE.search(path)]
        if files:
            self._commands.must_succeed(["systemctl", "daemon-reload"])
        gone = [os.path.basename(path).replace("@.", "@*.") for path in files if not os.path.lexists(path)]
        units = sorted(name for name in gone if name.endswith(_UNITS))
        for verb in ("stop", "reset-failed") if units else ():
            self._commands.run(["systemctl", verb, "--", *units])  # it fails if none is known any more

    def enable(self, units: t.Mapping[str, Unit]) -> None:
        """Enable the units that are not enabled."""
        require_unmasked(units)
        self._call("enable", [name for name, unit in units.items() if not unit.enabled])

    def bring_down(self, units: t.Mapping[str, Unit], first: t.Mapping[str, str]) -> None:
        """Stop the units that did not run at first, and disable those that were not enabled.

        One that failed meanwhile stays among the failed units of systemd, unless that is reset.
        """
        idle = [name for name in units if not ran(first[name])]
        self._call("stop", [name for name in idle if units[name].runs])
        self._call("reset-failed", [name for name in idle if units[name].active == "failed"])
        disabled = [name for name, unit in units.items() if unit.file == "enabled" and not was_enabled(first[name])]
        self._call("disable", disabled)

    def give_back(self, units: t.Mapping[str, Unit], first: t.Mapping[str, str]) -> None:
        """Restore the first states: enabled or not, restarted with the files now in place, or stopped."""
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
    """Require that no unit is masked.

    :raises TransactionError: one of them is.
    """
    for name, unit in units.items():
        if unit.masked:
            raise TransactionError(
                f"{name} is masked: an administrator prevented it from starting. "
                f"If it may start, run 'systemctl unmask {name}' and retry."
            )


def ran(state: str) -> bool:
    """Whether the unit ran, by its noted state."""
    return state.endswith(" running")


def was_enabled(state: str) -> bool:
    """Whether the unit started at boot, by its noted state."""
    return state.rpartition(" ")[0] not in (*_OFF, "not-found", "bad", "")


def is_back(unit: Unit, state: str) -> bool:
    """Whether a unit is in its first state again, as far as that can be restored."""
    settled = unit.file not in ("enabled", "disabled") or unit.enabled == was_enabled(state)
    return unit.load == "not-found" or (settled and unit.runs == ran(state))
