# Copyright (c) 2026 The mailops.smtp authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host for transactions: a tree of files, a service that reads all of them, and its states."""

from __future__ import annotations

import getpass
import grp
import itertools
import json
import os
import stat
import typing as t
from pathlib import Path

from ansible_collections.mailops.smtp.plugins.module_utils._transaction.model import (
    TransactionError,
    WantedDirectory,
    WantedFile,
    digest_of,
)
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.plan import Plan
from ansible_collections.mailops.smtp.plugins.module_utils._transaction.transaction import ConfigTransaction

OWNER = getpass.getuser()
GROUP = grp.getgrgid(os.getgid()).gr_name

#: The visible files of a tree: relative path -> content, mode, owner.
Tree = dict[str, tuple[str, int, int]]
Boundary = tuple[str, str]

_nonces = itertools.count()


class Sandbox:
    """``live`` holds the files, ``state`` the state of transactions; ``loaded`` is what the service has read."""

    def __init__(self, root: Path, state: Path | None = None) -> None:
        self.live = root / "live"
        self.state = (state or root) / "state"
        self._loaded = root / "loaded.json"
        self._services = root / "services.json"
        self.live.mkdir(exist_ok=True)

    def write(self, name: str, content: str, mode: int = 0o644) -> Path:
        path = self.live / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(mode)
        return path

    def wanted(self, name: str, content: str, mode: int = 0o640, **more: t.Any) -> WantedFile:
        return WantedFile(str(self.live / name), content.encode(), mode, OWNER, GROUP, **more)

    def built(self, name: str, source: WantedFile, mode: int = 0o640) -> WantedFile:
        """A file that ``build`` makes from its source, with different content every time."""
        recipe = f"{source.path} {digest_of(source.content or b'')}"
        return WantedFile(str(self.live / name), None, mode, OWNER, GROUP, recipe=recipe)

    def directory(self, name: str, mode: int) -> WantedDirectory:
        return WantedDirectory(str(self.live / name), mode, OWNER, GROUP)

    def run(
        self,
        files: t.Sequence[WantedFile],
        directories: t.Sequence[WantedDirectory] = (),
        services: t.Sequence[str] = (),
        observe: t.Callable[[str, str], None] = lambda _step, _path: None,
        fake: FakeHost | None = None,
        name: str = "app",
    ) -> bool:
        """Run a transaction as the module does; return whether anything changed."""
        transaction = ConfigTransaction(str(self.state / name), observe)
        fake = fake or FakeHost(self)
        with transaction.alone(fake) as interrupted:
            plan = transaction.plan(fake, files, directories, services)
            return transaction.carry_out(plan, fake) or interrupted

    def tree(self) -> Tree:
        """Return all files outside the private directories; of a built file, the part that is reproducible."""
        found: Tree = {}
        for path in sorted(self.live.rglob("*")):
            if any(part.startswith(".mailops-") for part in path.parts):
                continue
            status = path.lstat()
            content = path.read_text().partition(" #")[0] if path.is_file() else "/"
            found[str(path.relative_to(self.live))] = (content, stat.S_IMODE(status.st_mode), status.st_uid)
        return found

    def debris(self) -> list[str]:
        """Return what no run may leave: versions other than originals, and state other than the manifest."""
        beside = [path for path in self.live.rglob(".mailops-*/*") if path.suffix != ".first"]
        beside += [path for path in self.live.rglob(".mailops-*") if not any(path.iterdir())]
        kept = [path for path in self.state.rglob("*") if path.is_file() and path.name != "manifest"]
        return sorted(map(str, [*beside, *kept, *self.state.rglob("stage")]))

    def originals(self) -> dict[str, tuple[str, int]]:
        found = self.live.rglob(".mailops-*/*.first")
        return {path.stem: (path.read_text(), stat.S_IMODE(path.stat().st_mode)) for path in found}

    def load(self) -> None:
        self._loaded.write_text(json.dumps(files_of(self.tree())))

    @property
    def loaded(self) -> Tree:
        """The files as the service last read them."""
        return {path: tuple(seen) for path, seen in json.loads(self._loaded.read_text()).items()}

    @property
    def services(self) -> dict[str, str]:
        """The state of each service on the host."""
        return dict(json.loads(self._services.read_text())) if self._services.exists() else {}

    def set_services(self, states: t.Mapping[str, str]) -> None:
        fresh = self._services.with_suffix(".new")
        fresh.write_text(json.dumps({**self.services, **states}))
        fresh.replace(self._services)


def files_of(tree: Tree) -> Tree:
    """Return the tree without directories, which a service does not read."""
    return {path: seen for path, seen in tree.items() if seen[0] != "/"}


class FakeHost:
    """A host whose service reads the whole tree on activation.

    Its named services are ``ours`` while they use the files. A service whose first state is ``stopped`` can only be
    stopped while its file exists.

    :param refuses: the step that fails: ``validate``, ``activate``, ``check``, ``prove`` or ``drained``; none if empty.
    :param with_content: it fails only if a file contains this text.
    """

    def __init__(self, host: Sandbox, refuses: str = "", with_content: str = "") -> None:
        self._host = host
        self._refuses = refuses
        self._with = with_content
        self.labels: list[tuple[str, str]] = []

    def label(self, path: str, live: str) -> None:
        self.labels.append((path, live))

    def build(self, stage: str) -> None:
        for source in Path(stage + str(self._host.live)).rglob("*.table"):
            text = f"built of {source.read_text()} #{os.getpid()} {next(_nonces)}"
            source.with_suffix(".db").write_text(text)

    def validate(self, stage: str, removed: t.Collection[str]) -> None:
        del removed
        self._judge("validate", Path(stage + str(self._host.live)))

    def states(self, names: t.Collection[str]) -> dict[str, str]:
        return {name: self._states[name] for name in names}

    def returned(self, first: t.Mapping[str, str]) -> t.Collection[str]:
        return [name for name, state in first.items() if self._states[name] == state]

    def require_drained(self, first: t.Mapping[str, str]) -> None:
        if self._refuses == "drained" and "stopped" in first.values():
            raise TransactionError("drained was refused")

    def release(self, first: t.Mapping[str, str]) -> None:
        stopping = [name for name, state in first.items() if state == "stopped"]
        for name in stopping:
            if self._states[name] == "ours" and not (self._host.live / f"{name}.cf").exists():
                raise TransactionError(f"{name} cannot be stopped without its file")
        if stopping:
            self._set_states(dict.fromkeys(stopping, "stopped"))

    def rest(self, first: t.Mapping[str, str]) -> None:
        """Its services are not enabled apart."""

    def activate(self, plan: Plan, unsettled: t.Collection[str], back: bool) -> None:
        del unsettled
        self._judge("activate", self._host.live)
        self._host.load()
        held, given_back = plan.duties(back)
        if held or given_back:
            self._set_states({**dict.fromkeys(held, "ours"), **given_back})

    def check(self, plan: Plan, back: bool) -> None:
        held, given_back = plan.duties(back)
        for name, state in {**dict.fromkeys(held, "ours"), **given_back}.items():
            if self._states[name] != state:
                raise TransactionError(f"{name} is {self._states[name]}; expected {state}")
        self._judge("check", self._host.live)

    def prove(self) -> None:
        self._judge("prove", self._host.live)

    @property
    def _states(self) -> dict[str, str]:
        return self._host.services

    def _set_states(self, states: t.Mapping[str, str]) -> None:
        self._host.set_services(states)

    def _judge(self, step: str, root: Path) -> None:
        if step == self._refuses and any(self._with in path.read_text() for path in root.glob("*") if path.is_file()):
            raise TransactionError(f"{step} was refused")


class MemoryHost(FakeHost):
    """A host that keeps what it read, and the states of services, in memory, so that it needs no disk."""

    def __init__(self, host: Sandbox) -> None:
        super().__init__(host)
        self.read: Tree = {}
        self.states_now = host.services

    def activate(self, plan: Plan, unsettled: t.Collection[str], back: bool) -> None:
        del unsettled
        self.read = files_of(self._host.tree())
        held, given_back = plan.duties(back)
        self._set_states({**dict.fromkeys(held, "ours"), **given_back})

    @property
    def _states(self) -> dict[str, str]:
        return self.states_now

    def _set_states(self, states: t.Mapping[str, str]) -> None:
        self.states_now = {**self.states_now, **states}
